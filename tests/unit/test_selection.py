"""The command lines and variables of a selection, finding Compose, and the model cache."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from devenv.cli.environment_names import default_project_name
from devenv.cli.logs import parse_moment
from devenv.engine import compose
from devenv.engine.compose import ComposeCli, Selection, find_compose, parse_version
from devenv.engine.containers import parse_container, parse_health_output, parse_time
from devenv.errors import EngineUnavailable, UsageError
from devenv.host.model_cache import KEPT_MODELS, load_model, resolve_cache_key, save_model
from devenv.state.containers import Health, PublishedPort

SELECTION = Selection(
    directory=Path("/src"),
    name="shop",
    files=(Path("/src/compose.yaml"), Path("/src/profiles/x.yaml")),
    env_files=(Path("/src/.env"), Path("/src/profiles/x.env")),
    profiles=("search", "mail"),
    variables=(("FEATURE", "1"),),
)


def test_flags_and_variables_say_the_same() -> None:
    assert SELECTION.arguments() == (
        *("--project-name", "shop", "--project-directory", "/src"),
        *("--file", "/src/compose.yaml", "--file", "/src/profiles/x.yaml"),
        *("--env-file", "/src/.env", "--env-file", "/src/profiles/x.env"),
        *("--profile", "search", "--profile", "mail"),
    )
    assert SELECTION.shell_variables() == {
        "FEATURE": "1",
        "COMPOSE_PROJECT_NAME": "shop",
        "COMPOSE_FILE": "/src/compose.yaml:/src/profiles/x.yaml",
        "COMPOSE_PROFILES": "search,mail",
        "COMPOSE_ENV_FILES": "/src/.env,/src/profiles/x.env",
    }


def test_a_path_with_a_colon_changes_the_separator() -> None:
    variables = Selection(Path("/s"), files=(Path("/s/a:b.yaml"),)).shell_variables()
    assert variables == {"COMPOSE_FILE": "/s/a:b.yaml", "COMPOSE_PATH_SEPARATOR": "|"}


def _fake_compose(directory: Path, version: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "docker-compose"
    path.write_text(f"#!/bin/sh\necho {version}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def only_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An environment in which Compose can only be in $HOME."""
    monkeypatch.setattr(compose, "_PLUGIN_DIRECTORIES", ())
    monkeypatch.setattr("sys.executable", str(tmp_path / "bin" / "python"))
    return {"HOME": str(tmp_path), "PATH": str(tmp_path / "bin")}


def test_no_compose_says_how_to_get_it(only_home: dict[str, str]) -> None:
    with pytest.raises(EngineUnavailable, match="not installed") as caught:
        find_compose(only_home)
    assert caught.value.fix is not None and "pip install" in caught.value.fix


def test_an_old_plugin_gives_way_to_a_newer_binary(
    only_home: dict[str, str], tmp_path: Path
) -> None:
    _fake_compose(tmp_path / ".docker" / "cli-plugins", "v2.1.0")
    with pytest.raises(EngineUnavailable, match=r"too old.*2\.1\.0.*2\.30\.0"):
        find_compose(only_home)
    newer = _fake_compose(tmp_path / "bin", "5.6.1")
    assert find_compose(only_home) == ComposeCli(str(newer), "5.6.1")


def test_the_version_is_asked_once_per_binary(only_home: dict[str, str], tmp_path: Path) -> None:
    cache = tmp_path / "versions.json"
    path = _fake_compose(tmp_path / "bin", "5.6.1")
    find_compose(only_home, cache)
    before = path.stat()
    path.write_text(path.read_text(encoding="utf-8").replace("5.6.1", "9.9.9"), encoding="utf-8")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert find_compose(only_home, cache).version == "5.6.1"
    assert find_compose(only_home).version == "9.9.9"


@pytest.mark.parametrize(
    ("text", "version"),
    [("v2.40.3-desktop.1", (2, 40, 3)), ("5.6", (5, 6, 0)), ("unknown", None)],
)
def test_versions(text: str, version: tuple[int, int, int] | None) -> None:
    assert parse_version(text) == version


