"""Each planted fault is found, by its rule, at its service, path and line, and nothing else new.

In the usual run each fault is written in some layouts, chosen by its place in the list;
DEVENV_ALL_LAYOUTS=1 writes each in all of them.
"""

from __future__ import annotations

import argparse
import copy
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from devenv.checks.facts import EngineFacts, ImageFacts
from devenv.checks.finding import CheckResult, Finding, Severity
from devenv.checks.registry import load_rules
from devenv.checks.runner import run_checks
from devenv.cli.checking import gather
from devenv.cli.session import Session
from devenv.report.finding_paths import FindingPaths
from tests.corpus.faults import file_faults, order_faults
from tests.corpus.faults.fault import FAULTS, Fault
from tests.corpus.faults.project import LAYOUTS, Layout, Model, make_model, write_files

assert file_faults
assert order_faults

ALL = bool(os.environ.get("DEVENV_ALL_LAYOUTS"))
NOT_PLANTED = {
    "profile-invalid",
    "healthcheck-command-missing",
    "ignore-unknown",
    "ignore-unused",
    "git-dir-not-mounted",
}
"""Rules about devenv's own files and comments, about linked worktrees, and about what only an
engine can say."""


def _layouts(number: int, fault: Fault) -> list[str]:
    names = [name for name in LAYOUTS if name in (fault.layouts or LAYOUTS) and _fits(fault, name)]
    if ALL:
        return names
    return list(dict.fromkeys((names[0], names[number % len(names)])))


def _fits(fault: Fault, layout: str) -> bool:
    if fault.short and layout == "override":
        return False
    return layout != "profile" or fault.service in ("app", "worker", "mail", "tool", "migrate")


CASES = [
    pytest.param(fault, layout, id=f"{fault.rule}-{fault.name}-{layout}")
    for number, fault in enumerate(FAULTS)
    for layout in _layouts(number, fault)
]


@pytest.mark.parametrize(("fault", "name"), CASES)
def test_fault_is_found_where_it_is(
    fault: Fault, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_model()
    expected = fault.plant(model)
    layout = LAYOUTS[name](model, fault.service)
    before = _check(LAYOUTS[name](_before(fault), fault.service), make_model(), tmp_path / "a")
    for variable, value in model.environ.items():
        monkeypatch.setenv(variable, value)
    after = _check(layout, model, tmp_path / "b")
    paths = FindingPaths(str(tmp_path / "b" / layout.project).rstrip("/"))
    found = [_short(one, paths) for one in after.findings if one.rule == fault.rule]
    known = {(one.rule, one.message) for one in before.findings}
    found = [
        _short(one, paths)
        for one in after.findings
        if one.rule == fault.rule and (one.rule, one.message) not in known
    ]
    wanted = [{place.resolve(layout) for place in one.places} for one in expected]
    assert len(found) == len(wanted), (found, wanted, _others(after, paths))
    for places in wanted:
        assert any(one in places for one in found), (found, places)
    severities = {one.severity.value for one in after.findings if one.rule == fault.rule}
    assert fault.severity in severities
    errors = {
        one.rule
        for one in after.findings
        if one.severity is Severity.ERROR and (one.rule, one.message) not in known
    }
    assert errors <= {fault.rule}, _others(after, paths)
    if layout.profiles:
        own = [one for one in after.findings if one.rule == fault.rule and one.service]
        names = {one.profiles for one in own if (one.rule, one.message) not in known}
        assert names <= {layout.profiles, ("full", "lean")}, names


def _before(fault: Fault) -> Model:
    model = make_model()
    model.services.setdefault(fault.service, {"image": "example.com/other:1.0"})
    return model


def _short(finding: Finding, paths: FindingPaths) -> tuple[str | None, str, int | None]:
    return finding.service, paths.show(finding.place.path), finding.place.line


def _others(result: CheckResult, paths: FindingPaths) -> list[object]:
    return [
        (one.rule, one.message, _short(one, paths))
        for one in result.findings
        if one.severity is not Severity.INFO
    ]


def _check(layout: Layout, model: Model, directory: Path) -> CheckResult:
    """What the check finds, with git, images and history as the model says."""
    files = copy.copy(layout.files)
    write_files(files, directory)
    for path, mode in model.modes.items():
        (directory / layout.directory / path).chmod(mode)
    _git(directory, "init", "--quiet")
    _git(directory, "add", ".")
    private = [path for path in files if path.endswith("/.env") or path == ".env"]
    _git(directory, "rm", "--quiet", "--cached", "--force", "--ignore-unmatch", *private)
    if model.tracked:
        _git(directory, "add", "--force", *(layout.directory + path for path in model.tracked))
    arguments = argparse.Namespace(directory=str(directory), profile=None, context=None)
    gathered = gather(Session(arguments), ask_engine=False)
    images = {"example.com/mail:1.20": ImageFacts()}
    facts = replace(
        gathered.facts,
        engine=EngineFacts(model.engine, images),
        start_seconds=model.start_seconds,
    )
    return run_checks(gathered.profiles, facts)


def _git(directory: Path, *words: str) -> None:
    subprocess.run(("git", "-C", str(directory), *words), check=True, capture_output=True)


def test_faults_are_planted_for_the_rules_of_every_family() -> None:
    planted = {fault.rule for fault in FAULTS}
    missing = {rule.name for rule in load_rules() if rule.name not in planted}
    assert missing <= NOT_PLANTED


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_valid_project_has_no_error(name: str, tmp_path: Path) -> None:
    result = _check(LAYOUTS[name](make_model(), "worker"), make_model(), tmp_path)
    paths = FindingPaths(str(tmp_path))
    assert not _others(result, paths)
