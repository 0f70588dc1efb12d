"""Bytes of the engine's log and attach streams, turned into lines.

Pure and incremental: bytes in, whole lines out, whatever the size of the chunks. Owns the
8-byte framing, the raw stream of a TTY container and the engine's timestamps; sockets are
`api.py`'s part.
Spec: Docker Engine API, ContainerAttach, "Stream format".
"""

from __future__ import annotations

import re
import struct
from calendar import timegm

LogLine = tuple[str, int, bytes]
"""Stream (`stdout` or `stderr`), time in ns since the epoch (0: unknown), line without its end."""

MAX_LINE_BYTES = 1 << 20
_MIN_LINE_BYTES = 64
_WHOLE_FRAME_BYTES = 1 << 16
"""Frames up to this size are held until complete; the engine's log frames are about 16 KiB."""
_PIECE_BYTES = 1 << 14
"""The engine's piece of a longer line. Source: moby daemon/logger/copier.go."""
_STAMP_BYTES = 40
"""More than the longest RFC 3339 time with its blank."""
_HEADER = struct.Struct(">B3sL")
_NAMES = {0: "stdout", 1: "stdout", 2: "stderr", 3: "stderr"}
_NEWLINE = 10


def parse_timestamp(text: bytes) -> int | None:
    """Nanoseconds since the epoch of an RFC 3339 time (0 to 9 decimals, `Z` or an offset)."""
    try:
        if text[4:5] != b"-" or text[10:11] != b"T":
            return None
        seconds = timegm(
            (
                int(text[0:4]),
                int(text[5:7]),
                int(text[8:10]),
                int(text[11:13]),
                int(text[14:16]),
                int(text[17:19]),
            )
        )
        rest = text[19:]
        nanos = 0
        if rest[:1] == b".":
            end = 1
            while rest[end : end + 1].isdigit():
                end += 1
            nanos = int(rest[1:end][:9].ljust(9, b"0"))
            rest = rest[end:]
        if rest == b"Z":
            return seconds * 1_000_000_000 + nanos
        if len(rest) != 6 or rest[:1] not in (b"+", b"-"):
            return None
        offset = int(rest[1:3]) * 3600 + int(rest[4:6]) * 60
        seconds += -offset if rest[:1] == b"+" else offset
        return seconds * 1_000_000_000 + nanos
    except ValueError:
        return None


_LINE_FRAME = re.compile(rb"([\x01\x02])\0\0\0(....)(.{19})\.(\d{9})Z ([^\n]*)\n", re.DOTALL)
_FRAME_EXTRA = 32
"""A frame's time, blank and newline."""
_KINDS = {b"\x01": "stdout", b"\x02": "stderr"}
_STAMP = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z ")

_JOINT = re.compile(rb"\r(?=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z )")
"""Where the `local` driver forgot the newline after a long line of a TTY container."""


def _whole_second(text: bytes) -> int:
    """Nanoseconds of a time without its fraction. Raises ValueError."""
    found = parse_timestamp(text + b"Z")
    if found is None:
        raise ValueError(text)
    return found


class _Partial:
    """A line of one stream whose end has not come."""

    __slots__ = ("data", "started", "time")

    def __init__(self) -> None:
        self.data = bytearray()
        self.started = False
        """A first piece of this line was given out already."""
        self.time = 0


