"""For people: place, rule, source line with a caret, related place, the fix, and a count."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from devenv.checks.finding import CheckResult, Finding, NotChecked, Place, Severity
from devenv.report.finding_paths import FindingPaths
from devenv.report.start_bound import render_start_bounds

Paint = Callable[[str, str], str]
"""Takes a text and a colour's name, and gives the text with that colour, or as it is."""

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "blue"}
_GUTTER = 5
_LONGEST = 200
"""Characters of a source line that are shown in a pipe."""


def _plain(text: str, colour: str) -> str:
    return text


def render(
    result: CheckResult, paths: FindingPaths, *, paint: Paint = _plain, quiet: bool = False
) -> str:
    """The result as text with a final newline; `quiet` leaves one line per finding."""
    if quiet:
        return "".join(f"{_head(finding, paths, paint)}\n" for finding in result.findings)
    blocks = [_render(finding, paths, paint) for finding in result.findings]
    if result.not_checked:
        blocks.append("".join(_not_checked(one, paths) for one in result.not_checked))
    bounds = render_start_bounds(bound for bound in result.start_bounds if bound.seconds)
    if bounds:
        blocks.append(bounds)
    blocks.append(_render_count(result, paint))
    return "\n".join(blocks)


def _not_checked(one: NotChecked, paths: FindingPaths) -> str:
    where = f" {paths.show(one.path)}" if one.path else ""
    return f"not checked: {one.what}{where}: {one.why}\n"


def _head(finding: Finding, paths: FindingPaths, paint: Paint) -> str:
    severity = paint(finding.severity.value, _COLOURS[finding.severity])
    where = paint(_place(finding.place, paths), "bold")
    return f"{where}: {severity} [{finding.rule}] {finding.message}"


def _render(finding: Finding, paths: FindingPaths, paint: Paint) -> str:
    lines = [_head(finding, paths, paint)]
    lines += _excerpt(finding.place, paths, paint)
    for related in finding.related:
        lines.append(f"  {_place(related.place, paths)}: {related.message}")
        lines += _excerpt(related.place, paths, paint, caret=False)
    if finding.profiles and set(finding.profiles) != set(paths.profiles):
        lines.append(f"  profiles: {', '.join(finding.profiles)}")
    if finding.fix:
        mark = " (--fix does it)" if finding.edits else ""
        lines.append(f"  {paint('fix:', 'green')} {finding.fix}{mark}")
    return "\n".join(lines) + "\n"


def _place(place: Place, paths: FindingPaths) -> str:
    parts = [paths.show(place.path)]
    parts += [str(number) for number in (place.line, place.column) if number is not None]
    return ":".join(parts)


def _excerpt(place: Place, paths: FindingPaths, paint: Paint, *, caret: bool = True) -> list[str]:
    line = paths.source_line(place.path, place.line) if place.line else None
    if line is None:
        return []
    number = f"{place.line:>{_GUTTER}}"
    room = max(20, (paths.width or _LONGEST) - _GUTTER - 3)
    at = min((place.column or 1) - 1, len(line))
    shown, before = _cut(line, at, room)
    lines = [f"{paint(f'{number} |', 'dim')} {shown}"]
    if caret and place.column:
        lines.append(f"{paint(' ' * _GUTTER + ' |', 'dim')} {' ' * before}{paint('^', 'red')}")
    return lines


def _cut(line: str, at: int, room: int) -> tuple[str, int]:
    """The part of a line around a position that fits, and the columns before the position."""
    flat = "".join(" " if unicodedata.category(c) == "Cc" else c for c in line)
    start = 0 if at < room - 10 else at - room // 2
    part = flat[start : start + room]
    head = "…" if start else ""
    tail = "…" if start + room < len(flat) else ""
    before = len(head) + sum(_width(c) for c in flat[start + len(head) : at])
    return head + part[len(head) :] + tail, before


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _render_count(result: CheckResult, paint: Paint) -> str:
    counts = [(result.count(severity), severity.value) for severity in Severity]
    shown = [f"{count} {word}{_plural(count, word)}" for count, word in counts if count]
    if not shown:
        return paint("no findings", "green") + "\n"
    fixable = sum(bool(finding.edits) for finding in result.findings)
    more = f"; --fix repairs {fixable}" if fixable else ""
    return f"{', '.join(shown)}{more}\n"


def _plural(count: int, word: str) -> str:
    return "s" if count != 1 and word != Severity.INFO else ""
