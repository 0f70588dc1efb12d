"""The lower bound of a cold start, and all cycles of a graph."""

from __future__ import annotations

from itertools import pairwise, permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devenv.checks.finding import StartBound
from devenv.compose.effective_health import UNKNOWN, Health
from devenv.compose.graph import MAX_CYCLES, find_cycles
from devenv.compose.model import Healthcheck, Project
from devenv.compose.names import ServiceName
from devenv.compose.timing import (
    StartTimes,
    first_probe_seconds,
    quick_probe_change,
    resolve_saving,
    resolve_start_times,
)
from devenv.report.graph import render_graph
from devenv.report.start_bound import render_start_bound, render_start_bounds
from tests.unit.projects import make_project

OLD, NEW = (20, 10, 24), (25, 0, 0)


def _waits(**conditions: str) -> dict[str, Any]:
    return {
        "depends_on": {
            name: {"condition": f"service_{condition}"} for name, condition in conditions.items()
        }
    }


def _checked(interval: str, **more: Any) -> dict[str, Any]:
    return {"healthcheck": {"test": ["CMD", "true"], "interval": interval}, **more}


def _times(project: Project, engine: tuple[int, int, int] | None = OLD) -> StartTimes:
    healths = {name: Health(service.healthcheck) for name, service in project.services.items()}
    return resolve_start_times(project.services, healths, engine)


CHAIN = make_project(
    {
        "app": _waits(api="healthy", cache="healthy"),
        "api": _checked("2s", **_waits(db="healthy", init="completed_successfully")),
        "db": _checked("3s"),
        "cache": _checked("4s"),
        "init": _waits(db="started"),
    }
)


def test_the_edges_of_a_chain_add_up_and_the_longest_way_counts() -> None:
    times = _times(CHAIN)
    assert times.bound_seconds == 5
    assert times.starts == {"app": 5, "api": 3, "db": 0, "cache": 0, "init": 0}
    assert [(w.service, w.waits_for, w.seconds) for w in times.critical_path] == [
        ("api", "db", 3),
        ("app", "api", 2),
    ]
    assert times.costliest is times.critical_path[0]
    assert times.is_complete


def test_a_saving_ends_where_another_way_is_longest() -> None:
    times = _times(CHAIN)
    db, api = ServiceName("db"), ServiceName("api")
    assert resolve_saving(CHAIN.services, times, (db,)).seconds == 1  # then cache is the longest
    assert resolve_saving(CHAIN.services, times, (db, api)).seconds == 1
    every = tuple(times.first_probes)
    assert resolve_saving(CHAIN.services, times, every).seconds == 3


@pytest.mark.parametrize(
    ("check", "engine", "seconds"),
    [
        (Healthcheck(("CMD", "x")), NEW, 30),
        (Healthcheck(("CMD", "x"), start_interval_seconds=1), NEW, 30),
        (Healthcheck(("CMD", "x"), start_interval_seconds=1, start_period_seconds=9), NEW, 1),
        (Healthcheck(("CMD", "x"), start_interval_seconds=1, start_period_seconds=9), OLD, 30),
        (Healthcheck(("CMD", "x"), start_interval_seconds=1, start_period_seconds=9), None, 1),
        (Healthcheck(("CMD", "x"), start_period_seconds=9), NEW, 5),
        (Healthcheck(("CMD", "x"), 2, start_period_seconds=9), NEW, 5),
        (Healthcheck(("CMD", "x"), 2, start_period_seconds=9), None, 2),
    ],
)
def test_the_first_probe(
    check: Healthcheck, engine: tuple[int, int, int] | None, seconds: float
) -> None:
    assert first_probe_seconds(check, engine) == seconds


def test_the_change_suits_the_engine() -> None:
    check = Healthcheck(("CMD", "x"))
    assert quick_probe_change(check, OLD) == "interval: 1s"
    assert quick_probe_change(check, NEW) == "start_interval: 1s with start_period: 30s"
    with_period = Healthcheck(("CMD", "x"), start_period_seconds=9)
    assert quick_probe_change(with_period, NEW) == "start_interval: 1s"


def test_what_is_not_known_or_not_started_costs_nothing() -> None:
    project = make_project(
        {
            "app": _waits(db="healthy", none="healthy"),
            "db": {"image": "db"},
            "none": _checked("9s", scale=0),
        }
    )
    healths = {
        ServiceName("db"): UNKNOWN,
        ServiceName("none"): Health(project.services[ServiceName("none")].healthcheck),
    }
    times = resolve_start_times(project.services, healths, OLD)
    assert times.bound_seconds == 0
    assert not times.is_complete
    assert not _times(
        make_project({"a": _waits(b="started"), "b": _waits(a="started")})
    ).is_complete
    assert _times(make_project({})).bound_seconds == 0


def test_the_graph_shows_times_only_on_request() -> None:
    times = _times(CHAIN)
    assert "first probe" not in render_graph(CHAIN)
    shown = render_graph(CHAIN, times)
    assert "api: from 3 s, first probe at 5 s" in shown
    assert "waits for db healthy (3 s)" in shown


def test_the_summary_line() -> None:
    bound = StartBound("dev", 31, ("db", "app"), ("app", "db", 30), "interval: 1s", 29, False)
    assert render_start_bound(bound) == (
        "start (dev): at least 31 s along db → app; app waits 30 s for the first probe of db, "
        "and interval: 1s there would save 29 s (some health checks are not known)"
    )
    assert render_start_bounds([StartBound(None, 0), bound]).count("\n") == 1


GRAPHS = st.dictionaries(st.sampled_from("abcde"), st.sets(st.sampled_from("abcde")), max_size=5)


@given(GRAPHS)
def test_every_cycle_is_found_once(edges: dict[str, set[str]]) -> None:
    expected = set()
    for length in range(1, len(edges) + 1):
        for way in permutations(sorted(edges), length):
            steps = [*pairwise(way), (way[-1], way[0])]
            if way[0] == min(way) and all(to in edges[name] for name, to in steps):
                expected.add(way)
    assert find_cycles(edges) == tuple(sorted(expected))


def test_a_graph_with_endless_cycles_ends_soon() -> None:
    names = [f"s{number:02}" for number in range(40)]
    edges = {name: set(names) for name in names}
    found = find_cycles(edges)
    assert len(found) == MAX_CYCLES
    chain = {name: {after} for name, after in pairwise([f"c{n:04}" for n in range(2000)])}
    assert find_cycles(chain) == ()
