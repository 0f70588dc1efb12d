"""What all tests share: the real engine, where there is one."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from devenv.engine.api import EngineClient
from devenv.engine.context import Endpoint, load_endpoint
from devenv.errors import EngineUnavailable


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--require-docker",
        action="store_true",
        help="fail tests that need a Docker engine instead of skipping them",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "docker_engine" in getattr(item, "fixturenames", ()):
            item.add_marker("docker")


@pytest.fixture(scope="session")
def docker_engine(request: pytest.FixtureRequest) -> Endpoint:
    """A Docker engine that answers; skips without one, fails under --require-docker."""
    try:
        endpoint = load_endpoint(os.environ, Path.home())
        asyncio.run(EngineClient(endpoint, timeout_seconds=5).ping())
    except EngineUnavailable as error:
        if request.config.getoption("--require-docker"):
            pytest.fail(error.message, pytrace=False)
        pytest.skip(error.message)
    return endpoint
