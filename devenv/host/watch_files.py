"""What the watch plan is told of the files: texts, what is a directory, what makes the model."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from devenv.compose.inputs import find_references
from devenv.compose.layers import Layers, resolve_path
from devenv.compose.watch import WatchFacts
from devenv.host.check_files import FileReader, load_layers
from devenv.host.project_files import SETTINGS_NAME, ProjectFiles


def load_watch_layers(files: ProjectFiles, reader: FileReader) -> Layers:
    """The Compose texts of a selection, in merge order."""
    names = [str(path) for path in files.compose_files]
    return load_layers(str(files.directory), names, reader)


def load_watch_facts(
    files: ProjectFiles,
    layers: Layers,
    reader: FileReader,
    *,
    is_local: bool,
    is_buildkit: bool,
) -> WatchFacts:
    """The facts of a selection. Each file is read when the plan first asks for it."""
    return WatchFacts(
        read=lambda path: reader.read(path).text,
        is_local=is_local,
        is_buildkit=is_buildkit,
        mode=files.settings.watch.mode,
        model_files=find_model_files(files, layers),
        model_directories=(str(files.root / "profiles"),),
        is_directory=os.path.isdir,
        resolve=partial(_resolve, reader),
    )


def _resolve(reader: FileReader, path: str) -> str:
    """Without symbolic links; the plan depends on one that the path is."""
    if os.path.islink(path):  # noqa: PTH114, odd paths too
        reader.read(path)
    return os.path.realpath(path)


def find_model_files(files: ProjectFiles, layers: Layers) -> dict[str, str]:
    """Absolute path -> what it is, of every file that the merged model is made of.

    Those that may appear are there too: `.env`, devenv.toml, the default override files.
    """
    directory = files.directory
    found: dict[str, str] = {}
    for layer in layers.by_path.values():
        what = "extended Compose file" if layer.extended else "Compose file"
        found[layer.path] = what
        for written in find_references(layer.text).paths:
            if "$" not in written and "://" not in written:
                named = resolve_path(layer.path, layers.directory, written)
                found.setdefault(named, "file that a Compose file names")
    for path in files.compose_files:
        found[str(path)] = "Compose file"
    for path in files.env_files:
        found[str(path)] = "env file"
    found.setdefault(str(directory / ".env"), "env file")
    found[str(files.root / SETTINGS_NAME)] = "devenv's settings"
    if not files.explicit_files:
        base = files.compose_files[0].name.rsplit(".", 1)[0]
        for suffix in ("yml", "yaml"):
            found.setdefault(str(directory / f"{base}.override.{suffix}"), "override file")
    for profile in files.profiles.values():
        found[profile.path] = "profile"
    return found


def absolute_path(written: str, start: Path, directory: Path) -> str:
    """A path as the user named it, made absolute without following links.

    One that leads into the project through a link elsewhere is given as the project sees it.
    """
    path = os.path.normpath(start / Path(written).expanduser())
    if not Path(path).is_relative_to(directory):
        real = os.path.realpath(path)
        real_directory = os.path.realpath(directory)
        if Path(real).is_relative_to(real_directory):
            return os.path.normpath(directory / os.path.relpath(real, real_directory))
    return path
