"""Where the content of one file goes in the stages of a build: as a copy, and into results.

A copy is the file's own bytes in a stage. A result is what a RUN wrote after it had read the
file, or a result of that. What `COPY --from` takes along is followed into the next stage.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable

from devenv.compose.dockerfile import Instruction
from devenv.compose.watch.flow_paths import find_sources_of, moved_area, place_of, reaches, removes
from devenv.compose.watch.match import is_excluded, match_source
from devenv.compose.watch.recipe import Bind, CopyStep, Origin, Recipe, RunStep
from devenv.compose.watch.tools import Area, Effect, Scene, resolve_effects
from devenv.compose.watch.tools.effect import is_within
from devenv.values import dataclass, field, replace

_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst")
_KEPT_TRACES = 256


@dataclass(frozen=True, slots=True)
class Copied:
    """The file's bytes at `path` of a stage, put there by an instruction."""

    path: str
    instruction: Instruction
    dockerfile: str | None
    """The Dockerfile's path; None for an inline one."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a RUN wrote that depends on the file."""

    area: Area
    run: Instruction
    read: Instruction
    """The instruction that brought the file in: a COPY, or the RUN with its bind mount."""
    dockerfile: str | None
    directory: str
    """Where the RUN's command ran."""
    is_named: bool
    """The command asks for this file in particular: a manifest, or a file that it names."""
    installs: bool = False


@dataclass(frozen=True, slots=True)
class Traces:
    """What a stage holds of one file."""

    copies: tuple[Copied, ...] = ()
    results: tuple[Result, ...] = ()
    reads: tuple[Instruction, ...] = ()
    """The instructions of the needed stages that read the file."""
    lost: tuple[Instruction, ...] = ()
    """Those of the target stage that put another file in its place, or removed it."""

    @property
    def is_empty(self) -> bool:
        return not (self.copies or self.results or self.reads)


@dataclass(frozen=True, slots=True)
class Build:
    """One image's build: its needed stages as recipes, and how origins are looked into."""

    recipes: dict[int, Recipe]
    target: int
    dockerfile: str | None
    within: Callable[[Origin, str], str | None]
    """The path of a file in a context, relative; None where it is not in it, or is ignored."""
    read: Callable[[Origin, str], str | None]
    """The text of a file of a context by its relative path."""
    imported: Callable[[str, str, bool], Traces]
    """What another service's image holds of a file."""
    real: Callable[[Origin, str], str]
    """The path of a file of a context without the links that lead to it, both relative."""
    effects: dict[int, tuple[tuple[Effect, str], ...]] = field(default_factory=dict)
    """Cache: id of a RUN's step -> its commands' effects, and where each runs."""
    traces: dict[tuple[str, bool], Traces] = field(default_factory=dict)
    """Cache of the last paths."""


def trace(build: Build, path: str, *, is_directory: bool = False) -> Traces:
    """What the target stage holds of the file at an absolute path."""
    known = build.traces.get((path, is_directory))
    if known is None:
        if len(build.traces) > _KEPT_TRACES:
            build.traces.clear()
        known = build.traces[path, is_directory] = _trace(build, path, is_directory)
    return known


def _trace(build: Build, path: str, is_directory: bool) -> Traces:
    states: dict[int, _Stage] = {}
    reads: list[Instruction] = []
    for index, recipe in build.recipes.items():
        stage = _Stage(build, recipe, states, path, is_directory)
        stage.run()
        states[index] = stage
        reads += stage.reads
    final = states.get(build.target)
    if final is None:
        return Traces()
    return Traces(
        tuple(final.copies.values()),
        tuple(final.results),
        tuple(dict.fromkeys(reads)),
        tuple(dict.fromkeys(final.lost)),
    )


