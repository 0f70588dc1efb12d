"""Nested aliases are counted as Compose would expand them, without expanding them."""

from __future__ import annotations

import pytest

from devenv.compose.aliases import expands_too_far


def doubled(levels: int) -> str:
    """`levels` anchors, each of which names the one before twice."""
    lines = ["a0: &a0 [x]"]
    lines += [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, levels + 1)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(("levels", "expected"), [(5, False), (16, False), (20, True), (60, True)])
def test_doubling(levels: int, expected: bool) -> None:
    assert expands_too_far(doubled(levels)) is expected


def test_many_uses_of_one_anchor_are_fine() -> None:
    uses = "".join(f"  s{n}: {{<<: *common, image: x}}\n" for n in range(500))
    text = f"x-common: &common {{restart: always, environment: {{A: b}}}}\nservices:\n{uses}"
    assert not expands_too_far(text)


def test_a_loop_is_endless() -> None:
    assert expands_too_far("a: &a [" + ", ".join(["*a"] * 12) + "]\n")


@pytest.mark.parametrize("text", ["", "* * * * * * * * * * * * *", "a: [" + "*x, " * 20])
def test_what_is_no_yaml_is_left_to_compose(text: str) -> None:
    assert not expands_too_far(text)
