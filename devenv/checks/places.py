"""Where a finding about the merged model is shown."""

from __future__ import annotations

from collections.abc import Callable

from yaml import Node

from devenv.checks.facts import CheckedProfile
from devenv.checks.finding import Place
from devenv.compose.layers import items, source_of
from devenv.errors import Source


def at_source(source: Source) -> Place:
    """The place of what stands at a line and column of a file."""
    return Place(source.path, source.line, source.column)


def place_of(profile: CheckedProfile, *keys: str) -> Place:
    """The place of a model key, or of the nearest key above it; a Compose file at the worst."""
    source = profile.layers.source(*keys)
    if source is not None:
        return at_source(source)
    layers = profile.layers.layers
    return Place(layers[-1].path if layers else profile.layers.directory)


def to_place(path: str, node: Node) -> Place:
    """Where a node of a Compose file starts."""
    return at_source(source_of(path, node))


def place_of_item(
    profile: CheckedProfile, keys: tuple[str, ...], is_it: Callable[[Node], bool]
) -> Place:
    """The place of the first item of a list that `is_it` takes, the winning file first."""
    for entry in profile.layers.find_all(*keys):
        for node in items(entry.value):
            if is_it(node):
                return to_place(entry.path, node)
    return place_of(profile, *keys)
