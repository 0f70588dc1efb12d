"""A switch's plan as text and as JSON values: one plan behind the UI, `--dry-run` and the tests."""

from __future__ import annotations

from typing import Any

from devenv.compose.switch import SwitchPlan
from devenv.report.plan import plan_to_json, render_plan


def render_switch(plan: SwitchPlan) -> str:
    """What is stopped, then the steps of the start, then what happens to data."""
    lines = []
    if plan.before is not None and plan.before != plan.after:
        lines.append(f"from {plan.before} to {plan.after}")
    width = max((len(stop.service) for stop in plan.stops), default=0)
    lines += [f"stop  {stop.service:<{width}}  {stop.cause}" for stop in plan.stops]
    text = "".join(f"{line}\n" for line in lines)
    stopped = {stop.service for stop in plan.stops}
    for line in render_plan(plan.up).splitlines(keepends=True):
        name = line.removeprefix("left alone: ").split(" ")[0]
        if not (line.startswith("left alone: ") and name in stopped):
            text += line
    return text + "".join(f"data: {sentence}\n" for sentence in plan.data)


def switch_to_json(plan: SwitchPlan) -> dict[str, Any]:
    """The same as JSON values; `steps` and what follows are those of the plan of an `up`."""
    return {
        "before": plan.before,
        "after": plan.after,
        "stops": [
            {"environment": stop.environment, "service": stop.service, "cause": stop.cause}
            for stop in plan.stops
        ],
        "data": list(plan.data),
        **plan_to_json(plan.up),
    }
