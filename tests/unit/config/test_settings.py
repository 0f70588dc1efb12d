"""devenv.toml and profiles/*.toml to values, and the error for each thing that can be wrong."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import jsonschema
import pytest

from devenv.config.hooks import Hook
from devenv.config.names import ProfileName
from devenv.config.schema import render_schema
from devenv.config.settings import (
    Checks,
    Isolation,
    Logs,
    Profile,
    Settings,
    Watch,
    parse_profile,
    parse_settings,
)
from devenv.errors import ConfigError, Source

FULL = """\
compose = ["compose.yaml"]
default_profile = "dev"
default_branch = "trunk"
auto_switch = true

[branches]
"feature/search-*" = "search"
"*" = "dev"

[isolation]
mode = "branch"
clone_volumes = ["pgdata"]
ports = "offset"
shared = ["broker"]

[watch]
mode = "compose"
stop_timeout = 1.5

[logs]
memory_mb = 64

[keys]
restart = "ctrl+r"

[checks]
ignore = ["base-not-slim"]
[checks.severity]
"hidden-dependency" = "error"

[hooks]
after_healthy = ["devenv exec app ./migrate"]
"""

PROFILE = """\
description = "Search stack"
extends = "dev"
compose_profiles = ["search"]
files = ["search.compose.yaml"]
env_files = ["search.env"]
services = ["app"]
[env]
FEATURE_SEARCH = "1"
"""


def test_every_key_arrives_in_its_place() -> None:
    settings = parse_settings(FULL, "devenv.toml")
    assert settings == Settings(
        path="devenv.toml",
        compose=("compose.yaml",),
        default_profile="dev",
        default_branch="trunk",
        auto_switch=True,
        branches=(("feature/search-*", "search"), ("*", "dev")),
        isolation=Isolation("branch", ("pgdata",), "offset", ("broker",)),
        watch=Watch("compose", 1.5),
        logs=Logs(64),
        keys={"restart": "ctrl+r"},
        checks=Checks(("base-not-slim",), {"hidden-dependency": "error"}),
        hooks=(
            Hook(
                "after_healthy",
                "devenv exec app ./migrate",
                source=Source("devenv.toml", 32, 18),
            ),
        ),
        positions=settings.positions,
    )
    assert settings.source("branches", "*") == Source("devenv.toml", 8, 1)
    assert settings.source("isolation", "shared", 0) == Source("devenv.toml", 14, 11)


def test_an_empty_file_is_the_defaults() -> None:
    assert parse_settings("", "devenv.toml") == Settings(path="devenv.toml")
    assert Settings().source("compose") is None


def test_a_profile_arrives_whole() -> None:
    profile = parse_profile(ProfileName("search"), PROFILE, "profiles/search.toml")
    assert profile == Profile(
        name=ProfileName("search"),
        path="profiles/search.toml",
        description="Search stack",
        extends=ProfileName("dev"),
        compose_profiles=("search",),
        files=("search.compose.yaml",),
        env_files=("search.env",),
        services=("app",),
        env={"FEATURE_SEARCH": "1"},
        positions=profile.positions,
    )
    assert profile.source("env", "FEATURE_SEARCH") == Source("profiles/search.toml", 8, 1)


@pytest.mark.parametrize(
    ("text", "line", "column", "message", "fix"),
    [
        (
            'x = 1\nauto_swich = true\ncompose = ["a"]',
            1,
            1,
            "Unknown key 'x'.",
            "known here: compose, default_profile, default_branch, auto_switch, branches, "
            "isolation, watch, logs, keys, checks, hooks",
        ),
        ("\nauto_swich = true", 2, 1, "Unknown key 'auto_swich'.", "did you mean 'auto_switch'?"),
        (
            "[isolation]\n  mod = 'none'",
            2,
            3,
            "Unknown key 'isolation.mod'.",
            "did you mean 'isolation.mode'?",
        ),
        (
            "isolation = { mode = 'brunch' }",
            1,
            15,
            "'isolation.mode' cannot be 'brunch'.",
            "did you mean 'branch'? one of: none, branch, worktree",
        ),
        (
            "auto_switch = 'yes'",
            1,
            1,
            "'auto_switch' must be true or false, not a string.",
            "without quotes: auto_switch = true, or auto_switch = false",
        ),
        (
            "compose = 'a.yaml'",
            1,
            1,
            "'compose' must be a list of strings, not a string.",
            'in brackets: compose = ["a.yaml"]',
        ),
        (
            "compose = [\n  'a',\n  1,\n]",
            3,
            3,
            "'compose[1]' must be a string, not a whole number.",
            "put it in quotes",
        ),
        (
            "[branches]\nfeature.x = 'dev'",
            2,
            1,
            "'branches.feature' must be a string, not a table.",
            '"feature" = "value"; a name with a dot in it needs its quotes',
        ),
        (
            "[checks.severity]\na = 'error'\nb = 'warn'",
            3,
            1,
            "'checks.severity.b' cannot be 'warn'.",
            "did you mean 'warning'? one of: error, warning, info, off",
        ),
        (
            "[logs]\nmemory_mb = true",
            2,
            1,
            "'logs.memory_mb' must be a whole number, not true.",
            "without quotes, such as memory_mb = 128",
        ),
        (
            "[logs]\nmemory_mb = 0",
            2,
            1,
            "'logs.memory_mb' must be at least 1, not 0.",
            "memory_mb = 128 is the default",
        ),
        (
            "watch.stop_timeout = nan",
            None,
            None,
            "'watch.stop_timeout' must be at least 0, not nan.",
            "stop_timeout = 2 is the default",
        ),
    ],
)
def test_a_wrong_value_is_named_with_its_place(
    text: str, line: int | None, column: int | None, message: str, fix: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_settings(text, "devenv.toml")
    error = caught.value
    assert (error.message, error.source, error.fix) == (
        message,
        Source("devenv.toml", line, column),
        fix,
    )


@pytest.mark.parametrize(
    "text",
    [
        "isolation = 'branch'",
        "default_branch = 5",
        "watch.stop_timeout = 'two'",
        "isolation.mode = true",
        "branches = ['main']",
        "isolation.shared = 'search'",
        "hooks.before_up = 'make'",
    ],
)
def test_the_fix_of_a_wrong_type_is_a_line_that_parses(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_settings(text, "devenv.toml")
    fix = caught.value.fix or ""
    table = re.search(r"a line (\[\w+\])", fix)
    line = table[1] if table else re.findall(r"\w+ = (?:\{.*?\}|\[.*?\]|\"[^\"]*\"|\w+)", fix)[0]
    prefix = f"[{text.partition('.')[0]}]\n" if "." in text.partition("=")[0] else ""
    parse_settings(prefix + line, "devenv.toml")


def test_an_unquoted_number_in_env_says_to_quote_it() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_profile(ProfileName("a"), "[env]\nPORT = 8080\n", "profiles/a.toml")
    assert caught.value.message == "'env.PORT' must be a string, not a whole number."
    assert caught.value.source == Source("profiles/a.toml", 2, 1)
    assert caught.value.fix == "put it in quotes"


def test_a_syntax_error_shows_its_line_with_a_caret() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_settings("auto_switch = true\ndefault_profile = dev\n", "devenv.toml")
    assert caught.value.message == "This is not valid TOML: invalid value."
    assert caught.value.source == Source("devenv.toml", 2, 19)
    assert caught.value.excerpt == "default_profile = dev\n" + " " * 18 + "^"


def test_a_syntax_error_never_shows_a_secret() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_profile(ProfileName("a"), "[env]\nDB_PASSWORD = hunter2\n", "profiles/a.toml")
    assert caught.value.excerpt == "DB_PASSWORD = •••••••\n" + " " * 14 + "^"


def test_a_file_that_ends_too_early_names_its_last_line() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_settings("[logs]\nmemory_mb = [1,\n\n", "devenv.toml")
    assert caught.value.source == Source("devenv.toml", 2)


@pytest.mark.parametrize("text", ["a = " + "1" * 5000, "a = " + "[" * 5000])
def test_absurd_texts_are_errors_and_no_crash(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_settings(text, "devenv.toml")


def _settings_schema() -> dict[str, Any]:
    schema: dict[str, Any] = render_schema()["$defs"]["settings"]
    return schema


def test_the_schema_is_a_schema_and_takes_both_files() -> None:
    schema = render_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(tomllib.loads(FULL), _settings_schema())
    jsonschema.validate(tomllib.loads(PROFILE), schema["$defs"]["profile"])
    jsonschema.validate(tomllib.loads(PROFILE), schema)


@pytest.mark.parametrize(
    "text",
    [
        "x = 1",
        "compose = 'a'",
        "compose = [1]",
        "isolation.mode = 'brunch'",
        "logs.memory_mb = 0",
        "checks.severity.a = 'warn'",
        "hooks.after_lunch = []",
        "",
        FULL,
    ],
)
def test_the_schema_and_the_parser_agree(text: str) -> None:
    valid = jsonschema.Draft202012Validator(_settings_schema()).is_valid(tomllib.loads(text))
    try:
        parse_settings(text, "devenv.toml")
    except ConfigError:
        assert not valid
    else:
        assert valid


def test_the_defaults_of_the_schema_are_those_of_the_values() -> None:
    def collect(schema: dict[str, Any]) -> dict[str, Any]:
        return {
            name: collect(inner) if "properties" in inner else inner.get("default")
            for name, inner in schema["properties"].items()
        }

    found = collect(_settings_schema())
    settings = Settings()
    assert (found["default_branch"], found["auto_switch"]) == (
        settings.default_branch,
        settings.auto_switch,
    )
    assert found["isolation"]["mode"] == settings.isolation.mode
    assert found["isolation"]["ports"] == settings.isolation.ports
    assert found["watch"] == {
        "mode": settings.watch.mode,
        "stop_timeout": settings.watch.stop_timeout_seconds,
        "poll": settings.watch.poll,
    }
    assert found["logs"] == {"memory_mb": settings.logs.memory_mb}


STEERING = (
    *("PATH", "LD_PRELOAD", "DYLD_INSERT_LIBRARIES", "GIT_SSH_COMMAND", "GIT_CONFIG_COUNT"),
    *("DOCKER_HOST", "DOCKER_CONFIG", "BASH_ENV", "NODE_OPTIONS", "DEVENV_HOOK", "ld_preload"),
)


@pytest.mark.parametrize("name", STEERING)
def test_a_profile_does_not_steer_the_programs_that_devenv_starts(name: str) -> None:
    with pytest.raises(ConfigError, match="steers the programs") as caught:
        parse_profile(ProfileName("x"), f'[env]\nA = "1"\n{name} = "x"\n', "profiles/x.toml")
    assert caught.value.source == Source("profiles/x.toml", 3, 1)


@pytest.mark.parametrize(
    "name", ["NODE_ENV", "GIT_SHA", "HTTP_PROXY", "DOCKER_BUILDKIT", "PATH_PREFIX", "HOMEPAGE"]
)
def test_a_profile_sets_what_is_usual(name: str) -> None:
    text = f'[env]\n{name} = "x"\n'
    assert parse_profile(ProfileName("x"), text, "profiles/x.toml").env == {name: "x"}
