"""What a command of a build reads and writes, for the tools that builds commonly run.

One module for each family of tools; each has `find_effect(command, scene) -> Effect | None`. A
command that no family knows is taken to read all that is there and to write where it runs.
"""

from __future__ import annotations

from devenv.compose.watch.shell import Command, parse_script
from devenv.compose.watch.tools import compiled, javascript, python, scripting, system
from devenv.compose.watch.tools.effect import NOTHING, SYSTEM, Area, Effect, Scene
from devenv.values import replace

__all__ = ["NOTHING", "SYSTEM", "Area", "Effect", "Scene", "resolve_effect", "resolve_effects"]

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


def resolve_effects(command: Command, scene: Scene, depth: int = 0) -> list[Effect]:
    """The effects of a command; of a shell script of the project those of its commands too."""
    effect = resolve_effect(command, scene)
    if not effect.programs or depth > 3:
        return [effect]
    text = scene.text(effect.programs[0])
    first = (text or "").split("\n", 1)[0]
    is_shell = first.startswith("#!") and first.rstrip().split("/")[-1].endswith("sh")
    if text is None or not is_shell:
        return [effect]
    words = command.words[1:]
    arguments = tuple(word for word in words if command.path(word) != effect.programs[0])
    own = replace(effect, everything=False)
    found = [own]
    for inner in parse_script(text, command.directory, scene.environment, arguments):
        found += resolve_effects(inner, scene, depth + 1)
    return found


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
        compiles=True,
        programs=tuple(command.path(script) for script in scripts),
        writes=tuple(writes),
    )
