"""The commands in a shell text, as far as their words tell what they read and write.

No shell: a scanner for the words, separators and redirections of POSIX shell, which gives up
nothing and evaluates nothing. Substitutions stay in the words as written.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping

from devenv.values import dataclass, replace

_SEPARATORS = frozenset(";&|\n()")
_KEYWORD_WORDS = """
    if then else elif fi for while until do done case esac { } ! time exec command builtin nohup
    sudo eatmydata dumb-init tini -- /sbin/tini /usr/bin/tini /usr/bin/dumb-init"""
_KEYWORDS = frozenset(_KEYWORD_WORDS.split())
_ASSIGNMENT = re.compile(r"^[A-Za-z_]\w*=")
_SHELLS = frozenset(("sh", "bash", "ash", "dash", "zsh", "/bin/sh", "/bin/bash", "/bin/ash"))
_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::?-([^}]*))?\}|(\w+))")
_MAX_DEPTH = 4


@dataclass(frozen=True, slots=True)
class Command:
    """One simple command: its words unquoted, and the directory in which it runs."""

    words: tuple[str, ...]
    directory: str
    written: tuple[str, ...] = ()
    """Targets of `>` and `>>`, as written."""
    read: tuple[str, ...] = ()
    """Sources of `<`, as written."""

    @property
    def program(self) -> str:
        """The program's name without its directories."""
        return posixpath.basename(self.words[0])

    def path(self, word: str) -> str:
        """A word as an absolute path, seen from where the command runs."""
        return posixpath.normpath(posixpath.join(self.directory, word))


def parse_commands(
    text: str, directory: str, environment: Mapping[str, str] | None = None
) -> list[Command]:
    """The simple commands of a shell text in order; `cd` moves those after it.

    Branches of an `if` or `&&` whose test is known to fail are left out.
    """
    return _Parser(dict(environment or {})).parse(text, directory, 0)


def parse_script(
    text: str,
    directory: str,
    environment: Mapping[str, str] | None = None,
    arguments: tuple[str, ...] = (),
) -> list[Command]:
    """The commands of a script's text; functions count where they are called, or are named by
    the first argument of a script that passes its arguments on."""
    parser = _Parser(dict(environment or {}))
    text = _FUNCTION.sub(parser.take_function, text)
    found = parser.parse(text, directory, 0)
    if arguments and arguments[0] in parser.functions and "$" in text:
        body = parser.functions[arguments[0]].replace('"$@"', " ".join(arguments[1:]))
        found += parser.parse(body.replace('"${@}"', " ".join(arguments[1:])), directory, 1)
    return found


_FUNCTION = re.compile(
    r"^(?:function[ \t]+)?([\w:.-]+)[ \t]*(?:\([ \t]*\))?[ \t]*\n?\{[ \t]*\n(.*?)^\}", re.M | re.S
)


class _Parser:
    """Follows directories, variables and tests through a text."""

    def __init__(self, values: dict[str, str]) -> None:
        self._values = values
        self.functions: dict[str, str] = {}

    def take_function(self, match: re.Match[str]) -> str:
        self.functions[match[1]] = match[2]
        return ""

    def parse(self, text: str, directory: str, depth: int) -> list[Command]:
        values = self._values
        found: list[Command] = []
        branches: list[bool | None] = []
        """For each open `if`: whether the present branch runs, None where that is not known."""
        skips = False
        for words, written, read, operator in _split(text):
            if words and words[0] in ("if", "elif", "else", "fi"):
                self._branch(words, branches)
                if words[0] in ("if", "elif", "fi"):
                    skips = False
                    continue
            left_out = skips
            if operator not in ("&&", "||"):
                skips = False
            if left_out or False in branches:
                continue
            expanded = _strip([_expand(word, values) for word in words], values)
            if not expanded:
                continue
            holds = _holds(expanded)
            if holds is not None:
                skips = (holds and operator == "||") or (not holds and operator == "&&")
                continue
            command = Command(
                tuple(expanded),
                directory,
                tuple(_expand(w, values) for w in written),
                tuple(_expand(r, values) for r in read),
            )
            if command.program == "cd" and len(expanded) > 1 and "$" not in expanded[1]:
                directory = command.path(expanded[1])
                continue
            inner = _inner_script(command)
            if inner is None:
                inner = self.functions.get(expanded[0])
            if inner is not None and depth < _MAX_DEPTH:
                found += self.parse(inner, directory, depth + 1)
            else:
                found.append(command)
        return found

    def _branch(self, words: list[str], branches: list[bool | None]) -> None:
        """Open, turn or close a branch."""
        if words[0] == "fi":
            del branches[-1:]
        elif words[0] == "if":
            branches.append(_holds([_expand(word, self._values) for word in words[1:]]))
        elif branches:
            before = branches[-1]
            if words[0] == "else":
                branches[-1] = None if before is None else not before
            elif before is False:
                branches[-1] = _holds([_expand(word, self._values) for word in words[1:]])
            elif before is True:
                branches[-1] = False


