"""What keeps a profile from loading at all."""

from __future__ import annotations

from collections.abc import Iterator

from devenv.checks.facts import CheckedProfile, Facts
from devenv.checks.finding import Fault, Place, Severity
from devenv.checks.places import at_source
from devenv.checks.registry import check
from devenv.errors import CommandFailed, ComposeFileError, ConfigError, DevenvError


@check("profile-invalid", Severity.ERROR, "docs/configuration.md")
def profile_invalid(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A profile that devenv.toml can select does not load.

    It extends a profile that is not there, names a missing file, or has a key that devenv does
    not know. `devenv up --profile NAME` would end with the same words.

    Wrong:

        # profiles/search.toml
        files = ["serach.compose.yaml"]

    Right:

        # profiles/search.toml
        files = ["search.compose.yaml"]

    Measured: The profile is loaded by the same code as for `devenv up`.
    """
    if isinstance(profile.failure, ConfigError):
        yield _fault(profile.failure, profile)


@check("compose-invalid", Severity.ERROR, "docker compose config; compose-spec 01-status.md")
def compose_invalid(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """Docker Compose refuses the files of this profile.

    The message is what Compose says, at the place that it means where that can be found. Where
    another rule explains the refusal, this one stays quiet.

    Wrong:

        services:
          app:
            image: nginx:1.27
            portz: ["80:80"]

    Right:

        services:
          app:
            image: nginx:1.27
            ports: ["80:80"]

    Measured: The refusal is the real one of `docker compose config`, for the selection that the
    profile makes.
    """
    if profile.failure is not None and not isinstance(profile.failure, ConfigError):
        yield _fault(profile.failure, profile)


def _fault(error: DevenvError, profile: CheckedProfile) -> Fault:
    source = error.source
    keys = tuple(str(key) for key in getattr(error, "key_path", ()))
    if keys and isinstance(error, ComposeFileError):
        # With what is included, extended from, or merged by an anchor, unlike Compose's own file.
        source = profile.layers.source(*keys) or source
    if source is None:
        layers = profile.layers.layers
        place = Place(layers[0].path if layers else profile.layers.directory)
    else:
        place = at_source(source)
    message = error.message
    if isinstance(error, CommandFailed) and error.excerpt:
        message = f"Docker Compose refuses this: {error.excerpt.splitlines()[-1].strip()}"
    return Fault(message, place, service=getattr(error, "service", None) or None, fix=error.fix)
