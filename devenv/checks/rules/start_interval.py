"""`start_interval`: without its period, or on an engine that does not know it."""

from __future__ import annotations

from collections.abc import Iterator

from devenv.checks.depends_edits import is_written_here
from devenv.checks.edges import selected_services
from devenv.checks.facts import CheckedProfile, Facts
from devenv.checks.finding import Edit, Fault, Severity
from devenv.checks.places import place_of
from devenv.checks.registry import check
from devenv.compose.effective_health import is_disabled, written_healthcheck
from devenv.compose.layers import Entry, scalar
from devenv.compose.timing import (
    START_INTERVAL_ENGINE,
)

_SPEC = "compose-spec 05-services.md#healthcheck"


@check(
    "start-interval-without-start-period",
    Severity.ERROR,
    f"{_SPEC}; measured: refused by up, not by config",
)
def start_interval_without_start_period(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A health check sets `start_interval` and no `start_period`.

    `docker compose config` takes it; `up` refuses to create the container. The
    `start_interval` only counts while the `start_period` runs.

    Wrong:

        services:
          db:
            healthcheck:
              test: [CMD, pg_isready]
              start_interval: 1s

    Right:

        services:
          db:
            healthcheck:
              test: [CMD, pg_isready]
              start_interval: 1s
              start_period: 30s

    Measured: With Compose 5.6.1 and Engine 20.10.24 `docker compose config` passes and `up`
    refuses. See tests/corpus/order.
    """
    for name, service in selected_services(profile).items():
        assert profile.model is not None
        written = written_healthcheck(profile.model, service)
        if "start_interval" not in written or "start_period" in written or not service.replicas:
            continue
        yield Fault(
            f"{name} has a start_interval but no start_period, which up refuses.",
            place_of(profile, "services", name, "healthcheck", "start_interval"),
            service=name,
            fix="start_period: 30s beside it",
            edits=_period_edit(profile, facts, name),
        )


def _period_edit(profile: CheckedProfile, facts: Facts, name: str) -> tuple[Edit, ...]:
    """`start_period: 30s` after `start_interval`, on a line of its own in block style."""
    owner = profile.layers.find("services", name, "healthcheck")
    entry = profile.layers.find("services", name, "healthcheck", "start_interval")
    text = facts.file(entry.path).text if entry else None
    if owner is None or entry is None or text is None or owner.path != entry.path:
        return ()
    if not is_written_here(text, entry) or scalar(entry.value) is None:
        return ()
    start, end = entry.key.start_mark.index, entry.value.end_mark.index
    line_start = text.rfind("\n", 0, start) + 1
    indent = text[line_start:start]
    if _in_flow(owner, entry) or indent.strip():
        return (
            (Edit(entry.path, end, end, ", start_period: 30s"),) if _in_flow(owner, entry) else ()
        )
    newline = "\r\n" if "\r\n" in text else "\n"
    return (Edit(entry.path, start, start, f"start_period: 30s{newline}{indent}"),)


def _in_flow(owner: Entry, entry: Entry) -> bool:
    """Whether the entry stands in the owner's own braces."""
    node = owner.value
    inside = node.start_mark.index <= entry.key.start_mark.index <= node.end_mark.index
    return bool(getattr(node, "flow_style", False)) and inside


@check(
    "start-interval-ignored",
    Severity.WARNING,
    "Docker Engine 25.0 release notes; measured: engine 20.10 ignores it",
)
def start_interval_ignored(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A health check sets `start_interval`, and the engine in use is too old to know it.

    Engines before 25 take it without a word and go on to probe every `interval`.

    Wrong:

        services:
          db:
            healthcheck:
              test: [CMD, pg_isready]
              start_period: 30s
              start_interval: 1s

    Right:

        services:
          db:
            healthcheck:
              test: [CMD, pg_isready]
              interval: 2s

    Measured: Engine 20.10.24: a chain of three at 10 s took 32.5 s with a `start_interval`, 32.9 s
    without, and 5.6 s at `interval: 1s`.
    """
    if facts.engine is None or facts.engine.version >= START_INTERVAL_ENGINE:
        return
    version = ".".join(str(part) for part in facts.engine.version)
    for name, service in selected_services(profile).items():
        assert profile.model is not None
        written = written_healthcheck(profile.model, service)
        if "start_interval" in written and not is_disabled(written):
            yield Fault(
                f"The engine in use ({version}) ignores the start_interval of {name}.",
                place_of(profile, "services", name, "healthcheck", "start_interval"),
                service=name,
                fix="use engine 25 or newer, or a shorter interval",
            )
