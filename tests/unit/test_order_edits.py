"""The safe edits of the rules on order: layout stays, the model changes only as meant."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest

from devenv.checks.edits import plan_repair
from devenv.checks.facts import CheckedProfile
from devenv.checks.registry import load_rules
from devenv.checks.runner import run_checks
from devenv.cli.checking import gather
from devenv.cli.session import Session

DB = """\
  db:
    image: postgres:16
    healthcheck: {test: [CMD, pg_isready], interval: 2s}
  cache:
    image: redis:7
"""


def _repair(directory: Path, text: str, rule: str) -> tuple[str, int]:
    """The text after one round of edits, and how many findings of the rule have any."""
    file = directory / "compose.yaml"
    file.write_bytes(text.encode())
    arguments = argparse.Namespace(directory=str(directory), profile=None, context=None)
    gathered = gather(Session(arguments), ask_engine=False)
    rules = [one for one in load_rules() if one.name == rule]
    result = run_checks(gathered.profiles, gathered.facts, rules=rules)
    repair = plan_repair(result.findings, gathered.facts.files)
    assert not repair.left
    return repair.texts.get(str(file), text), len(repair.applied)


def _model(directory: Path) -> dict[str, Any]:
    arguments = argparse.Namespace(directory=str(directory), profile=None, context=None)
    profile: CheckedProfile = gather(Session(arguments), ask_engine=False).profiles[0]
    assert profile.model is not None
    return dict(profile.model.document["services"])


BLOCK = "services:\n  app:\n    image: node:22\n    depends_on:\n"
FLOW = "services:\n  app:\n    image: node:22\n    depends_on: "

EDITS = {
    "flow list": (
        FLOW + "[cache, db]  # both\n",
        FLOW + "{cache: {condition: service_started}, db: {condition: service_healthy}}  # both\n",
    ),
    "flow list over lines": (
        FLOW + "[\n      'db',  # data\n      cache,\n    ]\n",
        FLOW + "{\n      'db': {condition: service_healthy},  # data\n"
        "      cache: {condition: service_started},\n    }\n",
    ),
    "block list": (
        BLOCK + "      # what it needs\n      - db   # data\n\n      - cache\n    init: true\n",
        BLOCK + "      # what it needs\n      db:   # data\n        condition: service_healthy\n\n"
        "      cache:\n        condition: service_started\n    init: true\n",
    ),
    "block list at the key's column": (
        BLOCK + "    - db\n    - cache\n",
        BLOCK + "      db:\n        condition: service_healthy\n"
        "      cache:\n        condition: service_started\n",
    ),
    "block list in CRLF": (
        (BLOCK + "      - db # é\n").replace("\n", "\r\n"),
        (BLOCK + "      db: # é\n        condition: service_healthy\n").replace("\n", "\r\n"),
    ),
    "long form": (
        BLOCK + "      db:\n        condition: service_started  # only\n        restart: true\n",
        BLOCK + "      db:\n        condition: service_healthy  # only\n        restart: true\n",
    ),
    "long form in braces": (
        FLOW + '{db: {condition: "service_started", required: false}}\n',
        FLOW + "{db: {condition: service_healthy, required: false}}\n",
    ),
    "anchor on the list's map": (
        FLOW + "&deps {db: &how {condition: service_started}}\n",
        FLOW + "&deps {db: &how {condition: service_healthy}}\n",
    ),
}


@pytest.mark.parametrize(("before", "after"), EDITS.values(), ids=EDITS)
def test_the_condition_becomes_healthy_and_all_else_stays(
    tmp_path: Path, before: str, after: str
) -> None:
    rest = DB.replace("\n", "\r\n") if "\r\n" in before else DB
    text, count = _repair(tmp_path, before + rest, "started-not-healthy")
    old = _model(tmp_path)
    assert text == after + rest
    assert count == 1
    (tmp_path / "compose.yaml").write_bytes(text.encode())
    new = _model(tmp_path)
    assert new["app"]["depends_on"]["db"].pop("condition") == "service_healthy"
    assert old["app"]["depends_on"]["db"].pop("condition") == "service_started"
    assert new == old
    assert _repair(tmp_path, text, "started-not-healthy") == (text, 0)


LEFT = {
    "an alias": "x-deps: &deps [db]\n" + FLOW + "*deps\n",
    "an aliased entry": "x-how: &how {condition: service_started}\n" + FLOW + "{db: *how}\n",
    "a merged map": "x-app: &app {depends_on: [db]}\nservices:\n  app:\n    <<: *app\n"
    "    image: node:22\n",
    "an entry that another one repeats": FLOW
    + "{db: &how {condition: service_started}, cache: *how}\n",
    "a list that is used elsewhere": FLOW + "&names [db]\n    links: *names\n",
    "an anchored item": BLOCK + "      - &d db\n",
    "a variable": FLOW + '{db: {condition: "${HOW:-service_started}"}}\n',
}


@pytest.mark.parametrize("before", [LEFT[name] for name in LEFT if name != "a merged map"])
def test_what_others_may_share_is_left_alone(tmp_path: Path, before: str) -> None:
    assert _repair(tmp_path, before + DB, "started-not-healthy") == (before + DB, 0)


def test_a_list_that_two_services_share_by_a_merge_is_changed_for_both(tmp_path: Path) -> None:
    before = LEFT["a merged map"] + "  other:\n    <<: *app\n    image: node:22\n" + DB
    text, count = _repair(tmp_path, before, "started-not-healthy")
    assert count == 2
    (tmp_path / "compose.yaml").write_text(text)
    for name in ("app", "other"):
        assert _model(tmp_path)[name]["depends_on"]["db"]["condition"] == "service_healthy"


PERIODS = {
    "block": (
        "      test: [CMD, x]\n      start_interval: 1s  # quick\n",
        "      test: [CMD, x]\n      start_period: 30s\n      start_interval: 1s  # quick\n",
    ),
    "block, first": (
        "      start_interval: 1s\n      test: [CMD, x]\n",
        "      start_period: 30s\n      start_interval: 1s\n      test: [CMD, x]\n",
    ),
    "flow": (
        "      {start_interval: 1s, test: x}\n",
        "      {start_interval: 1s, start_period: 30s, test: x}\n",
    ),
}


@pytest.mark.parametrize(("before", "after"), PERIODS.values(), ids=PERIODS)
def test_a_start_period_is_put_beside_the_start_interval(
    tmp_path: Path, before: str, after: str
) -> None:
    head = "services:\n  db:\n    image: postgres:16\n    healthcheck:\n"
    rule = "start-interval-without-start-period"
    text, count = _repair(tmp_path, head + before, rule)
    old = _model(tmp_path)
    assert (text, count) == (head + after, 1)
    (tmp_path / "compose.yaml").write_text(text)
    new = _model(tmp_path)
    assert new["db"]["healthcheck"].pop("start_period") == "30s"
    assert new == old
    assert _repair(tmp_path, text, rule) == (text, 0)
