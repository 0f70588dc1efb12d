"""What devenv asks git itself for: branches, worktrees, and the change of a branch.

A repository is untrusted input, so questions run without its hooks and file system monitor; only
`git switch`, which the user asks for, runs as the user's own would.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from devenv.errors import CommandFailed, UsageError
from devenv.host.git import GitState
from devenv.values import dataclass

ANSWER_SECONDS = 10.0
SWITCH_SECONDS = 600.0
SAFE_OPTIONS = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")


def list_branches(root: Path, environ: Mapping[str, str]) -> frozenset[str] | None:
    """The local branches; None where git cannot say."""
    # Not %(refname:short): that is `heads/x` where there is a tag x too.
    text = _ask(root, environ, "for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads")
    return None if text is None else frozenset(map(_shown, filter(None, text.split("\n"))))


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch that `git switch` can go to."""

    name: str
    worktree: str | None = None
    """The directory of the worktree that has it checked out."""
    remote: str | None = None
    """The remote that has it, where there is no local branch of that name yet."""
    committed_at: float = 0.0
    """Seconds since the epoch."""


def list_recent_branches(root: Path, environ: Mapping[str, str]) -> tuple[Branch, ...]:
    """Local branches, then those of remotes that no local one stands for; the newest first."""
    fields = "%(refname)%00%(worktreepath)%00%(committerdate:unix)%00%(symref)"
    options = ("--sort=-committerdate", f"--format={fields}")
    text = _ask(root, environ, "for-each-ref", *options, "refs/heads", "refs/remotes") or ""
    local: dict[str, Branch] = {}
    remote: dict[str, Branch] = {}
    for line in filter(None, text.split("\n")):
        reference, worktree, date, target = line.split("\0")
        at = float(date) if date.isdigit() else 0.0
        if reference.startswith("refs/heads/"):
            name = _shown(reference.removeprefix("refs/heads/"))
            local[name] = Branch(name, worktree or None, None, at)
        elif not target:  # origin/HEAD only points at another one
            where, _, name = reference.removeprefix("refs/remotes/").partition("/")
            remote.setdefault(_shown(name), Branch(_shown(name), None, _shown(where), at))
    return (*local.values(), *(one for name, one in remote.items() if name not in local))


def find_reference(root: Path, environ: Mapping[str, str], name: str) -> str | None:
    """The full reference that `git switch NAME` would go to."""
    own = f"refs/heads/{name}"
    if _ask(root, environ, "rev-parse", "--verify", "--quiet", own) is not None:
        return own
    text = _ask(root, environ, "for-each-ref", "--format=%(refname)", f"refs/remotes/*/{name}")
    return next(iter((text or "").splitlines()), None)


def list_differing(
    root: Path, environ: Mapping[str, str], reference: str, paths: Sequence[str]
) -> tuple[str, ...] | None:
    """Those of `paths` below `root` that are otherwise in `reference` than on disk, or are in one
    of both only as far as git tracks them; relative to `root`. None where git cannot say."""
    options = ("--no-ext-diff", "--no-textconv", "--no-renames", "--name-only", "-z")
    given = [f":(top,literal){path}" for path in paths]
    text = _ask(root, environ, "diff", *options, reference, "--", *given) if given else ""
    return None if text is None else tuple(filter(None, text.split("\0")))


def read_committed(root: Path, environ: Mapping[str, str], reference: str, path: str) -> str | None:
    """The text of a file, relative to `root`, as `reference` has it; None where it has none."""
    return _ask(root, environ, "cat-file", "blob", f"{reference}:{path}")


def has_branch(root: Path, environ: Mapping[str, str], name: str) -> bool:
    """Whether `git switch NAME` can find it: a local branch, or one of a single remote."""
    return find_reference(root, environ, name) is not None


def switch_branch(root: Path, environ: Mapping[str, str], name: str) -> None:
    """`git switch NAME`. Raises CommandFailed with git's own words."""
    if name.startswith("-"):
        raise UsageError(f"{name!r} is no branch name.")
    _switch(root, environ, name)


def return_from_branch(before: GitState, environ: Mapping[str, str]) -> None:
    """`git switch` back to the branch, or the commit, that was checked out before. Raises
    CommandFailed with git's own words."""
    if before.branch is not None:
        switch_branch(before.root, environ, before.branch)
    elif before.head_sha is not None:
        _switch(before.root, environ, "--detach", before.head_sha)


def _switch(root: Path, environ: Mapping[str, str], *words: str) -> None:
    argv = ("git", "switch", *words)
    try:
        completed = subprocess.run(
            argv,
            cwd=root,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SWITCH_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CommandFailed(argv, 1, str(error)) from None
    if completed.returncode != 0:
        said = completed.stderr.decode(errors="replace")
        raise CommandFailed(argv, completed.returncode, said)


def _ask(root: Path, environ: Mapping[str, str], *arguments: str) -> str | None:
    try:
        completed = subprocess.run(
            ("git", *SAFE_OPTIONS, *arguments),
            cwd=root,
            env={**environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=ANSWER_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return os.fsdecode(completed.stdout) if completed.returncode == 0 else None


def _shown(name: str) -> str:
    """A branch's name as `git.read_branch` has it: text, whatever its bytes."""
    return os.fsencode(name).decode("utf-8", "replace")
