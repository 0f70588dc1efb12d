"""The switcher of `devenv up`: what can be switched to, the plan of each, and the switch itself.

Looking and planning happen while the UI runs and hold up no key; the switch happens when the UI
has ended, and it begins again afterwards.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator

from devenv.cli.background import in_thread
from devenv.cli.session import Session
from devenv.compose.names import EnvironmentName, ServiceName
from devenv.engine.problems import to_problem
from devenv.errors import DevenvError, UsageError
from devenv.host.files import read_text
from devenv.host.git_commands import (
    find_reference,
    list_differing,
    list_recent_branches,
    read_committed,
)
from devenv.host.project_files import ProjectFiles
from devenv.state.actions import Action, SwitchChoicesLoaded, SwitchPreviewed
from devenv.state.effects import Effect, LoadSwitchChoices, PreviewSwitch
from devenv.state.switcher import SwitchChoice, SwitchKind, SwitchPreview, SwitchTarget

_UNKNOWN = "start what the files of that branch say"
Before = tuple[EnvironmentName | None, tuple[ServiceName, ...]]


class SwitchMenu:
    """Carries out `LoadSwitchChoices` and `PreviewSwitch`; of several plans only the last one that
    was asked for is made once the one under way is there."""

    def __init__(
        self,
        session: Callable[[], Session],
        tasks: asyncio.TaskGroup,
        dispatch: Callable[[Action], Awaitable[None]],
        running: Callable[[], Before],
    ) -> None:
        self._session = session
        self._tasks = tasks
        self._dispatch = dispatch
        self._running = running
        self._wanted: SwitchTarget | None = None
        self._planning: asyncio.Task[None] | None = None
        self._loading: asyncio.Task[None] | None = None

    def run(self, effect: Effect) -> bool:
        """Start the effect and return at once; False where it is another part's."""
        match effect:
            case LoadSwitchChoices():
                self._loading = self._tasks.create_task(self._load())
            case PreviewSwitch(target):
                self._wanted = target
                if self._planning is None or self._planning.done():
                    self._planning = self._tasks.create_task(self._plan())
            case _:
                return False
        return True

    def cancel(self) -> None:
        """Wait for nothing more; a thread that reads ends by itself."""
        for task in (self._loading, self._planning):
            if task is not None:
                task.cancel()

    async def _load(self) -> None:
        session = self._session()
        try:
            choices = await in_thread(lambda: load_choices(session.renew()))
        except DevenvError as error:
            await self._dispatch(SwitchChoicesLoaded((), to_problem(error)))
        else:
            await self._dispatch(SwitchChoicesLoaded(choices))

    async def _plan(self) -> None:
        while (target := self._wanted) is not None:
            self._wanted = None
            try:
                lines = await preview_switch(self._session(), target, self._running())
                preview = SwitchPreview(lines)
            except DevenvError as error:
                preview = SwitchPreview(problem=to_problem(error))
            await self._dispatch(SwitchPreviewed(target, preview))


def load_choices(session: Session) -> tuple[SwitchChoice, ...]:
    """Profiles by name, then branches, the newest first. Of files that do not load there are only
    the branches: another one may have files that do."""
    git = session.git
    choices: list[SwitchChoice] = []
    try:
        choices += _find_profiles(session.files)
    except DevenvError:
        if git is None:
            raise
    for branch in list_recent_branches(git.root, session.environ) if git is not None else ():
        is_current = git is not None and branch.name == git.branch
        elsewhere = branch.worktree if not is_current else None
        choices.append(
            SwitchChoice(
                SwitchTarget(SwitchKind.BRANCH, branch.name),
                f"only on {branch.remote} so far" if branch.remote else "",
                is_current,
                f"checked out in {elsewhere}" if elsewhere else "",
            )
        )
    return tuple(choices)


def _find_profiles(files: ProjectFiles) -> Iterator[SwitchChoice]:
    for name, profile in sorted(files.profiles.items()):
        is_current = name == files.choice.name
        words = [profile.description, files.choice.reason if is_current else ""]
        target = SwitchTarget(SwitchKind.PROFILE, name)
        yield SwitchChoice(target, " · ".join(filter(None, words)), is_current)


async def preview_switch(session: Session, target: SwitchTarget, before: Before) -> tuple[str, ...]:
    """What the switch would do, a line each. Raises what keeps it from being known."""
    from devenv.cli.switching import load_switch_plan
    from devenv.report.switch import render_switch

    if target.kind is SwitchKind.BRANCH:
        return await _preview_branch(session, target.name, before)
    chosen = session.reselect(None).renew(profile=target.name, preview=True)
    await in_thread(lambda: chosen.selection)
    plan = await load_switch_plan(chosen, before)
    return tuple(render_switch(plan).splitlines())


