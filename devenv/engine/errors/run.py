"""What went wrong while containers were made and started."""

from __future__ import annotations

import re

from devenv.engine.context import DEFAULT_SOCKET
from devenv.engine.errors.build import find_build_fault
from devenv.engine.errors.kinds import DependencyFailed, PortAllocated
from devenv.engine.errors.pull import find_pull_fault
from devenv.engine.errors.text import tail
from devenv.engine.unavailable import permission_denied
from devenv.errors import CommandFailed, DevenvError, EngineUnavailable

_POOLS_USED_UP = (
    r"could not find an available, non-overlapping IPv[46] address pool"  # Engine 20.10
    r"|all predefined address pools have been fully subnetted"  # Engine 26 and later
)


def find_run_fault(argv: tuple[str, ...], returncode: int, text: str) -> DevenvError | None:
    """What only a run says: ports, dependencies, builds, pulls."""
    end = tail(text)
    if (found := re.search(r"Bind for \S*?:(\d+) failed: port is already allocated", text)) or (
        found := re.search(
            r"(?:listen tcp\d? |exposing port \w+ |bind host port )\S*?:(\d+)\b"
            r".*address already in use",
            text,
        )
    ):
        taken = PortAllocated(
            argv,
            returncode,
            end,
            message=f"The host port {found[1]} is taken already.",
            fix=f"stop what uses it (`docker ps --filter publish={found[1]}`, "
            f"`ss -ltnp 'sport = :{found[1]}'`), or publish another host port.",
        )
        taken.port = int(found[1])
        return taken
    if found := re.search(r"unable to find (user|group) (\S+): no matching entries", text):
        began = dict.fromkeys(re.findall(r"Container (\S+?)\s+Starting", text))
        open_ = [one for one in began if not re.search(rf"{re.escape(one)}\s+Started", text)]
        who = open_[0] if len(open_) == 1 else "a container"
        return CommandFailed(
            argv,
            returncode,
            end,
            message=f"The image of {who} has no {found[1]} {found[2]}, as which it would run.",
            fix=f"correct `user:` of the service, or use an image that has {found[2]}.",
        )
    if re.search(_POOLS_USED_UP, text):
        return CommandFailed(
            argv,
            returncode,
            end,
            message="The engine has no addresses left for another network: each environment takes "
            "one of its address pools, and there are about 30.",
            fix="devenv gc removes environments whose branch or worktree is gone, devenv down the "
            "networks of one, `docker network prune` those that nothing uses; more and smaller "
            "pools: default-address-pools in the engine's daemon.json.",
        )
    if re.search(r"removal of container \S+ is already in progress", text):
        return CommandFailed(
            argv,
            returncode,
            end,
            message="Another command changes this environment's containers at the same time.",
            fix="wait until it has ended, then run this one again.",
        )
    if found := re.search(
        r"dependency failed to start: container (\S+) "
        r"(is unhealthy|exited \((\d+)\)|has no healthcheck configured)",
        text,
    ):
        return _dependency(argv, returncode, end, found[1], found[2], found[3])
    if found := re.search(r'service "(\S+)" didn\'t complete successfully: exit (\d+)', text):
        return _dependency(argv, returncode, end, found[1], f"exited ({found[2]})", found[2])
    return find_build_fault(argv, returncode, text) or find_pull_fault(argv, returncode, text)


def _dependency(
    argv: tuple[str, ...], returncode: int, end: str, name: str, said: str, code: str | None
) -> DependencyFailed:
    fix = f"read its output: `docker logs {name}`."
    reason = "exited"
    if "unhealthy" in said:
        reason = "unhealthy"
        show = f"docker inspect -f '{{{{json .State.Health}}}}' {name}"
        fix = f"read the health check's output: `{show}`."
    elif "no healthcheck" in said:
        reason = "missing healthcheck"
        fix = "add a healthcheck, or wait for service_started."
    failed = DependencyFailed(
        argv, returncode, end, message=f"{name} {said}, and others wait for it.", fix=fix
    )
    failed.container, failed.reason = name, reason
    failed.exited_with = int(code) if code else None
    return failed


def find_engine_fault(text: str) -> EngineUnavailable | None:
    """Why Compose reached no engine."""
    if re.search(r"permission denied while trying to connect to the docker", text, re.I):
        socket = re.search(r"dial unix (\S+?): connect: permission denied", text)
        return permission_denied(socket[1] if socket else DEFAULT_SOCKET)
    if found := re.search(r'context "([^"]+)": context not found', text):
        return EngineUnavailable(
            f"The Docker context {found[1]!r} does not exist.",
            fix="list the contexts with `docker context ls`.",
        )
    if re.search(r"Cannot connect to the Docker daemon|failed to connect to the docker API", text):
        place = re.search(r"(?:Docker daemon|docker API) at (\S+?)[.;]?(?:\s|$)", text)
        return EngineUnavailable(
            f"No Docker engine answers{f' at {place[1]}' if place else ''}.",
            fix="start Docker: `sudo systemctl start docker`, or open Docker Desktop.",
            excerpt=tail(text),
        )
    return None
