"""The stages of a Dockerfile, and what a mount hides of the one that is built."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from devenv.checks.build_steps import INSTALL, needed_stages, run_steps, run_text
from devenv.checks.builds import find_builds
from devenv.checks.facts import CheckedProfile, Facts, FileKind
from devenv.checks.finding import Fault, Related, Severity
from devenv.checks.mount_places import place_of_mount
from devenv.checks.registry import check
from devenv.compose.dockerfile import (
    Instruction,
    Stage,
)

_BUILD_STEP = re.compile(
    r"\b(?:npm\s+run\s+build|yarn\s+(?:run\s+)?build|pnpm\s+(?:run\s+)?build|go\s+build|"
    r"cargo\s+build|mvn\s+(?:\S+\s+)*(?:package|install)|gradlew?\s+(?:\S+\s+)*build|"
    r"dotnet\s+publish|make\b)"
)

_DEVELOPMENT_NAMES = ("development", "dev", "develop")

_NODE = re.compile(
    r"\b(?:npm\s+(?:ci|install|i)|yarn\s+install|pnpm\s+(?:install|i)|bun\s+install)\b|\byarn\s*$"
)

_VENV = re.compile(r"\b(?:uv\s+sync|(?:python3?\s+-m\s+venv|uv\s+venv|virtualenv)\s+(\S+))")

_COMPOSER = re.compile(r"\bcomposer\s+install\b")


@check("single-stage", Severity.INFO, "Dockerfile best practices: multi-stage builds")
def single_stage(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """One stage builds the program and also runs it.

    Compilers, sources and development dependencies are then shipped. With a stage that builds
    and one that copies the result, development and production also get a target each.

    Wrong:

        FROM golang:1.23
        COPY . .
        RUN go build -o /app .
        CMD ["/app"]

    Right:

        FROM golang:1.23 AS builder
        COPY . .
        RUN go build -o /app .
        FROM debian:12-slim
        COPY --from=builder /app /app
        CMD ["/app"]

    Measured: A matter of size, and no failure. Seen on real sample projects: a compiled program in
    one stage ships its compiler.
    """
    for view in find_builds(profile, facts):
        stages = view.dockerfile.stages if view.dockerfile else ()
        if len(stages) != 1:
            continue
        for one in run_steps(stages[0]):
            if _BUILD_STEP.search(run_text(one)):
                yield Fault(
                    "The stage that builds the program is also the one that runs it.",
                    view.at(one),
                    fix="build in a stage of its own, and COPY --from it",
                    service=view.service.name,
                    is_shared=True,
                )
                break


@check("development-target-unused", Severity.WARNING, "compose-spec build.md#target")
def development_target_unused(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """The Dockerfile has a stage for development that the service does not build.

    Without `target` the last stage is built, which is usually the one for production.

    Wrong:

        services:
          app: {build: .}
        # Dockerfile: FROM base AS development … FROM base AS production

    Right:

        services:
          app: {build: {context: ., target: development}}

    Measured: Without `target` the builder ends with the last stage, whatever the stages are called.
    """
    for view in find_builds(profile, facts):
        if view.dockerfile is None or view.build.target or not view.dockerfile.stages:
            continue
        for stage in view.dockerfile.stages[:-1]:
            used = {one.index for one in needed_stages(view)}
            if stage.name in _DEVELOPMENT_NAMES and stage.index not in used:
                name = view.service.name
                yield Fault(
                    f"{name} builds the last stage, though the Dockerfile has a stage "
                    f"{stage.name}.",
                    view.key_place,
                    service=name,
                    fix=f"target: {stage.name}",
                    related=(Related(view.place(stage.line, stage.column), "the stage"),),
                )


@check("mount-hides-build", Severity.WARNING, "measured: a bind mount covers what was built there")
def mount_hides_build(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A bind mount hides what the image installed below it.

    The install ran when the image was built, in the directory that the bind mount now covers.
    The container sees the host's directory, which has no `node_modules`. A volume for that
    directory gives it back.

    Wrong:

        services:
          app:
            build: .        # WORKDIR /app, RUN npm ci
            volumes: [".:/app"]

    Right:

        services:
          app:
            build: .
            volumes: [".:/app", "/app/node_modules"]

    Measured: Seen live: with `.:/app` alone the container has the host's directory, without what
    `npm ci` wrote in the build; a volume of its own for `/app/node_modules` is filled from the
    image.
    """
    for view in find_builds(profile, facts):
        dockerfile, target = view.dockerfile, view.target
        service = view.service
        words = " ".join((*(service.command or ()), *(service.entrypoint or ())))
        if dockerfile is None or target is None or INSTALL.search(words):
            continue
        chain = dockerfile.chain(target, view.build.args)
        for folder, step in _installed(chain):
            hidden = _hidden_by(service.mounts, folder)
            if hidden is None or _is_elsewhere(chain, folder):
                continue
            source, mount_target = hidden
            beside = posixpath.relpath(folder, mount_target)
            if facts.file(posixpath.join(source, beside)).kind is FileKind.DIRECTORY:
                continue
            yield Fault(
                f"The bind mount on {mount_target} hides {folder}, which the image built there.",
                place_of_mount(profile, facts, service.name, mount_target),
                service=service.name,
                fix=f'add a volume that gives it back: "{folder}"',
                related=(Related(view.at(step), "what is hidden is made here"),),
            )


