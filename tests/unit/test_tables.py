"""Tables that fit a terminal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from devenv.report.tables import fit_rows, render_table, shorten

HEAD = ("", "NAME", "STATE", "DIRECTORY")
LEAST = {"NAME": 10, "DIRECTORY": 8}


def test_the_longest_gives_way_first_and_both_ends_are_kept() -> None:
    rows = [("*", "shop-feature-a-very-long-name-3fa2", "3 of 3 up", "~/src/shop")]
    assert fit_rows(HEAD, rows, 50, LEAST) == [
        ("*", "shop-feature…g-name-3fa2", "3 of 3 up", "~/src/shop")
    ]
    assert fit_rows(HEAD, rows, 100, LEAST) == rows


@given(st.lists(st.tuples(*[st.text("abc/-", max_size=60)] * 4), max_size=4), st.integers(60, 120))
def test_no_line_is_longer_where_what_gives_way_is_enough(
    rows: list[tuple[str, ...]], columns: int
) -> None:
    rows = [(row[0][:1], row[1], row[2][:9], row[3]) for row in rows]
    shown = render_table(HEAD, fit_rows(HEAD, rows, columns, LEAST))
    assert max(len(line) for line in shown.splitlines()) <= columns


@given(st.text(max_size=30), st.integers(1, 40))
def test_shortened_text_has_its_ends(text: str, width: int) -> None:
    short = shorten(text, width)
    assert len(short) <= width
    assert short == text or (short[0] in (text[0], "…") and "…" in short)
