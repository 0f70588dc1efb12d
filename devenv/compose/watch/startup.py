"""How a service's container begins, and as whom, with the lines that say so. Pure.

Spec: Dockerfile reference CMD, ENTRYPOINT, USER; compose-spec 05-services.md#init, #stop_signal.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any

from devenv.compose.dockerfile import Instruction, resolve_metadata
from devenv.compose.layers import Layers
from devenv.compose.parse_config import parse_duration
from devenv.compose.watch.batch import SYNCS
from devenv.compose.watch.places import key_place
from devenv.compose.watch.service import ServicePlanner
from devenv.compose.watch.values import Input, Place
from devenv.values import dataclass

GRACE_SECONDS = 10.0
_SHELLS = ("sh", "bash", "ash", "dash")


@dataclass(frozen=True, slots=True)
class Startup:
    """What is known from the files; of an image that is not built here only Compose's part."""

    user: str | None = None
    """None: the base image's."""
    user_place: Place | None = None
    command_place: Place | None = None
    """The line of what is PID 1: ENTRYPOINT, CMD, or Compose's own."""
    is_shell: bool = False
    """Whether PID 1 is a shell, which hands on no signal."""
    has_init: bool = False
    grace_seconds: float = GRACE_SECONDS
    """How long a stop waits before it kills; the default is the engine's.
    Spec: compose-spec 05-services.md#stop_grace_period."""


def resolve_startup(
    planner: ServicePlanner, layers: Layers, document: Mapping[str, Any]
) -> Startup:
    """What the model and the target stage say."""
    raw = (document.get("services") or {}).get(planner.service.name) or {}
    service, image = planner.service, planner.image
    grace = parse_duration(str(raw.get("stop_grace_period") or "")) or GRACE_SECONDS
    command: Instruction | None = None
    user: str | None = service.user or None
    user_place = key_place(layers, "services", service.name, "user") if user else None
    place: Place | None = None
    is_shell = False
    if image is not None and image.target is not None:
        found = resolve_metadata(image.dockerfile, image.target, image.build.args)
        path = image.dockerfile_path
        if user is None and found.user is not None:
            user, line = found.user, found.user_line
            user_place = Place(path, line) if path else planner.inline_place()
        command = found.entrypoint or found.command
        if command is not None:
            place = Place(path, command.line) if path else planner.inline_place()
            words = command.arguments
            is_shell = not command.is_json or _is_shell(words)
    own = service.entrypoint or (service.command if command is None or not _enters(command) else ())
    if own:
        key = "entrypoint" if service.entrypoint else "command"
        place = key_place(layers, "services", service.name, key)
        is_shell = _is_shell(own)
    return Startup(user, user_place, place, is_shell, raw.get("init") is True, grace)


def find_sync_folder(planner: ServicePlanner, one: Input, *, is_directory: bool) -> str | None:
    """The directory of the container into which a change of an input is copied; None: none is."""
    if one.target is None or any(c in one.path for c in "*?["):
        return None
    change = planner.plan(posixpath.join(one.path, "new-file") if is_directory else one.path)
    if change.action not in SYNCS or change.target is None:
        return None
    return posixpath.dirname(change.target)


def _enters(command: Instruction) -> bool:
    """Whether it is the ENTRYPOINT: then Compose's `command` gives it only arguments."""
    return command.name == "ENTRYPOINT"


def _is_shell(words: tuple[str, ...]) -> bool:
    """Whether a command runs a shell that stays: `sh -c` without `exec`."""
    if not words or words[0].rpartition("/")[2] not in _SHELLS:
        return False
    return not any(word.lstrip().startswith("exec ") for word in words[1:])
