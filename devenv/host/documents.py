"""Short texts that devenv keeps of a repository or an environment, one of each kind."""

from __future__ import annotations

import time

from devenv.host.memory import Memory


def load_document(memory: Memory, owner: str, kind: str) -> str | None:
    """The text; None where there is none."""
    rows = memory.read("SELECT document FROM documents WHERE owner = ? AND kind = ?", (owner, kind))
    return str(rows[0][0]) if rows else None


def remember_document(memory: Memory, owner: str, kind: str, text: str) -> bool:
    """Keep the text, in place of the one of that kind; whether it was kept."""
    return memory.write(
        "INSERT OR REPLACE INTO documents (owner, kind, document, kept_at) VALUES (?, ?, ?, ?)",
        (owner, kind, text, time.time()),
    )


def forget_documents(memory: Memory, owner: str, kind: str | None = None) -> bool:
    """Forget the text of a kind, or all of an owner; whether the memory took it."""
    return memory.write(
        "DELETE FROM documents WHERE owner = ? AND (? IS NULL OR kind = ?)", (owner, kind, kind)
    )
