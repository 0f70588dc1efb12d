"""A Dockerfile's stages as steps with every variable, path and command filled in, once per build.

Spec: Dockerfile reference, COPY, ADD, RUN, WORKDIR, ENV, ARG, SHELL, ONBUILD.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping

from devenv.compose.dockerfile import (
    PLATFORM_ARGS,
    Dockerfile,
    Instruction,
    Stage,
    expand,
    find_sources,
    parse_dockerfile,
)
from devenv.compose.dockerfile.metadata import resolve_metadata
from devenv.compose.watch.shell import Command, from_words, parse_commands
from devenv.values import dataclass, replace

_WORKDIRS = (
    ("golang", "/go"),
    ("php", "/var/www/html"),
    ("wordpress", "/var/www/html"),
    ("httpd", "/usr/local/apache2"),
    ("tomcat", "/usr/local/tomcat"),
)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a source is read from: `context` (a directory), `stage` (its index) or `service`."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class CopyStep:
    """A COPY or ADD. Sources are relative to a context or absolute in a stage; may be patterns."""

    instruction: Instruction
    origin: Origin | None
    """None for an image or an address, which no file of the project changes."""
    sources: tuple[str, ...]
    target: str
    """Absolute."""
    into_directory: bool
    parents: bool = False
    excludes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bind:
    """A bind mount of a RUN."""

    origin: Origin | None
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class RunStep:
    """A RUN as simple commands, with the environment that they see."""

    instruction: Instruction
    commands: tuple[Command, ...]
    environment: Mapping[str, str]
    binds: tuple[Bind, ...] = ()


@dataclass(frozen=True, slots=True)
class Recipe:
    """One stage: what it is FROM (None for an image of nobody here) and its steps in order."""

    stage: Stage
    base: Origin | None
    steps: tuple[CopyStep | RunStep, ...]
    workdir: str
    environment: Mapping[str, str]
    base_image: str | None = None
    """The image at the end of the FROM chain."""


FindOrigin = Callable[[str, Stage], Origin | None]


def compile_recipes(
    dockerfile: Dockerfile,
    stages: tuple[Stage, ...],
    build_args: Mapping[str, str | None],
    context: Origin | None,
    find_origin: FindOrigin,
) -> dict[int, Recipe]:
    """Stage index -> its recipe, for the given stages, which must stand in the file's order."""
    recipes: dict[int, Recipe] = {}
    arguments = dockerfile.resolve_args(build_args)
    for stage in stages:
        base_name = dockerfile.resolve_base(stage, build_args)
        base = find_origin(base_name, stage) if base_name else None
        below = recipes.get(int(base.name)) if base and base.kind == "stage" else None
        compiler = _Compiler(dockerfile, stage, arguments, build_args, context, find_origin)
        compiler.start(below, base_name)
        for instruction in stage.instructions:
            compiler.take(instruction)
        recipes[stage.index] = Recipe(
            stage,
            base,
            tuple(compiler.steps),
            compiler.workdir,
            compiler.environment,
            below.base_image if below else base_name,
        )
    return recipes


