"""Which profile applies, and what `extends` makes of it."""

from __future__ import annotations

import pytest

from devenv.config.names import ProfileName
from devenv.config.profiles import (
    ProfileChoice,
    ResolvedProfile,
    choose_profile,
    resolve_profile,
)
from devenv.config.settings import Profile, parse_profile, parse_settings
from devenv.errors import ConfigError, Source

SETTINGS = parse_settings(
    """\
default_profile = "dev"
[branches]
"main" = "dev"
"feature/s*" = "search"
"*/s*" = "all"
""",
    "devenv.toml",
)


def _profiles(**texts: str) -> dict[ProfileName, Profile]:
    return {
        ProfileName(name): parse_profile(ProfileName(name), text, f"profiles/{name}.toml")
        for name, text in texts.items()
    }


ALL = _profiles(dev="", search="", all="")


@pytest.mark.parametrize(
    ("branch", "requested", "from_environment", "expected"),
    [
        ("main", "all", "search", ProfileChoice(ProfileName("all"), "asked for with --profile")),
        ("main", None, "search", ProfileChoice(ProfileName("search"), "set in DEVENV_PROFILE")),
        (
            "feature/speed",
            None,
            "",
            ProfileChoice(
                ProfileName("search"),
                "branch feature/speed matches 'feature/s*' in devenv.toml; '*/s*' below it too, "
                "and the first match wins",
                Source("devenv.toml", 4, 1),
            ),
        ),
        (
            "fix/speed",
            None,
            None,
            ProfileChoice(
                ProfileName("all"),
                "branch fix/speed matches '*/s*' in devenv.toml",
                Source("devenv.toml", 5, 1),
            ),
        ),
        *(
            (
                branch,
                None,
                None,
                ProfileChoice(
                    ProfileName("dev"),
                    "default_profile in devenv.toml",
                    Source("devenv.toml", 1, 1),
                ),
            )
            for branch in ("MAIN", None)
        ),
    ],
)
def test_the_first_that_names_one_wins(
    branch: str | None,
    requested: str | None,
    from_environment: str | None,
    expected: ProfileChoice,
) -> None:
    choice = choose_profile(
        SETTINGS, ALL, branch=branch, requested=requested, from_environment=from_environment
    )
    assert choice == expected


def test_nothing_chooses_none() -> None:
    choice = choose_profile(
        parse_settings("", "devenv.toml"), ALL, branch="x", requested=None, from_environment=None
    )
    assert choice == ProfileChoice(None, "nothing in devenv.toml chooses one")


def test_an_unknown_name_is_an_error_where_it_stands() -> None:
    settings = parse_settings('[branches]\n"*" = "serch"\n', "devenv.toml")
    with pytest.raises(ConfigError) as caught:
        choose_profile(settings, ALL, branch="x", requested=None, from_environment=None)
    assert caught.value.message == "There is no profile 'serch'."
    assert caught.value.source == Source("devenv.toml", 2, 1)
    assert caught.value.fix == "did you mean 'search'? profiles: all, dev, search"


def test_the_chain_is_merged_base_first() -> None:
    profiles = _profiles(
        base="""
compose_profiles = ["core", "db"]
files = ["a.yaml"]
env_files = ["base.env"]
services = ["app"]
env = { A = "base", B = "base" }
""",
        dev='extends = "base"\ncompose_profiles = ["db", "mail"]\nfiles = ["b.yaml"]\n',
        search="""
extends = "dev"
compose_profiles = ["search"]
files = ["a.yaml", "c.yaml"]
env_files = ["search.env"]
env = { B = "search", C = "search" }
""",
    )
    assert resolve_profile(ProfileName("search"), profiles) == ResolvedProfile(
        name=ProfileName("search"),
        chain=(ProfileName("search"), ProfileName("dev"), ProfileName("base")),
        compose_profiles=("core", "db", "mail", "search"),
        files=("a.yaml", "b.yaml", "c.yaml"),
        env_files=("base.env", "search.env"),
        services=("app",),
        env={"A": "base", "B": "search", "C": "search"},
    )


def test_services_of_the_child_replace_those_of_the_base() -> None:
    profiles = _profiles(a='services = ["x", "y"]', b='extends = "a"\nservices = ["y"]')
    assert resolve_profile(ProfileName("b"), profiles).services == ("y",)


def test_an_unknown_base_names_the_line_and_the_nearest() -> None:
    profiles = _profiles(dev="", search='description = ""\nextends = "dve"\n')
    with pytest.raises(ConfigError) as caught:
        resolve_profile(ProfileName("search"), profiles)
    assert caught.value.source == Source("profiles/search.toml", 2, 1)
    assert caught.value.fix == "did you mean 'dev'? profiles: dev, search"


def test_a_circle_shows_its_chain() -> None:
    profiles = _profiles(a='extends = "b"', b='extends = "c"', c='\nextends = "b"')
    with pytest.raises(ConfigError) as caught:
        resolve_profile(ProfileName("a"), profiles)
    assert caught.value.message == "Profiles extend each other in a circle: a → b → c → b."
    assert caught.value.source == Source("profiles/c.toml", 2, 1)
