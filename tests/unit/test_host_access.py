"""What a model opens of the machine, and what is usual and none of that."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from devenv.compose.host_access import find_host_access
from tests.unit.projects import make_project

TOP = "/src/shop"


def _lines(service: dict[str, Any], **rest: Any) -> list[str]:
    project = make_project({"app": service}, **rest)
    return [one.line for one in find_host_access(project, TOP)]


def _bind(source: str, **more: Any) -> dict[str, Any]:
    return {"volumes": [{"type": "bind", "source": source, "target": "/x", **more}]}


@pytest.mark.parametrize(
    ("service", "key"),
    [
        ({"privileged": True}, "privileged"),
        ({"network_mode": "host"}, "network_mode"),
        ({"pid": "host"}, "pid"),
        ({"ipc": "host"}, "ipc"),
        ({"uts": "host"}, "uts"),
        ({"userns_mode": "host"}, "userns_mode"),
        ({"cgroup": "host"}, "cgroup"),
        ({"cgroup_parent": "/system.slice"}, "cgroup_parent"),
        ({"cap_add": ["SYS_ADMIN"]}, "cap_add"),
        ({"devices": [{"source": "/dev/kvm", "target": "/dev/kvm"}]}, "devices"),
        ({"devices": ["/dev/kvm:/dev/kvm"]}, "devices"),
        ({"device_cgroup_rules": ["c 1:3 mr"]}, "device_cgroup_rules"),
        ({"security_opt": ["seccomp:unconfined"]}, "security_opt"),
        ({"security_opt": ["label=disable"]}, "security_opt"),
        ({"use_api_socket": True}, "use_api_socket"),
        ({"provider": {"type": "evil"}}, "provider"),
        ({"volumes_from": ["container:other"]}, "volumes_from[0]"),
        ({"network_mode": "container:other"}, "network_mode"),
        ({"post_start": [{"command": ["x"], "privileged": True}]}, "post_start"),
        (_bind("/var/run/docker.sock"), "volumes[0]"),
        (_bind("/"), "volumes[0]"),
        (_bind("/src/shopping"), "volumes[0]"),
        (_bind("/src/shop/../other"), "volumes[0]"),
        ({"build": {"context": "/elsewhere"}}, "build.context"),
        ({"build": {"context": ".", "privileged": True}}, "build.privileged"),
        ({"build": {"context": ".", "ssh": ["default"]}}, "build.ssh"),
        ({"build": {"context": ".", "entitlements": ["network.host"]}}, "build.entitlements"),
        (
            {"build": {"context": ".", "additional_contexts": {"a": "/etc"}}},
            "build.additional_contexts.a",
        ),
    ],
)
def test_each_door(service: dict[str, Any], key: str) -> None:
    [line] = _lines(service)
    assert line.endswith(f"(services.app.{key})")


def test_what_development_usually_does_is_no_door() -> None:
    usual = {
        "image": "app",
        "build": {
            "context": TOP,
            "network": "host",
            "additional_contexts": {"base": "docker-image://x"},
        },
        "ports": [{"target": 80, "published": "8080"}],
        "volumes": [
            {"type": "bind", "source": TOP, "target": "/app"},
            {"type": "bind", "source": f"{TOP}/src", "target": "/app/src"},
            {"type": "volume", "source": "data", "target": "/data"},
            {"type": "tmpfs", "target": "/tmp"},
        ],
        "security_opt": ["no-new-privileges:true"],
        "cap_drop": ["ALL"],
        "network_mode": "service:db",
    }
    assert _lines(usual, volumes={"data": {"name": "shop_data"}}) == []


def test_volumes_secrets_and_configs_of_the_project() -> None:
    options = {"type": "none", "o": "bind", "device": "/etc"}
    lines = _lines(
        {"image": "x"},
        volumes={"data": {"driver_opts": options}},
        secrets={"key": {"file": "/root/.ssh/id"}, "own": {"file": f"{TOP}/key"}},
        configs={"c": {"file": "/etc/passwd"}},
    )
    assert lines == [
        "project: the volume data is /etc of this machine (volumes.data.driver_opts.device)",
        "project: reads /root/.ssh/id (secrets.key.file)",
        "project: reads /etc/passwd (configs.c.file)",
    ]


def test_reading_is_told_from_writing() -> None:
    assert "reads and writes /etc of" in _lines(_bind("/etc"))[0]
    assert "reads /etc of" in _lines(_bind("/etc", read_only=True))[0]


def test_a_link_that_leads_outside(tmp_path: Path) -> None:
    top = tmp_path / "shop"
    top.mkdir()
    (top / "link").symlink_to("/etc")
    (top / "inner").symlink_to(top)
    project = make_project({"a": _bind(f"{top}/link"), "b": _bind(f"{top}/inner")})
    [found] = find_host_access(project, str(top), os.path.realpath)
    assert found.line == (
        f"a: reads and writes /etc of this machine (through the link {top}/link) "
        "(services.a.volumes[0])"
    )
