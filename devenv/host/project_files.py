"""Finds and loads what belongs to a project: Compose files, devenv.toml, profiles, branch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from devenv.compose.discovery import FILE_NAMES, find_default_files, split_compose_file
from devenv.config.names import ProfileName
from devenv.config.profiles import (
    ProfileChoice,
    ResolvedProfile,
    choose_profile,
    resolve_profile,
)
from devenv.config.settings import Profile, Settings, parse_profile, parse_settings
from devenv.errors import ComposeFileError, ConfigError
from devenv.host.files import read_text
from devenv.host.git import GitState, read_git

SETTINGS_NAME = "devenv.toml"


@dataclass(frozen=True, slots=True)
class ProjectFiles:
    """A project as its files say it, before Compose is asked."""

    directory: Path
    """The Compose project directory: that of the first Compose file."""
    settings: Settings
    profiles: Mapping[ProfileName, Profile]
    choice: ProfileChoice
    profile: ResolvedProfile | None
    git: GitState | None
    compose_files: tuple[Path, ...]
    explicit_files: bool
    """False where Compose's own discovery finds exactly these."""
    env_files: tuple[Path, ...] = ()
    """Empty where the profile has none; else `.env` first, since a later one wins."""
    variables: Mapping[str, str] = field(default_factory=dict)
    compose_profiles: tuple[str, ...] = ()


def load_project_files(
    start: Path, environ: Mapping[str, str], requested: str | None
) -> ProjectFiles:
    """The project around `start`. Raises ConfigError or ComposeFileError."""
    if not os.access(start, os.R_OK | os.X_OK):
        raise ConfigError(f"The directory {start} cannot be read.", fix=f"chmod u+rx {start}")
    settings_path = next(
        (d / SETTINGS_NAME for d in (start, *start.parents) if (d / SETTINGS_NAME).is_file()), None
    )
    defaults = find_default_files(start, Path.is_file)
    if settings_path and defaults and len(defaults[0].parents) > len(settings_path.parents):
        # A Compose file further down is a project of its own, unless devenv.toml names its files.
        settings = _load_settings(settings_path)
        if not settings.compose:
            settings_path, settings = None, Settings()
    else:
        settings = _load_settings(settings_path)
    files, explicit = _base_files(start, environ, settings_path, settings, defaults)
    root = settings_path.parent if settings_path else files[0].parent
    profiles = _load_profiles(root)
    git = read_git(root)
    choice = choose_profile(
        settings,
        profiles,
        branch=git.branch if git else None,
        requested=requested,
        from_environment=environ.get("DEVENV_PROFILE"),
    )
    profile = resolve_profile(choice.name, profiles) if choice.name else None
    overrides = _existing(root, profiles, profile, "files")
    env_files = _existing(root, profiles, profile, "env_files")
    default_env = files[0].parent / ".env"
    if env_files and default_env.is_file():
        env_files = (default_env, *env_files)
    return ProjectFiles(
        directory=files[0].parent,
        settings=settings,
        profiles=profiles,
        choice=choice,
        profile=profile,
        git=git,
        compose_files=(*files, *overrides),
        explicit_files=explicit or bool(overrides),
        env_files=env_files,
        variables={
            key: value
            for key, value in (profile.env if profile else {}).items()
            if key not in environ
        },
        compose_profiles=profile.compose_profiles if profile else (),
    )


def _load_settings(path: Path | None) -> Settings:
    return parse_settings(read_text(path), str(path)) if path else Settings()


def _base_files(
    start: Path,
    environ: Mapping[str, str],
    settings_path: Path | None,
    settings: Settings,
    defaults: tuple[Path, ...],
) -> tuple[tuple[Path, ...], bool]:
    """The Compose files without the profile's, and whether they must be named to Compose."""
    if settings.compose and settings_path:
        files = tuple((settings_path.parent / name).absolute() for name in settings.compose)
        for file in files:
            if not file.is_file():
                raise ConfigError(
                    f"The Compose file {file} does not exist.", source=settings.source("compose")
                )
        return files, True
    named = split_compose_file(environ)
    if named:
        return tuple((start / name).absolute() for name in named), True
    if not defaults:
        raise ComposeFileError(
            f"No Compose file was found in {start} or in the directories above it.",
            fix=f"make one of {', '.join(FILE_NAMES)}, or name yours in devenv.toml: "
            'compose = ["path/to/file.yaml"]',
        )
    return defaults, False


def _load_profiles(root: Path) -> dict[ProfileName, Profile]:
    found: dict[ProfileName, Profile] = {}
    try:
        paths = sorted((root / "profiles").glob("*.toml"))
    except OSError:
        return found
    for path in paths:
        name = ProfileName(path.stem)
        found[name] = parse_profile(name, read_text(path), str(path))
    return found


def _existing(
    root: Path,
    profiles: Mapping[ProfileName, Profile],
    resolved: ResolvedProfile | None,
    key: str,
) -> tuple[Path, ...]:
    """The profile's files as paths. Raises ConfigError for one that is missing."""
    directory = root / "profiles"
    paths = []
    for name in getattr(resolved, key) if resolved else ():
        path = (directory / name).absolute()
        if not path.is_file():
            assert resolved is not None
            owner = next(profiles[n] for n in resolved.chain if name in getattr(profiles[n], key))
            near = get_close_matches(name, [p.name for p in directory.iterdir()], n=1)
            raise ConfigError(
                f"Profile {owner.name} names {name}, which does not exist in profiles/.",
                source=owner.source(key),
                fix=f"did you mean {near[0]}?" if near else "paths are relative to profiles/",
            )
        paths.append(path)
    return tuple(paths)
