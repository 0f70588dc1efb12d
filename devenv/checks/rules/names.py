"""Names that are the same in every environment of a project."""

from __future__ import annotations

from collections.abc import Iterator

from devenv.checks.facts import CheckedProfile, Facts
from devenv.checks.finding import Fault, Severity
from devenv.checks.places import place_of
from devenv.checks.registry import check
from devenv.compose.layers import scalar


@check("fixed-name", Severity.INFO, "compose-spec 05-services.md#container_name")
def fixed_name(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A fixed name keeps two environments of this project from running side by side.

    Names of containers, volumes and networks are unique on an engine. Without a name of their
    own Compose puts the project's name before them.

    Wrong:

        services:
          db: {image: "postgres:16", container_name: db}

    Right:

        services:
          db: {image: "postgres:16"}

    Measured: A second project with the same `container_name` fails after its network was made; two
    with the same volume name share its data.
    """
    model = profile.model
    if model is None:
        return
    for name, service in model.services.items():
        if service.container_name and "$" not in _written(
            profile, "services", name, "container_name"
        ):
            yield Fault(
                f"Every environment of this project wants the container name "
                f"{service.container_name}.",
                place_of(profile, "services", name, "container_name"),
                service=name,
                fix="take container_name out; the service's name is its host name anyway",
            )
    for kind in ("volumes", "networks"):
        for key, raw in (model.document.get(kind) or {}).items():
            written = _written(profile, kind, key, "name")
            if written and "$" not in written and not (raw or {}).get("external"):
                yield Fault(
                    f"Every environment of this project uses the same {kind[:-1]}, {written}.",
                    place_of(profile, kind, key, "name"),
                    fix="take the name out, and Compose names it after the project",
                )


def _written(profile: CheckedProfile, *keys: str) -> str:
    entry = profile.layers.find(*keys)
    return (scalar(entry.value) or "") if entry else ""
