"""devenv's reading of every ignore file of the corpus, and the check's verdict, against builds."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from devenv.checks.finding import Severity
from devenv.checks.runner import run_checks
from devenv.cli.checking import gather
from devenv.cli.session import Session
from devenv.engine.context import Endpoint
from tests.corpus.builds.builder import find_builders
from tests.corpus.builds.corpora import Corpus, left_out, to_record
from tests.corpus.ignore.shapes import RECORD, SHAPES, Shape

CORPUS = Corpus("ignore", RECORD, SHAPES)
RECORDED = CORPUS.load_record()
NEWEST = "buildkit 28.5"
CLASSIC = "classic 20.10"
OLD = "buildkit 20.10"
OTHERWISE = {
    "back-wildcard-below": "clients up to 20.10 walk into a left-out directory for names alone",
    "regex-characters": "they take `+` and brackets for regular expressions",
    "dollar-and-caret": "and `$` and `^`",
    "bom-second-line": "they trim a byte order mark from every line",
    "backslash-letter-back": "they hold a path against `!` patterns though nothing is left out",
    "tab-within": "they send a tab as it is",
    "control-and-utf-8": "they send nothing encoded",
    "cr-alone": "the classic builder sends no patterns to the engine",
    "nul": "the same",
    "delete-character": "the same",
    "dockerfile-elsewhere-excluded": "the classic builder always sends the Dockerfile",
}
"""Shapes that builders of Engine 20.10 read otherwise than today's, and why."""


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_what_arrives_is_what_devenv_predicts(shape: Shape) -> None:
    recorded = RECORDED[shape.name]
    assert predict(shape, NEWEST) == result(recorded[NEWEST])
    agree = all(predict(shape, name) == result(recorded[name]) for name in (OLD, CLASSIC))
    assert agree == (shape.name not in OTHERWISE)


def predict(shape: Shape, builder: str) -> list[str] | None:
    """What devenv says is left out; None where the build fails."""
    arrived = shape.predict(buildkit=builder.startswith("buildkit"))
    return None if arrived is None else left_out(shape, arrived)


def result(outcome: dict[str, list[str]]) -> list[str] | None:
    """The same, as it was recorded."""
    assert "added" not in outcome
    return outcome.get("left_out")


def test_errors_are_what_the_builder_refuses(tmp_path: Path) -> None:
    """One service for each shape: an error with a line where its build fails, and only there."""
    services = {}
    for shape in SHAPES:
        shape.write(tmp_path / shape.name)
        build = {"context": f"./{shape.name}", "dockerfile": shape.dockerfile}
        services[shape.name.lower()] = {"build": build}
    (tmp_path / "compose.yaml").write_text(json.dumps({"services": services}))
    arguments = argparse.Namespace(directory=str(tmp_path), profile=None, context=None)
    gathered = gather(Session(arguments), ask_engine=False)
    findings = run_checks(gathered.profiles, gathered.facts).findings
    errors = [one for one in findings if one.severity is Severity.ERROR]
    assert {one.rule for one in errors} == {"dockerignore-syntax"}
    assert all(one.place.line for one in errors)
    failed = {name.lower() for name, said in RECORDED.items() if "failed" in said[NEWEST]}
    assert {one.service for one in errors} == failed


def test_the_corpus_is_large_and_wholly_recorded() -> None:
    assert len(SHAPES) >= 150
    assert len({shape.name.lower() for shape in SHAPES}) == len(SHAPES)
    assert set(RECORDED) == {shape.name for shape in SHAPES}
    assert sum("failed" in said[NEWEST] for said in RECORDED.values()) >= 40


def test_the_record_is_what_builders_do_today(docker_engine: Endpoint, tmp_path: Path) -> None:
    """Every twentieth shape with the builders of this engine, where it is one that was recorded."""
    builders = [one for one in find_builders() if one.name in (NEWEST, OLD, CLASSIC)]
    for shape in SHAPES[::20]:
        shape.write(tmp_path / shape.name)
        for builder in builders:
            built = to_record(shape, shape.build(builder, tmp_path / shape.name))
            recorded = RECORDED[shape.name][builder.name]
            assert result(built) == result(recorded), (shape.name, builder.name)
