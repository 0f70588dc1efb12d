"""What somebody may have meant who asked for a profile or branch that there is not."""

from __future__ import annotations

import pytest

from devenv.cli.switching import find_near

KNOWN = ("dev", "search", "main", "feature/search-index", "feature/Login", "fix/typo")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("serch", ["search"]),
        ("Main", ["main"]),
        ("login", ["feature/Login"]),
        ("feature/serch-index", ["feature/search-index"]),
        ("feature/login", ["feature/Login"]),
        ("zzzz", []),
    ],
)
def test_near_names(typed: str, meant: list[str]) -> None:
    assert find_near(typed, KNOWN) == meant
