"""Values of env files that do not arrive: shadowed by the shell, or not passed to a service."""

from __future__ import annotations

import re
from collections.abc import Iterator

from devenv.checks.env_names import (
    is_mentioned,
    last_entries,
    say_how_to_set,
)
from devenv.checks.env_scan import (
    EnvReading,
    at_entry,
    scan_env,
    shown,
)
from devenv.checks.facts import CheckedProfile, Facts
from devenv.checks.finding import Fault, Related, Severity
from devenv.checks.places import at_source
from devenv.checks.registry import check
from devenv.compose.env_scope import find_service_variables
from devenv.compose.layers import Entry

_OPTIONAL = re.compile(
    r"(?:https?|ftp|no|all)_proxy|SSH_AUTH_SOCK|DISPLAY|XAUTHORITY|WAYLAND_DISPLAY|"
    r"XDG_RUNTIME_DIR|TERM|TZ|LANG|LC_\w+|CI|GITHUB_\w+|USER|UID|GID",
    re.IGNORECASE,
)
"""Names that are usually passed on only where there is something to pass on."""


@check("env-shadowed", Severity.WARNING, "compose-spec 12-interpolation.md; cli precedence")
def env_shadowed(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """The shell has another value for a variable than the env file, and the shell's wins.

    An `export` of last week, or one from a direnv file, beats `.env`, even where it is empty. It
    is said only for names that a Compose file mentions and only where the values differ.

    Wrong:

        $ export APP_PORT=9000
        # .env
        APP_PORT=8080

    Right:

        $ unset APP_PORT

    Measured: `docker compose config` 5.6.1 takes the shell's value over that of `.env`, an empty
    one too.
    """
    scan = scan_env(profile, facts)
    for source in scan.sources:
        for entry in last_entries(source):
            shell = facts.environ.get(entry.name)
            if shell is None or shell == source.resolved.values.get(entry.name):
                continue
            if is_mentioned(scan, profile, entry.name):
                how = "an empty value" if not shell else "another value"
                yield Fault(
                    f"The shell has {how} for {entry.name}, which wins over this one.",
                    at_entry(source.path, entry),
                    fix=f"unset {entry.name} in the shell, or remove this line",
                )


@check("env-not-passed", Severity.INFO, "compose-spec 05-services.md#environment")
def env_not_passed(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A service asks for a variable of the shell that neither the shell nor an env file has.

    A bare name under `environment` passes a variable on. Where it is not set the container gets
    none, and not an empty one. Proxies, locales and the like are taken as optional. Where an
    `env_file` has the name too, the bare name takes that value away: this is a warning.

    Wrong:

        services:
          app:
            environment:
              - API_URL    # set nowhere

    Right:

        services:
          app:
            environment:
              - API_URL=${API_URL:-http://localhost:8080}

    Measured: `docker compose config` 5.6.1 shows the bare name as null, and the container has no
    such variable, even where an `env_file` of the service sets it.
    """
    scan = scan_env(profile, facts)
    if scan.is_broken:
        return
    for service in scan.active_services:
        written = find_service_variables(profile.layers, scan.scopes, service)
        given = {
            name: reading
            for reading in scan.readings
            if reading.service == service
            for name in reading.file.names()
        }
        for name, (value, entry) in written.items():
            if value is not None or (_OPTIONAL.fullmatch(name) and name not in given):
                continue
            if name in scan.scope_of(entry.path).values:
                continue
            if name in given:
                yield _taken_away(name, service, entry, given[name], facts)
            else:
                yield Fault(
                    f"{name} is not set anywhere, so {service} does not get it.",
                    at_source(entry.source),
                    service=service,
                    fix=say_how_to_set(scan, facts, profile, name),
                )


def _taken_away(name: str, service: str, entry: Entry, reading: EnvReading, facts: Facts) -> Fault:
    """A bare name that nothing sets, over the value of an env file."""
    statement = [one for one in reading.file.entries if one.name == name][-1]
    return Fault(
        f"{name} is not set, and the bare name takes away from {service} what "
        f"{shown(facts, reading.path)} gives it.",
        at_source(entry.source),
        service=service,
        fix=f"remove {name} under environment, so that the env file's value counts",
        related=(Related(at_entry(reading.path, statement), "this value does not count"),),
        severity=Severity.WARNING,
    )
