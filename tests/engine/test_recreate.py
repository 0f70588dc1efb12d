"""A container recreated by the Engine API is the one that Compose would have made."""

from __future__ import annotations

import asyncio
import json
import subprocess
from typing import Any

import pytest

from devenv.engine.api import ApiError
from devenv.engine.compose import find_compose
from devenv.engine.recreate import Recreated, recreate_service
from tests.engine.project import BASE, Project

DOCKERFILE = f"""\
FROM {BASE}
ENV FROM_IMAGE=%(n)s SHARED=image
LABEL image-label=%(n)s
VOLUME /of-image
EXPOSE 70%(n)s
WORKDIR /work%(n)s
STOPSIGNAL SIGINT
HEALTHCHECK --interval=7s --retries=%(n)s CMD true
RUN mkdir -p /app/node_modules /data /of-image && echo %(n)s > /app/node_modules/version
CMD ["sleep", "60%(n)s"]
"""
APP: dict[str, Any] = {
    "build": {"context": ".", "args": {"A": "1"}},
    "init": True,
    "environment": {"SHARED": "compose", "DOLLAR": "a$$b", "UNSET": None, "EMPTY": ""},
    "labels": {"own": "x", "image-label": "mine"},
    "ports": ["127.0.0.1::80"],
    "expose": ["9000"],
    "volumes": [
        "/app/node_modules",
        "/data",
        "named:/named:ro",
        "./src:/src:ro",
        {"type": "tmpfs", "target": "/scratch", "tmpfs": {"size": 1000000}},
    ],
    "networks": {"default": None, "back": {"aliases": ["other-name"], "priority": 10}},
    "cap_add": ["NET_ADMIN"],
    "mem_limit": "64m",
    "ulimits": {"nofile": 1000},
    "extra_hosts": ["somewhere=10.0.0.1"],
    "restart": "unless-stopped",
    "read_only": True,
    "stop_grace_period": "3s",
    "healthcheck": {"interval": "5s"},
    "secrets": ["token"],
    "sysctls": {"net.core.somaxconn": 512},
    "logging": {"driver": "json-file", "options": {"max-size": "1m"}},
    "hostname": "host-of-app",
    "links": ["db:database"],
}


def write(project: Project, **more: Any) -> None:
    project.write("Dockerfile", DOCKERFILE % {"n": "1"})
    project.write("src/a", "a")
    project.write("token.txt", "secret")
    project.write_compose(
        {"app": {**APP, **more}, "db": {"image": BASE, "init": True, "command": ["sleep", "600"]}},
        volumes={"named": None},
        networks={"back": None},
        secrets={"token": {"file": "./token.txt"}},
    )


