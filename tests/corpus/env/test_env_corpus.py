"""devenv's reading of every env file of the corpus, and the check's verdict, against Compose's."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from devenv.checks.finding import Finding, Severity
from devenv.checks.runner import run_checks
from devenv.cli.checking import gather
from devenv.cli.session import Session
from tests.corpus.env.readings import (
    PLAIN,
    RECORD,
    SHELL,
    RealReader,
    load_bytes,
    load_names,
    predict_interpolation,
    predict_service,
)

NAMES = load_names()
RECORDED = json.loads(RECORD.read_text(encoding="utf-8"))["files"]


@pytest.mark.parametrize("name", NAMES)
def test_values_are_those_of_compose(name: str) -> None:
    content = load_bytes(name)
    recorded = RECORDED[name]
    assert predict_interpolation(content) == recorded["interpolation"]
    assert predict_service(content) == recorded["service"]
    assert predict_service(content, raw=True) == recorded["raw"]


@pytest.mark.parametrize("name", NAMES)
def test_errors_are_what_compose_refuses_or_fails_on(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in SHELL.items():
        monkeypatch.setenv(variable, value)
    content = load_bytes(name)
    usual = tmp_path / "usual"
    usual.mkdir()
    (usual / "compose.yaml").write_text(PLAIN)
    (usual / ".env").write_bytes(content)
    expect_errors(usual, recorded_good=RECORDED[name]["interpolation"] is not None)
    service = tmp_path / "service"
    service.mkdir()
    (service / "compose.yaml").write_text(
        "services: {web: {image: devenv-offline/base, command: ['true'], env_file: app.env}}\n"
    )
    (service / "app.env").write_bytes(content)
    expect_errors(service, recorded_good=RECORDED[name]["starts"])


def expect_errors(directory: Path, *, recorded_good: bool) -> None:
    errors = find_errors(directory)
    said = [f"{finding.rule}: {finding.message}" for finding in errors]
    if recorded_good:
        assert not said, "a false error"
    else:
        assert said, "a missed failure"
        assert all(finding.rule.startswith("env-") for finding in errors), "not explained"
        assert all(finding.place.line for finding in errors), "no line"


def find_errors(directory: Path) -> list[Finding]:
    """The error-level findings of a project."""
    arguments = argparse.Namespace(directory=str(directory), profile=None, context=None)
    gathered = gather(Session(arguments), ask_engine=False)
    result = run_checks(gathered.profiles, gathered.facts)
    return [finding for finding in result.findings if finding.severity is Severity.ERROR]


def test_the_corpus_is_large_and_wholly_recorded() -> None:
    assert len(NAMES) >= 100
    assert set(RECORDED) == set(NAMES)
    assert sum(RECORDED[name]["interpolation"] is None for name in NAMES) >= 25


def test_the_record_is_what_compose_does_today(tmp_path: Path) -> None:
    real = RealReader(tmp_path)
    for name in NAMES[::3]:
        content = load_bytes(name)
        assert real.read_interpolation(content) == RECORDED[name]["interpolation"], name
        assert real.read_service(content) == RECORDED[name]["service"], name


@pytest.mark.parametrize("length", [65_535, 65_536], ids=str)
def test_a_raw_line_is_refused_from_64_kib_on(tmp_path: Path, length: int) -> None:
    line = b"A=" + b"\xc3\xa9" * ((length - 2) // 2) + b"x" * (length % 2)
    content = line + b"\nB=1\n"
    real = RealReader(tmp_path).read_service(content, raw=True)
    assert (predict_service(content, raw=True) is None) == (real is None) == (length == 65_536)
