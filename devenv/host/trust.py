"""Which hooks a user has allowed, and what of a repository was shown, in devenv's memory.

A repository is known by its main checkout's place, so what is allowed in one worktree is allowed
in all: what counts is the digest, which covers every text. Without a memory nothing is allowed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable

from devenv.config.trust import HookTrust, parse_trust
from devenv.host.documents import forget_documents, load_document, remember_document
from devenv.host.git import GitState
from devenv.host.memory import Memory
from devenv.host.project_files import ProjectFiles
from devenv.values import dataclass

HOOKS = "hooks"
ACCESS = "access"
"""The kinds of what is remembered of a repository."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """What was allowed once."""

    root: str
    digest: str
    allowed_at: float


def resolve_trust_root(files: ProjectFiles) -> str:
    """The directory of devenv.toml, as it is in the main checkout."""
    git = files.git
    if git is None or not git.is_worktree or git.common_dir.name != ".git":
        return str(files.root)
    if not _is_linked_back(git) or not files.root.is_relative_to(git.root):
        return str(files.root)
    return str(git.common_dir.parent / files.root.relative_to(git.root))


def _is_linked_back(git: GitState) -> bool:
    """Whether the repository has the worktree too: a `.git` file alone could name any repository.

    Spec: gitrepository-layout(5), worktrees/<id>/gitdir.
    """
    try:
        named = (git.git_dir / "gitdir").read_text(encoding="utf-8", errors="surrogateescape")
        return (git.git_dir / named.strip()).samefile(git.root / ".git")
    except OSError:
        return False


def is_allowed(memory: Memory, root: str, trust: HookTrust) -> bool:
    """Whether exactly this was allowed here."""
    found = memory.read("SELECT 1 FROM allowed WHERE root = ? AND digest = ?", (root, trust.digest))
    return bool(found)


def allow(memory: Memory, root: str, trust: HookTrust) -> bool:
    """Allow it, and keep its texts so that a later change can be shown; whether it was kept."""
    kept = memory.write(
        "INSERT OR REPLACE INTO allowed (root, digest, allowed_at) VALUES (?, ?, ?)",
        (root, trust.digest, time.time()),
    )
    return kept and remember_document(memory, root, HOOKS, trust.to_json())


def revoke(memory: Memory, root: str) -> int:
    """Take back all that was allowed here; how many that were."""
    count = len(memory.read("SELECT 1 FROM allowed WHERE root = ?", (root,)))
    memory.write("DELETE FROM allowed WHERE root = ?", (root,))
    forget_documents(memory, root)
    return count


def load_allowed(memory: Memory) -> list[Allowed]:
    """All that is allowed on this machine, by place, the newest first."""
    rows = memory.read(
        "SELECT root, digest, allowed_at FROM allowed ORDER BY root, allowed_at DESC"
    )
    return [Allowed(str(root), str(digest), float(at)) for root, digest, at in rows]


def load_last_trust(memory: Memory, root: str) -> HookTrust | None:
    """What was allowed last here, with its texts."""
    text = load_document(memory, root, HOOKS)
    return parse_trust(text) if text is not None else None


def load_known_access(memory: Memory, root: str) -> frozenset[str] | None:
    """The lines of host access that were shown here; None for a repository that is not known."""
    text = load_document(memory, root, ACCESS)
    try:
        return None if text is None else frozenset(map(str, json.loads(text)))
    except (ValueError, TypeError):
        return None


def remember_access(memory: Memory, root: str, lines: Iterable[str]) -> bool:
    """Keep that these lines were shown, beside those that were before; whether it was kept."""
    known = load_known_access(memory, root) or frozenset()
    return remember_document(memory, root, ACCESS, json.dumps(sorted({*known, *lines})))
