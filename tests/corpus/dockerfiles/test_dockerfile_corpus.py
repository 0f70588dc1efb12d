"""devenv's reading of every Dockerfile of the corpus, and the check's verdict, against builds."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from devenv.checks.finding import Finding, Severity
from devenv.checks.runner import run_checks
from devenv.cli.checking import gather
from devenv.cli.session import Session
from devenv.compose.dockerfile import find_stage_fault, parse_dockerfile
from devenv.engine.context import Endpoint
from tests.corpus.builds.builder import find_builders
from tests.corpus.builds.corpora import Corpus
from tests.corpus.dockerfiles.shapes import RECORD, SHAPES, Shape

CORPUS = Corpus("dockerfiles", RECORD, SHAPES)
RECORDED = CORPUS.load_record()
NEWEST = "buildkit 28.5"
BY_NAME = {shape.name: shape for shape in SHAPES}
WHILE_IT_RUNS = {
    "check-directive-error": "the project asks for the builder's own lint as an error",
    "context-missing": "what another context holds is not looked at",
    "copy-from-missing": "what a stage holds is known once it ran",
    "from-later": "an image of that name could be pulled",
    "from-own-name": "an image of that name could be pulled",
    "from-stage-index": "an image of that name could be pulled",
    "copy-parents": "newer builders have the flag",
    "copy-parents-glob": "newer builders have the flag",
    "run-security": "newer builders have the flag",
}
"""Builds that fail for what their text and context do not tell."""
RULES = {"dockerfile-syntax", "copy-source-missing", "target-missing"}


@pytest.fixture(scope="module")
def errors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Finding]]:
    """Shape to its error-level findings: one service for each shape, checked at once."""
    directory = tmp_path_factory.mktemp("dockerfiles")
    services = {}
    for shape in SHAPES:
        shape.write(directory / shape.name)
        services[shape.name] = {"build": shape.compose(f"./{shape.name}")}
    (directory / "compose.yaml").write_text(json.dumps({"services": services}))
    arguments = argparse.Namespace(directory=str(directory), profile=None, context=None)
    gathered = gather(Session(arguments), ask_engine=False)
    found: dict[str, list[Finding]] = {shape.name: [] for shape in SHAPES}
    for one in run_checks(gathered.profiles, gathered.facts).findings:
        if one.severity is Severity.ERROR:
            assert one.service is not None, one
            found[one.service].append(one)
    return found


@pytest.mark.parametrize("name", BY_NAME)
def test_errors_are_what_the_builder_refuses(name: str, errors: dict[str, list[Finding]]) -> None:
    said = [f"{one.rule}:{one.place.line}: {one.message}" for one in errors[name]]
    recorded = RECORDED[name][NEWEST]
    if "failed" not in recorded or name in WHILE_IT_RUNS:
        assert not said, "a false error"
        assert ("failed" in recorded) == (name in WHILE_IT_RUNS)
    else:
        assert said, "a missed failure"
        assert {one.rule for one in errors[name]} <= RULES
        assert all(one.place.line for one in errors[name]), "no line"


def test_lines_are_those_that_the_builder_names(errors: dict[str, list[Finding]]) -> None:
    named = 0
    for name, said in RECORDED.items():
        _, found, rest = said[NEWEST].get("failed", "").partition("parse error on line ")
        if found and errors[name]:
            named += 1
            assert errors[name][0].place.line == int(rest.partition(":")[0]), name
    assert named >= 50


@pytest.mark.parametrize("name", [n for n in BY_NAME if "failed" not in RECORDED[n][NEWEST]])
def test_stages_that_run_are_the_closure(name: str) -> None:
    """BuildKit names the stages whose steps ran; a stage with no step of its own has none."""
    shape = BY_NAME[name]
    dockerfile = parse_dockerfile(shape.dockerfile.decode("utf-8", errors="replace"))
    target = dockerfile.find_stage(shape.target)
    assert target is not None
    needed = dockerfile.closure(target, shape.args, shape.contexts)
    ran = set(RECORDED[name][NEWEST].get("stages", ()))
    names = {
        stage.name or f"stage-{stage.index}"
        for stage in needed
        if any(one.name in ("COPY", "ADD", "RUN", "WORKDIR") for one in steps(shape, stage.index))
    }
    if len(dockerfile.stages) == 1:
        assert ran <= {"", "stage-0"}
    elif name.startswith("arg-platform-"):
        assert ran - {""} <= names  # which of them depends on the machine
    else:
        assert ran - {""} == names


def steps(shape: Shape, index: int) -> list[Any]:
    """The steps of a stage, ONBUILD triggers of its base among them."""
    dockerfile = parse_dockerfile(shape.dockerfile.decode("utf-8", errors="replace"))
    return list(dockerfile.steps(dockerfile.stages[index], shape.args, shape.contexts))


def test_another_frontend_may_know_more() -> None:
    """`# syntax=` names an image, which no test here can pull; what it may add is let through."""
    steps = "FROM scratch\nCOPY --new=1 a.txt /\nRUN --mount=type=new,more=1 true\n"
    own = parse_dockerfile(steps)
    assert own.fault is not None
    other = parse_dockerfile(f"# syntax=docker/dockerfile:1-labs\n{steps}")
    assert other.fault is None
    assert find_stage_fault(other, other.stages[0], {}) is None
    broken = parse_dockerfile("# syntax=docker/dockerfile:1\nFROM scratch\nCOPY a.txt\n")
    assert broken.fault is not None
    assert broken.fault.line == 3


def test_the_corpus_is_large_and_wholly_recorded() -> None:
    assert len(SHAPES) >= 250
    assert len(BY_NAME) == len(SHAPES)
    assert set(RECORDED) == set(BY_NAME)
    assert sum("failed" in said[NEWEST] for said in RECORDED.values()) >= 100


def test_the_record_is_what_builders_do_today(docker_engine: Endpoint, tmp_path: Path) -> None:
    """Every fifteenth shape with the builders of this engine that were recorded."""
    for shape in SHAPES[::15]:
        shape.write(tmp_path / shape.name)
        for builder in find_builders():
            recorded = RECORDED[shape.name].get(builder.name)
            if recorded is not None and CORPUS.is_safe(builder):
                built = shape.build(builder, tmp_path / shape.name)
                assert (built.files is None) == ("failed" in recorded), shape.name