def test_a_container_as_the_engine_describes_it() -> None:
    raw = {
        "Id": "abc",
        "Name": "/shop-app-1",
        "RestartCount": 2,
        "State": {
            "Status": "running",
            "ExitCode": 0,
            "StartedAt": "2026-01-31T12:00:00.123456789Z",
            "FinishedAt": "0001-01-01T00:00:00Z",
            "Health": {"Status": "unhealthy", "Log": [{"ExitCode": 1, "Output": "no\n"}]},
        },
        "Config": {
            "Tty": True,
            "Image": "app",
            "Labels": {"com.docker.compose.service": "app"},
        },
        "NetworkSettings": {
            "Ports": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}], "9/udp": None}
        },
    }
    container = parse_container(raw)
    assert container is not None
    assert (container.service, container.name, container.health) == (
        "app",
        "shop-app-1",
        Health.UNHEALTHY,
    )
    assert container.started_at == pytest.approx(1769860800.123456)
    assert container.finished_at is None
    assert container.tty and container.restart_count == 2
    assert container.ports == (PublishedPort("0.0.0.0", 8080, 80),)
    assert parse_health_output(raw) == (1, "no")


def test_containers_that_are_no_services_are_left_out() -> None:
    labels = {"com.docker.compose.service": "app", "com.docker.compose.oneoff": "True"}
    assert parse_container({"Id": "a", "Config": {"Labels": labels}}) is None
    assert parse_container({"Id": "a", "Config": {"Labels": None}}) is None


def test_the_engines_times() -> None:
    assert parse_time("2026-01-31T12:00:00+02:00") == 1769853600
    assert parse_time("0001-01-01T00:00:00Z") is None
    assert parse_time("rubbish") is None


def test_since_takes_ages_and_times() -> None:
    assert parse_moment("10m", "--since", 1000.0) == 400 * 10**9
    assert parse_moment("2026-01-31T12:00:00+00:00", "--since", 0) == 1769860800 * 10**9
    with pytest.raises(UsageError, match="yesterday"):
        parse_moment("yesterday", "--since", 0)


def test_the_name_of_a_directory_whose_files_do_not_load() -> None:
    assert default_project_name(Path("/src/_My.Shop 2"), {}) == "myshop2"
    assert default_project_name(Path("/src/x"), {"COMPOSE_PROJECT_NAME": "given"}) == "given"


def _key(directory: Path, **changes: object) -> str | None:
    values: dict[str, object] = {
        "version": "5.6.1",
        "directory": directory,
        "files": [directory / "compose.yaml"],
        "env_files": [],
        "arguments": ["config"],
        "environ": {"HOME": "/h", "TAG": "1", "OTHER": "x"},
    }
    return resolve_cache_key(**{**values, **changes})  # type: ignore[arg-type]


def test_the_key_of_a_model_covers_what_it_reads(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text("include: [more.yaml]\nservices: {a: {image: 'x:${TAG}'}}\n", encoding="utf-8")
    first = _key(tmp_path)
    assert first is not None and _key(tmp_path) == first
    assert _key(tmp_path, version="5.6.2") != first
    assert _key(tmp_path, arguments=["--profile", "x", "config"]) != first
    assert _key(tmp_path, environ={"HOME": "/h", "TAG": "2", "OTHER": "x"}) != first
    assert _key(tmp_path, environ={"HOME": "/h", "TAG": "1", "OTHER": "y"}) == first
    (tmp_path / ".env").write_text("A=1\n", encoding="utf-8")
    second = _key(tmp_path)
    assert second != first
    (tmp_path / "more.yaml").write_text("services: {b: {image: y}}\n", encoding="utf-8")
    assert _key(tmp_path) != second
    file.write_text("include: ['https://example.org/x.yaml']\n", encoding="utf-8")
    assert _key(tmp_path) is None


def test_kept_models_are_private_and_few(tmp_path: Path) -> None:
    cache = tmp_path / "models"
    for number in range(KEPT_MODELS + 5):
        save_model(cache, f"{number:03}", "{}")
    assert len(list(cache.iterdir())) == KEPT_MODELS
    kept = next(cache.glob("*.json"))
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    assert load_model(cache, kept.stem) == "{}" and load_model(cache, "absent") is None
