"""The profile that was chosen by hand for a branch in a directory, in devenv's memory."""

from __future__ import annotations

import time

from devenv.host.memory import Memory

NO_BRANCH = ""
"""Stands for a detached HEAD, and for a directory outside git."""


def load_choice(memory: Memory, directory: str, branch: str | None) -> str | None:
    """The profile that was chosen; None where none was."""
    rows = memory.read(
        "SELECT profile FROM choices WHERE directory = ? AND branch = ?",
        (directory, branch or NO_BRANCH),
    )
    return str(rows[0][0]) if rows else None


def remember_choice(memory: Memory, directory: str, branch: str | None, profile: str) -> bool:
    """Keep a choice; whether it was kept."""
    return memory.write(
        "INSERT OR REPLACE INTO choices (directory, branch, profile, chosen_at) "
        "VALUES (?, ?, ?, ?)",
        (directory, branch or NO_BRANCH, profile, time.time()),
    )


def forget_choice(memory: Memory, directory: str, branch: str | None) -> bool:
    """Let the rules decide again; whether the memory took it."""
    return memory.write(
        "DELETE FROM choices WHERE directory = ? AND branch = ?", (directory, branch or NO_BRANCH)
    )
