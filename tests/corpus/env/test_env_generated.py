"""Env files that nobody wrote: devenv reads them as Compose does, and never falls over one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devenv.compose.env_entries import EntryKind
from devenv.compose.env_file import parse_env_file, parse_raw_env_file
from devenv.compose.env_values import read_value, references, resolve_env_values
from tests.corpus.env.readings import RealReader, predict_interpolation, predict_service

NAMES = ["A", "B", "C", "_d", "E.x", "SHELL_VAR", "EMPTY_VAR", "OWN", "é", "1F", "A B", "G\t"]
PARTS = [
    *("x", "y z", " ", "\t", "  ", "#", " # c", "\t#", "=", ":", "'", '"', "é", "\u00a0", "\u2003"),
    *("\\", "\\n", "\\t", "\\$", '\\"', "\\'", "\\\\", "\\0101", "\\07", "\\0777", "\\x", "\r"),
    *("$", "$$", "$A", "${A}", "$B", "$nope", "${nope}", "$SHELL_VAR", "${EMPTY_VAR}", "$1", "$("),
    *("${A:-d}", "${nope:-$A}", "${nope-x y}", "${A:+z}", "${B+z}", "${nope:-${A:-q}}", "${OWN}"),
    *("${nope:-{a}}", "${nope:-a}}", "${A:-${}}", "{", "}", "-", "?", "\x01", "\x1c", "\n"),
]
REFUSED = ["${", "${}", "${1}", "${A", "${nope:?m}", "${nope?}", "${EMPTY_VAR:?}", "${A:-${nope?}}"]
SEPARATORS = ["=", "=", "=", " = ", "= ", "=\t", ":", ": "]
ENDS = ["\n", "\n", "\n", "\r\n", " # c\n", "#c\n", "x\n", " \n", "\n\n"]


@st.composite
def statements(draw: st.DrawFn) -> str:
    kind = draw(st.integers(0, 19))
    if kind == 0:
        return draw(st.sampled_from(["# c\n", "\n", "  # x\n", "foo\n", "[s]\n", "SHELL_VAR\n"]))
    if kind == 1:
        return draw(st.sampled_from(["a/b=1\n", "export \n", "foo bar\n", "=1\n", "x+=1\n", "w"]))
    name = draw(st.sampled_from(["", "", "", "export ", " "])) + draw(st.sampled_from(NAMES[:10]))
    if kind == 2:
        name = draw(st.sampled_from(NAMES))
    quote = draw(st.sampled_from(["", "", '"', "'"]))
    parts = draw(st.lists(st.sampled_from(PARTS + REFUSED if kind < 5 else PARTS), max_size=6))
    body = "".join(parts)
    if quote and kind > 4:
        body = body.replace("\\" + quote, "\\\\").replace(quote, "")
        body = body + "\\" if (len(body) - len(body.rstrip("\\"))) % 2 else body
    elif not quote:
        body = body.replace("\n", "") if kind > 4 else body
        body = body if not body.lstrip().startswith(('"', "'")) else f"q{body}"
    return (
        name
        + draw(st.sampled_from(SEPARATORS))
        + quote
        + body
        + quote
        + draw(st.sampled_from(ENDS))
    )


STEADY = settings(
    deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
FILES = st.lists(statements(), min_size=1, max_size=6).map("".join).map(str.encode)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealReader]:
    yield RealReader(tmp_path_factory.mktemp("env"))


@given(files=st.lists(FILES, min_size=20, max_size=30))
@settings(STEADY, max_examples=20)
def test_a_container_gets_what_devenv_predicts(real: RealReader, files: list[bytes]) -> None:
    """Files that devenv takes are read at once; each that it refuses, by itself."""
    good = [content for content in files if predict_service(content) is not None]
    assert real.read_services(good) == [predict_service(content) for content in good]
    for content in files:
        if content not in good:
            assert real.read_service(content) is None, content


@given(content=FILES)
@settings(STEADY, max_examples=120)
def test_interpolation_gets_what_devenv_predicts(real: RealReader, content: bytes) -> None:
    assert predict_interpolation(content) == real.read_interpolation(content)


@given(text=st.text() | FILES.map(bytes.decode) | st.text("A=\"'$\\{}:-?\n #\r\0x"))
@settings(STEADY, max_examples=500)
def test_any_text_is_read_and_every_place_is_right(text: str) -> None:
    lines = text.split("\n")
    for file in (parse_env_file(text), parse_raw_env_file(text)):
        for entry in file.entries:
            assert text[entry.name_start : entry.name_end] == entry.name
            assert text[entry.value_start : entry.value_end] == entry.raw
            assert lines[entry.line - 1][entry.column - 1 :].startswith(entry.name.split("\n")[0])
            if entry.kind is EntryKind.ASSIGNMENT:
                first = entry.raw.split("\n")[0]
                assert lines[entry.value_line - 1][entry.value_column - 1 :].startswith(first)
            for one in references(entry):
                assert text[one.start] == "$" or "\\" in entry.raw
                assert one.name in text[one.start : one.end]
                assert lines[one.line - 1][one.column - 1] == text[one.start]
            read_value(entry)
        for fault in file.faults:
            assert 1 <= fault.line <= len(lines)
            assert 1 <= fault.column <= len(lines[fault.line - 1]) + 1
        resolve_env_values(file.entries, {"A": "1"}.get)
