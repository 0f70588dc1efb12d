"""What the check says of a shape, with the local images that the recording saw."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from devenv.checks.facts import EngineFacts, ImageFacts
from devenv.checks.finding import Finding, Severity
from devenv.checks.runner import run_checks
from devenv.cli.checking import gather
from devenv.cli.session import Session
from devenv.compose.model import Healthcheck
from devenv.engine.compose import parse_version
from tests.corpus.order.shapes import Shape

INACTIVE = "Compose refuses it as soon as"


def find_errors(shape: Shape, directory: Path, recorded: Mapping[str, Any]) -> list[Finding]:
    """The error-level findings of a shape. Those about Compose profiles that nothing selects are
    left out: they are right for `--profile`, and `up` without it starts."""
    shape.write(directory)
    arguments = argparse.Namespace(directory=str(directory), profile=None, context=None)
    gathered = gather(Session(arguments), ask_engine=False)
    facts = replace(gathered.facts, engine=_engine(recorded))
    result = run_checks(gathered.profiles, facts)
    return [
        finding
        for finding in result.findings
        if finding.severity is Severity.ERROR and INACTIVE not in finding.message
    ]


def _engine(recorded: Mapping[str, Any]) -> EngineFacts:
    version = parse_version(recorded["engine"])
    assert version is not None
    images = {name: ImageFacts(_check(raw)) for name, raw in recorded["images"].items()}
    return EngineFacts(version, images)


def _check(raw: Mapping[str, Any] | None) -> Healthcheck | None:
    test = tuple((raw or {}).get("Test") or ())
    return Healthcheck(test) if test and test[0] != "NONE" else None
