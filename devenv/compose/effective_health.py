"""Which health check a service's container will have: Compose's, its build's or its image's.

Compose hands its own `healthcheck` to the engine, which fills what is not set from the image.
`disable: true` and `test: NONE` win over everything. An image that is not there to be looked at
makes the check unknown, never absent.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from devenv.compose.dockerfile import SCRATCH, Dockerfile, parse_dockerfile, resolve_metadata
from devenv.compose.model import Build, Healthcheck, Project, Service
from devenv.compose.parse_config import parse_duration
from devenv.values import dataclass, replace


class Origin(StrEnum):
    """What decides that there is a health check, or none."""

    COMPOSE = "the Compose file"
    DOCKERFILE = "its Dockerfile"
    IMAGE = "its image"


@dataclass(frozen=True, slots=True)
class Health:
    """A container's health check. `is_known` is False where the image could not be looked at."""

    check: Healthcheck | None = None
    is_known: bool = True
    origin: Origin = Origin.COMPOSE

    @property
    def is_missing(self) -> bool:
        """Whether there is certainly none."""
        return self.is_known and self.check is None


UNKNOWN = Health(is_known=False, origin=Origin.IMAGE)


def is_disabled(written: Mapping[str, Any]) -> bool:
    """Whether a `healthcheck` of the merged model takes away what the image has."""
    test = written.get("test") or ()
    return bool(written.get("disable")) or (not isinstance(test, str) and test[:1] == ["NONE"])


def written_healthcheck(project: Project, service: Service) -> Mapping[str, Any]:
    """The `healthcheck` of the merged model as it is; empty where there is none."""
    raw = (project.document.get("services") or {}).get(service.name) or {}
    return raw.get("healthcheck") or {}


def resolve_health(service: Service, written: Mapping[str, Any], image: Health) -> Health:
    """The check of a service's container, given its merged `healthcheck` and its image's check."""
    if is_disabled(written):
        return Health(None)
    if service.healthcheck is not None:
        return Health(service.healthcheck)
    if image.check is None or not written:
        return image
    return replace(image, check=_over(image.check, written))


def _over(check: Healthcheck, written: Mapping[str, Any]) -> Healthcheck:
    """An image's check with the times that Compose sets; one of 0 leaves the image's."""
    return replace(
        check,
        interval_seconds=_seconds(written, "interval") or check.interval_seconds,
        timeout_seconds=_seconds(written, "timeout") or check.timeout_seconds,
        retries=int(written.get("retries") or check.retries),
        start_period_seconds=_seconds(written, "start_period") or check.start_period_seconds,
        start_interval_seconds=_seconds(written, "start_interval") or check.start_interval_seconds,
    )


def _seconds(written: Mapping[str, Any], key: str) -> float:
    return parse_duration(str(written.get(key) or ""))


def dockerfile_path(build: Build) -> str | None:
    """The absolute path of a build's Dockerfile; None where it is no local file."""
    if build.dockerfile_inline is not None or "://" in build.context:
        return None
    if build.context.startswith("git@"):
        return None
    return posixpath.normpath(posixpath.join(build.context, build.dockerfile))


def resolve_build_health(
    build: Build, text: str | None, images: Mapping[str, Healthcheck | None] | None
) -> Health:
    """The check of a build's target stage: its own, one of its FROM chain, or its base image's.

    `text` is the Dockerfile's, None where it could not be read; `images` maps local images to
    their check, None where no engine said what is there.
    """
    dockerfile = parse_dockerfile(text) if text is not None else Dockerfile()
    stage = dockerfile.find_stage(build.target)
    if stage is None or dockerfile.fault is not None:
        return UNKNOWN
    metadata = resolve_metadata(dockerfile, stage, build.args)
    if metadata.has_healthcheck:
        return Health(metadata.healthcheck, origin=Origin.DOCKERFILE)
    last = dockerfile.chain(stage, build.args)[-1]
    if dockerfile.resolve_base(last, build.args) == SCRATCH:
        return Health(None, origin=Origin.DOCKERFILE)
    base = base_image(build, text)
    found = image_health(base, images)
    return replace(found, origin=Origin.DOCKERFILE) if found.is_known else found


def base_image(build: Build, text: str | None) -> str | None:
    """The image that a build's target stage is made from in the end; None where that is unknown."""
    dockerfile = parse_dockerfile(text) if text is not None else Dockerfile()
    stage = dockerfile.find_stage(build.target)
    base = dockerfile.image_base(stage, build.args) if stage else None
    if base is None or base not in build.additional_contexts:
        return base
    scheme, _, image = build.additional_contexts[base].partition("://")
    return image if scheme == "docker-image" else None


def image_health(reference: str | None, images: Mapping[str, Healthcheck | None] | None) -> Health:
    """A local image's check; unknown where the image is not there."""
    if reference is None or images is None or reference not in images:
        return UNKNOWN
    return Health(images[reference], origin=Origin.IMAGE)
