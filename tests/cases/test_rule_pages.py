"""docs/rules says what the rules say."""

from __future__ import annotations

import re

from devenv.checks.registry import load_rules

from .rule_pages import PAGES, find_stale, find_thin


def test_no_page_is_stale() -> None:
    assert find_stale() == [], "run: .venv/bin/python script/rule-docs"


def test_every_docstring_has_all_its_parts() -> None:
    thin = {rule.name: missing for rule in load_rules() if (missing := find_thin(rule))}
    assert thin == {}, "a rule says what is wrong, why, Wrong:, Right: and Measured:"


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES.glob("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
