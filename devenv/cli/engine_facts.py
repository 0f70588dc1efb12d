"""What the checks ask the engine: its images, and programs in them."""

from __future__ import annotations

from collections.abc import Sequence

from devenv.checks.facts import CheckedProfile, EngineFacts, FileKind
from devenv.cli.session import Session
from devenv.compose.model import Build, Service
from devenv.errors import EngineUnavailable
from devenv.host.check_files import FileReader


def ask_images(
    session: Session, profiles: Sequence[CheckedProfile], reader: FileReader
) -> EngineFacts | None:
    """What it knows of the images of the profiles' services; None where none is in reach."""
    from devenv.engine.facts import load_engine_facts

    images: dict[str, None] = {}
    for profile in profiles:
        project = profile.everything or profile.model
        for service in project.services.values() if project else ():
            built = f"{project.name}-{service.name}" if project else service.name
            images[service.image or built] = None
            base = _base_image(service.build, reader) if service.build else None
            if base is not None:
                images[base] = None
    try:
        return load_engine_facts(session.endpoint, images)
    except EngineUnavailable:
        return None


def ask_programs(
    session: Session, profiles: Sequence[CheckedProfile], reader: FileReader
) -> dict[tuple[str, str], bool]:
    """For each image and program that a rule has to know of, whether it is in there."""
    from devenv.checks.probe_programs import find_wanted
    from devenv.engine.image_programs import find_programs

    projects = [profile.everything or profile.model for profile in profiles]

    def needs(service: Service) -> tuple[str, ...]:
        files = (f"{source}/.git" for kind, source, _ in service.mounts if kind == "bind")
        known = [reader.states[file].kind for file in files if file in reader.states]
        return ("git",) if FileKind.FILE in known else ()

    wanted = find_wanted([project for project in projects if project is not None], needs)
    return find_programs(session.endpoint, wanted)


def _base_image(build: Build, reader: FileReader) -> str | None:
    """The image that a build's target stage is made from in the end."""
    from devenv.compose.effective_health import base_image, dockerfile_path

    path = dockerfile_path(build)
    text = build.dockerfile_inline or (reader.read(path).text if path else None)
    return base_image(build, text)
