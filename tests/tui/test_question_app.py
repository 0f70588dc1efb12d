"""A question between two runs of the UI: the answer without danger has the focus."""

from __future__ import annotations

import pytest

from devenv.tui.question_app import QuestionApp

ANSWERS = (("no", "No"), ("yes", "Copy the data"))


@pytest.mark.parametrize(
    ("keys", "answer"),
    [(["enter"], "no"), (["escape"], None), (["right", "enter"], "yes"), (["y", "enter"], "no")],
)
async def test_answers(keys: list[str], answer: str | None) -> None:
    app = QuestionApp("Stop [cache] while its data is copied?", ANSWERS)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()
    assert app.return_value == answer
