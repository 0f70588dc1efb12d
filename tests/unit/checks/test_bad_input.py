"""Files in every bad state: a clear message or finding, never a traceback, in bounded time."""

from __future__ import annotations

import argparse
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devenv.checks.facts import CheckedProfile, Facts, FileState
from devenv.checks.runner import run_checks
from devenv.cli.checking import gather
from devenv.cli.main import run_command_line
from devenv.cli.session import Session
from devenv.compose.layers import Layer, Layers, parse_nodes
from devenv.host.check_files import FileReader, load_layers

GOOD = "services:\n  app:\n    image: nginx:1.27\n"
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith(("COMPOSE_", "DEVENV_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    project = tmp_path / "p"
    project.mkdir()
    monkeypatch.chdir(project)
    return project


def check(capsys: pytest.CaptureFixture[str], codes: tuple[int, ...], *words: str) -> str:
    found = run_command_line(["check", *words])
    captured = capsys.readouterr()
    said = captured.out + captured.err
    assert found in codes, said
    assert "Traceback" not in said and "error of its own" not in said
    return said


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", "empty", id="empty"),
        pytest.param(b"\0\xff\xfe\0" * 100, "compose.yaml", id="binary"),
        pytest.param(b"services: [\n", "compose-invalid", id="broken"),
        pytest.param(BOMB.encode() + GOOD.encode(), "expand to more than", id="bomb"),
        pytest.param(b"# " + b"x" * 5_300_000 + b"\n" + GOOD.encode(), "", id="five-megabytes"),
        pytest.param(b"include: [compose.yaml]\n" + GOOD.encode(), "", id="include-loop"),
        pytest.param(b"- a\n- b\n", "compose.yaml", id="a-list"),
        pytest.param(b"services: 3\n", "compose.yaml", id="a-number"),
        pytest.param(b"[" * 20_000, "compose.yaml", id="deep"),
    ],
)
def test_odd_compose_files(
    directory: Path, capsys: pytest.CaptureFixture[str], content: bytes, words: str
) -> None:
    (directory / "compose.yaml").write_bytes(content)
    assert words in check(capsys, (0, 1, 2))


