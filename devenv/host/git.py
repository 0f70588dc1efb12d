"""Branch and worktree of a directory, read from git's own files without a process.

Spec: gitrepository-layout(5).
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from devenv.values import dataclass

_MAX_LINKS = 5
"""As deep as git follows symbolic references."""


@dataclass(frozen=True, slots=True)
class GitState:
    """The checkout around a directory."""

    root: Path
    """The top directory of the working tree."""
    git_dir: Path
    """`.git`, or for a worktree its own directory in the main checkout's `.git/worktrees`."""
    branch: str | None
    """None on a detached HEAD, and where refs are in a format that devenv does not read."""
    head_sha: str | None
    """None before the first commit."""
    is_worktree: bool
    """Made by `git worktree add`; False for a main checkout and for a submodule."""
    common_dir: Path
    """The repository's own directory, which all its worktrees share."""
    returns_to: str | None = None
    """On a detached HEAD, the branch to which a rebase or bisect under way will return."""

    @property
    def effective_branch(self) -> str | None:
        """The branch whose work this is: the one checked out, or the one being rebased."""
        return self.branch if self.branch is not None else self.returns_to

    @property
    def worktree_name(self) -> str | None:
        """git's own name of a linked worktree, which `git worktree move` keeps."""
        return self.git_dir.name if self.is_worktree else None


def read_branch(directory: Path) -> GitState | None:
    """The git state of the checkout around `directory`, or None where there is none."""
    for root in (directory, *directory.parents):
        entry = root / ".git"
        try:
            git_dir = entry if entry.is_dir() else _linked_directory(root, entry)
            head = _first_line(git_dir / "HEAD") if git_dir else None
        except OSError:
            continue  # as git does with a .git that is no repository
        if git_dir is not None and head:
            return _read(root, git_dir, head)
    return None


def list_worktree_names(common_dir: Path) -> frozenset[str] | None:
    """git's names of the linked worktrees whose directories are there; None where it cannot say.

    Spec: gitrepository-layout(5), worktrees/<id>/gitdir.
    """
    directory = common_dir / "worktrees"
    try:
        entries = list(directory.iterdir()) if directory.is_dir() else []
        return frozenset(
            entry.name
            for entry in entries
            if (entry / "gitdir").is_file()
            and (entry / _first_line(entry / "gitdir")).parent.is_dir()
        )
    except OSError:
        return None


def _linked_directory(root: Path, entry: Path) -> Path | None:
    if not entry.is_file():
        return None
    line = _first_line(entry)
    if not line.startswith("gitdir:"):
        return None
    return Path(os.path.normpath(root / line.removeprefix("gitdir:").strip()))


def _read(root: Path, git_dir: Path, head: str) -> GitState:
    common = git_dir
    with contextlib.suppress(OSError):  # only worktrees have one
        common = Path(os.path.normpath(git_dir / _first_line(git_dir / "commondir")))
    is_worktree = common != git_dir
    if not head.startswith("ref:"):
        return GitState(root, git_dir, None, head, is_worktree, common, _read_return(git_dir))
    reference = head.removeprefix("ref:").strip()
    if reference == "refs/heads/.invalid":  # what the reftable format leaves in HEAD
        return GitState(root, git_dir, None, None, is_worktree, common)
    name = reference.removeprefix("refs/heads/")
    sha = _read_reference(common, reference)
    return GitState(root, git_dir, _shown(name), sha, is_worktree, common)


def _shown(name: str) -> str:
    """A branch's name as text: it is shown, unlike paths."""
    return os.fsencode(name).decode("utf-8", "replace")


def _read_return(git_dir: Path) -> str | None:
    """The branch that `git rebase` or `git bisect` has left; None where neither is under way."""
    for name in ("rebase-merge/head-name", "rebase-apply/head-name", "BISECT_START"):
        try:
            line = _first_line(git_dir / name)
        except OSError:
            continue
        branch = line.removeprefix("refs/heads/")
        is_sha = len(branch) == 40 and all(c in "0123456789abcdef" for c in branch)
        if branch and branch != "detached HEAD" and not is_sha:
            return _shown(branch)
    return None


def _read_reference(common: Path, reference: str) -> str | None:
    for _ in range(_MAX_LINKS):
        try:
            line = _first_line(common / reference)
        except OSError:
            return _read_packed(common, reference)
        if not line.startswith("ref:"):
            return line or None
        reference = line.removeprefix("ref:").strip()
    return None


def _read_packed(common: Path, reference: str) -> str | None:
    try:
        packed = (common / "packed-refs").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    for line in packed.splitlines():
        sha, _, name = line.partition(" ")
        if name == reference:
            return sha
    return None


def _first_line(path: Path) -> str:
    """Raises OSError. A name that is not UTF-8 keeps its bytes, as in a path."""
    with path.open(encoding="utf-8", errors="surrogateescape") as file:
        return file.readline(4096).strip()
