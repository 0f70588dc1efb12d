"""What a service's start command tells: whether its program loads changes by itself, and
which manifests it installs from at each start.

A guess from the words: followed through start scripts, package.json scripts, make and Procfile.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from enum import StrEnum

from devenv.compose.watch.programs import (
    COMPILERS,
    EACH_REQUEST,
    IDLE,
    KEEPS,
    RELOADS,
    SCRIPT_RELOADS,
    SCRIPT_WATCHES,
    SERVER_IMAGES,
    SERVERS,
    asks_for_reload,
)
from devenv.compose.watch.shell import Command, in_directory, parse_commands, parse_script
from devenv.compose.watch.start_scripts import (
    follow_make,
    follow_package,
    follow_procfile,
    follow_several,
)
from devenv.compose.watch.tools import Effect, Scene, resolve_effect
from devenv.compose.watch.tools.javascript import MANAGERS
from devenv.compose.watch.tools.system import is_of_system
from devenv.values import dataclass

_MAX_DEPTH = 6
_MAX_COMMANDS = 400
_RUNNERS = {
    "poetry": ("run",),
    "uv": ("run",),
    "pipenv": ("run",),
    "pdm": ("run",),
    "hatch": ("run",),
    "rye": ("run",),
    "bundle": ("exec",),
    "npx": (),
    "bunx": (),
    "cross-env": (),
    "dotenv": (),
    "dotenvx": ("run",),
    "ddtrace-run": (),
    "newrelic-admin": ("run-program",),
    "opentelemetry-instrument": (),
    "spring": (),
    "catchsegv": (),
    "stdbuf": (),
    "watchful": (),
}


class Loading(StrEnum):
    """What the running program does with a changed file."""

    RELOADS = "reloads"
    KEEPS = "keeps"
    IDLE = "idle"
    """There is no program that loads files: it only waits, for someone to run one in it."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Start:
    """What is known of a service's start."""

    loading: Loading
    word: str = ""
    """The words of the command that decided, shortened."""
    installs: tuple[Effect, ...] = ()
    scripts: tuple[str, ...] = ()
    """Container paths of the scripts that the start runs."""
    named: frozenset[str] = frozenset()
    """Container paths of all files that its commands name, their programs too."""
    each_request: bool = False
    """A server that reads a file when it is asked for, and its configuration only at start."""
    is_server: bool = False
    """Another server: of what it has only its configuration is read, at start."""

    @property
    def program(self) -> str:
        """The first of the words that is no option."""
        return next((one for one in self.word.split() if not one.startswith("-")), "")

    @property
    def how(self) -> str:
        """Why the program has a changed file without a restart; "" where that is not known."""
        if self.loading is Loading.IDLE:
            return f"{self.program} only waits, and loads nothing"
        if self.loading is not Loading.RELOADS or not self.program:
            return ""
        if self.each_request:
            return f"{self.program} reads it when it is asked for"
        return f"{self.program} loads changes by itself"


def resolve_start(
    commands: tuple[Command, ...],
    text: Callable[[str], str | None],
    environment: Mapping[str, str],
    image: str | None,
) -> Start:
    """What the start of a service tells. `text` gives files by their path in the container."""
    reader = _Reader(text, dict(environment))
    for command in commands:
        reader.take(command, 0)
    known = (tuple(reader.installs), tuple(reader.scripts), frozenset(reader.named))
    decided = reader.decide()
    if decided is not None:
        return Start(
            decided.loading, decided.words[:60], *known, decided.each_request, decided.is_server
        )
    name = posixpath.basename((image or "").split("@")[0]).split(":")
    tag = name[1] if len(name) > 1 else ""
    is_server = name[0] in SERVER_IMAGES or (name[0] == "php" and re.search("apache|fpm", tag))
    if is_server and not commands:
        return Start(Loading.RELOADS, name[0], each_request=True)
    return Start(Loading.UNKNOWN, "", *known)


@dataclass(frozen=True, slots=True)
class _Found:
    """What one command of the start tells."""

    loading: Loading
    words: str
    each_request: bool = False
    is_server: bool = False
    is_compiler: bool = False
    """It watches sources, and another program runs what it makes of them."""


