"""Places in Compose files, and errors that are given theirs."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devenv.compose.positions import find_key, find_yaml_fault, render_excerpt
from devenv.engine.errors import InvalidModel
from devenv.engine.placing import place_error
from devenv.errors import ComposeFileError

TEXT = """\
services:
  app:
    image: x
    ports: !override
      - "80:80"
      - target: 90
"""


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("services", "app", "image"), (3, 5)),
        (("services", "app", "ports", "1", "target"), (6, 9)),
        (("services", "app", "absent"), (2, 3)),
        (("absent",), None),
    ],
)
def test_keys(path: tuple[str, ...], place: tuple[int, int] | None) -> None:
    assert find_key(TEXT, path) == place


def test_a_syntax_error_has_line_column_and_caret(tmp_path: Path) -> None:
    text = "services:\n  a:\n    image: x\n   ports: [\n"
    file = tmp_path / "compose.yaml"
    file.write_text(text, encoding="utf-8")
    error = place_error(ComposeFileError("go-yaml load error"), [file])
    assert str(error.source) == f"{file}:4:4"
    assert error.excerpt == "4 |    ports: [\n       ^"


def test_a_key_is_found_in_the_file_that_wins(tmp_path: Path) -> None:
    base, override = tmp_path / "a.yaml", tmp_path / "b.yaml"
    base.write_text("services:\n  a:\n    imag: x\n", encoding="utf-8")
    override.write_text("services:\n\n  a:\n    imag: y\n", encoding="utf-8")
    path = ("services", "a", "imag")
    error = place_error(InvalidModel("no", key_path=path), [base, override])
    assert str(error.source) == f"{override}:4:5"


@given(st.text(alphabet="ab:[]{}-\"'\n \t&*!#|>%@\x00", max_size=60))
def test_any_text_is_looked_through_without_an_error(text: str) -> None:
    fault = find_yaml_fault(text)
    assert fault is None or (fault.line >= 1 and fault.column >= 1)
    find_key(text, ("a", "b"))


def test_excerpts_outside_the_text_are_empty() -> None:
    assert render_excerpt("a", 7, 1) == ""
