"""The text of files after the safe edits of findings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from devenv.checks.facts import FileKind, FileState
from devenv.checks.finding import Edit, Finding
from devenv.values import dataclass


@dataclass(frozen=True, slots=True)
class Repair:
    """What a set of findings does to the files."""

    texts: Mapping[str, str]
    """Absolute path to its new text, for files that change; made where they did not exist."""
    applied: tuple[Finding, ...] = ()
    left: tuple[Finding, ...] = ()
    """Findings whose edits meet those of an earlier one: they need another round."""


def plan_repair(findings: Iterable[Finding], files: Mapping[str, FileState]) -> Repair:
    """Join the edits of several findings, each finding's as a whole or not at all.

    An edit that overlaps one that was taken before is left, and so is a file that is not whole
    text (missing where it should be, unreadable, not UTF-8). The same edit twice is one.
    """
    taken: dict[str, list[Edit]] = {}
    applied: list[Finding] = []
    left: list[Finding] = []
    for finding in findings:
        if not finding.edits:
            continue
        if all(_fits(edit, taken.get(edit.path, []), files) for edit in finding.edits):
            for edit in finding.edits:
                if edit not in taken.setdefault(edit.path, []):
                    taken[edit.path].append(edit)
            applied.append(finding)
        else:
            left.append(finding)
    texts = {path: _apply(_text(files, path), edits) for path, edits in taken.items()}
    return Repair(texts, tuple(applied), tuple(left))


def _text(files: Mapping[str, FileState], path: str) -> str:
    state = files.get(path)
    return (state.text or "") if state else ""


def _fits(edit: Edit, taken: Iterable[Edit], files: Mapping[str, FileState]) -> bool:
    state = files.get(edit.path)
    if state is None or state.kind is FileKind.MISSING:
        if edit.start or edit.end:
            return False
    elif state.kind is not FileKind.FILE or state.invalid_utf8_line is not None:
        return False
    if not 0 <= edit.start <= edit.end <= len(_text(files, edit.path)):
        return False
    return all(edit == other or not _meet(edit, other) for other in taken)


def _meet(one: Edit, other: Edit) -> bool:
    """Whether two edits touch the same characters, or insert at the same place."""
    if one.start == one.end == other.start == other.end:
        return True
    return one.start < other.end and other.start < one.end


def _apply(text: str, edits: list[Edit]) -> str:
    for _, edit in sorted(enumerate(edits), key=lambda one: (one[1].start, one[0]), reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text
