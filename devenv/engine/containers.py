"""The engine's JSON of a container to a `Container`. Pure."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from devenv.compose.names import ServiceName
from devenv.state.containers import Container, ContainerId, Health, Probe, PublishedPort
from devenv.state.text import sanitize

LABEL_PROJECT = "com.docker.compose.project"
LABEL_SERVICE = "com.docker.compose.service"
LABEL_NUMBER = "com.docker.compose.container-number"
LABEL_ONEOFF = "com.docker.compose.oneoff"
LABEL_HASH = "com.docker.compose.config-hash"
LABEL_DIRECTORY = "com.docker.compose.project.working_dir"
LABEL_FILES = "com.docker.compose.project.config_files"
PROBE_OUTPUT_CHARACTERS = 400
"""How much of a failing probe's output is kept: its end."""


def parse_time(text: str | None) -> float | None:
    """Seconds since the epoch; None for the engine's zero time."""
    if not text or text.startswith("0001-"):
        return None
    head, dot, rest = text.partition(".")
    if dot:
        digits = rest.rstrip("Z").split("+")[0].split("-")[0]
        zone = rest[len(digits) :]
        text = f"{head}.{digits[:6]}{zone}"
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None


def parse_container(raw: Mapping[str, Any], *, stopped: bool | None = None) -> Container | None:
    """The container that `GET /containers/{id}/json` describes.

    None for one that is no service's: no Compose label, or a one-off of `run`.
    """
    config = raw.get("Config") or {}
    labels = config.get("Labels") or {}
    service = labels.get(LABEL_SERVICE)
    if not service or labels.get(LABEL_ONEOFF) == "True":
        return None
    state = raw.get("State") or {}
    probing = state.get("Health") or {}
    health = probing.get("Status") or "none"
    if health == Health.UNHEALTHY and probing.get("FailingStreak") == 0:
        # What the engine says of one that was paused, until its next probe: none has failed.
        health = Health.STARTING
    return Container(
        id=ContainerId(raw["Id"]),
        service=ServiceName(service),
        name=(raw.get("Name") or "").removeprefix("/"),
        number=int(labels.get(LABEL_NUMBER) or 1),
        state=state.get("Status") or "created",
        health=Health(health),
        exit_code=state.get("ExitCode"),
        oom_killed=bool(state.get("OOMKilled")),
        stopped=stopped,
        restart_count=int(raw.get("RestartCount") or 0),
        memory_limit_bytes=int((raw.get("HostConfig") or {}).get("Memory") or 0),
        started_at=parse_time(state.get("StartedAt")),
        finished_at=parse_time(state.get("FinishedAt")),
        ports=parse_ports((raw.get("NetworkSettings") or {}).get("Ports") or {}),
        image=config.get("Image") or "",
        config_hash=labels.get(LABEL_HASH) or "",
        tty=bool(config.get("Tty")),
        created_at=parse_time(raw.get("Created")),
        probes=parse_probes(raw),
    )


def parse_probes(raw: Mapping[str, Any]) -> tuple[Probe, ...]:
    """The health log of an inspected container, oldest first; output of failing probes only."""
    probes = []
    for entry in ((raw.get("State") or {}).get("Health") or {}).get("Log") or ():
        started, ended = parse_time(entry.get("Start")), parse_time(entry.get("End"))
        if started is None or ended is None:
            continue
        code = int(entry.get("ExitCode") or 0)
        output = sanitize(str(entry.get("Output") or "").strip()) if code else ""
        probes.append(Probe(started, ended, code, output[-PROBE_OUTPUT_CHARACTERS:]))
    return tuple(probes)


def parse_stop_signal(raw: Mapping[str, Any]) -> int:
    """The number of the signal that asks an inspected container to stop."""
    said = str((raw.get("Config") or {}).get("StopSignal") or "SIGTERM")
    if said.isdigit():
        return int(said)
    number = getattr(signal, f"SIG{said.upper().removeprefix('SIG')}", signal.SIGTERM)
    return int(number)


def parse_ports(raw: Mapping[str, Any]) -> tuple[PublishedPort, ...]:
    """The published ports in the engine's `Ports` object, sorted by host port."""
    ports = []
    for key, bindings in raw.items():
        target, _, protocol = key.partition("/")
        for binding in bindings or ():
            ports.append(
                PublishedPort(
                    binding.get("HostIp") or "0.0.0.0",
                    int(binding["HostPort"]),
                    int(target),
                    protocol or "tcp",
                )
            )
    return tuple(sorted(ports, key=lambda port: (port.host_port, port.host_ip)))


def parse_health_output(raw: Mapping[str, Any]) -> tuple[int, str] | None:
    """Exit code and output of the last health probe of an inspected container."""
    log = ((raw.get("State") or {}).get("Health") or {}).get("Log") or []
    if not log:
        return None
    return int(log[-1].get("ExitCode", 0)), str(log[-1].get("Output") or "").strip()
