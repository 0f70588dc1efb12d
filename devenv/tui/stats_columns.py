"""The columns of the Stats tab: which fit, how wide they are, what stands in them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.cells import cell_len, set_cell_size

from devenv.state.usage import Transfer
from devenv.tui.stats_rows import Sort, StatsRow
from devenv.tui.text import render_bytes
from devenv.values import dataclass

NEARLY_FULL = 0.9
"""The share of its memory limit from which on a service stands out."""
_SPARKS = "▁▂▃▄▅▆▇█"
_NAME_WIDTHS = (8, 24)
_CURVE_WIDTHS = (8, 30)
_LEAST_CPU_TOP = 5.0
"""Percent at the top of a sparkline at least: less is noise, and is drawn as such."""


Cell = tuple[str, str]
"""Text and its style."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `cell` gives the text of a row in so many cells."""

    title: str
    width: int
    cell: Callable[[StatsRow, int], str]
    sort: Sort | None = None
    """What a click on its title sorts by."""
    is_curve: bool = False


def layout_columns(width: int, rows: Sequence[StatsRow], sort: Sort) -> list[Column]:
    """The columns that fit into `width` cells. Where it is narrow they go in this order: sums,
    the memory's curve, the two directions, the limit, block I/O, network, the CPU's curve. CPU,
    memory and the column that is sorted by stay."""
    longest = max((cell_len(row.name) for row in rows), default=0)
    name_width = max(_NAME_WIDTHS[0], min(longest, _NAME_WIDTHS[1]))
    for wanted in _CHOICES:
        columns = [_COLUMNS[name] for name in wanted.split()]
        sorts = {column.sort for column in columns} | {Sort.ORDER, Sort.NAME}
        room = width - name_width - sum(column.width + 1 for column in columns)
        if sort in sorts and room >= 0:
            break
    else:
        name_width = max(4, name_width + room)
    curves = sum(column.is_curve for column in columns)
    more = min(max(0, room) // curves, _CURVE_WIDTHS[1] - _CURVE_WIDTHS[0]) if curves else 0
    return [
        Column("SERVICE", name_width, _name, Sort.NAME),
        *(
            Column("", column.width + more, column.cell, column.sort, is_curve=True)
            if column.is_curve
            else column
            for column in columns
        ),
    ]


def render_titles(columns: Sequence[Column], sort: Sort) -> list[Cell]:
    """The line of titles; an arrow stands at what is sorted by."""
    cells = []
    for number, column in enumerate(columns):
        is_sorted = column.sort is sort and not column.is_curve and column.title != ""
        title = f"▼{column.title}" if is_sorted else column.title
        cell = set_cell_size(title, column.width) if number == 0 else f" {title:>{column.width}}"
        cells.append((cell, "bold" if is_sorted else "dim"))
    return cells


def render_row(row: StatsRow, columns: Sequence[Column]) -> list[Cell]:
    """One line of the table."""
    cells = []
    limit = row.usage.memory_limit_bytes
    full = row.limited and limit and row.usage.memory_bytes >= limit * NEARLY_FULL
    for number, column in enumerate(columns):
        cell = column.cell(row, column.width)
        if number == 0:
            style = "bold reverse" if row.is_chosen else "dim" if row.is_part else "bold"
            cells.append((cell, style))
            continue
        style = "cyan" if column.is_curve else "dim" if row.is_part else ""
        if full and column.sort is Sort.MEMORY:
            style = "bold red"
        cells.append((f" {cell:>{column.width}}", style))
    return cells


def render_sparkline(values: Sequence[float], width: int, top: float) -> str:
    """The last `width` values as bars up to `top`, the newest at the right."""
    last = len(_SPARKS) - 1
    scale = last / top if top > 0 else 0
    shown = values[-width:]
    return "".join(_SPARKS[max(0, min(last, round(value * scale)))] for value in shown).rjust(width)


def _name(row: StatsRow, width: int) -> str:
    if cell_len(row.name) > width:
        return set_cell_size(row.name, width - 1) + "…"
    return set_cell_size(row.name, width)


def _cpu(row: StatsRow, width: int) -> str:
    del width
    percent = row.usage.cpu_percent
    return f"{percent:.1f}%" if percent < 1000 else f"{percent:.0f}%"


def _cpu_curve(row: StatsRow, width: int) -> str:
    values = row.history.cpu_percents
    return render_sparkline(values, width, max(_LEAST_CPU_TOP, *values)) if values else ""


def _memory(row: StatsRow, width: int) -> str:
    del width
    return render_bytes(row.usage.memory_bytes)


def _memory_curve(row: StatsRow, width: int) -> str:
    values = row.history.memory_bytes
    # Without a limit what it used at most stands at three quarters, so that growth shows.
    top = row.usage.memory_limit_bytes if row.limited else max(values, default=0) * 4 / 3
    return render_sparkline(values, width, top)


def _limit(row: StatsRow, width: int) -> str:
    del width
    limit = row.usage.memory_limit_bytes
    return f"/ {render_bytes(limit)}" if limit else ""


def _transfer(
    name: str, take: Callable[[Transfer], float], *, rate: bool = True
) -> Callable[[StatsRow, int], str]:
    """A cell of a transfer; `–` where the engine counts none."""

    def cell(row: StatsRow, width: int) -> str:
        del width
        transfer: Transfer | None = getattr(row.usage, name)
        if transfer is None:
            return "–"
        size = round(take(transfer))
        if not size:
            return "0"
        return f"{render_bytes(size)}/s" if rate else render_bytes(size)

    return cell


def _rates(name: str, titles: tuple[str, str], sort: Sort) -> list[Column]:
    return [
        Column(titles[0], 7, _transfer(name, lambda t: t.in_rate), sort),
        Column(titles[1], 8, _transfer(name, lambda t: t.out_rate), sort),
    ]


def _sums(name: str, titles: tuple[str, str]) -> list[Column]:
    return [
        Column(titles[0], 8, _transfer(name, lambda t: t.in_bytes, rate=False)),
        Column(titles[1], 8, _transfer(name, lambda t: t.out_bytes, rate=False)),
    ]


_NETWORK_RATES = _rates("network", ("NET IN", "NET OUT"), Sort.NETWORK)
_BLOCK_RATES = _rates("block", ("READ", "WRITE"), Sort.BLOCK)
_NETWORK_SUMS = _sums("network", ("RECEIVED", "SENT"))
_BLOCK_SUMS = _sums("block", ("ALL READ", "WRITTEN"))
_COLUMNS = {
    "cpu": Column("CPU", 7, _cpu, Sort.CPU),
    "cpu-curve": Column("", _CURVE_WIDTHS[0], _cpu_curve, Sort.CPU, is_curve=True),
    "memory": Column("MEM", 6, _memory, Sort.MEMORY),
    "limit": Column("LIMIT", 7, _limit, Sort.MEMORY),
    "memory-curve": Column("", _CURVE_WIDTHS[0], _memory_curve, Sort.MEMORY, is_curve=True),
    "net": Column("NET", 7, _transfer("network", lambda t: t.rate), Sort.NETWORK),
    "net-in": _NETWORK_RATES[0],
    "net-out": _NETWORK_RATES[1],
    "block": Column("BLOCK", 7, _transfer("block", lambda t: t.rate), Sort.BLOCK),
    "block-in": _BLOCK_RATES[0],
    "block-out": _BLOCK_RATES[1],
    "received": _NETWORK_SUMS[0],
    "sent": _NETWORK_SUMS[1],
    "read": _BLOCK_SUMS[0],
    "written": _BLOCK_SUMS[1],
}
_RATES = "net-in net-out block-in block-out"
_CHOICES = (
    f"cpu cpu-curve memory limit memory-curve {_RATES} received sent read written",
    f"cpu cpu-curve memory limit memory-curve {_RATES}",
    f"cpu cpu-curve memory limit {_RATES}",
    "cpu cpu-curve memory limit net block",
    "cpu cpu-curve memory net block",
    "cpu cpu-curve memory net",
    "cpu cpu-curve memory block",
    "cpu cpu-curve memory",
    "cpu memory net",
    "cpu memory block",
    "cpu memory",
)