_UV_FOLDER = re.compile(r"\bUV_PROJECT_ENVIRONMENT[= ][\"']?([\w./-]+)")


def _installed(chain: tuple[Stage, ...]) -> Iterator[tuple[str, Instruction]]:
    """Folders that the stages' installs make, with the step, from the base upwards."""
    directory = "/"
    uv_folder = None
    found: dict[str, Instruction] = {}
    for stage in reversed(chain):
        for one in stage.instructions:
            elsewhere = _UV_FOLDER.search(one.text) if one.name in ("ENV", "RUN") else None
            if elsewhere is not None and one.name == "ENV":
                uv_folder = elsewhere[1]
            if one.name == "WORKDIR" and one.arguments and "$" not in one.arguments[0]:
                directory = posixpath.normpath(posixpath.join(directory, one.arguments[0]))
            elif one.name == "RUN":
                text = run_text(one)
                venv = _VENV.search(text)
                if _NODE.search(text) and not re.search(r"\s(?:-g|--global)\b|\bcd\s", text):
                    found[posixpath.join(directory, "node_modules")] = one
                if venv is not None:
                    folder = venv[1] or (elsewhere[1] if elsewhere else uv_folder) or ".venv"
                    found[posixpath.join(directory, folder)] = one
                if _COMPOSER.search(text):
                    found[posixpath.join(directory, "vendor")] = one
            elif one.name == "COPY" and one.arguments[-1:] and "$" not in one.arguments[-1]:
                made = posixpath.normpath(posixpath.join(directory, one.arguments[-1]))
                if posixpath.basename(made) in ("node_modules", ".venv", "vendor"):
                    found[made] = one
    yield from found.items()


def _is_elsewhere(chain: tuple[Stage, ...], folder: str) -> bool:
    """Whether the image moves the folder away, or has its PATH in another one of that name."""
    name = re.escape(posixpath.basename(folder))
    moved = re.compile(rf"\bmv\s+(?:-\S+\s+)*\S*{name}\b")
    used = re.compile(rf"(?:^|[:\s\"'=])(/[^:\s\"']*/?{name}|/{name})/(?:\.bin|bin)")
    for stage in chain:
        for one in stage.instructions:
            if one.name == "RUN" and moved.search(run_text(one)):
                return True
            if one.name == "ENV" and any(
                posixpath.normpath(path) != folder for path in used.findall(one.text)
            ):
                return True
    return False


def _hidden_by(mounts: tuple[tuple[str, str, str], ...], folder: str) -> tuple[str, str] | None:
    """Source and target of the bind mount that covers a folder with nothing nearer over it."""
    best: tuple[str, str, str] | None = None
    for mount in mounts:
        target = posixpath.normpath(mount[2] or "/")
        covers = folder == target or folder.startswith(target.rstrip("/") + "/")
        if covers and (best is None or len(target) > len(posixpath.normpath(best[2]))):
            best = mount
    if best is None or best[0] != "bind" or posixpath.normpath(best[2]) == folder:
        return None
    return best[1], posixpath.normpath(best[2])
