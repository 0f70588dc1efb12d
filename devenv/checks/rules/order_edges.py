"""Edges of `depends_on` that cannot hold: cycles, services that are not there, or not active."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from difflib import get_close_matches

from devenv.checks.edges import edge_place, selected_services
from devenv.checks.facts import CheckedProfile, Facts
from devenv.checks.finding import Fault, Related, Severity
from devenv.checks.places import at_source, place_of
from devenv.checks.registry import check
from devenv.compose.graph import find_cycles
from devenv.compose.names import ServiceName
from devenv.compose.raw_graph import RawEdge, RawGraph, parse_raw_graph

_DEPENDS_ON = "compose-spec 05-services.md#depends_on"


@check(
    "dependency-cycle",
    Severity.ERROR,
    f"{_DEPENDS_ON}; measured: Compose looks at the active services alone",
    explains_refusal=True,
)
def dependency_cycle(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """Services wait for each other in a circle, so that none of them can be the first to start.

    `links`, `volumes_from` and `network_mode`, `ipc` or `pid: service:NAME` make a service wait
    as `depends_on` does, and `required: false` does not open a circle. Compose refuses a circle of
    active services; one with services of a Compose profile that is not active passes
    `docker compose config`, and breaks as soon as somebody uses that profile. Images that are
    built from each other (`additional_contexts`) pass too, and fail in `up`.

    Wrong:

        services:
          app:
            depends_on: [worker]
          worker:
            depends_on: [app]

    Right:

        services:
          app:
            depends_on: [queue]
          worker:
            depends_on: [queue]
          queue: {}

    Measured: `docker compose config` 5.6.1 looks at the active services alone, and `up` refuses the
    circle as soon as its Compose profile is used. See tests/corpus/order.
    """
    yield from _build_cycles(profile)
    if profile.everything is not None:
        return  # Compose took all services at once, so there is none
    graph = parse_raw_graph(profile.layers)
    for cycle in find_cycles(graph.edges()):
        steps = tuple(zip(cycle, (*cycle[1:], cycle[0]), strict=True))
        edges = [_raw_edge(graph, owner, target) for owner, target in steps]
        inactive = [name for name in cycle if not _is_active(graph, name, profile)]
        if inactive and _is_said_elsewhere(graph, inactive, profile, facts):
            continue
        words = " → ".join((*cycle, cycle[0]))
        message = f"Services wait for each other in a circle: {words}."
        if len(cycle) == 1:
            message = f"{cycle[0]} waits for itself."
        if inactive:
            names = sorted({one for name in inactive for one in graph.services[name].profiles})
            message += (
                f" Compose refuses it as soon as {_listed(names, 'Compose profile')} is used."
            )
        yield Fault(
            message,
            at_source(edges[0].place.source),
            service=inactive[0] if inactive else cycle[0],
            fix="take one of these out, or let both wait for a third service",
            related=tuple(
                Related(at_source(edge.place.source), f"{owner} waits for {target} ({edge.key})")
                for (owner, target), edge in zip(steps[1:], edges[1:], strict=True)
            ),
            explains=not inactive and _is_about_edges(profile),
        )


def _build_cycles(profile: CheckedProfile) -> Iterator[Fault]:
    edges = {
        name: {
            ServiceName(context.removeprefix("service:"))
            for context in service.build.additional_contexts.values()
            if context.startswith("service:")
        }
        for name, service in selected_services(profile).items()
        if service.build is not None
    }
    for cycle in find_cycles(edges):
        yield Fault(
            "Images are built from each other in a circle: "
            + " → ".join((*cycle, cycle[0]))
            + ", so that none can be built first.",
            place_of(profile, "services", cycle[0], "build", "additional_contexts"),
            service=cycle[0],
            fix="take one of these additional_contexts out",
        )


@check(
    "dependency-undefined",
    Severity.ERROR,
    f"{_DEPENDS_ON}; measured: also with required: false",
    explains_refusal=True,
)
def dependency_undefined(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A service waits for one that no Compose file defines.

    Compose refuses the whole project, and `required: false` does not help: that is for services
    of a Compose profile that is not active. The same holds for `links`, `volumes_from` and
    `network_mode`, `ipc` or `pid: service:NAME`.

    Wrong:

        services:
          app:
            depends_on: [databse]
          database: {}

    Right:

        services:
          app:
            depends_on: [database]
          database: {}

    Measured: `docker compose config` 5.6.1 refuses it, with `required: false` too. See
    tests/corpus/order.
    """
    if profile.everything is not None:
        return
    graph = parse_raw_graph(profile.layers)
    if not graph.is_complete:
        return
    for name, service in graph.services.items():
        is_active = _is_active(graph, name, profile)
        for edge in service.edges:
            if edge.service in graph.services:
                continue
            if not is_active and _is_said_elsewhere(graph, [name], profile, facts):
                continue
            others = [other for other in graph.services if other != name]
            near = get_close_matches(edge.service, others, n=1, cutoff=0.5)
            message = f"{name} waits for {edge.service}, but no service has that name."
            if not is_active:
                used = _listed(sorted(service.profiles), "Compose profile")
                message += f" Compose refuses it as soon as {used} is used."
            yield Fault(
                message,
                at_source(edge.place.source),
                service=name,
                fix=f"did you mean {near[0]}?"
                if near
                else f"define {edge.service}, or take it out",
                explains=is_active and _is_about_edges(profile),
            )


