"""How each editor is told the line."""

from __future__ import annotations

import pytest

from devenv.cli.terminal import editor_argv


@pytest.mark.parametrize(
    ("editor", "argv"),
    [
        ("vim", ["vim", "+7", "/p/a b.yaml"]),
        ("nvim -p", ["nvim", "-p", "+7", "/p/a b.yaml"]),
        ("nano", ["nano", "+7", "/p/a b.yaml"]),
        ("emacs -nw", ["emacs", "-nw", "+7", "/p/a b.yaml"]),
        ("emacsclient -t", ["emacsclient", "-t", "+7", "/p/a b.yaml"]),
        ("/opt/bin/hx", ["/opt/bin/hx", "/p/a b.yaml:7"]),
        ("code", ["code", "--wait", "--goto", "/p/a b.yaml:7"]),
        ("idea", ["idea", "--wait", "--line", "7", "/p/a b.yaml"]),
    ],
)
def test_the_line_is_passed_as_the_editor_takes_it(editor: str, argv: list[str]) -> None:
    assert list(editor_argv({"EDITOR": editor}, "/p/a b.yaml", 7)) == argv
    assert list(editor_argv({"EDITOR": "x", "VISUAL": editor}, "/p/a b.yaml", 7)) == argv


def test_there_is_always_some_editor() -> None:
    assert editor_argv({}, "/p/x", 1)[0]
