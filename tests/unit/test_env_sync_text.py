"""Keys merged into an env file: order, comments, line ends; nothing else changes."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from devenv.compose.env_file import parse_env_file
from devenv.compose.env_sync import merge_keys, read_comment
from devenv.compose.env_values import resolve_env_values

EXAMPLE = """\
# Shop settings.

# The port on this machine.
PORT=8080
# The database.
# Ask for the password.
DB_PASSWORD='change me' # at least 12 characters
DB_URL="postgres://app:${DB_PASSWORD}@db/"

export LAST=1
"""


def test_a_new_file_is_the_example_with_its_values() -> None:
    made = merge_keys("", EXAMPLE, {"DB_PASSWORD": "it's $5", "EXTRA": "x"})
    assert made == EXAMPLE.replace("'change me'", '"it\'s \\$5"') + "EXTRA=x\n"


def test_keys_go_where_the_example_has_them() -> None:
    text = "# mine\nPORT=1 # my port\nMINE=2\nLAST=3\n"
    assert merge_keys(text, EXAMPLE, {"DB_PASSWORD": "secret", "DB_URL": None, "NEW": "n"}) == (
        "# mine\nPORT=1 # my port\n"
        "# The database.\n# Ask for the password.\n"
        "DB_PASSWORD=secret # at least 12 characters\n"
        'DB_URL="postgres://app:${DB_PASSWORD}@db/"\n'
        "MINE=2\nLAST=3\nNEW=n\n"
    )


def test_a_key_without_one_before_it_goes_above_the_next() -> None:
    text = "MINE=2\n# the last\nLAST=3"
    assert merge_keys(text, EXAMPLE, {"PORT": None}) == (
        "MINE=2\n# The port on this machine.\nPORT=8080\n# the last\nLAST=3"
    )


def test_line_ends_and_values_that_are_there_stay() -> None:
    text = "A=1\r\nPORT='8\r\n0'\r\nDB_URL=x"
    merged = merge_keys(text, EXAMPLE, {"DB_PASSWORD": "p", "DB_URL": "y", "LAST": None})
    assert merged == (
        "A=1\r\nPORT='8\r\n0'\r\n# The database.\r\n# Ask for the password.\r\n"
        "DB_PASSWORD=p # at least 12 characters\r\nDB_URL=y\r\nexport LAST=1\r\n"
    )


def test_a_broken_file_is_left_alone() -> None:
    with pytest.raises(ValueError, match="refuses"):
        merge_keys('A="\n', EXAMPLE, {"PORT": None})


def test_comments_are_those_above_and_behind() -> None:
    assert read_comment(EXAMPLE, "DB_PASSWORD") == (
        "The database.\nAsk for the password.\nat least 12 characters"
    )
    assert read_comment(EXAMPLE, "LAST") == ""
    assert read_comment(EXAMPLE, "NONE") == ""


names = st.sampled_from(["A", "B", "C", "D", "E"])
lines = st.sampled_from(
    ["# words", "", "A=1", "B='x y' # c", 'C="a\nb"', "D=", "export E=5", "A=2", "X=${A}", "Y"]
)
values = st.none() | st.text(st.sampled_from("a'\"$\\# \n=é"), max_size=5)


@example(["D=", "# words"], [], {"D": "x"}, "\r\n")
@example(["D=  ", "A=1"], [], {"D": "a b"}, "\r\n")
@given(
    st.lists(lines, max_size=8),
    st.lists(lines, max_size=8),
    st.dictionaries(names, values, max_size=4),
    st.sampled_from(["\n", "\r\n"]),
)
@settings(max_examples=200, deadline=None)
def test_what_was_asked_for_is_there_and_the_rest_is_as_before(
    own: list[str], model: list[str], wanted: dict[str, str | None], end: str
) -> None:
    text = "".join(line.replace("\n", end) + end for line in own)
    listing = "".join(line + "\n" for line in model)
    merged = merge_keys(text, listing, wanted)
    after = resolve_env_values(parse_env_file(merged).entries, lambda name: None).values
    before = resolve_env_values(parse_env_file(text).entries, lambda name: None).values
    listed = resolve_env_values(parse_env_file(listing).entries, lambda name: None).values
    start = before if text.strip() else listed
    for name, value in wanted.items():
        if value is not None:
            assert after[name] == value
        elif name in listed or name in before:
            assert name in after
    for name, value in start.items():
        if name not in wanted and name != "X":
            assert after[name] == value
    if text.strip():
        kept = [line for line in text.split(end) if line.startswith("#") or line == "Y"]
        assert [line for line in kept if line not in merged.split(end)] == []
        assert end == "\r\n" or "\r" not in merged
