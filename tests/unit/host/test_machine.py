"""What is found out about this machine: file systems, limits, and who signs a certificate."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from devenv.host.machine import load_host_facts, probe_tls


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with an authority, and a certificate for localhost that it signed."""
    place = tmp_path_factory.mktemp("authority")
    new = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-sha256")
    for words in (
        (*new, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/O=Corp Inspection/CN=corp-ca"),
        (
            *(*new, "-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=localhost"),
            *("-CA", "ca.crt", "-CAkey", "ca.key", "-addext", "subjectAltName=DNS:localhost"),
            *("-addext", "basicConstraints=critical,CA:FALSE"),
        ),
    ):
        subprocess.run(["openssl", *words], cwd=place, capture_output=True, check=True)
    return place


@pytest.fixture
def address(authority: Path) -> Iterator[str]:
    """A server on localhost that answers with that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "cert.pem", authority / "key.pem")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def serve() -> None:
            while True:
                try:
                    plain, _ = server.accept()
                except OSError:
                    return
                with plain:
                    try:
                        context.wrap_socket(plain, server_side=True).close()
                    except OSError:
                        continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"localhost:{port}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=5)


def test_an_authority_of_this_machine_alone_is_no_public_one(
    address: str, authority: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority / "ca.crt"))
    known = tmp_path / "public"
    known.mkdir()
    assert probe_tls(address, known).public is None
    other = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=another")
    subprocess.run(
        ["openssl", *other, "-keyout", "k", "-out", "a.crt"],
        cwd=known,
        capture_output=True,
        check=True,
    )
    found = probe_tls(address, known)
    assert (found.trusted, found.public, found.issuer) == (True, False, "Corp Inspection")
    (known / "b.crt").write_bytes((authority / "ca.crt").read_bytes())
    assert probe_tls(address, known).public is True


def test_an_unknown_authority_is_not_trusted(
    address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    found = probe_tls(address, tmp_path)
    assert (found.resolved, found.connected, found.trusted) == (True, True, False)


def test_no_name_and_no_answer(tmp_path: Path) -> None:
    assert not probe_tls("no-such-host.invalid", tmp_path).resolved
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    found = probe_tls(f"127.0.0.1:{port}", tmp_path)
    assert found.resolved and not found.connected


def test_this_machine(tmp_path: Path) -> None:
    (tmp_path / "src" / "node_modules" / "x").mkdir(parents=True)
    (tmp_path / "src" / "a.py").write_text("")
    docker = tmp_path / "docker"
    docker.mkdir()
    (docker / "config.json").write_text('{"proxies": {"default": {"httpProxy": "http://p"}}}')
    facts = load_host_facts(
        str(tmp_path),
        {"DOCKER_CONFIG": str(docker), "HTTPS_PROXY": "http://user:secret@p:1"},
        places=[str(tmp_path), "/no/such/place"],
    )
    assert facts.directories == 3
    assert facts.file_milliseconds is not None and facts.file_milliseconds < 100
    assert facts.free_bytes[str(tmp_path)] > 0 and "/no/such/place" in facts.free_bytes
    assert facts.watches and facts.instances and facts.memory_available_bytes
    assert facts.docker_proxies and facts.proxy_variables == ("HTTPS_PROXY",)
    assert "secret" not in str(facts)
    (docker / "config.json").write_text("{broken")
    assert not load_host_facts(str(tmp_path), {"DOCKER_CONFIG": str(docker)}).docker_proxies
