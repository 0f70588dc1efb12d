"""Branches as the real git leaves them on disk."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from devenv.compose.isolation import Checkout, resolve_key, resolve_name
from devenv.host.git import GitState, read_branch
from devenv.host.git_commands import (
    find_reference,
    list_branches,
    list_differing,
    list_recent_branches,
    switch_branch,
)


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


def test_a_shallow_clone_has_its_branch_and_commit(repository: Path, tmp_path: Path) -> None:
    _commit(repository)
    sha = _commit(repository)
    _git(tmp_path, "clone", "-q", "--depth", "1", f"file://{repository}", "clone")
    state = read_branch(tmp_path / "clone")
    assert state is not None
    assert (state.branch, state.head_sha, state.is_worktree) == ("main", sha, False)
    assert list_branches(tmp_path / "clone", os.environ) == frozenset({"main"})


LEGAL = (
    "feature/search",
    "w\u00f6rk/\u65e5\u672c\U0001f600",
    'it\'s "quoted"'.replace(" ", "-"),
    "$(touch x)".replace(" ", "_"),
    "`x`;&|<>!#%=+,{}()",
    "@x.y-_",
    "a" * 200,
    "heads/main",
    "\u202eltr",
    b"latin-\xe9".decode("utf-8", "surrogateescape"),
)


def test_branch_names_of_every_legal_character_are_read_listed_and_switched_to(
    repository: Path,
) -> None:
    """The name in HEAD and the name in the list are the same text, also beside a tag of the name:
    what is in use would be taken for gone otherwise."""
    _commit(repository)
    _git(repository, "tag", "main")
    seen = set()
    for name in LEGAL:
        _git(repository, "branch", name, "refs/heads/main")
        _git(repository, "tag", name)
        assert find_reference(repository, os.environ, name) == f"refs/heads/{name}"
        switch_branch(repository, os.environ, name)
        state = read_branch(repository)
        assert state is not None and state.branch is not None
        seen.add(state.branch)
        resolve_name("shop", resolve_key("branch", Checkout(state.branch), "main"))
    assert list_branches(repository, os.environ) == frozenset(seen | {"main"}) and len(seen) == len(
        LEGAL
    )
    recent = list_recent_branches(repository, os.environ)
    assert {branch.name for branch in recent} == seen | {"main"}
    assert not (repository / "x").exists()


def test_branches_of_a_remote_and_of_worktrees(repository: Path, tmp_path: Path) -> None:
    _commit(repository)
    _git(repository, "branch", "there")
    _git(tmp_path, "clone", "-q", str(repository), "clone")
    clone = tmp_path / "clone"
    _git(clone, "worktree", "add", "-q", "-b", "beside", str(tmp_path / "beside"))
    found = {branch.name: branch for branch in list_recent_branches(clone, os.environ)}
    assert set(found) == {"main", "there", "beside"}
    assert found["there"].remote == "origin" and found["main"].remote is None
    assert found["beside"].worktree == str(tmp_path / "beside")
    assert find_reference(clone, os.environ, "there") == "refs/remotes/origin/there"
    assert find_reference(clone, os.environ, "gone") is None


def test_which_files_differ_on_another_branch(repository: Path) -> None:
    (repository / "profiles").mkdir()
    for name in ("compose.yaml", "same.yaml", ":odd[*].yaml", "other.txt"):
        (repository / name).write_text("1")
    _git(repository, "add", "-A")
    _git(repository, "commit", "-qm", "one")
    _git(repository, "switch", "-q", "-c", "topic")
    for name in ("compose.yaml", ":odd[*].yaml", "other.txt", "profiles/new.toml"):
        (repository / name).write_text("2")
    _git(repository, "add", "-A")
    _git(repository, "commit", "-qm", "two")
    _git(repository, "switch", "-q", "main")
    paths = ["compose.yaml", "same.yaml", ":odd[*].yaml", "profiles", "missing.yaml"]
    differing = list_differing(repository, os.environ, "refs/heads/topic", paths)
    assert differing == (":odd[*].yaml", "compose.yaml", "profiles/new.toml")
    assert list_differing(repository, os.environ, "refs/heads/topic", []) == ()
    assert list_differing(repository, os.environ, "refs/heads/gone", paths) is None
