"""What a command of a build reads and writes, for the tools that builds commonly run.

One module for each family of tools; each has `find_effect(command, scene) -> Effect | None`. A
command that no family knows is taken to read all that is there and to write where it runs.
"""

from __future__ import annotations

from devenv.compose.watch.shell import Command
from devenv.compose.watch.tools import compiled, javascript, python, scripting, system
from devenv.compose.watch.tools.effect import NOTHING, SYSTEM, Area, Effect, Scene

__all__ = ["NOTHING", "SYSTEM", "Area", "Effect", "Scene", "resolve_effect"]

_FAMILIES = (
    system.find_effect,
    javascript.find_effect,
    python.find_effect,
    scripting.find_effect,
    compiled.find_effect,
)


def resolve_effect(command: Command, scene: Scene) -> Effect:
    """What the command reads and writes; for an unknown one the widest that is likely."""
    for find in _FAMILIES:
        effect = find(command, scene)
        if effect is not None:
            break
    else:
        effect = _unknown(command)
    written = tuple(Area(command.path(path)) for path in command.written if path != "/dev/null")
    read = tuple(command.path(path) for path in command.read)
    return effect.with_more(paths=read, writes=written)


def _unknown(command: Command) -> Effect:
    """A program of the project's own: its file decides anything, its results stay beside it."""
    program = command.words[0]
    scripts = [program] if "/" in program else []
    interpreted = command.program in ("sh", "bash", "ash", "python", "python3", "node", "perl")
    if interpreted:
        script = next((word for word in command.words[1:] if not word.startswith("-")), None)
        scripts = [script] if script else []
    writes = [Area(command.directory)]
    for word in command.words[1:]:
        value = word.rpartition("=")[2]
        if value.startswith("/") and not value.startswith(("/dev/", "/tmp/")):
            writes.append(Area(command.path(value)))
    return Effect(
        everything=True,
        programs=tuple(command.path(script) for script in scripts),
        writes=tuple(writes),
    )
