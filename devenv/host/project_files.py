"""Finds and loads what belongs to a project: Compose files, devenv.toml, profiles, branch.

A project is the same from each of its directories. So, unlike Compose, a COMPOSE_FILE in the
project's `.env` counts in its subdirectories too, and a `.env` of a subdirectory does not.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from devenv.compose.discovery import (
    FILE_NAMES,
    OWN_GIT_DIRECTORY,
    find_default_files,
    read_env_value,
    split_compose_file,
)
from devenv.config.names import ProfileName
from devenv.config.profiles import (
    ProfileChoice,
    ResolvedProfile,
    choose_profile,
    resolve_profile,
)
from devenv.config.settings import Profile, Settings, parse_profile, parse_settings
from devenv.errors import ComposeFileError, ConfigError, DevenvError, Source
from devenv.host.files import is_file, read_env_text, read_text
from devenv.host.git import GitState, read_branch
from devenv.host.paths import has_memory, state_directory
from devenv.values import dataclass, field, replace

SETTINGS_NAME = "devenv.toml"
PROFILES_NAME = "profiles"
"""The directory of the profiles, beside devenv.toml."""


@dataclass(frozen=True, slots=True)
class ProjectFiles:
    """A project as its files say it, before Compose is asked."""

    directory: Path
    """The Compose project directory: that of the first Compose file."""
    root: Path
    """Where devenv.toml and profiles/ are; the project directory where there are none."""
    settings: Settings
    profiles: Mapping[ProfileName, Profile]
    choice: ProfileChoice
    profile: ResolvedProfile | None
    git: GitState | None
    compose_files: tuple[Path, ...]
    """Absolute: the base files, then the profile's override files."""
    explicit_files: bool
    """False where Compose's own discovery finds exactly these."""
    env_files: tuple[Path, ...] = ()
    """What `--env-file` must name, a later one winning; empty where Compose's default will do."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """The profile's `[env]`, less what the shell sets, be it to nothing."""
    compose_profiles: tuple[str, ...] = ()

    @property
    def own_variables(self) -> dict[str, str]:
        """What devenv sets for the Compose files in every environment."""
        return {OWN_GIT_DIRECTORY: str(self.git.common_dir)} if self.git is not None else {}


@dataclass(frozen=True, slots=True)
class _BaseFiles:
    """The Compose files without the profile's."""

    files: tuple[Path, ...]
    explicit: bool
    env_directory: Path | None = None
    """Where the `.env` that goes with COMPOSE_FILE is, which may not be beside its files."""


def load_project_files(
    start: Path,
    environ: Mapping[str, str],
    profile: str | None,
    chosen: str | None = None,
    branch: str | None = None,
) -> ProjectFiles:
    """The project around `start`, with the profile asked for, or the one that its rules choose.

    `chosen` stands in for what `devenv switch` has made devenv remember, `branch` for the one that
    is checked out.

    Raises ConfigError: devenv.toml, a profile, or a file that one of them names. Raises
    ComposeFileError: no Compose file, or COMPOSE_FILE names one that is missing.
    """
    start = Path(os.path.normpath(start.absolute()))
    _check_directory(start)
    defaults = find_default_files(start, is_file)
    settings_path, settings = _load_settings(start, defaults)
    base = _find_base_files(start, environ, settings_path, settings, defaults)
    directory = base.files[0].parent
    root = settings_path.parent if settings_path else directory
    profiles = _load_profiles(root)
    git = read_branch(root)
    if git is not None and branch is not None:
        git = replace(git, branch=branch, returns_to=None)
    branch = git.effective_branch if git else None
    choice = choose_profile(
        settings,
        profiles,
        branch=branch,
        requested=profile,
        from_environment=environ.get("DEVENV_PROFILE"),
        remembered=chosen or (_load_remembered(environ, root, branch) if profiles else None),
    )
    resolved = resolve_profile(choice.name, profiles) if choice.name else None
    overrides = _profile_files(root, profiles, resolved, "files")
    profile_env_files = _profile_files(root, profiles, resolved, "env_files")
    env_files = _env_files(start, environ, base, profile_env_files)
    env = resolved.env if resolved else {}
    return ProjectFiles(
        directory=directory,
        root=root,
        settings=settings,
        profiles=profiles,
        choice=choice,
        profile=resolved,
        git=git,
        compose_files=_unique((*base.files, *overrides)),
        # Env files and variables may set COMPOSE_FILE, which must not replace the files.
        explicit_files=base.explicit or bool(overrides or env_files) or "COMPOSE_FILE" in env,
        env_files=env_files,
        variables={key: value for key, value in env.items() if key not in environ},
        compose_profiles=resolved.compose_profiles if resolved else (),
    )


