"""pip, uv, poetry, pipenv, pdm: which files an install reads, and where it puts packages."""

from __future__ import annotations

import re
from collections.abc import Iterator

from devenv.compose.watch.shell import Command
from devenv.compose.watch.tools.effect import NOTHING, SYSTEM, Area, Effect, Scene

PROJECT_FILES = ("pyproject.toml", "setup.py", "setup.cfg", "MANIFEST.in")
REQUIREMENTS = ("*requirements*.txt", "*constraints*.txt", "*requirements*.in")
_LOCKS = {
    "uv": (*PROJECT_FILES, "uv.lock", "uv.toml", ".python-version"),
    "poetry": (*PROJECT_FILES, "poetry.lock", "poetry.toml"),
    "pipenv": ("Pipfile", "Pipfile.lock"),
    "pdm": (*PROJECT_FILES, "pdm.lock", ".pdm.toml", "pdm.toml"),
}
_IN_PATH = re.compile(r"(/[^:]*?(?:venv|\.venv|env)[^:/]*)/bin(?::|$)")
_PIP = re.compile(r"^pip(?:3(?:\.\d+)?)?$")
_PYTHON = re.compile(r"^python(?:\d(?:\.\d+)?)?$")


def find_effect(command: Command, scene: Scene) -> Effect | None:
    """The effect of a Python packaging command; None for any other program."""
    words = list(command.words)
    program = command.program
    place = _environment_of(command.words[0], scene)
    if _PYTHON.match(program) and words[1:2] == ["-m"] and len(words) > 2:
        if words[2] in ("venv", "virtualenv", "ensurepip"):
            return NOTHING
        program, words = words[2], words[2:]
    elif _PYTHON.match(program) and words[1:2] == ["-c"]:
        return NOTHING
    elif _PYTHON.match(program) and words[1:2] == ["setup.py"]:
        develop = words[2:3] == ["develop"]
        return Effect(
            everything=not develop, names=PROJECT_FILES, directory=command.directory, writes=place
        )
    if program in ("virtualenv", "pyenv", "conda", "mamba", "pipx"):
        named = tuple(command.path(w) for w in words if w.endswith((".yml", ".yaml", ".txt")))
        return Effect(paths=named, writes=(SYSTEM,), installs=bool(named))
    if program == "uv" and words[1:2] == ["pip"]:
        program, words = "pip", words[1:]
        if not place or place == (SYSTEM,):
            place = (SYSTEM, Area(command.path(".venv")))
    if _PIP.match(program):
        return _pip(command, words, place)
    if program == "poetry" and words[1:2] == ["export"]:
        return _locked("poetry", command, tuple(_written(command, words)))
    if program in _LOCKS:
        return _project_tool(program, words, command, scene, place)
    return None


def _pip(command: Command, words: list[str], place: tuple[Area, ...]) -> Effect:
    verb = next((word for word in words[1:] if not word.startswith("-")), "")
    if verb not in ("install", "wheel", "download", "sync", "compile"):
        return NOTHING
    paths: list[str] = []
    names: tuple[str, ...] = ()
    everything = False
    editable = False
    after_verb = words[words.index(verb) + 1 :]
    rest: Iterator[str] = iter(after_verb)
    for word in rest:
        name, equals, value = word.partition("=")
        if name in ("-r", "--requirement", "-c", "--constraint", "--requirements"):
            paths.append(value if equals else next(rest, ""))
            names = REQUIREMENTS
        elif word.startswith(("-r", "-c")) and not word.startswith("--") and len(word) > 2:
            paths.append(word[2:])
            names = REQUIREMENTS
        elif name in ("-e", "--editable"):
            editable = True
            names += PROJECT_FILES
            if not equals:
                next(rest, None)
        elif name in ("-t", "--target", "--prefix", "-w", "--wheel-dir", "--root", "-o"):
            place = (Area(command.path(value if equals else next(rest, "."))),)
        elif name == "--user":
            place = (SYSTEM,)
        elif not word.startswith("-"):
            if word.split("[")[0] in (".", "./") or word.startswith(("./", "../", "/")):
                if word.endswith((".whl", ".tar.gz", ".zip")):
                    paths.append(word)
                else:
                    everything = True
            elif word.endswith((".txt", ".whl")):
                paths.append(word)
    if not (paths or names or everything or editable):
        return Effect(writes=place)
    return Effect(
        everything=everything,
        names=names,
        directory=command.directory,
        nested=bool(names) and not editable,
        paths=tuple(command.path(one) for path in paths if path for one in _with_siblings(path)),
        writes=place,
        installs=True,
    )


def _with_siblings(path: str) -> tuple[str, ...]:
    """A requirements file and those beside it that it may include with `-r base.txt`."""
    folder, _, name = path.rpartition("/")
    if not name.endswith((".txt", ".in")) or (not folder and "require" in name):
        return (path,)
    return (path, f"{folder}/*.txt" if folder else "*.txt")


def _project_tool(
    program: str, words: list[str], command: Command, scene: Scene, place: tuple[Area, ...]
) -> Effect:
    verb = next((word for word in words[1:] if not word.startswith("-")), "")
    if verb == "run":
        return Effect(everything=True, writes=(Area(command.directory),))
    if verb not in ("sync", "install", "export", "lock", "requirements", "build"):
        return NOTHING
    if verb == "build":
        return Effect(everything=True, writes=(Area(command.path("dist")),))
    if verb in ("export", "requirements"):
        return _locked(program, command, tuple(_written(command, words)))
    own = Area(command.path(".venv"))
    environment = scene.environment
    writes: tuple[Area, ...] = (own, SYSTEM)
    if program == "uv":
        chosen = environment.get("UV_PROJECT_ENVIRONMENT")
        writes = (Area(command.path(chosen)),) if chosen else (own,)
        if chosen and chosen.startswith(("/usr", "/opt/python")):
            writes = (SYSTEM,)
    elif environment.get("POETRY_VIRTUALENVS_IN_PROJECT", "").lower() in ("1", "true"):
        writes = (own,)
    elif environment.get("POETRY_VIRTUALENVS_CREATE", "").lower() in ("0", "false"):
        writes = (SYSTEM,)
    if "--system" in words:
        writes = (SYSTEM,)
    if place and place != (SYSTEM,) and program != "uv":
        writes = place
    return _locked(program, command, writes)


def _locked(program: str, command: Command, writes: tuple[Area, ...]) -> Effect:
    return Effect(
        names=_LOCKS[program],
        directory=command.directory,
        nested=program in ("uv", "pdm"),
        writes=writes,
        installs=True,
    )


def _written(command: Command, words: list[str]) -> Iterator[Area]:
    for index, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in ("-o", "--output", "--output-file"):
            yield Area(command.path(value if equals else "".join(words[index + 1 : index + 2])))


def _environment_of(program: str, scene: Scene) -> tuple[Area, ...]:
    """The virtual environment in which a program such as `/venv/bin/pip` installs."""
    chosen = scene.environment.get("VIRTUAL_ENV")
    if "/bin/" in program:
        folder = program.rpartition("/bin/")[0]
        if folder not in ("", "/usr", "/usr/local"):
            return (Area(folder),)
    if chosen:
        return (Area(chosen),)
    in_path = _IN_PATH.search(scene.environment.get("PATH", ""))
    return (Area(in_path[1]),) if in_path else (SYSTEM,)
