"""docs/configuration.md held against the description that validation and the schema are made of."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from devenv.config.spec import PROFILE, SETTINGS, Key, Kind

PAGE = Path(__file__).parents[3] / "docs" / "configuration.md"
ROW = re.compile(
    r"^\| `(?P<key>[\w.]+)` \| (?P<type>[^|]+) \| (?P<default>[^|]+) \| ", re.MULTILINE
)


def words(names: tuple[str, ...]) -> str:
    quoted = [f"`{name}`" for name in names]
    return f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def shown_type(key: Key) -> str:
    text = key.kind.value.removeprefix("a ")
    if key.choices:
        text = words(key.choices) if key.kind is Kind.STRING else f"table of {words(key.choices)}"
    return f"{text}, at least {key.minimum}" if key.minimum is not None else text


def flatten(keys: Mapping[str, Key], *, nested: bool) -> Iterator[tuple[str, Key]]:
    for name, key in keys.items():
        if nested and key.keys:
            yield from ((f"{name}.{below}", inner) for below, inner in key.keys.items())
        else:
            yield name, key


@pytest.mark.parametrize(
    ("title", "keys", "nested"),
    [("## devenv.toml", SETTINGS, True), ("## profiles/NAME.toml", PROFILE, False)],
)
def test_the_page_has_every_key_with_its_type_and_default(
    title: str, keys: Mapping[str, Key], nested: bool
) -> None:
    text = PAGE.read_text(encoding="utf-8").partition(f"{title}\n")[2].partition("\n## ")[0]
    rows = {row["key"]: (row["type"], row["default"]) for row in ROW.finditer(text)}
    expected = dict(flatten(keys, nested=nested))
    assert set(rows) == set(expected)
    for name, key in expected.items():
        assert rows[name][0] == shown_type(key), name
        if key.default is not None:
            assert rows[name][1] == f"`{json.dumps(key.default)}`", name
