"""Whether another branch's files would load, seen without checking it out.

What Compose and devenv read is written as the branch has it to a directory that is removed again,
beside what no branch has (`.env`, as a rule), and is loaded there.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devenv.cli.session import Session
from devenv.compose.model import Project
from devenv.errors import DevenvError, EngineUnavailable, Source
from devenv.host import paths
from devenv.host.choices import load_choice
from devenv.host.git import GitState
from devenv.host.git_commands import find_reference
from devenv.host.git_files import load_git_facts
from devenv.host.git_tree import write_tree
from devenv.host.memory import open_existing
from devenv.values import dataclass


@dataclass(frozen=True, slots=True)
class BranchFiles:
    """What became of loading a branch's files."""

    project: Project | None = None
    profile: str | None = None
    fault: DevenvError | None = None
    """Why they do not load; both None: it cannot be known beforehand."""


def load_branch_files(session: Session, branch: str) -> BranchFiles:
    """Load the files of a branch that is not checked out. Raises EngineUnavailable: no Compose."""
    git = session.git
    reference = find_reference(git.root, session.environ, branch) if git is not None else None
    if git is None or reference is None:
        return BranchFiles()
    with _written(session, git, reference, branch) as place:
        if place is None:
            return BranchFiles()
        inside = place / session.start.relative_to(git.root)
        if not inside.is_dir():
            return BranchFiles(fault=DevenvError(f"{branch} has no such directory."))
        kept = None
        if paths.has_memory(state := paths.state_directory(session.environ)):
            with open_existing(state) as memory:
                kept = load_choice(memory, str(_root(session)), branch)
        there = session.at(inside).renew(profile=kept, preview=True)
        try:
            return BranchFiles(there.project, there.files.choice.name)
        except EngineUnavailable:
            raise
        except DevenvError as error:
            return BranchFiles(fault=_place(error, place, branch))


def _root(session: Session) -> Path:
    try:
        return session.files.root
    except DevenvError:
        return session.start


@contextmanager
def _written(session: Session, git: GitState, reference: str, branch: str) -> Iterator[Path | None]:
    """The checkout as it would be, as far as it is read; None where it is too large to look at."""
    place = Path(tempfile.mkdtemp(prefix="devenv-"))
    root = place / git.root.name
    try:
        root.mkdir()
        if not write_tree(git.root, session.environ, reference, root):
            yield None
            return
        for path in _untracked(session, git):
            copy = root / path.relative_to(git.root)
            if not copy.exists():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)
        _pretend(git, place, root, branch)
        yield root
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _pretend(git: GitState, place: Path, root: Path, branch: str) -> None:
    """What `read_branch` needs to take the directory for this checkout on that branch."""
    own = root / ".git"
    if git.is_worktree:
        own = place / ".worktrees" / git.git_dir.name
        (root / ".git").write_text(f"gitdir: {own}\n", encoding="utf-8")
    own.mkdir(parents=True)
    text = f"ref: refs/heads/{branch}\n"
    (own / "HEAD").write_text(text, encoding="utf-8", errors="surrogateescape")
    if git.is_worktree:
        (own / "commondir").write_text(f"{git.common_dir}\n", encoding="utf-8")


def _untracked(session: Session, git: GitState) -> list[Path]:
    """The files of the model here that git does not track: a switch leaves them where they are."""
    from devenv.cli.model_loader import find_model_files

    try:
        names = find_model_files(session)
    except DevenvError:
        names = (str(session.start / ".env"),)
    inside = [name for name in names if name.startswith(f"{git.root}/") and Path(name).is_file()]
    facts = load_git_facts(git.root, inside, session.environ)
    tracked = facts.tracked if facts is not None else frozenset(inside)
    return [Path(name) for name in inside if name not in tracked]


def _place(error: DevenvError, place: Path, branch: str) -> DevenvError:
    """The error with paths as they are in the repository, and the branch's name."""

    def shown(text: str | None) -> str | None:
        return text.replace(f"{place}/", "") if text is not None else None

    source = error.source
    if source is not None:
        where = f"{branch}:{shown(source.path)}"
        source = Source(where, source.line, source.column)
    return DevenvError(
        shown(error.message) or "",
        source=source,
        fix=shown(error.fix),
        excerpt=shown(error.excerpt),
    )
