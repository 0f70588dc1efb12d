"""Where a container's variable is set: in `environment`, or in a file of `env_file`."""

from __future__ import annotations

from devenv.checks.env_scan import Role, at_entry, scan_env
from devenv.checks.facts import CheckedProfile, Facts
from devenv.checks.finding import Place
from devenv.checks.places import place_of
from devenv.compose.layers import scalar


def find_variable(
    profile: CheckedProfile, facts: Facts, service: str, name: str
) -> tuple[Place, str]:
    """The place that gives a service's variable its value, and the text as it is written there.

    The service's place and an empty text where none is found.
    """
    entry = profile.layers.find("services", service, "environment", name)
    if entry is not None:
        return place_of(profile, "services", service, "environment", name), (
            scalar(entry.value) or ""
        )
    for reading in reversed(scan_env(profile, facts).readings):
        if reading.role is Role.SERVICE and reading.service == service:
            for one in reversed(reading.file.entries):
                if one.name == name:
                    return at_entry(reading.path, one), one.raw
    return place_of(profile, "services", service, "environment", name), ""
