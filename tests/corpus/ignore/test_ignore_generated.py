"""Ignore files that nobody wrote: a real build takes what devenv predicts; no text fells it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devenv.compose.dockerignore import parse_ignore_file
from devenv.engine.context import Endpoint
from tests.corpus.builds.builder import Builder, find_builders
from tests.corpus.ignore.shapes import FILES, LINKS, Shape

EXAMPLES = int(os.environ.get("DEVENV_BUILD_EXAMPLES", "25"))
NAMES = sorted({part for name in (*FILES, *LINKS) for part in name.split("/") if part.isalnum()})
SEGMENTS = st.sampled_from(
    [
        *(*NAMES, *NAMES, "*", "*", "**", "**", "?", "*.md", "temp[12]", "temp[^a-z]", "README*"),
        *("node_*", "*e*", "te**1", "..", ".", "keep", "x.log", "er", ".*", "\\*", "*[.]*"),
        *("a.txt", "app.py"),
    ]
)
PATHS = st.lists(SEGMENTS, min_size=1, max_size=4).map("/".join)
LINES = st.builds(
    "{}{}{}{}{}".format,
    st.sampled_from(["", "", "", " ", "\t"]),
    st.sampled_from(["", "", "!", "!", "! "]),
    st.sampled_from(["", "", "", "/", "./"]),
    PATHS,
    st.sampled_from(["", "", "", "/", " ", "\r", "/ "]),
) | st.sampled_from(["# c", "", "*", "**", " # c"])
IGNORES = st.lists(LINES, min_size=1, max_size=6).map("\n".join)
STEADY = settings(
    deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


class Context:
    """One context whose ignore file changes; only files and links are compared, since clients of
    Engine 20.10 differ in which empty directories they send."""

    def __init__(self, directory: Path, builder: Builder) -> None:
        self.directory = directory
        self.builder = builder
        Shape("any", b"").write(directory)

    def build(self, ignore: bytes) -> set[str] | None:
        """The files that arrive in an image."""
        (self.directory / ".dockerignore").write_bytes(ignore)
        built = self.builder.build(self.directory)
        return None if built.files is None else leaves(frozenset(built.files))


def leaves(arrived: frozenset[str]) -> set[str]:
    """The files and links among what arrived."""
    names = {*FILES, "Dockerfile", ".dockerignore", *(f"{a} -> {b}" for a, b in LINKS.items())}
    return set(arrived) & names


@pytest.fixture(scope="module")
def context(docker_engine: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    builders = {one.kind: one for one in find_builders()}
    builder = builders.get("buildkit") or builders["classic"]
    yield Context(tmp_path_factory.mktemp("ignore") / "context", builder)


@given(ignore=IGNORES.map(str.encode))
@settings(STEADY, max_examples=EXAMPLES)
def test_a_build_takes_what_devenv_predicts(context: Context, ignore: bytes) -> None:
    predicted = Shape("any", ignore).predict(buildkit=True)
    assert context.build(ignore) == (None if predicted is None else leaves(predicted))


@given(text=st.text() | IGNORES | st.text("[]!^-*?\\/.#ab \n\r\x00é"), path=PATHS | st.text())
@settings(STEADY, max_examples=400)
def test_any_text_is_read(text: str, path: str) -> None:
    ignore = parse_ignore_file(text)
    assert ignore.excludes(path) in (True, False)
    if ignore.fault is not None:
        assert ignore.fault_line is not None
        assert 1 <= ignore.fault_line <= len(text.split("\n"))
