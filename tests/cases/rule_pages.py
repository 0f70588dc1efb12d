"""The pages of docs/rules: each rule's own text, and what it finds in its cases.

`script/rule-docs` writes them; a test compares them with what is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from devenv.checks.registry import Rule, load_rules
from devenv.compose.secrets import mask_text
from devenv.report.rule_text import parse_rule_text, render_markdown

CASES = Path(__file__).parent
PAGES = CASES.parent.parent / "docs" / "rules"
MADE = "<!-- Made by script/rule-docs from the rule's docstring and its cases. -->\n\n"
_SHOWN_LINES = 40
"""A case with more lines than this is not shown as a whole."""
_FAMILIES = {
    "order_edges": "Edges of the start order",
    "order": "Waiting for the right moment",
    "order_one_shot": "Waiting for services that end",
    "healthcheck": "Missing health checks",
    "healthcheck_test": "Tests of health checks",
    "healthcheck_times": "Times of health checks",
    "start_interval": "`start_interval` of health checks",
    "probe": "Health checks and images",
    "namespaces": "What containers share",
    "contexts": "What a build needs",
    "mounts": "What a container is given of the host",
    "ports": "Host ports",
    "names": "Names",
    "project": "The project as a whole",
    "env_grammar": "How env files are written",
    "env_quoting": "Quotes and comments in env files",
    "env_references": "References in env files",
    "env_readers": "How env files are read elsewhere",
    "env_unset": "Variables without a value",
    "env_unused": "Variables that nothing uses",
    "env_use": "Values that do not arrive",
    "env_example": "Example files",
    "env_git": "Env files, git and images",
    "secrets": "Secrets",
    "images": "Images",
    "dockerfile": "What Dockerfiles copy and keep",
    "dockerfile_layers": "Steps of Dockerfiles",
    "dockerfile_stages": "Stages of Dockerfiles",
    "ignore_file": "Ignore files",
    "env_in_context": "Env files in images",
    "suppressions": "Comments that leave findings out",
}


def render_pages() -> dict[str, str]:
    """File name to text, the index among them."""
    rules = load_rules()
    pages = {f"{rule.name}.md": MADE + _render_page(rule) for rule in rules}
    return {"README.md": MADE + _render_index(rules), **pages}


def _render_index(rules: tuple[Rule, ...]) -> str:
    families = sorted({rule.family for rule in rules}, key=_family_order)
    lines = [
        "# The rules of `devenv check`\n",
        f"{len(rules)} rules. An **error** is what `docker compose up` would refuse, fail or hang"
        " at, or a secret that leaks; a **warning** will bite; **info** could be better."
        " `devenv check --explain RULE` prints the same text in a terminal.\n",
        "How to run them, and how to leave some out: [checks](../checks.md).",
    ]
    for family in families:
        lines += [
            f"\n## {_FAMILIES.get(family, family)}\n",
            "| Rule | Severity | |",
            "|---|---|---|",
        ]
        lines += [
            f"| [{rule.name}]({rule.name}.md) | {rule.severity} | {_cell(rule.summary)} |"
            for rule in rules
            if rule.family == family
        ]
    return "\n".join(lines) + "\n"


def _family_order(family: str) -> tuple[int, str]:
    known = list(_FAMILIES)
    return (known.index(family) if family in known else len(known), family)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _render_page(rule: Rule) -> str:
    return render_markdown(rule) + "\n## Its cases\n\n" + "\n".join(_render_cases(rule))


def _render_cases(rule: Rule) -> Iterator[str]:
    cases = sorted(path.parent for path in CASES.glob(f"{rule.name}/*/expected.txt"))
    loud = [case for case in cases if (case / "expected.txt").read_text()]
    quiet = [case for case in cases if case not in loud]
    yield f"Real projects in `tests/cases/{rule.name}`, checked at every change.\n"
    shown = min(loud, key=lambda case: ((case / "case.toml").exists(), _size(case)), default=None)
    for case in sorted(loud, key=lambda case: case != shown):
        if case == shown and _size(case) <= _SHOWN_LINES:
            yield from _render_files(case, masked=rule.leaks)
        yield f"`{case.name}` gives\n\n```text\n{(case / 'expected.txt').read_text()}```\n"
    if quiet:
        yield f"Nothing is found in {', '.join(f'`{case.name}`' for case in quiet)}.\n"
    yield "[All rules](README.md)\n"


def _render_files(case: Path, *, masked: bool) -> Iterator[str]:
    for path in _files(case):
        text = _read(path)
        if text is None:
            continue
        end = "" if text.endswith("\n") or not text else "\n"
        shown = mask_text(text) if masked else text
        yield f"```{_language(path)}\n# {path.relative_to(case).as_posix()}\n{shown}{end}```\n"


def _files(case: Path) -> list[Path]:
    skipped = ("expected.txt",)
    return [path for path in sorted(case.rglob("*")) if path.is_file() and path.name not in skipped]


def _size(case: Path) -> int:
    return sum((_read(path) or "").count("\n") + 3 for path in _files(case))


def _read(path: Path) -> str | None:
    """The text of a file that can be shown; None for what only its bytes are about."""
    try:
        text = path.read_bytes().decode()
    except UnicodeDecodeError:
        return None
    hidden = any(not (one.isprintable() or one == "\n") for one in text) or "```" in text
    return None if hidden or not text.strip() else text


def _language(path: Path) -> str:
    if "Dockerfile" in path.name:
        return "dockerfile"
    return {".yaml": "yaml", ".yml": "yaml", ".toml": "toml", ".env": "sh"}.get(path.suffix, "text")


def find_stale() -> list[str]:
    """The pages that differ from what the rules and cases say now, and those of no rule."""
    pages = render_pages()
    there = {path.name: path.read_text() for path in PAGES.glob("*.md")}
    return sorted(name for name in {*pages, *there} if pages.get(name) != there.get(name))


def find_thin(rule: Rule) -> list[str]:
    """The parts that a rule's docstring lacks."""
    text = parse_rule_text(rule)
    parts = {
        "why it matters": text.why,
        "Wrong:": text.wrong,
        "Right:": text.right,
        "Measured:": text.measured,
    }
    return [name for name, part in parts.items() if not part]
