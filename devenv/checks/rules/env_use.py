"""Variables that Compose files use, and those that env files and the shell set."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from devenv.checks.env_inventory import OWN_PREFIXES
from devenv.checks.env_scan import (
    EnvReading,
    EnvScan,
    at_entry,
    at_use,
    scan_env,
    shown,
    words_of,
)
from devenv.checks.facts import CheckedProfile, Facts, FileKind
from devenv.checks.finding import Fault, NotChecked, Place, Related, Severity
from devenv.checks.registry import check
from devenv.compose.env_file import EntryKind, EnvEntry, EnvFaultKind
from devenv.compose.env_scope import EnvSource, VariableUse, find_service_variables
from devenv.compose.layers import Entry
from devenv.compose.secrets import mask_text

_SPEC = "compose-spec 12-interpolation.md; compose-go template/template.go"
_OPTIONAL = re.compile(
    r"(?:https?|ftp|no|all)_proxy|SSH_AUTH_SOCK|DISPLAY|XAUTHORITY|WAYLAND_DISPLAY|"
    r"XDG_RUNTIME_DIR|TERM|TZ|LANG|LC_\w+|CI|GITHUB_\w+|USER|UID|GID",
    re.IGNORECASE,
)
"""Names that are usually passed on only where there is something to pass on."""
_LISTED = 5
_LONGEST_REASON = 80


@check("env-required", Severity.ERROR, _SPEC, explains_refusal=True)
def env_required(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A variable that is written as required has no value, so Compose refuses to start.

    `${NAME:?message}` and `${NAME?message}` stop every command of the project, those of services
    in inactive Compose profiles and in files that are only extended from too. Compose stops at
    one of them and names no line for those in env files; here all are listed.

    Wrong:

        services:
          db:
            image: postgres:16
            environment:
              POSTGRES_PASSWORD: ${DB_PASSWORD:?set it in .env}

    Right:

        # .env
        DB_PASSWORD=changeme

    Measured: `docker compose config` 5.6.1 stops at one missing variable and exits with 1; for one
    in an env file it names no line.
    """
    scan = scan_env(profile, facts)
    if scan.is_broken:
        return
    for use in scan.uses:
        if not use.reference.is_required:
            continue
        result = scan.scope_of(use.path).interpolate(use.text)
        if use.reference not in result.required:
            continue
        name = use.reference.name
        state = "empty" if name in scan.scope_of(use.path).values else "not set"
        yield Fault(
            f"{name} is required and {state}{_reason(use)}.",
            at_use(use),
            service=use.service,
            fix=_how_to_set(scan, facts, profile, name),
        )
    for reading in scan.readings:
        for fault in reading.resolved.faults:
            if fault.kind is EnvFaultKind.REQUIRED_UNSET:
                yield Fault(
                    fault.message,
                    Place(reading.path, fault.line, fault.column),
                    service=reading.service,
                    fix=f"set {fault.name} above this line, or in the shell",
                )


def _reason(use: VariableUse) -> str:
    """What the file says about it, cut where it is long."""
    text = " ".join(mask_text(use.reference.argument_text).split())
    if not text or "$" in text:
        return ""
    cut = text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]}…"
    return f" ({cut.rstrip('.')})"


def _how_to_set(scan: EnvScan, facts: Facts, profile: CheckedProfile, name: str) -> str:
    near = find_neighbour(name, _unmentioned(scan, profile))
    if near is not None:
        return f"{near[0]} is set and not used: give both the same name"
    path = profile.env_files[-1] if profile.env_files else f"{facts.directory}/.env"
    for env_file, example in scan.examples():
        missing = facts.file(env_file).kind is FileKind.MISSING
        if missing and f"{name}=" in (facts.file(example).text or ""):
            return f"cp {shown(facts, example)} {shown(facts, env_file)}, and fill it in"
    return f"set {name} in {shown(facts, path)}"


