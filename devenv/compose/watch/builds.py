"""The builds of a project, read once each: what is in a context, and which image is whose."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping

from devenv.compose import model
from devenv.compose.dockerfile import (
    SCRATCH,
    Dockerfile,
    Instruction,
    Stage,
    parse_dockerfile,
)
from devenv.compose.dockerignore import IgnoreFile, choose_ignore_file, parse_ignore_file
from devenv.compose.names import ServiceName
from devenv.compose.watch.flow import Build, Traces, trace
from devenv.compose.watch.recipe import Origin, compile_recipes
from devenv.compose.watch.tools.effect import is_within
from devenv.compose.watch.values import WatchFacts
from devenv.values import dataclass, replace

_REMOTE = ("http://", "https://", "git://", "git@", "ssh://", "github.com/", "oci://")


@dataclass(frozen=True, slots=True)
class ImageBuild:
    """A service's build with what was read of it. `flow` is None where it has a fault."""

    build: model.Build
    context: str
    dockerfile_path: str | None
    """None for an inline one."""
    dockerfile: Dockerfile
    target: Stage | None
    ignore_candidates: tuple[str, ...]
    """Every path at which an ignore file counts, whether it is there or not."""
    ignores: dict[str, tuple[str, IgnoreFile] | None]
    """Context directory -> its ignore file."""
    flow: Build | None = None
    others: Build | None = None
    """All stages, to say which one reads a file that the target does not need."""
    services: tuple[str, ...] = ()
    """The services whose images it is built from."""

    def holds(self, path: str) -> bool:
        """Whether the path lies in one of the contexts."""
        return any(is_within(path, context) for context in self.ignores)

    def find_ignoring(self, path: str) -> tuple[str, int | None, str] | None:
        """The ignore file that leaves a path out, with the line and the pattern; or None."""
        for context, chosen in self.ignores.items():
            if chosen is None or not is_within(path, context) or path == context:
                continue
            relative = posixpath.relpath(path, context)
            if chosen[1].excludes(relative):
                return (chosen[0], *_deciding(chosen[1], relative))
        return None


def _deciding(ignore: IgnoreFile, relative: str) -> tuple[int | None, str]:
    """The index and text of the last pattern that excludes a path."""
    for index in range(len(ignore.patterns) - 1, -1, -1):
        pattern = ignore.patterns[index]
        if not pattern.startswith("!") and IgnoreFile((pattern,)).excludes(relative):
            return index, pattern
    return None, ""


def pattern_line(text: str | None, pattern: str) -> int | None:
    """The line of an ignore file that gives a pattern."""
    for number, line in enumerate((text or "").split("\n"), 1):
        if not line.startswith("#") and parse_ignore_file(line).patterns == (pattern,):
            return number
    return None


def load_builds(
    services: Mapping[ServiceName, model.Service], images: Mapping[str, str], facts: WatchFacts
) -> dict[str, ImageBuild]:
    """Service -> its build, for builds with a directory of this machine as context.

    `images` maps image names to the service that builds them.
    """
    found: dict[str, ImageBuild] = {}
    known: dict[tuple[object, ...], ImageBuild] = {}

    def imported(service: str, path: str, is_directory: bool) -> Traces:
        other = found.get(service)
        if other is None or other.flow is None or depth[0] > 20:
            return Traces()
        depth[0] += 1
        try:
            return trace(other.flow, path, is_directory=is_directory)
        finally:
            depth[0] -= 1

    depth = [0]
    for name, service in services.items():
        build = service.build
        if build is None or build.context.startswith((*_REMOTE, "service:")):
            continue
        key = (
            build.context,
            build.dockerfile,
            build.target,
            tuple(sorted(build.args.items())),
            build.dockerfile_inline,
            tuple(sorted(build.additional_contexts.items())),
        )
        if key not in known:
            known[key] = _load(name, build, images, facts, imported)
        found[name] = known[key]
    return found


