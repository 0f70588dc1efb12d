"""`devenv check` as a command: formats, repairs, what is left out, exit codes. Needs no engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from devenv.checks.registry import load_rules
from devenv.cli.commands.check import FORMATS
from devenv.cli.main import run_command_line
from devenv.engine.compose import find_compose

PROJECT = {
    "compose.yaml": """\
# The shop.
services:
  app:
    image: nginx   # no tag
    depends_on: [db]
    environment:
      API_TOKEN: ghp_0123456789abcdefghijABCDEFGHIJ012345
  db:
    image: postgres:16
    healthcheck:
      test: [CMD, pg_isready]
""",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "shop"
    directory.mkdir()
    write(directory, PROJECT)
    for name in [name for name in os.environ if name.startswith(("COMPOSE_", "DEVENV_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    monkeypatch.chdir(directory)
    return directory


def write(directory: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def check(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    found = run_command_line(["check", *words])
    captured = capsys.readouterr()
    assert found == code, captured.out + captured.err
    assert "Traceback" not in captured.err
    return captured.out + captured.err


def test_json_is_the_contract(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(check(capsys, "--format", "json"))
    assert document["version"] == 1
    assert set(document["summary"]) == {"error", "warning", "info"}
    [found] = [one for one in document["findings"] if one["rule"] == "started-not-healthy"]
    assert set(found) == {
        *("rule", "severity", "service", "profiles", "message", "fix"),
        *("path", "line", "column", "related"),
    }
    assert (found["path"], found["line"], found["service"]) == ("compose.yaml", 5, "app")
    assert {"what": "local images", "path": None, "why": "no Docker engine answers"} in document[
        "not_checked"
    ]


def test_text_names_place_rule_fix_and_count_and_hides_secrets(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = check(capsys)
    assert "compose.yaml:4:5: warning [image-unpinned]" in said
    assert "\n    4 |     image: nginx   # no tag\n      |     ^^^^^^\n" in said
    assert "ghp_" not in said
    assert "warnings" in said.splitlines()[-1]


def test_no_output_format_shows_a_secret(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(project, {".env": "DB_PASSWORD=sword4fish\nB='\n"})
    for style in FORMATS:
        said = check(capsys, "--format", style, code=1)
        assert "sword4fish" not in said
        assert "ghp_" not in said


def test_quiet_is_one_line_per_finding(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = check(capsys, "--quiet").splitlines()
    assert all(line.startswith(("compose.yaml:", ".", "../")) for line in lines)
    write(project, {"compose.yaml": "services:\n  db:\n    image: postgres:16\n"})
    assert check(capsys, "--quiet", "--ignore", "no-digest") == ""


def test_github_commands_are_relative_to_the_repository(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(("git", "init", "--quiet", str(project.parent)), check=True)
    said = check(capsys, "--format", "github", "--select", "image-unpinned")
    [command] = [line for line in said.splitlines() if "image-unpinned" in line]
    assert command.startswith("::warning file=shop/compose.yaml,line=4,col=5,title=devenv image-")


def test_sarif_has_what_code_scanning_needs(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = json.loads(check(capsys, "--format", "sarif"))
    assert document["version"] == "2.1.0"
    [run] = document["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        [location] = result["locations"]
        physical = location["physicalLocation"]
        assert not physical["artifactLocation"]["uri"].startswith("/")
        assert physical.get("region", {"startLine": 1})["startLine"] >= 1
        assert result["partialFingerprints"]["devenv/v1"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((), 0),
        (("--fail-on", "warning"), 1),
        (("--fail-on", "never"), 0),
        (("--fail-on", "warning", "--select", "env-syntax"), 0),
        (("--select", "no-such-rule"), 2),
        (("--explain", "no-such-rule"), 2),
        (("--baseline", "missing.json"), 2),
    ],
)
def test_exit_codes(
    project: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: int
) -> None:
    check(capsys, *words, code=code)


def test_diff_writes_nothing_and_fix_leaves_nothing_to_fix(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = model(project)
    text = (project / "compose.yaml").read_text()
    said = check(capsys, "--diff", "--select", "started-not-healthy")
    assert "+    depends_on: {db: {condition: service_healthy}}" in said
    assert (project / "compose.yaml").read_text() == text
    said = check(capsys, "--fix", "--select", "started-not-healthy")
    assert "changed compose.yaml" in said
    fixed = (project / "compose.yaml").read_text()
    assert "# The shop." in fixed and "# no tag" in fixed
    assert "Nothing to repair" in check(capsys, "--fix", "--select", "started-not-healthy")
    assert (project / "compose.yaml").read_text() == fixed
    after = model(project)
    assert after["services"]["app"]["depends_on"]["db"]["condition"] == "service_healthy"
    after["services"]["app"]["depends_on"]["db"]["condition"] = "service_started"
    assert after == before


def test_a_diff_shows_no_value_of_an_env_file(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "compose.yaml").write_text(
        "services: {app: {image: 'nginx:1', env_file: [settings.txt]}}\n"
    )
    lines = "API_TOKEN=abcTopSecret\nPLAIN=topsecret2\nPASSWORD=x$yz_topsecret3\n"
    (project / ".env").write_text(lines)
    (project / "settings.txt").write_text(lines)
    said = check(capsys, "--diff", "--select", "env-dollar")
    assert " API_TOKEN=••••••" in said
    assert "-PASSWORD=••••••" in said and "+PASSWORD='••••••'" in said
    assert "b/settings.txt" in said and "topsecret" not in said.lower()


def test_a_fix_keeps_the_mode_and_stays_in_the_repository(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outside = project.parent / "outside.yaml"
    (project / "compose.yaml").rename(outside)
    (project / "compose.yaml").symlink_to(outside)
    text = outside.read_text()
    said = check(capsys, "--fix", "--select", "started-not-healthy", code=2)
    assert "outside the project" in said
    assert outside.read_text() == text
    (project / "compose.yaml").unlink()
    outside.rename(project / "compose.yaml")
    (project / "compose.yaml").chmod(0o640)
    check(capsys, "--fix", "--select", "started-not-healthy")
    assert (project / "compose.yaml").stat().st_mode & 0o777 == 0o640


def test_comments_and_settings_leave_findings_out(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = PROJECT["compose.yaml"]
    for changed in (
        text.replace("# no tag", "# devenv: ignore[image-unpinned] always the newest"),
        text.replace(
            "    image: nginx ", "    # devenv: ignore[image-unpinned]\n    image: nginx "
        ),
    ):
        write(project, {"compose.yaml": changed})
        assert "image-unpinned" not in check(capsys)
    write(project, PROJECT)
    for entry in ("image-unpinned", "*.yaml:image-unpinned"):
        write(project, {"devenv.toml": f'[checks]\nignore = ["{entry}"]\n'})
        assert "image-unpinned" not in check(capsys)
    write(project, {"devenv.toml": '[checks]\nignore = ["legacy/*:image-unpinned"]\n'})
    assert "image-unpinned" in check(capsys)
    write(project, {"devenv.toml": '[checks.severity]\nimage-unpinned = "error"\n'})
    assert "error [image-unpinned]" in check(capsys, code=1)


def test_a_wrong_rule_in_the_settings_is_named_with_its_place(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(project, {"devenv.toml": '[checks]\nignore = ["image-unpined"]\n'})
    said = check(capsys, code=2)
    assert "devenv.toml:2" in said
    assert "did you mean 'image-unpinned'" in said


def test_a_baseline_leaves_out_what_it_holds_and_no_more(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "written to" in check(capsys, "--write-baseline", "known.json")
    assert check(capsys, "--quiet", "--baseline", "known.json") == ""
    more = "  web:\n    image: httpd\n"
    write(project, {"compose.yaml": "\n\n" + PROJECT["compose.yaml"] + more})
    said = check(capsys, "--quiet", "--baseline", "known.json")
    assert said.count("image-unpinned") == 1 and "httpd" in said
    write(project, {"broken.json": "[]"})
    check(capsys, "--baseline", "broken.json", code=2)


def test_every_rule_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    for rule in load_rules():
        said = check(capsys, "--explain", rule.name)
        assert "Wrong:" in said and "Right:" in said, rule.name
    listed = check(capsys, "--rules")
    assert len(listed.splitlines()) == len(load_rules())


def test_what_is_imported(project: Path) -> None:
    code = (
        "import sys\nfrom devenv.cli.main import run_command_line\n"
        "run_command_line(['check'])\n"
        "slow = {'textual', 'pydantic', 'asyncio', 'python_on_whales', 'rich', 'watchfiles'}\n"
        "sys.exit(' '.join(slow & set(sys.modules)) or 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def model(project: Path) -> Any:
    compose = find_compose(os.environ)
    argv = compose.argv("config", "--format", "json")
    done = subprocess.run(argv, cwd=project, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)
