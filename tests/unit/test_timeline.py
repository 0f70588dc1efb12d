"""The timeline of a start: what is seen, how it is laid out, said, kept and compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devenv.compose.names import ServiceName
from devenv.host.history import (
    MAX_STARTS,
    load_starts,
    record_start,
    select_comparable,
    usual_seconds,
    usual_start_seconds,
)
from devenv.host.memory import open_memory
from devenv.report.timelines import html, svg, text
from devenv.state import actions as do
from devenv.state.containers import Container, Health, Probe
from devenv.state.effects import Effect, RecordStart
from devenv.state.model import Operation, OperationKind, Problem, State
from devenv.state.reduce import reduce
from devenv.state.start import MAX_KEPT, see_container
from devenv.state.start_seen import BuildStepRun, ContainerSeen, Pull, StartOutcome
from devenv.state.timeline import resolve_timeline
from devenv.state.timeline_chart import GLYPHS, axis_marks, layout_axis, layout_rows
from devenv.state.timeline_compare import compare_timelines
from devenv.state.timeline_document import parse_timeline, timeline_to_json
from devenv.state.timeline_values import SpanKind, Timeline
from devenv.state.timeline_words import render_comparison, render_path, render_service
from tests.unit.projects import make_container, make_project, make_state

T0 = 1000.0
APP, DB, JOB = ServiceName("app"), ServiceName("db"), ServiceName("job")
SERVICES: dict[str, Any] = {
    "db": {"image": "db", "healthcheck": {"test": ["CMD", "true"], "interval": "2s"}},
    "job": {"image": "job", "depends_on": {"db": {"condition": "service_healthy"}}},
    "app": {
        "build": {"context": "."},
        "depends_on": {"job": {"condition": "service_completed_successfully"}},
    },
}
UP = do.OperationStarted(Operation(OperationKind.UP, started_at=T0))


def run(*actions: do.Action, state: State | None = None) -> tuple[State, list[Effect]]:
    state = state or make_state()
    effects: list[Effect] = []
    for action in actions:
        state, asked = reduce(state, action)
        effects += asked
    return state, effects


def changed(service: str, at: float, **values: Any) -> do.Action:
    values.setdefault("created_at", T0 + 2.0)
    return do.ContainerChanged(make_container(service, started_at=T0 + at, **values))


GOOD = Probe(T0 + 5.0, T0 + 5.1, 0)
BAD = Probe(T0 + 4.0, T0 + 4.2, 1, "no response")
STORY: tuple[do.Action, ...] = (
    do.ModelLoaded(make_project(SERVICES)),
    UP,
    do.BuildStepped(APP, BuildStepRun("image", "build shop-app", T0 + 0.1)),
    do.BuildStepped(APP, BuildStepRun("step 1/2", "1/2 FROM base", T0 + 0.2, T0 + 0.3, True)),
    do.BuildStepped(APP, BuildStepRun("step 2/2", "2/2 RUN npm ci", T0 + 0.3)),
    do.BuildStepped(APP, BuildStepRun("step 2/2", "2/2 RUN npm ci", T0 + 0.3, T0 + 1.8)),
    do.BuildStepped(APP, BuildStepRun("image", "build shop-app", T0 + 0.1, T0 + 1.9)),
    changed("db", 3.0, health=Health.STARTING),
    changed("db", 3.0, health=Health.STARTING, probes=(BAD,)),
    changed("db", 3.0, health=Health.HEALTHY, probes=(BAD, GOOD)),
    changed("job", 5.5),
    changed("job", 5.5, state="exited", exit_code=0, finished_at=T0 + 6.5),
    changed("app", 7.0),
    do.OperationFinished(OperationKind.UP, at=T0 + 7.1),
)


def story(*actions: do.Action) -> Timeline:
    state, _ = run(*(actions or STORY))
    timeline = resolve_timeline(state, T0 + 60)
    assert timeline is not None
    return timeline


def kinds(timeline: Timeline, service: ServiceName) -> list[tuple[str, float, float | None]]:
    line = next(line for line in timeline.services if line.service == service)
    return [(s.kind.value, round(s.begin, 2), s.end and round(s.end, 2)) for s in line.spans]


def test_each_service_has_its_spans_one_after_the_other() -> None:
    timeline = story()
    assert timeline.outcome is StartOutcome.READY
    assert timeline.seconds == pytest.approx(7.0)
    assert kinds(timeline, DB) == [
        ("wait", 0.0, 1.9),  # for the app's image: Compose makes no container before
        ("create", 1.9, 2.0),
        ("start", 2.0, 3.0),
        ("health", 3.0, 5.1),
    ]
    assert kinds(timeline, JOB) == [
        ("wait", 0.0, 1.9),
        ("create", 1.9, 2.0),
        ("wait", 2.0, 5.1),
        ("start", 5.1, 5.5),
        ("run", 5.5, 6.5),
    ]
    assert kinds(timeline, APP) == [
        ("build", 0.1, 1.9),
        ("create", 1.9, 2.0),
        ("wait", 2.0, 6.5),
        ("start", 6.5, 7.0),
    ]
    assert [line.ready for line in timeline.services] == pytest.approx([5.1, 6.5, 7.0])


def test_the_critical_path_leads_back_to_the_build() -> None:
    assert render_path(story()) == (
        "app build 1.8 s → db create 0.1 s → db start 1.0 s → db health 2.1 s → "
        "job start 0.4 s → job run 1.0 s → app start 0.5 s"
    )


def test_an_end_is_recorded_once_and_a_closed_start_changes_no_more() -> None:
    state, effects = run(*STORY)
    assert effects.count(RecordStart(T0)) == 1
    state, effects = run(do.StartClosed(T0), changed("app", 9.0), state=state)
    assert RecordStart(T0) not in effects
    timeline = resolve_timeline(state, T0 + 60)
    assert timeline is not None and timeline.seconds == pytest.approx(7.0)


def test_the_end_of_an_earlier_start_does_not_close_the_next_one() -> None:
    refused = (UP, do.OperationFinished(OperationKind.UP, Problem("no"), T0))
    later = do.OperationStarted(Operation(OperationKind.UP, started_at=T0 + 1))
    state, effects = run(do.ModelLoaded(make_project(SERVICES)), *refused, later)
    assert effects == [RecordStart(T0)]
    state, _ = run(do.StartClosed(T0), state=state)
    assert state.start is not None
    assert (state.start.started_at, state.start.closed) == (T0 + 1, False)


def test_a_service_that_dies_right_after_its_start_makes_it_a_failure() -> None:
    state, _ = run(*STORY, changed("app", 7.0, state="exited", exit_code=1, finished_at=T0 + 7.4))
    timeline = resolve_timeline(state, T0 + 60)
    assert timeline is not None
    assert timeline.outcome is StartOutcome.FAILED
    assert timeline.seconds == pytest.approx(7.4)
    assert timeline.services[-1].ready is None


def test_what_ran_already_is_kept_and_costs_nothing() -> None:
    timeline = story(
        do.ModelLoaded(make_project({"db": SERVICES["db"]})),
        do.ContainersObserved((make_container("db", started_at=T0 - 50, health=Health.HEALTHY),)),
        UP,
        do.OperationFinished(OperationKind.UP, at=T0 + 0.5),
    )
    assert timeline.services[0].kept and not timeline.is_telling
    assert timeline.outcome is StartOutcome.READY and timeline.critical_path == ()
    assert "all of it ran already" in text.render(timeline)


def test_while_it_is_under_way() -> None:
    state, _ = run(*STORY[:9])
    timeline = resolve_timeline(state, T0 + 4.5)
    assert timeline is not None
    assert timeline.outcome is StartOutcome.UNDER_WAY and timeline.seconds == 4.5
    db = timeline.services[0]
    assert db.spans[-1].kind is SpanKind.HEALTH and db.spans[-1].end is None
    assert "is not healthy yet, 1 of 1 probes failed" in render_service(db)


def test_a_build_that_fails_leaves_nothing_started() -> None:
    timeline = story(
        *STORY[:5],
        do.BuildStepped(
            APP, BuildStepRun("step 2/2", "2/2 RUN npm ci", T0 + 0.3, T0 + 0.9, failed=True)
        ),
        do.BuildStepped(APP, BuildStepRun("image", "build", T0 + 0.1, T0 + 0.9, failed=True)),
        do.OperationFinished(OperationKind.UP, Problem("the build failed"), T0 + 1.0),
    )
    assert timeline.outcome is StartOutcome.FAILED and timeline.is_telling
    assert timeline.seconds == pytest.approx(1.0)
    assert timeline.services[-1].steps[-1].failed


def test_nothing_was_started() -> None:
    timeline = story(
        STORY[0], UP, do.OperationFinished(OperationKind.UP, Problem("a port is taken"), T0 + 0.2)
    )
    assert not timeline.is_telling
    assert "failed before anything was started" in text.render(timeline)


def test_a_pull_and_one_operation_of_others() -> None:
    timeline = story(
        STORY[0],
        UP,
        do.PullStepped((DB,), Pull("db", T0 + 0.5)),
        do.PullStepped((DB,), Pull("db", T0 + 0.5, T0 + 1.5)),
        changed("db", 3.0, health=Health.HEALTHY, probes=(GOOD,)),
        do.OperationStarted(Operation(OperationKind.STOP, started_at=T0 + 9)),
        changed("db", 20.0),
    )
    assert kinds(timeline, DB)[0] == ("pull", 0.5, 1.5)
    assert timeline.services[0].started == pytest.approx(3.0)


def test_an_excepted_service_is_not_waited_for() -> None:
    operation = Operation(OperationKind.UP, started_at=T0, without=(APP, JOB))
    timeline = story(
        STORY[0],
        do.OperationStarted(operation),
        changed("db", 3.0, health=Health.HEALTHY, probes=(GOOD,)),
        do.OperationFinished(OperationKind.UP, at=T0 + 6),
    )
    assert [line.service for line in timeline.services] == [DB]
    assert timeline.outcome is StartOutcome.READY


def test_a_crash_loop_stays_bounded() -> None:
    seen = ContainerSeen()
    for number in range(1000):
        container = Container(
            **{
                **{name: getattr(make_container("db"), name) for name in ("id", "service", "name")},
                "state": "restarting",
                "started_at": T0 + number,
                "finished_at": T0 + number + 0.5,
                "exit_code": 1,
                "probes": (Probe(T0 + number, T0 + number + 0.1, 1),),
            }
        )
        seen = see_container(seen, container)
    assert len(seen.runs) == len(seen.probes) == MAX_KEPT
    assert seen.runs[0].started_at == T0 and seen.runs[-1].started_at == T0 + 999


def test_as_json_and_back() -> None:
    timeline = story()
    document = json.loads(json.dumps(timeline_to_json(timeline)))
    again = parse_timeline(document)
    assert timeline_to_json(again) == document
    assert [line.service for line in again.services] == [DB, JOB, APP]
    with pytest.raises(ValueError, match="version 99"):
        parse_timeline({**document, "version": 99})


def test_text_has_a_bar_for_each_service_and_says_what_it_waited_for() -> None:
    shown = text.render(story(), width=70)
    assert "shop" in shown and "ready in 7.0 s" in shown
    rows = [line for line in shown.splitlines() if line.startswith(("* db", "* app", "* job"))]
    assert len(rows) == 3 and all(row.rstrip().endswith("✓") for row in rows)
    assert max(len(row) for row in rows) <= 70
    assert "waited 4.5 s for job completed" in shown


HOSTILE = "<script>&'\"\x1b]0;x\x07"


def test_pictures_hold_no_markup_of_the_project() -> None:
    timeline = story(
        *STORY[:2],
        do.BuildStepped(APP, BuildStepRun("1", f"1/1 RUN {HOSTILE}", T0 + 0.1, T0 + 0.4)),
        changed("db", 3.0, health=Health.STARTING, probes=(Probe(T0 + 4, T0 + 5, 1, HOSTILE),)),
    )
    for render in (svg.render, html.render):
        assert "<script" not in render(timeline, (HOSTILE,))


@given(seconds=st.floats(0, 1e6), width=st.integers(1, 300))
def test_axis_fits(seconds: float, width: int) -> None:
    assert len(layout_axis(seconds, width)) <= width
    marks = list(axis_marks(seconds, max(1, width // 8)))
    assert marks[0] == (0.0, "0") and len(marks) <= max(2, width // 8)
    assert all(time <= max(seconds, 0.0) for time, _ in marks)


@given(width=st.integers(20, 200))
def test_every_row_has_its_width_and_known_glyphs(width: int) -> None:
    known = {*GLYPHS.values(), " ", "✓", "✗"}
    for row in layout_rows(story(), width):
        assert len(row.cells) == width
        assert {cell.glyph for cell in row.cells} <= known
        assert sum(cell.glyph == "✓" for cell in row.cells) == 1


def slower_by(seconds: float) -> Timeline:
    document = timeline_to_json(story())
    document["started_at"] += 100 + seconds
    document["seconds"] += seconds
    health = document["services"][0]["spans"][-1]
    health["end"] += seconds
    return parse_timeline(document)


def test_compare_names_what_became_slower() -> None:
    comparison = compare_timelines(slower_by(3.0), [story(), story(), slower_by(0.1)])
    lines = render_comparison(comparison)
    assert lines == (
        "10.0 s; the median of 3 earlier starts is 7.0 s (3.0 s slower)",
        "db health: 5.1 s, usually 2.1 s (3.0 s slower)",
    )
    same = render_comparison(compare_timelines(story(), [story()]))
    assert same[-1] == "no service differs noticeably"
    assert (
        "no earlier start of the same services"
        in render_comparison(compare_timelines(story(), []))[0]
    )


def test_history_keeps_the_last_ones_of_each_project(tmp_path: Path) -> None:
    said: list[str] = []
    with open_memory(tmp_path, said.append) as memory:
        for number in range(MAX_STARTS + 3):
            record_start(memory, "/p", slower_by(number))
        record_start(memory, "/other", story())
        starts = load_starts(memory, "/p")
        assert len(starts) == MAX_STARTS
        assert starts[0].seconds == pytest.approx(7.0 + MAX_STARTS + 2)
        assert len(load_starts(memory, "/other")) == 1
        memory.write("UPDATE starts SET timeline = '{}' WHERE directory = '/other'")
        assert load_starts(memory, "/other") == []
    assert said == []
    assert usual_start_seconds([story()]) == {"db": pytest.approx(2.1)}
    assert usual_seconds([story(), slower_by(2.0)]) == pytest.approx(8.0)
    assert usual_seconds([]) is None
    assert select_comparable(slower_by(1.0), [story(), slower_by(1.0)]) == [story()]
