"""Blocking work beside the event loop, which the end of the program does not wait for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar, cast

T = TypeVar("T")


async def in_thread(function: Callable[[], T]) -> T:
    """The function's result from a daemon thread, which the end of the program does not await."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def deliver(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(cast("T", result))

    def run() -> None:
        result: T | None = None
        problem: BaseException | None = None
        try:
            result = function()
        except BaseException as error:
            problem = error
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(deliver, result, problem)

    threading.Thread(target=run, daemon=True, name="devenv-work").start()
    return await future
