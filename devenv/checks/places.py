"""Where a finding about the merged model is shown."""

from __future__ import annotations

from devenv.checks.facts import CheckedProfile
from devenv.checks.finding import Place


def place_of(profile: CheckedProfile, *keys: str) -> Place:
    """The place of a model key, or of the nearest key above it; a Compose file at the worst."""
    source = profile.layers.source(*keys)
    if source is not None:
        return Place(source.path, source.line, source.column)
    layers = profile.layers.layers
    return Place(layers[-1].path if layers else profile.layers.directory)
