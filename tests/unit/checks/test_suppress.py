"""Comments, settings and baselines: what is left out, and what is said about that."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devenv.checks.facts import FileKind, FileState
from devenv.checks.finding import CheckResult, Finding, Place, Severity
from devenv.checks.suppress import (
    baseline_key,
    count_known,
    drop_known,
    drop_suppressed,
    find_suppressions,
)
from devenv.cli.main import run_command_line

COMPOSE = "services:\n  db:\n    image: postgres\n"
RULE = "image-unpinned"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith(("COMPOSE_", "DEVENV_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    directory = tmp_path / "shop"
    directory.mkdir()
    (directory / "compose.yaml").write_text(COMPOSE)
    monkeypatch.chdir(directory)
    return directory


def check(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert run_command_line(["check", "--quiet", *words]) == code
    captured = capsys.readouterr()
    return captured.out + captured.err


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("image: x  # devenv: ignore[r]\n", [1]),
        ("# devenv: ignore[r]\nimage: x\n", [2]),
        ("#devenv:ignore[r] why\n\n# another\n\nimage: x\n", [5]),
        ("# devenv: ignore[r]\n# devenv: ignore[s]\nimage: x\n", [3, 3]),
        ("image: x  # why, devenv: ignore[r]\n", []),
        ("image: x  # devenv: ignored[r]\n", []),
        ("# devenv: ignore[r]", [2]),
    ],
)
def test_the_line_that_a_comment_speaks_of(text: str, lines: list[int]) -> None:
    assert [one.line for one in find_suppressions(text)] == lines


def test_a_finding_of_the_whole_file_is_left_out_by_a_comment_at_its_top() -> None:
    for text, kept in (
        ("# An env file.\n# devenv: ignore[r] on purpose\nA=1\n", 0),
        ("A=1\n# devenv: ignore[r]\nB=2\n", 1),
    ):
        files = {"/x/.env": FileState(FileKind.FILE, text)}
        finding = Finding("r", Severity.WARNING, "tracked", Place("/x/.env"))
        assert len(drop_suppressed(CheckResult((finding,)), files).findings) == kept


def test_a_dockerfile_and_an_env_file_take_the_comment_above(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "compose.yaml").write_text("services:\n  app:\n    build: .\n")
    (project / "Dockerfile").write_text("# devenv: ignore[base-unpinned] new\nFROM node\n")
    (project / ".env").write_text("# devenv: ignore[env-dollar] as it is\nA=pa$x\n")
    assert "base-unpinned" not in check(capsys)
    assert "env-dollar" not in check(capsys)
    (project / "Dockerfile").write_text("\nFROM node\n")
    (project / ".env").write_text("A=pa$x\n")
    assert "base-unpinned" in check(capsys)
    assert "env-dollar" in check(capsys)


def test_an_unused_comment_is_said_only_where_all_rules_looked(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = COMPOSE.replace("postgres", f"postgres:16  # devenv: ignore[{RULE}]")
    (project / "compose.yaml").write_text(text)
    assert "compose.yaml:3:42: info [ignore-unused]" in check(capsys)
    for words in (("--select", RULE), ("--ignore", RULE), ("--ignore", "ignore-unused")):
        assert "ignore-unused" not in check(capsys, *words)
    (project / "devenv.toml").write_text('[checks]\nignore = ["ignore-unused"]\n')
    assert "ignore-unused" not in check(capsys)
    (project / "devenv.toml").write_text(f'[checks.severity]\n{RULE} = "off"\n')
    assert "ignore-unused" not in check(capsys)


def test_an_unknown_rule_in_a_comment_is_named_with_the_nearest(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "compose.yaml").write_text(f"{COMPOSE.rstrip()}  # devenv: ignore[image-unpined]\n")
    run_command_line(["check"])
    said = capsys.readouterr().out
    assert "warning [ignore-unknown]" in said
    assert f"did you mean {RULE}?" in said


def test_the_settings_name_a_baseline_and_it_reads_well(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    check(capsys, "--write-baseline", "known.json")
    known = json.loads((project / "known.json").read_text())["findings"]
    assert any(key.startswith(f"compose.yaml: {RULE} [db] db uses postgres") for key in known)
    (project / "devenv.toml").write_text('[checks]\nbaseline = "known.json"\n')
    assert check(capsys) == ""
    (project / "sub").mkdir()
    assert check(capsys, "-C", "sub") == ""
    (project / "compose.yaml").write_text("# a line\n\n" + COMPOSE + "  web:\n    image: nginx\n")
    assert [line.split(":")[1] for line in check(capsys).splitlines()] == ["7"]
    check(capsys, "--write-baseline", "known.json")
    assert check(capsys) == ""
    (project / "known.json").unlink()
    assert "devenv.toml:2" in check(capsys, code=2)


findings = st.builds(
    Finding,
    rule=st.sampled_from(["a", "b"]),
    severity=st.sampled_from(Severity),
    message=st.sampled_from(["x", "y"]),
    place=st.builds(Place, st.sampled_from(["/p/1", "/p/2"]), st.none() | st.integers(1, 99)),
    service=st.sampled_from([None, "s"]),
)


@given(st.lists(findings, max_size=8), st.lists(findings, max_size=8))
def test_a_baseline_takes_as_many_of_each_kind_as_it_has(
    known: list[Finding], now: list[Finding]
) -> None:
    baseline = count_known(known, str)
    left = drop_known(CheckResult(tuple(now)), baseline, str).findings
    for key in {baseline_key(one, str) for one in now}:
        count = sum(baseline_key(one, str) == key for one in now)
        still = sum(baseline_key(one, str) == key for one in left)
        assert still == max(0, count - baseline.get(key, 0))
