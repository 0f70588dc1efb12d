"""The commands in a shell text, as far as their words tell what they read and write.

No shell: a scanner for the words, separators and redirections of POSIX shell, which gives up
nothing and evaluates nothing. Substitutions stay in the words as written.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping

from devenv.compose.watch.shell_words import find_substitutions, split_commands
from devenv.values import dataclass, replace

_KEYWORD_WORDS = """
    if then else elif fi for while until do done case esac { } ! time exec command builtin nohup
    sudo eatmydata dumb-init tini -- /sbin/tini /usr/bin/tini /usr/bin/dumb-init"""
_KEYWORDS = frozenset(_KEYWORD_WORDS.split())
_ASSIGNMENT = re.compile(r"^[A-Za-z_]\w*=")
_SHELLS = frozenset(("sh", "bash", "ash", "dash", "zsh", "/bin/sh", "/bin/bash", "/bin/ash"))
_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::?-([^}]*))?\}|(\w+))")
_MAX_DEPTH = 4
_MAX_LOOP = 40
_TESTS = ("[", "[[", "test", "which", "grep", "type")
_HANDS_ON = (
    "cat",
    "head",
    "tail",
    "sed",
    "awk",
    "grep",
    "cut",
    "jq",
    "yq",
    "sort",
    "tr",
    "sha256sum",
)
_OPENING = ("do", "then", "else", "{", "!")


@dataclass(frozen=True, slots=True)
class Command:
    """One simple command: its words unquoted, and the directory in which it runs."""

    words: tuple[str, ...]
    directory: str
    written: tuple[str, ...] = ()
    """Targets of `>` and `>>`, as written."""
    read: tuple[str, ...] = ()
    """Sources of `<`, as written."""
    is_certain: bool = True
    """Whether it runs whatever happens: not behind a test of which nothing is known."""

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
        self._loops: dict[str, tuple[str, ...]] = {}
        """Variables of `for` -> the words that they run through."""

    def take_function(self, match: re.Match[str]) -> str:
        self.functions[match[1]] = match[2]
        return ""

    def parse(self, text: str, directory: str, depth: int) -> list[Command]:
        values = self._values
        found: list[Command] = []
        branches: list[bool | None] = []
        """For each open `if`: whether the present branch runs, None where that is not known."""
        skips = False
        doubts = False
        outside: list[str] = []
        """Where it ran before each open `(`."""
        cases: list[bool] = []
        """For each open `case`: whether a pattern is what comes next."""
        for words, written, read, operator in split_commands(text):
            plain = _without_opening(words)
            if _take_case(plain, operator, cases):
                continue
            if operator == "(":
                outside.append(directory)
            elif operator == ")" and not words:
                directory = outside.pop() if outside else directory
            if plain[:1] == ["for"] and plain[2:3] == ["in"]:
                self._values.pop(plain[1], None)
                self._loops[plain[1]] = tuple(_expand(word, values) for word in plain[3:])
                continue
            is_certain = not (doubts or cases or None in branches)
            doubts = operator == "||" or (doubts and operator == "&&")
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
            found += self._substituted(words, directory)
            expanded = _strip([_expand(word, values) for word in words], values)
            if not expanded and (read or written):
                expanded = ["cat"]  # `done < LIST`: what the loop reads and writes
            if not expanded:
                continue
            holds = _holds(expanded)
            if holds is not None:
                skips = (holds and operator == "||") or (not holds and operator == "&&")
                continue
            if (expanded[0] in _TESTS or expanded[0] == "-v") and operator == "&&":
                doubts = True
            for one in self._each(expanded):
                command = Command(
                    tuple(one),
                    directory,
                    tuple(_expand(w, values) for w in written),
                    tuple(_expand(r, values) for r in read),
                    is_certain,
                )
                directory = self._take(command, directory, depth, found)
            if operator == ")" and outside:
                directory = outside.pop()
        return found

    def _substituted(self, words: list[str], directory: str) -> list[Command]:
        """What `$(…)` in the words reads: only of programs that hand on what they read."""
        inner = [text for word in words for text in find_substitutions(word)]
        return [
            command
            for text in inner
            for command in self.parse(text, directory, _MAX_DEPTH)
            if command.program in _HANDS_ON
        ]

    def _each(self, words: list[str]) -> list[list[str]]:
        """The words once for each value of the loop's variable that they name."""
        for name, items in self._loops.items():
            if any(found[1] == name or found[3] == name for w in words for found in _names(w)):
                return [[_expand(w, {name: item}) for w in words] for item in items[:_MAX_LOOP]]
        return [words]

    def _take(self, command: Command, directory: str, depth: int, found: list[Command]) -> str:
        """Add a command, or those that it stands for; the directory of what follows it."""
        words = command.words
        if command.program == "cd" and len(words) > 1 and "$" not in words[1]:
            return command.path(words[1])
        inner = _inner_script(command)
        if inner is None:
            inner = self.functions.get(words[0])
        if inner is not None and depth < _MAX_DEPTH:
            found += self.parse(inner, directory, depth + 1)
        else:
            found.append(command)
        return directory

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


def _without_opening(words: list[str]) -> list[str]:
    count = 0
    while count < len(words) and words[count] in _OPENING:
        count += 1
    return words[count:]


def _take_case(words: list[str], operator: str, cases: list[bool]) -> bool:
    """Whether the words are a part of `case … in PATTERN) … ;; esac`, and no command."""
    if words[:1] == ["case"]:
        # The first pattern stands in the same words: `case $x in a)`.
        cases.append(operator != ")" and "in" in words)
        return True
    if not cases:
        return False
    if words[:1] == ["esac"]:
        cases.pop()
        return True
    is_pattern = cases[-1] and operator in (")", "|")
    if is_pattern:
        cases[-1] = operator == "|"
    elif operator == ";;":
        cases[-1] = True
    return is_pattern


def _names(word: str) -> Iterable[re.Match[str]]:
    return _VARIABLE.finditer(word) if "$" in word else ()


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


def in_directory(command: Command, directory: str) -> Command:
    """The same command, run elsewhere."""
    return replace(command, directory=directory)