class _Reader:
    def __init__(self, text: Callable[[str], str | None], environment: dict[str, str]) -> None:
        self._text = text
        self._environment = environment
        self.found: list[_Found] = []
        self.named: set[str] = set()
        self.installs: list[Effect] = []
        self.scripts: list[str] = []
        self.has_unknown = False
        """Whether there is a program of which nothing is known."""
        self._count = 0

    def take(self, command: Command, depth: int) -> None:
        """Look at one command, and at what it runs in turn."""
        self._count += 1
        if depth > _MAX_DEPTH or self._count > _MAX_COMMANDS:
            return
        command = _unwrap(command)
        words = _named(command)
        effect = resolve_effect(command, Scene(self._environment, self._text))
        if effect.installs:
            self.installs.append(effect)
            return
        if self._follow(command, depth):
            return
        self.named |= {command.path(word) for word in command.words if "/" in word or "." in word}
        found = self._judge(command, words)
        if found is not None:
            self.found.append(found)
        elif not (is_of_system(command) or KEEPS.match(words)):
            self.has_unknown = True

    def _judge(self, command: Command, words: str) -> _Found | None:
        """What one command says by its own words, or by the file that it runs."""
        if IDLE.match(words):
            return _Found(Loading.IDLE, words)
        if EACH_REQUEST.match(words):
            return _Found(Loading.RELOADS, words, each_request=True)
        if is_of_system(command):
            return None
        if RELOADS.search(words) and "--noreload" not in words and "--no-reload" not in words:
            is_compiler = COMPILERS.match(words) is not None
            return _Found(Loading.RELOADS, words, is_compiler=is_compiler)
        if SERVERS.match(words):
            return _Found(Loading.UNKNOWN, words, is_server=True)
        if asks_for_reload(words, self._environment) or self._script_reloads(command):
            return _Found(Loading.RELOADS, words)
        if KEEPS.match(words) and not _is_task(command):
            return _Found(Loading.KEEPS, words)
        return None

    def decide(self) -> _Found | None:
        """The command that tells for all of the start; None where none does."""
        for loading, is_compiler in (
            (Loading.RELOADS, False),
            (Loading.KEEPS, False),
            (Loading.UNKNOWN, False),
            (Loading.RELOADS, True),
        ):
            for one in self.found:
                if one.loading is loading and one.is_compiler is is_compiler:
                    return one
        waits = [one for one in self.found if one.loading is Loading.IDLE]
        return waits[-1] if waits and not self.has_unknown else None

    def _script_reloads(self, command: Command) -> bool:
        """Whether the file that Python runs, or the settings of gunicorn, turn reloading on."""
        if command.program == "gunicorn":
            return self._gunicorn_reloads(command)
        pattern = SCRIPT_RELOADS if command.program.startswith("python") else SCRIPT_WATCHES
        suffixes = (".py",) if pattern is SCRIPT_RELOADS else (".js", ".mjs", ".cjs", ".ts")
        if pattern is SCRIPT_WATCHES and command.program not in ("node", "bun", "tsx", "deno"):
            return False
        script = next((w for w in command.words[1:] if w.endswith(suffixes)), None)
        text = self._text(command.path(script)) if script else None
        return text is not None and pattern.search(text) is not None

    def _gunicorn_reloads(self, command: Command) -> bool:
        name = "gunicorn.conf.py"
        for index, word in enumerate(command.words[:-1]):
            if word in ("-c", "--config"):
                name = command.words[index + 1]
        if name.startswith("python:"):
            name = name.removeprefix("python:").replace(".", "/") + ".py"
        text = self._text(command.path(name)) or ""
        setting = re.search(r"^\s*reload\s*=\s*(.+)$", text, re.M)
        if setting is None or setting[1].strip() == "False":
            return False
        wanted = re.search(r"[\"'](\w*RELOAD\w*)[\"']", setting[1])
        value = self._environment.get(wanted[1], "") if wanted else "true"
        return value.lower() in ("1", "true", "yes", "on")

    def _follow(self, command: Command, depth: int) -> bool:
        """Look into what the command runs; whether there was something to look into."""
        inner: list[Command] = []
        program, words = command.program, command.words
        if program in MANAGERS:
            inner = follow_package(command, self._text, self._environment)
        elif program in ("concurrently", "npm-run-all", "run-p", "run-s", "wait-on"):
            inner = follow_several(command, self._text, self._environment)
        elif program == "make" and len(words) > 1:
            inner = follow_make(command, self._text, self._environment)
        elif program in ("honcho", "foreman", "overmind", "hivemind", "goreman"):
            inner = follow_procfile(command, self._text, self._environment)
        else:
            inner = self._script(command)
        for one in inner:
            self.take(one, depth + 1)
        return bool(inner)

    def _script(self, command: Command) -> list[Command]:
        """The commands of a shell script that is run by its path."""
        words = command.words
        is_shell = command.program in ("sh", "bash", "ash", "dash", "zsh", ".", "source")
        if is_shell:
            words = tuple(word for word in words[1:] if not word.startswith("-"))
        if not words or not (is_shell or "/" in words[0] or words[0].endswith(".sh")):
            return []
        path = command.path(words[0])
        text = self._text(path)
        if text is None and "/" not in words[0]:
            for directory in ("/usr/local/bin", "/usr/bin", "/bin", "/"):
                path = posixpath.join(directory, words[0])
                text = self._text(path)
                if text is not None:
                    break
        if text is None:
            if words[0].endswith(".sh"):
                self.scripts.append(command.path(words[0]))
            rest = _rest(command, words[1:])
            if any(self._judge(one, _named(one)) for one in rest):
                return rest
            return [] if self._judge(command, _named(command)) else rest
        if not (is_shell or _is_shell_script(text)):
            return []
        self.scripts.append(path)
        inner = parse_script(text, command.directory, self._environment, words[1:])
        return [*inner, *_rest(command, words[1:])]


