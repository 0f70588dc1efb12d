"""bundle, composer and mix: which manifests they read, and where they put packages."""

from __future__ import annotations

import json

from devenv.compose.watch.shell import Command
from devenv.compose.watch.tools.effect import NOTHING, SYSTEM, Area, Effect, Scene

_COMPOSER_SCRIPTS = ("post-autoload-dump", "post-install-cmd", "pre-install-cmd")


def find_effect(command: Command, scene: Scene) -> Effect | None:
    """The effect of a package manager of Ruby, PHP or Elixir; None for any other program."""
    match command.program:
        case "bundle" | "bundler":
            return _bundle(command, scene)
        case "gem" | "pecl" | "pear":
            return NOTHING
        case "composer" | "composer.phar":
            return _composer(command, scene)
        case "php" if "composer" in " ".join(command.words[1:2]):
            return _composer(command, scene)
        case "mix":
            return _mix(command)
    return None


def _verb(command: Command) -> str:
    return next((word for word in command.words[1:] if not word.startswith("-")), "")


def _bundle(command: Command, scene: Scene) -> Effect:
    verb = _verb(command)
    if verb in ("config", "lock", "binstubs", "clean", "version"):
        return NOTHING
    if verb not in ("install", "", "update", "package", "cache"):
        return Effect(everything=True, writes=(Area(command.directory),))
    path = scene.environment.get("BUNDLE_PATH")
    words = command.words
    if "--path" in words[:-1]:
        path = words[words.index("--path") + 1]
    elif "--deployment" in words:
        path = "vendor/bundle"
    return Effect(
        names=("Gemfile", "Gemfile.lock", ".ruby-version", ".tool-versions", "*.gemspec"),
        directory=command.directory,
        nested=True,
        writes=(Area(command.path(path)),) if path else (SYSTEM,),
        installs=True,
    )


def _composer(command: Command, scene: Scene) -> Effect:
    verb = _verb(command)
    if verb.endswith(("dump-autoload", "dumpautoload")):
        return Effect(everything=True, writes=(Area(command.path("vendor/composer")),))
    if verb not in ("install", "update", "i", "create-project"):
        return NOTHING
    directory = command.directory
    for word in command.words:
        if word.startswith("--working-dir="):
            directory = command.path(word.partition("=")[2])
    everything = False
    if not {"--no-scripts", "--no-autoloader"} & set(command.words):
        everything = _has_scripts(scene.text(f"{directory.rstrip('/')}/composer.json"))
    if {"-o", "--optimize-autoloader", "-a", "--classmap-authoritative"} & set(command.words):
        everything = everything or "--no-autoloader" not in command.words
    return Effect(
        everything=everything,
        names=("composer.json", "composer.lock", "auth.json", "symfony.lock"),
        directory=directory,
        writes=(Area(f"{directory.rstrip('/')}/vendor"),),
        installs=True,
    )


def _has_scripts(text: str | None) -> bool:
    try:
        value = json.loads(text or "{}")
        scripts = value.get("scripts") or {}
        return any(name in scripts for name in _COMPOSER_SCRIPTS)
    except (ValueError, AttributeError, TypeError):
        return False


def _mix(command: Command) -> Effect:
    verb = _verb(command)
    if verb.startswith("local."):
        return NOTHING
    folders = (Area(command.path("deps")), Area(command.path("_build")))
    if verb.startswith("deps."):
        return Effect(
            names=("mix.exs", "mix.lock"),
            folders=("config",) if verb == "deps.compile" else (),
            directory=command.directory,
            nested=True,
            writes=folders,
            installs=True,
        )
    return Effect(everything=True, writes=(Area(command.directory), *folders))
