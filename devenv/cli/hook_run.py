"""Runs the hooks of an event, one after the other, until one fails.

On this machine a hook is a child process with a process group of its own, ended as a whole; in a
service it runs through `docker compose exec`. What was allowed is looked at again before each
event: a container may have written into the repository meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from devenv.cli.hook_environ import hook_environ, hook_variables
from devenv.cli.hook_service import find_service_problem, run_in_service
from devenv.cli.session import Session
from devenv.compose.names import EnvironmentName
from devenv.config.hooks import Hook
from devenv.engine.problems import to_problem
from devenv.engine.process import run_process
from devenv.errors import CommandFailed, CommandTooLong, DevenvError
from devenv.host import paths
from devenv.host.hook_files import load_trust
from devenv.host.last_starts import LastStart
from devenv.host.memory import open_existing
from devenv.host.trust import is_allowed, resolve_trust_root
from devenv.state.hooks import HookRun, HookStatus
from devenv.state.text import last_overwritten, sanitize
from devenv.values import replace

END_SECONDS = 5.0
"""How long a hook may take to end after SIGTERM."""
LINGER_SECONDS = 2.0
"""How long the output is read on once a hook has ended, where a process that it left holds it."""
_EXIT_FIXES: Mapping[int, str] = {
    126: "it is not executable: chmod +x, and look at its first line",
    127: "the program, or one that it calls, is not there: install it, or check the path",
}

_FIXES: Mapping[str, str] = {
    "before_up": "nothing was started; devenv up --no-hooks starts without hooks",
    "before_down": "nothing was removed; devenv down --no-hooks removes all the same",
}

Tell = Callable[[str, tuple[HookRun, ...]], Awaitable[None]]
"""Called with the event and all its hooks, whenever one of them changes."""
OnOutput = Callable[[str, str], None]


class HookFailed(CommandFailed):
    """A hook did not end well; those that would follow are not run."""


def hooks_of(session: Session, event: str) -> tuple[Hook, ...]:
    """The hooks of an event: those of devenv.toml, then those of the profile's bases, then its."""
    files = session.files
    own = files.profile.hooks if files.profile is not None else ()
    return tuple(hook for hook in (*files.settings.hooks, *own) if hook.event == event)


def are_allowed(session: Session) -> bool:
    """Whether the hooks, as they are now, were allowed on this machine."""
    trust = load_trust(session.files, session.environ)
    if trust is None or trust.digest == session.allowed_digest:
        return True
    with open_existing(paths.state_directory(session.environ)) as memory:
        return is_allowed(memory, resolve_trust_root(session.files), trust)


