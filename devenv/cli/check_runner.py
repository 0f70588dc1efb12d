"""Runs the checks while `devenv up` runs: before the start, and again when a file changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from functools import partial

from devenv.checks.edits import plan_repair
from devenv.checks.facts import Facts
from devenv.checks.finding import CheckResult, Finding, NotChecked
from devenv.cli.background import in_thread
from devenv.cli.checking import check_project, find_env_files, gather
from devenv.cli.env_files import diff_active
from devenv.cli.session import Session
from devenv.errors import DevenvError
from devenv.host.edits import write_texts
from devenv.report.diffs import render_diff
from devenv.report.finding_paths import FindingPaths
from devenv.state.actions import Action, ChecksFinished, ChecksRequested
from devenv.state.effects import ApplyFix, Effect, RunChecks
from devenv.state.model import Checks


class CheckRunner:
    """Carries out `RunChecks` and `ApplyFix`; a thread reads and checks, so no key waits."""

    def __init__(
        self,
        session: Session,
        tasks: asyncio.TaskGroup,
        dispatch: Callable[[Action], Awaitable[None]],
    ) -> None:
        self._session = session
        self._tasks = tasks
        self._dispatch = dispatch
        self._running: set[asyncio.Task[None]] = set()

    def run(self, effect: Effect) -> bool:
        """Start the effect and return at once; False where it is another part's."""
        match effect:
            case RunChecks():
                self._start(self._check())
            case ApplyFix(finding):
                self._start(self._fix(finding))
            case _:
                return False
        return True

    def cancel(self) -> None:
        """Wait for nothing more; a thread that reads ends by itself."""
        for task in self._running:
            task.cancel()

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = self._tasks.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _check(self) -> None:
        checks = await in_thread(partial(load_checks, self._session))
        await self._dispatch(ChecksFinished(checks))

    async def _fix(self, finding: Finding) -> None:
        await in_thread(partial(apply_fix, self._session, finding))
        await self._dispatch(ChecksRequested())


def load_checks(session: Session) -> Checks:
    """The checks of a project as it is on disk now; what cannot be read at all is said in it."""
    fresh = session.renew()
    try:
        gathered = gather(fresh)
        result = check_project(fresh, gathered)
    except DevenvError as error:
        return _not_checked(session, error)
    facts = gathered.facts
    env = diff_active(fresh, gathered)
    paths = FindingPaths(facts.directory, env_files=find_env_files(gathered))
    previews = _preview(result.findings, facts, paths)
    return Checks(result, facts.directory, facts.watched(), previews, env)


def _preview(
    findings: Iterable[Finding], facts: Facts, paths: FindingPaths
) -> dict[Finding, tuple[str, ...]]:
    """What each fix would change by itself."""
    previews = {}
    for finding in findings:
        lines: list[str] = []
        for path, text in plan_repair([finding], facts.files).texts.items():
            before = facts.file(path).text or ""
            lines += render_diff(path, paths, before, text, context=1)
        if lines:
            previews[finding] = tuple(lines)
    return previews


def _not_checked(session: Session, error: DevenvError) -> Checks:
    files = session.files
    settings = [files.settings.path] if files.settings.path else []
    source = error.source
    problem = NotChecked("the project", error.message, source.path if source else None)
    return Checks(
        CheckResult(not_checked=(problem,)),
        str(files.directory),
        (*settings, *(str(path) for path in files.compose_files)),
    )


def apply_fix(session: Session, finding: Finding) -> None:
    """Make the edits of the same finding as it is now; where it is gone, nothing is done."""
    fresh = session.renew()
    try:
        gathered = gather(fresh)
        known = check_project(fresh, gathered).findings
        same = [one for one in known if (one.rule, one.place) == (finding.rule, finding.place)]
        repair = plan_repair(same, gathered.facts.files)
        write_texts(repair.texts, gathered.facts.files, fresh.files.root)
    except DevenvError:
        return  # the checks run again after this, and say what is wrong with the files
