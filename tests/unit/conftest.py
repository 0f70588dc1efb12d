"""Permission faults are real for everyone but root, so root steps down for their tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

NOBODY = 65534


@pytest.fixture
def unprivileged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run the test as a user whom file modes bind; the temporary directory is that user's."""
    if os.geteuid() != 0:
        yield
        return
    closed = [path for path in tmp_path.parents if not path.stat().st_mode & 0o001]
    modes = {path: path.stat().st_mode for path in closed}
    for path, mode in modes.items():
        path.chmod(mode | 0o011)
    os.chown(tmp_path, NOBODY, NOBODY)
    monkeypatch.setenv("HOME", str(tmp_path))  # root's own is closed to that user
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)
        for path, mode in modes.items():
            path.chmod(mode)