class _Compiler:
    def __init__(
        self,
        dockerfile: Dockerfile,
        stage: Stage,
        arguments: Mapping[str, str],
        build_args: Mapping[str, str | None],
        context: Origin | None,
        find_origin: FindOrigin,
    ) -> None:
        self._escape = dockerfile.escape
        self._stage = stage
        self._global = arguments
        self._given = build_args
        self._context = context
        self._find_origin = find_origin
        self.steps: list[CopyStep | RunStep] = []
        self.workdir = "/"
        self.environment: dict[str, str] = {}
        self._values: dict[str, str] = dict.fromkeys(PLATFORM_ARGS, "*")
        self._directories: set[str] = {"/", "/tmp", "/etc", "/usr/local/bin", "/opt", "/srv"}

    def start(self, below: Recipe | None, base_name: str | None) -> None:
        if below is not None:
            self.workdir = below.workdir
            self.environment = dict(below.environment)
            self._directories.add(below.workdir)
            for inherited in below.stage.instructions:
                if inherited.name == "ONBUILD":
                    self._take_trigger(inherited)
            return
        name = posixpath.basename((base_name or "").split("@")[0]).split(":")[0]
        for image, directory in _WORKDIRS:
            if name == image:
                self.workdir = directory
        self._directories.add(self.workdir)

    def _take_trigger(self, instruction: Instruction) -> None:
        text = instruction.text.split(None, 1)[1:]
        parsed = parse_dockerfile("FROM scratch\n" + "".join(text) + "\n")
        for stage in parsed.stages:
            for one in stage.instructions:
                self.take(replace(one, line=instruction.line, end_line=instruction.end_line))

    def _expand(self, text: str) -> str:
        return expand(text, {**self._values, **self.environment}, self._escape)

    def _absolute(self, path: str) -> str:
        return posixpath.normpath(posixpath.join(self.workdir, path))

    def take(self, instruction: Instruction) -> None:
        words = instruction.arguments
        match instruction.name:
            case "ENV":
                for index in range(0, len(words) - 1, 3):
                    self.environment[words[index]] = self._expand(words[index + 1])
            case "ARG":
                for word in words:
                    self._take_argument(word)
            case "WORKDIR" if words:
                self.workdir = self._absolute(self._expand(words[0]))
                self._directories.add(self.workdir)
            case "COPY" | "ADD" if len(words) > 1:
                self._take_copy(instruction)
            case "RUN":
                self._take_run(instruction)

    def _take_argument(self, word: str) -> None:
        name, has_default, default = word.partition("=")
        given = self._given.get(name)
        if given is not None:
            self._values[name] = given
        elif has_default:
            self._values[name] = self._expand(default)
        elif name in self._global:
            self._values[name] = self._global[name]

    def _origin(self, name: str | None) -> Origin | None:
        return self._context if name is None else self._find_origin(self._expand(name), self._stage)

    def _take_copy(self, instruction: Instruction) -> None:
        source = find_sources(instruction)[0]
        origin = self._origin(source.origin)
        paths = tuple(self._expand(path) for path in source.paths)
        paths = tuple(p for p in paths if "://" not in p and not p.startswith("git@"))
        written = self._expand(source.target)
        target = self._absolute(written)
        is_directory = (
            written.endswith(("/", "/."))
            or written in (".", "..")
            or len(source.paths) > 1
            or target in self._directories
        )
        if is_directory:
            self._directories.add(target)
        parent = posixpath.dirname(target)
        while parent not in self._directories:
            self._directories.add(parent)
            parent = posixpath.dirname(parent)
        self.steps.append(
            CopyStep(
                instruction,
                origin,
                tuple(clean_source(path, is_context=_is_context(origin)) for path in paths),
                target,
                is_directory,
                instruction.flag("parents") not in (None, "false"),
                tuple(self._expand(pattern) for pattern in source.excludes),
            )
        )

    def _take_run(self, instruction: Instruction) -> None:
        environment = {**self._values, **self.environment}
        if instruction.is_json:
            commands = from_words(instruction.arguments, self.workdir)
        else:
            commands = parse_commands(script_of(instruction), self.workdir, environment)
        binds = []
        for source in find_sources(instruction):
            origin = self._origin(source.origin)
            path = self._expand(source.paths[0])
            binds.append(
                Bind(
                    origin,
                    clean_source(path, is_context=_is_context(origin)),
                    self._absolute(self._expand(source.target)),
                )
            )
        self.steps.append(RunStep(instruction, tuple(commands), environment, tuple(binds)))


def _is_context(origin: Origin | None) -> bool:
    return origin is not None and origin.kind == "context"


def clean_source(path: str, *, is_context: bool) -> str:
    """A source as builders clean it: relative to its context, or absolute in a stage."""
    pivot = path.replace("/./", "/\0/") if "/./" in path else path
    cleaned = posixpath.normpath("/" + pivot.lstrip("/")) if pivot else "/"
    return cleaned.lstrip("/") if is_context else cleaned


def script_of(instruction: Instruction) -> str:
    """The shell text of a RUN: its words, or the document that they name."""
    text = " ".join(instruction.arguments)
    if not instruction.heredocs:
        return text
    first = instruction.arguments[0].strip() if instruction.arguments else ""
    documents = "\n".join(heredoc.text for heredoc in instruction.heredocs)
    if first.startswith("<<") or first.split()[0] in ("sh", "bash", "/bin/sh", "/bin/bash"):
        return documents
    return text.split("<<", 1)[0]


def start_commands(
    dockerfile: Dockerfile, stage: Stage, build_args: Mapping[str, str | None], workdir: str
) -> tuple[tuple[Command, ...], Instruction | None]:
    """What ENTRYPOINT and CMD of a stage run, and the instruction that says so."""
    metadata = resolve_metadata(dockerfile, stage, build_args)
    entrypoint, command = metadata.entrypoint, metadata.command
    words: list[str] = []
    if entrypoint is not None:
        if not entrypoint.is_json:
            text = " ".join(entrypoint.arguments)
            return tuple(parse_commands(text, workdir)), entrypoint
        words += entrypoint.arguments
    if command is not None:
        if command.is_json:
            words += command.arguments
        else:
            words += ["/bin/sh", "-c", " ".join(command.arguments)]
    return start_words(words, workdir), command or entrypoint


def start_words(words: list[str], workdir: str) -> tuple[Command, ...]:
    """The commands of an exec form in which an entrypoint script may run the rest."""
    if len(words) > 3 and words[-2] == "-c":
        first = from_words(words[:-3], workdir)
        return (*first, *parse_commands(words[-1], workdir))
    return tuple(from_words(words, workdir))


def entry_words(
    dockerfile: Dockerfile, stage: Stage, build_args: Mapping[str, str | None]
) -> tuple[str, ...]:
    """The words of an ENTRYPOINT in exec form, to which a service's `command` is added."""
    own = resolve_metadata(dockerfile, stage, build_args).entrypoint
    return own.arguments if own is not None and own.is_json else ()


def short_words(instruction: Instruction) -> str:
    """An instruction for a sentence, shortened."""
    text = " ".join(" ".join(instruction.arguments).split())
    if instruction.heredocs:
        text = instruction.heredocs[0].text.strip().split("\n")[0]
    return f"{instruction.name} {text[:50]}{'…' if len(text) > 50 else ''}"
