"""Compose's own rules for finding files, on sets of names."""

from __future__ import annotations

from pathlib import Path

import pytest

from devenv.compose.discovery import (
    EnvValue,
    find_default_files,
    read_env_value,
    split_compose_file,
)


@pytest.mark.parametrize(
    ("existing", "expected"),
    [
        ([], []),
        (["/a/b/compose.yml"], ["/a/b/compose.yml"]),
        (["/a/compose.yaml"], ["/a/compose.yaml"]),
        (["/a/compose.yaml", "/a/b/docker-compose.yaml"], ["/a/b/docker-compose.yaml"]),
        (
            [
                "/a/b/docker-compose.yaml",
                "/a/b/docker-compose.yml",
                "/a/b/compose.yml",
                "/a/b/compose.yaml",
            ],
            ["/a/b/compose.yaml"],
        ),
        (
            ["/a/b/docker-compose.yaml", "/a/b/docker-compose.yml"],
            ["/a/b/docker-compose.yml"],
        ),
        (
            [
                "/a/b/compose.yaml",
                "/a/b/compose.override.yaml",
                "/a/b/compose.override.yml",
            ],
            ["/a/b/compose.yaml", "/a/b/compose.override.yml"],
        ),
        (
            ["/a/b/compose.yaml", "/a/b/docker-compose.override.yaml"],
            ["/a/b/compose.yaml", "/a/b/docker-compose.override.yaml"],
        ),
        (["/a/b/compose.override.yml", "/a/compose.yaml"], ["/a/compose.yaml"]),
    ],
)
def test_the_files_that_compose_would_take(existing: list[str], expected: list[str]) -> None:
    paths = {Path(name) for name in existing}
    found = find_default_files(Path("/a/b"), paths.__contains__)
    assert found == tuple(Path(name) for name in expected)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, ()),
        ({"COMPOSE_FILE": ""}, ()),
        ({"COMPOSE_FILE": "a.yaml:b/c.yaml"}, ("a.yaml", "b/c.yaml")),
        ({"COMPOSE_FILE": "a.yaml:"}, ("a.yaml",)),
        ({"COMPOSE_FILE": "a:b,c", "COMPOSE_PATH_SEPARATOR": ","}, ("a:b", "c")),
        ({"COMPOSE_FILE": "a:b", "COMPOSE_PATH_SEPARATOR": ""}, ("a", "b")),
    ],
)
def test_compose_file_is_split(environ: dict[str, str], expected: tuple[str, ...]) -> None:
    assert split_compose_file(environ) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("# COMPOSE_FILE=a\nMY_COMPOSE_FILE=b\n", None),
        ("A=1\nCOMPOSE_FILE=a.yaml:b.yaml\n", EnvValue("a.yaml:b.yaml", 2)),
        ("export COMPOSE_FILE = 'a.yaml'  # note\n", EnvValue("a.yaml", 1)),
        ('COMPOSE_FILE="a.yaml"\r\nCOMPOSE_FILE=b#c # note\r\n', EnvValue("b#c", 2)),
        (
            "D=dev\nCOMPOSE_FILE=$D.yaml:${D}/b:${E:-x}:${SHELL_D}\n",
            EnvValue("dev.yaml:dev/b:x:s", 2),
        ),
        ("COMPOSE_FILE='$D'\n", EnvValue("$D", 1)),
        ("COMPOSE_FILE=\nB=1\n", EnvValue("", 1)),
    ],
)
def test_a_variable_of_an_env_file(text: str, expected: EnvValue | None) -> None:
    assert read_env_value(text, "COMPOSE_FILE", {"SHELL_D": "s"}) == expected
