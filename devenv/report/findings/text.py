"""For people: place, rule, source line with a caret, related place, the fix, and a count."""

from __future__ import annotations

from devenv.checks.finding import CheckResult, Finding, Place, Severity
from devenv.report.finding_paths import FindingPaths


def render(result: CheckResult, paths: FindingPaths) -> str:
    """The result as text without colours, with a final newline."""
    blocks = [_render(finding, paths) for finding in result.findings]
    for one in result.not_checked:
        where = f"{paths.show(one.path)}: " if one.path else ""
        blocks.append(f"{where}not checked: {one.what}: {one.why}\n")
    blocks.append(_render_count(result))
    return "\n".join(blocks)


def _render(finding: Finding, paths: FindingPaths) -> str:
    lines = [
        f"{_place(finding.place, paths)}: {finding.severity} [{finding.rule}] {finding.message}"
    ]
    lines += _excerpt(finding.place, paths)
    for related in finding.related:
        lines.append(f"  {_place(related.place, paths)}: {related.message}")
    if finding.profiles:
        lines.append(f"  profiles: {', '.join(finding.profiles)}")
    if finding.fix:
        lines.append(f"  fix: {finding.fix}")
    return "\n".join(lines) + "\n"


def _place(place: Place, paths: FindingPaths) -> str:
    parts = [paths.show(place.path)]
    parts += [str(number) for number in (place.line, place.column) if number is not None]
    return ":".join(parts)


def _excerpt(place: Place, paths: FindingPaths) -> list[str]:
    line = paths.source_line(place.path, place.line) if place.line else None
    if line is None:
        return []
    number = f"{place.line:>5}"
    shown = [f"{number} | {line.expandtabs(1)}"]
    if place.column:
        shown.append(f"{' ' * len(number)} | {' ' * (place.column - 1)}^")
    return shown


def _render_count(result: CheckResult) -> str:
    counts = [(result.count(severity), severity.value) for severity in Severity]
    shown = [f"{count} {word}{_plural(count, word)}" for count, word in counts if count]
    return (", ".join(shown) or "no findings") + "\n"


def _plural(count: int, word: str) -> str:
    return "s" if count != 1 and word != Severity.INFO else ""
