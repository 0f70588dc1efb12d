"""Positions of TOML keys: exact for hand-written files, never wrong for generated ones."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devenv.config.toml_positions import KeyPath, find_positions

TEXT = """\
compose = [
  "compose.yaml",  # "not = a key"
  'b.yaml',
]
note = \"\"\"
fake = 1
[fake]
\"\"\"
"a b".c = { d = 1, "e.f" = [ { g = 2 } ] }

  [branches]
  'feature/*' = "x"

[[rules]]
name = "one"
[[rules]]
name = "two"
[rules.inner]
k = 2026-01-02 03:04:05
"""


def test_every_key_and_entry_has_its_line_and_column() -> None:
    assert find_positions(TEXT, tomllib.loads(TEXT)) == {
        ("compose",): (1, 1),
        ("compose", 0): (2, 3),
        ("compose", 1): (3, 3),
        ("note",): (5, 1),
        ("a b",): (9, 1),
        ("a b", "c"): (9, 7),
        ("a b", "c", "d"): (9, 13),
        ("a b", "c", "e.f"): (9, 20),
        ("a b", "c", "e.f", 0): (9, 30),
        ("a b", "c", "e.f", 0, "g"): (9, 32),
        ("branches",): (11, 4),
        ("branches", "feature/*"): (12, 3),
        ("rules",): (14, 3),
        ("rules", 0): (14, 3),
        ("rules", 0, "name"): (15, 1),
        ("rules", 1): (16, 3),
        ("rules", 1, "name"): (17, 1),
        ("rules", 1, "inner"): (18, 8),
        ("rules", 1, "inner", "k"): (19, 1),
    }


def test_windows_line_ends_give_the_same_places() -> None:
    text = TEXT.replace("\n", "\r\n")
    assert find_positions(text, tomllib.loads(text)) == find_positions(TEXT, tomllib.loads(TEXT))


def test_a_key_inside_an_array_of_tables_is_not_the_key_of_the_table_before() -> None:
    text = "[a]\n[[b]]\nk = 1\n[a.k]\nz = 1\n"
    assert find_positions(text, tomllib.loads(text))[("a", "k")] == (4, 4)


def test_nothing_has_a_position_where_the_document_is_another() -> None:
    assert find_positions("a = 1\n", {"a": 2}) == {}
    assert find_positions("a = \n", {"a": 1}) == {}


@pytest.mark.parametrize("value", ['""""quoted""""', "'''it''s'''''", '"""a\\"""b"""', '"\\\\"'])
def test_strings_with_quotes_inside_end_where_tomllib_ends_them(value: str) -> None:
    text = f"a = {value}\nb = 1\n"
    assert find_positions(text, tomllib.loads(text)) == {("a",): (1, 1), ("b",): (2, 1)}


_text = st.text(alphabet="ab\"'\\#=[]{}.,\n\t é", max_size=6)
_plain = st.one_of(st.integers(-99, 99), st.booleans(), _text)
_value = st.recursive(
    _plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3)
)
_layout = st.sampled_from(["", " ", "\n", " # x = [\n", "\n\n  "])


@st.composite
def _documents(draw: st.DrawFn) -> tuple[str, dict[KeyPath, tuple[int, int]]]:
    """A TOML text and where its writer put each key and entry."""
    out: list[str] = []
    places: dict[KeyPath, tuple[int, int]] = {}

    def mark(path: KeyPath) -> None:
        text = "".join(out)
        places[path] = (text.count("\n") + 1, len(text) - text.rfind("\n"))

    def quoted(value: str) -> str:
        if draw(st.booleans()) and "'" not in value and "\n" not in value:
            return f"'{value}'"
        return json.dumps(value)

    def string(value: str) -> str:
        style = draw(st.sampled_from("mlq"))
        if style == "m":
            return '"""' + "\n" + json.dumps(value)[1:-1].replace("\\n", "\n") + '"""'
        if style == "l" and "''" not in value and not value.endswith("'"):
            return "'''\n" + value + "'''"
        return quoted(value)

    def write(value: Any, path: KeyPath) -> None:
        if isinstance(value, dict):
            out.append("{")
            for number, (name, inner) in enumerate(value.items()):
                out.append(", " if number else " ")
                mark((*path, name))
                out.append(f"{quoted(name)} = ")
                write(inner, (*path, name))
            out.append("}")
        elif isinstance(value, list):
            out.append("[")
            for index, inner in enumerate(value):
                out.append(draw(_layout))
                mark((*path, index))
                write(inner, (*path, index))
                out.append(draw(_layout) + ",")
            out.append(draw(_layout) + "]")
        elif isinstance(value, str):
            out.append(string(value))
        else:
            out.append(json.dumps(value))

    def pairs(table: dict[str, Any], path: KeyPath) -> None:
        for name, value in table.items():
            out.append(draw(st.sampled_from(["", "  ", "# note\n", "\n"])))
            mark((*path, name))
            out.append(f"{quoted(name)} = ")
            write(value, (*path, name))
            out.append(draw(st.sampled_from(["\n", " # end ]\n", "\r\n"])))

    tables = draw(st.dictionaries(_text, st.dictionaries(_text, _value, max_size=3), max_size=3))
    top = draw(st.dictionaries(_text, _value, max_size=3))
    pairs({name: value for name, value in top.items() if name not in tables}, ())
    for name, table in tables.items():
        out.append("[ ")
        mark((name,))
        out.append(f"{quoted(name)} ]\n")
        pairs(table, (name,))
    return "".join(out), places


@given(_documents())
def test_the_scanner_finds_what_the_writer_wrote(
    written: tuple[str, dict[KeyPath, tuple[int, int]]],
) -> None:
    text, places = written
    assert find_positions(text, tomllib.loads(text)) == places


@given(st.text(alphabet="ab=\"'[]{}.,#\n\\ 1", max_size=40))
def test_any_text_that_tomllib_reads_gets_places_of_that_very_key(text: str) -> None:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        document = {"a": 1}
    lines = text.split("\n")
    for path, (line, column) in find_positions(text, document).items():
        if isinstance(path[-1], str):
            rest = lines[line - 1][column - 1 :]
            assert rest.startswith((path[-1] or "''", '"', "'"))