def _load_remembered(environ: Mapping[str, str], root: Path, branch: str | None) -> str | None:
    """The profile that `devenv switch` chose here; None where it did not."""
    directory = state_directory(environ)
    if not has_memory(directory):
        return None
    from devenv.host.choices import load_choice
    from devenv.host.memory import open_existing

    with open_existing(directory) as memory:
        return load_choice(memory, str(root), branch)


def _check_directory(start: Path) -> None:
    try:
        is_directory = start.is_dir()
    except PermissionError:  # of a directory above it
        raise ConfigError(
            f"The directory {start} cannot be reached.", fix=f"chmod u+rx {start.parent}"
        ) from None
    if not is_directory:
        raise ConfigError(f"{start} is not a directory.", fix="check the path after -C")
    if not os.access(start, os.R_OK | os.X_OK):
        raise ConfigError(f"The directory {start} cannot be read.", fix=f"chmod u+rx {start}")


def _load_settings(start: Path, defaults: tuple[Path, ...]) -> tuple[Path | None, Settings]:
    """The nearest devenv.toml upwards, and what it says.

    A Compose file further down than it is a project of its own, unless it names its files.
    """
    candidates = (directory / SETTINGS_NAME for directory in (start, *start.parents))
    path = next((candidate for candidate in candidates if is_file(candidate)), None)
    if path is None:
        return None, Settings()
    settings = parse_settings(read_text(path), str(path))
    nested = bool(defaults) and len(defaults[0].parents) > len(path.parents)
    return (None, Settings()) if nested and not settings.compose else (path, settings)


def _find_base_files(
    start: Path,
    environ: Mapping[str, str],
    settings_path: Path | None,
    settings: Settings,
    defaults: tuple[Path, ...],
) -> _BaseFiles:
    if settings.compose and settings_path:
        places = [settings.source("compose", i) for i in range(len(settings.compose))]
        files = _named_files(
            settings.compose, settings_path.parent, places, f"{SETTINGS_NAME} names", ConfigError
        )
        return _BaseFiles(files, explicit=True)
    names = split_compose_file(environ)
    if names:
        files = _named_files(
            names, start, [None] * len(names), "COMPOSE_FILE names", ComposeFileError
        )
        relative = not Path(names[0]).is_absolute()
        return _BaseFiles(files, explicit=True, env_directory=start if relative else None)
    if "COMPOSE_FILE" not in environ:
        found = _from_env_file(start, environ, defaults)
        if found:
            return found
    if not defaults:
        raise _no_compose_file(start, settings_path)
    # An empty COMPOSE_FILE keeps Compose from looking by itself.
    return _BaseFiles(defaults, explicit="COMPOSE_FILE" in environ)


def _from_env_file(
    start: Path, environ: Mapping[str, str], defaults: tuple[Path, ...]
) -> _BaseFiles | None:
    """What COMPOSE_FILE of the project's env file names; None where it is not set."""
    chosen = _chosen_env_files(start, environ)
    if chosen is not None:
        candidates = [(start, file) for file in reversed(chosen)]
    elif _is_env_file_disabled(environ):
        return None
    else:
        last = defaults[0].parent if defaults else None
        above = [d for d in (start, *start.parents) if last is None or d.is_relative_to(last)]
        candidates = [(directory, directory / ".env") for directory in above]
    for directory, path in candidates:
        text = read_env_text(path) if is_file(path) else None
        value = read_env_value(text, "COMPOSE_FILE", environ) if text else None
        if text is None or value is None or not value.value:
            continue
        separator = read_env_value(text, "COMPOSE_PATH_SEPARATOR", environ)
        names = split_compose_file(
            {
                "COMPOSE_FILE": value.value,
                "COMPOSE_PATH_SEPARATOR": environ.get("COMPOSE_PATH_SEPARATOR")
                or (separator.value if separator else ""),
            }
        )
        if names:
            places = [Source(str(path), value.line)] * len(names)
            who = f"COMPOSE_FILE in {path.name} names"
            files = _named_files(names, directory, places, who, ComposeFileError)
            return _BaseFiles(files, explicit=True, env_directory=directory)
    return None


def _named_files(
    names: Sequence[str],
    directory: Path,
    places: Sequence[Source | None],
    who: str,
    error: type[DevenvError],
) -> tuple[Path, ...]:
    """Absolute paths of files named relative to `directory`. Raises `error` for a missing one."""
    files = []
    for name, place in zip(names, places, strict=True):
        if name == "-" or "://" in name:
            raise error(
                f"{who} {name}, which is no file on this machine.",
                source=place,
                fix="name a file; a Compose file may `include:` a remote one",
            )
        path = Path(os.path.normpath(directory / name))
        if not is_file(path):
            fix = _nearest(path, name) or f"paths are relative to {directory}"
            raise error(f"{who} {name}, which does not exist.", source=place, fix=fix)
        files.append(path)
    return tuple(files)


