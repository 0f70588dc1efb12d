"""How results and errors reach the terminal: stdout is the result, stderr the diagnosis."""

from __future__ import annotations

import os
import sys
from typing import Any, TextIO

from devenv.errors import DevenvError
from devenv.state.text import sanitize

_COLOURS = {"red": "31", "green": "32", "yellow": "33", "blue": "34", "bold": "1", "dim": "2"}


def uses_color(stream: TextIO) -> bool:
    """Whether `stream` is a terminal that wants colours. See https://no-color.org."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


def paint(text: str, colour: str, stream: TextIO) -> str:
    """`text` in a colour where `stream` wants colours."""
    if not uses_color(stream):
        return text
    return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m"


def print_text(text: str) -> None:
    """Write a result that ends in its own newline."""
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(text)
    except UnicodeEncodeError:  # an odd file name, or an ASCII terminal
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
    sys.stdout.flush()


def print_json(value: Any) -> None:
    """Write a result as JSON with a final newline."""
    import json

    print_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def print_note(text: str) -> None:
    """Say something about the run on stderr."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def print_error(error: DevenvError) -> None:
    """What happened, where, the lines that show it, and what to do."""
    stream = sys.stderr
    label = paint("error:", "red", stream)
    where = f"{sanitize(str(error.source))}: " if error.source else ""
    lines = [f"{where}{label} {sanitize(error.message)}"]
    if error.excerpt:
        lines += [f"  {line}" for line in sanitize(error.excerpt).splitlines()]
    if error.fix:
        lines.append(f"  {paint('fix:', 'green', stream)} {sanitize(error.fix)}")
    stream.write("\n".join(lines) + "\n")
    stream.flush()
