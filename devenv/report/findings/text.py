"""For people: place, rule, source line with a caret, related place, the fix, and a count.

Findings come in the order of their files. Whatever stands in a file name, a value or a message,
nothing but the colours asked for reaches the terminal, and each line is one line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from devenv.checks.finding import CheckResult, Finding, NotChecked, Place, Severity
from devenv.report.excerpts import cut_excerpt, flatten, token_columns
from devenv.report.finding_paths import FindingPaths
from devenv.report.start_bound import render_start_bounds

Paint = Callable[[str, str], str]
"""Takes a text and a colour's name, and gives the text with that colour, or as it is."""

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "blue"}
_GUTTER = 5
_LONGEST = 200
"""Characters of a source line that are shown in a pipe."""
_NARROWEST = 30
"""Columns below which words are no longer broken into lines."""


def _plain(text: str, colour: str) -> str:
    return text


def render(
    result: CheckResult, paths: FindingPaths, *, paint: Paint = _plain, quiet: bool = False
) -> str:
    """The result as text with a final newline; `quiet` leaves one line per finding."""
    if quiet:
        return "".join(f"{_head(finding, paths, paint)}\n" for finding in result.findings)
    blocks = [_render(finding, paths, paint) for finding in result.findings]
    if not blocks and len(result.not_checked) <= 1:
        return _render_clean(result, paths, paint)
    if result.not_checked:
        blocks.append("".join(_not_checked(one, paths) for one in result.not_checked))
    bounds = render_start_bounds(bound for bound in result.start_bounds if bound.seconds)
    if bounds:
        blocks.append(flatten(bounds, keep="\n"))
    blocks.append(_render_count(result, paint))
    return "\n".join(blocks)


def _render_clean(result: CheckResult, paths: FindingPaths, paint: Paint) -> str:
    """One line, which also says what was looked at and what could not be."""
    words = [paint("✓ nothing found", "green") + _scope(result)]
    seconds = max((bound.seconds for bound in result.start_bounds), default=0)
    if seconds:
        words.append(f"a cold start takes at least {seconds:g} s")
    words += [_not_checked(one, paths).strip() for one in result.not_checked]
    return "; ".join(words) + "\n"


def _scope(result: CheckResult) -> str:
    if not result.rules:
        return ""
    rules = _count(result.rules, "rule")
    if not result.profiles:
        return f" by {rules}"
    listed = ", ".join(map(flatten, result.profiles[:5]))
    more = ", …" if len(result.profiles) > 5 else ""
    return f" by {rules} over {_count(len(result.profiles), 'profile')} ({listed}{more})"


def _not_checked(one: NotChecked, paths: FindingPaths) -> str:
    where = f" {paths.show(one.path)}" if one.path else ""
    return flatten(f"not checked: {one.what}{where}: {one.why}") + "\n"


def _head(finding: Finding, paths: FindingPaths, paint: Paint) -> str:
    where = paint(_place(finding.place, paths), "bold")
    severity = paint(finding.severity.value, _COLOURS[finding.severity])
    return f"{where}: {severity} [{flatten(finding.rule)}] {flatten(finding.message)}"


def _render(finding: Finding, paths: FindingPaths, paint: Paint) -> str:
    where = _place(finding.place, paths)
    severity = finding.severity.value
    lines = list(
        _wrap(
            f"{where}: {severity} [{flatten(finding.rule)}] {flatten(finding.message)}",
            paths.width,
            {where: paint(where, "bold"), severity: paint(severity, _COLOURS[finding.severity])},
        )
    )
    lines += _excerpt(finding.place, paths, paint)
    for related in finding.related:
        at = _place(related.place, paths)
        lines += _wrap(f"  {at}: {flatten(related.message)}", paths.width)
        lines += _excerpt(related.place, paths, paint, caret=False)
    if finding.profiles and set(finding.profiles) != set(paths.profiles):
        lines += _wrap(f"  profiles: {flatten(', '.join(finding.profiles))}", paths.width)
    if finding.fix:
        mark = " (--fix does it)" if finding.edits else ""
        words = f"  fix: {flatten(finding.fix)}{mark}"
        lines += _wrap(words, paths.width, {"fix:": paint("fix:", "green")})
    return "\n".join(lines) + "\n"


def _wrap(text: str, width: int | None, painted: dict[str, str] | None = None) -> Iterator[str]:
    """Lines of at most `width` columns, broken between words; each painted word once."""
    lines = [text]
    if width is not None and width >= _NARROWEST and len(text) > width:
        from textwrap import wrap

        lines = wrap(
            text,
            width,
            subsequent_indent="    ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    left = dict(painted or {})
    for line in lines:
        start = 0
        for word in list(left):
            at = line.find(word, start)
            if at >= 0:
                colour = left.pop(word)
                line = line[:at] + colour + line[at + len(word) :]
                start = at + len(colour)
        yield line


def _place(place: Place, paths: FindingPaths) -> str:
    parts = [flatten(paths.show(place.path))]
    parts += [str(number) for number in (place.line, place.column) if number is not None]
    return ":".join(parts)


def _excerpt(place: Place, paths: FindingPaths, paint: Paint, *, caret: bool = True) -> list[str]:
    line = paths.source_line(place.path, place.line) if place.line else None
    if line is None:
        return []
    number = f"{place.line:>{_GUTTER}}"
    room = max(20, (paths.width or _LONGEST) - _GUTTER - 3)
    at = min((place.column or 1) - 1, len(line))
    shown, before, marked = cut_excerpt(line, at, token_columns(line, at), room)
    lines = [f"{paint(f'{number} |', 'dim')} {shown}"]
    if caret and place.column:
        gutter = paint(" " * _GUTTER + " |", "dim")
        lines.append(f"{gutter} {' ' * before}{paint('^' * marked, 'red')}")
    return lines


def _render_count(result: CheckResult, paint: Paint) -> str:
    counts = [(result.count(severity), severity) for severity in Severity]
    shown = [paint(_severities(count, one), _COLOURS[one]) for count, one in counts if count]
    if not shown:
        return paint("✓ nothing found", "green") + _scope(result) + "\n"
    files = len({finding.place.path for finding in result.findings})
    where = f" in {_count(files, 'file')}" if len(result.findings) > 1 else ""
    fixable = sum(bool(finding.edits) for finding in result.findings)
    more = f"; --fix repairs {fixable}" if fixable else ""
    return f"{', '.join(shown)}{where}{more}\n"


def _severities(count: int, severity: Severity) -> str:
    return f"{count} info" if severity is Severity.INFO else _count(count, severity.value)


def _count(count: int, word: str) -> str:
    return f"{count} {word}{'s' if count != 1 else ''}"
