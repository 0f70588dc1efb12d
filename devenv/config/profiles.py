"""Which profile applies, and what it is with all that it extends."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase

from devenv.config.hooks import Hook
from devenv.config.names import ProfileName
from devenv.config.settings import Profile, Settings
from devenv.errors import ConfigError, Source
from devenv.values import dataclass, field


@dataclass(frozen=True, slots=True)
class ProfileChoice:
    """The profile in use (None: Compose's defaults) and why, as a sentence part."""

    name: ProfileName | None
    reason: str
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class ResolvedProfile:
    """A profile with its bases merged in: lists of the base come first, `env` of the child wins."""

    name: ProfileName
    chain: tuple[ProfileName, ...]
    """This profile, then its base, and so on."""
    compose_profiles: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    env_files: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    hooks: tuple[Hook, ...] = ()
    """Those of the base first."""


def choose_profile(
    settings: Settings,
    profiles: Mapping[ProfileName, Profile],
    *,
    branch: str | None,
    requested: str | None,
    from_environment: str | None,
    remembered: str | None = None,
) -> ProfileChoice:
    """`--profile`, `DEVENV_PROFILE`, what `devenv switch` chose, `[branches]`, `default_profile`.

    A remembered choice that is no profile any more is as none. Raises ConfigError where the name
    that wins is no profile.
    """
    kept = remembered if remembered in profiles else None
    choice = _choose(settings, branch, requested, from_environment, kept)
    if choice.name is not None and choice.name not in profiles:
        raise unknown_profile(choice.name, profiles, choice.source)
    return choice


def _choose(
    settings: Settings,
    branch: str | None,
    requested: str | None,
    from_environment: str | None,
    remembered: str | None,
) -> ProfileChoice:
    if requested:
        return ProfileChoice(ProfileName(requested), "asked for with --profile")
    if from_environment:
        return ProfileChoice(ProfileName(from_environment), "set in DEVENV_PROFILE")
    if remembered:
        where = f"for branch {branch}" if branch is not None else "here"
        return ProfileChoice(ProfileName(remembered), f"chosen {where} with devenv switch")
    matching = [one for one in settings.branches if branch and fnmatchcase(branch, one[0])]
    if matching:
        (pattern, name), *later = matching
        others = [repr(one) for one, other in later if other != name]
        also = f"; {', '.join(others)} below it too, and the first match wins" if others else ""
        return ProfileChoice(
            ProfileName(name),
            f"branch {branch} matches {pattern!r} in devenv.toml{also}",
            settings.source("branches", pattern),
        )
    if settings.default_profile:
        return ProfileChoice(
            ProfileName(settings.default_profile),
            "default_profile in devenv.toml",
            settings.source("default_profile"),
        )
    return ProfileChoice(None, "nothing in devenv.toml chooses one")


def resolve_profile(name: ProfileName, profiles: Mapping[ProfileName, Profile]) -> ResolvedProfile:
    """The profile with its chain of `extends`. Raises ConfigError: unknown base, or a cycle."""
    chain: list[Profile] = []
    source: Source | None = None
    following: ProfileName | None = name
    while following is not None:
        if following in [profile.name for profile in chain]:
            shown = " → ".join([*(p.name for p in chain), following])
            raise ConfigError(
                f"Profiles extend each other in a circle: {shown}.",
                source=source,
                fix="take one of these `extends` out",
            )
        if following not in profiles:
            raise unknown_profile(following, profiles, source)
        profile = profiles[following]
        chain.append(profile)
        source = profile.source("extends")
        following = profile.extends
    merged: dict[str, str] = {}
    for profile in reversed(chain):
        merged.update(profile.env)
    return ResolvedProfile(
        name=name,
        chain=tuple(profile.name for profile in chain),
        compose_profiles=_joined(chain, "compose_profiles"),
        files=_joined(chain, "files"),
        env_files=_joined(chain, "env_files"),
        services=next((p.services for p in chain if p.services), ()),
        env=merged,
        hooks=tuple(hook for p in reversed(chain) for hook in p.hooks),
    )


def _joined(chain: list[Profile], attribute: str) -> tuple[str, ...]:
    values = [value for profile in reversed(chain) for value in getattr(profile, attribute)]
    return tuple(dict.fromkeys(values))


def unknown_profile(
    name: str, profiles: Mapping[ProfileName, Profile], source: Source | None
) -> ConfigError:
    """The error for a profile that is not there, with the nearest name."""
    near = get_close_matches(name, profiles, n=1)
    known = ", ".join(sorted(profiles))
    if near:
        fix = f"did you mean {near[0]!r}? profiles: {known}"
    else:
        fix = f"profiles: {known}" if profiles else f"make it: profiles/{name}.toml"
    return ConfigError(f"There is no profile {name!r}.", source=source, fix=fix)
