"""Env files as they are shown: no value is, and the lines stay where they are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from devenv.compose.env_mask import mask_env_line, mask_env_text
from devenv.compose.secrets import MASK
from devenv.report.text_diff import render_diff, split_lines

SECRET = "Xq7hunter2"
forms = st.sampled_from(
    [
        f"A={SECRET}",
        f"export A = '{SECRET}' # why",
        f'A="one\n{SECRET}\ntwo"',
        f'A="x"{SECRET}',
        f"A: {SECRET}",
        f"bad/name={SECRET}",
        f"# API_TOKEN={SECRET}",
        f'A="x {SECRET}',
        f"A='x\n{SECRET}==\ny",
        "B=1",
        "C",
        "",
        "# words",
        "D= ",
    ]
)


@given(st.lists(forms, max_size=8), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_no_value_is_shown(lines: list[str], end: str, is_raw: bool) -> None:
    text = end.join(lines)
    shown = mask_env_text(text, is_raw=is_raw and "\n" + SECRET not in text)
    assert SECRET not in shown
    assert shown.count("\n") == text.count("\n")


@given(st.text(max_size=200))
def test_any_text_keeps_its_lines(text: str) -> None:
    assert mask_env_text(text).count("\n") == text.count("\n")


def test_names_comments_and_quotes_stay() -> None:
    text = "# head\nexport A='x y' # why\nB=\nC=1\nD\n"
    assert mask_env_text(text) == f"# head\nexport A='{MASK}' # why\nB=\nC={MASK}\nD\n"
    assert mask_env_line("PORT=80") == f"PORT={MASK}"


def test_a_diff_compares_what_it_does_not_show() -> None:
    before, after = "A=1\nB=2\n", "A=1\nB=3\nC=4\n"
    lines = render_diff(
        split_lines(before),
        split_lines(after),
        split_lines(mask_env_text(before)),
        split_lines(mask_env_text(after)),
        old_name="a/.env",
        new_name="b/.env",
    )
    assert list(lines) == [
        "--- a/.env",
        "+++ b/.env",
        "@@ -1,2 +1,3 @@",
        f" A={MASK}",
        f"-B={MASK}",
        f"+B={MASK}",
        f"+C={MASK}",
    ]
    assert not list(render_diff(["x"], ["x"], ["x"], ["x"], old_name="a", new_name="b"))
