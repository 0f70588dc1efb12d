"""A plan as text and as JSON values: one plan behind the UI, `--dry-run` and the tests."""

from __future__ import annotations

from typing import Any

from devenv.compose.plan import Plan


def render_plan(plan: Plan) -> str:
    """The plan, a line for each step in the order of the start."""
    if not plan.steps:
        return "nothing to start: the selection has no services\n"
    action_width = max(len(step.step) for step in plan.steps)
    name_width = max(len(step.service) for step in plan.steps)
    lines = [
        f"{step.step.value:<{action_width}}  {step.service:<{name_width}}  {step.cause}"
        for step in plan.steps
    ]
    lines += [
        f"left alone: {name} has containers, but is not in this selection" for name in plan.orphans
    ]
    for volume in plan.volume_conflicts:
        lines.append(f"refused: volume {volume.volume} differs from the one that holds the data")
        lines += [f"  {difference}" for difference in volume.differences]
    lines += [
        f"refused: {port.service} wants port {port.port}/{port.protocol}, held by {port.holder}"
        for port in plan.port_conflicts
    ]
    return "\n".join(lines) + "\n"


def plan_to_json(plan: Plan) -> dict[str, Any]:
    """The plan as JSON values."""
    return {
        "steps": [
            {"step": step.step.value, "service": step.service, "cause": step.cause}
            for step in plan.steps
        ],
        "orphans": list(plan.orphans),
        "volume_conflicts": [
            {"volume": c.volume, "differences": list(c.differences)} for c in plan.volume_conflicts
        ],
        "port_conflicts": [
            {"service": c.service, "port": c.port, "protocol": c.protocol, "holder": c.holder}
            for c in plan.port_conflicts
        ],
    }
