"""Where the time of a recreate or restart goes, and what a PID 1 that ignores its signal costs."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import AsyncIterator, Iterable

from devenv.cli.watch_model import WatchModel
from devenv.cli.watch_tell import Doing, Teller
from devenv.compose.watch.startup import Startup
from devenv.engine.stop_times import StopSeen, StopTimes
from devenv.state.watch import Part
from devenv.state.watch_words import render_took


class StopMeter:
    """Measures the stops of one watch and says, once for each service, which take too long."""

    def __init__(self, times: StopTimes, teller: Teller) -> None:
        self._times = times
        self._teller = teller

    @contextlib.asynccontextmanager
    async def measured(
        self, model: WatchModel, doing: Doing, rest: Part | None = Part.CREATE
    ) -> AsyncIterator[None]:
        """What is done in the block as the parts `stop` and `rest` of an activity; without `rest`
        the block does more than that."""
        mark, began = self._times.mark, doing.elapsed
        yield
        total = doing.elapsed - began
        stops = await self._times.find_since(mark)
        stop = min(total, max((one.seconds for one in stops), default=0.0))
        parts = {Part.STOP: stop} if stops else {}
        doing.took({**parts, rest: total - stop} if rest is not None else parts)
        self._note(model, stops)

    def _note(self, model: WatchModel, stops: Iterable[StopSeen]) -> None:
        for one in stops:
            if one.service in model.project.services and one.ignored(model.stop_seconds):
                startup = model.planner.startup(one.service)
                message, fix = describe_ignored(one, startup)
                where = startup.command_place
                self._teller.note(one.service, "stop-ignored", message, fix=fix, where=where)


def describe_ignored(stop: StopSeen, startup: Startup) -> tuple[str, str]:
    """What to say of a container that had to be killed, and what helps."""
    try:
        name = signal.Signals(stop.signal).name
    except ValueError:
        name = f"signal {stop.signal}"
    message = (
        f"PID 1 does not end on {name}: a stop took {render_took(stop.seconds)} until it was "
        f"killed (exit code 137); outside of the watch that is {startup.grace_seconds:g} s"
    )
    if startup.has_init:
        return message, "stop_signal: the signal that the program ends on (such as SIGINT)"
    if startup.is_shell:
        return message, 'the exec form, CMD ["program", …], or init: true'
    return (
        message,
        "init: true, or stop_signal: the signal that it ends on; [watch] stop_timeout if it "
        "needs longer",
    )
