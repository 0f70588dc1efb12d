"""The check's verdict on every ordering shape, against what Compose and the engine did with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.corpus.order.shapes import RECORD, Shape, load_shapes
from tests.corpus.order.verdict import find_errors

SHAPES = load_shapes()
RECORDED = json.loads(RECORD.read_text(encoding="utf-8"))


@pytest.fixture(autouse=True)
def _plain_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for name in ("COMPOSE_PROFILES", "COMPOSE_FILE", "COMPOSE_PROJECT_NAME"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_errors_are_what_up_refuses_fails_or_hangs_on(shape: Shape, tmp_path: Path) -> None:
    errors = find_errors(shape, tmp_path, RECORDED)
    outcome = RECORDED["shapes"][shape.name]
    said = [f"{finding.rule}: {finding.message}" for finding in errors]
    if outcome["result"] == "good":
        assert not said, f"a false error: {said}"
    elif not shape.runtime:
        assert said, f"a missed failure: {outcome}"


def test_the_corpus_is_large_and_wholly_recorded() -> None:
    names = [shape.name for shape in SHAPES]
    assert len(names) == len(set(names)) >= 80
    assert set(RECORDED["shapes"]) == set(names)
    failing = [name for name in names if RECORDED["shapes"][name]["result"] != "good"]
    assert len(failing) >= 40
