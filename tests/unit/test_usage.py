"""What containers use: samples, sums over replicas, history, and the layout of the table."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from devenv.engine.usage import parse_usage, with_rates
from devenv.state import actions as do
from devenv.state.containers import ContainerId
from devenv.state.model import Problem, State
from devenv.state.usage import HISTORY_SECONDS, Transfer, Usage, add_usage, sum_usages
from devenv.tui.stats_columns import (
    Cell,
    layout_columns,
    render_row,
    render_sparkline,
    render_titles,
)
from devenv.tui.stats_rows import Sort, StatsRow, resolve_rows, resolve_total
from devenv.values import replace
from tests.tui import states


def _sample(at: str, received: int, written: int, operation: str = "Write") -> dict[str, Any]:
    return {
        "read": at,
        "networks": {
            "eth0": {"rx_bytes": received, "tx_bytes": 10},
            "eth1": {"rx_bytes": 5, "tx_bytes": 0},
        },
        "blkio_stats": {
            "io_service_bytes_recursive": [
                {"major": 8, "minor": 0, "op": "Read", "value": 7},
                {"major": 8, "minor": 0, "op": operation, "value": written},
                {"major": 8, "minor": 0, "op": "Sync", "value": 1000},
                {"major": 8, "minor": 0, "op": "Total", "value": 1000},
            ]
        },
    }


def test_all_interfaces_and_devices_are_added_up() -> None:
    usage = parse_usage(_sample("2026-01-02T03:04:05.5Z", 100, 900))
    assert usage.network == Transfer(105, 10)
    assert usage.block == Transfer(7, 900)
    assert parse_usage(_sample("2026-01-02T03:04:05Z", 1, 3, "write")).block == Transfer(7, 3)


def test_what_the_engine_does_not_count_is_no_zero() -> None:
    usage = parse_usage({"blkio_stats": {"io_service_bytes_recursive": None}})
    assert (usage.network, usage.block) == (None, None)


def test_rates_are_by_the_engines_own_clock() -> None:
    before = parse_usage(_sample("2026-01-02T03:04:05.500000000Z", 100, 900))
    after = with_rates(parse_usage(_sample("2026-01-02T03:04:07.5Z", 300, 900)), before)
    assert after.network is not None and after.block is not None
    assert (after.network.in_rate, after.network.out_rate) == (100.0, 0.0)
    assert after.block.out_rate == 0.0
    again = with_rates(parse_usage(_sample("2026-01-02T03:04:08.5Z", 10, 20)), after)
    assert again.network is not None and again.network.in_rate == 0.0  # it was started again
    same = parse_usage(_sample("2026-01-02T03:04:05.5Z", 100, 900))
    assert with_rates(same, before) == same
    assert with_rates(same, None) == same


def test_replicas_are_added_up_with_their_limits() -> None:
    state = states.measured()
    app = state.service(states.name("app"))
    assert app is not None and app.usage is not None
    assert app.usage.cpu_percent == 37.0 + 12.4
    assert app.usage.network is not None and app.usage.network.in_rate == 4e6
    assert app.usage.memory_limit_bytes == 16 << 30  # both may use all of the one machine
    limited = [replace(container, memory_limit_bytes=256 << 20) for container in app.containers]
    total = add_usage(state.usage, limited)
    assert total is not None and total.memory_limit_bytes == 512 << 20
    assert add_usage(state.usage, [states.container("db", "exited")]) is None
    assert sum_usages([]) is None


def test_the_history_is_bounded_and_forgets_what_is_gone() -> None:
    state = states.measured()
    db, cache = states.name("db"), states.name("cache")
    measured = do.UsageMeasured({ContainerId("id-db"): Usage(7.0, 1)})
    for _ in range(3):
        state = states.after(state, [measured])
    assert len(state.usage_history[db].cpu_percents) == HISTORY_SECONDS
    assert state.usage_history[db].cpu_percents[-3:] == (7.0, 7.0, 7.0)
    state = states.after(
        state, [do.ContainerChanged(states.container("cache", "exited")), measured]
    )
    assert state.usage_history[cache].cpu_percents[-1] == 0.0
    state = states.after(state, [do.ContainerRemoved(ContainerId("id-cache")), measured])
    assert cache not in state.usage_history
    lost = states.after(state, [do.EngineLost(Problem("gone"))])
    assert not lost.usage_history and not lost.usage


def _names(state: State, sort: Sort) -> list[str]:
    return [row.name for row in resolve_rows(state, None, sort)]


def test_rows_are_sorted_and_those_alike_keep_the_start_order() -> None:
    state = states.measured()
    assert _names(state, Sort.ORDER) == ["cache", "db", "app ×2", "worker"]
    assert _names(state, Sort.NAME) == ["app ×2", "cache", "db", "worker"]
    assert _names(state, Sort.CPU) == ["app ×2", "worker", "db", "cache"]
    assert _names(state, Sort.MEMORY) == ["app ×2", "worker", "db", "cache"]
    assert _names(state, Sort.NETWORK) == ["app ×2", "db", "cache", "worker"]
    assert _names(state, Sort.BLOCK)[0] == "db"
    rows = resolve_rows(state, states.name("app"), Sort.ORDER)
    assert [row.name for row in rows if row.is_part] == ["  app-1", "  app-2"]
    total = resolve_total(state)
    assert total is not None and total.name == "all 4"
    assert total.usage.memory_bytes == sum(usage.memory_bytes for usage in state.usage.values())
    assert resolve_total(states.empty()) is None


def test_a_curve_ends_now_and_reaches_its_top() -> None:
    assert render_sparkline((0, 50, 100), 5, 100) == "  ▁▅█"
    assert render_sparkline((1, 2, 3, 4), 2, 4) == "▆█"
    assert render_sparkline((), 3, 0) == "   "
    assert render_sparkline((9, -1), 2, 3) == "█▁"


def _width(cells: list[Cell]) -> int:
    return sum(cell_len(text) for text, _ in cells)


sizes = st.integers(0, 1 << 49)
transfers = st.none() | st.builds(Transfer, sizes, sizes, st.floats(0, 1e14), st.floats(0, 1e14))
usages = st.builds(Usage, st.floats(0, 12_800), sizes, sizes, transfers, transfers)


@given(
    st.integers(20, 300),
    st.lists(st.builds(StatsRow, st.text("aé-", min_size=1), usages), max_size=4),
    st.sampled_from(list(Sort)),
)
def test_the_table_is_as_wide_as_its_place_and_keeps_what_is_sorted_by(
    width: int, rows: list[StatsRow], sort: Sort
) -> None:
    columns = layout_columns(width, rows, sort)
    titles = render_titles(columns, sort)
    assert _width(titles) <= max(width, 28)
    assert {Sort.CPU, Sort.MEMORY} <= {column.sort for column in columns}
    if width >= 40 or sort in (Sort.CPU, Sort.MEMORY, Sort.NAME):
        assert sort is Sort.ORDER or sort in {column.sort for column in columns}
    for row in rows:
        assert _width(render_row(row, columns)) == _width(titles)
