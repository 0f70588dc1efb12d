"""Findings that somebody has looked at: comments in files, settings, and a baseline."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache

from devenv.checks.facts import FileState
from devenv.checks.finding import CheckResult, Finding, Place, Severity
from devenv.checks.runner import finding_order
from devenv.values import dataclass, replace

_COMMENT = re.compile(r"#\s*devenv:\s*ignore\b(?:\[([^\]\n]*)\])?")
UNUSED = "ignore-unused"
_OF_THE_MACHINE = frozenset(
    (
        *("start-interval-ignored", "healthcheck-too-short", "healthcheck-slow-start"),
        *("healthy-without-healthcheck", "started-not-healthy", "runs-as-root"),
        *("bind-source-missing", "secret-file-missing", "build-context-missing"),
        *("env-shadowed", "env-permissions", "env-passthrough-unset", "env-not-passed"),
        *("env-undefined", "env-required", "env-dollar", "env-reference-order"),
        *("env-file-missing", "env-file-tracked", "env-file-not-ignored", "env-example-missing"),
        *("env-example-drift", "healthcheck-dollar", "env-in-build-context", UNUSED),
    )
)
"""Rules that look at images, the engine, the shell or files that git does not keep: what is quiet
here may speak on another machine, so a comment for one of them is never called unused."""


@dataclass(frozen=True, slots=True)
class Suppression:
    """A comment `# devenv: ignore[rule, rule] reason`; `line` is the one it speaks of."""

    rule: str
    """Empty where the comment names none."""
    line: int
    comment_line: int
    column: int
    in_head: bool = False
    """Whether nothing but comments stands above: it speaks of the file as a whole too."""


@lru_cache(maxsize=256)
def find_suppressions(text: str) -> tuple[Suppression, ...]:
    """The comments of a file.

    One that stands alone on its line speaks of the next line that is no comment and not blank.
    """
    if "devenv:" not in text:
        return ()
    found: list[Suppression] = []
    lines = text.split("\n")
    in_head = True
    for index, line in enumerate(lines):
        match = _COMMENT.search(line)
        in_head = in_head and (not line.strip() or line.lstrip().startswith("#"))
        if match is None:
            continue
        alone = not line[: match.start()].strip()
        about = _next_line(lines, index) if alone else index
        names = list(re.finditer(r"[^,\s]+", match[1] or ""))
        for name, column in [(one[0], match.start(1) + one.start()) for one in names] or [
            ("", match.start())
        ]:
            found.append(Suppression(name, about + 1, index + 1, column + 1, alone and in_head))
    return tuple(found)


def _next_line(lines: list[str], index: int) -> int:
    for following in range(index + 1, len(lines)):
        text = lines[following].strip()
        if text and not text.startswith("#"):
            return following
    return index + 1


def drop_suppressed(
    result: CheckResult, files: Mapping[str, FileState], *, unused_of: Collection[str] = ()
) -> CheckResult:
    """The result without what comments in the files speak of.

    A comment for one of the rules `unused_of` that speaks of nothing is a finding itself.
    """
    used: set[tuple[str, Suppression]] = set()

    def is_kept(finding: Finding) -> bool:
        path = finding.place.path
        matching = [(path, one) for one in _in_file(files, path) if _speaks_of(one, finding)]
        used.update(matching)
        return not matching

    kept = _keep(result, is_kept)
    unused = [
        _unused(path, one)
        for path in files
        for one in _in_file(files, path)
        if one.rule in unused_of and one.rule not in _OF_THE_MACHINE and (path, one) not in used
    ]
    found = sorted((*kept.findings, *filter(is_kept, unused)), key=finding_order)
    return replace(kept, findings=tuple(found))


def _in_file(files: Mapping[str, FileState], path: str) -> tuple[Suppression, ...]:
    state = files.get(path)
    return find_suppressions((state.text or "") if state else "")


def _speaks_of(one: Suppression, finding: Finding) -> bool:
    if one.rule != finding.rule:
        return False
    line = finding.place.line
    return one.in_head if line is None else one.line == line


def _unused(path: str, one: Suppression) -> Finding:
    return Finding(
        UNUSED,
        Severity.INFO,
        f"This comment leaves out {one.rule}, which finds nothing here.",
        Place(path, one.comment_line, one.column),
        fix="take it out",
    )


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
    """The result without as many findings of each kind as the baseline has."""
    left = Counter(baseline)

    def is_kept(finding: Finding) -> bool:
        key = baseline_key(finding, show)
        if left[key] <= 0:
            return True
        left[key] -= 1
        return False

    return _keep(result, is_kept)


def count_known(findings: Iterable[Finding], show: Callable[[str], str]) -> dict[str, int]:
    """Baseline key to how many findings have it, in a stable order."""
    return dict(sorted(Counter(baseline_key(one, show) for one in findings).items()))


def baseline_key(finding: Finding, show: Callable[[str], str]) -> str:
    """What stays the same while lines move, readable in a review."""
    service = f" [{finding.service}]" if finding.service else ""
    return f"{show(finding.place.path)}: {finding.rule}{service} {finding.message}"


def fingerprint(finding: Finding, show: Callable[[str], str]) -> str:
    """What stays the same while lines move: rule, path, service and message."""
    parts = (finding.rule, show(finding.place.path), finding.service or "", finding.message)
    return hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()[:20]


def _keep(result: CheckResult, is_kept: Callable[[Finding], bool]) -> CheckResult:
    return replace(result, findings=tuple(filter(is_kept, result.findings)))
