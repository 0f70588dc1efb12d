"""The stages of a Dockerfile: which one a target means, and which others it needs.

Spec: Dockerfile reference, FROM; moby/buildkit frontend/dockerfile.
"""

from __future__ import annotations

from collections.abc import Mapping

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
        """The stage of a target: by name in any case, by number, or the last for None or "".

        A name goes to the last stage that bears it, as in BuildKit's own lookup.
        """
        if not self.stages:
            return None
        if not name:
            return self.stages[-1]
        wanted = name.lower()
        for stage in reversed(self.stages):
            if stage.name == wanted:
                return stage
        if wanted.isdigit() and int(wanted) < len(self.stages):
            return self.stages[int(wanted)]
        return None

    def find_earlier(self, name: str, before: Stage) -> Stage | None:
        """The stage that `FROM name` or `--from=name` means in the stage `before`, or None."""
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

    def chain(self, stage: Stage, build_args: Mapping[str, str | None]) -> tuple[Stage, ...]:
        """The stage, then the one it is FROM, and so on; the last one's base is an image."""
        found = [stage]
        while len(found) < _MAX_STAGES:
            base = self.resolve_base(found[-1], build_args)
            earlier = self.find_earlier(base, found[-1]) if base else None
            if earlier is None:
                return tuple(found)
            found.append(earlier)
        return tuple(found)

    def closure(self, stage: Stage, build_args: Mapping[str, str | None]) -> tuple[Stage, ...]:
        """Every stage that building `stage` needs, in the file's order."""
        needed: set[int] = set()
        pending = [stage]
        while pending:
            current = pending.pop()
            if current.index in needed:
                continue
            needed.add(current.index)
            base = self.resolve_base(current, build_args)
            names = [base] if base else []
            names += [source.origin for source in current.sources() if source.origin]
            for name in names:
                earlier = self.find_earlier(name, current)
                if earlier is not None:
                    pending.append(earlier)
        return tuple(one for one in self.stages if one.index in needed)

    def image_base(self, stage: Stage, build_args: Mapping[str, str | None]) -> str | None:
        """The image at the end of the stage's FROM chain; None for scratch or an unknown one."""
        base = self.resolve_base(self.chain(stage, build_args)[-1], build_args)
        return base if base and base != SCRATCH else None
