"""Variables without a value, and env files that are not there."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from devenv.checks.env_names import (
    say_how_to_set,
)
from devenv.checks.env_scan import (
    at_use,
    scan_env,
    shown,
)
from devenv.checks.facts import CheckedProfile, Facts, FileKind
from devenv.checks.finding import Fault, NotChecked, Place, Related, Severity
from devenv.checks.places import at_source
from devenv.checks.registry import check
from devenv.compose.env_entries import EnvFaultKind
from devenv.compose.env_scope import VariableUse
from devenv.compose.secrets import mask_text

_SPEC = "compose-spec 12-interpolation.md; compose-go template/template.go"

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
            fix=say_how_to_set(scan, facts, profile, name),
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
        fix = f"{say_how_to_set(scan, facts, profile, name)}, or give a default: ${{{name}:-…}}"
        if {"command", "entrypoint"} & set(first.keys[2:3]):
            fix = f"write $${name} for the shell in the container, or {fix}"
        yield Fault(
            f"{name} is not set, so Compose takes an empty text for it.",
            at_use(first),
            service=first.service,
            fix=fix,
            related=tuple(Related(at_use(use), "used here too") for use in uses[1:_LISTED]),
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
        place = at_source(file.place.source)
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
        place = at_source(source.named_at.source) if source.named_at else Place(source.path)
        state = "is a directory" if kind is FileKind.DIRECTORY else "does not exist"
        message = f"The env file {shown(facts, source.path)} {state}."
        yield Fault(message, place, fix=_how_to_make(facts, source.path))


def _how_to_make(facts: Facts, path: str) -> str:
    from devenv.checks.env_scan import example_names

    name = shown(facts, path)
    for example in example_names(path):
        if facts.file(example).kind is FileKind.FILE:
            return f"cp {shown(facts, example)} {name}"
    return f"make {name}, or mark it as required: false"