def _holds(words: list[str]) -> bool | None:
    """Whether a test of two known texts holds; None for what is no such test."""
    if words[:1] not in (["["], ["[["], ["test"]):
        return None
    inner = [word for word in words[1:] if word not in ("]", "]]")]
    if any("$" in word for word in inner):
        return None
    negated = inner[:1] == ["!"]
    if negated:
        inner = inner[1:]
    found: bool | None = None
    if len(inner) == 3 and inner[1] in ("=", "=="):
        found = inner[0] == inner[2]
    elif len(inner) == 3 and inner[1] == "!=":
        found = inner[0] != inner[2]
    elif len(inner) == 2 and inner[0] in ("-n", "-z"):
        found = (inner[1] != "") is (inner[0] == "-n")
    return found if found is None or not negated else not found


def from_words(words: Iterable[str], directory: str) -> list[Command]:
    """The commands of an exec form: one, or those of the script that it gives to a shell."""
    words = tuple(_strip(list(words), {}))
    if not words:
        return []
    command = Command(words, directory)
    inner = _inner_script(command)
    return [command] if inner is None else parse_commands(inner, directory)


def _inner_script(command: Command) -> str | None:
    """The script of `sh -c SCRIPT`, None for anything else."""
    if command.words[0] not in _SHELLS and command.program not in _SHELLS:
        return None
    for index, word in enumerate(command.words[1:], 1):
        if word.startswith("-") and not word.startswith("--") and "c" in word:
            rest = command.words[index + 1 :]
            return rest[0] if rest else None
        if not word.startswith(("-", "+")):
            return None
    return None


def _strip(words: list[str], values: dict[str, str]) -> list[str]:
    """Without keywords, assignments and wrappers that run what follows them."""
    while words:
        first = words[0]
        if first in _KEYWORDS:
            words = words[1:]
        elif _ASSIGNMENT.match(first):
            name, _, value = first.partition("=")
            values[name] = value
            words = words[1:]
        elif posixpath.basename(first) == "env":
            words = [w for w in words[1:] if not w.startswith("-") or w == "--"]
        elif first == "export" and len(words) > 1:
            for word in words[1:]:
                name, equals, value = word.partition("=")
                if equals:
                    values[name] = value
            return []
        elif first in ("gosu", "su-exec", "chroot", "timeout", "nice") and len(words) > 2:
            words = words[2:]
        elif first == "xargs":
            words = [w for w in words[1:] if not w.startswith("-")]
        else:
            break
    return words


def _expand(word: str, values: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        name = match[1] or match[3]
        return values.get(name, match[2] if match[2] is not None else match[0])

    return _VARIABLE.sub(value, word) if "$" in word else word


def _split(text: str) -> list[tuple[list[str], list[str], list[str], str]]:
    """Simple commands as words, targets of output, sources of input, and the operator after."""
    commands: list[tuple[list[str], list[str], list[str], str]] = []
    current: tuple[list[str], list[str], list[str]] = ([], [], [])
    place = 0
    """Which of the three the next word belongs to."""
    word: list[str] = []
    started = False
    depth = 0
    index = 0
    text = text.replace("\\\n", " ")

    def end_word() -> None:
        nonlocal word, started, place
        if started:
            current[place].append("".join(word))
            place = 0
        word, started = [], False

    while index < len(text):
        char = text[index]
        following = text[index + 1 : index + 2]
        if char == "\\" and following:
            word.append(following)
            started = True
            index += 2
            continue
        if char in "'\"":
            end = _closing(text, index)
            word.append(text[index + 1 : end])
            started = True
            index = end + 1
            continue
        if char == "$" and following == "(":
            end = _matching(text, index + 1)
            word.append(text[index : end + 1])
            started = True
            index = end + 1
            continue
        if char == "#" and not started:
            newline = text.find("\n", index)
            index = len(text) if newline < 0 else newline
            continue
        if char in "<>" and depth == 0:
            if started and "".join(word).isdigit():
                word, started = [], False
            end_word()
            index += 1
            while text[index : index + 1] in ("<", ">", "&", "|") and text[index : index + 1]:
                if text[index] == "&":
                    index += 1
                    while text[index : index + 1].isdigit() or text[index : index + 1] == "-":
                        index += 1
                    place = -1
                    break
                index += 1
            place = 0 if place == -1 else (1 if char == ">" else 2)
            continue
        if char in _SEPARATORS:
            end_word()
            place = 0
            operator = char + following if following == char and char in "&|" else char
            if any(current):
                commands.append((*current, operator))
            current = ([], [], [])
            index += len(operator)
            continue
        if char.isspace():
            end_word()
            index += 1
            continue
        word.append(char)
        started = True
        index += 1
    end_word()
    if any(current):
        commands.append((*current, ""))
    return commands


def _closing(text: str, start: int) -> int:
    quote = text[start]
    index = start + 1
    while index < len(text) and text[index] != quote:
        index += 2 if text[index] == "\\" and quote == '"' else 1
    return min(index, len(text))


def _matching(text: str, start: int) -> int:
    depth = 0
    for index in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[index], 0)
        if depth == 0:
            return index
    return len(text)


def in_directory(command: Command, directory: str) -> Command:
    """The same command, run elsewhere."""
    return replace(command, directory=directory)
