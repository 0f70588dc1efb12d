"""Where in a service's `volumes` a path of the container is mounted to, in either form."""

from __future__ import annotations

import posixpath
import re

from yaml import Node

from devenv.checks.env_scan import scan_env
from devenv.checks.facts import CheckedProfile, Facts
from devenv.checks.finding import Place
from devenv.checks.places import place_of_item
from devenv.compose.layers import entries, scalar


def place_of_mount(profile: CheckedProfile, facts: Facts, service: str, target: str) -> Place:
    """The place of the item that mounts something at a path of the container."""
    scan = scan_env(profile, facts)

    def mounts_target(node: Node) -> bool:
        written = scalar(node)
        if written is not None:
            text = scan.project.interpolate(written).value
            return is_same(text[_drive(text) :].partition(":")[2].partition(":")[0])
        return any(scalar(k) == "target" and is_same(scalar(v) or "") for k, v in entries(node))

    def is_same(text: str) -> bool:
        value = scan.project.interpolate(text).value
        return posixpath.normpath(value or "/") == posixpath.normpath(target)

    return place_of_item(profile, ("services", service, "volumes"), mounts_target)


def _drive(text: str) -> int:
    """The length of a drive letter with its colon."""
    return 2 if re.match(r"[A-Za-z]:[\\/]", text) else 0
