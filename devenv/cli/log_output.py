"""Log lines as text or JSON on stdout."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import datetime

from devenv.cli.output import uses_color
from devenv.state.log_filter import LineFilter
from devenv.state.logs import Origin, RawRow
from devenv.state.text import clean_lines, sanitize

_SEPARATOR = b"--\n"
"""Between two groups of lines with context, as grep prints it."""


class LogWriter:
    """Formats the wanted lines and writes each batch at once."""

    def __init__(
        self, arguments: argparse.Namespace, width: int, wanted: LineFilter[bytes]
    ) -> None:
        self._json = arguments.format == "json"
        self._timestamps = arguments.timestamps
        self._width = width
        self._colours = uses_color(sys.stdout)
        self._wanted = wanted
        self._filters = bool(wanted.pattern or wanted.level)
        self._labels: dict[int, bytes] = {}
        self._colour_of: dict[str, int] = {}
        self._second = (0, "", "")

    def write(self, rows: Sequence[RawRow], origins: Sequence[Origin]) -> None:
        """Write those of the lines that are wanted."""
        if not rows:
            return
        times, numbers, raw = zip(*rows, strict=True)
        plain, styled = clean_lines(list(raw))
        for number in set(numbers) - self._labels.keys():
            self._labels[number] = self._label(origins[number])
        if self._json:
            lines = [
                self._json_line(time_ns, origins[number], text)
                for time_ns, number, text in zip(times, numbers, plain, strict=True)
            ]
        else:
            lines = self._text_lines(times, numbers, plain, styled)
        if self._filters:
            found = self._wanted.take(
                (line, number, text.decode())
                for line, number, text in zip(lines, numbers, plain, strict=True)
            )
            between = b"" if self._json else _SEPARATOR
            lines = [between if line is None else line for line in found]
        sys.stdout.buffer.write(b"".join(lines))
        sys.stdout.buffer.flush()

    def _text_lines(
        self,
        times: Sequence[int],
        numbers: Sequence[int],
        plain: list[bytes],
        styled: dict[int, bytes],
    ) -> list[bytes]:
        labels = self._labels
        if self._colours and styled:
            plain = plain.copy()
            for index, text in styled.items():
                plain[index] = text + b"\x1b[0m"
        if not self._timestamps:
            return [b"%b%b\n" % (labels[n], t) for n, t in zip(numbers, plain, strict=True)]
        return [
            b"%b%b %b\n" % (labels[number], self._time_text(time_ns).encode(), text)
            for time_ns, number, text in zip(times, numbers, plain, strict=True)
        ]

    def _json_line(self, time_ns: int, origin: Origin, text: bytes) -> bytes:
        value = {
            "time": self._time_text(time_ns),
            "service": origin.service,
            "stream": origin.source,
            "text": text.decode(),
        }
        return json.dumps(value, ensure_ascii=False).encode() + b"\n"

    def _label(self, origin: Origin) -> bytes:
        label = f"{sanitize(origin.label):<{self._width}}"
        if self._colours:
            number = self._colour_of.setdefault(label, len(self._colour_of))
            label = f"\x1b[{36 - number % 6}m{label}\x1b[0m"
        return f"{label} | ".encode()

    def _time_text(self, time_ns: int) -> str:
        seconds, rest = divmod(time_ns, 1_000_000_000)
        if seconds != self._second[0]:
            moment = datetime.fromtimestamp(seconds).astimezone()
            self._second = (seconds, f"{moment:%Y-%m-%dT%H:%M:%S}", f"{moment:%z}")
        return f"{self._second[1]}.{rest // 1_000_000:03d}{self._second[2]}"
