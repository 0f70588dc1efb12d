"""A rule's own text: taken apart once, and shown in a terminal, as JSON or as Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable
from textwrap import dedent

from devenv.checks.registry import Rule
from devenv.values import dataclass

Paint = Callable[[str, str], str]
"""Takes a text and a colour's name, and gives the text with that colour, or as it is."""

_SECTION = re.compile(r"^(Wrong|Right):$|^Measured:\s", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class RuleText:
    """The parts of a rule's docstring; a part that is not there is empty."""

    summary: str
    why: str
    """Paragraphs, their lines joined as they are written."""
    wrong: str
    right: str
    measured: str


def parse_rule_text(rule: Rule) -> RuleText:
    """Take a docstring apart: a summary, why it matters, `Wrong:`, `Right:` and `Measured:`."""
    text = rule.text
    parts: dict[str, str] = {}
    found = list(_SECTION.finditer(text))
    for match, following in zip(found, [*found[1:], None], strict=True):
        body = text[match.end() : following.start() if following else len(text)]
        parts[match[1] or "Measured"] = body.strip("\n")
    head = text[: found[0].start()] if found else text
    summary, _, why = head.strip().partition("\n")
    return RuleText(
        summary=summary.strip(),
        why=why.strip(),
        wrong=dedent(parts.get("Wrong", "")).strip("\n"),
        right=dedent(parts.get("Right", "")).strip("\n"),
        measured=" ".join(parts.get("Measured", "").split()),
    )


def render_rule(rule: Rule, *, paint: Paint, width: int = 80) -> str:
    """What `devenv check --explain` prints, with a final newline."""
    from textwrap import fill, indent

    text = parse_rule_text(rule)
    blocks = [f"{paint(rule.name, 'bold')} ({rule.severity})\n{fill(text.summary, width)}"]
    blocks += [fill(" ".join(part.split()), width) for part in text.why.split("\n\n") if part]
    blocks.append(f"{paint('Wrong:', 'red')}\n\n{indent(text.wrong, '    ')}")
    blocks.append(f"{paint('Right:', 'green')}\n\n{indent(text.right, '    ')}")
    if text.measured:
        blocks.append(fill(f"Measured: {text.measured}", width))
    blocks.append(fill(f"Source: {rule.spec}", width))
    blocks.append(f"To leave one finding out: # devenv: ignore[{rule.name}] and the reason")
    return "\n\n".join(blocks) + "\n"


def rule_to_json(rule: Rule) -> dict[str, str]:
    """The same as JSON values."""
    text = parse_rule_text(rule)
    return {
        "rule": rule.name,
        "severity": rule.severity.value,
        "summary": text.summary,
        "why": " ".join(text.why.split()),
        "wrong": text.wrong,
        "right": text.right,
        "measured": text.measured,
        "source": rule.spec,
    }


def render_markdown(rule: Rule) -> str:
    """The rule's page without its cases, with a final newline."""
    text = parse_rule_text(rule)
    kind = {"error": "Error", "warning": "Warning", "info": "Information"}[rule.severity]
    blocks = [f"# {rule.name}", f"**{kind}.** {text.summary}", text.why]
    blocks += ["## Wrong", _fence(text.wrong), "## Right", _fence(text.right)]
    blocks += ["## How it was measured", text.measured, f"Source: {rule.spec}"]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _fence(code: str) -> str:
    language = "text"
    if re.search(r"^(FROM|COPY|RUN|ENV|ARG)\s", code, re.MULTILINE):
        language = "dockerfile"
    elif re.search(r"^\s*(services|secrets|volumes):", code, re.MULTILINE):
        language = "yaml"
    elif re.search(r"^(files|extends) = ", code, re.MULTILINE):
        language = "toml"
    elif re.search(r"^[A-Z_]+=", code, re.MULTILINE):
        language = "sh"
    return f"```{language}\n{code}\n```"
