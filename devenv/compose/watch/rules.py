"""The rules of `develop.watch`: which of them name a path, and what they ask for.

Spec: compose-spec develop.md; docker/compose pkg/compose/watch.go.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any

from devenv.compose.dockerignore import IgnoreFile, parse_ignore_file
from devenv.compose.watch.tools.effect import is_within
from devenv.compose.watch.values import WatchAction
from devenv.values import dataclass, field

_STRENGTH = (
    WatchAction.REBUILD,
    WatchAction.SYNC_EXEC,
    WatchAction.SYNC_RESTART,
    WatchAction.SYNC,
    WatchAction.RESTART,
)
INITIAL = (WatchAction.SYNC, WatchAction.SYNC_RESTART)
"""The actions for which `initial_sync` counts."""


@dataclass(frozen=True, slots=True)
class WatchRule:
    """One entry of `develop.watch`; `path` absolute, `index` its place in the merged list."""

    index: int
    path: str
    action: WatchAction
    target: str | None = None
    ignore: IgnoreFile = field(default_factory=IgnoreFile)
    include: IgnoreFile | None = None
    initial_sync: bool = False
    command: tuple[str, ...] = ()
    """Of `exec`, for `sync+exec`."""

    @property
    def is_initial(self) -> bool:
        """Whether its files are synced when the watch begins."""
        return self.initial_sync and self.action in INITIAL

    def covers(self, path: str) -> bool:
        """Whether the path is the rule's own or below it, ignored or not."""
        return is_within(path, self.path)

    def matches(self, path: str) -> bool:
        """Whether the rule asks for something when this path changes."""
        if not self.covers(path):
            return False
        below = path[len(self.path) :].strip("/") or posixpath.basename(path)
        if self.ignore.excludes(below):
            return False
        return self.include is None or self.include.excludes(below)

    def target_of(self, path: str) -> str | None:
        """The file's path in the container; None for an action that copies nothing."""
        if self.target is None:
            return None
        below = path[len(self.path) :].strip("/")
        return posixpath.normpath(posixpath.join(self.target, below))


def parse_rules(raw: Mapping[str, Any]) -> tuple[WatchRule, ...]:
    """The rules of a service of the model's document, in order; unknown actions left out."""
    found = []
    for index, rule in enumerate((raw.get("develop") or {}).get("watch") or ()):
        try:
            action = WatchAction(rule.get("action", ""))
        except ValueError:
            continue
        include = _listed(rule.get("include"))
        found.append(
            WatchRule(
                index,
                posixpath.normpath(rule.get("path") or "."),
                action,
                rule.get("target"),
                parse_ignore_file("\n".join(_listed(rule.get("ignore")))),
                parse_ignore_file("\n".join(include)) if include else None,
                bool(rule.get("initial_sync")),
                _command(rule.get("exec")),
            )
        )
    return tuple(found)


def choose_rule(rules: list[WatchRule]) -> tuple[WatchAction, WatchRule]:
    """What all matching rules together ask for, and the one that decides. Needs one at least."""
    action = min((rule.action for rule in rules), key=_STRENGTH.index)
    deciding = next(rule for rule in rules if rule.action is action)
    actions = {rule.action for rule in rules}
    if WatchAction.SYNC in actions and WatchAction.RESTART in actions and len(actions) == 2:
        return WatchAction.SYNC_RESTART, deciding
    return action, deciding


def _command(raw: Any) -> tuple[str, ...]:
    command = raw.get("command") if isinstance(raw, dict) else None
    if isinstance(command, str):
        return ("sh", "-c", command)
    return tuple(str(word) for word in command or ())


def _listed(value: Any) -> list[str]:
    return [str(one) for one in (value if isinstance(value, list) else [value] if value else [])]
