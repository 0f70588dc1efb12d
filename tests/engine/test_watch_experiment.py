"""The record of the watch corpus is what an engine still shows, for some of its shapes."""

from __future__ import annotations

import pytest

from devenv.engine.context import Endpoint
from tests.corpus.builds.builder import find_builders
from tests.corpus.watch.experiment import Engine, observe
from tests.corpus.watch.shapes import load_shapes
from tests.corpus.watch.test_watch_corpus import planned

SHAPES = {shape.name: shape for shape in load_shapes()}


@pytest.mark.parametrize("name", ["script-of-a-step"])
def test_the_plan_is_what_each_builder_shows(docker_engine: Endpoint, name: str) -> None:
    builders = find_builders()
    assert builders
    for builder in builders:
        engine = Engine(builder)
        engine.make_tools()
        seen = observe(engine, SHAPES[name])
        assert planned_classes(name) == seen, builder.name


def planned_classes(name: str) -> dict[str, dict[str, str]]:
    """The plan in the record's words, `ignore` where a service is not touched."""
    plan = planned(SHAPES[name])
    return {path: services or {"app": "ignore"} for path, services in plan.items()}
