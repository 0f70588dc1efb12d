"""How the `test` of a health check is written."""

from __future__ import annotations

import re
from collections.abc import Iterator

from devenv.checks.edges import selected_services
from devenv.checks.facts import CheckedProfile, Facts
from devenv.checks.finding import Fault, Place, Severity
from devenv.checks.places import place_of
from devenv.checks.registry import check
from devenv.compose.env_scope import find_uses
from devenv.compose.layers import Entry, items, scalar
from devenv.compose.model import Condition

_SPEC = "compose-spec 05-services.md#healthcheck"


@check(
    "healthcheck-none-as-command",
    Severity.WARNING,
    f"{_SPEC}: NONE in a list; measured: as plain text it is run as a command",
)
def healthcheck_none_as_command(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A health check has `test: NONE` as plain text, which runs a command of that name.

    Only the list `[NONE]` switches the image's check off. As plain text it is a shell command
    that does not exist, so the container becomes unhealthy, and whatever waits for it fails.

    Wrong:

        services:
          db:
            healthcheck:
              test: NONE

    Right:

        services:
          db:
            healthcheck:
              test: [NONE]

    Measured: With Compose 5.6.1 and Engine 20.10.24 the container becomes unhealthy, and `up` fails
    for what waits for it. See tests/corpus/order.
    """
    services = selected_services(profile)
    for name, service in services.items():
        if service.healthcheck is None or service.healthcheck.test != ("CMD-SHELL", "NONE"):
            continue
        awaited = any(
            edge.service == name and edge.required and edge.condition is Condition.HEALTHY
            for other in services.values()
            for edge in other.dependencies
        )
        yield Fault(
            f"The health check of {name} runs a command called NONE, which is not there.",
            place_of(profile, "services", name, "healthcheck", "test"),
            service=name,
            fix="test: [NONE], or disable: true",
            severity=Severity.ERROR if awaited and service.replicas else None,
        )


_FORMS = ("CMD", "CMD-SHELL", "NONE")


@check(
    "healthcheck-test-form",
    Severity.ERROR,
    f"{_SPEC}; measured: Compose names no service and no line",
    explains_refusal=True,
)
def healthcheck_test_form(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A health check's test is a list that does not begin with CMD, CMD-SHELL or NONE.

    Compose refuses the whole project, without a word on where the list is.

    Wrong:

        services:
          db:
            healthcheck:
              test: [pg_isready, -U, postgres]

    Right:

        services:
          db:
            healthcheck:
              test: [CMD, pg_isready, -U, postgres]

    Measured: `docker compose config` 5.6.1 refuses it, and names neither the service nor the line.
    """
    for name in profile.layers.service_names() if profile.everything is None else ():
        entry = profile.layers.find("services", name, "healthcheck", "test")
        first = next(iter(items(entry.value)), None) if entry else None
        word = scalar(first)
        if entry is None or first is None or word is None or word in _FORMS or "$" in word:
            continue
        at = Entry(entry.path, first, first).source
        yield Fault(
            f"The health check of {name} is a list that begins with {word}, which Compose refuses.",
            Place(at.path, at.line, at.column),
            service=name,
            fix=f"test: [CMD, {word}, …]",
            explains=not getattr(profile.failure, "key_path", ()),
        )


_REFERENCE = re.compile(r"\$(?:(\$)|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})")


@check(
    "healthcheck-dollar",
    Severity.WARNING,
    f"{_SPEC}; compose-spec 12-interpolation.md: $$ is a plain dollar sign",
)
def healthcheck_dollar(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A health check's test has a `$NAME` that Compose fills in, and has nothing to fill in.

    Compose works out `$NAME` and `${NAME}` before the container exists, from the shell and the
    env files. Where the variable is one of the container's, the test is left with a blank
    in its place; `$$NAME` reaches the container as `$NAME`.

    Wrong:

        services:
          db:
            environment:
              POSTGRES_USER: shop
            healthcheck:
              test: pg_isready -U $POSTGRES_USER

    Right:

        services:
          db:
            environment:
              POSTGRES_USER: shop
            healthcheck:
              test: pg_isready -U $$POSTGRES_USER

    Measured: `docker compose config` 5.6.1 shows the test with the blank in it; with `$$` the
    container gets the `$`.
    """
    required = {
        one.reference.name for one in find_uses(profile.layers) if one.reference.is_required
    }  # that one of these is not set, env-required says
    for name in profile.layers.service_names():
        entry = profile.layers.find("services", name, "healthcheck", "test")
        for node in (items(entry.value) or [entry.value]) if entry else ():
            text = scalar(node) or ""
            for found in _REFERENCE.finditer(text):
                variable = found[2] or found[3]
                if found[1] or variable in required or _is_set(variable, profile, facts):
                    continue
                assert entry is not None
                at = Entry(entry.path, node, node).source
                yield Fault(
                    f"Compose blanks ${variable} in the health check of {name}: "
                    "no env file and no shell variable sets it.",
                    Place(at.path, at.line, at.column),
                    service=name,
                    fix=f"$${variable}, which the container's own shell fills in",
                )


def _is_set(name: str, profile: CheckedProfile, facts: Facts) -> bool:
    if name in facts.environ or name in profile.variables:
        return True
    pattern = re.compile(rf"^\s*(?:export\s+)?{re.escape(name)}\s*(?:[=:]|$)", re.M)
    return any(pattern.search(facts.file(path).text or "") for path in profile.env_files)
