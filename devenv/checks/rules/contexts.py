"""What a build names that must be there: its context, its Dockerfile, its target stage."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from difflib import get_close_matches

from devenv.checks.builds import build_severity, find_builds, is_remote
from devenv.checks.edges import selected_services
from devenv.checks.facts import CheckedProfile, Facts, FileKind
from devenv.checks.finding import Fault, NotChecked, Related, Severity
from devenv.checks.nearby import nearest_name
from devenv.checks.places import place_of
from devenv.checks.registry import check
from devenv.compose.dockerfile import find_stage_fault


@check("build-context-missing", Severity.ERROR, "compose-spec build.md#context")
def build_context_missing(profile: CheckedProfile, facts: Facts) -> Iterator[Fault | NotChecked]:
    """A build context is not there.

    `docker compose config` does not look; `up` fails when it comes to build the image.

    Wrong:

        services:
          app:
            build: ./backend     # the directory is called api

    Right:

        services:
          app:
            build: ./api

    Measured: With Compose 5.6.1 and Engine 20.10.24 `docker compose config` passes and `up` fails.
    """
    for name, service in selected_services(profile).items():
        build = service.build
        if build is None:
            continue
        if is_remote(build.context):
            yield NotChecked("remote build context", build.context)
            continue
        kind = facts.file(build.context).kind
        place = place_of(profile, "services", name, "build", "context")
        if kind is FileKind.MISSING:
            near = nearest_name(build.context, facts)
            yield Fault(
                f"The build context of {name} does not exist.",
                place,
                service=name,
                fix=f"did you mean {near}?" if near else "correct the path, or make the directory",
                severity=build_severity(service),
            )
        elif kind is FileKind.FILE:
            yield Fault(
                f"The build context of {name} is a file, not a directory.",
                place,
                service=name,
                fix="name the directory; `dockerfile:` names a file in it",
                severity=build_severity(service),
            )


@check("dockerfile-missing", Severity.ERROR, "compose-spec build.md#dockerfile")
def dockerfile_missing(profile: CheckedProfile, facts: Facts) -> Iterator[Fault | NotChecked]:
    """The Dockerfile of a build is not there.

    `dockerfile:` is relative to the build context, not to the Compose file. `docker compose
    config` does not look; `up` fails when it comes to build.

    Wrong:

        services:
          app:
            build:
              context: api
              dockerfile: api/Dockerfile     # looks for api/api/Dockerfile

    Right:

        services:
          app:
            build:
              context: api
              dockerfile: Dockerfile

    Measured: With Compose 5.6.1 and Engine 20.10.24 `docker compose config` passes and `up` fails.
    """
    for view in find_builds(profile, facts):
        if view.state is None or view.path is None or view.context.kind is not FileKind.DIRECTORY:
            continue
        name = view.service.name
        if view.state.kind in (FileKind.UNREADABLE, FileKind.TOO_LARGE):
            yield NotChecked("Dockerfile", f"it is {view.state.kind.value}", view.path)
        elif view.state.kind is not FileKind.FILE:
            near = get_close_matches(posixpath.basename(view.path), view.context.entries, n=1)
            yield Fault(
                f"{name} has no Dockerfile: {view.build.dockerfile} does not exist in its "
                "build context.",
                place_of(profile, "services", name, "build", "dockerfile"),
                service=name,
                fix=f"did you mean {near[0]}?" if near else "paths are relative to the context",
                severity=view.severity,
            )


@check("dockerfile-syntax", Severity.ERROR, "Dockerfile reference")
def dockerfile_syntax(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A Dockerfile that no builder takes.

    An instruction that does not exist, a flag or word too many or too few, a file without FROM,
    a `--from` that names a later stage, a base image whose variable is blank: the build fails
    before its first step. Stages that the target does not need are looked at as far as BuildKit
    looks at them.

    Wrong:

        FORM node:20-slim

    Right:

        FROM node:20-slim

    Measured: 270 Dockerfiles were built with Engine 28.5: this rule, `target-missing` or
    `copy-source-missing` says so for each that BuildKit refuses for what stands in it, and for no
    other. The stages of 35 of 35 real Dockerfiles were read as BuildKit's own parser reads them.
    """
    for view in find_builds(profile, facts):
        fault = view.dockerfile.fault if view.dockerfile else None
        if fault is None and view.dockerfile is not None and view.target is not None:
            build = view.build
            contexts = build.additional_contexts
            fault = find_stage_fault(view.dockerfile, view.target, build.args, contexts)
        if fault is not None:
            message = f"This Dockerfile cannot be built: {fault.message}."
            yield Fault(
                message,
                view.place(fault.line, 1),
                service=view.service.name,
                severity=view.severity,
            )


@check("target-missing", Severity.ERROR, "compose-spec build.md#target")
def target_missing(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """`build.target` names no stage of the Dockerfile.

    Compose passes the name on; the build fails. Stages are found by name in any case. A number
    is no name: the classic builder took one, BuildKit does not.

    Wrong:

        services:
          app:
            build: {context: ., target: devel}
        # Dockerfile: FROM node:20-slim AS development

    Right:

        services:
          app:
            build: {context: ., target: development}

    Measured: With Compose 5.6.1 and Engine 20.10.24 `docker compose config` passes and `up` fails
    with "target stage could not be found".
    """
    for view in find_builds(profile, facts):
        dockerfile, target = view.dockerfile, view.build.target
        if dockerfile is None or dockerfile.fault or not target or view.target is not None:
            continue
        names = [stage.name for stage in dockerfile.stages if stage.name]
        near = get_close_matches(target.lower(), names, n=1)
        known = f"stages: {', '.join(names)}" if names else "the Dockerfile names no stage"
        name = view.service.name
        why = "which the Dockerfile does not have"
        if target.isdigit() and int(target) < len(dockerfile.stages):
            why = "and BuildKit finds a stage by its name alone, not by its number"
        yield Fault(
            f"{name} is to be built up to stage {target}, {why}.",
            place_of(profile, "services", name, "build", "target"),
            service=name,
            fix=f"did you mean {near[0]}? {known}" if near else known,
            severity=view.severity,
            related=(Related(view.place(dockerfile.stages[0].line, 1), "the first stage"),),
        )