class HookRunner:
    """Runs hooks for one environment."""

    def __init__(
        self,
        session: Session,
        name: EnvironmentName,
        tell: Tell,
        on_output: OnOutput,
        *,
        holds: bool = False,
        before: LastStart | None = None,
    ) -> None:
        self._session = session
        self._name = name
        self._tell = tell
        self._on_output = on_output
        self._holds = holds
        self._before = before

    async def run(self, event: str, begin: int = 0) -> None:
        """Run the hooks of an event from `begin` on. Raises HookFailed, and nothing runs then
        that was not allowed."""
        hooks = hooks_of(self._session, event)
        if not hooks or not self._session.runs_hooks:
            return
        runs = [HookRun(event, sanitize(hook.text), hook.service) for hook in hooks]
        for index in range(begin):
            runs[index] = replace(runs[index], status=HookStatus.DONE)
        if not await asyncio.to_thread(are_allowed, self._session):
            error = HookFailed(
                hooks[begin].argv,
                1,
                "",
                message=f"The hooks of {event} are not allowed as they are now, so they were not "
                "run.",
                source=hooks[begin].source,
                fix="devenv allow shows what changed, and allows it",
            )
            runs[begin] = replace(
                runs[begin],
                status=HookStatus.FAILED,
                detail="not allowed",
                problem=to_problem(error),
            )
            await self._tell(event, tuple(runs))
            raise error
        for index in range(begin, len(hooks)):
            await self._run_one(hooks[index], runs, index)

    async def _run_one(self, hook: Hook, runs: list[HookRun], index: int) -> None:
        async def become(status: HookStatus, **values: Any) -> None:
            runs[index] = replace(runs[index], status=status, **values)
            await self._tell(hook.event, tuple(runs))

        started = time.time()
        await become(HookStatus.RUNNING, started_at=started)
        try:
            if hook.service is not None:
                reason = await find_service_problem(self._session, self._name, hook)
                if reason is not None:
                    self._on_output("hook", f"{runs[index].label}: skipped, {reason}")
                    await become(HookStatus.SKIPPED, ended_at=time.time(), detail=reason)
                    return
            code, said = await self._start(hook)
            if code != 0:
                raise _ended_badly(hook, code, said)
        except asyncio.CancelledError:
            await asyncio.shield(
                become(HookStatus.FAILED, ended_at=time.time(), detail="interrupted")
            )
            raise
        except DevenvError as error:
            failure = error if isinstance(error, HookFailed) else _failed(hook, error)
            code = failure.returncode
            await become(
                HookStatus.FAILED,
                ended_at=time.time(),
                exit_code=code,
                detail=f"exit code {code}" if code >= 0 else "ended",
                problem=to_problem(failure),
            )
            raise failure from None
        await become(HookStatus.DONE, ended_at=time.time(), exit_code=0)

    async def _start(self, hook: Hook) -> tuple[int, str]:
        """Exit code and the end of the output. Raises CommandFailed, EngineUnavailable."""
        session = self._session
        variables = hook_variables(session, self._name, hook.event, self._before)
        lines: list[str] = []

        def on_line(_stream: str, line: str) -> None:
            shown = sanitize(last_overwritten(line)).rstrip()
            lines.append(shown)
            del lines[:-20]
            self._on_output("hook", shown)

        if hook.service is not None:
            code = await run_in_service(session, self._name, hook, variables, on_line)
        else:
            completed = await run_process(
                hook.argv,
                env=hook_environ(session, self._name, variables, holds=self._holds),
                cwd=_working_directory(session),
                timeout_seconds=hook.timeout_seconds,
                on_line=on_line,
                end_seconds=END_SECONDS,
                is_guarded=True,
                linger_seconds=LINGER_SECONDS,
            )
            code = completed.returncode
        return code, "\n".join(lines)


def _working_directory(session: Session) -> Path:
    return session.files.directory


def _ended_badly(hook: Hook, code: int, said: str) -> HookFailed:
    how = f"ended with exit code {code}" if code >= 0 else f"was ended by signal {-code}"
    return HookFailed(
        hook.argv,
        code,
        said or "(it printed nothing)",
        message=f"The hook {sanitize(hook.text)} of {hook.event} {how}.",
        source=hook.source,
        fix=_EXIT_FIXES.get(code)
        or _FIXES.get(hook.event, "its output is in the logs, under hook"),
    )


def _failed(hook: Hook, error: DevenvError) -> HookFailed:
    """The error of a hook that did not come to an end of its own."""
    code = error.returncode if isinstance(error, CommandFailed) else 1
    message = error.message
    fix = error.fix
    if isinstance(error, CommandTooLong):
        message = (
            f"The hook {sanitize(hook.text)} of {hook.event} did not end within "
            f"{hook.timeout_seconds:g} s, and was ended."
        )
        fix = "give it more: { run = …, timeout = SECONDS }"
    elif code in _EXIT_FIXES:
        message = f"The hook of {hook.event} cannot be run: {message}"
        fix = _EXIT_FIXES[code]
    return HookFailed(
        hook.argv, code, error.excerpt or "", message=message, source=hook.source, fix=fix
    )
