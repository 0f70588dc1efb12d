"""Asks for the values of an env file at a terminal; secrets are not shown while they are typed."""

from __future__ import annotations

import secrets
import string
import sys
from collections.abc import Callable, Iterable

from devenv.cli.output import paint
from devenv.compose.secrets import MASK
from devenv.state.text import sanitize
from devenv.values import dataclass

_SECRET_CHARACTERS = string.ascii_letters + string.digits
_SECRET_LENGTH = 43
"""Of 62 characters: 256 bits; harmless in URLs, shells, YAML and env files."""
_GENERATE = "g"

ReadLine = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Question:
    """A key without a value, and what is known of it."""

    name: str
    comment: str = ""
    default: str | None = None
    """The value that Enter takes, as the example has it; None where there is none."""
    secret: bool = False
    needed: bool = False
    required: bool = False
    """Whether Compose refuses to start without it."""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Answers:
    """What was answered: None stands for the example's own statement."""

    values: dict[str, str | None]
    generated: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    """Keys that got no value, and without which Compose refuses to start."""


def generate_secret() -> str:
    """A strong secret of letters and digits."""
    return "".join(secrets.choice(_SECRET_CHARACTERS) for _ in range(_SECRET_LENGTH))


def can_ask() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def take_defaults(questions: Iterable[Question]) -> Answers:
    """The answers of one who presses Enter only: the examples' values."""
    values: dict[str, str | None] = {}
    left: list[str] = []
    for question in questions:
        if question.default:
            values[question.name] = None
        elif question.needed:
            left.append(question.name)
        elif question.default is not None:
            values[question.name] = None
    return Answers(values, (), tuple(left))


def read_answer(prompt: str) -> bool:
    """Yes or no; Enter is yes. Raises KeyboardInterrupt at Ctrl-C and Ctrl-D."""
    try:
        return _read_line(prompt).strip().lower() in ("", "y", "yes")
    except EOFError:
        raise KeyboardInterrupt from None


def ask(
    questions: Iterable[Question],
    *,
    read_line: ReadLine | None = None,
    read_hidden: ReadLine | None = None,
    write: Callable[[str], object] | None = None,
) -> Answers:
    """Ask one after the other. Raises KeyboardInterrupt at Ctrl-C and Ctrl-D: nothing is taken."""
    say = write or _write
    values: dict[str, str | None] = {}
    generated: list[str] = []
    left: list[str] = []
    for question in questions:
        say(_introduction(question))
        answer = _ask_one(question, read_line or _read_line, read_hidden or _read_hidden, say)
        if answer == _GENERATE and question.secret:
            values[question.name] = generate_secret()
            generated.append(question.name)
            say(f"  generated, {_SECRET_LENGTH} characters\n")
        elif answer:
            values[question.name] = answer
            if question.secret:
                say(f"  taken, {len(answer)} character{'s' if len(answer) > 1 else ''}\n")
        elif question.default:
            values[question.name] = None
        elif question.required:
            left.append(question.name)
        else:
            values[question.name] = "" if question.default is None else None
    return Answers(values, tuple(generated), tuple(left))


def _ask_one(
    question: Question, read_line: ReadLine, read_hidden: ReadLine, say: Callable[[str], object]
) -> str:
    prompt = _prompt(question)
    for attempt in range(2):
        try:
            answer = read_hidden(prompt) if question.secret else read_line(prompt)
        except EOFError:
            raise KeyboardInterrupt from None
        if "\0" in answer:
            say("  A NUL character cannot be part of a value.\n")
            continue
        if answer or question.default or not question.required or attempt:
            return answer
        say("  Compose refuses to start without it. Enter once more leaves it out.\n")
    return ""


def _introduction(question: Question) -> str:
    lines = [f"# {line}" for line in sanitize(question.comment).split("\n") if line]
    if question.why:
        lines.append(f"# {sanitize(question.why)}")
    shown = "".join(paint(line, "dim", sys.stderr) + "\n" for line in lines)
    return f"\n{shown}"


def _prompt(question: Question) -> str:
    choices = []
    if question.default:
        shown = MASK if question.secret else sanitize(question.default).replace("\n", "⏎")
        choices.append(f"Enter: {shown}")
    elif not question.required:
        choices.append("Enter: empty")
    if question.secret:
        choices.append(f"{_GENERATE}: generate")
    hint = f" ({', '.join(choices)})" if choices else ""
    return f"{sanitize(question.name)}{hint}: "


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


def _read_line(prompt: str) -> str:
    """A line of the terminal; the prompt goes to stderr, so that stdout stays the result."""
    _write(prompt)
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line.rstrip("\r\n")


def _read_hidden(prompt: str) -> str:
    """A line that is not echoed; the terminal is as before after Ctrl-C too."""
    import getpass

    return getpass.getpass(prompt, stream=sys.stderr)
