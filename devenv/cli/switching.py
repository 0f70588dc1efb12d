"""`devenv switch`: to another profile or branch, touching only what differs.

A profile: the plan is made, what the profile does not have is stopped, `up` does the rest, and the
choice is remembered for the branch. A branch: what runs is stopped, git switches, and the
environment of that branch is started; where git refuses, what was stopped is started again.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterable

from devenv.cli.cloning import find_clones
from devenv.cli.drift import explain_with
from devenv.cli.operations import release_services, start_services, stop_services
from devenv.cli.output import print_error, print_json, print_note, print_text
from devenv.cli.session import Session
from devenv.cli.up import ask_first
from devenv.compose.names import EnvironmentName, ServiceName
from devenv.compose.switch import SwitchPlan, plan_switch
from devenv.engine.containers_now import observe_once
from devenv.engine.preflight import check_plan, load_plan
from devenv.errors import CommandFailed, DevenvError, ExitCode, UsageError
from devenv.host import paths
from devenv.host.choices import forget_choice, remember_choice
from devenv.host.git_commands import (
    has_branch,
    list_recent_branches,
    return_from_branch,
    switch_branch,
)
from devenv.host.memory import open_memory
from devenv.host.ports import find_listener
from devenv.report.switch import render_switch, switch_to_json
from devenv.state.text import sanitize

_RUNNING = ("running", "paused", "restarting")


def run_switch(session: Session, arguments: argparse.Namespace) -> int:
    """Switch, or print what would be done. Raises what keeps it from being done."""
    if session.asked_for_profile:
        raise UsageError("switch names its profile itself.", fix="devenv switch PROFILE")
    if arguments.auto:
        return _forget(session, arguments)
    target = arguments.target
    if target is None:
        raise UsageError(
            "switch needs a profile or a branch.",
            fix="devenv profile list; --auto goes back to what devenv.toml says",
        )
    git = session.git
    is_branch = git is not None and has_branch(git.root, session.environ, target)
    try:
        is_profile = target in session.files.profiles and not arguments.branch
    except DevenvError:
        if not is_branch:
            raise
        is_profile = False  # a branch whose files do not load can still be left
    if not is_profile and not is_branch:
        raise _unknown(session, target, only_branches=arguments.branch)
    if is_profile:
        return _to_profile(session, arguments, target)
    return _to_branch(session, arguments, target)


def _unknown(session: Session, target: str, *, only_branches: bool) -> UsageError:
    """The error for a name that is nothing, with those that are most like it."""
    try:
        profiles = [] if only_branches else sorted(session.files.profiles)
    except DevenvError:
        profiles = []
    git = session.git
    found = list_recent_branches(git.root, session.environ) if git is not None else ()
    branches = [branch.name for branch in found]
    near = find_near(target, (*profiles, *branches))
    hint = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
    known = [] if only_branches else [f"profiles: {', '.join(profiles) or 'none'}"]
    more = ", …" if len(branches) > _SHOWN_BRANCHES else ""
    known.append(f"branches: {', '.join(branches[:_SHOWN_BRANCHES]) or 'none'}{more}")
    what = "no branch" if only_branches else "neither a profile nor a branch"
    return UsageError(f"{target!r} is {what}.", fix=f"{hint}{'; '.join(known)}")


_SHOWN_BRANCHES = 8


def find_near(name: str, known: Iterable[str]) -> list[str]:
    """The names, two at most, that somebody who typed `name` may have meant: those most like it, as
    a whole or by their last part (`serch` for `feature/search`), whatever the case."""
    from difflib import SequenceMatcher

    wanted = name.lower()

    def likeness(one: str) -> float:
        parts = {one.lower(), one.lower().rpartition("/")[2]}
        return max(SequenceMatcher(None, wanted, part).ratio() for part in parts)

    found = sorted(
        ((likeness(one), one) for one in dict.fromkeys(known)), key=lambda pair: -pair[0]
    )
    same = [one for _, one in found if one.lower() == wanted]
    return same[:1] or [one for score, one in found if score >= _NEAR][:2]


_NEAR = 0.8


def _forget(session: Session, arguments: argparse.Namespace) -> int:
    """Let devenv.toml choose the profile again."""
    branch = session.files.git.effective_branch if session.files.git else None
    before = load_running(session)
    with open_memory(paths.state_directory(session.environ), print_note) as memory:
        forget_choice(memory, str(session.files.root), branch)
    return _apply(session.renew(), arguments, before)


def _to_profile(session: Session, arguments: argparse.Namespace, name: str) -> int:
    before = load_running(session)
    chosen = session.renew(profile=name)
    if arguments.dry_run:
        return _print_plan(chosen, before, arguments.format)
    refuse_outranked(chosen, name)
    plan = asyncio.run(load_switch_plan(chosen, before))
    check_plan(plan.up)
    if not keep_choice(session, name):
        print_note(f"The choice is not remembered: devenv up --profile {name} repeats it.")
    return _execute(chosen, arguments, plan)


def refuse_outranked(session: Session, name: str) -> None:
    """Raise UsageError where a session for a profile chosen by hand has another one after all."""
    if session.files.choice.name != name:
        raise UsageError(
            f"Profile {session.files.choice.name} is set, which is above a choice by hand.",
            fix="unset DEVENV_PROFILE",
        )


def keep_choice(session: Session, name: str) -> bool:
    """Remember a profile for the branch that is checked out; whether that was kept."""
    files = session.files
    branch = files.git.effective_branch if files.git else None
    with open_memory(paths.state_directory(session.environ), print_note) as memory:
        return remember_choice(memory, str(files.root), branch, name)


def _to_branch(session: Session, arguments: argparse.Namespace, branch: str) -> int:
    git = session.git
    assert git is not None
    if git.branch == branch:
        print_note(sanitize(f"{branch} is checked out already."))
        return _apply(session, arguments, load_running(session))
    before = load_running(session)
    if arguments.dry_run:
        return _print_branch_plan(session, before, branch, arguments.format)
    after = go_to_branch(session, before, branch, shows_access=True)
    # What was stopped is stopped: the plan of the new branch begins from nothing that runs.
    try:
        plan = asyncio.run(load_switch_plan(after, (before[0], ())))
        check_plan(plan.up)
    except DevenvError:
        print_note(sanitize(f"Nothing was started; devenv switch {git.branch or '-'} goes back."))
        raise
    return _execute(after, arguments, plan)


def go_to_branch(
    session: Session,
    before: tuple[EnvironmentName | None, tuple[ServiceName, ...]],
    branch: str,
    *,
    shows_access: bool,
) -> Session:
    """Stop what runs and let git switch; where the branch's files do not load, or its hooks are
    refused, git goes back and the same services are started again.

    Raises what git said, or what is wrong with the branch's files.
    """
    git = session.git
    leave_for_branch(session, before, branch)
    renewed = session.renew()
    try:
        ask_first(renewed, shows_access=shows_access)
        renewed.project  # noqa: B018, a property that loads
    except DevenvError as error:
        if git is None:
            raise
        return_from_branch(git, session.environ)
        name, running = before
        if name is not None and running:
            start_services(session, name, running)
        here = git.branch or "where it was"
        print_note(sanitize(f"git switched back to {here}"))
        error.message = f"Still on {here}, since {branch} cannot be started: {error.message}"
        raise
    return renewed


def leave_for_branch(
    session: Session,
    before: tuple[EnvironmentName | None, tuple[ServiceName, ...]],
    branch: str,
) -> None:
    """Stop what runs, and let git switch. Where it refuses, what was stopped is started again, and
    CommandFailed has its words."""
    git = session.git
    if git is None:
        raise UsageError(f"{session.start} is in no git repository.")
    name, running = before
    if name is not None and running:
        print_note(sanitize(f"stopping {', '.join(running)} of {name}"))
        stop_services(session, name, running)
    try:
        switch_branch(git.root, session.environ, branch)
    except (CommandFailed, UsageError):
        if name is not None and running:
            start_services(session, name, running)
            print_note(sanitize(f"git did not switch; {', '.join(running)} started again"))
        raise
    print_note(sanitize(f"on branch {branch}"))


def _apply(
    session: Session,
    arguments: argparse.Namespace,
    before: tuple[EnvironmentName | None, tuple[ServiceName, ...]],
) -> int:
    if arguments.dry_run:
        return _print_plan(session, before, arguments.format)
    plan = asyncio.run(load_switch_plan(session, before))
    check_plan(plan.up)
    return _execute(session, arguments, plan)


def load_running(session: Session) -> tuple[EnvironmentName | None, tuple[ServiceName, ...]]:
    """The environment that runs here now, and its services that run; None where it cannot load."""
    from devenv.cli.environment_names import find_environment_names

    async def load() -> tuple[EnvironmentName | None, tuple[ServiceName, ...]]:
        await session.client.ping()
        try:
            name = (await find_environment_names(session))[0]
        except (IndexError, DevenvError):
            return None, ()
        found = await observe_once(session.client, name)
        return name, tuple(sorted({c.service for c in found if c.state in _RUNNING}))

    return asyncio.run(load())


async def load_switch_plan(
    session: Session, before: tuple[EnvironmentName | None, tuple[ServiceName, ...]]
) -> SwitchPlan:
    """From an environment and its services that run to what `session` selects.

    Raises what keeps its files from loading, and EngineUnavailable.
    """
    project = await asyncio.to_thread(lambda: session.project)
    hashes = await asyncio.to_thread(lambda: session.hashes)
    up = await load_plan(
        session.client,
        project,
        hashes,
        only=session.profile_services,
        find_listener=find_listener if session.endpoint.is_local else None,
        explain=explain_with(session, project),
    )
    names = [volume.name for volume in project.volumes if not volume.external]
    existing = [name for name in names if await session.client.volume(name) is not None]
    copied = [one.target for one in await find_clones(session, project) if one.is_wanted]
    return plan_switch(before[0], project.name, before[1], up, names, existing, copied)


def _print_plan(
    session: Session,
    before: tuple[EnvironmentName | None, tuple[ServiceName, ...]],
    form: str,
) -> int:
    plan = asyncio.run(load_switch_plan(session, before))
    if form == "json":
        print_json(switch_to_json(plan))
    else:
        print_text(sanitize(render_switch(plan)))
    refused = plan.up.volume_conflicts or plan.up.port_conflicts
    return ExitCode.FAILED if refused else ExitCode.GOOD


def _print_branch_plan(
    session: Session,
    before: tuple[EnvironmentName | None, tuple[ServiceName, ...]],
    branch: str,
    form: str,
) -> int:
    """What would be done, from the files as the branch has them. Exit code 1 where they do not
    load: then the switch would go back."""
    from devenv.cli.branch_files import load_branch_files

    name, running = before
    found = load_branch_files(session, branch)
    services = sorted(found.project.services) if found.project is not None else []
    steps = [f"stop {service} of {name}" for service in running]
    steps.append(f"git switch {branch}")
    if found.project is not None:
        profile = f" with profile {found.profile}" if found.profile else ""
        shown = ", ".join(services) or "nothing: the selection has no services"
        steps.append(f"start {found.project.name}{profile}: {shown}")
    elif found.fault is None:
        steps.append("start what the files of that branch say")
    if form == "json":
        fault = found.fault
        print_json(
            {
                "before": name,
                "branch": branch,
                "after": found.project.name if found.project is not None else None,
                "stops": list(running),
                "services": services,
                "steps": steps if fault is None else [],
                "problem": None if fault is None else fault.message,
            }
        )
    elif found.fault is None:
        print_text(sanitize("".join(f"{step}\n" for step in steps)))
    if found.fault is None:
        return ExitCode.GOOD
    print_note(sanitize(f"The files of {branch} do not load; what runs would be left as it is:"))
    print_error(found.fault)
    return ExitCode.FAILED


def _execute(session: Session, arguments: argparse.Namespace, plan: SwitchPlan) -> int:
    """Stop what goes, start the rest, and end when all is healthy."""
    ask_first(session)
    from devenv.cli.up_plain import run_plain

    if plan.before is not None and plan.stops:
        names = tuple(stop.service for stop in plan.stops)
        print_note(sanitize(f"stopping {', '.join(names)}"))
        stop_services(session, plan.before, names)
    if plan.is_empty or not plan.changes:
        kept = ", ".join(plan.up.services) or "nothing"
        print_note(sanitize(f"{plan.after}: {kept} runs as it should"))
    up = argparse.Namespace(
        **{
            **vars(arguments),
            "services": [],
            "without": [],
            "no_build": False,
            "no_checks": arguments.no_checks,
            "detach": True,
            "wait": True,
            "plain": True,
            "dry_run": False,
        }
    )
    code = run_plain(session, up)
    if plan.before is not None and plan.before != plan.after:
        release_services(session, plan.before)
    return code
