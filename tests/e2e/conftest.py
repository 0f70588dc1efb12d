"""The sample in a directory of its own, and a directory for caches, shared by a session's runs."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from devenv.engine.api import ApiError
from devenv.engine.context import Endpoint
from tests.engine.project import Project, free_port

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def sample(docker_engine: Endpoint, tmp_path: Path, cache: Path) -> Iterator[Project]:
    directory = tmp_path / "sample"
    directory.mkdir()
    for name in ("compose.yaml", "devenv.toml"):
        shutil.copy(ROOT / name, directory)
    shutil.copytree(ROOT / "profiles", directory / "profiles")
    shutil.copytree(ROOT / "app", directory / "app", ignore=shutil.ignore_patterns("node_modules"))
    # Else the engine makes it for the mount, as root, and the directory cannot be removed.
    (directory / "app" / "node_modules").mkdir()
    project = Project(directory, docker_engine, cache)
    project.environ["COMPOSE_PROJECT_NAME"] = project.name
    project.environ["APP_PORT"] = str(free_port())
    yield project
    project.remove()
    with contextlib.suppress(ApiError):  # it was not built
        asyncio.run(project.client.request("DELETE", f"/images/{project.name}-app"))
