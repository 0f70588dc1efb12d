"""Holding a container that does not freeze at once."""

from __future__ import annotations

from typing import Any

import pytest

from devenv.compose.databases import Hold
from devenv.engine import volume_work
from devenv.engine.api import ApiError
from devenv.engine.volume_work import Held, hold_container

FROZEN = "Cannot pause container abc: OCI runtime pause failed: unable to freeze: unknown"


class Client:
    """Refuses so many requests."""

    def __init__(self, refusals: int, message: str) -> None:
        self.left, self.message, self.asked = refusals, message, 0

    async def request(self, method: str, path: str, **_: object) -> None:
        self.asked += 1
        if self.asked <= self.left:
            raise ApiError(method, path, 500, self.message)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volume_work, "_FREEZE_SECONDS", 0.0)


@pytest.mark.parametrize(
    ("how", "refusals", "message", "asked", "is_held"),
    [
        (Hold.PAUSE, 2, FROZEN, 3, True),
        (Hold.PAUSE, 99, FROZEN, 6, False),
        (Hold.PAUSE, 99, "No such container: abc", 1, False),
        (Hold.STOP, 99, FROZEN, 1, False),
    ],
)
async def test_a_container_that_does_not_freeze_is_asked_again(
    how: Hold, refusals: int, message: str, asked: int, is_held: bool
) -> None:
    client: Any = Client(refusals, message)
    if is_held:
        await hold_container(client, Held("abc", "db", how))
    else:
        with pytest.raises(ApiError):
            await hold_container(client, Held("abc", "db", how))
    assert client.asked == asked
