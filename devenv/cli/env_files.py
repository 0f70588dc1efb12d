"""What the `env` commands share: a profile's texts, its variables, and where they come from.

Only files are read: neither Compose nor the engine is needed, so that it works in a checkout that
does not start yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from devenv.checks.env_inventory import ProfileEnv, Variable, list_variables
from devenv.checks.env_needs import EnvDiff, diff_env
from devenv.checks.env_scan import EnvScan, scan_env
from devenv.checks.facts import CheckedProfile, Facts
from devenv.checks.finding import Place
from devenv.cli.checking import Gathered, gather, profile_names
from devenv.cli.session import Session
from devenv.config.names import ProfileName
from devenv.config.settings import Profile
from devenv.host.project_files import ProjectFiles
from devenv.values import dataclass


@dataclass(frozen=True, slots=True)
class EnvProfile:
    """One profile's env files and Compose texts, scanned."""

    checked: CheckedProfile
    facts: Facts
    scan: EnvScan
    target: str
    """The path of the project's `.env`, whether it exists or not."""
    profile_env: ProfileEnv

    def variables(self) -> tuple[Variable, ...]:
        """Every variable with who sets and who reads it."""
        return list_variables(self.checked, self.facts, self.scan, self.profile_env)

    def diff(self) -> EnvDiff:
        """Its env files against what is expected of them."""
        return diff_env(self.checked, self.facts, self.scan, self.target, self.profile_env)


def load_env_profiles(session: Session, *, every: bool = False) -> tuple[EnvProfile, ...]:
    """The profile in use, or every one that can be selected; one whose files fail is left out.

    Raises ConfigError and ComposeFileError of the profile in use.
    """
    names: Sequence[str | None] = [session.files.choice.name]
    if every:
        names = profile_names(session)
    gathered = gather(session, ask_engine=False, ask_compose=False, names=names)
    return tuple(
        _profile(session, checked, gathered.facts)
        for checked in gathered.profiles
        if checked.failure is None
    )


def diff_active(session: Session, gathered: Gathered) -> EnvDiff | None:
    """The env files of the profile in use, from what the checks have read; None without it."""
    for checked in gathered.profiles:
        if checked.name == session.files.choice.name and checked.layers.layers:
            return _profile(session, checked, gathered.facts).diff()
    return None


def _profile(session: Session, checked: CheckedProfile, facts: Facts) -> EnvProfile:
    scan = scan_env(checked, facts)
    env = read_profile_env(session.files, checked.name)
    return EnvProfile(checked, facts, scan, find_target(session), env)


def find_target(session: Session) -> str:
    """The env file of the project that people edit: the first that Compose is told, or `.env`."""
    files = session.files
    usual = str(files.directory / ".env")
    named = [name for name in (session.environ.get("COMPOSE_ENV_FILES") or "").split(",") if name]
    if not named:
        return usual
    first = str(files.env_files[0]) if files.env_files else usual
    return first


def read_profile_env(files: ProjectFiles, name: str | None) -> ProfileEnv:
    """`[env]` of a profile and its bases, the nearest one winning, with the place of each."""
    found: dict[str, tuple[str, Place]] = {}
    for profile in _chain(files, name):
        for key, value in profile.env.items():
            if key not in found:
                source = profile.source("env", key)
                found[key] = (value, Place(source.path, source.line, source.column))
    return found


def _chain(files: ProjectFiles, name: str | None) -> Iterator[Profile]:
    seen: set[str] = set()
    while name is not None and name not in seen:
        seen.add(name)
        profile = files.profiles.get(ProfileName(name))
        if profile is None:
            return
        yield profile
        name = profile.extends


def relative(path: str, directory: Path | str) -> str:
    """A path as it is shown: relative to the project directory."""
    import os

    return os.path.relpath(path, directory).replace(os.sep, "/")
