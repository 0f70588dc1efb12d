"""The plan of every shape against what a real engine showed (outcomes.json, by record-watch)."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.corpus.watch.shapes import Shape, load_shapes
from tests.unit.watch.model import actions, make_planner

RECORD = Path(__file__).parent / "outcomes.json"
SHAPES = {shape.name: shape for shape in load_shapes()}
_CLASS = {"restart": "live", "sync+restart": "sync"}
_MORE = {"ignore": 0, "live": 1, "sync": 2, "rebuild": 3}


@cache
def _records() -> dict[str, Any]:
    return dict(json.loads(RECORD.read_text(encoding="utf-8")))


def planned(shape: Shape) -> dict[str, dict[str, str]]:
    """Path -> service -> the plan's action, in the record's words."""
    planner = make_planner(shape.compose, shape.files)
    found: dict[str, dict[str, str]] = {}
    for path in shape.changed_paths():
        said = actions(planner, path)
        found[path] = {
            str(name): _CLASS.get(action, action) for name, action in said.items() if name
        }
    return found


@pytest.mark.parametrize("name", SHAPES)
def test_plan_is_what_the_engine_shows(name: str) -> None:
    builders = _records()
    seen = 0
    for builder, records in builders.items():
        if name not in records:
            continue
        seen += 1
        plan = planned(SHAPES[name])
        wrong = []
        for path, services in records[name].items():
            for service, needed in services.items():
                said = plan[path].get(service, "ignore")
                if said != needed and f"{path} {said}" not in SHAPES[name].skipped:
                    wrong.append(f"{path} for {service}: planned {said}, needed {needed}")
        assert not wrong, f"{builder}: " + "; ".join(wrong)
    assert seen, "not recorded: run script/record-watch"


def test_every_shape_that_was_recorded_is_still_there() -> None:
    for records in _records().values():
        assert set(records) <= set(SHAPES)
