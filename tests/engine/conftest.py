"""Projects on the real engine, removed afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devenv.engine.context import Endpoint
from tests.engine.project import Project


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def make_project(
    docker_engine: Endpoint, tmp_path: Path, cache: Path
) -> Iterator[Callable[[str], Project]]:
    made: list[Project] = []

    def make(directory: str) -> Project:
        place = tmp_path / directory
        place.mkdir()
        made.append(Project(place, docker_engine, cache))
        return made[-1]

    yield make
    for project in made:
        project.remove()


@pytest.fixture
def project(make_project: Callable[[str], Project]) -> Project:
    return make_project("project")
