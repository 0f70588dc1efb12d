"""`devenv doctor`: asks the machine, the engine and the project, and says what would go wrong."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterable, Iterator

from devenv.checks.doctor import (
    Diagnosis,
    EngineFactsFound,
    HostFacts,
    Verdict,
    find_registry,
    judge_builder,
    judge_engine,
    judge_images,
    judge_mounts,
    judge_network,
    judge_room,
    judge_watching,
)
from devenv.cli.doctor_start import from_error, judge_findings, judge_start
from devenv.cli.output import paint, print_json, print_text
from devenv.cli.session import Session
from devenv.compose.model import Project
from devenv.errors import ComposeFileError, DevenvError, EngineUnavailable, ExitCode
from devenv.state.text import sanitize

_MOST_REGISTRIES = 3
_SIGNS = {
    Verdict.GOOD: ("✓", "green"),
    Verdict.WARNING: ("!", "yellow"),
    Verdict.FAILURE: ("✗", "red"),
    Verdict.UNKNOWN: ("?", "dim"),
}


def run_doctor(arguments: argparse.Namespace) -> int:
    """Print every verdict; the exit code is 1 where `up` would fail."""
    session = Session(arguments)
    found = tuple(_diagnose(session, ask_network=not arguments.offline))
    good = not any(one.verdict is Verdict.FAILURE for one in found)
    if arguments.format == "json":
        print_json(
            {
                "version": 1,
                "good": good,
                "checks": [
                    {
                        "name": one.name,
                        "verdict": one.verdict.value,
                        "message": one.message,
                        "fix": one.fix,
                    }
                    for one in found
                ],
            }
        )
    else:
        print_text(_render(found))
    return ExitCode.GOOD if good else ExitCode.FAILED


def _render(found: Iterable[Diagnosis]) -> str:
    lines = []
    diagnoses = list(found)
    width = max((len(one.name) for one in diagnoses), default=0)
    for one in diagnoses:
        sign, colour = _SIGNS[one.verdict]
        message = sanitize(one.message).replace("\n", " ")
        lines.append(f"{paint(sign, colour, sys.stdout)} {one.name:<{width}}  {message}")
        if one.fix and one.verdict is not Verdict.GOOD:
            fix = paint("fix:", "green", sys.stdout)
            lines.append(f"  {'':<{width}}  {fix} {sanitize(one.fix)}")
    counts = [
        (sum(one.verdict is verdict for one in diagnoses), word)
        for verdict, word in ((Verdict.FAILURE, "failure"), (Verdict.WARNING, "warning"))
    ]
    words = [f"{count} {word}{'s' if count > 1 else ''}" for count, word in counts if count]
    end = ", ".join(words) if words else "nothing is wrong"
    return "\n".join(lines) + f"\n\n{end}\n"


def _diagnose(session: Session, *, ask_network: bool) -> Iterator[Diagnosis]:
    engine, missing = _ask_engine(session)
    if engine is not None:
        yield from judge_engine(engine)
    elif missing is not None:
        yield from_error("engine", missing)
    yield from _judge_compose(session)
    project, problems = _load_project(session)
    yield from problems
    yield from _judge_values(session)
    yield from _judge_hooks(session)
    pulled: tuple[str, ...] = ()
    if project is not None and engine is not None:
        pulled, planned = judge_start(session, project)
        yield from planned
    host = _load_host(session, engine, project, ask_network=ask_network)
    builds = [str(s.name) for s in project.services.values() if s.build] if project else []
    yield from judge_builder(host, engine, builds)
    yield from judge_room(host, engine)
    yield from judge_watching(host)
    yield from judge_mounts(host, engine)
    yield from judge_network(host, engine)
    yield from judge_images(pulled, host, engine, asked=ask_network)
    if project is not None:
        yield from judge_findings(session)


def _ask_engine(session: Session) -> tuple[EngineFactsFound | None, DevenvError | None]:
    from devenv.engine.machine import load_engine

    try:
        return asyncio.run(load_engine(session.client)), None
    except DevenvError as error:
        return None, error


def _judge_compose(session: Session) -> Iterator[Diagnosis]:
    try:
        compose = session.compose
    except EngineUnavailable as error:
        yield from_error("compose", error)
        return
    yield Diagnosis("compose", Verdict.GOOD, f"{compose.version} at {compose.path}")


def _load_project(session: Session) -> tuple[Project | None, tuple[Diagnosis, ...]]:
    """The model, or why there is none; without Compose files the machine alone is looked at."""
    try:
        files = session.files
    except ComposeFileError as error:
        if error.source is None and error.message.startswith("No Compose file"):
            why = "no Compose file here: only the machine was looked at"
            return None, (Diagnosis("project", Verdict.UNKNOWN, why),)
        return None, (from_error("project", error),)
    except DevenvError as error:
        return None, (from_error("project", error),)
    try:
        project = session.project
    except EngineUnavailable:
        return None, ()  # said already
    except DevenvError as error:
        return None, (from_error("project", error),)
    profile = f", profile {files.choice.name}" if files.choice.name else ""
    count = len(project.services)
    services = "1 service" if count == 1 else f"{count} services"
    message = f"{project.name}: {services}{profile}"
    return project, (Diagnosis("project", Verdict.GOOD, message),)


def _judge_values(session: Session) -> Iterator[Diagnosis]:
    """Whether the env files have what the start needs."""
    from devenv.cli.env_files import load_env_profiles

    try:
        profiles = load_env_profiles(session)
    except DevenvError:
        return  # said already
    for profile in profiles:
        diff = profile.diff()
        required = [
            key.name for key in diff.missing if any(r.operator[-1:] == "?" for r in key.readers)
        ]
        others = [key.name for key in diff.missing if key.name not in required]
        fix = "devenv env sync asks for them; devenv env diff says where they are read"
        if required:
            message = f"not set, and Compose needs them: {', '.join(required)}"
            yield Diagnosis("variables", Verdict.FAILURE, message, fix)
        if others:
            message = f"not set, and taken as empty: {', '.join(others)}"
            yield Diagnosis("variables", Verdict.WARNING, message, fix)
        if not required and not others:
            yield Diagnosis("variables", Verdict.GOOD, "all that is read is set or has a default")


def _judge_hooks(session: Session) -> Iterator[Diagnosis]:
    """Whether the repository's hooks were allowed; nothing where it has none."""
    from devenv.cli.hook_run import are_allowed

    try:
        files = session.files
    except DevenvError:
        return  # said already
    hooks = [*files.settings.hooks, *(hook for p in files.profiles.values() for hook in p.hooks)]
    count = f"{len(hooks)} hook{'s' if len(hooks) > 1 else ''}"
    if hooks and are_allowed(session):
        yield Diagnosis("hooks", Verdict.GOOD, f"{count}, allowed on this machine")
    elif hooks:
        message = f"{count}, not allowed here: up asks, and without a terminal starts nothing"
        yield Diagnosis("hooks", Verdict.WARNING, message, "devenv allow shows and allows them")


def _load_host(
    session: Session,
    engine: EngineFactsFound | None,
    project: Project | None,
    *,
    ask_network: bool,
) -> HostFacts:
    from devenv.engine.machine import find_buildx
    from devenv.host.machine import load_host_facts

    directory = str(session.start)
    places = [directory]
    if engine is not None and engine.is_local and engine.root_directory:
        places.insert(0, engine.root_directory)
    images = [s.image for s in project.services.values() if s.image] if project else []
    registries = list(dict.fromkeys(find_registry(image) for image in images))
    return load_host_facts(
        directory,
        session.environ,
        places=places,
        registries=(registries or ["registry-1.docker.io"])[:_MOST_REGISTRIES]
        if ask_network
        else (),
        buildx=find_buildx(session.environ),
    )
