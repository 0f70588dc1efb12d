"""What `up` refuses before it starts anything: taken ports, volumes that Compose would drop."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Any

import pytest

from tests.engine.project import Project, free_port, sleeper


def test_port_taken_by_a_process(project: Project) -> None:
    with socket.socket() as holder:
        holder.bind(("0.0.0.0", 0))
        holder.listen()
        port = holder.getsockname()[1]
        project.write_compose({"web": sleeper(ports=[f"{port}:80"]), "db": sleeper()})
        said = project.up(code=1)
        assert str(port) in said
        assert str(os.getpid()) in said
        assert not project.containers()
        assert str(port) in project.run("up", "--dry-run", code=1).stdout
    project.up()
    assert project.running_services() == {"web", "db"}


def test_a_port_of_a_range_is_free(make_project: Callable[[str], Project]) -> None:
    port = free_port()
    first, second = make_project("first"), make_project("second")
    first.write_compose({"web": sleeper(ports=[f"{port}:80"])})
    second.write_compose({"web": sleeper(ports=[f"{port}-{port + 3}:80"])})
    first.up()
    second.up()
    assert second.running_services() == {"web"}


def test_another_address_is_no_hindrance(project: Project) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        project.write_compose({"web": sleeper(ports=[f"127.0.0.2:{port}:80"])})
        project.up()
        assert project.running_services() == {"web"}


@pytest.mark.parametrize("address", ["0.0.0.0", "::1"], ids=["udp", "ipv6"])
def test_port_of_another_kind_taken(project: Project, address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    protocol = "tcp" if ":" in address else "udp"
    with socket.socket(family, socket.SOCK_STREAM if ":" in address else socket.SOCK_DGRAM) as held:
        held.bind((address, 0))
        if protocol == "tcp":
            held.listen()
        port = held.getsockname()[1]
        where = f"[{address}]:" if ":" in address else ""
        project.write_compose({"web": sleeper(ports=[f"{where}{port}:80/{protocol}"])})
        said = project.up(code=1)
        assert f"Port {port}/{protocol}, which web publishes, is taken by" in said
        assert f"(process {os.getpid()})" in said
        assert not project.containers()


def test_port_taken_by_a_container(make_project: Callable[[str], Project]) -> None:
    port = free_port()
    first, second = make_project("first"), make_project("second")
    for project in (first, second):
        project.write_compose({"web": sleeper(ports=[f"{port}:80"])})
    first.up()
    said = second.up(code=1)
    assert first.name in said
    assert str(port) in said
    assert not second.containers()
    first.up()  # the own port is no conflict


@pytest.mark.parametrize(
    ("before", "after", "difference"),
    [
        ({"labels": {"keep": "one"}}, {"labels": {"keep": "two"}}, "two"),
        (
            {"driver_opts": {"type": "tmpfs", "device": "tmpfs", "o": "size=1m"}},
            {"driver_opts": {"type": "tmpfs", "device": "tmpfs", "o": "size=2m"}},
            "size=2m",
        ),
    ],
    ids=["labels", "driver_opts"],
)
def test_changed_volume_is_kept(
    project: Project, before: dict[str, Any], after: dict[str, Any], difference: str
) -> None:
    web = sleeper(volumes=["data:/data"])
    project.write_compose({"web": web}, volumes={"data": before})
    project.up()
    project.run("exec", "web", "sh", "-c", "echo precious > /data/file")
    ids, volume = project.ids(), project.volume("data")
    project.write_compose({"web": web}, volumes={"data": after})
    said = project.up(code=1)
    assert difference in said
    assert f"{project.name}_data" in said
    assert project.volume("data") == volume
    assert project.ids() == ids
    assert "precious" in project.run("exec", "web", "cat", "/data/file").stdout
