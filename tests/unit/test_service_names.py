"""Names of services in one Compose file's text."""

from __future__ import annotations

import pytest

from devenv.compose.service_names import parse_service_names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("services: {app: {}, db: {}}\nvolumes: {x: null}\n", {"app", "db"}),
        ("services: &a {1: {}}\nx-b: *a\n", {"1"}),
        ("services: []\n", set()),
        ("- a\n", set()),
        ("", set()),
    ],
)
def test_names(text: str, names: set[str]) -> None:
    assert set(parse_service_names(text) or ()) == names


@pytest.mark.parametrize("text", ["services: [", "a: \x00", "services:\n\tapp: {}\n"])
def test_no_yaml(text: str) -> None:
    assert parse_service_names(text) is None
