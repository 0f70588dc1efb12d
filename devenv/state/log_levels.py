"""How severe a log line says it is, by the forms that common loggers write. Pure."""

from __future__ import annotations

import re
from enum import IntEnum

LOOK_BYTES = 400
"""How much of a line is looked at: levels stand at its start."""


class Level(IntEnum):
    """Ascending severity; NONE: the line says nothing."""

    NONE = 0
    TRACE = 1
    DEBUG = 2
    INFO = 3
    WARN = 4
    ERROR = 5
    FATAL = 6


LEVEL_NAMES = tuple(level.name.lower() for level in Level if level)

_WORDS: dict[bytes, Level] = {
    b"trace": Level.TRACE,
    b"verbose": Level.TRACE,
    b"debug": Level.DEBUG,
    b"info": Level.INFO,
    b"information": Level.INFO,
    b"notice": Level.INFO,
    b"log": Level.INFO,
    b"warn": Level.WARN,
    b"warning": Level.WARN,
    b"err": Level.ERROR,
    b"error": Level.ERROR,
    b"severe": Level.ERROR,
    b"alert": Level.FATAL,
    b"crit": Level.FATAL,
    b"critical": Level.FATAL,
    b"emerg": Level.FATAL,
    b"emergency": Level.FATAL,
    b"fatal": Level.FATAL,
    b"panic": Level.FATAL,
}
_NAMES = rb"TRACE|VERBOSE|DEBUG|INFO|NOTICE|LOG|WARN(?:ING)?|ERR(?:OR)?|SEVERE|ALERT|CRIT(?:ICAL)?"
_NAMES += rb"|EMERG(?:ENCY)?|FATAL|PANIC"
_KEY = rb"(?:log\.?level|levelname|level|lvl|severity)"
_LEVEL = re.compile(
    rb'"' + _KEY + rb'"\s*:\s*(?:"(?P<json>[A-Za-z]+)"|(?P<number>\d0))'  # JSON; pino's numbers
    rb"|\b" + _KEY + rb"=\"?(?P<logfmt>[A-Za-z]+)"
    rb"|(?:^|[\s\[(|<])(?P<upper>" + _NAMES + rb")(?=[\s\])|>:,]|$)"
    rb"|(?:^|[\s\[(|<])(?P<lower>" + _NAMES.lower() + rb")(?=[\])|>:])"
    rb"|^(?P<letter>[IWEF])\d{4} \d\d:"  # klog
    rb"|^(?P<raised>Traceback \(most|panic: |Unhandled |Uncaught |npm ERR!"
    rb"|(?:[A-Za-z_][\w.]*\.)?\w*(?:Error|Exception)(?:: |$))"
)
_LETTERS = {b"I": Level.INFO, b"W": Level.WARN, b"E": Level.ERROR, b"F": Level.FATAL}
_NUMBERS = {10: Level.TRACE, 20: Level.DEBUG, 30: Level.INFO, 40: Level.WARN, 50: Level.ERROR}
_CONTINUES = re.compile(
    rb"\s+\S|\tat |at [\w.$<>]+\(|Caused by: |\.\.\. \d+ more|goroutine \d+|"
    rb"During handling of the above|The above exception was|[}\])]+[,;]?$"
)


def find_level(text: bytes) -> Level:
    """The level that a plain line names first."""
    found = _LEVEL.search(text[:LOOK_BYTES])
    if found is None:
        return Level.NONE
    kind, word = found.lastgroup, found[found.lastgroup or 0]
    if kind == "number":
        return _NUMBERS.get(int(word), Level.FATAL)
    if kind == "letter":
        return _LETTERS[word]
    if kind == "raised":
        return Level.ERROR
    return _WORDS.get(word.lower(), Level.NONE)


def continues(text: bytes) -> bool:
    """Whether a line goes on with the one before it: indented, or a frame of a stack trace."""
    return _CONTINUES.match(text) is not None


_SEVERE_WORDS = tuple(
    b"err fatal crit panic alert severe emerg exception uncaught unhandled traceback".split()
)
_SEVERE_LETTERS = (b"\nE", b"\nF")


def may_be_severe(text: bytes) -> bool:
    """Whether any line of a joined text may be an error; quick, and never wrongly False."""
    lower = text.lower()
    if any(word in lower for word in _SEVERE_WORDS) or text[:1] in (b"E", b"F"):
        return True
    return any(letter in text for letter in _SEVERE_LETTERS) or b'"' in text
