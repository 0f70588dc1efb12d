"""Findings that somebody has looked at: comments in files, settings, and a baseline."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import lru_cache

from devenv.checks.facts import FileState
from devenv.checks.finding import CheckResult, Finding

_COMMENT = re.compile(r"#\s*devenv:\s*ignore\[([^\]\n]*)\]")


@dataclass(frozen=True, slots=True)
class Suppression:
    """A comment `# devenv: ignore[rule, rule] reason`; `line` is the one it speaks of."""

    rule: str
    line: int
    comment_line: int
    column: int


@lru_cache(maxsize=256)
def find_suppressions(text: str) -> tuple[Suppression, ...]:
    """The comments of a file. One that stands alone on its line speaks of the next line."""
    if "devenv:" not in text:
        return ()
    found: list[Suppression] = []
    for number, line in enumerate(text.split("\n"), start=1):
        match = _COMMENT.search(line)
        if match is None:
            continue
        alone = not line[: match.start()].strip()
        for part in re.finditer(r"[^,\s]+", match[1]):
            column = match.start(1) + part.start() + 1
            found.append(Suppression(part[0], number + alone, number, column))
    return tuple(found)


def drop_suppressed(result: CheckResult, files: Mapping[str, FileState]) -> CheckResult:
    """The result without what comments in the files speak of."""

    def is_kept(finding: Finding) -> bool:
        state = files.get(finding.place.path)
        return not any(
            one.line == finding.place.line and one.rule == finding.rule
            for one in find_suppressions((state.text or "") if state else "")
        )

    return _keep(result, is_kept)


def drop_paths(
    result: CheckResult, ignored: Mapping[str, tuple[str, ...]], show: Callable[[str], str]
) -> CheckResult:
    """The result without rules that are ignored in some paths; patterns as in `[branches]`."""

    def is_kept(finding: Finding) -> bool:
        path = show(finding.place.path)
        return not any(
            finding.rule in rules and fnmatchcase(path, pattern)
            for pattern, rules in ignored.items()
        )

    return _keep(result, is_kept) if ignored else result


def drop_known(
    result: CheckResult, baseline: Mapping[str, int], show: Callable[[str], str]
) -> CheckResult:
    """The result without as many findings of each fingerprint as the baseline has."""
    left = Counter(baseline)

    def is_kept(finding: Finding) -> bool:
        key = fingerprint(finding, show)
        if left[key] <= 0:
            return True
        left[key] -= 1
        return False

    return _keep(result, is_kept)


def count_fingerprints(findings: Iterable[Finding], show: Callable[[str], str]) -> dict[str, int]:
    """Fingerprint to how many findings have it, in a stable order."""
    return dict(sorted(Counter(fingerprint(one, show) for one in findings).items()))


def fingerprint(finding: Finding, show: Callable[[str], str]) -> str:
    """What stays the same while lines move: rule, path, service and message."""
    parts = (finding.rule, show(finding.place.path), finding.service or "", finding.message)
    return hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()[:20]


def _keep(result: CheckResult, is_kept: Callable[[Finding], bool]) -> CheckResult:
    return replace(result, findings=tuple(filter(is_kept, result.findings)))
