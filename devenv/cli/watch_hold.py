"""When a watch only collects: while git works, while a person paused it, on another branch.

What is held is one plan when it is released.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from devenv.cli.watch_model import WatchModel
from devenv.cli.watch_tell import Teller
from devenv.compose.names import ServiceName
from devenv.compose.watch.values import WatchAction
from devenv.errors import DevenvError
from devenv.host.git import GitState, read_branch
from devenv.state.watch import Hold
from devenv.state.watch_events import WatchHeld

GIT_POLL_SECONDS = 0.1
_GIT_BUSY = ("index.lock", "rebase-merge", "rebase-apply")


async def wait_for_git(model: WatchModel, teller: Teller, paths: Iterable[str]) -> None:
    """Until git has let go of its index and no rebase is under way: then it is one change."""
    git: GitState | None = model.session.files.git
    if git is None:
        return
    marks = [git.git_dir / name for name in _GIT_BUSY]
    told = False
    while await asyncio.to_thread(lambda: any(mark.exists() for mark in marks)):
        if not told:
            told = True
            teller.tell(await asyncio.to_thread(count_held, model, Hold.GIT, paths))
        await asyncio.sleep(GIT_POLL_SECONDS)
    if told:
        teller.tell(WatchHeld(time.time(), None))


def count_held(model: WatchModel, hold: Hold, paths: Iterable[str]) -> WatchHeld:
    """What is held, for each service that it touches."""
    counts: dict[ServiceName | None, int] = {}
    files = 0
    for path in set(paths):
        planned = [c for c in model.planner.plan(path) if c.action is not WatchAction.IGNORE]
        files += bool(planned)
        for change in planned:
            counts[change.service] = counts.get(change.service, 0) + 1
    return WatchHeld(time.time(), hold, counts, files)


class Elsewhere:
    """Whether the checkout is on a branch whose environment is another one.

    Its files are not brought into this one: `devenv switch` or a running `up` changes over.
    """

    def __init__(self) -> None:
        self._told: str | None = None

    def is_elsewhere(self, model: WatchModel, teller: Teller) -> bool:
        """Reads the branch; where the environment is another one, that is said once a branch."""
        files = model.session.files
        git = read_branch(files.root)
        before = files.git.effective_branch if files.git is not None else None
        branch = git.effective_branch if git is not None else None
        if branch == before:
            self._told = None
            return False
        try:
            name = model.session.renew().project.name
        except DevenvError:
            return True
        if name == model.project.name:
            return False
        if self._told != branch:
            self._told = branch
            message = f"branch {branch} belongs to environment {name}: its files are not taken"
            teller.note(None, "other-environment", message, again=True)
        return True