def _no_compose_file(start: Path, settings_path: Path | None) -> ComposeFileError:
    from devenv.host.other_compose_files import find_other_compose_files

    found = find_other_compose_files(start)
    place = settings_path or start / SETTINGS_NAME
    if found:
        names = [os.path.relpath(start / name, place.parent) for name in found]
        near = next((name for name in found if Path(name).name in FILE_NAMES), None)
        fix = (
            f"cd {Path(near).parent}, or name it in {place}: " if near else f"name it in {place}: "
        )
        fix += (
            f"compose = [{json.dumps(os.path.relpath(start / (near or found[0]), place.parent))}]"
        )
        if len(found) > 1:
            fix += f" (there are {', '.join(names[:5])}{', …' if len(names) > 5 else ''})"
    else:
        fix = f"devenv init proposes one; or name yours in {SETTINGS_NAME}: "
        fix += 'compose = ["path/to/file.yaml"]'
    return ComposeFileError(
        f"No Compose file was found in {start} or in the directories above it.", fix=fix
    )


def _chosen_env_files(start: Path, environ: Mapping[str, str]) -> tuple[Path, ...] | None:
    """The files of COMPOSE_ENV_FILES, which take the place of `.env`; None where it is unset."""
    names = [name for name in (environ.get("COMPOSE_ENV_FILES") or "").split(",") if name]
    return tuple(Path(os.path.normpath(start / name)) for name in names) if names else None


def _is_env_file_disabled(environ: Mapping[str, str]) -> bool:
    return environ.get("COMPOSE_DISABLE_ENV_FILE", "").lower() in ("1", "t", "true")


def _env_files(
    start: Path, environ: Mapping[str, str], base: _BaseFiles, of_profile: tuple[Path, ...]
) -> tuple[Path, ...]:
    """What `--env-file` must name; empty where Compose, run beside its files, finds the same.

    `.env` comes first, since `--env-file` drops it and a later file wins.
    """
    chosen = _chosen_env_files(start, environ)
    if chosen is not None:
        return _unique((*chosen, *of_profile))
    directory = base.files[0].parent
    elsewhere = base.env_directory not in (None, directory)
    directories = [directory]
    if base.env_directory is not None and elsewhere:
        directories.append(base.env_directory)  # Compose lets this one win over the files' own
    if _is_env_file_disabled(environ):
        directories = []
    usual = tuple(d / ".env" for d in directories if is_file(d / ".env"))
    needed = bool(of_profile) or any(path.parent != directory for path in usual)
    return _unique((*usual, *of_profile)) if needed else ()


def _load_profiles(root: Path) -> dict[ProfileName, Profile]:
    """profiles/*.toml in the order of their names; empty without the directory."""
    directory = root / PROFILES_NAME
    try:
        paths = sorted(path for path in directory.iterdir() if path.suffix == ".toml")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise ConfigError(
            f"The directory {directory} cannot be read: {error.strerror}.",
            fix=f"chmod u+rx {directory}",
        ) from None
    names = [ProfileName(path.stem) for path in paths]
    return {
        name: parse_profile(name, read_text(path), str(path))
        for name, path in zip(names, paths, strict=True)
    }


def _profile_files(
    root: Path,
    profiles: Mapping[ProfileName, Profile],
    resolved: ResolvedProfile | None,
    key: str,
) -> tuple[Path, ...]:
    """`files` or `env_files` as absolute paths. Raises ConfigError for one that is missing."""
    if resolved is None:
        return ()
    directory = root / PROFILES_NAME
    paths = []
    for name in getattr(resolved, key):
        path = Path(os.path.normpath(directory / name))
        if not is_file(path):
            owner = next(profiles[n] for n in resolved.chain if name in getattr(profiles[n], key))
            raise ConfigError(
                f"Profile {owner.name} names {name}, which does not exist in profiles/.",
                source=owner.source(key, getattr(owner, key).index(name)),
                fix=_nearest(path, name) or "paths are relative to profiles/",
            )
        paths.append(path)
    return _unique(paths)


def _nearest(path: Path, name: str) -> str | None:
    """A question with the existing file whose name is most like that of a missing one."""
    try:
        known = [entry.name for entry in path.parent.iterdir() if is_file(entry)]
    except OSError:
        return None
    near = get_close_matches(path.name, known, n=1)
    return f"did you mean {Path(name).with_name(near[0])}?" if near else None


def _unique(paths: Iterable[Path]) -> tuple[Path, ...]:
    return tuple(dict.fromkeys(paths))
