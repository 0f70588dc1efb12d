"""`devenv env sync` without a terminal, and its questions with a reader that answers."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from devenv.cli import env_prompt
from devenv.cli.env_prompt import Answers, Question, ask, generate_secret, take_defaults
from devenv.cli.main import run_command_line
from devenv.compose.secrets import MASK
from devenv.engine.compose import find_compose

COMPOSE = """\
services:
  db:
    image: postgres:16
    environment:
      POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?set it}
      POSTGRES_USER: ${POSTGRES_USER}
  app:
    image: shop/app:1
    environment: [API_TOKEN]
"""
EXAMPLE = """\
# Who logs in.
POSTGRES_USER=app

# At least 12 characters.
POSTGRES_PASSWORD=
API_TOKEN=changeme
EXTRA=
"""
NAMES = ("POSTGRES_USER", "POSTGRES_PASSWORD", "API_TOKEN", "EXTRA", "TAG")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "shop"
    directory.mkdir()
    (directory / "compose.yaml").write_text(COMPOSE)
    (directory / ".env.example").write_text(EXAMPLE)
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(directory)
    return directory


def sync(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert run_command_line(["env", "sync", *words]) == code
    said = capsys.readouterr()
    return said.out + said.err


def read_model(directory: Path) -> dict[str, dict[str, str]]:
    argv = find_compose(os.environ).argv("config", "--format", "json")
    said = subprocess.run(argv, cwd=directory, capture_output=True, check=True, timeout=60).stdout
    services = json.loads(said)["services"]
    return {name: service["environment"] for name, service in services.items()}


def test_a_new_file_has_the_examples_layout_and_is_private(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = sync(capsys, "--set", "POSTGRES_PASSWORD=it's a $ecret #1", "--generate", "API_TOKEN")
    assert "made .env: POSTGRES_USER, EXTRA, POSTGRES_PASSWORD, API_TOKEN (generated)" in said
    assert "python-dotenv reads POSTGRES_PASSWORD otherwise" in said
    path = project / ".env"
    assert path.stat().st_mode & 0o777 == 0o600
    lines = path.read_text().splitlines()
    assert lines[:4] == ["# Who logs in.", "POSTGRES_USER=app", "", "# At least 12 characters."]
    assert lines[-1] == "EXTRA="
    model = read_model(project)
    assert model["db"]["POSTGRES_PASSWORD"].replace("$$", "$") == "it's a $ecret #1"
    assert len(model["app"]["API_TOKEN"]) == 43
    assert "Nothing to write" in sync(capsys)


def test_what_cannot_be_filled_in_is_named(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = sync(capsys, "--non-interactive", code=1)
    assert "Not filled in: POSTGRES_PASSWORD." in said
    assert "API_TOKEN=changeme" in (project / ".env").read_text()
    assert "Not filled in: POSTGRES_PASSWORD." in sync(capsys, code=1)
    assert "POSTGRES_PASSWORD (generated)" in sync(capsys, "--generate", "POSTGRES_PASSWORD")
    assert "is already set" in sync(capsys, "--generate", "POSTGRES_PASSWORD", code=2)


def test_order_comments_mode_link_and_line_ends_stay(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    real = project / "config"
    real.mkdir()
    (real / "env").write_bytes("\ufeff# mine\r\nMINE=1 # why\r\nAPI_TOKEN=mine\r\n".encode())
    (real / "env").chmod(0o640)
    (project / ".env").symlink_to("config/env")
    sync(capsys, "--set", "POSTGRES_PASSWORD=x")
    assert (project / ".env").is_symlink()
    assert (real / "env").stat().st_mode & 0o777 == 0o640
    assert (real / "env").read_bytes().decode() == (
        "\ufeff# mine\r\nMINE=1 # why\r\n"
        "# Who logs in.\r\nPOSTGRES_USER=app\r\n"
        "# At least 12 characters.\r\nPOSTGRES_PASSWORD=x\r\nAPI_TOKEN=mine\r\nEXTRA=\r\n"
    )
    assert not list(project.glob(".*devenv*")) and not list(real.glob(".*devenv*"))


def test_a_dry_run_shows_no_value_and_writes_nothing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = sync(capsys, "--dry-run", "--set", "POSTGRES_PASSWORD=topsecret")
    assert f"+POSTGRES_PASSWORD={MASK}" in said and "topsecret" not in said
    assert "topsecret" in sync(
        capsys, "--dry-run", "--reveal", "--set", "POSTGRES_PASSWORD=topsecret"
    )
    assert not (project / ".env").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--set", "NOVALUE"), "--set takes KEY=VALUE"),
        (("--set", "A B=1"), "--set takes KEY=VALUE"),
        (("--set", "A=x\0y"), "NUL"),
        (("--generate", "1x"), "--generate takes"),
    ],
)
def test_wrong_use(
    project: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    assert said in sync(capsys, *words, code=2)
    assert not (project / ".env").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [(b'A="open\n', ".env:1:3"), (b"A=\xff\n", "not UTF-8"), (None, "is directory")],
)
def test_a_file_that_cannot_be_edited_for_sure_is_left_alone(
    project: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, said: str
) -> None:
    if content is None:
        (project / ".env").mkdir()
    else:
        (project / ".env").write_bytes(content)
    assert said in sync(capsys, "--set", "EXTRA=1", code=2)
    if content is not None:
        assert (project / ".env").read_bytes() == content


def test_a_link_out_of_the_project_is_not_followed(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outside = project.parent / "profile"
    outside.write_text("# somebody's file\n")
    (project / ".env").symlink_to(outside)
    assert "outside the project" in sync(capsys, "--set", "POSTGRES_PASSWORD=x", code=2)
    assert outside.read_text() == "# somebody's file\n"


def test_what_the_shell_has_is_not_asked_for(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTGRES_PASSWORD", "from-ci")
    said = sync(capsys, "--non-interactive")
    assert "POSTGRES_PASSWORD" not in said.split("made .env: ")[1].splitlines()[0]


def answers(*typed: str) -> Callable[[str], str]:
    given = iter(typed)

    def read(prompt: str) -> str:
        said.append(prompt)
        value = next(given, None)
        if value is None:
            raise EOFError
        return value

    said: list[str] = []
    read.said = said  # type: ignore[attr-defined]
    return read


QUESTIONS = (
    Question("PORT", "The port.", default="8080"),
    Question("DB_PASSWORD", default="changeme", secret=True, needed=True, required=True),
    Question("JWT_SECRET", secret=True, needed=True, required=True),
    Question("GREETING", default=""),
    Question("TAG", needed=True),
)


def test_answers_are_taken_generated_left_or_the_examples() -> None:
    shown: list[str] = []
    plain, hidden = answers("", "g", "", "", ""), answers("", "", "g")
    questions = (*QUESTIONS, Question("HOST", needed=True, required=True))
    found = ask(questions, read_line=plain, read_hidden=hidden, write=shown.append)
    assert found.values.pop("JWT_SECRET", "") != "g"
    assert found == Answers(
        {"PORT": None, "DB_PASSWORD": None, "GREETING": "g", "TAG": ""},
        ("JWT_SECRET",),
        ("HOST",),
    )
    prompts = [*plain.said, *hidden.said]  # type: ignore[attr-defined]
    assert "PORT (Enter: 8080): " in prompts
    assert "TAG (Enter: empty): " in prompts
    assert f"DB_PASSWORD (Enter: {MASK}, g: generate): " in prompts
    assert not any("changeme" in text for text in (*prompts, *shown))
    assert any("Compose refuses to start without it." in text for text in shown)


def test_the_end_of_input_takes_nothing() -> None:
    with pytest.raises(KeyboardInterrupt):
        ask(QUESTIONS, read_line=answers(), read_hidden=answers(), write=lambda text: None)


def test_defaults_are_those_of_the_example() -> None:
    assert take_defaults(QUESTIONS) == Answers(
        {"PORT": None, "DB_PASSWORD": None, "GREETING": None}, (), ("JWT_SECRET", "TAG")
    )


def test_secrets_are_long_and_differ() -> None:
    made = {generate_secret() for _ in range(50)}
    assert len(made) == 50
    assert all(len(one) == 43 and one.isalnum() and one.isascii() for one in made)
    assert set("".join(made)) == set(env_prompt._SECRET_CHARACTERS)
