"""Which of some files git tracks or ignores, asked of git itself."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from devenv.checks.facts import GitFacts
from devenv.host.git import read_branch

ANSWER_SECONDS = 5.0


def load_git_facts(
    directory: Path, paths: Iterable[str], environ: Mapping[str, str]
) -> GitFacts | None:
    """What git says of `paths` (absolute, below `directory` or not); None without git.

    A path outside the checkout is in neither set.
    """
    state = read_branch(directory)
    if state is None:
        return None
    root = str(state.root)
    names = {
        relative: path
        for path in paths
        if not (relative := os.path.relpath(path, root)).startswith("..")
    }
    if not names:
        return GitFacts(root)
    tracked = _ask(root, environ, ("--literal-pathspecs", "ls-files", "-z", "--", *names))
    stdin = "\0".join(names) + "\0"
    ignored = _ask(root, environ, ("check-ignore", "--no-index", "-z", "--stdin"), stdin)
    if tracked is None or ignored is None:
        return None
    return GitFacts(
        root,
        frozenset(names[name] for name in tracked if name in names),
        frozenset(names[name] for name in ignored if name in names),
    )


def _ask(
    root: str, environ: Mapping[str, str], arguments: tuple[str, ...], stdin: str = ""
) -> list[str] | None:
    """The names that git prints; None where it cannot say."""
    safe = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
    try:
        completed = subprocess.run(
            ("git", *safe, *arguments),
            cwd=root,
            env={**environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
            input=stdin.encode(errors="surrogateescape"),
            capture_output=True,
            timeout=ANSWER_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if completed.returncode > 1:  # 1: nothing is ignored
        return None
    return [os.fsdecode(name) for name in completed.stdout.split(b"\0") if name]
