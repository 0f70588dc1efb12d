"""devenv.toml and profiles/*.toml as values. Validation is in `validate`, keys in `spec`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from devenv.config.hooks import Hook, parse_hook
from devenv.config.names import ProfileName
from devenv.config.spec import PROFILE, SETTINGS
from devenv.config.steering import is_steering
from devenv.config.toml_positions import KeyPath, Position
from devenv.config.validate import parse_document, source_of
from devenv.errors import ConfigError, Source
from devenv.values import dataclass, field


@dataclass(frozen=True, slots=True)
class Isolation:
    mode: str = "none"
    clone_volumes: tuple[str, ...] = ()
    ports: str = "fixed"
    shared: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Watch:
    mode: str = "infer"
    stop_timeout_seconds: float = 2
    poll: bool = False
    """Files are looked at by turns, instead of asking the kernel."""


@dataclass(frozen=True, slots=True)
class Logs:
    memory_mb: int = 128


@dataclass(frozen=True, slots=True)
class Checks:
    ignore: tuple[str, ...] = ()
    severity: Mapping[str, str] = field(default_factory=dict)
    baseline: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """devenv.toml; every key is optional."""

    path: str | None = None
    compose: tuple[str, ...] = ()
    default_profile: str | None = None
    default_branch: str = "main"
    auto_switch: bool = False
    branches: tuple[tuple[str, str], ...] = ()
    """Pattern and profile, in the file's order."""
    isolation: Isolation = field(default_factory=Isolation)
    watch: Watch = field(default_factory=Watch)
    logs: Logs = field(default_factory=Logs)
    keys: Mapping[str, str] = field(default_factory=dict)
    checks: Checks = field(default_factory=Checks)
    hooks: tuple[Hook, ...] = ()
    """In the file's order."""
    positions: Mapping[KeyPath, Position] = field(default_factory=dict)

    def source(self, *key: str | int) -> Source | None:
        """Where a key is set, or None without a file."""
        return source_of(self.path, self.positions, key) if self.path else None


@dataclass(frozen=True, slots=True)
class Profile:
    """profiles/NAME.toml, before `extends` is resolved."""

    name: ProfileName
    path: str
    description: str = ""
    extends: ProfileName | None = None
    compose_profiles: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    env_files: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    hooks: tuple[Hook, ...] = ()
    positions: Mapping[KeyPath, Position] = field(default_factory=dict)

    def source(self, *key: str | int) -> Source:
        """Where a key is set."""
        return source_of(self.path, self.positions, key)


def parse_settings(text: str, path: str) -> Settings:
    """devenv.toml. Raises ConfigError with the place of what is wrong."""
    document, positions = parse_document(text, path, SETTINGS)
    isolation = document.get("isolation", {})
    watch = document.get("watch", {})
    checks = document.get("checks", {})
    return Settings(
        path=path,
        compose=_strings(document, "compose"),
        default_profile=document.get("default_profile"),
        default_branch=document.get("default_branch", "main"),
        auto_switch=document.get("auto_switch", False),
        branches=tuple(document.get("branches", {}).items()),
        isolation=Isolation(
            isolation.get("mode", "none"),
            _strings(isolation, "clone_volumes"),
            isolation.get("ports", "fixed"),
            _strings(isolation, "shared"),
        ),
        watch=Watch(
            watch.get("mode", "infer"), watch.get("stop_timeout", 2), watch.get("poll", False)
        ),
        logs=Logs(document.get("logs", {}).get("memory_mb", 128)),
        keys=document.get("keys", {}),
        checks=Checks(
            _strings(checks, "ignore"), checks.get("severity", {}), checks.get("baseline")
        ),
        hooks=_hooks(document, path, positions),
        positions=positions,
    )


def parse_profile(name: ProfileName, text: str, path: str) -> Profile:
    """A profile's file. Raises ConfigError with the place of what is wrong."""
    document, positions = parse_document(text, path, PROFILE)
    for variable in document.get("env", {}):
        if is_steering(variable):
            raise ConfigError(
                f"{variable} steers the programs that devenv starts, so a profile cannot set it.",
                source=source_of(path, positions, ("env", variable)),
                fix="set it in your shell; or name the variable otherwise in the Compose files",
            )
    extends = document.get("extends")
    return Profile(
        name=name,
        path=path,
        description=document.get("description", ""),
        extends=ProfileName(extends) if extends is not None else None,
        compose_profiles=_strings(document, "compose_profiles"),
        files=_strings(document, "files"),
        env_files=_strings(document, "env_files"),
        services=_strings(document, "services"),
        env=document.get("env", {}),
        hooks=_hooks(document, path, positions),
        positions=positions,
    )


def _strings(table: Mapping[str, Any], key: str) -> tuple[str, ...]:
    return tuple(table.get(key, ()))


def _hooks(
    document: Mapping[str, Any], path: str, positions: Mapping[KeyPath, Position]
) -> tuple[Hook, ...]:
    return tuple(
        parse_hook(event, entry, source_of(path, positions, ("hooks", event, index)))
        for event, entries in document.get("hooks", {}).items()
        for index, entry in enumerate(entries)
    )
