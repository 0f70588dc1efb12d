"""`[hooks]`: every form of an entry, and the place of what is wrong in one."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from devenv.config.hooks import Hook, entry_schema
from devenv.config.names import ProfileName
from devenv.config.profiles import resolve_profile
from devenv.config.settings import parse_profile, parse_settings
from devenv.errors import ConfigError, Source


def _hooks(text: str) -> tuple[Hook, ...]:
    return parse_settings(text, "devenv.toml").hooks


def test_the_three_forms() -> None:
    hooks = _hooks(
        "[hooks]\n"
        "before_up = ['./certs && echo $HOME']\n"
        "after_healthy = [\n"
        '  ["./seed", "a b", "$X"],\n'
        '  { run = ["./migrate"], service = "app", timeout = 1.5 },\n'
        "]\n"
    )
    assert [hook.argv for hook in hooks] == [
        ("sh", "-c", "./certs && echo $HOME"),
        ("./seed", "a b", "$X"),
        ("./migrate",),
    ]
    assert [hook.service for hook in hooks] == [None, None, "app"]
    assert [hook.timeout_seconds for hook in hooks] == [600.0, 600.0, 1.5]
    assert hooks[2].source == Source("devenv.toml", 5, 3)
    assert hooks[1].text == "./seed 'a b' '$X'"


def test_arrays_of_tables_work_too() -> None:
    [hook] = _hooks('[[hooks.after_healthy]]\nrun = "./x"\nservice = "db"\n')
    assert (hook.event, hook.run, hook.service) == ("after_healthy", "./x", "db")


@pytest.mark.parametrize(
    ("entry", "line", "words"),
    [
        ("before_up = 'x'", 2, "must be a list of commands"),
        ("before_up = [1]", 2, "is no command"),
        ("before_up = ['  ']", 2, "is empty"),
        ("before_up = [[]]", 2, "is empty"),
        ("before_up = [['']]", 2, "is empty"),
        ("before_up = [\n 'a',\n ['b', 3]]", 4, "must be a string"),
        ('before_up = ["a\\u0000b"]', 2, "NUL"),
        ("before_up = [{ rum = 'x' }]", 2, "did you mean 'run'"),
        ("before_up = [{ timeout = 3 }]", 2, "has no 'run'"),
        ("before_up = [{ run = 'x', service = 'app' }]", 2, "none runs yet"),
        ("after_healthy = [{ run = 'x', service = '' }]", 2, "name of a service"),
        ("after_healthy = [{ run = 'x', timeout = 0 }]", 2, "from above 0"),
        ("after_healthy = [{ run = 'x', timeout = true }]", 2, "from above 0"),
        ("after_healthy = [{ run = 'x', timeout = inf }]", 2, "from above 0"),
        ("after_healthy = [{ run = 'x', timeout = 90000 }]", 2, "from above 0"),
        ("after_lunch = []", 2, "did you mean"),
    ],
)
def test_what_is_wrong_has_its_place(entry: str, line: int, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        _hooks(f"[hooks]\n{entry}\n")
    error = caught.value
    assert words in f"{error.message} {error.fix}"
    assert error.source is not None and error.source.line == line


def test_a_profile_adds_its_own_after_those_of_its_base() -> None:
    texts = {
        "dev": '[hooks]\nafter_healthy = ["a"]\n',
        "search": 'extends = "dev"\n[hooks]\nafter_healthy = ["b"]\nbefore_up = ["c"]\n',
    }
    profiles = {
        ProfileName(name): parse_profile(ProfileName(name), text, f"profiles/{name}.toml")
        for name, text in texts.items()
    }
    resolved = resolve_profile(ProfileName("search"), profiles)
    assert [(hook.event, hook.run) for hook in resolved.hooks] == [
        ("after_healthy", "a"),
        ("after_healthy", "b"),
        ("before_up", "c"),
    ]


def test_the_schema_agrees_with_the_validation() -> None:
    schema = entry_schema()
    for good in ("x", ["a", "b"], {"run": "x"}, {"run": ["x"], "service": "a", "timeout": 3}):
        jsonschema.validate(good, schema)
    wrong: list[Any] = ["", [], 3, {}, {"run": "x", "sh": True}, {"run": "x", "timeout": 0}]
    for bad in wrong:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(bad, schema)