async def _preview_branch(session: Session, branch: str, before: Before) -> tuple[str, ...]:
    """The whole plan where the branch has the same files as are here; else what is known now."""
    from devenv.cli.branch_files import load_branch_files
    from devenv.cli.switching import load_switch_plan
    from devenv.report.switch import render_switch

    supposed = session.renew(branch=branch, preview=True)
    differing = await in_thread(lambda: find_differing(supposed, branch))
    stops = tuple(f"stop  {service}  of {before[0]}" for service in before[1])
    steps = (*stops, f"git switch {branch}")
    if differing is None or differing:
        named = ", ".join(differing or ())
        why = f"differ there: {named}" if named else "git cannot say how that branch differs"
        told = await in_thread(lambda: compare_services(supposed, branch, differing or ()))
        found = await in_thread(lambda: load_branch_files(session, branch))
        if found.fault is not None:
            place = f"{found.fault.source}: " if found.fault.source is not None else ""
            return (*steps, f"{why}", f"✗ does not load there: {place}{found.fault.message}", *told)
        names = ", ".join(sorted(found.project.services)) if found.project is not None else ""
        what = f"start {found.project.name}: {names}" if found.project is not None else _UNKNOWN
        return (*steps, f"{what}; {why}", *told)
    await in_thread(lambda: supposed.selection)
    # All that runs is stopped before git switches, so the plan begins from nothing that runs.
    plan = await load_switch_plan(supposed, (before[0], ()))
    chosen = supposed.files.choice
    profile = (f"profile {chosen.name}: {chosen.reason}",) if chosen.name else ()
    shown = render_switch(plan).splitlines()
    return (*steps, *profile, *(line for line in shown if not line.startswith("left alone: ")))


def find_differing(session: Session, branch: str) -> tuple[str, ...] | None:
    """The files of the model that are otherwise on the branch, relative to the repository's top;
    None where git cannot say. Raises what keeps the files from being found."""
    from devenv.cli.model_loader import find_model_files
    from devenv.host.project_files import PROFILES_NAME, SETTINGS_NAME

    files = session.files
    git = files.git
    reference = find_reference(git.root, session.environ, branch) if git is not None else None
    if git is None or reference is None:
        return None
    own = [str(files.root / SETTINGS_NAME), str(files.root / PROFILES_NAME)]
    top = f"{git.root}/"
    paths = [path for path in (*own, *find_model_files(session)) if path.startswith(top)]
    relative = list(dict.fromkeys(path.removeprefix(top) for path in paths))
    return list_differing(git.root, session.environ, reference, relative)


def compare_services(session: Session, branch: str, differing: Iterable[str]) -> tuple[str, ...]:
    """Which services each Compose file that differs has more there, or less, as git has it."""
    from devenv.compose.service_names import parse_service_names

    git = session.files.git
    reference = find_reference(git.root, session.environ, branch) if git is not None else None
    own = {str(file) for file in session.files.compose_files}
    lines = []
    for path in differing:
        if git is None or reference is None or str(git.root / path) not in own:
            continue
        text = read_committed(git.root, session.environ, reference, path)
        if text is None:
            lines.append(f"{path} is not there")
            continue
        there = parse_service_names(text)
        here = parse_service_names(read_text(git.root / path))
        if there is None:
            lines.append(f"{path} does not load there")
        elif here is not None:
            for word, names in (("adds", there - here), ("lacks", here - there)):
                if names:
                    lines.append(f"{path} {word} there: {', '.join(sorted(names))}")
    return tuple(lines)


def apply_target(session: Session, target: SwitchTarget) -> Session:
    """Switch, all but the start; the session that starts the rest.

    Raises what keeps it from being done; then all is as it was before.
    """
    from devenv.cli.switching import (
        go_to_branch,
        keep_choice,
        load_running,
        load_switch_plan,
        refuse_outranked,
    )

    if target.kind is SwitchKind.BRANCH:
        git = session.git
        if git is None or find_reference(git.root, session.environ, target.name) is None:
            raise UsageError(f"There is no branch {target.name} any more.", fix="git branch")
        return go_to_branch(session, load_running(session), target.name, shows_access=False)
    from devenv.cli.operations import stop_services
    from devenv.cli.up import ask_first
    from devenv.engine.preflight import check_plan

    base = session.reselect(None)
    chosen = base.renew(profile=target.name)
    refuse_outranked(chosen, target.name)
    ask_first(chosen, shows_access=False)
    plan = asyncio.run(load_switch_plan(chosen, load_running(session)))
    check_plan(plan.up)
    kept = keep_choice(session, target.name)
    if plan.before is not None and plan.stops:
        stop_services(session, plan.before, tuple(stop.service for stop in plan.stops))
    return base.renew() if kept else session.reselect(target.name)
