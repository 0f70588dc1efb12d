"""Origins of what Compose adds or writes anew: implied needs, ranges, devices, the name."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from devenv.cli.main import run_command_line
from devenv.compose.implied import expand_device
from devenv.compose.short_forms import is_port

COMPOSE = """\
services:
  app:
    image: shop/app
    network_mode: service:db
    devices: [/dev/fuse]
    volumes_from: [store:ro]
    volumes: [kept:/kept]
    deploy: {resources: {limits: {cpus: "0"}}}
    x-develop:
      watch:
        - {path: ./src, action: rebuild}
  db:
    image: postgres:16
    ports:
      - "127.0.0.1:8000-8002:80-82"
    links:
      - store:kept
  store: {image: redis:7}
  tools: {image: tools:1, profiles: [tools]}
networks:
  default:
    external: {name: outside}
volumes:
  kept: {external: true}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "shop"
    directory.mkdir()
    (directory / "compose.yaml").write_text(COMPOSE)
    for name in [name for name in os.environ if name.startswith(("COMPOSE_", "DEVENV_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(directory)
    return directory


def places(capsys: pytest.CaptureFixture[str]) -> dict[str, tuple[str, int | None, str]]:
    """Path of each value to its kind, line, and note."""
    assert run_command_line(["config", "--origins", "--format", "json"]) == 0
    return {
        one["path"]: (one["origin"], one["source"] and one["source"]["line"], one["note"])
        for one in json.loads(capsys.readouterr().out)
    }


def test_every_value_that_compose_writes_anew_has_its_place(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = places(capsys)
    assert {kind for kind, _, _ in found.values()} == {"written", "default"}
    app, db = "services.app.", "services.db."
    assert found[f"{app}depends_on.db.condition"] == ("written", 4, "network_mode implies it")
    assert found[f"{app}depends_on.store.required"] == ("written", 6, "volumes_from implies it")
    assert found[f"{db}depends_on.store.restart"] == ("written", 17, "links implies it")
    assert found[f"{app}devices[0].target"][:2] == ("written", 5)
    assert found[f"{app}deploy.resources.limits"][:2] == ("written", 8)
    assert found[f"{app}develop.watch[0].path"][:2] == ("written", 11)
    assert {found[f"{db}ports[{n}].published"][:2] for n in range(3)} == {("written", 15)}
    assert found["networks.default.name"][:2] == ("written", 22)
    assert found["networks.default.external"][:2] == ("written", 22)
    assert found["volumes.kept.name"][0] == "default"


def test_services_of_profiles_alone_and_the_name_of_an_env_file(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "compose.yaml").write_text("services:\n  a: {image: a, profiles: [x]}\n")
    found = places(capsys)
    assert found["services"] == ("written", 1, "none of the profiles selected")
    assert found["name"][0] == "default"
    (project / ".env").write_text("# shop\nexport COMPOSE_PROJECT_NAME=market\n")
    assert places(capsys)["name"][:2] == ("written", 2)


@pytest.mark.parametrize(
    ("text", "target", "published", "same"),
    [
        ("8000-8002:80-82", 81, "8001", True),
        ("8000-8002:80-82", 81, "8002", False),
        ("8000-8002:80-82", 83, "8003", False),
        ("8000-8001:80-82", 80, "8000", False),
        ("9000-9005:90", 90, "9000-9005", True),
        ("70-71", 71, None, True),
    ],
)
def test_ranges_of_ports(text: str, target: int, published: str | None, same: bool) -> None:
    model = {"mode": "ingress", "target": target, "protocol": "tcp"}
    if published is not None:
        model["published"] = published
    assert is_port(text, model) is same


def test_devices() -> None:
    whole = {"source": "/dev/a", "target": "/dev/b", "permissions": "r"}
    assert expand_device("/dev/a:/dev/b:r") == whole
    assert expand_device("/dev/a") == {**whole, "target": "/dev/a", "permissions": "rwm"}
    assert expand_device("a:b:c:d") is None


def test_the_same_item_in_two_files_is_the_later_ones(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "compose.yaml").write_text("services:\n  a: {image: a, ports: ['80:80']}\n")
    (project / "compose.override.yaml").write_text("services:\n  a: {ports: ['80:80']}\n")
    assert run_command_line(["why", "a.ports[0].target"]) == 0
    said = capsys.readouterr().out
    assert "compose.override.yaml:2:15" in said and "instead of compose.yaml:2:25" in said


def test_hooks_one_text_for_a_list_and_a_build_without_context(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "compose.yaml").write_text(
        "services:\n"
        "  app:\n"
        "    build: {dockerfile_inline: FROM scratch}\n"
        "    dns: 9.9.9.9\n"
        "    post_start:\n"
        "      - command: sh -c 'echo $$HOME'\n"
        "        user: root\n"
        "      - command: [echo, b]\n"
    )
    found = places(capsys)
    assert {kind for kind, _, _ in found.values()} == {"written", "default"}
    assert found["services.app.build.context"][0] == "default"
    assert found["services.app.dns[0]"][:2] == ("written", 4)
    assert found["services.app.post_start[0].command[2]"] == ("written", 6, "short form")
    assert found["services.app.post_start[0].user"][:2] == ("written", 7)
    assert found["services.app.post_start[1].command[1]"][:2] == ("written", 8)


def test_build_arguments_that_are_passed_on_and_a_need_of_two_files(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TAG", raising=False)
    (project / ".env").write_text("TAG=7\nMODE=dev\n")
    (project / "compose.yaml").write_text(
        "services:\n"
        "  app:\n"
        "    build: {context: ., args: [TAG]}\n"
        "    depends_on: [db]\n"
        "  web:\n"
        "    build: {context: ., args: {MODE: }}\n"
        "    depends_on: ['${HOST:-db}']\n"
        "  db: {image: db}\n"
    )
    (project / "compose.override.yaml").write_text("services: {app: {depends_on: [db]}}\n")
    found = places(capsys)
    assert found["services.app.build.args.TAG"][:2] == ("written", 3)
    assert found["services.web.build.args.MODE"][:2] == ("written", 6)
    assert found["services.app.depends_on.db.condition"] == ("written", 1, "short form")
    assert found["services.web.depends_on.db.condition"] == ("written", 7, "short form")
    assert {kind for kind, _, _ in found.values()} == {"written", "default"}
    assert run_command_line(["why", "app.build.args.TAG"]) == 0
    assert "through TAG: .env:1:1" in capsys.readouterr().out