def _named(command: Command) -> str:
    """The words of a command, its program without directories."""
    return " ".join((command.program, *command.words[1:]))


def _rest(command: Command, words: tuple[str, ...]) -> list[Command]:
    """What an entrypoint script is given to run: `"$@"`."""
    if not words:
        return []
    if len(words) == 1 and " " in words[0]:
        return parse_commands(words[0], command.directory)
    return [Command(words, command.directory)]


def _is_shell_script(text: str) -> bool:
    first = text.split("\n", 1)[0]
    return first.startswith("#!") and re.search(r"\b(?:ba|da|a|z)?sh\b", first) is not None


_TASKS = re.compile(
    r"\b(?:migrate|collectstatic|db:\w+|upgrade|makemigrations|wait[-_]for\w*|alembic|prisma|seed"
    r"|createsuperuser|compilemessages|init[-_]db|pre_?start|prestart|check|loaddata)\b"
)


def _is_task(command: Command) -> bool:
    """Whether a command is done before the program itself runs, such as a migration."""
    return _TASKS.search(" ".join(command.words[1:3])) is not None or (
        len(command.words) < 2 and command.program in ("node", "python", "python3", "java")
    )


def _unwrap(command: Command) -> Command:
    """Without what runs a command in another environment, or after waiting."""
    words = list(command.words)
    for _ in range(4):
        program = posixpath.basename(words[0])
        if program in _RUNNERS:
            verbs = _RUNNERS[program]
            if verbs and (len(words) < 3 or words[1] not in verbs):
                break
            rest = words[1 + bool(verbs) :]
            while len(rest) > 1 and (rest[0].startswith("-") or "=" in rest[0]):
                rest = rest[1:]
            if not rest:
                break
            words = rest
        elif "--" in words[1:-1] and re.search("wait|dockerize|retry|with", program):
            words = words[words.index("--") + 1 :]
        elif program.startswith("python") and words[1:2] == ["-m"] and len(words) > 2:
            if words[2] in ("http", "http.server"):
                break
            module = words[2]
            if module in ("flask", "uvicorn", "gunicorn", "celery", "pip", "watchfiles"):
                words = words[2:]
            break
        else:
            break
    return in_directory(Command(tuple(words), command.directory), command.directory)
