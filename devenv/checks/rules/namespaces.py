"""What the engine refuses about shared networks, processes and restarts, though Compose takes it.

Spec: moby/moby runconfig/hostconfig*.go and daemon/container.go, checked on engine 20.10.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from devenv.checks.edges import selected_services
from devenv.checks.facts import CheckedProfile, Facts
from devenv.checks.finding import Fault, Related, Severity
from devenv.checks.places import place_of
from devenv.checks.registry import check
from devenv.compose.names import ServiceName

_WITH_ANOTHER_CONTAINER = ("ports", "expose", "links", "hostname", "extra_hosts", "dns")
_POLICIES = ("no", "always", "unless-stopped", "on-failure")


@check(
    "network-mode-conflict",
    Severity.ERROR,
    "compose-spec 05-services.md#network_mode; measured: refused by the engine, not by config",
)
def network_mode_conflict(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A service's `network_mode` rules out another of its keys.

    A service in the network of another one (`service:NAME`, `container:NAME`) shares its address,
    so it cannot publish or expose ports, and has no links, host name, `extra_hosts` or `dns` of
    its own. With `host` there are no links; with `bridge` only links to services there.
    `docker compose config` takes all of these, and `up` fails.

    Wrong:

        services:
          app:
            network_mode: service:vpn
            ports: ["8080:80"]
          vpn: {}

    Right:

        services:
          app:
            network_mode: service:vpn
          vpn:
            ports: ["8080:80"]

    Measured: With Compose 5.6.1 and Engine 20.10.24 `docker compose config` passes and the engine
    refuses the container. See tests/corpus/order.
    """
    services = selected_services(profile)
    raws = _documents(profile)
    for name, service in services.items():
        raw = raws.get(name) or {}
        mode = str(raw.get("network_mode") or "")
        if not service.replicas:
            continue
        if mode.startswith(("service:", "container:")):
            keys = [key for key in _WITH_ANOTHER_CONTAINER if raw.get(key)]
        elif mode == "host" or (mode == "bridge" and _links_elsewhere(raw, raws)):
            keys = ["links"] if raw.get("links") else []
        else:
            keys = []
        for key in keys:
            yield Fault(
                f"{name} has network_mode: {mode}, which rules out {key}.",
                place_of(profile, "services", name, key),
                service=name,
                fix=_mode_fix(mode, key),
                related=(
                    Related(
                        place_of(profile, "services", name, "network_mode"), "the network mode"
                    ),
                ),
            )


def _documents(profile: CheckedProfile) -> Mapping[str, Mapping[str, Any]]:
    return (profile.model.document.get("services") or {}) if profile.model else {}


def _links_elsewhere(raw: Mapping[str, Any], raws: Mapping[str, Mapping[str, Any]]) -> bool:
    names = [str(link).partition(":")[0] for link in raw.get("links") or ()]
    return any((raws.get(name) or {}).get("network_mode") != "bridge" for name in names)


def _mode_fix(mode: str, key: str) -> str:
    owner = mode.partition(":")[2]
    if owner and key != "links":
        return f"move {key} to {owner}, whose network it is"
    return f"take {key} out: services reach each other by name in a network of the project"


@check(
    "ipc-not-shareable",
    Severity.ERROR,
    "compose-spec 05-services.md#ipc; measured: refused by the engine, not by config",
)
def ipc_not_shareable(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A service joins the shared memory of another one that does not share it.

    The engine makes each container's shared memory private unless it has `ipc: shareable` (or
    `host`), and refuses the one that wants to join it.

    Wrong:

        services:
          app:
            ipc: service:db
          db: {}

    Right:

        services:
          app:
            ipc: service:db
          db:
            ipc: shareable

    Measured: With Compose 5.6.1 and Engine 20.10.24 `docker compose config` passes and the engine
    refuses the second container. See tests/corpus/order.
    """
    services = selected_services(profile)
    raws = _documents(profile)
    for name, service in services.items():
        kind, _, target = str((raws.get(name) or {}).get("ipc") or "").partition(":")
        other = services.get(ServiceName(target))
        if kind != "service" or other is None or not other.replicas or not service.replicas:
            continue
        mode = str((raws.get(target) or {}).get("ipc") or "private")
        if mode in ("private", "none"):
            yield Fault(
                f"{name} joins the shared memory of {target}, which is private.",
                place_of(profile, "services", name, "ipc"),
                service=name,
                fix=f"ipc: shareable for {target}",
                related=(Related(place_of(profile, "services", target), f"{target} is here"),),
            )


@check(
    "restart-invalid",
    Severity.ERROR,
    "compose-spec 05-services.md#restart; measured: refused by the engine, not by config",
)
def restart_invalid(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A service's `restart` is no policy that the engine knows.

    `no`, `always`, `unless-stopped`, `on-failure` and `on-failure:COUNT` are all there is. Compose
    hands any text on, and the engine refuses to create the container.

    Wrong:

        services:
          app:
            restart: on_failure

    Right:

        services:
          app:
            restart: on-failure

    Measured: With Compose 5.6.1 and Engine 20.10.24 `docker compose config` passes and the engine
    refuses the container. See tests/corpus/order.
    """
    raws = _documents(profile)
    for name, service in selected_services(profile).items():
        raw = raws.get(name) or {}
        if (raw.get("deploy") or {}).get("restart_policy") is not None or not service.replicas:
            continue
        policy, _, count = service.restart.partition(":")
        if policy not in _POLICIES:
            why = "is none that the engine knows"
        elif policy != "on-failure" and count.isdigit() and int(count):
            why = f"takes no count ({policy})"
        else:
            continue  # Compose drops a count that is no number
        yield Fault(
            f"The restart policy of {name} {why}.",
            place_of(profile, "services", name, "restart"),
            service=name,
            fix="one of no, always, unless-stopped, on-failure, on-failure:COUNT",
        )
