"""Log text is harmless: known terminal attacks, and whatever else comes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devenv.state.text import clean_line, clean_lines, sanitize

ATTACKS = {
    "title": "\x1b]0;title\x07x",
    "title that is reported back as typed text": "\x1b]2;;id;\x07\x1b[21tx",
    "clipboard write": "\x1b]52;c;ZXZpbA==\x07x",
    "clipboard read": "\x1b]52;c;?\x1b\\x",
    "hyperlink": "\x1b]8;;http://example.org\x1b\\x",
    "hyperlink to a file": "\x1b]8;id=1;file:///etc/passwd\x07x\x1b]8;;\x07",
    "OSC ended by the 8-bit ST": "\x1b]0;title\x9cx",
    "OSC without an end": "x\x1b]0;title",
    "file download of iTerm2": "\x1b]1337;File=inline=1:AAAA\x07x",
    "notification": "\x1b]777;notify;a;b\x07x",
    "colour palette": "\x1b]4;1;rgb:ff/ff/ff\x07x",
    "working directory": "\x1b]7;file://host/tmp\x07x",
    "semantic prompt": "\x1b]133;A\x07x",
    "clear and home": "\x1b[2J\x1b[Hx",
    "cursor up to overwrite": "\x1b[1A\x1b[2Kx",
    "save and restore cursor": "\x1b7x\x1b8",
    "scroll region": "\x1b[1;1rx",
    "insert and delete lines": "\x1b[99L\x1b[99Mx",
    "alternate screen": "\x1b[?1049hx",
    "mouse reports": "\x1b[?1000h\x1b[?1006hx",
    "bracketed paste": "\x1b[200~x\x1b[201~",
    "bracketed paste off": "\x1b[?2004lx",
    "hidden cursor": "\x1b[?25lx",
    "device attributes": "\x1b[c\x1b[>c\x1b[=cx",
    "cursor position report": "\x1b[6nx",
    "window report and resize": "\x1b[18t\x1b[8;1;1tx",
    "keyboard protocol": "\x1b[>1u\x1b[?ux",
    "reset": "\x1bcx",
    "soft reset": "\x1b[!px",
    "character set": "\x1b(0\x1b)0\x0ex\x0f",
    "8-bit CSI": "\x9b2Jx",
    "8-bit OSC": "\x9d\x9cx",
    "8-bit DCS": "\x90\x9cx",
    "sixel": "\x1bPq#0;2;0;0;0~\x1b\\x",
    "DECRQSS": "\x1bP$qm\x1b\\x",
    "tmux passthrough": "\x1bPtmux;\x1b\x1b]52;c;AA==\x07\x1b\\x",
    "kitty graphics": "\x1b_Gf=24;AAAA\x1b\\x",
    "privacy message": "\x1b^secret\x1b\\x",
    "start of string": "\x1bXtext\x1b\\x",
    "media copy: print": "\x1b[5i\x1b[4ix",
    "memory bomb": "\x1b[2147483647bx",
    "repeated character": "\x1b[999999999@x",
    "interrupted sequence": "\x1b[3\x1b[2Jx",
    "escape in a sequence": "\x1b[\x1b]0;t\x07x",
    "control inside a sequence": "\x1b\x08x",
    "two escapes": "\x1b\x1b[2Jx",
    "concealed text": "\x1b[8mx\x1b[28m",
    "blinking": "\x1b[5mx\x1b[25m",
    "far too long colour": "\x1b[" + "1;" * 500 + "mx",
    "backspace over what stands there": "\x08\x08x",
    "bell": "\x07x",
    "right-to-left override": "\u202ex\u202c",
    "isolates": "\u2066x\u2069",
    "NUL": "\x00x\x00",
    "DEL": "\x7fx",
    "form feed and vertical tab": "\x0b\x0cx",
    "ENQ: answer back": "\x05x",
    "XON and XOFF": "\x13\x11x",
}


@pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS.keys())
def test_terminal_attacks_leave_only_the_text(text: str) -> None:
    assert sanitize(text).replace("]52;c;AA==", "") == "x"
    kept = sanitize(text, keep_colours=True).replace("]52;c;AA==", "")
    assert re.sub(r"\x1b\[2[58]m", "", kept) == "x"
    for raw in (text.encode(), text.encode("latin-1", errors="ignore")):
        plain, styled = clean_line(raw)
        assert not re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", plain)
        assert b"\x1b" not in re.sub(rb"\x1b\[[0-9;:]*m", b"", styled or b"")


@given(st.text(alphabet=st.characters() | st.sampled_from("\x1b[]0;58m\x07\\\x9c")))
def test_no_escape_survives(text: str) -> None:
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", sanitize(text))
    kept = sanitize(text, keep_colours=True)
    assert "\x1b" not in re.sub(r"\x1b\[[0-9;:]*m", "", kept)


@given(st.lists(st.binary(max_size=40) | st.sampled_from([b"plain", b"\x1b[1mb\x1b[m", b"a\rb"])))
def test_a_batch_is_cleaned_like_its_lines(lines: list[bytes]) -> None:
    plain, styled = clean_lines([line.replace(b"\n", b"") for line in lines])
    for index, line in enumerate(lines):
        clean, coloured = clean_line(line.replace(b"\n", b""))
        assert plain[index] == clean and styled.get(index) == coloured
        clean.decode()
        assert b"\n" not in clean and b"\x1b" not in clean


def test_colours_are_kept_on_request() -> None:
    assert sanitize("\x1b[31mred\x1b[0m", keep_colours=True) == "\x1b[31mred\x1b[0m"
    assert sanitize("\x1b[38;5;8mgrey", keep_colours=True) == "\x1b[38;5;8mgrey"
    assert sanitize("\x1b[1;8;31mx", keep_colours=True) == "\x1b[1;31mx"
    assert sanitize("\x1b[31mred\x1b[0m") == "red"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"10%\r20%\r30%", b"30%"),
        (b"done\r", b"done"),
        (b"\x1b[K10%\r\x1b[K20%\r", b"20%"),
        (b"\r\r", b""),
        ("a\u0301 終 👩‍💻".encode(), "a\u0301 終 👩‍💻".encode()),
        (b"tab\there", b"tab\there"),
    ],
)
def test_a_progress_bar_is_its_last_state(raw: bytes, shown: bytes) -> None:
    assert clean_line(raw)[0] == shown
