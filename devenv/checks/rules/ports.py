"""Host ports: who else wants them, and who goes on using the old ones."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from devenv.checks.edges import selected_services
from devenv.checks.facts import CheckedProfile, Facts
from devenv.checks.finding import Fault, Related, Severity
from devenv.checks.published import WrittenPort, find_written_ports, place_of_port
from devenv.checks.registry import check
from devenv.checks.variables import find_variable
from devenv.compose.interpolation import parse_template
from devenv.compose.model import Port, Service

_EVERY_ADDRESS = ("0.0.0.0", "::")


@check("port-conflict", Severity.ERROR, "measured: docker compose config does not look")
def port_conflict(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """Two services of one selection publish the same host port.

    `docker compose config` passes; `up` starts one of them, fails at the other, and leaves the
    rest as it was. An address of its own does not help beside `0.0.0.0`. A service with several
    replicas and a fixed host port conflicts with itself.

    Wrong:

        services:
          app: {image: example/app:1, ports: ["8080:80"]}
          admin: {image: example/admin:1, ports: ["8080:3000"]}

    Right:

        services:
          app: {image: example/app:1, ports: ["8080:80"]}
          admin: {image: example/admin:1, ports: ["8081:3000"]}

    Measured: With Compose 5.6.1 and Engine 20.10.24 `docker compose config` passes, and `up` fails
    half-way with "port is already allocated", for one service that publishes it twice too. With an
    address of IPv4 and one of IPv6, or with TCP and UDP, both are published.
    """
    published = [
        (place_of_port(profile, facts, service, port), service, port)
        for service in selected_services(profile).values()
        for port in (
            service.ports if service.replicas and not _has_no_own(profile, service) else ()
        )
        if port.published and "-" not in port.published
    ]
    written = [layer.path for layer in profile.layers.layers]
    published.sort(key=lambda one: (_index(written, one[0].path), one[0].line or 0))
    for at, (place, service, port) in enumerate(published):
        if service.replicas > 1:
            yield Fault(
                f"{service.name} has {service.replicas} replicas, and only one of them can "
                f"have host port {port.published}.",
                place,
                service=service.name,
                fix="publish a range, or let the engine choose the host port",
            )
        for earlier_place, other, earlier in published[:at]:
            if not _meet(port, earlier):
                continue
            message = f"{service.name} and {other.name} both publish host port {port.published}."
            if other.name == service.name:
                message = f"{service.name} publishes host port {port.published} twice."
            yield Fault(
                message,
                place,
                service=service.name,
                fix=f"give one of them another host port than {port.published}",
                related=(Related(earlier_place, f"{other.name} has it"),),
            )


def _has_no_own(profile: CheckedProfile, service: Service) -> bool:
    """Whether the container has no network of its own, so that the engine publishes nothing."""
    assert profile.model is not None
    raw = (profile.model.document.get("services") or {}).get(service.name) or {}
    return raw.get("network_mode") in ("host", "none")


def _index(paths: Sequence[str], path: str) -> int:
    return paths.index(path) if path in paths else -1


def _meet(one: Port, other: Port) -> bool:
    if (one.published, one.protocol) != (other.published, other.protocol):
        return False
    first, second = one.host_ip, other.host_ip
    if first is None or second is None or first == second:
        return True
    if (":" in first) != (":" in second):
        return False
    return first in _EVERY_ADDRESS or second in _EVERY_ADDRESS


@check("ports-appended", Severity.WARNING, "compose-spec 13-merge.md; measured")
def ports_appended(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """An override file adds a host port that it seems to mean to replace.

    Lists are joined when files are merged, so both host ports are published. `!override`
    replaces the list.

    Wrong:

        # compose.yaml
        services: {db: {image: "postgres:16", ports: ["5432:5432"]}}
        # compose.override.yaml
        services: {db: {ports: ["5433:5432"]}}

    Right:

        # compose.override.yaml
        services: {db: {ports: !override ["5433:5432"]}}

    Measured: `docker compose config` 5.6.1 shows both ports, and both are published; only
    `!override` and `!reset` replace a list.
    """
    for name, service in selected_services(profile).items():
        published = {
            (port.target, port.protocol, port.published)
            for port in service.ports
            if port.published and "-" not in port.published
        }
        first: dict[tuple[int, str], WrittenPort] = {}
        for written in find_written_ports(profile, facts, name):
            port = written.port
            key = (port.target, port.protocol)
            if (*key, port.published) not in published:
                continue  # no host port, or one that a stronger list replaced
            earlier = first.setdefault(key, written)
            if earlier.layer == written.layer or _is_same(earlier.port, port):
                continue
            yield Fault(
                f"{name} publishes container port {port.target} twice: this list is added to "
                "the one below it and does not replace it.",
                written.place,
                service=name,
                fix="ports: !override [...]",
                related=(Related(earlier.place, "the port that stays published"),),
            )


def _is_same(one: Port, other: Port) -> bool:
    return (one.published, one.host_ip) == (other.published, other.host_ip)


_LOCAL_ADDRESS = re.compile(
    r"(?<![\w.@-])(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\]|host\.docker\.internal)"
    r":(?P<port>\d{1,5})(?!\d)",
    re.I,
)
_LISTENS = re.compile(r"LISTEN|BIND", re.I)


@check("fixed-address", Severity.WARNING, "devenv.toml: [isolation] ports")
def fixed_address(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A variable names `localhost` with a host port of this project.

    With `[isolation] ports = "offset"` a second environment publishes other host ports, and the
    address goes on leading to the first one: a browser or a tool talks to the wrong environment.
    Without that setting it is information only.

    Wrong:

        services:
          web:
            image: example/web:1
            ports: ["8080:80"]
            environment:
              PUBLIC_URL: http://localhost:8080

    Right:

        services:
          web:
            image: example/web:1
            ports: ["${WEB_PORT:-8080}:80"]
            environment:
              PUBLIC_URL: http://localhost:${WEB_PORT:-8080}

    Measured: The port is compared with the host ports that `docker compose config` shows. Quiet
    where the address is filled in from a variable, and for variables that say what to listen at.
    """
    services = selected_services(profile)
    owners = {
        port.published: (service, port)
        for service in services.values()
        for port in service.ports
        if port.published and "-" not in port.published
    }
    for name, service in services.items():
        for variable, value in service.environment.items():
            if not value or _LISTENS.search(variable):
                continue
            for found in _LOCAL_ADDRESS.finditer(value):
                if found["port"] not in owners:
                    continue
                place, text = find_variable(profile, facts, name, variable)
                literal = [piece for piece in parse_template(text) if isinstance(piece, str)]
                if not any(found["port"] in piece for piece in literal):
                    break  # from a variable that can follow
                other, port = owners[found["port"]]
                yield Fault(
                    f"The variable {variable} of {name} names host port {found['port']} of "
                    f"{other.name}, which is another one in a second environment.",
                    place,
                    service=name,
                    fix=f"fill the port in from the variable that `ports` of {other.name} uses, "
                    f"or use http://{other.name}:{port.target} between containers",
                    severity=None if facts.moves_ports else Severity.INFO,
                    related=(
                        Related(
                            place_of_port(profile, facts, other, port),
                            f"{other.name} publishes it here",
                        ),
                    ),
                )
                break
