"""What is allowed: for a repository, in all its worktrees, and never without a memory."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from devenv.config.trust import CalledFile, HookTrust
from devenv.host.memory import open_memory
from devenv.host.project_files import load_project_files
from devenv.host.trust import (
    allow,
    is_allowed,
    load_allowed,
    load_known_access,
    load_last_trust,
    remember_access,
    resolve_trust_root,
    revoke,
)

ONE = HookTrust(("x",), (CalledFile("a", "0", "text"),))
OTHER = HookTrust(("y",))


def test_allowed_is_exactly_what_was_allowed(tmp_path: Path) -> None:
    with open_memory(tmp_path, print) as memory:
        assert not is_allowed(memory, "/p", ONE)
        assert allow(memory, "/p", ONE)
    with open_memory(tmp_path, print) as memory:
        assert is_allowed(memory, "/p", ONE)
        assert not is_allowed(memory, "/p", OTHER)
        assert not is_allowed(memory, "/q", ONE)
        assert load_last_trust(memory, "/p") == ONE
        allow(memory, "/p", OTHER)
        assert is_allowed(memory, "/p", ONE)  # the branch before has it still
        assert [row.root for row in load_allowed(memory)] == ["/p", "/p"]
        assert revoke(memory, "/p") == 2
        assert not is_allowed(memory, "/p", ONE)
        assert load_last_trust(memory, "/p") is None


def test_host_access_adds_up(tmp_path: Path) -> None:
    with open_memory(tmp_path, print) as memory:
        assert load_known_access(memory, "/p") is None
        remember_access(memory, "/p", [])
        assert load_known_access(memory, "/p") == frozenset()
        remember_access(memory, "/p", ["a"])
        remember_access(memory, "/p", ["b"])
        assert load_known_access(memory, "/p") == frozenset({"a", "b"})


def test_without_a_memory_nothing_is_allowed(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with open_memory(file, lambda _: None) as memory:
        assert not allow(memory, "/p", ONE)
        assert not is_allowed(memory, "/p", ONE)


def _git(directory: Path, *words: str) -> None:
    who = ("-c", "user.name=x", "-c", "user.email=x@example.com")
    subprocess.run(["git", *who, *words], cwd=directory, check=True, capture_output=True)


def _root(directory: Path) -> str:
    environ = {**os.environ, "XDG_STATE_HOME": str(directory / "state")}
    return resolve_trust_root(load_project_files(directory, environ, None))


def test_worktrees_share_their_repositorys_place(tmp_path: Path) -> None:
    main = tmp_path / "main"
    (main / "shop").mkdir(parents=True)
    (main / "shop/compose.yaml").write_text("services: {}\n")
    _git(main, "init", "-q", "-b", "main")
    _git(main, "add", ".")
    _git(main, "commit", "-q", "-m", "x")
    _git(main, "worktree", "add", "-q", str(tmp_path / "other"), "-b", "other")
    assert _root(main / "shop") == str(main / "shop")
    assert _root(tmp_path / "other/shop") == str(main / "shop")


def test_a_directory_that_only_says_it_is_a_worktree_is_its_own(tmp_path: Path) -> None:
    main, fake = tmp_path / "main", tmp_path / "fake"
    for directory in (main, fake):
        directory.mkdir()
        (directory / "compose.yaml").write_text("services: {}\n")
    _git(main, "init", "-q", "-b", "main")
    _git(main, "add", ".")
    _git(main, "commit", "-q", "-m", "x")
    _git(main, "worktree", "add", "-q", str(tmp_path / "true"), "-b", "true")
    shutil.copy(tmp_path / "true/.git", fake / ".git")
    assert _root(tmp_path / "true") == str(main)
    assert _root(fake) == str(fake)