def compose(project: Project, *words: str) -> str:
    argv = find_compose(project.environ).argv(*words)
    done = subprocess.run(
        argv,
        cwd=project.directory,
        env=project.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def recreate(project: Project, **options: Any) -> Recreated:
    document = json.loads(compose(project, "config", "--format", "json"))
    hashes = dict(
        line.split() for line in compose(project, "config", "--hash", "*").splitlines() if line
    )
    return asyncio.run(
        recreate_service(
            project.client,
            document,
            "app",
            config_hash=hashes["app"],
            stop_seconds=2,
            renew=lambda target: target.endswith("node_modules"),
            **options,
        )
    )


def inside(project: Project, *words: str) -> str:
    argv = ("docker", "exec", project.ids()["app"], *words)
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()


def portrait(project: Project) -> dict[str, Any]:
    """All that the engine says of the container but what differs from one to the next."""
    raw = project.containers()["app"]
    config, host = raw["Config"], raw["HostConfig"]
    config.pop("Image")
    labels = config.pop("Labels")
    labels = {k: v for k, v in labels.items() if not k.endswith((".replace", ".image"))}
    mounts = host.pop("Mounts")
    host["Binds"] = sorted(host["Binds"] or ())  # Compose writes them in any order
    own = raw["Id"][:12]
    networks = {
        name: (
            sorted(a for a in e["Aliases"] if a != own),
            e["Links"],
            e["IPAMConfig"] or None,
            e["DriverOpts"],
        )
        for name, e in raw["NetworkSettings"]["Networks"].items()
    }
    found = {
        "config": {**config, "Env": sorted(config["Env"])},
        "labels": labels,
        "host": host,
        "asked": sorted((m["Target"], m["Type"], m.get("ReadOnly")) for m in mounts),
        "mounts": sorted((m["Destination"], m["Type"], m["RW"]) for m in raw["Mounts"]),
        "networks": networks,
        "name": raw["Name"],
        "state": raw["State"]["Status"],
    }
    text = json.dumps(found).replace(project.name, "PROJECT")
    shown: dict[str, Any] = json.loads(text.replace(str(project.directory), "DIRECTORY"))
    return shown


def volumes(project: Project) -> dict[str, str]:
    found = project.containers()["app"]["Mounts"]
    return {m["Destination"]: m["Name"] for m in found if m["Type"] == "volume"}


@pytest.mark.parametrize("change", [{}, {"entrypoint": ["sleep"], "command": ["700"]}])
def test_it_is_what_compose_would_have_made(project: Project, change: dict[str, Any]) -> None:
    write(project, **change)
    compose(project, "up", "--detach", "--build")
    first = project.ids()
    kept = volumes(project)
    project.write("Dockerfile", DOCKERFILE % {"n": "2"})
    compose(project, "build", "app")

    done = recreate(project)
    assert done.why_not is None and done.renewed == ("/app/node_modules",)
    ours = portrait(project)
    now = volumes(project)
    assert now.pop("/app/node_modules") != kept.pop("/app/node_modules")
    assert now == kept
    assert inside(project, "cat", "/app/node_modules/version") == "2"
    assert project.ids()["db"] == first["db"]
    # Compose finds nothing to do about it.
    ids = project.ids()
    compose(project, "up", "--detach", "--no-build")
    assert project.ids() == ids != first
    again = recreate(project)
    assert again.container_ids == () and again.why_not is None

    compose(project, "up", "--detach", "--no-build", "--force-recreate")
    assert ours == portrait(project)
    assert recreate(project, always=True).container_ids
    assert ours == portrait(project)


def test_what_the_engine_refuses_leaves_the_old_one_as_it_runs(project: Project) -> None:
    kept = project.directory / "kept"
    kept.mkdir()
    mount = {"type": "bind", "source": "./kept", "target": "/kept"}
    write(project, volumes=[{**mount, "bind": {"create_host_path": False}}])
    compose(project, "up", "--detach", "--build")
    before = project.containers()["app"]
    project.write("Dockerfile", DOCKERFILE % {"n": "2"})
    compose(project, "build", "app")
    kept.rmdir()
    with pytest.raises(ApiError, match="bind source path does not exist"):
        recreate(project)
    now = project.containers()["app"]
    assert (now["Id"], now["Name"]) == (before["Id"], before["Name"])
    assert now["State"]["Running"]
    kept.mkdir()
    assert recreate(project).container_ids


def test_what_it_cannot_do_right_is_left_to_compose(project: Project) -> None:
    write(project)
    compose(project, "up", "--detach", "--build")
    ids = project.ids()
    document = json.loads(compose(project, "config", "--format", "json"))
    client = project.client

    def ask(config_hash: str | None = "another") -> str | None:
        return asyncio.run(
            recreate_service(
                client, document, "app", config_hash=config_hash, stop_seconds=1, always=True
            )
        ).why_not

    assert ask() == "its configuration is another one"
    document["services"]["db"]["network_mode"] = "service:app"
    assert ask() == "db shares it"
    del document["services"]["db"]["network_mode"]
    document["services"]["app"]["post_start"] = [{"command": ["true"]}]
    assert ask() == "post_start"
    del document["services"]["app"]["post_start"]
    document["secrets"]["token"] = {"environment": "HOME"}
    assert ask() == "secrets"
    assert project.ids() == ids


def test_a_start_that_fails_says_why(project: Project) -> None:
    write(project, restart="no", init=False)
    compose(project, "up", "--detach", "--build")
    project.write("Dockerfile", (DOCKERFILE % {"n": "2"}) + 'CMD ["/not-there"]\n')
    compose(project, "build", "app")
    with pytest.raises(Exception, match="not-there"):
        recreate(project)
    # As after Compose: the new one is there under the service's name, and has not run.
    assert project.containers()["app"]["Name"] == f"/{project.name}-app-1"
    assert project.containers()["app"]["State"]["Status"] == "created"
