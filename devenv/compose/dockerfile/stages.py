"""The stages of a Dockerfile: which one a target means, and which others it needs.

Spec: Dockerfile reference, FROM; moby/buildkit frontend/dockerfile.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from devenv.compose.dockerfile.sources import Source, find_sources
from devenv.compose.dockerfile.values import DockerfileFault, Instruction
from devenv.compose.dockerfile.variables import PLATFORM_ARGS, expand
from devenv.values import dataclass

SCRATCH = "scratch"
_MAX_STAGES = 500


@dataclass(frozen=True, slots=True)
class Stage:
    """`FROM base AS name` with the instructions up to the next one."""

    index: int
    name: str | None
    """In lower case; None where it has none."""
    base: str
    """As written, with its variables."""
    line: int
    column: int
    base_column: int
    platform: str | None = None
    instructions: tuple[Instruction, ...] = ()
    triggers: tuple[Instruction, ...] = ()
    """What its ONBUILD instructions hold: they run in a stage that is FROM this one."""

    def sources(self) -> tuple[Source, ...]:
        """What the stage reads beyond its base, in order."""
        found: list[Source] = []
        for instruction in self.instructions:
            found += find_sources(instruction)
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """A parsed file; `stages` is empty where it has a fault that stops parsing."""

    stages: tuple[Stage, ...] = ()
    global_args: tuple[Instruction, ...] = ()
    """ARG instructions before the first FROM."""
    fault: DockerfileFault | None = None
    escape: str = "\\"
    syntax: str | None = None
    """The `# syntax=` directive: with one, the builder may know more than this parser."""

    def find_stage(self, name: str | None) -> Stage | None:
        """The stage of a target: by name in any case, or the last for None or "".

        A name goes to the last stage that bears it. A number finds nothing: the classic builder
        took one, BuildKit says that the stage could not be found (measured, Engine 28.5).
        """
        if not self.stages:
            return None
        if not name:
            return self.stages[-1]
        wanted = name.lower()
        for stage in reversed(self.stages):
            if stage.name == wanted:
                return stage
        return None

    def find_base(self, name: str, before: Stage) -> Stage | None:
        """The stage that `FROM name` means in the stage `before`, or None for an image.

        Names of stages are kept in lower case, and FROM compares as it is written: with
        `AS Build`, `FROM build` is the stage and `FROM Build` an image (measured, Engine 28.5).
        """
        for stage in reversed(self.stages[: before.index]):
            if stage.name == name:
                return stage
        return None

    def find_earlier(self, name: str, before: Stage) -> Stage | None:
        """The stage that `--from=name` means in the stage `before`: in any case, or by number."""
        wanted = name.lower()
        for stage in reversed(self.stages[: before.index]):
            if stage.name == wanted:
                return stage
        if wanted.isdigit() and int(wanted) < before.index:
            return self.stages[int(wanted)]
        return None

    def resolve_args(self, build_args: Mapping[str, str | None]) -> dict[str, str]:
        """The variables that FROM may use: defaults of the global ARGs, or the given values."""
        values: dict[str, str] = {}
        for instruction in self.global_args:
            for word in instruction.arguments:
                name, has_default, default = word.partition("=")
                given = build_args.get(name)
                if given is not None:
                    values[name] = given
                elif has_default:
                    values[name] = expand(default, values, self.escape)
        return values

    def resolve_base(self, stage: Stage, build_args: Mapping[str, str | None]) -> str | None:
        """The stage's base with variables filled in; None where a platform variable is in it."""
        values = self.resolve_args(build_args)
        if any(f"${name}" in stage.base or f"${{{name}" in stage.base for name in PLATFORM_ARGS):
            return None
        return expand(stage.base, values, self.escape)

    def chain(
        self, stage: Stage, build_args: Mapping[str, str | None], contexts: Collection[str] = ()
    ) -> tuple[Stage, ...]:
        """The stage, then the one it is FROM, and so on; the last one's base is an image.

        `contexts` are the names of additional contexts, which come before stages.
        """
        found = [stage]
        while len(found) < _MAX_STAGES:
            base = self.resolve_base(found[-1], build_args)
            earlier = self.find_base(base, found[-1]) if base and base not in contexts else None
            if earlier is None:
                return tuple(found)
            found.append(earlier)
        return tuple(found)

    def steps(
        self, stage: Stage, build_args: Mapping[str, str | None], contexts: Collection[str] = ()
    ) -> tuple[Instruction, ...]:
        """What runs in a stage: the ONBUILD triggers of the one that it is FROM, then its own."""
        above = self.chain(stage, build_args, contexts)[1:2]
        return (*(one for base in above for one in base.triggers), *stage.instructions)

    def closure(
        self, stage: Stage, build_args: Mapping[str, str | None], contexts: Collection[str] = ()
    ) -> tuple[Stage, ...]:
        """Every stage that building `stage` needs, in the file's order.

        Where FROM has a platform variable, each stage that it could mean.
        """
        needed: set[int] = set()
        pending = [stage]
        while pending:
            current = pending.pop()
            if current.index in needed:
                continue
            needed.add(current.index)
            pending += self._bases(current, build_args, contexts)
            for one in self.steps(current, build_args, contexts):
                for source in find_sources(one):
                    if source.origin and source.origin.lower() not in contexts:
                        earlier = self.find_earlier(source.origin, current)
                        pending += [earlier] if earlier else []
        return tuple(one for one in self.stages if one.index in needed)

    def _bases(
        self, stage: Stage, build_args: Mapping[str, str | None], contexts: Collection[str]
    ) -> list[Stage]:
        base = self.resolve_base(stage, build_args)
        if base is not None:
            found = self.find_base(base, stage) if base not in contexts else None
            return [found] if found else []
        values = {**dict.fromkeys(PLATFORM_ARGS, "\0"), **self.resolve_args(build_args)}
        pattern = ".*".join(map(re.escape, expand(stage.base, values, self.escape).split("\0")))
        return [
            one
            for one in self.stages[: stage.index]
            if one.name and re.fullmatch(pattern, one.name)
        ]

    def image_base(self, stage: Stage, build_args: Mapping[str, str | None]) -> str | None:
        """The image at the end of the stage's FROM chain; None for scratch or an unknown one."""
        base = self.resolve_base(self.chain(stage, build_args)[-1], build_args)
        return base if base and base != SCRATCH else None
