"""`devenv env diff` and `env explain` as commands: what they say, mask, and exit with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from devenv.cli.main import run_command_line

COMPOSE = """\
services:
  db:
    image: postgres:16
    environment:
      POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?set it}
      POSTGRES_USER: ${POSTGRES_USER:-app}
  app:
    image: shop/app:${TAG}
    env_file: [app.env]
    environment: [API_TOKEN]
    build: {context: ., args: [HTTP_CACHE]}
  search:
    image: search:1
    profiles: [search]
    environment: {SEARCH_KEY: "${SEARCH_KEY}"}
secrets:
  cert: {environment: CERT}
"""
FILES = {
    "compose.yaml": COMPOSE,
    "devenv.toml": 'default_profile = "dev"\n',
    "profiles/dev.toml": '[env]\nTAG = "1"\n',
    "profiles/search.toml": 'extends = "dev"\ncompose_profiles = ["search"]\n',
    ".env.example": (
        "# Any long text.\nPOSTGRES_PASSWORD=\nAPI_TOKEN=\nSEARCH_KEY=\nJWT_SECRET=hunter2x\n"
    ),
    ".env": "POSTGRES_USER=ann\nOLD_ONE=topsecret1\nPOSTGRES_USER=bob\nJWT_SECRET=hunter2x\n",
    "app.env": "APP_URL=http://${POSTGRES_USER}/topsecret2\n",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    for name in ("POSTGRES_PASSWORD", "POSTGRES_USER", "API_TOKEN", "SEARCH_KEY", "TAG", "CERT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *words: str, code: int) -> str:
    assert run_command_line(["env", *words]) == code
    said = capsys.readouterr()
    return said.out + said.err


def load(capsys: pytest.CaptureFixture[str], *words: str, code: int) -> Any:
    assert run_command_line(["env", *words, "--format", "json"]) == code
    return json.loads(capsys.readouterr().out)


def states(document: Any, file: int = 0, profile: int = 0) -> dict[str, list[tuple[str, bool]]]:
    found: dict[str, list[tuple[str, bool]]] = {}
    for key in document["profiles"][profile]["files"][file]["keys"]:
        found.setdefault(key["name"], []).append((key["state"], key["needed"]))
    return found


def test_diff_names_what_is_needed_and_what_is_too_much(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert states(load(capsys, "diff", code=1)) == {
        "POSTGRES_PASSWORD": [("missing", True)],
        "API_TOKEN": [("missing", True)],
        "SEARCH_KEY": [("missing", False)],
        "POSTGRES_USER": [("duplicate", False), ("undocumented", False)],
        "JWT_SECRET": [("same-as-example", False)],
        "OLD_ONE": [("extra", False)],
    }
    text = run(capsys, "diff", code=1)
    assert "✗ POSTGRES_PASSWORD  missing" in text
    assert "compose.yaml:5" in text and "lines 1, 3" in text
    assert "2 needed keys are not set: POSTGRES_PASSWORD, API_TOKEN" in text


def test_a_profile_needs_what_its_services_read(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = states(load(capsys, "diff", "--profile", "search", code=1))
    assert found["SEARCH_KEY"] == [("missing", True)]
    document = load(capsys, "diff", "--all-profiles", code=1)
    assert [one["profile"] for one in document["profiles"]] == ["dev", "search"]
    assert states(document)["SEARCH_KEY"] == [("missing", False)]


def test_diff_is_good_once_all_is_set(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / ".env").write_text("POSTGRES_PASSWORD=x\nAPI_TOKEN=y\n")
    assert load(capsys, "diff", code=0)["good"] is True
    monkeypatch.setenv("POSTGRES_PASSWORD", "")
    text = run(capsys, "diff", code=1)
    assert "the shell sets it to nothing, which wins over every file" in text


def test_a_file_that_compose_refuses_is_not_good(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / ".env").write_text('POSTGRES_PASSWORD=x\nAPI_TOKEN=y\nA="open\n')
    assert ".env:3:3: The quote" in run(capsys, "diff", code=1)
    (project / ".env").write_text("POSTGRES_PASSWORD=x\nAPI_TOKEN=y\n")
    (project / "app.env").unlink()
    assert "Compose refuses to start without it" in run(capsys, "diff", code=1)


@pytest.mark.parametrize("words", [("diff",), ("diff", "--all-profiles"), ("explain", "OLD_ONE")])
@pytest.mark.parametrize("form", ["text", "json"])
def test_no_value_is_printed_unless_it_is_asked_for(
    project: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], form: str
) -> None:
    code = 1 if words[0] == "diff" else 0
    said = run(capsys, *words, "--format", form, code=code)
    for value in ("topsecret", "hunter2x", "ann", "bob"):
        assert value not in said
    assert "topsecret1" in run(capsys, *words, "--format", form, "--reveal", code=code)


def test_explain_says_who_sets_who_wins_and_who_reads(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = run(capsys, "explain", "POSTGRES_USER", "--reveal", code=0)
    assert text.splitlines() == [
        "POSTGRES_USER",
        "  ${POSTGRES_USER} in Compose files: bob from .env:3",
        "    ● .env:3  bob",
        "    ○ .env:1  ann  overridden",
        "  in containers of db: bob from compose.yaml:6 (environment)",
        "    ● compose.yaml:6 (environment)  bob",
        "  read by:",
        "    compose.yaml:6:22  services.db.environment.POSTGRES_USER, with a default",
        "    app.env:1:16  the value of APP_URL",
    ]
    monkeypatch.setenv("POSTGRES_USER", "")
    variable = load(capsys, "explain", "POSTGRES_USER", "--reveal", code=0)["variables"][0]
    assert variable["value"] == ""
    assert [(one["origin"], one["wins"]) for one in variable["settings"]] == [
        ("shell", True),
        ("env file", False),
        ("env file", False),
    ]
    assert variable["containers"][0]["value"] == "app"


def test_explain_finds_build_arguments_secrets_and_the_profile(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "compose.yaml:11:32  services.app.build.args (passed on by its name)" in run(
        capsys, "explain", "HTTP_CACHE", code=0
    )
    assert "secrets.cert.environment (passed on" in run(capsys, "explain", "CERT", code=0)
    said = run(capsys, "explain", "TAG", "--reveal", code=0)
    assert "1 from profiles/dev.toml:2 ([env] of profile dev)" in said


def test_an_unknown_key_gets_the_nearest_name(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = run(capsys, "explain", "POSTGRES_USR", code=2)
    assert "did you mean POSTGRES_USER?" in said
    assert "devenv env diff" in run(capsys, "explain", "XYZ", code=2)
