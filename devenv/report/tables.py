"""Rows as aligned text, durations and sizes as people write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def render_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns two blanks apart, as wide as their widest cell; no trailing blanks."""
    table = [header, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(header))]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        + "\n"
        for row in table
    )


def fit_rows(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    columns: int,
    least: Mapping[str, int],
) -> list[tuple[str, ...]]:
    """The rows with cells shortened in their middle, the longest first, so that the table is at
    most `columns` wide. Only columns of `least` give way, down to that many characters."""
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]
    over = sum(widths) + 2 * (len(widths) - 1) - columns
    while over > 0:
        room = {i: widths[i] - least[name] for i, name in enumerate(header) if name in least}
        wide = max((i for i in room if room[i] > 0), key=lambda i: widths[i], default=None)
        if wide is None:
            break
        widths[wide] -= 1
        over -= 1
    return [tuple(shorten(cell, widths[i]) for i, cell in enumerate(row)) for row in rows]


def shorten(text: str, width: int) -> str:
    """`text` in at most `width` characters (at least 1): its middle gives way to `…`."""
    if len(text) <= width:
        return text
    end = (width - 1) // 2
    return f"{text[: width - 1 - end]}…{text[len(text) - end :]}"


def render_duration(seconds: float) -> str:
    """`4 s`, `3 m`, `2 h`, `5 d`: one unit, for a column."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{max(0, int(seconds))} s"


def render_bytes(size: int) -> str:
    """Binary units, at most one decimal: `820 B`, `12.5 MiB`."""
    number = float(size)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} TiB"
