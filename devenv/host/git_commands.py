"""What devenv asks git itself for: branches, worktrees, and the change of a branch.

A repository is untrusted input, so questions run without its hooks and file system monitor; only
`git switch`, which the user asks for, runs as the user's own would.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from devenv.errors import CommandFailed, UsageError

ANSWER_SECONDS = 10.0
SWITCH_SECONDS = 600.0
_SAFE = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")


def list_branches(root: Path, environ: Mapping[str, str]) -> frozenset[str] | None:
    """The local branches; None where git cannot say."""
    text = _ask(root, environ, "for-each-ref", "--format=%(refname:short)", "refs/heads")
    return None if text is None else frozenset(filter(None, text.splitlines()))


def has_branch(root: Path, environ: Mapping[str, str], name: str) -> bool:
    """Whether `git switch NAME` can find it: a local branch, or one of a single remote."""
    local = _ask(root, environ, "rev-parse", "--verify", "--quiet", f"refs/heads/{name}")
    if local is not None:
        return True
    remote = _ask(root, environ, "for-each-ref", "--format=x", f"refs/remotes/*/{name}")
    return bool(remote and remote.strip())


def switch_branch(root: Path, environ: Mapping[str, str], name: str) -> None:
    """`git switch NAME`. Raises CommandFailed with git's own words."""
    if name.startswith("-"):
        raise UsageError(f"{name!r} is no branch name.")
    argv = ("git", "switch", name)
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
            ("git", *_SAFE, *arguments),
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
