"""A Dockerfile's text as values: stages, what each is made from and reads, and its metadata.

Syntax is read by a port of BuildKit's own parser; which stages a target needs, and which
metadata a container of it ends up with, is worked out here. Faults are data with a line.
Spec: Dockerfile reference; moby/buildkit frontend/dockerfile.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from devenv.compose.model import Healthcheck
from devenv.compose.parse_config import parse_duration

PREDEFINED_ARGS = frozenset(
    {
        "HTTP_PROXY",
        "http_proxy",
        "HTTPS_PROXY",
        "https_proxy",
        "FTP_PROXY",
        "ftp_proxy",
        "NO_PROXY",
        "no_proxy",
        "ALL_PROXY",
        "all_proxy",
    }
)
PLATFORM_ARGS = frozenset(
    f"{side}{part}"
    for side in ("TARGET", "BUILD")
    for part in ("PLATFORM", "OS", "OSVERSION", "ARCH", "VARIANT")
)
"""Set by BuildKit alone; their values are not known here."""
SCRATCH = "scratch"
_MAX_STAGES = 500


@dataclass(frozen=True, slots=True)
class DockerfileFault:
    """Why a builder refuses the file; line from 1."""

    message: str
    line: int


@dataclass(frozen=True, slots=True)
class Heredoc:
    """A document within an instruction; not chomped."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction; `name` in upper case, lines from 1, `column` that of its first letter."""

    name: str
    arguments: tuple[str, ...]
    flags: tuple[str, ...]
    line: int
    end_line: int
    column: int = 1
    is_json: bool = False
    heredocs: tuple[Heredoc, ...] = ()
    text: str = ""
    """The instruction with its continued lines joined."""

    def flag(self, name: str) -> str | None:
        """The value of `--name=value`, "" where it has none, None where it is not there."""
        for flag in self.flags:
            key, _, value = flag.partition("=")
            if key == f"--{name}":
                return value
        return None

    def all_flags(self, name: str) -> tuple[str, ...]:
        """The values of a flag that may be repeated (`--mount`, `--exclude`)."""
        pairs = (flag.partition("=") for flag in self.flags)
        return tuple(value for key, _, value in pairs if key == f"--{name}")


@dataclass(frozen=True, slots=True)
class Source:
    """What a COPY, ADD or bind mount reads: paths as written, from a stage, image or context.

    `origin` is None for the build context, else what `--from=` names.
    """

    instruction: Instruction
    paths: tuple[str, ...]
    origin: str | None = None
    target: str = ""
    excludes: tuple[str, ...] = ()


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
            found += _sources(instruction)
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


@dataclass(frozen=True, slots=True)
class StageMetadata:
    """What the FROM chain of a stage sets for a container; None means: the base image decides."""

    healthcheck: Healthcheck | None = None
    has_healthcheck: bool = False
    """Whether the chain has a HEALTHCHECK at all; with `healthcheck` None it is `NONE`."""
    healthcheck_line: int | None = None
    user: str | None = None
    user_line: int | None = None
    workdir: str | None = None
    volumes: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    command: Instruction | None = None
    entrypoint: Instruction | None = None


def resolve_metadata(
    dockerfile: Dockerfile, stage: Stage, build_args: Mapping[str, str | None]
) -> StageMetadata:
    """The metadata that the stage and those it is FROM set, the later instruction winning."""
    found = _Metadata()
    for one in reversed(dockerfile.chain(stage, build_args)):
        for instruction in one.instructions:
            found.take(instruction)
    return StageMetadata(
        healthcheck=found.healthcheck,
        has_healthcheck=found.healthcheck_line is not None,
        healthcheck_line=found.healthcheck_line,
        user=found.user,
        user_line=found.user_line,
        workdir=found.workdir,
        volumes=tuple(found.volumes),
        environment=found.environment,
        command=found.command,
        entrypoint=found.entrypoint,
    )