def _load(
    name: str,
    build: model.Build,
    images: Mapping[str, str],
    facts: WatchFacts,
    imported: Callable[[str, str, bool], Traces],
) -> ImageBuild:
    context = posixpath.normpath(build.context)
    inline = build.dockerfile_inline
    path = (
        None
        if inline is not None
        else posixpath.normpath(posixpath.join(context, build.dockerfile))
    )
    text = inline if inline is not None else facts.read(path or "")
    dockerfile = parse_dockerfile(text) if text is not None else Dockerfile()
    target = dockerfile.find_stage(build.target)
    beside = path or posixpath.join(context, "Dockerfile")
    candidates = [posixpath.join(context, ".dockerignore")]
    if facts.is_buildkit:
        candidates.insert(0, f"{beside}.dockerignore")

    def exists(one: str) -> bool:
        return facts.read(one) is not None

    chosen = choose_ignore_file(context, beside, exists, buildkit=facts.is_buildkit)
    ignores = {context: _read_ignore(chosen, facts)}
    for value in build.additional_contexts.values():
        if value.startswith("/"):
            extra = posixpath.normpath(value)
            own = posixpath.join(extra, ".dockerignore")
            ignores.setdefault(extra, _read_ignore(own if exists(own) else None, facts))
    result = ImageBuild(build, context, path, dockerfile, target, tuple(candidates), ignores)
    if target is None:
        return result
    used: list[str] = []

    def find_origin(word: str, stage: Stage) -> Origin | None:
        named = {key.lower(): value for key, value in build.additional_contexts.items()}
        value = named.get(word.lower())
        if value is not None:
            if value.startswith("service:"):
                used.append(value.removeprefix("service:"))
                return Origin("service", used[-1])
            if value.startswith("/"):
                return Origin("context", posixpath.normpath(value))
            return None
        earlier = dockerfile.find_earlier(word, stage)
        if earlier is not None:
            return Origin("stage", str(earlier.index))
        owner = images.get(word) or images.get(word.removesuffix(":latest"))
        if owner is not None and owner != name and word != SCRATCH:
            used.append(owner)
            return Origin("service", owner)
        return None

    def within(origin: Origin, one: str) -> str | None:
        if not is_within(one, origin.name) or one == origin.name:
            return None
        relative = posixpath.relpath(one, origin.name)
        ignore = ignores.get(origin.name)
        if ignore is not None and ignore[1].excludes(relative):
            return None
        return relative

    def read(origin: Origin, relative: str) -> str | None:
        return facts.read(posixpath.normpath(posixpath.join(origin.name, relative)))

    def real(origin: Origin, relative: str) -> str:
        return posixpath.relpath(
            facts.resolve(posixpath.join(origin.name, relative)), facts.resolve(origin.name)
        )

    def flow_of(stages: tuple[Stage, ...]) -> Build:
        recipes = compile_recipes(
            dockerfile, stages, build.args, Origin("context", context), find_origin
        )
        return Build(recipes, target.index, path, within, read, imported, real)

    flow = flow_of(dockerfile.closure(target, build.args))
    services = tuple(dict.fromkeys(used))
    return replace(result, flow=flow, others=flow_of(dockerfile.stages), services=services)


def _read_ignore(path: str | None, facts: WatchFacts) -> tuple[str, IgnoreFile] | None:
    text = facts.read(path) if path else None
    return (path, parse_ignore_file(text)) if path and text is not None else None


def find_other_reader(image: ImageBuild, path: str) -> tuple[Stage, Instruction] | None:
    """A stage that the target does not need and that reads the file, with the instruction."""
    if image.others is None or image.flow is None:
        return None
    reads = trace(image.others, path).reads
    for index, recipe in image.others.recipes.items():
        if index in image.flow.recipes:
            continue
        for step in recipe.steps:
            if step.instruction in reads and step.instruction in recipe.stage.instructions:
                return recipe.stage, step.instruction
    return None