@check(
    "inactive-dependency",
    Severity.ERROR,
    "compose-spec 15-profiles.md; measured: the same words as for a missing service",
    explains_refusal=True,
)
def inactive_dependency(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A service waits for one that the active Compose profiles leave out.

    Compose says that the service is undefined, though it is there: its `profiles:` are not
    active. With `required: false` in the long form of `depends_on` it is left out in silence.

    Wrong:

        services:
          app:
            depends_on: [db]
          db:
            profiles: [data]

    Right:

        services:
          app:
            depends_on:
              db:
                condition: service_started
                required: false
          db:
            profiles: [data]

    Measured: `docker compose config` 5.6.1 says the same words as for a service that does not
    exist; read with all Compose profiles active it loads, which tells the two apart.
    """
    for owner, target, needed in _inactive_edges(profile):
        listed = _listed(sorted(needed), "Compose profile")
        place = place_of(profile, "services", target, "profiles")
        yield Fault(
            f"{owner} waits for {target}, which only starts with {listed}.",
            edge_place(profile, owner, target),
            service=owner,
            fix=_profile_fix(profile, facts, sorted(needed)),
            related=(Related(place, f"the Compose profiles of {target}"),),
            explains=_is_about_edges(profile),
        )


def _inactive_edges(profile: CheckedProfile) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Owner, the inactive service that it needs, and the Compose profiles that start that one."""
    everything = profile.everything
    if profile.model is not None and everything is not None:
        for name, service in profile.model.services.items():
            for edge in service.dependencies:
                target = everything.services.get(edge.service)
                if (
                    edge.required
                    and target is not None
                    and target.name not in profile.model.services
                ):
                    yield name, target.name, target.profiles
        return
    if profile.model is not None:
        return  # Compose took the selection, so it needs nothing that is left out
    graph = parse_raw_graph(profile.layers)
    for raw in graph.services.values():
        if not _is_active(graph, raw.name, profile):
            continue
        for raw_edge in raw.edges:
            known = raw_edge.service in graph.services
            if known and raw_edge.required and not _is_active(graph, raw_edge.service, profile):
                yield raw.name, raw_edge.service, graph.services[raw_edge.service].profiles


def _profile_fix(profile: CheckedProfile, facts: Facts, needed: Sequence[str]) -> str:
    if not needed:
        return "mark the dependency required: false"
    if profile.name is None:
        return f"use --profile {needed[0]}, or mark the dependency required: false"
    words = f'add "{needed[0]}" to compose_profiles of the profile {profile.name}'
    others = [
        name
        for name, active in facts.compose_profiles.items()
        if name != profile.name and ("*" in active or set(active) & set(needed))
    ]
    if others:
        words += f", or use the profile {others[0]}"
    return words + ", or mark the dependency required: false"


def _raw_edge(graph: RawGraph, owner: str, target: str) -> RawEdge:
    return next(edge for edge in graph.services[owner].edges if edge.service == target)


def _is_active(graph: RawGraph, name: str, profile: CheckedProfile) -> bool:
    return name in profile.services or graph.services[name].is_active(profile.compose_profiles)


def _is_active_in(graph: RawGraph, name: str, active: Collection[str]) -> bool:
    return graph.services[ServiceName(name)].is_active(active)


def _is_said_elsewhere(
    graph: RawGraph, names: Iterable[str], profile: CheckedProfile, facts: Facts
) -> bool:
    """Whether another devenv profile starts all of these services, so that its finding says it."""
    return any(
        all(_is_active_in(graph, name, active) for name in names)
        for other, active in facts.compose_profiles.items()
        if other != profile.name
    )


def _is_about_edges(profile: CheckedProfile) -> bool:
    """Whether Compose refused the profile for an edge, or did not speak at all."""
    if profile.failure is None:
        return True
    path: tuple[str, ...] = getattr(profile.failure, "key_path", ())
    return path[2:3] == ("depends_on",)


def _listed(names: Sequence[str], what: str) -> str:
    if not names:
        return f"another {what}"
    if len(names) == 1:
        return f"the {what} {names[0]}"
    return f"one of the {what}s {', '.join(names)}"
