"""The small text files of a commit, written to a directory without a checkout.

A repository is untrusted: names that lead out of the directory, or into `.git`, are left out, and
no filter or hook runs.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from devenv.host.git_commands import ANSWER_SECONDS, SAFE_OPTIONS
from devenv.values import dataclass

MAX_FILES = 4000
MAX_BYTES = 512 * 1024
"""Of one file; what Compose reads is smaller."""
MAX_TOTAL_BYTES = 32 * 1024 * 1024
_READ = re.compile(r"(?:^|/)(?:[^/]*\.(?:ya?ml|toml|env|json)|\.?env[^/]*|[^/]*\.env[^/]*)$", re.I)
"""Names of files that a Compose model or a profile may be made of."""


@dataclass(frozen=True, slots=True)
class _Entry:
    path: str
    sha: str
    is_link: bool
    size_bytes: int


def write_tree(root: Path, environ: Mapping[str, str], reference: str, to: Path) -> bool:
    """Write what a model may be made of; False where git cannot say, or it is too much."""
    listed = _run(root, environ, b"", "ls-tree", "-r", "-l", "-z", reference)
    if listed is None:
        return False
    entries = _parse_tree(listed)
    if len(entries) > MAX_FILES or sum(one.size_bytes for one in entries) > MAX_TOTAL_BYTES:
        return False
    shas = "".join(f"{one.sha}\n" for one in entries).encode()
    blobs = _run(root, environ, shas, "cat-file", "--batch")
    if blobs is None:
        return False
    at = 0
    for one in entries:
        end = blobs.find(b"\n", at)
        head = blobs[at:end].split()
        if len(head) != 3 or not head[2].isdigit():  # missing: a shallow or partial clone
            return False
        content = blobs[end + 1 : end + 1 + int(head[2])]
        at = end + 2 + int(head[2])
        _write(to, one, content)
    return True


def _parse_tree(listed: bytes) -> list[_Entry]:
    """Those to be written, of what `ls-tree -l -z` prints."""
    entries = []
    for record in filter(None, listed.split(b"\0")):
        head, _, name = record.partition(b"\t")
        mode, kind, sha, size = head.split()
        path = os.fsdecode(name)
        parts = PurePosixPath(path).parts
        if kind != b"blob" or not size.isdigit() or int(size) > MAX_BYTES:
            continue
        if path.startswith("/") or any(part == ".." or part.lower() == ".git" for part in parts):
            continue
        is_link = mode == b"120000"
        if is_link or _READ.search(path):
            entries.append(_Entry(path, sha.decode(), is_link, int(size)))
    return entries


def _write(to: Path, entry: _Entry, content: bytes) -> None:
    """A name that cannot be written, or would be reached through a link, is left out."""
    file = to / entry.path
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.parent.resolve().is_relative_to(to.resolve()):
            return
        if not entry.is_link:
            file.write_bytes(content)
            return
        target = os.fsdecode(content)
        meant = os.path.normpath(file.parent / target)
        if not Path(target).is_absolute() and Path(meant).is_relative_to(to):
            file.symlink_to(target)
    except OSError:
        return


def _run(root: Path, environ: Mapping[str, str], stdin: bytes, *arguments: str) -> bytes | None:
    try:
        completed = subprocess.run(
            ("git", *SAFE_OPTIONS, *arguments),
            cwd=root,
            env={**environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"},
            input=stdin,
            capture_output=True,
            timeout=ANSWER_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return completed.stdout if completed.returncode == 0 else None
