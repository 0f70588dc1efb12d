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
    EACH_REQUEST,
    IDLE,
    KEEPS,
    RELOADS,
    SCRIPT_RELOADS,
    SCRIPT_WATCHES,
    SERVER_IMAGES,
    asks_for_reload,
)
from devenv.compose.watch.shell import Command, in_directory, parse_commands, parse_script
from devenv.compose.watch.tools import Effect, Scene, resolve_effect
from devenv.compose.watch.tools.javascript import MANAGERS, read_scripts
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
    each_request: bool = False
    """A server that reads a file when it is asked for, and its configuration only at start."""

    @property
    def program(self) -> str:
        """The first of the words that is no option."""
        return next((one for one in self.word.split() if not one.startswith("-")), "")


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
    found = reader.found
    for loading in (Loading.RELOADS, Loading.KEEPS):
        word = next((w for kind, w, _ in found if kind is loading), None)
        if word is not None:
            each = any(each for kind, _, each in found if kind is loading)
            return Start(
                loading, word[:60], tuple(reader.installs), tuple(reader.scripts), each_request=each
            )
    name = posixpath.basename((image or "").split("@")[0]).split(":")
    tag = name[1] if len(name) > 1 else ""
    is_server = name[0] in SERVER_IMAGES or (name[0] == "php" and re.search("apache|fpm", tag))
    if is_server and not commands:
        return Start(Loading.RELOADS, name[0], each_request=True)
    return Start(Loading.UNKNOWN, "", tuple(reader.installs), tuple(reader.scripts))


class _Reader:
    def __init__(self, text: Callable[[str], str | None], environment: dict[str, str]) -> None:
        self._text = text
        self._environment = environment
        self.found: list[tuple[Loading, str, bool]] = []
        self.installs: list[Effect] = []
        self.scripts: list[str] = []
        self._count = 0

    def take(self, command: Command, depth: int) -> None:
        """Look at one command, and at what it runs in turn."""
        self._count += 1
        if depth > _MAX_DEPTH or self._count > _MAX_COMMANDS:
            return
        command = _unwrap(command)
        words = " ".join((command.program, *command.words[1:]))
        effect = resolve_effect(command, Scene(self._environment, self._text))
        if effect.installs:
            self.installs.append(effect)
            return
        if self._follow(command, depth):
            return
        if RELOADS.search(words) and "--noreload" not in words and "--no-reload" not in words:
            self.found.append((Loading.RELOADS, words, False))
        elif EACH_REQUEST.match(words):
            self.found.append((Loading.RELOADS, words, True))
        elif IDLE.match(words):
            if len(self.found) == 0 and command.program in ("sleep", "tail", "cat"):
                self.found.append((Loading.RELOADS, words, False))
        elif asks_for_reload(words, self._environment) or self._script_reloads(command):
            self.found.append((Loading.RELOADS, words, False))
        elif KEEPS.match(words) and not _is_task(command):
            self.found.append((Loading.KEEPS, words, False))

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
            inner = self._package_script(command)
        elif program in ("concurrently", "npm-run-all", "run-p", "run-s", "wait-on"):
            inner = self._several(command)
        elif program == "make" and len(words) > 1:
            inner = self._make_target(command)
        elif program in ("honcho", "foreman", "overmind", "hivemind", "goreman"):
            inner = self._procfile(command)
        else:
            inner = self._script(command)
        for one in inner:
            self.take(one, depth + 1)
        return bool(inner)

    def _package_script(self, command: Command) -> list[Command]:
        directory, words = command.directory, list(command.words[1:])
        for option in ("--prefix", "--cwd", "-C"):
            if option in words[:-1]:
                at = words.index(option)
                directory = command.path(words[at + 1])
                del words[at : at + 2]
        names = [w for w in words if not w.startswith("-") and w not in ("run", "run-script")]
        scripts = read_scripts(self._text(posixpath.join(directory, "package.json")))
        if not names:
            return []
        script = scripts.get(names[0])
        if script is not None:
            rest = " ".join(words[words.index(names[0]) + 1 :]).replace("-- ", "", 1)
            return parse_commands(f"{script} {rest}".strip(), directory, self._environment)
        if not scripts and names[0] in ("dev", "watch", "serve", "start:dev", "develop"):
            self.found.append((Loading.RELOADS, " ".join(command.words), False))
            return []
        if names[0] == "start" and not scripts:
            return []
        if command.program != "npm" and names[0] not in ("exec", "dlx"):
            return [Command(tuple(words[words.index(names[0]) :]), directory)]
        if names[0] in ("exec", "dlx", "x") and len(names) > 1:
            return [Command(tuple(words[words.index(names[1]) :]), directory)]
        return []

    def _several(self, command: Command) -> list[Command]:
        found: list[Command] = []
        scripts = read_scripts(self._text(posixpath.join(command.directory, "package.json")))
        for word in command.words[1:]:
            name = word.removeprefix("npm:").strip("\"'")
            if name in scripts:
                found += parse_commands(scripts[name], command.directory, self._environment)
            elif " " in word:
                found += parse_commands(word.strip("\"'"), command.directory, self._environment)
            elif name.endswith("*"):
                for script, text in scripts.items():
                    if script.startswith(name[:-1]):
                        found += parse_commands(text, command.directory, self._environment)
        return found

    def _make_target(self, command: Command) -> list[Command]:
        text = self._text(command.path("Makefile"))
        goal = next((w for w in command.words[1:] if not w.startswith("-") and "=" not in w), None)
        if text is None or goal is None:
            return []
        match = re.search(rf"^{re.escape(goal)}\s*:(?!=).*\n((?:[ \t]+.*\n?|\n)*)", text, re.M)
        if match is None:
            return []
        lines = [line.strip().lstrip("@-+") for line in match[1].splitlines()]
        return parse_commands("\n".join(lines), command.directory, self._environment)

    def _procfile(self, command: Command) -> list[Command]:
        name = "Procfile"
        for index, word in enumerate(command.words[:-1]):
            if word in ("-f", "--procfile"):
                name = command.words[index + 1]
        text = self._text(command.path(name))
        found: list[Command] = []
        for line in (text or "").splitlines():
            _, colon, script = line.partition(":")
            if colon and not line.startswith("#"):
                found += parse_commands(script.strip(), command.directory, self._environment)
        return found

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
            return list(_rest(command, words[1:]))
        if not (is_shell or _is_shell_script(text)):
            return []
        self.scripts.append(path)
        inner = parse_script(text, command.directory, self._environment, words[1:])
        return [*inner, *_rest(command, words[1:])]


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
