"""What a stage reads with its variables filled in, as far as they are known without its base.

Spec: Dockerfile reference, ARG, ENV, environment replacement.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from devenv.compose.dockerfile.sources import Source, find_sources
from devenv.compose.dockerfile.stages import SCRATCH, Dockerfile, Stage
from devenv.compose.dockerfile.values import Instruction
from devenv.compose.dockerfile.variables import PLATFORM_ARGS, PREDEFINED_ARGS
from devenv.values import replace


class Variables:
    """The variables of a stage at one of its steps. ENV comes before ARG, wherever they stand.

    `is_complete` tells that no base image can set one more; else what is not set is unknown.
    """

    def __init__(
        self,
        dockerfile: Dockerfile,
        build_args: Mapping[str, str | None],
        *,
        is_complete: bool,
    ) -> None:
        self.is_complete = is_complete
        self._escape = dockerfile.escape
        self._given = build_args
        self._global = dockerfile.resolve_args(build_args)
        self._args: dict[str, str] = {
            name: value
            for name, value in build_args.items()
            if name in PREDEFINED_ARGS and value is not None
        }
        self._env: dict[str, str] = {}
        self._unknown: set[str] = set()

    def set(self, name: str, value: str) -> None:
        """Set a variable as an ARG would."""
        self._args[name] = value

    def take(self, one: Instruction) -> None:
        """Go past a step. Raises ValueError for a word that no builder can expand."""
        if one.name == "ENV":
            for name, value in zip(one.arguments[::3], one.arguments[1::3], strict=False):
                self._env[self.expand(name)] = self.expand(value)
        elif one.name == "ARG":
            for word in one.arguments:
                name, has_default, default = word.partition("=")
                given = self._given.get(name)
                if given is not None:
                    self._args[name] = given
                elif has_default:
                    self._args[name] = self.expand(default)
                elif name in self._global:
                    self._args[name] = self._global[name]
                elif name in PLATFORM_ARGS:
                    self._unknown.add(name)

    def expand(self, text: str) -> str:
        """A word with its variables filled in; those that are unknown stay as they are written.

        Raises ValueError where no builder can expand it.
        """
        from e2b_dockerfile_utils import ShellLex

        if not any(mark in text for mark in ("$", "'", '"', self._escape)):
            return text
        values = {**self._args, **self._env}
        if any(name in text for name in self._unknown - set(values)):
            return text
        lexer = ShellLex(self._escape, env=values, skip_unset_env=not self.is_complete)
        return lexer.process_word(text)


def walk(
    dockerfile: Dockerfile,
    stage: Stage,
    build_args: Mapping[str, str | None],
    contexts: Collection[str] = (),
) -> Iterator[tuple[Instruction, Variables]]:
    """The steps of a stage, each with the variables that it sees; the last state is shared.

    Raises ValueError, from the step that it comes to next, where a word cannot be expanded.
    """
    chain = dockerfile.chain(stage, build_args, contexts)
    foot = dockerfile.resolve_base(chain[-1], build_args)
    variables = Variables(dockerfile, build_args, is_complete=foot == SCRATCH)
    for below in reversed(chain[1:]):
        for one in dockerfile.steps(below, build_args, contexts):
            variables.take(one)
    for one in dockerfile.steps(stage, build_args, contexts):
        yield one, variables
        variables.take(one)


def resolve_sources(
    dockerfile: Dockerfile,
    stage: Stage,
    build_args: Mapping[str, str | None],
    contexts: Collection[str] = (),
) -> tuple[Source, ...]:
    """What the steps of a stage read, ONBUILD triggers of its base among them.

    Paths and target have their variables filled in where they are known, else they keep the `$`.
    What follows a word that cannot be expanded is left out.
    """
    found: list[Source] = []
    try:
        for one, variables in walk(dockerfile, stage, build_args, contexts):
            for source in find_sources(one):
                paths = tuple(variables.expand(path) for path in source.paths)
                found.append(replace(source, paths=paths, target=variables.expand(source.target)))
    except ValueError:
        pass
    return tuple(found)
