"""Branch and worktree of a directory, read from git's own files without a process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_MAX_BYTES = 4096


@dataclass(frozen=True, slots=True)
class GitState:
    """`branch` is None on a detached HEAD; `sha` is None before the first commit."""

    root: Path
    git_directory: Path
    branch: str | None
    sha: str | None
    is_worktree: bool


def read_git(directory: Path) -> GitState | None:
    """The git state of the checkout around `directory`, or None where there is none."""
    for root in (directory, *directory.parents):
        entry = root / ".git"
        try:
            if entry.is_dir():
                return _read(root, entry, is_worktree=False)
            if entry.is_file():
                text = entry.read_text(encoding="utf-8", errors="replace")[:_MAX_BYTES]
                if text.startswith("gitdir:"):
                    target = root / text.removeprefix("gitdir:").strip()
                    return _read(root, target, is_worktree=target.parent.name == "worktrees")
        except OSError:
            return None
    return None


def _read(root: Path, git_directory: Path, *, is_worktree: bool) -> GitState | None:
    head = (git_directory / "HEAD").read_text(encoding="utf-8", errors="replace").strip()
    if not head.startswith("ref:"):
        return GitState(root, git_directory, None, head or None, is_worktree)
    reference = head.removeprefix("ref:").strip()
    common = git_directory
    if (git_directory / "commondir").is_file():
        common = git_directory / (git_directory / "commondir").read_text(encoding="utf-8").strip()
    branch = reference.removeprefix("refs/heads/")
    sha = _read_reference(common, reference)
    return GitState(root, git_directory, branch, sha, is_worktree)


def _read_reference(common: Path, reference: str) -> str | None:
    try:
        return (common / reference).read_text(encoding="ascii").strip()
    except OSError:
        pass  # packed, or not born yet
    try:
        packed = (common / "packed-refs").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    for line in packed.splitlines():
        sha, _, name = line.partition(" ")
        if name == reference:
            return sha
    return None
