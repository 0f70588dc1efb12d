"""The files that hooks call: followed once; none that git ignores or that lies outside."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from devenv.config.trust import HookTrust
from devenv.host.hook_files import load_trust
from devenv.host.project_files import load_project_files

COMPOSE = "services: {app: {image: app}}\n"


def _write(directory: Path, files: dict[str, str]) -> None:
    for name, text in {"compose.yaml": COMPOSE, **files}.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _trust(directory: Path) -> HookTrust:
    environ = {**os.environ, "XDG_STATE_HOME": str(directory / "state")}
    trust = load_trust(load_project_files(directory, environ, None), environ)
    assert trust is not None
    return trust


def _git(directory: Path) -> None:
    subprocess.run(["git", "init", "-q", str(directory)], check=True, capture_output=True)


def test_named_files_and_what_they_name_and_no_further(tmp_path: Path) -> None:
    _write(
        tmp_path,
        {
            "devenv.toml": '[hooks]\nbefore_up = ["./bin/setup --quick"]\n',
            "bin/setup": "#!/bin/sh\n. bin/lib.sh\n. ./near.sh\n",
            "bin/lib.sh": "exec ./deep.sh\n",
            "bin/near.sh": "",
            "deep.sh": "",
            "other.sh": "",
        },
    )
    assert [file.path for file in _trust(tmp_path).files] == [
        "bin/lib.sh",
        "bin/near.sh",
        "bin/setup",
    ]


def test_a_change_of_a_called_file_or_of_a_hook_is_another_digest(tmp_path: Path) -> None:
    _write(
        tmp_path,
        {"devenv.toml": '[hooks]\nbefore_up = ["./setup"]\n', "setup": "a", "other": "a"},
    )
    first = _trust(tmp_path)
    (tmp_path / "other").write_text("b")
    assert _trust(tmp_path) == first
    (tmp_path / "setup").write_text("b")
    second = _trust(tmp_path)
    (tmp_path / "devenv.toml").write_text('[hooks]\nbefore_up = ["./setup "]\n')
    assert len({first.digest, second.digest, _trust(tmp_path).digest}) == 3


def test_profiles_count_whichever_is_in_use(tmp_path: Path) -> None:
    _write(tmp_path, {"profiles/x.toml": '[hooks]\nafter_healthy = ["./m"]\n', "m": "x"})
    trust = _trust(tmp_path)
    assert trust.lines == ("profiles/x.toml: after_healthy, on this machine: sh -c: ./m",)
    assert [file.path for file in trust.files] == ["m"]


def test_outside_links_and_git_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside.sh"
    outside.write_text("x")
    project = tmp_path / "project"
    project.mkdir()
    _git(project)
    command = f"{outside} ../outside.sh ./link .git/config /dev/null"
    _write(project, {"devenv.toml": f'[hooks]\nbefore_up = ["{command}"]\n'})
    (project / "link").symlink_to(outside)
    subprocess.run(["git", "add", "."], cwd=project, check=True)
    assert _trust(project).files == ()


def test_what_a_command_writes_to_is_not_what_it_calls(tmp_path: Path) -> None:
    hooks = "./make >log 2>> errors; ./use < log"
    _write(tmp_path, {"devenv.toml": f'[hooks]\nbefore_up = ["{hooks}"]\n'})
    for name in ("make", "use", "log", "errors"):
        (tmp_path / name).write_text("")
    assert [file.path for file in _trust(tmp_path).files] == ["log", "make", "use"]


def test_a_link_inside_is_hashed_as_what_it_leads_to(tmp_path: Path) -> None:
    _write(tmp_path, {"devenv.toml": '[hooks]\nbefore_up = ["./link"]\n', "a": "1", "b": "2"})
    (tmp_path / "link").symlink_to("a")
    first = _trust(tmp_path)
    (tmp_path / "link").unlink()
    (tmp_path / "link").symlink_to("b")
    assert _trust(tmp_path).digest != first.digest


def test_in_a_git_repository_only_what_git_has_counts(tmp_path: Path) -> None:
    _git(tmp_path)
    hooks = ". ./.env; ./forced; ./setup; test -e new; sub/x"
    _write(
        tmp_path,
        {
            "devenv.toml": f'[hooks]\nbefore_up = ["{hooks}"]\n',
            ".gitignore": ".env\nforced\n",
            ".env": "A=1",
            "forced": "x",
            "setup": "x",
            "new": "x",
            "sub/x": "x",
        },
    )
    _git(tmp_path / "sub")
    subprocess.run(["git", "add", "-f", "forced", "setup"], cwd=tmp_path, check=True)
    assert [file.path for file in _trust(tmp_path).files] == ["forced", "setup", "sub/x"]


def test_a_directory_stands_for_its_files(tmp_path: Path) -> None:
    _write(
        tmp_path,
        {
            "devenv.toml": '[hooks]\nbefore_up = ["run-parts hooks.d", "docker build ."]\n',
            "hooks.d/10": "x",
            "hooks.d/20": "y",
            "hooks.d/below/30": "z",
        },
    )
    assert [file.path for file in _trust(tmp_path).files] == ["hooks.d/10", "hooks.d/20"]


def test_binary_and_long_files_are_hashed_and_not_kept(tmp_path: Path) -> None:
    _write(tmp_path, {"devenv.toml": '[hooks]\nbefore_up = ["./a ./b ./c"]\n'})
    (tmp_path / "a").write_bytes(b"\x7fELF\0\xff")
    (tmp_path / "b").write_bytes(b"x" * 300_000)
    (tmp_path / "c").write_bytes(b"\xff\xfe")
    assert [(file.path, len(file.digest), file.text) for file in _trust(tmp_path).files] == [
        ("a", 64, None),
        ("b", 64, None),
        ("c", 64, None),
    ]


def test_an_unreadable_file_is_no_crash(tmp_path: Path, unprivileged: None) -> None:
    _write(tmp_path, {"devenv.toml": '[hooks]\nbefore_up = ["./a"]\n', "a": "x"})
    (tmp_path / "a").chmod(0)
    [file] = _trust(tmp_path).files
    assert file.digest == "unreadable, 1 bytes"


def test_more_files_than_are_looked_at_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("devenv.host.hook_files.MAX_FILES", 3)
    _write(tmp_path, {"devenv.toml": '[hooks]\nbefore_up = ["cat f*; ./f0 f1 f2 f3 f4"]\n'})
    for index in range(5):
        (tmp_path / f"f{index}").write_text("x")
    trust = _trust(tmp_path)
    assert len(trust.files) == 3
    assert trust.lines[-1] == "calls more than 3 files: the others are not looked at"
