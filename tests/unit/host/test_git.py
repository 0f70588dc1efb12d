"""Branches as the real git leaves them on disk."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from devenv.host.git import GitState, read_branch


def _git(directory: Path, *arguments: str) -> str:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    identity = {
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "t"), ("EMAIL", "t@example.org"))
    }
    return subprocess.run(
        ("git", "-c", "protocol.file.allow=always", *arguments),
        cwd=directory,
        env={
            **environ,
            **identity,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
        },
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    root.mkdir()
    _git(root, "init", "-q", "-b", "main")
    return root


def _commit(root: Path) -> str:
    _git(root, "commit", "-q", "--allow-empty", "-m", "x")
    return _git(root, "rev-parse", "HEAD")


def test_before_the_first_commit(repository: Path) -> None:
    assert read_branch(repository) == GitState(
        repository,
        repository / ".git",
        "main",
        None,
        is_worktree=False,
        common_dir=repository / ".git",
    )


def test_a_branch_from_a_subdirectory_loose_and_packed(repository: Path) -> None:
    sha = _commit(repository)
    _git(repository, "switch", "-q", "-c", "feature/search")
    below = repository / "a" / "b"
    below.mkdir(parents=True)
    git_dir = repository / ".git"
    expected = GitState(
        repository, git_dir, "feature/search", sha, is_worktree=False, common_dir=git_dir
    )
    assert read_branch(below) == expected
    _git(repository, "pack-refs", "--all")
    assert not (repository / ".git/refs/heads/feature/search").exists()
    assert read_branch(below) == expected


def test_a_detached_head(repository: Path) -> None:
    sha = _commit(repository)
    _git(repository, "switch", "-q", "--detach")
    assert read_branch(repository) == GitState(
        repository,
        repository / ".git",
        None,
        sha,
        is_worktree=False,
        common_dir=repository / ".git",
    )


def test_a_rebase_and_a_bisect_return_to_their_branch(repository: Path) -> None:
    first = _commit(repository)
    _git(repository, "switch", "-q", "-c", "topic/x")
    for text in ("one", "two"):
        (repository / "file").write_text(text)
        _git(repository, "add", "file")
        _git(repository, "commit", "-q", "-m", text)
    _git(repository, "bisect", "start", "HEAD", first)
    state = read_branch(repository)
    assert state is not None
    assert (state.branch, state.returns_to, state.effective_branch) == (None, *["topic/x"] * 2)
    _git(repository, "bisect", "reset")
    _git(repository, "switch", "-q", "-c", "other", first)
    (repository / "file").write_text("three")
    _git(repository, "add", "file")
    _git(repository, "commit", "-q", "-m", "three")
    with pytest.raises(subprocess.CalledProcessError):
        _git(repository, "rebase", "topic/x")
    state = read_branch(repository)
    assert state is not None
    assert (state.branch, state.effective_branch) == (None, "other")


def test_a_worktree(repository: Path, tmp_path: Path) -> None:
    sha = _commit(repository)
    _git(repository, "worktree", "add", "-q", "-b", "two", str(tmp_path / "wt"))
    assert read_branch(tmp_path / "wt") == GitState(
        tmp_path / "wt",
        repository / ".git/worktrees/wt",
        "two",
        sha,
        is_worktree=True,
        common_dir=repository / ".git",
    )


def test_a_worktree_that_was_moved_keeps_its_name(repository: Path, tmp_path: Path) -> None:
    _commit(repository)
    _git(repository, "worktree", "add", "-q", "-b", "two", str(tmp_path / "a" / "wt"))
    _git(repository, "worktree", "add", "-q", "-b", "three", str(tmp_path / "b" / "wt"))
    names = {}
    for place in ("a", "b"):
        state = read_branch(tmp_path / place / "wt")
        assert state is not None
        names[place] = state.worktree_name
    assert len(set(names.values())) == 2
    _git(repository, "worktree", "move", str(tmp_path / "b" / "wt"), str(tmp_path / "moved"))
    state = read_branch(tmp_path / "moved")
    assert state is not None and state.worktree_name == names["b"]


def test_a_submodule_is_no_worktree(repository: Path, tmp_path: Path) -> None:
    sha = _commit(repository)
    outer = tmp_path / "outer"
    outer.mkdir()
    _git(outer, "init", "-q", "-b", "main")
    _git(outer, "submodule", "--quiet", "add", str(repository), "inner")
    assert read_branch(outer / "inner") == GitState(
        outer / "inner",
        outer / ".git/modules/inner",
        "main",
        sha,
        is_worktree=False,
        common_dir=outer / ".git/modules/inner",
    )


def test_no_git_and_broken_git(repository: Path, tmp_path: Path) -> None:
    assert read_branch(tmp_path) is None
    broken = repository / "sub"
    (broken / ".git").mkdir(parents=True)
    state = read_branch(broken)
    assert state is not None and state.root == repository
    gone = tmp_path / "gone"
    gone.mkdir()
    (gone / ".git").write_text("gitdir: /nowhere/at/all\n")
    assert read_branch(gone) is None
