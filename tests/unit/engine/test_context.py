"""Which engine is chosen, as the docker CLI chooses it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from devenv.engine.context import Endpoint, EndpointKind, load_endpoint
from devenv.errors import EngineUnavailable


def add_context(home: Path, name: str, host: str, *, tls: bool = False) -> None:
    digest = hashlib.sha256(name.encode()).hexdigest()
    meta = home / ".docker" / "contexts" / "meta" / digest
    meta.mkdir(parents=True)
    text = json.dumps({"Name": name, "Endpoints": {"docker": {"Host": host}}})
    (meta / "meta.json").write_text(text)
    if tls:
        directory = home / ".docker" / "contexts" / "tls" / digest / "docker"
        directory.mkdir(parents=True)
        (directory / "ca.pem").write_text("")


def use_context(home: Path, text: str) -> None:
    (home / ".docker").mkdir(exist_ok=True)
    (home / ".docker" / "config.json").write_text(text)


def test_default(tmp_path: Path) -> None:
    found = load_endpoint({}, tmp_path)
    assert found == Endpoint(EndpointKind.UNIX, "/var/run/docker.sock")
    assert found.is_local
    assert found.describe() == "unix:///var/run/docker.sock"


def test_precedence(tmp_path: Path) -> None:
    for name in ("arg", "env", "file"):
        add_context(tmp_path, name, f"unix:///{name}.sock")
    use_context(tmp_path, '{"currentContext": "file"}')
    host = {"DOCKER_HOST": "unix:///host.sock", "DOCKER_CONTEXT": "env"}
    assert load_endpoint({}, tmp_path).address == "/file.sock"
    assert load_endpoint({"DOCKER_CONTEXT": "env"}, tmp_path).address == "/env.sock"
    assert load_endpoint(host, tmp_path).address == "/host.sock"
    assert load_endpoint(host, tmp_path, "arg").address == "/arg.sock"
    assert load_endpoint(host, tmp_path, "default").address == "/host.sock"
    assert load_endpoint({}, tmp_path, "arg").describe() == "unix:///arg.sock (context arg)"


@pytest.mark.parametrize(
    ("host", "kind", "address", "local"),
    [
        ("tcp://127.0.0.1", EndpointKind.TCP, "127.0.0.1:2375", True),
        ("tcp://[::1]:9", EndpointKind.TCP, "[::1]:9", True),
        ("tcp://far:1", EndpointKind.TCP, "far:1", False),
        ("ssh://me@far:22", EndpointKind.SSH, "ssh://me@far:22", False),
    ],
)
def test_hosts(tmp_path: Path, host: str, kind: EndpointKind, address: str, local: bool) -> None:
    found = load_endpoint({"DOCKER_HOST": host}, tmp_path)
    assert (found.kind, found.address, found.is_local) == (kind, address, local)
    assert found.url == (host if kind is EndpointKind.SSH else f"tcp://{address}")


def test_tls(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("")
    environ = {
        "DOCKER_HOST": "tcp://far",
        "DOCKER_TLS_VERIFY": "1",
        "DOCKER_CERT_PATH": str(tmp_path),
    }
    found = load_endpoint(environ, tmp_path)
    assert found.kind is EndpointKind.TLS
    assert found.address == "far:2376"
    assert found.cert_file == str(tmp_path / "cert.pem")
    add_context(tmp_path, "safe", "tcp://far:1", tls=True)
    assert (load_endpoint({}, tmp_path, "safe").ca_file or "").endswith("docker/ca.pem")


def test_unknown_context(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="'gone' does not exist") as caught:
        load_endpoint({}, tmp_path, "gone")
    assert caught.value.fix


def test_broken_json(tmp_path: Path) -> None:
    use_context(tmp_path, '{\n"currentContext": x}')
    with pytest.raises(EngineUnavailable, match="not valid JSON") as caught:
        load_endpoint({}, tmp_path)
    assert caught.value.source is not None
    assert caught.value.source.line == 2
    assert load_endpoint({"DOCKER_HOST": "unix:///a"}, tmp_path).address == "/a"


def test_bad_host(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="cannot use"):
        load_endpoint({"DOCKER_HOST": "npipe:////./pipe/x"}, tmp_path)
