"""The first look before a start: it may doubt too much, and never too little."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from devenv.cli.env_files import load_env_profiles
from devenv.cli.env_sync import find_questions
from devenv.cli.session import Session
from devenv.compose.env_quick import may_lack_values

PIECES = [
    "${A}",
    "$A",
    "${A:?x}",
    "${A?x}",
    "${A:-d}",
    "${A-}",
    "${A:+y}",
    "$$A",
    "$$$A",
    "${B:-$A}",
]
ENVS = ["", "A=1\n", "A=\n", "A=''\n", "export A=1\n", "A: 1\n", "A=x # c\n", "B=1\n", "A=1\nA=\n"]


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("shell", [None, "", "x"])
def test_what_is_missing_is_never_overlooked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: str, shell: str | None
) -> None:
    for name in "AB":
        monkeypatch.delenv(name, raising=False)
    if shell is not None:
        monkeypatch.setenv("A", shell)
    compose = f"services: {{app: {{image: 'x', command: ['{piece}']}}}}\n"
    (tmp_path / "compose.yaml").write_text(compose)
    for text in ENVS:
        (tmp_path / ".env").write_text(text)
        arguments = argparse.Namespace(directory=str(tmp_path), profile=None, context=None)
        found = find_questions(load_env_profiles(Session(arguments)), only_needed=True)
        known = {"A"} if shell else set()
        if found:
            assert may_lack_values([compose], [text], "", known), text


FORMS = [
    "{A: }",
    "{A: null, B: 1}",
    "{A: ~}",
    "{A}",
    "{'A': NULL}",
    "{A: 1}",
    "{A: '${A:-d}'}",
    "{B: $$A}",
    "[A]",
    "[B, A]",
    "['A']",
    "[A=1]",
    "[A=]",
    "[B=A]",
    "\n      A:\n",
    "\n      A: # later\n",
    "\n      A: &a\n",
    "\n      A: !!null\n",
    "\n      A:\n        text\n",
    "\n      A: text\n",
    "\n      - A\n",
    "\n      - B=1 # A\n      - A # the token\n",
    "\n      - A=1\n",
]


@pytest.mark.parametrize("form", FORMS)
def test_what_a_container_asks_for_by_name_is_never_overlooked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    for name in "AB":
        monkeypatch.delenv(name, raising=False)
    compose = f"services:\n  app:\n    image: x\n    environment: {form}\n"
    (tmp_path / "compose.yaml").write_text(compose)
    (tmp_path / ".env.example").write_text("A=\n")
    arguments = argparse.Namespace(directory=str(tmp_path), profile=None, context=None)
    found = find_questions(load_env_profiles(Session(arguments)), only_needed=True)
    if found:
        assert may_lack_values([compose], [], "A=\n", set())


@pytest.mark.parametrize(
    ("compose", "env", "example", "doubt"),
    [
        ("image: x:${TAG}", "TAG=1\n", "TAG=\n", False),
        ("image: x:${TAG:-1}\ncommand: echo $$HOME", "", "TAG=\n", False),
        ("environment:\n  TAG: ${TAG:-1}\n  B: $${TAG}", "", "TAG=\n", False),
        ("environment:\n  TAG:\n  B: ${TAG:-1}", "", "TAG=\n", True),
        ("image: x:${TAG:-1}\ncommand: echo $$HOME", "", "", False),
        ("image: x", "", "OTHER=\n", False),
        ("environment: [TOKEN]", "", "TOKEN=\n", True),
        ("environment: [TOKEN]", "TOKEN=\n", "TOKEN=\n", False),
        ("include: [other.yaml]", "", "", True),
        ("app:\n  extends: {file: x.yaml}", "", "", True),
        ("image: x", "A=$B\n", "", True),
    ],
)
def test_doubts(compose: str, env: str, example: str, doubt: bool) -> None:
    assert may_lack_values([compose], [env], example, set()) is doubt
