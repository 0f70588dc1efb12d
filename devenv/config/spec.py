"""The keys of both files: one description that validation, defaults and JSON Schema share."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from devenv.config.hooks import EVENTS
from devenv.values import dataclass, field


class Kind(StrEnum):
    """What a value must be."""

    STRING = "a string"
    BOOLEAN = "true or false"
    INTEGER = "a whole number"
    NUMBER = "a number"
    STRINGS = "a list of strings"
    STRING_MAP = "a table of strings"
    HOOKS = "a list of commands"
    TABLE = "a table"


@dataclass(frozen=True, slots=True)
class Key:
    """One key: its kind, what it is for, and its default."""

    kind: Kind
    help: str
    default: object = None
    choices: tuple[str, ...] = ()
    """The values allowed; for a table of strings, those of each entry."""
    keys: Mapping[str, Key] = field(default_factory=dict)
    """The keys of a table."""
    minimum: float | None = None


def _table(help_text: str, **keys: Key) -> Key:
    return Key(Kind.TABLE, help_text, keys=keys)


_HOOKS = _table(
    "Commands to run; only after `devenv allow`.",
    **{event: Key(Kind.HOOKS, text) for event, text in EVENTS.items()},
)

SETTINGS: Mapping[str, Key] = {
    "compose": Key(
        Kind.STRINGS, "Compose files, relative to devenv.toml. Default: Compose's own discovery."
    ),
    "default_profile": Key(Kind.STRING, "The profile where no branch pattern matches."),
    "default_branch": Key(Kind.STRING, "The branch whose environment keeps plain names.", "main"),
    "auto_switch": Key(Kind.BOOLEAN, "Switch profiles with the branch without asking.", False),
    "branches": Key(Kind.STRING_MAP, "Branch patterns to profiles; the first match wins."),
    "isolation": _table(
        "How environments of several branches or worktrees are kept apart.",
        mode=Key(Kind.STRING, "What gets its own data.", "none", ("none", "branch", "worktree")),
        clone_volumes=Key(
            Kind.STRINGS,
            "Volumes that a new environment gets as a copy of the default branch's.",
        ),
        ports=Key(Kind.STRING, "How host ports are chosen.", "fixed", ("fixed", "offset")),
        shared=Key(Kind.STRINGS, "Services that all environments use together."),
    ),
    "watch": _table(
        "What a saved file does.",
        mode=Key(Kind.STRING, "Where watch rules come from.", "infer", ("infer", "compose", "off")),
        stop_timeout=Key(
            Kind.NUMBER,
            "Seconds that the watch gives a container to stop.",
            2,
            minimum=0,
        ),
        poll=Key(
            Kind.BOOLEAN,
            "Look at the files by turns, where the kernel tells of no changes (network mounts).",
            False,
        ),
    ),
    "logs": _table(
        "Log lines in memory.",
        memory_mb=Key(Kind.INTEGER, "Upper bound in MiB.", 128, minimum=1),
    ),
    "keys": Key(Kind.STRING_MAP, "Actions of the terminal UI to keys."),
    "checks": _table(
        "What `devenv check` reports.",
        ignore=Key(
            Kind.STRINGS, "Rules to leave out, everywhere (RULE) or in some paths (PATTERN:RULE)."
        ),
        severity=Key(
            Kind.STRING_MAP, "Rules to severities.", choices=("error", "warning", "info", "off")
        ),
        baseline=Key(
            Kind.STRING, "A file of known findings to leave out, relative to devenv.toml."
        ),
    ),
    "hooks": _HOOKS,
}

PROFILE: Mapping[str, Key] = {
    "description": Key(Kind.STRING, "One line for `devenv profile list`."),
    "extends": Key(Kind.STRING, "The profile that this one adds to."),
    "compose_profiles": Key(Kind.STRINGS, "Compose profiles to enable."),
    "files": Key(Kind.STRINGS, "Override files, relative to profiles/."),
    "env_files": Key(Kind.STRINGS, "Env files, relative to profiles/; a later one wins."),
    "services": Key(Kind.STRINGS, "Services to start. Empty: all that the selection enables."),
    "env": Key(Kind.STRING_MAP, "Variables; those of the shell win."),
    "hooks": _HOOKS,
}
