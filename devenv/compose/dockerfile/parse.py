"""A Dockerfile's text as values, by a port of BuildKit's own parser. Faults are data with a line.

Spec: Dockerfile reference; moby/buildkit frontend/dockerfile/parser.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from devenv.compose.dockerfile.grammar import find_fault
from devenv.compose.dockerfile.stages import Dockerfile, Stage
from devenv.compose.dockerfile.values import DockerfileFault, Heredoc, Instruction
from devenv.values import replace

if TYPE_CHECKING:
    from e2b_dockerfile_utils import DockerfileInstruction

_BLANKS = re.compile(r"[\t\v\f\r ]+")


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
    syntax = _syntax_directive(lines)
    instructions = [_to_instruction(one, lines) for one in ast.instructions]
    for instruction in instructions:
        why = find_fault(instruction, knows_flags=syntax is None)
        if why is not None:
            return Dockerfile(fault=DockerfileFault(why, instruction.line), syntax=syntax)
    return _divide(instructions, ast.escape_token, syntax, lines)


def _to_instruction(one: DockerfileInstruction, lines: list[str]) -> Instruction:
    arguments = one.args
    if one.name in ("COPY", "ADD") and not one.json:
        # The library keeps quoted words together; builders part them at every blank.
        arguments = [word for part in arguments for word in _BLANKS.split(part) if word]
    return Instruction(
        name=one.name.upper(),
        arguments=tuple(arguments),
        flags=tuple(one.flags),
        line=one.start_line,
        end_line=one.end_line,
        column=_indent(lines, one.start_line) + 1,
        is_json=one.json,
        heredocs=tuple(Heredoc(doc.name, doc.content) for doc in one.heredocs),
        text=one.original,
    )


def _parse_trigger(one: Instruction, escape: str) -> Instruction | None:
    """The instruction that an ONBUILD holds, on its line; None where it is none."""
    from e2b_dockerfile_utils import DockerfileSyntaxError, parse_dockerfile_ast

    rest = one.text.strip()[len("ONBUILD") :]
    directive = "" if escape == "\\" else f"# escape={escape}\n"
    try:
        found = parse_dockerfile_ast(f"{directive}{rest.strip()}\n").instructions
    except (DockerfileSyntaxError, ValueError, RecursionError, IndexError):
        return None
    if not found:
        return None
    parsed = _to_instruction(found[0], [])
    return replace(parsed, line=one.line, end_line=one.end_line, column=one.column)


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

    def trigger_of(one: Instruction) -> Instruction | None:
        return _parse_trigger(one, escape) if one.name == "ONBUILD" else None

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
                    tuple(trigger for one in body if (trigger := trigger_of(one)) is not None),
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