@check("env-undefined", Severity.WARNING, _SPEC)
def env_undefined(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A Compose file uses a variable that nothing sets; Compose takes an empty text for it.

    No env file and no shell variable has it, and the file gives no default. A `$` that was meant
    for the shell in the container has to be written `$$`. Health checks have a rule of their own
    for that.

    Wrong:

        services:
          app:
            image: shop/app:${APP_VERSION}

    Right:

        services:
          app:
            image: shop/app:${APP_VERSION:-latest}

    Measured: `docker compose config` 5.6.1 takes a blank text and warns without file or line. Which
    names are set is worked out in Compose's own precedence.
    """
    scan = scan_env(profile, facts)
    if scan.is_broken:
        return
    unset: dict[str, list[VariableUse]] = {}
    for use in scan.uses:
        scope = scan.scope_of(use.path)
        name = use.reference.name
        if use.reference.operator or "healthcheck" in use.keys or name in scope.values:
            continue
        if use.reference in scope.interpolate(use.text).unset:
            unset.setdefault(name, []).append(use)
    for name, uses in unset.items():
        first = uses[0]
        fix = f"{_how_to_set(scan, facts, profile, name)}, or give a default: ${{{name}:-…}}"
        if {"command", "entrypoint"} & set(first.keys[2:3]):
            fix = f"write $${name} for the shell in the container, or {fix}"
        yield Fault(
            f"{name} is not set, so Compose takes an empty text for it.",
            at_use(first),
            service=first.service,
            fix=fix,
            related=tuple(Related(at_use(use), "used here too") for use in uses[1:_LISTED]),
        )


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
            for entry in _last_entries(source)
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


def _last_entries(source: EnvSource) -> list[EnvEntry]:
    """The winning assignment of each name, in the order of the file."""
    last = {entry.name: entry for entry in source.file.entries}
    return [
        entry
        for entry in source.file.entries
        if last[entry.name] is entry and entry.name and entry.kind is EntryKind.ASSIGNMENT
    ]


def is_mentioned(scan: EnvScan, profile: CheckedProfile, name: str) -> bool:
    """Whether any Compose text has the name as a word, or another env value refers to it."""
    if name.startswith(OWN_PREFIXES):
        return True
    if any(name in words_of(layer.text) for layer in profile.layers.by_path.values()):
        return True
    return name in scan.value_words


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


def _unmentioned(scan: EnvScan, profile: CheckedProfile) -> dict[str, tuple[str, EnvEntry]]:
    return {
        entry.name: (source.path, entry)
        for source in scan.sources
        for entry in _last_entries(source)
        if not is_mentioned(scan, profile, entry.name)
    }


def _find_misspelt(
    scan: EnvScan, profile: CheckedProfile
) -> Iterator[tuple[str, EnvEntry, VariableUse]]:
    """Path and entry of a name that is set and not used, and the use that it is like."""
    unmentioned = _unmentioned(scan, profile)
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


def find_neighbour(
    name: str, known: dict[str, tuple[str, EnvEntry]]
) -> tuple[str, tuple[str, EnvEntry]] | None:
    """The known name that is most likely meant by another, if one is near enough."""
    for candidate, where in known.items():
        if candidate != name and _is_near(name, candidate):
            return candidate, where
    return None


def _is_near(one: str, other: str) -> bool:
    """One edit apart, two for long names; numbers tell apart what is meant to be."""
    if re.findall(r"\d+", one) != re.findall(r"\d+", other) or min(len(one), len(other)) < 4:
        return False
    if one.replace("_", "").lower() == other.replace("_", "").lower():
        return True
    if one.rstrip("sS") == other.rstrip("sS"):
        return True
    allowed = 2 if min(len(one), len(other)) >= 10 else 1
    return _distance(one.upper(), other.upper(), allowed) <= allowed


def _distance(one: str, other: str, limit: int) -> int:
    """Edits from one text to the other, a swap of neighbours being one; above `limit` a guess."""
    if abs(len(one) - len(other)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        previous, row = row, [i]
        for j, right in enumerate(other, 1):
            cost = min(previous[j] + 1, row[-1] + 1, previous[j - 1] + (left != right))
            if i > 1 and j > 1 and left == other[j - 2] and one[i - 2] == right:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before = previous
    return row[-1]


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
        for entry in _last_entries(source):
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


@check(
    "env-file-missing",
    Severity.ERROR,
    "compose-spec 05-services.md#env_file",
    explains_refusal=True,
)
def env_file_missing(profile: CheckedProfile, facts: Facts) -> Iterator[Fault | NotChecked]:
    """An env file that a Compose file or COMPOSE_ENV_FILES names is not there.

    Compose refuses every command then, unless the entry says `required: false`. A directory in
    its place is refused in any case. Services of inactive Compose profiles do not count.

    Wrong:

        services:
          app:
            image: shop/app
            env_file: app.env    # not in the repository

    Right:

        services:
          app:
            image: shop/app
            env_file:
              - path: app.env
                required: false

    Measured: `docker compose config` 5.6.1 refuses a missing env file of an active service, and
    takes that of an inactive one.
    """
    scan = scan_env(profile, facts)
    for file in scan.service_files:
        if scan.is_broken and "$" in file.written:
            continue
        place = _at(file.place)
        kind = facts.file(file.path).kind
        name = shown(facts, file.path)
        if kind is FileKind.MISSING and file.required:
            message = f"The env file {name} of {file.service} does not exist."
            fix = _how_to_make(facts, file.path)
            yield Fault(message, place, service=file.service, fix=fix)
        elif kind is FileKind.DIRECTORY:
            message = f"The env file {name} of {file.service} is a directory."
            yield Fault(message, place, service=file.service, fix="name a file")
        elif kind is FileKind.UNREADABLE:
            message = f"The env file {name} of {file.service} cannot be read."
            yield Fault(message, place, service=file.service, fix=f"chmod u+r {name}")
        elif kind is FileKind.TOO_LARGE:
            yield NotChecked("env file", "it is larger than 5 MiB", file.path)
    usual = posixpath.join(facts.directory, ".env")
    for source in scan.sources:
        if source.exists or source.path == usual:
            continue
        kind = facts.file(source.path).kind
        if kind is FileKind.TOO_LARGE:
            yield NotChecked("env file", "it is larger than 5 MiB", source.path)
            continue
        place = _at(source.named_at) if source.named_at else Place(source.path)
        state = "is a directory" if kind is FileKind.DIRECTORY else "does not exist"
        message = f"The env file {shown(facts, source.path)} {state}."
        yield Fault(message, place, fix=_how_to_make(facts, source.path))


def _at(entry: Entry) -> Place:
    source = entry.source
    return Place(source.path, source.line, source.column)


def _how_to_make(facts: Facts, path: str) -> str:
    from devenv.checks.env_scan import example_names

    name = shown(facts, path)
    for example in example_names(path):
        if facts.file(example).kind is FileKind.FILE:
            return f"cp {shown(facts, example)} {name}"
    return f"make {name}, or mark it as required: false"


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
                    _at(entry),
                    service=service,
                    fix=_how_to_set(scan, facts, profile, name),
                )


def _taken_away(name: str, service: str, entry: Entry, reading: EnvReading, facts: Facts) -> Fault:
    """A bare name that nothing sets, over the value of an env file."""
    statement = [one for one in reading.file.entries if one.name == name][-1]
    return Fault(
        f"{name} is not set, and the bare name takes away from {service} what "
        f"{shown(facts, reading.path)} gives it.",
        _at(entry),
        service=service,
        fix=f"remove {name} under environment, so that the env file's value counts",
        related=(Related(at_entry(reading.path, statement), "this value does not count"),),
        severity=Severity.WARNING,
    )
