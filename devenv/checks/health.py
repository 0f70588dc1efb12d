"""The health checks that a profile's containers will have, from its model and the facts."""

from __future__ import annotations

from collections.abc import Mapping

from devenv.checks.facts import EngineFacts, Facts
from devenv.compose.effective_health import (
    UNKNOWN,
    Health,
    dockerfile_path,
    image_health,
    resolve_build_health,
    resolve_health,
    written_healthcheck,
)
from devenv.compose.model import Healthcheck, Project, Service
from devenv.compose.names import ServiceName


def resolve_healths(project: Project, facts: Facts) -> dict[ServiceName, Health]:
    """Each service's health check. A service with `build` has its Dockerfile's, not its image's."""
    images = known_images(facts.engine)
    return {
        name: resolve_health(
            service,
            written_healthcheck(project, service),
            _image_health(service, facts, images),
        )
        for name, service in project.services.items()
    }


def known_images(engine: EngineFacts | None) -> Mapping[str, Healthcheck | None] | None:
    """Local images to their health check; None where no engine answered."""
    if engine is None:
        return None
    return {name: image.healthcheck for name, image in engine.images.items()}


def _image_health(
    service: Service, facts: Facts, images: Mapping[str, Healthcheck | None] | None
) -> Health:
    if service.build is None:
        return image_health(service.image, images)
    path = dockerfile_path(service.build)
    text = service.build.dockerfile_inline
    if text is None and path is not None:
        text = facts.file(path).text
    return resolve_build_health(service.build, text, images) if text is not None else UNKNOWN
