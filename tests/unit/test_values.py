"""devenv's own `dataclass` does what the standard one does, for what is used here."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

import devenv.values as ours


@ours.dataclass(frozen=True, slots=True)
class Point:
    """A point."""

    x: int
    y: str = "y"
    tags: dict[str, int] = ours.field(default_factory=dict, compare=False)
    note: str = ours.field(default="", repr=False)
    KIND: ClassVar[str] = "point"


@dataclasses.dataclass(frozen=True, slots=True)
class Standard:
    x: int
    y: str = "y"
    tags: dict[str, int] = dataclasses.field(default_factory=dict, compare=False)
    note: str = dataclasses.field(default="", repr=False)
    KIND: ClassVar[str] = "point"


values = st.tuples(
    st.integers(-2, 2),
    st.sampled_from("ab"),
    st.just({}) | st.just({"k": 1}),
    st.sampled_from("cd"),
)


@given(values, values)
def test_equal_hashed_shown_and_replaced_as_the_standard_ones(
    one: tuple[int, str, dict[str, int], str], two: tuple[int, str, dict[str, int], str]
) -> None:
    a, b, c, d = Point(*one), Point(*two), Standard(*one), Standard(*two)
    assert (a == b) == (c == d)
    assert (a != b) == (c != d)
    assert a != b or hash(a) == hash(b)
    assert repr(a) == repr(c).replace("Standard", "Point")
    assert dataclasses.asdict(a) == dataclasses.asdict(c)
    assert dataclasses.replace(a, y="z") == Point(one[0], "z", one[2], one[3])
    assert copy.deepcopy(a) == a == pickle.loads(pickle.dumps(a))


def test_defaults_are_made_anew_and_nothing_can_be_assigned() -> None:
    one, two = Point(1), Point(1)
    assert one.tags == {} and one.tags is not two.tags
    assert Point.KIND == "point"
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.x = 2  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        del one.x
    with pytest.raises(TypeError):
        Point()  # type: ignore[call-arg]
    assert not hasattr(one, "__dict__")
    match one:
        case Point(x, "y"):
            assert x == 1
        case _:
            pytest.fail("no match by position")


def test_one_that_is_not_frozen_can_be_changed_and_has_no_hash() -> None:
    @ours.dataclass(slots=True)
    class Count:
        n: int = 0

    count = Count()
    count.n += 1
    assert count == Count(1)
    with pytest.raises(TypeError):
        hash(count)


def test_fields_are_inherited() -> None:
    @ours.dataclass(frozen=True, slots=True)
    class Named(Point):
        name: str = "n"

    assert [one.name for one in dataclasses.fields(Named)] == ["x", "y", "tags", "note", "name"]
    assert Named(1, name="m") != Point(1)
