"""What `devenv allow` shows: hooks, the files that they call, host access, and what changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from devenv.compose.host_access import HostAccess
from devenv.compose.secrets import mask_text
from devenv.config.trust import HookTrust, find_changes
from devenv.report.text_diff import render_diff, split_lines

MAX_LINES = 400
"""Of a called file's text, or of the difference in it; the rest is in the file itself."""


def render_trust(trust: HookTrust, before: HookTrust | None, *, full: bool) -> str:
    """The hooks and the files they call; where there was one before, what changed since.

    `full` adds the texts of the files.
    """
    lines = ["hooks:", *(f"  {mask_text(line)}" for line in trust.lines)]
    if trust.files:
        lines += ["files that they call:"]
        for file in trust.files:
            size = "no text" if file.text is None else _count(len(split_lines(file.text)))
            lines.append(f"  {file.path} ({size}, sha256 {file.digest[:12]})")
    if before is not None and before != trust:
        lines += ["changed since it was allowed last:", *render_changes(trust, before)]
    if full and before is None:
        for file in trust.files:
            if file.text is not None:
                lines += ["", f"--- {file.path}", *_cut(split_lines(mask_text(file.text)))]
    return "\n".join(lines) + "\n"


def render_changes(trust: HookTrust, before: HookTrust) -> list[str]:
    """What differs from what was allowed last; files as a diff."""
    lines: list[str] = []
    texts = {file.path: file.text or "" for file in trust.files}
    for what, old in find_changes(before, trust):
        if old is None:
            lines.append(f"  {mask_text(what)}")
        else:
            lines += [f"  {line}" for line in _cut(list(_diff(what, old, texts[what])))]
    return lines or ["  nothing but the order"]


def _diff(path: str, old: str, new: str) -> Iterator[str]:
    before, after = split_lines(old), split_lines(new)
    return render_diff(
        before,
        after,
        split_lines(mask_text(old)) if mask_text(old).count("\n") == old.count("\n") else before,
        split_lines(mask_text(new)) if mask_text(new).count("\n") == new.count("\n") else after,
        old_name=f"allowed/{path}",
        new_name=path,
    )


def _cut(lines: Sequence[str]) -> list[str]:
    if len(lines) <= MAX_LINES:
        return list(lines)
    return [*lines[:MAX_LINES], f"… {len(lines) - MAX_LINES} more lines: see the file"]


def _count(lines: int) -> str:
    return f"{lines} line{'' if lines == 1 else 's'}"


def render_host_access(found: Sequence[HostAccess]) -> str:
    """What containers, or Compose itself, can reach on this machine."""
    lines = ["what its containers can reach on this machine, beyond the repository:"]
    return "\n".join([*lines, *(f"  {mask_text(one.line)}" for one in found)]) + "\n"
