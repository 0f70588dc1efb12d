"""Which images services and Dockerfiles stand on."""

from __future__ import annotations

import re
from collections.abc import Iterator

from devenv.checks.builds import BuildView, find_builds
from devenv.checks.facts import CheckedProfile, Facts
from devenv.checks.finding import Fault, Place, Severity
from devenv.checks.places import place_of
from devenv.checks.registry import check
from devenv.compose.dockerfile import SCRATCH, Stage
from devenv.values import dataclass

_SLIM_KNOWN = {
    "node": "slim",
    "python": "slim",
    "ruby": "slim",
    "php": "alpine",
    "rust": "slim",
    "perl": "slim",
    "golang": "alpine",
    "openjdk": "slim",
    "eclipse-temurin": "alpine",
    "debian": "slim",
}
"""Official images that have a smaller variant, and what its tags hold."""
_SMALL = re.compile(r"slim|alpine|distroless|chiseled|nanoserver|busybox|minimal|jre")


@dataclass(frozen=True, slots=True)
class ImageReference:
    """An image's name in its parts; `tag` and `digest` are None where they are not there."""

    repository: str
    tag: str | None
    digest: str | None

    @property
    def is_pinned(self) -> bool:
        """Whether it has a digest, or a tag other than `latest`."""
        return self.digest is not None or self.tag not in (None, "latest")


def parse_image(reference: str) -> ImageReference:
    """`[registry/]repository[:tag][@digest]`. Spec: distribution reference grammar."""
    name, _, digest = reference.partition("@")
    head, colon, tail = name.rpartition(":")
    if colon and "/" not in tail:
        return ImageReference(head, tail, digest or None)
    return ImageReference(name, None, digest or None)


def _service_images(profile: CheckedProfile) -> Iterator[tuple[str, str, Place]]:
    """Service, image and place for services that do not build theirs."""
    if profile.model is None:
        return
    for name, service in profile.model.services.items():
        raw = (profile.model.document.get("services") or {}).get(name) or {}
        if raw.get("pull_policy") in ("never", "build"):
            continue  # made on this machine
        if service.image and service.build is None:
            yield name, service.image, place_of(profile, "services", name, "image")


def _bases(profile: CheckedProfile, facts: Facts) -> Iterator[tuple[BuildView, Stage, str]]:
    """The image at the foot of each stage that a target needs, once for each FROM."""
    own = {
        service.image
        for service in (profile.model.services.values() if profile.model else ())
        if service.build is not None
    }
    for view in find_builds(profile, facts):
        dockerfile, target = view.dockerfile, view.target
        if dockerfile is None or target is None:
            continue
        for stage in dockerfile.closure(target, view.build.args, view.build.additional_contexts):
            base = dockerfile.resolve_base(stage, view.build.args)
            if not base or base == SCRATCH or dockerfile.find_base(base, stage) is not None:
                continue
            if base not in view.build.additional_contexts and base not in own:
                yield view, stage, base


@check("image-unpinned", Severity.WARNING, "compose-spec 05-services.md#image")
def image_unpinned(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A service's image has no tag, or the tag `latest`.

    What runs then depends on the day of the first pull, and differs between two machines.

    Wrong:

        services:
          db: {image: postgres}

    Right:

        services:
          db: {image: "postgres:16"}

    Measured: A tag is asked for again only when the image is not there, so that two machines keep
    what they pulled first.
    """
    for name, image, place in _service_images(profile):
        if not parse_image(image).is_pinned:
            yield Fault(
                f"{name} uses {image}: what that is depends on the day of the pull.",
                place,
                service=name,
                fix="name a version as the tag",
            )


@check("base-unpinned", Severity.WARNING, "Dockerfile reference: FROM")
def base_unpinned(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """The base image of a stage has no tag, or the tag `latest`.

    The same Dockerfile then builds something else next month.

    Wrong:

        FROM node

    Right:

        FROM node:20-slim

    Measured: As for `image-unpinned`: the builder takes the image that is there.
    """
    for view, stage, base in _bases(profile, facts):
        if not parse_image(base).is_pinned:
            yield Fault(
                f"The base image {base} has no version: the next build may stand on another one.",
                view.place(stage.line, stage.base_column),
                fix="name a version as the tag",
                service=view.service.name,
                is_shared=True,
            )


@check("base-not-slim", Severity.INFO, "sizes of the official images")
def base_not_slim(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """The last stage stands on a full image that has a slim variant.

    The full images carry compilers and headers, several hundred MB that the program does not
    need. A stage that only builds may stand on one.

    Wrong:

        FROM node:20

    Right:

        FROM node:20-slim

    Measured: Only official images that have a slim variant are meant; the rule knows them by name.
    """
    for view in find_builds(profile, facts):
        dockerfile = view.dockerfile
        if dockerfile is None or not dockerfile.stages:
            continue
        final = dockerfile.stages[-1]
        foot = dockerfile.chain(final, view.build.args)[-1]
        base = dockerfile.image_base(final, view.build.args)
        if base is None:
            continue
        image = parse_image(base)
        variant = _SLIM_KNOWN.get(image.repository.removeprefix("docker.io/library/"))
        if variant is not None and not _SMALL.search(image.tag or ""):
            yield Fault(
                f"{base} is the full image; it has a smaller variant ({variant}).",
                view.place(foot.line, foot.base_column),
                fix=f"{image.repository}:{image.tag or 'VERSION'}-{variant}",
                service=view.service.name,
                is_shared=True,
            )


@check("no-digest", Severity.INFO, "distribution reference grammar")
def no_digest(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """An image is named by a tag, which can be moved to other content.

    A digest cannot. Worth it where builds must be the same for years; tools such as Renovate
    keep digests up to date. A tag that is missing altogether is `image-unpinned`.

    Wrong:

        services:
          db: {image: "postgres:16.4"}

    Right:

        services:
          db: {image: "postgres:16.4@sha256:…"}

    Measured: Quiet for images that the project builds itself, and where there is no tag at all.
    """
    for name, image, place in _service_images(profile):
        if parse_image(image).digest is None and parse_image(image).is_pinned:
            yield Fault(f"{image} has no digest.", place, service=name)
    for view, stage, base in _bases(profile, facts):
        if parse_image(base).digest is None and parse_image(base).is_pinned:
            yield Fault(
                f"{base} has no digest.",
                view.place(stage.line, stage.base_column),
                service=view.service.name,
                is_shared=True,
            )
