"""Each directory `tests/cases/RULE/CASE/` is a real project; `expected.txt` is what RULE finds.

A line of expected.txt is one finding: `path:line:column severity [service] (profiles) message`.
An empty expected.txt says that the rule has nothing to say. Other rules' findings do not count.
`case.toml`, where there is one, holds facts: `checkout` (`worktree` or `submodule`), `track` and
`ignore_nothing` for git, `[environ]`, `[start_seconds]` by service, and `[engine]` with `version`
and `[engine.images."NAME"]` (`test`, `interval`, `user`).
After a deliberate change, DEVENV_WRITE_CASES=1 writes what is found; look at the diff.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from devenv.checks.facts import EngineFacts, ImageFacts
from devenv.checks.finding import Finding
from devenv.checks.registry import load_rules
from devenv.checks.runner import run_checks
from devenv.checks.suppress import UNUSED, drop_suppressed
from devenv.cli.checking import gather
from devenv.cli.session import Session
from devenv.compose.model import Healthcheck
from devenv.report.finding_paths import FindingPaths

ROOT = Path(__file__).parent
WRITE = bool(os.environ.get("DEVENV_WRITE_CASES"))
CASES = sorted(path.parent for path in ROOT.glob("*/*/expected.txt"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.name}")
def test_case(case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = find_in_case(case, tmp_path, monkeypatch)
    expected = case / "expected.txt"
    if WRITE:
        expected.write_text(found, encoding="utf-8")
    assert found == expected.read_text(encoding="utf-8")


def test_every_rule_has_a_case_that_finds_and_one_that_does_not() -> None:
    for rule in load_rules():
        texts = [path.read_text() for path in ROOT.glob(f"{rule.name}/*/expected.txt")]
        assert any(texts), f"{rule.name} has no case with a finding"
        assert not all(texts), f"{rule.name} has no case without a finding"


def test_every_case_belongs_to_a_rule() -> None:
    known = {rule.name for rule in load_rules()}
    assert {case.parent.name for case in CASES} <= known


def find_in_case(case: Path, directory: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the case's rule finds, as the text of expected.txt."""
    project = directory / "project"
    shutil.copytree(case, project, ignore=shutil.ignore_patterns("expected.txt", "case.toml"))
    facts_file = case / "case.toml"
    stated = tomllib.loads(facts_file.read_text()) if facts_file.exists() else {}
    if "checkout" in stated:
        _make_checkout(project, stated["checkout"])
    if "track" in stated:
        run_git(project, "init", "--quiet")
        run_git(project, "add", "--force", "--", *stated["track"]) if stated["track"] else None
    for name in [name for name in os.environ if name.startswith(("COMPOSE_", "DEVENV_"))]:
        monkeypatch.delenv(name)
    for name, value in stated.get("environ", {}).items():
        monkeypatch.setenv(name, value)
    arguments = argparse.Namespace(directory=str(project), profile=None, context=None)
    gathered = gather(Session(arguments), ask_engine=False)
    facts = replace(
        gathered.facts,
        engine=_engine(stated.get("engine")),
        start_seconds=stated.get("start_seconds", {}),
        programs=_programs(stated["programs"]) if "programs" in stated else None,
    )
    rules = [rule for rule in load_rules() if rule.name == case.parent.name]
    if rules[0].name == UNUSED:  # what others find decides it
        everything = run_checks(gathered.profiles, facts)
        every_name = [rule.name for rule in load_rules()]
        result = drop_suppressed(everything, facts.files, unused_of=every_name)
        found = [one for one in result.findings if one.rule == UNUSED]
        result = replace(result, findings=tuple(found))
    else:
        result = run_checks(gathered.profiles, facts, rules=rules)
    paths = FindingPaths(gathered.facts.directory)
    return "".join(_line(finding, paths) + "\n" for finding in result.findings)


def _make_checkout(project: Path, kind: str) -> None:
    """Make the project the checkout of a linked worktree, or of a submodule."""
    place = project.parent
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    for name in ("shop", "around"):
        (place / name).mkdir()
        run_git(place / name, "init", "--quiet")
        run_git(place / name, *who, "commit", "--quiet", "--allow-empty", "--message", "one")
    files = place / "files"
    project.rename(files)
    if kind == "worktree":
        run_git(place / "shop", "worktree", "add", "--quiet", str(project))
    else:
        local = ("-c", "protocol.file.allow=always")
        run_git(place / "around", *local, "submodule", "--quiet", "add", str(place / "shop"), "sub")
        shutil.copytree(place / "around" / ".git", place / ".git")
        shutil.copytree(place / "around" / "sub", project)
        (project / ".git").write_text("gitdir: ../.git/modules/sub\n")
    shutil.copytree(files, project, dirs_exist_ok=True)


def run_git(directory: Path, *words: str) -> None:
    subprocess.run(("git", "-C", str(directory), *words), check=True, capture_output=True)


def _engine(stated: dict[str, Any] | None) -> EngineFacts | None:
    if stated is None:
        return None
    major, minor, patch = (int(part) for part in stated.get("version", "28.0.0").split("."))
    images = {name: _image(image) for name, image in stated.get("images", {}).items()}
    return EngineFacts((major, minor, patch), images)


def _programs(stated: dict[str, dict[str, bool]]) -> dict[tuple[str, str], bool]:
    """`[programs."IMAGE"]` with whether each program is there."""
    return {(image, name): there for image, of in stated.items() for name, there in of.items()}


def _image(stated: dict[str, Any]) -> ImageFacts:
    test = tuple(stated.get("test", ()))
    check = Healthcheck(test, stated.get("interval", 30.0)) if test else None
    return ImageFacts(check, stated.get("user", ""))


def _line(finding: Finding, paths: FindingPaths) -> str:
    place = finding.place
    numbers = [str(number) for number in (place.line, place.column) if number is not None]
    parts = [":".join((paths.show(place.path), *numbers)), finding.severity.value]
    if finding.service:
        parts.append(f"[{finding.service}]")
    if finding.profiles:
        parts.append(f"({', '.join(finding.profiles)})")
    return " ".join((*parts, finding.message))
