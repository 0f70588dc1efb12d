"""The `ports` of a service as they are written: each host port with its place.

The merged model says which ports are published; this finds where each of them stands, whatever
its form: short or long, a range, with an address, a protocol or variables.
Spec: compose-spec 05-services.md#ports.
"""

from __future__ import annotations

from collections.abc import Iterator

from yaml import Node

from devenv.checks.env_scan import scan_env
from devenv.checks.facts import CheckedProfile, Facts
from devenv.checks.finding import Place
from devenv.checks.places import place_of, to_place
from devenv.compose.env_scope import Scope
from devenv.compose.layers import child, items, scalar
from devenv.compose.model import Port, Service
from devenv.values import dataclass

_OVERRIDE = ("!override", "!reset")
_LONGEST_RANGE = 65536


@dataclass(frozen=True, slots=True)
class WrittenPort:
    """One host port, or one range of them for a single container port, and where it stands."""

    port: Port
    place: Place
    layer: int
    """The index of the list that it stands in; a later one is added to those before it."""


def find_written_ports(profile: CheckedProfile, facts: Facts, service: str) -> list[WrittenPort]:
    """What the files list under a service's `ports`, in merge order; `!override` drops the rest."""
    scan = scan_env(profile, facts)
    found: list[WrittenPort] = []
    lists = reversed(profile.layers.find_all("services", service, "ports"))
    for index, entry in enumerate(lists):
        if entry.value.tag in _OVERRIDE:
            found.clear()
        if entry.value.tag == "!reset":
            continue
        scope = scan.scope_of(entry.path)
        for node in items(entry.value):
            place = to_place(entry.path, node)
            found += [WrittenPort(port, place, index) for port in parse_port(node, scope)]
    return found


def place_of_port(profile: CheckedProfile, facts: Facts, service: Service, port: Port) -> Place:
    """Where a published port of the model is written; that of `ports` where it is not found."""
    written = find_written_ports(profile, facts, service.name)
    for one in reversed(written):
        same = (one.port.published, one.port.target, one.port.protocol)
        if same == (port.published, port.target, port.protocol) and (
            one.port.host_ip == port.host_ip
        ):
            return one.place
    return place_of(profile, "services", service.name, "ports")


def parse_port(node: Node, scope: Scope) -> Iterator[Port]:
    """The ports of one item, a range taken apart as Compose does; none for what cannot be read."""
    text = scalar(node)
    if text is not None:
        yield from _short(scope.interpolate(text).value.strip())
        return
    values = {}
    for key in ("target", "published", "host_ip", "protocol"):
        entry = child("", node, key)
        written = scalar(entry.value) if entry else None
        values[key] = scope.interpolate(written).value if written else ""
    yield from _ports(
        values["host_ip"], values["published"], values["target"], values["protocol"] or "tcp"
    )


def _short(text: str) -> Iterator[Port]:
    mapping, _, protocol = text.partition("/")
    parts = mapping.rsplit(":", 2)
    if mapping.startswith("["):
        address, _, rest = mapping[1:].partition("]")
        parts = [address, *rest.removeprefix(":").split(":")]
    target = parts[-1]
    published = parts[-2] if len(parts) > 1 else ""
    yield from _ports(parts[0] if len(parts) > 2 else "", published, target, protocol or "tcp")


def _ports(address: str, published: str, target: str, protocol: str) -> Iterator[Port]:
    targets, hosts = _range(target), _range(published)
    if targets is None:
        return
    if hosts is not None and len(hosts) == len(targets):
        pairs = [(one, str(host)) for one, host in zip(targets, hosts, strict=True)]
    elif len(targets) == 1:
        pairs = [(targets[0], published)]  # a range of which the engine takes one
    else:
        pairs = [(one, "") for one in targets]
    for one, host in pairs:
        fixed = host if host not in ("", "0") else None
        yield Port(one, fixed, address or None, protocol.lower())


def _range(text: str) -> range | None:
    first, dash, last = text.partition("-")
    if not first.isdecimal() or (dash and not last.isdecimal()):
        return None
    begin, end = int(first), int(last or first)
    return range(begin, end + 1) if 0 <= end - begin < _LONGEST_RANGE else None
