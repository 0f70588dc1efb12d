"""What doctor makes of facts: every verdict, with a repair wherever something is wrong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from devenv.checks.doctor import (
    Diagnosis,
    EngineFactsFound,
    HostFacts,
    TlsProbe,
    Verdict,
    find_mount,
    find_registry,
    judge_builder,
    judge_engine,
    judge_images,
    judge_mounts,
    judge_network,
    judge_room,
    judge_watching,
    parse_numbers,
)

GIB = 1024**3
ENGINE = EngineFactsFound(
    "28.5.1", "unix:///run/docker.sock", root_directory="/var/lib/docker", memory_bytes=16 * GIB
)
HOST = HostFacts(
    "/home/ann/shop",
    free_bytes={"/var/lib/docker": 80 * GIB},
    memory_available_bytes=8 * GIB,
    watches=524288,
    instances=512,
    directories=300,
    filesystem="ext4",
    kernel="6.1.0",
    file_milliseconds=0.01,
    nameservers=("10.0.0.1",),
    buildx="0.29.1",
    probes=(TlsProbe("registry-1.docker.io", public=True, issuer="Amazon"),),
)

AWAY = replace(HOST, probes=(TlsProbe("registry-1.docker.io", resolved=False),))


def words(found: Iterable[Diagnosis]) -> list[str]:
    diagnoses = list(found)
    assert all(one.fix for one in diagnoses if one.verdict is Verdict.FAILURE)
    return [f"{one.verdict.value} {one.name}: {one.message}" for one in diagnoses]


def look(host: HostFacts = HOST, engine: EngineFactsFound = ENGINE) -> list[str]:
    return words(
        [
            *judge_engine(engine),
            *judge_builder(host, engine, ["app"]),
            *judge_room(host, engine),
            *judge_watching(host),
            *judge_mounts(host, engine),
            *judge_network(host, engine),
        ]
    )


def test_a_sound_machine_has_nothing_wrong() -> None:
    assert all(line.startswith("good ") for line in look())


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        (replace(ENGINE, version="19.3.1"), "warning engine: 19.3.1"),
        (
            replace(ENGINE, version="20.10.24"),
            "good engine: 20.10.24 at unix:///run/docker.sock;",
        ),
        (replace(ENGINE, clock_skew_seconds=-90.4), "warning clock: the engine's clock is 90 s be"),
        (replace(ENGINE, warnings=("WARNING: No swap",)), "warning engine: No swap"),
        (replace(ENGINE, memory_bytes=GIB), "warning memory: the engine has 1.0 GiB in all"),
        (
            replace(ENGINE, operating_system="Docker Desktop"),
            "good bind mounts: shared with Docker Desktop's machine",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_engines(engine: EngineFactsFound, said: str) -> None:
    assert any(line.startswith(said) for line in look(engine=engine))


@pytest.mark.parametrize(
    ("host", "said"),
    [
        (replace(HOST, free_bytes={"/var/lib/docker": GIB // 8}), "failure disk: only 0.1 GiB"),
        (replace(HOST, free_bytes={"/var/lib/docker": 2 * GIB}), "warning disk: only 2.0 GiB"),
        (replace(HOST, memory_available_bytes=GIB // 8), "warning memory: only 0.1 GiB"),
        (replace(HOST, watches=400), "warning file watching: 400 watches"),
        (replace(HOST, instances=8), "warning file watching: only 524288 watches, 8"),
        (replace(HOST, filesystem="cifs"), "warning bind mounts: the project is on a network"),
        (
            replace(HOST, directory="/mnt/c/shop", kernel="5.15-microsoft-standard-WSL2"),
            "warning bind mounts: the project is on a Windows drive",
        ),
        (replace(HOST, file_milliseconds=4.2), "warning bind mounts: looking at one file"),
        (replace(HOST, nameservers=("127.0.0.1",)), "warning dns: the only name server is 127"),
        (
            replace(HOST, nameservers=("127.0.0.53",), resolved_nameservers=("10.0.0.1",)),
            "good dns: 10.0.0.1",
        ),
        (
            replace(HOST, proxy_variables=("HTTPS_PROXY",)),
            "warning proxy: HTTPS_PROXY of this shell is not handed on to builds",
        ),
        (
            replace(HOST, proxy_variables=("HTTPS_PROXY",), docker_proxies=True),
            "warning proxy: HTTPS_PROXY of this shell is not known to the engine",
        ),
        (replace(HOST, probes=(TlsProbe("r", resolved=False),)), "warning registry: the name r"),
        (replace(HOST, probes=(TlsProbe("r", connected=False),)), "warning registry: r cannot be"),
        (replace(HOST, probes=(TlsProbe("r", trusted=False),)), "warning tls: the certificate of"),
        (
            replace(HOST, probes=(TlsProbe("r", public=False, issuer="Corp"),)),
            "warning tls: TLS to r is opened on the way by 'Corp'",
        ),
        (replace(HOST, buildx=None), "failure buildx: not installed, and this engine has no"),
        (replace(HOST, buildx="0.12.0"), "failure buildx: 0.12.0, older than 0.17"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_machines(host: HostFacts, said: str) -> None:
    assert any(line.startswith(said) for line in look(host))


@pytest.mark.parametrize(
    ("host", "engine", "verdict"),
    [
        (HOST, ENGINE, Verdict.GOOD),
        (AWAY, ENGINE, Verdict.FAILURE),
        (AWAY, replace(ENGINE, is_local=False), Verdict.GOOD),
        (AWAY, replace(ENGINE, has_mirrors=True), Verdict.GOOD),
        (replace(AWAY, proxy_variables=("HTTPS_PROXY",)), ENGINE, Verdict.GOOD),
    ],
)
def test_an_image_that_cannot_be_fetched(
    host: HostFacts, engine: EngineFactsFound, verdict: Verdict
) -> None:
    found = list(judge_images(["redis:7"], host, engine, asked=True))
    assert [one.verdict for one in found] == [verdict]
    assert list(judge_images([], host, engine, asked=True)) == []


def test_what_is_not_known_is_not_said() -> None:
    bare = HostFacts("/x", buildx="0.29.1")
    assert words([*judge_room(bare, None), *judge_watching(bare), *judge_network(bare, None)]) == []


def test_an_older_engine_still_has_a_builder() -> None:
    old = replace(ENGINE, version="24.0.1")
    assert words(judge_builder(replace(HOST, buildx=None), old, ["app"]))[0].startswith("warning")
    assert words(judge_builder(replace(HOST, buildx=None), ENGINE, []))[0].startswith("good")


def test_small_readings() -> None:
    assert parse_numbers("github.com/docker/buildx v0.29.1 abc") == (0, 29, 1)
    assert parse_numbers("none") is None
    assert find_registry("postgres:16") == find_registry("shop/app") == "registry-1.docker.io"
    assert find_registry("ghcr.io/a/b:1") == "ghcr.io"
    assert find_registry("localhost:5000/a") == "localhost:5000"
    mounts = "/dev/a / ext4 rw 0 0\nhost:/x /home/ann nfs4 rw 0 0\nd /home/annex\\040b 9p rw 0 0\n"
    assert find_mount(mounts, "/home/ann/shop") == "nfs4"
    assert find_mount(mounts, "/home/annex b/x") == "9p"
    assert find_mount(mounts, "/srv") == "ext4"
    assert find_mount("", "/srv") == ""
