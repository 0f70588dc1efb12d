"""The files of a commit, written without a checkout."""

from __future__ import annotations

import os
from pathlib import Path

from devenv.host.git_tree import MAX_BYTES, write_tree
from tests.unit.host.test_git import _git as git


def test_what_a_model_is_made_of_and_nothing_that_leads_out(tmp_path: Path) -> None:
    source, to = tmp_path / "source", tmp_path / "to"
    source.mkdir()
    to.mkdir()
    git(source, "init", "-q", "-b", "main")
    written = {
        "compose.yaml": "services: {}\n",
        "deep/er/override.yml": "a: b\n",
        "profiles/dev.toml": "x = 1\n",
        "with space/é.env": "A=b\n",
        ".env.example": "A=\n",
    }
    for path, text in {**written, "src/main.py": "x", "large.json": "x" * (MAX_BYTES + 1)}.items():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_text(text)
    (source / "link.yaml").symlink_to("compose.yaml")
    (source / "out.yaml").symlink_to("../../etc/passwd")
    (source / "absolute.yaml").symlink_to("/etc/passwd")
    git(source, "add", "-A")
    git(source, "commit", "-q", "-m", "one")
    assert write_tree(source, os.environ, "refs/heads/main", to)
    found = {str(p.relative_to(to)): p.read_text() for p in to.rglob("*") if p.is_file()}
    assert found == {**written, "link.yaml": "services: {}\n"}
    assert (to / "link.yaml").is_symlink()
    assert not (to / "out.yaml").is_symlink()


def test_what_git_does_not_know_is_said(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    assert not write_tree(tmp_path, os.environ, "refs/heads/none", tmp_path / "to")
