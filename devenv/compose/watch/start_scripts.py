"""The commands that a start command stands for: scripts of package.json, make, a Procfile."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping

from devenv.compose.watch.shell import Command, parse_commands
from devenv.compose.watch.tools.javascript import read_scripts

Text = Callable[[str], str | None]
"""Gives files by their path in the container."""
DEVELOPMENT_SCRIPTS = ("dev", "watch", "serve", "start:dev", "develop")
"""Where a script of such a name cannot be read, it is taken to load changes by itself."""
_FILE_SUFFIXES = (".js", ".mjs", ".cjs", ".ts", ".mts", ".jsx", ".tsx")


def follow_package(command: Command, text: Text, environment: Mapping[str, str]) -> list[Command]:
    """What `npm run NAME` and the like run; empty where that is not known."""
    directory, words = command.directory, list(command.words[1:])
    for option in ("--prefix", "--cwd", "-C"):
        if option in words[:-1]:
            at = words.index(option)
            directory = command.path(words[at + 1])
            del words[at : at + 2]
    is_elsewhere = False
    """Whether it is a package of the workspace, wherever that lies."""
    for option in ("-w", "--workspace", "--filter", "-F"):
        if option in words[:-1]:
            at = words.index(option)
            del words[at : at + 2]
            is_elsewhere = True
    names = [w for w in words if not w.startswith("-") and w not in ("run", "run-script")]
    if names[:1] == ["workspace"]:
        is_elsewhere, names = True, names[2:]
    if not names or (command.program == "bun" and names[0].endswith(_FILE_SUFFIXES)):
        return []
    package = None if is_elsewhere else text(posixpath.join(directory, "package.json"))
    scripts = read_scripts(package)
    script = scripts.get(names[0])
    if script is not None:
        rest = " ".join(words[words.index(names[0]) + 1 :]).replace("-- ", "", 1)
        return parse_commands(f"{script} {rest}".strip(), directory, environment)
    if is_elsewhere or (not scripts and names[0] in (*DEVELOPMENT_SCRIPTS, "start")):
        return []
    if command.program != "npm" and names[0] not in ("exec", "dlx"):
        return [Command(tuple(words[words.index(names[0]) :]), directory)]
    if names[0] in ("exec", "dlx", "x") and len(names) > 1:
        return [Command(tuple(words[words.index(names[1]) :]), directory)]
    return []


def follow_several(command: Command, text: Text, environment: Mapping[str, str]) -> list[Command]:
    """What `concurrently` and the like run beside each other."""
    found: list[Command] = []
    scripts = read_scripts(text(posixpath.join(command.directory, "package.json")))
    for word in command.words[1:]:
        name = word.removeprefix("npm:").strip("\"'")
        if name in scripts:
            found += parse_commands(scripts[name], command.directory, environment)
        elif " " in word:
            found += parse_commands(word.strip("\"'"), command.directory, environment)
        elif name.endswith("*"):
            for script, inner in scripts.items():
                if script.startswith(name[:-1]):
                    found += parse_commands(inner, command.directory, environment)
    return found


def follow_make(command: Command, text: Text, environment: Mapping[str, str]) -> list[Command]:
    """The lines of a target of the Makefile."""
    makefile = text(command.path("Makefile"))
    goal = next((w for w in command.words[1:] if not w.startswith("-") and "=" not in w), None)
    if makefile is None or goal is None:
        return []
    match = re.search(rf"^{re.escape(goal)}\s*:(?!=).*\n((?:[ \t]+.*\n?|\n)*)", makefile, re.M)
    if match is None:
        return []
    lines = [line.strip().lstrip("@-+") for line in match[1].splitlines()]
    return parse_commands("\n".join(lines), command.directory, environment)


def follow_procfile(command: Command, text: Text, environment: Mapping[str, str]) -> list[Command]:
    """The processes of a Procfile."""
    name = "Procfile"
    for index, word in enumerate(command.words[:-1]):
        if word in ("-f", "--procfile"):
            name = command.words[index + 1]
    found: list[Command] = []
    for line in (text(command.path(name)) or "").splitlines():
        _, colon, script = line.partition(":")
        if colon and not line.startswith("#"):
            found += parse_commands(script.strip(), command.directory, environment)
    return found
