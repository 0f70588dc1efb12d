"""A service's build as rules look at it: context, Dockerfile, target stage, ignore file."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from devenv.checks.edges import selected_services
from devenv.checks.facts import CheckedProfile, Facts, FileKind, FileState
from devenv.checks.finding import Place, Severity
from devenv.checks.places import place_of
from devenv.compose.dockerfile import Dockerfile, Instruction, Stage, parse_dockerfile
from devenv.compose.dockerignore import IgnoreFile, choose_ignore_file, parse_ignore_file
from devenv.compose.model import Build, Service
from devenv.values import dataclass

REMOTE = ("http://", "https://", "git://", "git@", "ssh://", "github.com/", "oci://")
_SERVICE_CONTEXT = "service:"


@dataclass(frozen=True, slots=True)
class BuildView:
    """One service's build. `dockerfile` is None where its text could not be had."""

    service: Service
    build: Build
    context: FileState
    path: str | None
    """The Dockerfile's absolute path; None for `dockerfile_inline`."""
    state: FileState | None
    """The Dockerfile as it was found; None for `dockerfile_inline`."""
    dockerfile: Dockerfile | None
    key_place: Place
    """The place of `build` in the Compose files."""
    inline_place: Place

    def place(self, line: int | None, column: int | None = None) -> Place:
        """A place in the Dockerfile; that of `dockerfile_inline` where the text is there."""
        return Place(self.path, line, column) if self.path else self.inline_place

    def at(self, instruction: Instruction) -> Place:
        """Where an instruction starts."""
        return self.place(instruction.line, instruction.column)

    @property
    def severity(self) -> Severity | None:
        """How bad it is that the build fails: see `build_severity`."""
        return build_severity(self.service)

    @property
    def target(self) -> Stage | None:
        """The stage that is built, or None where the Dockerfile has no such."""
        return self.dockerfile.find_stage(self.build.target) if self.dockerfile else None


def build_severity(service: Service) -> Severity | None:
    """A warning where `up` pulls the image first and may never build it, else None.

    Measured: Compose 5.6.1 pulls what has both `image` and `build`, and builds where that fails.
    A name without a slash is one that a project gives its own images.
    """
    pulled = service.image is not None and "/" in service.image
    if pulled and service.pull_policy in ("", "missing", "if_not_present", "always"):
        return Severity.WARNING
    return None


def is_remote(context: str) -> bool:
    """Whether a build context is no directory of this machine."""
    return context.startswith((*REMOTE, _SERVICE_CONTEXT))


def dockerfile_path(build: Build) -> str:
    """The Dockerfile's absolute path. Spec: compose-spec build.md#dockerfile."""
    return posixpath.normpath(posixpath.join(build.context, build.dockerfile))


def find_builds(profile: CheckedProfile, facts: Facts) -> Iterator[BuildView]:
    """The local builds of the active services, in the model's order; remote ones left out."""
    for service in selected_services(profile).values():
        build = service.build
        if build is None or is_remote(build.context):
            continue
        inline = build.dockerfile_inline
        path = None if inline is not None else dockerfile_path(build)
        state = facts.file(path) if path else None
        text = inline if inline is not None else (state.text if state else None)
        name = service.name
        yield BuildView(
            service=service,
            build=build,
            context=facts.file(build.context),
            path=path,
            state=state,
            dockerfile=parse_dockerfile(text) if text is not None else None,
            key_place=place_of(profile, "services", name, "build"),
            inline_place=place_of(profile, "services", name, "build", "dockerfile_inline"),
        )


def find_ignore_file(view: BuildView, facts: Facts) -> tuple[str, IgnoreFile] | None:
    """The ignore file of a build and its patterns, or None where there is none."""
    path = view.path or posixpath.join(view.build.context, "Dockerfile")
    found = choose_ignore_file(
        view.build.context, path, lambda one: facts.file(one).kind is FileKind.FILE
    )
    return (found, parse_ignore_file(facts.file(found).text or "")) if found else None
