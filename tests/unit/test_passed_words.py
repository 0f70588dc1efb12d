"""Which words of a command line are devenv's and which are Compose's."""

from __future__ import annotations

import pytest

from devenv.cli.main import mark_passed_words


@pytest.mark.parametrize(
    ("words", "marked"),
    [
        ("compose ps", "compose -- ps"),
        ("compose --progress plain build", "compose -- --progress plain build"),
        ("compose -- --progress plain build", "compose -- --progress plain build"),
        ("-C dir compose -f x ps", "-C dir compose -- -f x ps"),
        ("compose --profile dev --no-color ps -a", "compose --profile dev --no-color -- ps -a"),
        ("compose --profile=dev up", "compose --profile=dev -- up"),
        ("compose", "compose"),
        ("compose --help", "compose --help"),
        ("--profile compose up", "--profile compose up"),
        ("exec app compose -x", "exec app compose -x"),
        ("", ""),
    ],
)
def test_compose_gets_its_own_options(words: str, marked: str) -> None:
    assert mark_passed_words(words.split()) == marked.split()
