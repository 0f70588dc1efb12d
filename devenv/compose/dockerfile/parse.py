"""A Dockerfile's text as values, by a port of BuildKit's own parser. Faults are data with a line.

Spec: Dockerfile reference; moby/buildkit frontend/dockerfile/parser.
"""

from __future__ import annotations

from functools import lru_cache

from devenv.compose.dockerfile.stages import Dockerfile, Stage
from devenv.compose.dockerfile.values import DockerfileFault, Heredoc, Instruction


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
