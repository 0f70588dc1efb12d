"""Dockerfiles that nobody wrote: BuildKit runs the stages that devenv predicts; no text fells it.

The generated ones are well formed: BuildKit of Engine 20.10 falls over some that are not, and
takes the whole engine along.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devenv.compose.dockerfile import (
    find_stage_fault,
    parse_dockerfile,
    resolve_metadata,
    resolve_sources,
)
from devenv.engine.context import Endpoint
from tests.corpus.builds.builder import Builder, find_builders
from tests.corpus.dockerfiles.shapes import DOCKERFILES, Shape

EXAMPLES = int(os.environ.get("DEVENV_BUILD_EXAMPLES", "15"))
FILES = ("a.txt", "b.txt", "c.md", "src/app.py", "src/lib", "nothing", "secret.env", "$F", "${G}")
STEADY = settings(
    deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@dataclass(frozen=True)
class Generated:
    """A Dockerfile with its target and args."""

    text: str
    target: str
    args: tuple[tuple[str, str], ...]


@st.composite
def dockerfiles(draw: st.DrawFn) -> Generated:
    count = draw(st.integers(1, 5))
    choices: list[list[str | None]] = [[f"s{i}", f"s{i}", f"S{i}x", None] for i in range(count)]
    names = [draw(st.sampled_from(some)) for some in choices]
    lines = ["ARG BASE=scratch", f"ARG PICK={draw(st.sampled_from(['s0', 's1', 'scratch']))}"]
    for index, name in enumerate(names):
        earlier = [one for one in names[:index] if one]
        bases = ["scratch", "scratch", "$BASE", "${NOPE:-scratch}", *(e.lower() for e in earlier)]
        bases += ["${PICK}"] if "s0" in earlier and "s1" in earlier else []
        lines.append(f"FROM {draw(st.sampled_from(bases))}" + (f" AS {name}" if name else ""))
        lines.append(f"WORKDIR /w{index}")  # a step of each stage's own
        lines.append(draw(st.sampled_from(["ARG F=a.txt", "ENV F=b.txt", "ARG F", "ENV G=c.md"])))
        for _ in range(draw(st.integers(0, 3))):
            origins = [*earlier, *(e.upper() for e in earlier), *map(str, range(index))]
            from_stage = draw(st.booleans())
            if origins and from_stage:
                # Every stage has its own WORKDIR, so that this never fails while it runs.
                lines.append(f"COPY --from={draw(st.sampled_from(origins))} / /from{index}/")
            else:
                onbuild = draw(st.sampled_from(["", "", "", "ONBUILD "]))
                file = draw(st.sampled_from(FILES[:5] * 3 + FILES))
                lines.append(f"{onbuild}COPY {file} /made{index}/")
    targets = ["", "", *(one for one in names if one), *(one.upper() for one in names if one)]
    args = draw(st.sampled_from([(), (), (("F", "c.md"),), (("PICK", "scratch"), ("F", "no"))]))
    return Generated("\n".join(lines) + "\n", draw(st.sampled_from(targets)), args)


class Context:
    """One context whose Dockerfile changes."""

    def __init__(self, directory: Path, builder: Builder) -> None:
        self.directory = directory
        self.builder = builder
        Shape("any", b"").write(directory)

    def run(self, one: Generated) -> set[str] | None:
        """The names of the stages whose steps ran; None where the build failed."""
        (self.directory / "Dockerfile").write_text(one.text)
        shape = Shape("any", one.text.encode(), one.target, dict(one.args))
        built = shape.build(self.builder, self.directory)
        return None if built.files is None else set(built.stages)


@pytest.fixture(scope="module")
def context(docker_engine: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    builders = [one for one in find_builders() if one.kind == "buildkit"]
    if not builders:
        pytest.fail("no client for BuildKit: neither docker 20.10 nor buildx is here")
    yield Context(tmp_path_factory.mktemp("dockerfiles") / "context", builders[0])


MISSING = ("nothing", "secret.env", "no")


@given(one=dockerfiles())
@settings(STEADY, max_examples=EXAMPLES)
def test_a_build_runs_the_stages_of_the_closure(context: Context, one: Generated) -> None:
    dockerfile = parse_dockerfile(one.text)
    assert dockerfile.fault is None
    target = dockerfile.find_stage(one.target)
    assert target is not None
    args = dict(one.args)
    assert find_stage_fault(dockerfile, target, args) is None
    closure = dockerfile.closure(target, args)
    read = {
        path
        for stage in closure
        for source in resolve_sources(dockerfile, stage, args)
        if source.origin is None
        for path in source.paths
    }
    ran = context.run(one)
    if read & set(MISSING):
        assert ran is None
    else:
        named = {stage.name or f"stage-{stage.index}" for stage in closure}
        assert ran == (named if len(dockerfile.stages) > 1 else {""})


TEXTS = st.text() | st.sampled_from([v for v in DOCKERFILES.values() if isinstance(v, str)])


@given(
    text=st.lists(TEXTS, min_size=1, max_size=3).map("\n".join)
    | dockerfiles().map(lambda d: d.text),
    cut=st.integers(0, 200),
    odd=st.sampled_from(["", "\\", "\0", "'", "${", "<<E", "[", "\r", "--from=", " AS ", "#"]),
)
@settings(STEADY, max_examples=400)
def test_any_text_is_read(text: str, cut: int, odd: str) -> None:
    text = text[:cut] + odd + text[cut:]
    dockerfile = parse_dockerfile(text)
    lines = len(text.split("\n"))
    if dockerfile.fault is not None:
        assert 1 <= dockerfile.fault.line <= lines
        assert not dockerfile.stages
    for stage in dockerfile.stages:
        closure = dockerfile.closure(stage, {})
        assert stage in closure
        assert set(dockerfile.chain(stage, {})) <= set(closure)
        resolve_metadata(dockerfile, stage, {})
        resolve_sources(dockerfile, stage, {})
        fault = find_stage_fault(dockerfile, stage, {})
        assert fault is None or 1 <= fault.line <= lines
