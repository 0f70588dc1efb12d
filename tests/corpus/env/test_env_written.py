"""What devenv writes into env files, read back by the real Compose."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devenv.compose.env_file import parse_env_file
from devenv.compose.env_values import resolve_env_values
from devenv.compose.env_write import render_value, set_values
from tests.corpus.env.readings import SHELL, RealReader

TRICKY = [
    *("", " ", "  x ", "a b", "#", "#c", "a #c", "a#c", "'", '"', "''", "it's", 'say "x"', "`id`"),
    *("$", "$$", "$HOME", "${HOME}", "${nope:?m}", "pa$sword", "p@$$w0rd", "\\", "a\\", "\\\\"),
    *("\\n", "C:\\temp\\new", "\\$", '\\"', "\\'", "a\nb", "\n", "a\r\nb", "\r", "\t", "\x0b\x01"),
    *(
        "é日本👍",
        "\u00a0x\u00a0",
        "\u2028",
        "\ufeff",
        "=",
        "a=b",
        "export x",
        ": y",
        "{}",
        "!x",
        "~",
    ),
    *("\\0101", "\\a", "\x1b[31m", "\x7f", "${A:-\\}", "'\\''", '"\\$"', "$'x'", "-----BEGIN\nx=="),
]
texts = st.text(
    st.one_of(
        st.sampled_from("\"'\\$#{}:-=?!` \t\n\r\x0b\x01\u00a0\u2028é日👍aN0"),
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    ),
    max_size=12,
)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> RealReader:
    return RealReader(tmp_path_factory.mktemp("written"))


def expect_read_back(real: RealReader, values: list[str]) -> None:
    names = {f"K{index}": value for index, value in enumerate(values)}
    text = set_values("", names)
    assert text.count("\n") == len(values)
    known = resolve_env_values(parse_env_file(text).entries, SHELL.get).values
    assert {name: known[name] for name in names} == names
    assert real.read_service(text.encode()) == names


def test_tricky_values_are_read_back(real: RealReader) -> None:
    expect_read_back(real, TRICKY)


@given(st.lists(texts, min_size=10, max_size=40))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_value_is_read_back(real: RealReader, values: list[str]) -> None:
    expect_read_back(real, values)


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_a_value_is_replaced_where_it_stands(end: str) -> None:
    before = "# head|export A = \"old|value\" # why|B='x'|A=older # the last|C= # a value|"
    before = before.replace("|", end)
    for value in TRICKY:
        after = set_values(before, {"A": value, "C": value, "NEW": value})
        known = resolve_env_values(parse_env_file(after).entries, SHELL.get).values
        assert {name: known[name] for name in "ABC"} == {"A": value, "B": "x", "C": value}
        assert known["NEW"] == value
        assert after.startswith(before[: before.index("older")])
        assert " # the last" in after
        assert after.count(end) == before.count(end) + 1
        assert after.replace("\r\n", "").count("\r") == 0


def test_an_empty_value_before_a_comment_stays_empty(real: RealReader) -> None:
    text = set_values("A=x # why\nB=x\n", {"A": "", "B": ""})
    assert text == "A='' # why\nB=\n"
    assert real.read_service(text.encode()) == {"A": "", "B": ""}


def test_what_cannot_be_written_is_refused() -> None:
    with pytest.raises(ValueError, match="NUL"):
        render_value("a\0b")
    with pytest.raises(ValueError, match="refuses"):
        set_values('A=1\nB="\n', {"A": "2"})
