"""npm, yarn, pnpm, bun: which manifests an install reads, and where it puts packages."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator
from typing import Any

from devenv.compose.watch.shell import Command
from devenv.compose.watch.tools.effect import NOTHING, Area, Effect, Scene

MANAGERS = frozenset(("npm", "yarn", "pnpm", "bun", "yarnpkg"))
MANIFESTS = (
    "package.json",
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "pnpm-workspace.yaml",
    ".pnpmfile.cjs",
    "bun.lock",
    "bun.lockb",
    "bunfig.toml",
    ".npmrc",
    ".yarnrc",
    ".yarnrc.yml",
    ".pnp.cjs",
    ".node-version",
    ".nvmrc",
)
_FOLDERS = ("patches", ".yarn")
_INSTALLS = frozenset(
    ("ci", "i", "install", "clean-install", "add", "fetch", "workspaces", "it", "rebuild", "up")
)
_HARMLESS_WORDS = """
    config cache set version -v --version -g global login store audit fund ls list help policies
    prune dedupe view plugin"""
_HARMLESS = frozenset(_HARMLESS_WORDS.split())
_LIFECYCLE = ("preinstall", "install", "postinstall", "prepare", "prepublish")
_QUIET_SCRIPT = re.compile(
    r"\b(husky|patch-package|only-allow|simple-git-hooks|lefthook|is-ci|playwright|cypress"
    r"|electron-builder|node-gyp|opencollective|skip)\b"
)

_MODULES_FOLDER = re.compile(r"modules-folder[ \t]+\"?([^\"\s]+)")


def find_effect(command: Command, scene: Scene) -> Effect | None:
    """The effect of a package manager's command; None for any other program."""
    program = command.program
    if program in ("npx", "corepack", "nvm", "n", "fnm", "volta"):
        harmless = ("playwright", "browserslist", "browserslist@latest", "puppeteer", "update")
        if program != "npx" or any(word in harmless for word in command.words[1:3]):
            return NOTHING
        return None
    if program not in MANAGERS:
        return None
    options, words = _divide(command)
    directory = command.path(options["directory"]) if "directory" in options else command.directory
    verb = words[0] if words else ("install" if program != "npm" else "help")
    if "global" in options or verb in _HARMLESS:
        return NOTHING
    if verb not in _INSTALLS:
        return Effect(everything=True, compiles=True, writes=(Area(directory),))
    return resolve_install(directory, scene, runs_scripts="ignore-scripts" not in options)


def resolve_install(directory: str, scene: Scene, *, runs_scripts: bool = True) -> Effect:
    """What an install in a directory, or in a package of a workspace, reads and writes."""
    directory = _find_root(directory, scene)
    manifest = _load(scene.text(f"{directory.rstrip('/')}/package.json"))
    workspaces = scene.text(f"{directory.rstrip('/')}/pnpm-workspace.yaml") is not None
    nested = manifest is None or "workspaces" in manifest or workspaces
    scripts = _lifecycle_scripts(manifest) if runs_scripts and manifest else []
    folders = list(_FOLDERS)
    everything = False
    for script in scripts:
        if "prisma" in script:
            folders.append("prisma")
        elif not _QUIET_SCRIPT.search(script):
            everything = True
    writes = [Area(f"{directory.rstrip('/')}/node_modules")]
    chosen = _MODULES_FOLDER.search(scene.text(f"{directory.rstrip('/')}/.yarnrc") or "")
    if chosen:
        writes.append(Area(posixpath.normpath(posixpath.join(directory, chosen[1]))))
    if nested:
        writes.append(Area(directory, "node_modules"))
    if everything:
        writes.append(Area(directory))
    return Effect(
        everything=everything,
        names=MANIFESTS,
        folders=tuple(folders),
        directory=directory,
        nested=nested,
        writes=tuple(writes),
        installs=True,
    )


def _find_root(directory: str, scene: Scene) -> str:
    """The root of the workspace that a package belongs to; the directory itself without one."""
    parent = posixpath.dirname(directory)
    while parent != posixpath.dirname(parent):
        manifest = _load(scene.text(f"{parent}/package.json"))
        if manifest is not None and "workspaces" in manifest:
            return parent
        if scene.text(f"{parent}/pnpm-workspace.yaml") is not None:
            return parent
        parent = posixpath.dirname(parent)
    return directory


def read_scripts(text: str | None) -> dict[str, str]:
    """The `scripts` of a package.json; empty for what is none."""
    manifest = _load(text)
    scripts = manifest.get("scripts") if manifest else None
    if not isinstance(scripts, dict):
        return {}
    return {str(name): value for name, value in scripts.items() if isinstance(value, str)}


def _lifecycle_scripts(manifest: dict[str, Any]) -> list[str]:
    scripts = manifest.get("scripts")
    if not isinstance(scripts, dict):
        return []
    return [scripts[name] for name in _LIFECYCLE if isinstance(scripts.get(name), str)]


def _load(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _divide(command: Command) -> tuple[dict[str, str], list[str]]:
    """The options that matter, and the words that are none."""
    options: dict[str, str] = {}
    words: list[str] = []
    rest: Iterator[str] = iter(command.words[1:])
    for word in rest:
        name, equals, value = word.partition("=")
        if name in ("--prefix", "--cwd", "-C", "--dir"):
            options["directory"] = value if equals else next(rest, ".")
        elif word in ("-g", "--global", "--location=global"):
            options["global"] = ""
        elif name == "--ignore-scripts" and value != "false":
            options["ignore-scripts"] = ""
        elif name in ("--filter", "-F", "--workspace", "-w", "--registry", "--loglevel"):
            if not equals and name != "-w":
                next(rest, None)
        elif not word.startswith("-"):
            words.append(word)
    if words[:1] == ["workspace"]:
        words = words[2:]
    if words[:1] == ["global"]:
        options["global"] = ""
    return options, words