class _Metadata:
    def __init__(self) -> None:
        self.healthcheck: Healthcheck | None = None
        self.healthcheck_line: int | None = None
        self.user: str | None = None
        self.user_line: int | None = None
        self.workdir: str | None = None
        self.volumes: list[str] = []
        self.environment: dict[str, str] = {}
        self.command: Instruction | None = None
        self.entrypoint: Instruction | None = None

    def take(self, instruction: Instruction) -> None:
        words = instruction.arguments
        match instruction.name:
            case "HEALTHCHECK":
                self.healthcheck = parse_healthcheck(instruction)
                self.healthcheck_line = instruction.line
            case "USER" if words:
                self.user, self.user_line = words[0], instruction.line
            case "WORKDIR" if words:
                self.workdir = words[0]
            case "VOLUME":
                self.volumes += words
            case "ENV":
                for name, value, _ in _triples(words):
                    self.environment[name] = expand(value, self.environment)
            case "CMD":
                self.command = instruction
            case "ENTRYPOINT":
                self.entrypoint = instruction


def parse_healthcheck(instruction: Instruction) -> Healthcheck | None:
    """A HEALTHCHECK instruction's check; None for `HEALTHCHECK NONE`."""
    words = instruction.arguments
    kind = words[0].upper() if words else "NONE"
    if kind == "NONE":
        return None
    test = ("CMD", *words[1:]) if instruction.is_json else ("CMD-SHELL", " ".join(words[1:]))
    seconds = {
        name: parse_duration(instruction.flag(name) or "")
        for name in ("interval", "timeout", "start-period", "start-interval")
    }
    retries = instruction.flag("retries") or ""
    return Healthcheck(
        test=test,
        interval_seconds=seconds["interval"] or 30.0,
        timeout_seconds=seconds["timeout"] or 30.0,
        retries=int(retries) if retries.isdigit() and int(retries) else 3,
        start_period_seconds=seconds["start-period"],
        start_interval_seconds=seconds["start-interval"] or None,
    )


def _triples(words: tuple[str, ...]) -> list[tuple[str, str, str]]:
    return [(words[i], words[i + 1], words[i + 2]) for i in range(0, len(words) - 2, 3)]


def _sources(instruction: Instruction) -> list[Source]:
    if instruction.name in ("COPY", "ADD"):
        documents = {f"<<{heredoc.name}" for heredoc in instruction.heredocs}
        paths = tuple(
            word
            for word in instruction.arguments[:-1]
            if not (word.startswith("<<") and _is_document(word, documents))
        )
        origin = instruction.flag("from")
        target = instruction.arguments[-1] if instruction.arguments else ""
        return [Source(instruction, paths, origin, target, instruction.all_flags("exclude"))]
    found = []
    for mount in instruction.all_flags("mount") if instruction.name == "RUN" else ():
        options = dict(_option(part) for part in mount.split(","))
        if options.get("type", "bind") != "bind":
            continue
        path = options.get("source") or options.get("src") or "."
        target = options.get("target") or options.get("dst") or options.get("destination") or ""
        found.append(Source(instruction, (path,), options.get("from"), target))
    return found


def _is_document(word: str, documents: set[str]) -> bool:
    plain = word.replace("<<-", "<<").replace('"', "").replace("'", "")
    return plain in documents


def _option(part: str) -> tuple[str, str]:
    key, _, value = part.partition("=")
    return key.strip().lower(), value.strip()


def expand(text: str, values: Mapping[str, str], escape: str = "\\") -> str:
    """A word with its variables filled in and its quotes removed; unset ones are blank."""
    if "$" not in text and not any(mark in text for mark in ("'", '"', escape)):
        return text
    from e2b_dockerfile_utils import ShellLex

    try:
        return ShellLex(escape, env=values, skip_unset_env=False).process_word(text)
    except ValueError:
        return text