@pytest.mark.parametrize("name", [".env", "Dockerfile", ".dockerignore"])
@pytest.mark.parametrize(
    "content",
    [b"", b"\0\xff\xfe\0" * 100, b"A=" + b"x" * 6_000_000],
    ids=["empty", "binary", "six-megabytes"],
)
def test_odd_files_beside_it(
    directory: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes
) -> None:
    (directory / "compose.yaml").write_text("services:\n  app:\n    build: .\n")
    (directory / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    (directory / name).write_bytes(content)
    check(capsys, (0, 1))


def test_links_in_a_circle(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (directory / "compose.yaml").write_text(
        "services:\n  app:\n    build: ./loop\n    env_file: [loop.env]\n"
    )
    (directory / "loop").symlink_to("loop")
    (directory / "loop.env").symlink_to("loop.env")
    check(capsys, (0, 1))


def test_files_that_cannot_be_read(
    unprivileged: None, directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (directory / "compose.yaml").write_text("services:\n  app:\n    build: .\n")
    for name in (".env", "Dockerfile"):
        (directory / name).write_text("FROM scratch\n")
        (directory / name).chmod(0)
    said = check(capsys, (0, 1))
    assert "Dockerfile" in said or ".env" in said
    for name in (".env", "Dockerfile"):
        (directory / name).chmod(0o600)


def test_a_bare_repository(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    subprocess.run(("git", "init", "--quiet", "--bare", str(directory)), check=True)
    (directory / "compose.yaml").write_text(GOOD)
    check(capsys, (0,))


def test_without_compose_the_rest_is_checked_and_said(
    directory: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (directory / "compose.yaml").write_text(
        "services:\n  app:\n    image: nginx:1.27\n    depends_on: [nothing]\n"
    )
    monkeypatch.setattr("devenv.engine.compose._candidates", lambda environ: [])
    said = check(capsys, (1,))
    assert "not checked: the merged model" in said
    assert "dependency-undefined" in said


def test_without_git(
    directory: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(("git", "init", "--quiet", str(directory)), check=True)
    (directory / "compose.yaml").write_text(GOOD)
    (directory / ".env").write_text("A=1\n")
    monkeypatch.setenv("PATH", str(directory))
    check(capsys, (0,))


def test_layers_of_a_bomb_are_read_without_expanding_it(directory: Path) -> None:
    path = directory / "compose.yaml"
    path.write_text(BOMB + GOOD)
    layers = load_layers(str(directory), [str(path)], FileReader())
    assert layers.service_names() == ("app",)


MUTATED = st.builds(
    lambda text, at, put: text[: at % (len(text) + 1)] + put + text[at % (len(text) + 1) :],
    st.sampled_from([GOOD, "A=${B:-x}\nexport C='d'\n", "FROM a AS b\nCOPY --from=b x y\n", BOMB]),
    st.integers(0, 500),
    st.text(max_size=8),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(compose=st.text() | MUTATED, env=st.text() | MUTATED, dockerfile=st.text() | MUTATED)
def test_any_text_is_survived(compose: str, env: str, dockerfile: str) -> None:
    from devenv.checks.facts import FileKind

    files = {
        "/p/compose.yaml": FileState(FileKind.FILE, compose),
        "/p/.env": FileState(FileKind.FILE, env),
        "/p/.env.example": FileState(FileKind.FILE, env[::-1]),
        "/p/Dockerfile": FileState(FileKind.FILE, dockerfile),
        "/p": FileState(FileKind.DIRECTORY, entries=(".env", "Dockerfile", "compose.yaml")),
    }
    layer = Layer("/p/compose.yaml", compose, parse_nodes(compose))
    layers = Layers((layer,), {layer.path: layer}, "/p")
    profile = CheckedProfile(None, layers, env_files=("/p/.env",))
    run_checks([profile], Facts("/p", "/p", files))


def test_a_profile_that_does_not_load_is_a_finding(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (directory / "compose.yaml").write_text(GOOD)
    (directory / "profiles").mkdir()
    (directory / "profiles" / "dev.toml").write_text('description = "x"\n')
    (directory / "profiles" / "bad.toml").write_text('extends = "nothing"\n')
    (directory / "devenv.toml").write_text('default_profile = "dev"\n')
    assert "error [profile-invalid]" in check(capsys, (1,))
    arguments = argparse.Namespace(directory=str(directory), profile="dev", context=None)
    assert [one.name for one in gather(Session(arguments)).profiles] == ["dev"]


@pytest.mark.parametrize("name", [".env", "web.env", "base.yaml", "Dockerfile", ".dockerignore"])
def test_a_pipe_in_place_of_a_file_is_not_waited_for(
    name: str, directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (directory / "compose.yaml").write_text(
        "services:\n  app:\n    build: .\n    env_file: web.env\n"
        "    extends: {file: base.yaml, service: app}\n"
    )
    for path, text in (
        ("web.env", "A=1\n"),
        ("base.yaml", GOOD),
        ("Dockerfile", "FROM scratch\nCOPY . /\n"),
    ):
        (directory / path).write_text(text)
    (directory / name).unlink(missing_ok=True)
    os.mkfifo(directory / name)
    said = check(capsys, (0, 1))
    if name not in ("Dockerfile", ".dockerignore"):
        assert f"{name}: error [compose-invalid] This is a pipe" in said


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a: " + "[" * 50_000 + "]" * 50_000, id="lists-of-brackets"),
        pytest.param("- " * 50_000 + "x", id="lists-of-dashes"),
    ],
)
def test_deep_nesting_does_not_end_the_process(
    text: str, directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (directory / "compose.yaml").write_text(text)
    assert "compose-invalid" in check(capsys, (1,))
