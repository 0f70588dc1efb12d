"""Text of `docker compose config --format json` to a `Project`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from devenv.compose.model import (
    Build,
    Condition,
    Dependency,
    Healthcheck,
    Port,
    Project,
    Service,
    Volume,
)
from devenv.compose.names import EnvironmentName, ServiceName

_UNIT_SECONDS = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": 86400.0,
    "w": 604800.0,
}
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d|w)")


def parse_duration(text: str) -> float:
    """Seconds of a duration such as `1m30s`; an empty or unreadable text is 0.

    Spec: compose-spec 11-extension.md#specifying-durations.
    """
    return sum(float(number) * _UNIT_SECONDS[unit] for number, unit in _DURATION_PART.findall(text))


def parse_project(text: str) -> Project:
    """The project in Compose's JSON.

    Raises ValueError where the text is not a JSON object, which Compose never prints.
    """
    document = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError("docker compose config did not print a JSON object")
    services = {
        ServiceName(name): _parse_service(ServiceName(name), raw or {})
        for name, raw in (document.get("services") or {}).items()
    }
    volumes = tuple(
        _parse_volume(key, raw or {}) for key, raw in (document.get("volumes") or {}).items()
    )
    return Project(EnvironmentName(document.get("name", "")), services, volumes, document)


def _parse_service(name: ServiceName, raw: Mapping[str, Any]) -> Service:
    deploy = raw.get("deploy") or {}
    replicas = raw.get("scale", deploy.get("replicas", 1))
    return Service(
        name=name,
        image=raw.get("image"),
        build=_parse_build(raw.get("build")),
        dependencies=_parse_dependencies(raw),
        healthcheck=_parse_healthcheck(raw.get("healthcheck")),
        ports=tuple(_parse_port(port) for port in raw.get("ports") or ()),
        profiles=tuple(raw.get("profiles") or ()),
        replicas=1 if replicas is None else int(replicas),
        restart=raw.get("restart") or "no",
        mounts=tuple(
            (mount.get("type", "volume"), mount.get("source") or "", mount.get("target", ""))
            for mount in raw.get("volumes") or ()
        ),
        environment=_parse_map(raw.get("environment")),
        command=_parse_words(raw.get("command")),
        entrypoint=_parse_words(raw.get("entrypoint")),
        container_name=raw.get("container_name"),
        pull_policy=raw.get("pull_policy") or "",
        user=str(raw.get("user") or ""),
    )


def _parse_map(raw: Mapping[str, Any] | None) -> dict[str, str | None]:
    return {key: None if value is None else str(value) for key, value in (raw or {}).items()}


def _parse_words(raw: Any) -> tuple[str, ...] | None:
    if raw is None:
        return None
    return (raw,) if isinstance(raw, str) else tuple(str(word) for word in raw)


def _parse_build(raw: Mapping[str, Any] | None) -> Build | None:
    if raw is None:
        return None
    contexts = _parse_map(raw.get("additional_contexts"))
    return Build(
        context=raw.get("context", "."),
        dockerfile=raw.get("dockerfile", "Dockerfile"),
        target=raw.get("target"),
        args=_parse_map(raw.get("args")),
        dockerfile_inline=raw.get("dockerfile_inline"),
        additional_contexts={name: value or "" for name, value in contexts.items()},
    )


def _parse_dependencies(raw: Mapping[str, Any]) -> tuple[Dependency, ...]:
    """Edges of a service; the ones that other keys imply come after `depends_on`'s own.

    Compose adds `links`, `volumes_from` and `service:` namespaces to `depends_on` itself when
    it loads a model; they are read here too for versions that do not.
    """
    edges: dict[str, Dependency] = {}
    for name, value in (raw.get("depends_on") or {}).items():
        edges[name] = Dependency(
            ServiceName(name),
            Condition(value.get("condition", Condition.STARTED)),
            bool(value.get("required", True)),
            bool(value.get("restart", False)),
        )
    for name, key in _implied_edges(raw):
        edges.setdefault(name, Dependency(ServiceName(name), implied_by=key))
    return tuple(edges.values())


def _implied_edges(raw: Mapping[str, Any]) -> list[tuple[str, str]]:
    implied = [(link.split(":")[0], "links") for link in raw.get("links") or ()]
    implied += [
        (source.split(":")[0], "volumes_from")
        for source in raw.get("volumes_from") or ()
        if not source.startswith("container:")
    ]
    for key in ("network_mode", "ipc", "pid"):
        value = raw.get(key) or ""
        if value.startswith("service:"):
            implied.append((value.removeprefix("service:"), key))
    return implied


def _parse_healthcheck(raw: Mapping[str, Any] | None) -> Healthcheck | None:
    """The check, or None where there is no effective one (no test, `NONE`, or disabled)."""
    if not raw or raw.get("disable"):
        return None
    test = raw.get("test") or ()
    if isinstance(test, str):
        test = ("CMD-SHELL", test)
    if not test or test[0] == "NONE":
        return None
    start_interval = raw.get("start_interval")
    return Healthcheck(
        test=tuple(test),
        interval_seconds=parse_duration(raw.get("interval") or "") or 30.0,
        timeout_seconds=parse_duration(raw.get("timeout") or "") or 30.0,
        retries=int(raw.get("retries") or 3),
        start_period_seconds=parse_duration(raw.get("start_period") or ""),
        start_interval_seconds=parse_duration(start_interval) if start_interval else None,
    )


def _parse_port(raw: Mapping[str, Any]) -> Port:
    published = raw.get("published")
    return Port(
        target=int(raw["target"]),
        published=str(published) if published not in (None, "", "0", 0) else None,
        host_ip=raw.get("host_ip") or None,
        protocol=raw.get("protocol") or "tcp",
    )


def _parse_volume(key: str, raw: Mapping[str, Any]) -> Volume:
    return Volume(
        key=key,
        name=raw.get("name") or key,
        driver=raw.get("driver") or "local",
        driver_opts={k: str(v) for k, v in (raw.get("driver_opts") or {}).items()},
        labels={k: str(v) for k, v in (raw.get("labels") or {}).items()},
        external=bool(raw.get("external")),
    )