class Demux:
    """An incremental decoder of one log stream.

    `tty` streams are raw bytes, all of them stdout; others are framed. With `timestamps` each
    line starts with the engine's time. Lines longer than `max_line_bytes` come in pieces of
    that size. A stream that is not framed after all is read as raw.
    """

    def __init__(
        self, *, tty: bool = False, timestamps: bool = True, max_line_bytes: int = MAX_LINE_BYTES
    ) -> None:
        self._raw = tty
        self._timestamps = timestamps
        self._max = max(max_line_bytes, _MIN_LINE_BYTES)
        self._buffer = b""
        self._left = 0
        """Bytes still to come of a frame that is too large to hold."""
        self._name = "stdout"
        self._partial = {"stdout": _Partial(), "stderr": _Partial()}
        self._second = b""
        self._second_ns = 0

    def feed(self, data: bytes) -> list[LogLine]:
        """The lines that `data` completes, in order of their end."""
        out: list[LogLine] = []
        if self._raw:
            self._text("stdout", data, out)
            return out
        buffer = self._buffer + data if self._buffer else data
        end = len(buffer)
        at = 0
        if self._timestamps and not self._left and not self._is_inside_line():
            at = self._whole_lines(buffer, out)
        unpack = _HEADER.unpack_from
        partials = self._partial
        while at < end:
            if self._left:
                part = buffer[at : at + self._left]
                at += len(part)
                self._left -= len(part)
                self._text(self._name, part, out)
                continue
            if end - at < 8:
                break
            kind, zeros, size = unpack(buffer, at)
            if kind > 3 or zeros != b"\0\0\0":
                self._raw = True
                self._buffer = b""
                self._text("stdout", buffer[at:], out)
                return out
            start = at + 8
            stop = start + size
            if stop > end:
                if size <= _WHOLE_FRAME_BYTES or end - start < _STAMP_BYTES:
                    break
                stop = end
                self._left = size - (end - start)
            name = self._name = _NAMES[kind]
            at = stop
            partial = partials[name]
            if partial.data or partial.started:
                self._text(name, self._without_stamp(buffer[start:stop]), out)
                if self._is_last_piece(buffer, start, stop, size):
                    self._end_line(name, partial, b"", out)
            elif buffer.find(b"\n", start, stop) == stop - 1 and start < stop <= start + self._max:
                # Nearly every frame is one whole line.
                out.append(self._line(name, buffer[start : stop - 1]))
            else:
                self._text(name, buffer[start:stop], out)
                if self._is_last_piece(buffer, start, stop, size):
                    self._end_line(name, partial, b"", out)
        self._buffer = buffer[at:]
        return out

    def _is_inside_line(self) -> bool:
        return any(partial.data or partial.started for partial in self._partial.values())

    def _whole_lines(self, buffer: bytes, out: list[LogLine]) -> int:
        """Take the frames at the start that are one line each, all at once; how many bytes.

        Nearly every frame is. Each size is held against what was found, so a frame that is not
        ends this, and the rest is looked at one by one.
        """
        found = _LINE_FRAME.findall(buffer)
        if not found:
            return 0
        kinds, sizes, seconds, fractions, texts = zip(*found, strict=True)
        if not buffer.startswith(kinds[0] + b"\0\0\0" + sizes[0]):
            return 0
        said = struct.unpack(f">{len(found)}L", b"".join(sizes))
        seen = [len(text) + _FRAME_EXTRA for text in texts]
        count = len(found)
        if list(said) != seen or max(seen) > self._max:
            count = next(
                (
                    n
                    for n, (a, b) in enumerate(zip(said, seen, strict=True))
                    if a != b or b > self._max
                ),
                count,
            )
        total = int(sum(said[:count])) + 8 * count
        last = count - 1
        start = total - said[last] - 8
        if count < 1 or not buffer.startswith(kinds[last] + b"\0\0\0" + sizes[last], start):
            return 0
        try:
            bases = {second: _whole_second(second) for second in set(seconds[:count])}
            times = [
                bases[second] + int(fraction)
                for second, fraction in zip(seconds[:count], fractions[:count], strict=True)
            ]
        except ValueError:
            return 0
        names = [_KINDS[kind] for kind in kinds[:count]]
        out += zip(names, times, texts[:count], strict=True)
        return total

    def _is_last_piece(self, buffer: bytes, start: int, stop: int, size: int) -> bool:
        """Whether a frame without a newline ends its line all the same: a process has ended
        there. The engine cuts a long line only into full pieces."""
        if not self._timestamps or stop - start != size or not 0 < size < _PIECE_BYTES:
            return False
        return buffer[stop - 1] != _NEWLINE

    def finish(self) -> list[LogLine]:
        """The last lines, which have no newline; the stream has ended."""
        out: list[LogLine] = []
        if self._buffer:
            # A cut frame: what came of its text is still a line's start.
            name = _NAMES.get(self._buffer[0], "stdout")
            rest, self._buffer = self._buffer[8:], b""
            self._text(name, rest, out)
        for name, partial in self._partial.items():
            if partial.data:
                self._emit(name, partial, bytes(partial.data), out)
            partial.data.clear()
            partial.started = False
        return out

    def _text(self, name: str, data: bytes, out: list[LogLine]) -> None:
        """Take text of one stream: give out its whole lines, keep the rest."""
        partial = self._partial[name]
        if data and b"\n" in data:
            *lines, rest = data.split(b"\n")
            for line in lines:
                self._end_line(name, partial, line, out)
            data = rest
        if data:
            partial.data += data
            self._cut(name, partial, out)

    def _end_line(self, name: str, partial: _Partial, end: bytes, out: list[LogLine]) -> None:
        partial.data += end
        self._cut(name, partial, out)
        self._emit(name, partial, bytes(partial.data), out)
        partial.data.clear()
        partial.started = False

    def _cut(self, name: str, partial: _Partial, out: list[LogLine]) -> None:
        while len(partial.data) > self._max:
            self._emit(name, partial, bytes(partial.data[: self._max]), out)
            del partial.data[: self._max]
            partial.started = True

    def _emit(self, name: str, partial: _Partial, text: bytes, out: list[LogLine]) -> None:
        if self._raw and text[-1:] == b"\r":
            text = text[:-1]
        more: list[bytes] = []
        if self._raw and self._timestamps and len(text) > _PIECE_BYTES:
            text, *more = _JOINT.split(_without_piece_stamps(text))
        if partial.started:
            out.append((name, partial.time, text))
        else:
            line = self._line(name, text)
            partial.time = line[1]
            out.append(line)
        out += [self._line(name, other) for other in more]

    def _line(self, name: str, text: bytes) -> LogLine:
        """Split the time off a line; the engine writes 30 bytes and a blank."""
        if not self._timestamps:
            return name, 0, text
        if text[29:31] == b"Z ":
            second = text[:19]
            if second != self._second:
                whole = parse_timestamp(second + b"Z")
                if whole is None:
                    return name, 0, text
                self._second, self._second_ns = second, whole
            digits = text[20:29]
            if digits.isdigit():
                return name, self._second_ns + int(digits), text[31:]
        stamp, blank, rest = text[:_STAMP_BYTES].partition(b" ")
        time = parse_timestamp(stamp)
        if time is None or not (blank or len(stamp) == len(text)):
            return name, 0, text
        return name, time, rest + text[_STAMP_BYTES:]

    def _without_stamp(self, data: bytes) -> bytes:
        """A frame that goes on with a line: the engine repeats the time at its start."""
        if not self._timestamps:
            return data
        stamp, blank, _ = data[:_STAMP_BYTES].partition(b" ")
        if blank and parse_timestamp(stamp) is not None:
            return data[len(stamp) + 1 :]
        return data


def _without_piece_stamps(text: bytes) -> bytes:
    """A long line of a TTY container: there the engine repeats the time before each piece."""
    pieces = []
    start, last = 0, None
    for found in _STAMP.finditer(text):
        # Only where a whole piece lies between: a program may print such times itself.
        whole = (
            found.start() <= _PIECE_BYTES if last is None else found.start() - last == _PIECE_BYTES
        )
        if found.start() and whole:
            pieces.append(text[start : found.start()])
            start = found.end()
        if whole:
            last = found.end()
    return b"".join((*pieces, text[start:]))
