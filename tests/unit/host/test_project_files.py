"""Projects on a real disk: which files count, and the error for each that is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from devenv.config.names import ProfileName
from devenv.config.profiles import ProfileChoice, ResolvedProfile
from devenv.config.settings import Settings, parse_profile, parse_settings
from devenv.errors import ComposeFileError, ConfigError, DevenvError, ExitCode, Source
from devenv.host.git import GitState
from devenv.host.other_compose_files import find_other_compose_files
from devenv.host.project_files import ProjectFiles, load_project_files


def _write(root: Path, **texts: str) -> None:
    """Path below `root` -> text."""
    for name, text in texts.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


NO_CHOICE = ProfileChoice(None, "nothing in devenv.toml chooses one")
SEARCH = """\
extends = "dev"
compose_profiles = ["search"]
files = [
  "search.yaml",
]
env_files = ["search.env"]
env = { A = "1", B = "2", C = "3" }
"""


def _failure(
    start: Path, environ: dict[str, str] | None = None, profile: str | None = None
) -> DevenvError:
    with pytest.raises(DevenvError) as caught:
        load_project_files(start, environ or {}, profile)
    return caught.value


def test_a_directory_without_devenv_files(tmp_path: Path) -> None:
    _write(tmp_path, **{"compose.yaml": "", "compose.override.yml": "", "src/a.py": ""})
    expected = ProjectFiles(
        directory=tmp_path,
        root=tmp_path,
        settings=Settings(),
        profiles={},
        choice=NO_CHOICE,
        profile=None,
        git=None,
        compose_files=(tmp_path / "compose.yaml", tmp_path / "compose.override.yml"),
        explicit_files=False,
    )
    assert load_project_files(tmp_path, {}, None) == expected
    assert load_project_files(tmp_path / "src", {}, None) == expected


def test_everything_at_once(tmp_path: Path) -> None:
    settings = 'compose = ["infra/compose.yaml"]\n[branches]\n"feature/*" = "search"\n'
    dev = 'compose_profiles = ["core"]\nfiles = ["../infra/dev.yaml"]\n'
    _write(
        tmp_path,
        **{
            "devenv.toml": settings,
            "profiles/dev.toml": dev,
            "profiles/search.toml": SEARCH,
            "profiles/search.yaml": "",
            "profiles/search.env": "",
            "profiles/notes.txt": "",
            "infra/compose.yaml": "",
            "infra/dev.yaml": "",
            "infra/.env": "",
            ".git/HEAD": "ref: refs/heads/feature/s\n",
            "src/a.py": "",
        },
    )
    profiles = tmp_path / "profiles"
    search = ProfileName("search")
    assert load_project_files(tmp_path / "src", {"B": "", "X": "1"}, None) == ProjectFiles(
        directory=tmp_path / "infra",
        root=tmp_path,
        settings=parse_settings(settings, str(tmp_path / "devenv.toml")),
        profiles={
            ProfileName("dev"): parse_profile(ProfileName("dev"), dev, str(profiles / "dev.toml")),
            search: parse_profile(search, SEARCH, str(profiles / "search.toml")),
        },
        choice=ProfileChoice(
            search,
            "branch feature/s matches 'feature/*' in devenv.toml",
            Source(str(tmp_path / "devenv.toml"), 3, 1),
        ),
        profile=ResolvedProfile(
            search,
            (search, ProfileName("dev")),
            ("core", "search"),
            ("../infra/dev.yaml", "search.yaml"),
            ("search.env",),
            (),
            {"A": "1", "B": "2", "C": "3"},
        ),
        git=GitState(
            tmp_path,
            tmp_path / ".git",
            "feature/s",
            None,
            is_worktree=False,
            common_dir=tmp_path / ".git",
        ),
        compose_files=(
            tmp_path / "infra/compose.yaml",
            tmp_path / "infra/dev.yaml",
            profiles / "search.yaml",
        ),
        explicit_files=True,
        env_files=(tmp_path / "infra/.env", profiles / "search.env"),
        variables={"A": "1", "C": "3"},
        compose_profiles=("core", "search"),
    )


def test_devenv_toml_beats_compose_file_beats_env_file_beats_discovery(tmp_path: Path) -> None:
    _write(tmp_path, **dict.fromkeys(("compose.yaml", "a.yaml", "b.yaml", "c.yaml"), ""))

    def found(environ: dict[str, str]) -> tuple[list[str], bool]:
        project = load_project_files(tmp_path, environ, None)
        return [path.name for path in project.compose_files], project.explicit_files

    assert found({}) == (["compose.yaml"], False)
    assert found({"COMPOSE_FILE": ""}) == (["compose.yaml"], True)
    _write(tmp_path, **{".env": "COMPOSE_FILE=c.yaml;a.yaml\nCOMPOSE_PATH_SEPARATOR=;\n"})
    assert found({}) == (["c.yaml", "a.yaml"], True)
    assert found({"COMPOSE_DISABLE_ENV_FILE": "1"}) == (["compose.yaml"], False)
    assert found({"COMPOSE_FILE": "b.yaml:a.yaml:b.yaml"}) == (["b.yaml", "a.yaml"], True)
    _write(tmp_path, **{"devenv.toml": 'compose = ["a.yaml"]'})
    assert found({"COMPOSE_FILE": "b.yaml"}) == (["a.yaml"], True)


def test_compose_file_in_env_counts_in_subdirectories(tmp_path: Path) -> None:
    _write(
        tmp_path,
        **{
            ".env": "COMPOSE_FILE=infra/x.yaml\n",
            "infra/x.yaml": "",
            "infra/.env": "",
            "src/.env": "A=1",
        },
    )
    project = load_project_files(tmp_path / "src", {}, None)
    assert project.compose_files == (tmp_path / "infra/x.yaml",)
    assert project.env_files == (tmp_path / "infra/.env", tmp_path / ".env")


def test_chosen_env_files_take_the_place_of_the_usual(tmp_path: Path) -> None:
    _write(tmp_path, **{"compose.yaml": "", ".env": "", "my.env": "", "src/a": ""})
    project = load_project_files(tmp_path / "src", {"COMPOSE_ENV_FILES": "../my.env"}, None)
    assert project.env_files == (tmp_path / "my.env",)


def test_a_nested_project_is_its_own(tmp_path: Path) -> None:
    _write(
        tmp_path,
        **{"devenv.toml": "auto_switch = true", "compose.yaml": "", "sub/compose.yaml": ""},
    )
    project = load_project_files(tmp_path / "sub", {}, None)
    assert (project.root, project.settings) == (tmp_path / "sub", Settings())
    assert load_project_files(tmp_path, {}, None).settings.auto_switch


def test_no_compose_file(tmp_path: Path) -> None:
    error = _failure(tmp_path)
    assert isinstance(error, ComposeFileError) and error.exit_code is ExitCode.USAGE
    assert str(tmp_path) in error.message
    assert error.fix is not None and error.fix.startswith("devenv init proposes one; ")
    _write(tmp_path, **{"infra/compose.yml": ""})
    assert _failure(tmp_path).fix == (
        f'cd infra, or name it in {tmp_path / "devenv.toml"}: compose = ["infra/compose.yml"]'
    )


def test_compose_files_of_other_names_are_named(tmp_path: Path) -> None:
    names = {"docker-compose.mysql.yml": "", ".devcontainer/docker-compose.yml": "", "ci.yml": ""}
    ignored = {"node_modules/x/compose.yaml": "", "a/b/c/compose.yaml": "", "compose.md": ""}
    _write(tmp_path, **names, **ignored)
    (tmp_path / "linked").symlink_to(tmp_path / "a" / "b" / "c")
    assert find_other_compose_files(tmp_path) == (
        "docker-compose.mysql.yml",
        ".devcontainer/docker-compose.yml",
    )
    place = tmp_path / "devenv.toml"
    assert _failure(tmp_path).fix == (
        f'cd .devcontainer, or name it in {place}: compose = [".devcontainer/docker-compose.yml"]'
        " (there are docker-compose.mysql.yml, .devcontainer/docker-compose.yml)"
    )
    (tmp_path / ".devcontainer" / "docker-compose.yml").unlink()
    assert _failure(tmp_path).fix == f'name it in {place}: compose = ["docker-compose.mysql.yml"]'


@pytest.mark.parametrize(
    ("texts", "environ", "kind", "message", "source", "fix"),
    [
        (
            {"devenv.toml": 'compose = [\n  "compose.yaml",\n  "comp.dev.yaml"]'},
            {},
            ConfigError,
            "devenv.toml names comp.dev.yaml, which does not exist.",
            ("devenv.toml", 3, 3),
            "did you mean compose.dev.yaml?",
        ),
        (
            {},
            {"COMPOSE_FILE": "./compose.dev.yml"},
            ComposeFileError,
            "COMPOSE_FILE names ./compose.dev.yml, which does not exist.",
            None,
            "did you mean compose.dev.yaml?",
        ),
        (
            {".env": "A=1\nCOMPOSE_FILE=oci://x/y\nCOMPOSE_PATH_SEPARATOR=,"},
            {},
            ComposeFileError,
            "COMPOSE_FILE in .env names oci://x/y, which is no file on this machine.",
            (".env", 2, None),
            "name a file; a Compose file may `include:` a remote one",
        ),
        (
            {"profiles/s.toml": SEARCH.replace('extends = "dev"', "")},
            {"DEVENV_PROFILE": "s"},
            ConfigError,
            "Profile s names search.yaml, which does not exist in profiles/.",
            ("profiles/s.toml", 4, 3),
            "did you mean search.yml?",
        ),
        (
            {"profiles/s.toml": 'env_files = ["../dev.env"]', "profiles/dev.env": ""},
            {"DEVENV_PROFILE": "s"},
            ConfigError,
            "Profile s names ../dev.env, which does not exist in profiles/.",
            ("profiles/s.toml", 1, 14),
            "paths are relative to profiles/",
        ),
    ],
)
def test_a_missing_file_is_named_where_it_is_written(
    tmp_path: Path,
    texts: dict[str, str],
    environ: dict[str, str],
    kind: type[DevenvError],
    message: str,
    source: tuple[str, int, int | None] | None,
    fix: str,
) -> None:
    common = {"compose.yaml": "", "compose.dev.yaml": "", "profiles/search.yml": ""}
    _write(tmp_path, **common, **texts)
    error = _failure(tmp_path, environ)
    expected = Source(str(tmp_path / source[0]), *source[1:]) if source else None
    assert (type(error), error.message, error.source, error.fix) == (kind, message, expected, fix)


def test_an_unknown_profile(tmp_path: Path) -> None:
    _write(tmp_path, **{"compose.yaml": "", "profiles/search.toml": ""})
    error = _failure(tmp_path, profile="serch")
    assert error.fix == "did you mean 'search'? profiles: search"


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    error = _failure(tmp_path / "x")
    assert (type(error), error.message) == (ConfigError, f"{tmp_path / 'x'} is not a directory.")


@pytest.mark.usefixtures("unprivileged")
@pytest.mark.parametrize("name", [".", "profiles"])
def test_a_directory_that_may_not_be_read(tmp_path: Path, name: str) -> None:
    _write(tmp_path, **{"compose.yaml": "", "profiles/a.toml": ""})
    closed = tmp_path / name
    closed.chmod(0o000)
    try:
        error = _failure(tmp_path)
    finally:
        closed.chmod(0o700)
    assert error.message.startswith(f"The directory {closed} cannot be read")
    assert error.fix == f"chmod u+rx {closed}"


@pytest.mark.usefixtures("unprivileged")
def test_a_directory_below_a_closed_one(tmp_path: Path) -> None:
    start = tmp_path / "closed" / "below"
    start.mkdir(parents=True)
    start.parent.chmod(0o000)
    try:
        error = _failure(start)
    finally:
        start.parent.chmod(0o700)
    assert error.message == f"The directory {start} cannot be reached."


def test_the_env_file_of_an_outer_project_names_no_files(tmp_path: Path) -> None:
    _write(tmp_path, **{".env": "COMPOSE_FILE=x.yaml", "x.yaml": "", "sub/compose.yaml": ""})
    project = load_project_files(tmp_path / "sub", {}, None)
    assert project.compose_files == (tmp_path / "sub/compose.yaml",)


@pytest.mark.parametrize(
    ("text", "explicit"),
    [
        ('compose_profiles = ["a"]', False),
        ('files = ["o.yaml"]', True),
        ('env_files = ["e.env"]', True),
        ("env = { COMPOSE_FILE = 'x' }", True),
    ],
)
def test_files_are_named_to_compose_where_it_might_take_others(
    tmp_path: Path, text: str, explicit: bool
) -> None:
    _write(
        tmp_path,
        **{
            "compose.yaml": "",
            "profiles/p.toml": text,
            "profiles/o.yaml": "",
            "profiles/e.env": "COMPOSE_FILE=x.yaml",
        },
    )
    assert load_project_files(tmp_path, {}, "p").explicit_files is explicit
