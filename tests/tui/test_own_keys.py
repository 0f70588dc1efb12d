"""`[keys]` of devenv.toml, and docs/keys.md held against the bindings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.binding import Binding
from textual.keys import _character_to_key

from devenv.config.settings import parse_settings
from devenv.errors import ConfigError
from devenv.state.effects import RunOperation
from devenv.state.model import OperationKind
from devenv.tui.key_names import RESERVED, format_keys, resolve_bindings
from devenv.tui.keys import load_bindings, render_key
from devenv.tui.screens import Help
from tests.tui import states
from tests.tui.harness import StartedApp, make
from tests.tui.test_shown import screen_text

DOCS = Path(__file__).parents[2] / "docs" / "keys.md"
ROW = re.compile(r"^\| (?P<keys>.+?) \| `(?P<name>\w+)` \| (?P<what>.+) \|$", re.MULTILINE)


def resolve(text: str) -> dict[str, Binding]:
    settings = parse_settings(text, "devenv.toml")
    bindings = resolve_bindings(
        load_bindings(), settings.keys, lambda action: settings.source("keys", action)
    )
    return {binding.id or "": binding for binding in bindings}


def test_the_page_names_every_action_with_its_keys_and_no_other() -> None:
    rows = {row["name"]: row["keys"] for row in ROW.finditer(DOCS.read_text(encoding="utf-8"))}
    expected = {
        b.id: " ".join(f"`{k}`" for k in format_keys(b.key).split()) for b in load_bindings()
    }
    assert rows == expected


def test_the_example_of_the_page_is_good() -> None:
    found = re.search(r"```toml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    bindings = resolve(found[1])
    assert (bindings["restart"].key, bindings["stop"].key) == ("ctrl+r", "r")
    assert bindings["next_tab"].key == "right_square_bracket,f8"
    assert (bindings["down"].key, render_key(bindings["down"])) == ("", "")


@pytest.mark.parametrize(
    ("written", "key", "shown"),
    [
        ("r", "r", "r"),
        ("R", "R", "R"),
        ("shift+r", "R", "R"),
        ("?", "question_mark", "?"),
        ("+", "plus", "+"),
        (",", "comma", ","),
        ("ctrl++", "ctrl+plus", "^+"),
        ("Ctrl+R", "ctrl+r", "^r"),
        ("shift+ctrl+F5", "ctrl+shift+f5", "shift+^f5"),
        ("alt+/", "alt+slash", "alt+/"),
        ("F5", "f5", "f5"),
        ("esc", "escape", "esc"),
        ("space", "space", "space"),
    ],
)
def test_how_a_key_can_be_written(written: str, key: str, shown: str) -> None:
    bound = resolve(f"[keys]\nall_services = '{written}'\n{_free(key)}")["all_services"]
    assert (bound.key, render_key(bound)) == (key, shown)


def _free(key: str) -> str:
    """Takes the key from whoever has it by default."""
    owners = [b.id for b in load_bindings() if key in b.key.split(",") and b.id != "all_services"]
    return "".join(f"{name} = ''\n" for name in owners)


@given(st.characters(min_codepoint=33, max_codepoint=126))
def test_every_printable_character_is_a_key_as_textual_has_it(character: str) -> None:
    taken = {binding.id or "": "" for binding in load_bindings()} | {"up": character}
    (bound,) = (b for b in resolve_bindings(load_bindings(), taken, lambda _: None) if b.id == "up")
    assert bound.key == _character_to_key(character)


@pytest.mark.parametrize(
    ("lines", "line", "message", "fix"),
    [
        ("restrat = 'z'", 2, "no action 'restrat'", "did you mean 'restart'?"),
        ("zzz = 'z'", 2, "no action 'zzz'", "actions: help, up, restart"),
        ("up = 'z'\nrestart = 's'", 3, "'restart' and 'stop' would both be on s", "'stop'"),
        ("up = 'z'\nstop = 'z'", 3, "'stop' and 'up' would both be on z", "another key"),
        ("up = 'cntrl+r'", 2, "no key 'cntrl+r'", "did you mean 'ctrl'?"),
        ("up = 'escap'", 2, "no key 'escap'", "did you mean 'escape'?"),
        ("up = 'ctrl+c'", 2, "cannot be on ^c: that key always leaves", "another key"),
        ("up = 'enter'", 2, "'up' cannot be on", "another key"),
        ("up = 'ctrl+i'", 2, "is Tab in a terminal", "another key"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(lines: str, line: int, message: str, fix: str) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve(f"[keys]\n{lines}\n")
    error = caught.value
    assert message in error.message and fix in (error.fix or "")
    assert error.source is not None and (error.source.path, error.source.line) == (
        "devenv.toml",
        line,
    )


def test_no_default_is_reserved_or_given_twice() -> None:
    keys = [key for binding in load_bindings() for key in binding.key.split(",")]
    assert len(keys) - len(set(keys)) == 2 and not set(keys) & set(RESERVED)
    assert len({binding.id for binding in load_bindings()}) == len(load_bindings())


async def test_footer_help_palette_and_the_keys_themselves_follow() -> None:
    harness = make(states.healthy())
    bindings = resolve_bindings(
        load_bindings(), {"restart": "ctrl+r", "down": "", "stop": "r"}, lambda _: None
    )
    harness.app = StartedApp(harness.store, harness.logs, harness.app._ports, lambda: bindings)
    async with harness.app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        footer = screen_text(harness).splitlines()[-1]
        assert "^r Restart" in footer and "r Stop" in footer
        await pilot.press("ctrl+r", "r", "s", "d")
        assert harness.drain() == [
            RunOperation(OperationKind.RESTART),
            RunOperation(OperationKind.STOP),
        ]
        commands = {c.title: c.help for c in harness.app.get_system_commands(harness.app.screen)}
        assert commands["Restart"] == "key ^r" and commands["Remove containers (asks)"] == "no key"
        await pilot.press("question_mark")
        assert isinstance(harness.app.screen, Help)
        rows = {what: key for key, what in harness.app.screen._rows}
        assert (rows["Restart"], rows["Stop"], rows["Remove containers (asks)"]) == ("^r", "r", "")