def literal_path(written: str) -> str | None:
    """A COPY source relative to its context, or None: a wildcard, variable, URL or the whole."""
    if any(mark in written for mark in "$*?[\\") or "://" in written or written.startswith("git@"):
        return None
    path = posixpath.normpath(written.lstrip("/") or ".")
    return None if path == "." or path.startswith("..") else path


@lru_cache(maxsize=256)
def parse_dockerfile(text: str) -> Dockerfile:
    """The file as values. Never raises: a fault of syntax is in the result."""
    from e2b_dockerfile_utils import DockerfileSyntaxError, parse_dockerfile_ast

    try:
        ast = parse_dockerfile_ast(text.removeprefix("\ufeff"))
    except DockerfileSyntaxError as error:
        message = str(error).rpartition(": ")[2] if error.line is None else _after_line(str(error))
        return Dockerfile(fault=DockerfileFault(message, error.line or 1))
    except (ValueError, RecursionError, IndexError) as error:
        return Dockerfile(fault=DockerfileFault(str(error), 1))
    lines = text.split("\n")
    instructions = [
        Instruction(
            name=one.name.upper(),
            arguments=tuple(one.args),
            flags=tuple(one.flags),
            line=one.start_line,
            end_line=one.end_line,
            column=_indent(lines, one.start_line) + 1,
            is_json=one.json,
            heredocs=tuple(Heredoc(doc.name, doc.content) for doc in one.heredocs),
            text=one.original,
        )
        for one in ast.instructions
    ]
    return _divide(instructions, ast.escape_token, _syntax_directive(lines), lines)


def _after_line(message: str) -> str:
    _, _, rest = message.partition(" on line ")
    return rest.partition(": ")[2] or message


def _indent(lines: list[str], line: int) -> int:
    text = lines[line - 1] if 1 <= line <= len(lines) else ""
    return len(text) - len(text.lstrip())


def _syntax_directive(lines: list[str]) -> str | None:
    for line in lines:
        words = line.strip()
        if not words.startswith("#"):
            return None
        name, equals, value = words[1:].partition("=")
        if not equals:
            return None
        if name.strip().lower() == "syntax":
            return value.strip()
    return None


def _divide(
    instructions: list[Instruction], escape: str, syntax: str | None, lines: list[str]
) -> Dockerfile:
    """Instructions into stages, with the faults that a builder names before it runs anything."""
    stages: list[Stage] = []
    global_args: list[Instruction] = []
    body: list[Instruction] = []

    def close() -> None:
        if stages:
            last = stages.pop()
            stages.append(
                Stage(
                    last.index,
                    last.name,
                    last.base,
                    last.line,
                    last.column,
                    last.base_column,
                    last.platform,
                    tuple(body),
                )
            )
        body.clear()

    for one in instructions:
        if one.name == "FROM":
            close()
            words = one.arguments
            named = len(words) == 3 and words[1].lower() == "as"
            if not words or (len(words) > 1 and not named):
                message = "FROM takes one image, or: image AS name"
                return Dockerfile(fault=DockerfileFault(message, one.line))
            column = _column_of(lines, one, words[0])
            stages.append(
                Stage(
                    index=len(stages),
                    name=words[2].lower() if named else None,
                    base=words[0],
                    line=one.line,
                    column=one.column,
                    base_column=column,
                    platform=one.flag("platform"),
                )
            )
        elif stages:
            body.append(one)
        elif one.name == "ARG":
            global_args.append(one)
        else:
            message = f"{one.name} stands before the first FROM"
            return Dockerfile(fault=DockerfileFault(message, one.line))
    close()
    if not stages:
        return Dockerfile(fault=DockerfileFault("the file has no FROM", 1), syntax=syntax)
    return Dockerfile(tuple(stages), tuple(global_args), None, escape, syntax)


def _column_of(lines: list[str], instruction: Instruction, word: str) -> int:
    text = lines[instruction.line - 1] if instruction.line <= len(lines) else ""
    at = text.find(word)
    return at + 1 if at >= 0 else instruction.column
