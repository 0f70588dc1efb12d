"""What `devenv up` itself would refuse, or would fail on: its plan, and the checks that stop it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

from devenv.checks.doctor import Diagnosis, Verdict
from devenv.cli.session import Session
from devenv.compose.model import Project
from devenv.compose.plan import Plan, Step
from devenv.errors import DevenvError


def judge_start(
    session: Session, project: Project
) -> tuple[tuple[str, ...], tuple[Diagnosis, ...]]:
    """The images that a start would fetch; and ports that are taken, volumes that it would touch,
    build contexts that are not there, containers of another checkout."""
    from devenv.cli.isolation import refuse_foreign
    from devenv.engine.preflight import load_hashes, load_plan
    from devenv.host.ports import find_listener

    async def load() -> Plan:
        await refuse_foreign(session, project)
        hashes = await load_hashes(
            session.compose, session.selection, session.environ, session.files.compose_files
        )
        return await load_plan(
            session.client,
            project,
            hashes,
            only=session.profile_services,
            find_listener=find_listener if session.endpoint.is_local else None,
        )

    try:
        plan = asyncio.run(load())
    except DevenvError as error:
        return (), (from_error("project", error),)
    images = (project.services[s.service].image for s in plan.steps if s.step is Step.PULL)
    pulled = tuple(dict.fromkeys(image for image in images if image))
    return pulled, (*_judge_ports(plan), *_judge_volumes(plan), *_judge_contexts(plan, project))


def _judge_ports(plan: Plan) -> Iterator[Diagnosis]:
    for one in plan.port_conflicts:
        yield Diagnosis(
            "ports",
            Verdict.FAILURE,
            f"{one.port}/{one.protocol}, which {one.service} publishes, is taken by {one.holder}",
            "stop what holds it, or publish another port",
        )
    if not plan.port_conflicts:
        yield Diagnosis("ports", Verdict.GOOD, "all that are published are free or ours")


def _judge_volumes(plan: Plan) -> Iterator[Diagnosis]:
    for one in plan.volume_conflicts:
        yield Diagnosis(
            "volumes",
            Verdict.FAILURE,
            f"{one.volume} was made with another configuration, and Compose would delete it",
            "take the change back, or give the volume another name",
        )


def _judge_contexts(plan: Plan, project: Project) -> Iterator[Diagnosis]:
    """The build contexts on this machine that a build would not find."""
    for step in plan.steps:
        build = project.services[step.service].build if step.step is Step.BUILD else None
        if build is None or not build.context.startswith("/") or Path(build.context).is_dir():
            continue
        yield Diagnosis(
            "build",
            Verdict.FAILURE,
            f"{step.service} cannot be built: its context {build.context} is not there",
            "correct `build:` in the Compose file, or make the directory",
        )


def judge_findings(session: Session) -> Iterator[Diagnosis]:
    """The errors of `devenv check` for which `up` starts nothing."""
    from devenv.cli.check_runner import load_checks
    from devenv.cli.up_checks import find_reasons_against
    from devenv.cli.up_options import UpOptions
    from devenv.report.finding_paths import FindingPaths

    checks = load_checks(session)
    options = UpOptions(services=session.profile_services)
    blocking = find_reasons_against(checks, session, options)
    paths = FindingPaths(checks.directory)
    for finding in blocking:
        line = f":{finding.place.line}" if finding.place.line is not None else ""
        place = f"{paths.show(finding.place.path)}{line}"
        message = f"{place}: {finding.message} [{finding.rule}]"
        yield Diagnosis("checks", Verdict.FAILURE, message, finding.fix)
    if not blocking:
        yield Diagnosis("checks", Verdict.GOOD, "nothing that makes this start fail")


def from_error(name: str, error: DevenvError) -> Diagnosis:
    """What an error says, as a failure."""
    where = f"{error.source}: " if error.source else ""
    return Diagnosis(name, Verdict.FAILURE, f"{where}{error.message}", error.fix)
