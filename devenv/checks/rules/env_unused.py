"""Names that env files set and nothing uses."""

from __future__ import annotations

from collections.abc import Iterator

from devenv.checks.env_names import (
    find_neighbour,
    find_unmentioned,
    is_mentioned,
    last_entries,
)
from devenv.checks.env_scan import (
    EnvScan,
    at_entry,
    at_use,
    scan_env,
)
from devenv.checks.facts import CheckedProfile, Facts
from devenv.checks.finding import Fault, Related, Severity
from devenv.checks.registry import check
from devenv.compose.env_entries import EnvEntry
from devenv.compose.env_scope import VariableUse

_SPEC = "compose-spec 12-interpolation.md; compose-go template/template.go"

_LISTED = 5


@check("env-unused", Severity.INFO, "DESIGN: names that no Compose text mentions")
def env_unused(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """An env file for interpolation sets variables that no Compose file mentions.

    `.env` is not passed to containers: a variable gets into one only where a Compose file says
    so. Quiet where a service reads the file by `env_file`, or a bind mount shows it to one.

    Wrong:

        # .env; no Compose file mentions LOG_LEVEL
        LOG_LEVEL=debug

    Right:

        services:
          app:
            environment:
              LOG_LEVEL: ${LOG_LEVEL}

    Measured: Seen with Compose 5.6.1: no variable of `.env` is in a container unless the
    Compose file passes it on.
    """
    scan = scan_env(profile, facts)
    passed_on = {file.path for file in scan.service_files}
    misspelt = {entry.name for _, entry, _ in _find_misspelt(scan, profile)}
    for source in scan.sources:
        if source.path in passed_on or scan.mounts_file(source.path):
            continue
        unused = [
            entry
            for entry in last_entries(source)
            if entry.name not in misspelt and not is_mentioned(scan, profile, entry.name)
        ]
        if unused:
            one = len(unused) == 1
            yield Fault(
                f"No Compose file mentions {_list_names([e.name for e in unused])}, so "
                f"{'it is' if one else 'they are'} set for nothing.",
                at_entry(source.path, unused[0]),
                fix="pass them on under environment or env_file, or remove them"
                if not one
                else "pass it on under environment or env_file, or remove it",
            )


def _list_names(names: list[str]) -> str:
    shown_names = names[:_LISTED]
    rest = len(names) - len(shown_names)
    if rest:
        return f"{', '.join(shown_names)} and {rest} more"
    if len(names) == 1:
        return names[0]
    return f"{', '.join(names[:-1])} and {names[-1]}"


@check("env-misspelt", Severity.WARNING, _SPEC)
def env_misspelt(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """An env file sets a name that nothing uses, and a Compose file uses one just like it.

    One or two letters differ, so the Compose file gets its default or an empty text, and the
    value in the env file gets nowhere.

    Wrong:

        # .env; the Compose file uses ${POSTGRES_PASSWORD:-postgres}
        POSTGRESS_PASSWORD=changeme

    Right:

        # .env
        POSTGRES_PASSWORD=changeme

    Measured: Names one or two letters apart, one of them set and not used, the other used and not
    set; on real sample projects no such pair was meant.
    """
    scan = scan_env(profile, facts)
    for path, entry, use in _find_misspelt(scan, profile):
        yield Fault(
            f"{entry.name} is not used, and {use.reference.name}, which is used, is not set.",
            at_entry(path, entry),
            fix=f"write {use.reference.name}",
            related=(Related(at_use(use), f"{use.reference.name} is used here"),),
        )


def _find_misspelt(
    scan: EnvScan, profile: CheckedProfile
) -> Iterator[tuple[str, EnvEntry, VariableUse]]:
    """Path and entry of a name that is set and not used, and the use that it is like."""
    unmentioned = find_unmentioned(scan, profile)
    if not unmentioned or scan.is_broken:
        return
    seen: set[str] = set()
    for use in scan.uses:
        name = use.reference.name
        if name in seen or name in scan.scope_of(use.path).values:
            continue
        seen.add(name)
        near = find_neighbour(name, unmentioned)
        if near is not None:
            path, entry = near[1]
            yield path, entry, use