class _Stage:
    def __init__(
        self,
        build: Build,
        recipe: Recipe,
        states: dict[int, _Stage],
        path: str,
        is_directory: bool,
    ) -> None:
        self._build = build
        self._recipe = recipe
        self._states = states
        self._path = path
        self._is_directory = is_directory
        self.copies: dict[str, Copied] = {}
        self.results: list[Result] = []
        self.reads: list[Instruction] = []
        self.lost: list[Instruction] = []

    def run(self) -> None:
        base = self._recipe.base
        if base is not None:
            held = self._held(base)
            self.copies = {copy.path: copy for copy in held.copies}
            self.results = list(held.results)
            self.lost = list(held.lost)
        for step in self._recipe.steps:
            if isinstance(step, CopyStep):
                self._take_copy(step)
            else:
                self._take_run(step)
                self._take_removals(step)

    def _held(self, origin: Origin) -> Traces:
        """What another stage or image holds; of a context nothing, which is read by path."""
        if origin.kind == "stage":
            state = self._states.get(int(origin.name))
            if state is None:
                return Traces()
            copies, results = tuple(state.copies.values()), tuple(state.results)
            return Traces(copies, results, lost=tuple(state.lost))
        if origin.kind == "service":
            return self._build.imported(origin.name, self._path, self._is_directory)
        return Traces()

    def _take_copy(self, step: CopyStep) -> None:
        if step.origin is None:
            return
        if step.origin.kind == "context":
            self._copy_from_context(step, step.origin)
        else:
            self._copy_from_stage(step, self._held(step.origin))

    def _copy_from_context(self, step: CopyStep, origin: Origin) -> None:
        path = self._build.within(origin, self._path)
        self._lose_overwritten(step, origin, path)
        if path is None:
            return
        for source in step.sources:
            relative = self._by_link(origin, source, path)
            below = match_source(source, relative, is_directory=self._is_directory)
            if below is None or is_excluded(step.excludes, relative, below):
                continue
            if step.instruction.name == "ADD" and not below and relative.endswith(_ARCHIVES):
                self._add_result(Area(step.target), step.instruction, step.instruction, named=True)
            else:
                place = place_of(step, source, relative, below)
                copied = Copied(place, step.instruction, self._build.dockerfile)
                self.copies.setdefault(place, copied)
            self.reads.append(step.instruction)

    def _by_link(self, origin: Origin, source: str, path: str) -> str:
        """The path as a source names it, which may be a link to what it lies in."""
        if source in ("", ".") or any(mark in source for mark in "*?["):
            return path
        real = self._build.real(origin, source)
        if real == source or not is_within(f"/{path}", f"/{real}"):
            return path
        return source + path[len(real) :]

    def _lose_overwritten(self, step: CopyStep, origin: Origin, path: str | None) -> None:
        """Another file of the context lands where a copy is."""
        for place in () if self._is_directory else tuple(self.copies):
            for candidate in find_sources_of(step, place):
                if candidate == path:
                    break  # the file itself, again
                absolute = posixpath.join(origin.name, candidate)
                if self._build.within(origin, absolute) is None or is_excluded(
                    step.excludes, candidate, candidate
                ):
                    continue
                if self._build.read(origin, candidate) is not None:
                    del self.copies[place]
                    self.lost.append(step.instruction)
                    break

    def _take_removals(self, step: RunStep) -> None:
        """What `rm` takes away, where it runs for certain."""
        for command in step.commands:
            if command.program not in ("rm", "unlink") or not command.is_certain:
                continue
            words = [word for word in command.words[1:] if not word.startswith("-")]
            for place in tuple(self.copies):
                if any(removes(command.path(word), place) for word in words if "$" not in word):
                    del self.copies[place]
                    self.lost.append(step.instruction)

    def _copy_from_stage(self, step: CopyStep, held: Traces) -> None:
        for copy in held.copies:
            for source in step.sources:
                below = match_source(source.strip("/"), copy.path.strip("/"))
                if below is not None and not is_excluded(step.excludes, copy.path[1:], below):
                    place = place_of(step, source.strip("/"), copy.path.strip("/"), below)
                    self.copies.setdefault(place, replace(copy, path=place))
        for result in held.results:
            for source in step.sources:
                area = moved_area(result.area, source, step)
                if area is not None:
                    moved = replace(result, area=area)
                    if moved not in self.results:
                        self.results.append(moved)

    def _take_run(self, step: RunStep) -> None:
        bound = self._bound(step)
        seen = [*self.copies, *bound]
        if not seen and not self.results:
            return
        effects = self._effects(step)
        if bound:
            self.reads.append(step.instruction)
        # What `cat LIST | xargs apt-get install` reads goes into all that the RUN writes.
        piped = any(
            not effect.writes and any(effect.names_file(path) for path in seen)
            for effect, _ in effects
        )
        written = [area for effect, _ in effects for area in effect.writes] if piped else []
        for area in written:
            self._add_result(area, step.instruction, self._reader(seen, step), named=True)
        for effect, directory in effects:
            if not effect.writes:
                continue
            named = next((path for path in seen if effect.names_file(path)), None)
            path = named
            if path is None and effect.everything:
                path = next((one for one in seen if reaches(effect, directory, one)), None)
            is_program = any(named == program for program in effect.programs)
            writes = (*effect.writes, Area("*")) if is_program else effect.writes
            if path is not None:
                read = self._reader([path], step)
                for area in writes:
                    self._add_result(
                        area,
                        step.instruction,
                        read,
                        named=named is not None,
                        directory=directory,
                        installs=effect.installs,
                    )
            else:
                self._carry_results(effect, step, directory)

    def _carry_results(self, effect: Effect, step: RunStep, directory: str) -> None:
        """Results that the command reads make its own results depend on the file too."""
        for result in tuple(self.results):
            is_file = "." in posixpath.basename(result.area.path)
            named = any(result.area.path != "*" and result.area.meets(one) for one in effect.paths)
            if effect.everything or named or (is_file and effect.names_file(result.area.path)):
                for area in effect.writes:
                    self._add_result(
                        area,
                        step.instruction,
                        result.read,
                        named=result.is_named,
                        directory=directory,
                        installs=result.installs,
                    )

    def _reader(self, paths: list[str], step: RunStep) -> Instruction:
        for path in paths:
            if path in self.copies:
                return self.copies[path].instruction
        return step.instruction

    def _add_result(
        self,
        area: Area,
        run: Instruction,
        read: Instruction,
        *,
        named: bool,
        directory: str = "/",
        installs: bool = False,
    ) -> None:
        result = Result(area, run, read, self._build.dockerfile, directory, named, installs)
        if result not in self.results:
            self.results.append(result)

    def _bound(self, step: RunStep) -> list[str]:
        """Where the RUN sees the file through its bind mounts."""
        found: list[str] = []
        for bind in step.binds:
            found += self._bound_by(bind)
        return found

    def _bound_by(self, bind: Bind) -> list[str]:
        if bind.origin is None:
            return []
        if bind.origin.kind == "context":
            relative = self._build.within(bind.origin, self._path)
            if relative is None:
                return []
            below = match_source(bind.source, relative, is_directory=self._is_directory)
            return [] if below is None else [posixpath.join(bind.target, below).rstrip("/")]
        held = self._held(bind.origin)
        found = []
        for copy in held.copies:
            below = match_source(bind.source.strip("/"), copy.path.strip("/"))
            if below is not None:
                found.append(posixpath.join(bind.target, below).rstrip("/"))
        if any(result.area.meets(bind.source) for result in held.results):
            found.append(bind.target)
        return found

    def _effects(self, step: RunStep) -> tuple[tuple[Effect, str], ...]:
        known = self._build.effects.get(id(step))
        if known is None:
            scene = Scene(step.environment, lambda path: self._text(step, path))
            known = tuple(
                (effect, command.directory)
                for command in step.commands
                for effect in resolve_effects(command, scene)
            )
            self._build.effects[id(step)] = known
        return known

    def _text(self, step: RunStep, path: str) -> str | None:
        """The text of a file by its path in the stage: that of the file which was copied there."""
        for bind in step.binds:
            if bind.origin and bind.origin.kind == "context" and is_within(path, bind.target):
                below = path[len(bind.target) :].strip("/")
                text = self._build.read(bind.origin, posixpath.join(bind.source, below).rstrip("/"))
                if text is not None:
                    return text
        return self.find_text(path)

    def find_text(self, path: str) -> str | None:
        """The text of what a COPY of this stage or of its base put at a path."""
        recipe: Recipe | None = self._recipe
        while recipe is not None:
            for step in reversed(recipe.steps):
                if isinstance(step, CopyStep):
                    text = _text_of(self._build, step, path)
                    if text is not None:
                        return text
            base = recipe.base
            is_stage = base is not None and base.kind == "stage"
            recipe = self._build.recipes.get(int(base.name)) if base and is_stage else None
        return None


def find_copied_text(build: Build, path: str) -> str | None:
    """The text of the file that the target stage has at a path, as far as a COPY put it there."""
    recipe = build.recipes.get(build.target)
    if recipe is None:
        return None
    return _Stage(build, recipe, {}, "", False).find_text(path)


def _text_of(build: Build, step: CopyStep, path: str) -> str | None:
    if step.origin is None or step.origin.kind != "context":
        return None
    for candidate in find_sources_of(step, path):
        text = build.read(step.origin, candidate)
        if text is not None:
            return text
    return None
