"""Edges read from the texts alone, against what the real Compose says of random projects."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devenv.checks.finding import Severity
from devenv.checks.registry import load_rules
from devenv.checks.runner import run_checks
from devenv.cli.checking import gather
from devenv.cli.session import Session
from devenv.compose.layers import Layer, Layers, parse_nodes
from devenv.compose.raw_graph import RawGraph, parse_raw_graph
from tests.corpus.order.shapes import RealCompose

RULES = ("dependency-cycle", "dependency-undefined", "inactive-dependency", "compose-invalid")
NAMES = ("a", "b", "c", "d")
PROFILES = ("p", "q")
REAL = RealCompose()

_targets = st.lists(st.sampled_from((*NAMES, "gone")), unique=True, max_size=2)


@st.composite
def _long_form(draw: st.DrawFn) -> str:
    entries = []
    for name in draw(_targets):
        required = draw(st.sampled_from(("true", "false")))
        entries.append(f"{name}: {{condition: service_started, required: {required}}}")
    return "{" + ", ".join(entries) + "}"


@st.composite
def _service(draw: st.DrawFn, name: str, override: bool) -> str:
    keys: list[str] = [] if override else ["image: x"]
    kinds = ["none", "none", "list", "long", "links", "network", "volumes"]
    tag = draw(st.sampled_from(("", "", "!override ", "!reset "))) if override else ""
    match draw(st.sampled_from(kinds)):
        case "list":
            keys.append(f"depends_on: {tag}[{', '.join(draw(_targets))}]")
        case "long":
            keys.append(f"depends_on: {tag}{draw(_long_form())}")
        case "links":
            keys.append(f"links: {tag}[{', '.join(draw(_targets))}]")
        case "volumes":
            keys.append(f"volumes_from: {tag}[{', '.join(draw(_targets))}]")
        case "network":
            keys.append(f"pid: {tag}service:{draw(st.sampled_from(NAMES))}")
    profiles = draw(st.lists(st.sampled_from(PROFILES), unique=True, max_size=1))
    is_optional = draw(st.booleans())
    if profiles and is_optional:
        keys.append(f"profiles: [{profiles[0]}]")
    if not override and name != "a" and draw(st.integers(0, 4)) == 0:
        keys.append("extends: a")
    return f"  {name}: {{{', '.join(keys)}}}\n"


@st.composite
def _projects(draw: st.DrawFn) -> dict[str, str]:
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=2))
    # What `a` extends from is always there; the others may be missing.
    services = [draw(_service(name, False)) for name in sorted({"a", *names})]
    files = {"compose.yaml": "services:\n" + "".join(services)}
    over = [name for name in sorted(names) if draw(st.integers(0, 2)) == 0]
    if over:
        parts = [draw(_service(name, True)) for name in over]
        files["compose.override.yaml"] = "services:\n" + "".join(parts)
    if draw(st.booleans()):
        files[".env"] = f"COMPOSE_PROFILES={draw(st.sampled_from((*PROFILES, '*')))}\n"
    return files


def _check(files: dict[str, str]) -> tuple[bool, list[tuple[str, str]]]:
    """Whether Compose refuses the active selection, and the errors: rule and message.

    Compose walks a map in another order each time, and stops early at an optional dependency that
    is not active: some cycles it refuses in some runs only, so an expected refusal is asked for
    again.
    """
    with tempfile.TemporaryDirectory() as place:
        for name, text in files.items():
            (Path(place) / name).write_text(text)
        refused = REAL.config(Path(place)).result == "refused"
        arguments = argparse.Namespace(directory=place, profile=None, context=None)
        gathered = gather(Session(arguments), ask_engine=False)
        rules = [rule for rule in load_rules() if rule.name in RULES]
        result = run_checks(gathered.profiles, gathered.facts, rules=rules)
        errors = [
            (one.rule, one.message)
            for one in result.findings
            if one.severity is Severity.ERROR and "as soon as" not in one.message
        ]
        if errors and not refused:
            again = (REAL.config(Path(place)).result for _ in range(30))
            refused = "refused" in again
    return refused, errors


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(files=_projects())
def test_a_refusal_is_explained_and_nothing_else_is_an_error(files: dict[str, str]) -> None:
    refused, errors = _check(files)
    assert bool(errors) == refused, (files, errors)
    assert all(rule != "compose-invalid" for rule, _ in errors), (files, errors)


def _graph(*texts: str) -> RawGraph:
    layers = [
        Layer(f"/p/{number}.yaml", text, parse_nodes(text)) for number, text in enumerate(texts)
    ]
    return parse_raw_graph(Layers(tuple(layers), {one.path: one for one in layers}, "/p"))


@pytest.mark.parametrize(
    ("texts", "edges"),
    [
        (["services: {a: {depends_on: [b]}}"], {"a": {"b"}}),
        (["services: {a: {depends_on: [b]}}", "services: {a: {depends_on: [c]}}"],
         {"a": {"b", "c"}}),
        (["services: {a: {depends_on: [b]}}", "services: {a: !override {image: x}}"], {"a": set()}),
        (["services: {a: {depends_on: [b]}}", "services: {a: !reset null}"], {}),
        (["services: {a: {links: ['b:x']}}", "services: {a: {links: !reset []}}"], {"a": set()}),
        (["services: {a: {ipc: 'service:b'}}", "services: {a: {ipc: host}}"], {"a": set()}),
        (["services: {a: {volumes_from: ['container:x', 'b:ro']}}"], {"a": {"b"}}),
        (["services: {a: {depends_on: ['$X']}, b: {network_mode: 'service:${Y}'}}"],
         {"a": set(), "b": set()}),
        (["services: {a: {extends: b}, b: {depends_on: [c]}}"], {"a": {"c"}, "b": {"c"}}),
        (["services: {a: {extends: a, depends_on: [a]}}"], {"a": {"a"}}),
        (["services: [a]"], {}),
        (["- a"], {}),
        (["services: {a: text, b: {depends_on: 3, links: {a: 1}, profiles: x}}"],
         {"a": set(), "b": set()}),
    ],
)  # fmt: skip
def test_edges_of_merged_texts(texts: list[str], edges: dict[str, Any]) -> None:
    assert _graph(*texts).edges() == edges


@pytest.mark.parametrize(
    ("text", "is_complete"),
    [
        ("services: {}", True),
        ("include: [oci://x/y]", False),
        ("include: [{path: [a.yaml]}]", False),
        ("include: ['${X}']", False),
        ("a: [", False),
    ],
)
def test_files_that_were_not_read_make_the_graph_incomplete(text: str, is_complete: bool) -> None:
    assert _graph(text).is_complete is is_complete
