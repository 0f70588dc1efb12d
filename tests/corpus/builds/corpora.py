"""Both corpora of builds as the recording script walks them, and the form of their records.

A record is one JSON object: shape, then builder, then what it did. What a build left out is kept
instead of what arrived, and a directory that is wholly left out stands for all below it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Protocol

from tests.corpus.builds.builder import Builder, Built
from tests.corpus.dockerfiles import shapes as dockerfiles
from tests.corpus.ignore import shapes as ignore


class Shape(Protocol):
    """One context with a Dockerfile."""

    @property
    def name(self) -> str: ...

    def write(self, directory: Path) -> None:
        """Make the context in a directory that does not exist yet."""

    def everything(self) -> frozenset[str]:
        """All that could arrive in the image; empty where what arrives is to be named instead."""

    def build(self, builder: Builder, directory: Path) -> Built:
        """Build the context that `write` made."""


class Corpus:
    """Shapes and the file that keeps what builders did with them."""

    def __init__(self, name: str, record: Path, shapes: Collection[Shape]) -> None:
        self.name = name
        self.record = record
        self.shapes = shapes

    def is_safe(self, builder: Builder) -> bool:
        """Whether the builder outlives the corpus: a Dockerfile with ARG alone ends the whole
        engine where that is 20.10 (`index out of range` in BuildKit)."""
        return self.name == "ignore" or builder.name != "buildkit 20.10"

    def load_record(self) -> dict[str, dict[str, Any]]:
        """Shape name -> builder name -> outcome."""
        if not self.record.exists():
            return {}
        found: dict[str, dict[str, Any]] = json.loads(self.record.read_text(encoding="utf-8"))
        return found

    def save_record(self, outcomes: Mapping[str, Mapping[str, Any]]) -> None:
        """Write the outcomes, one line for each build."""
        lines = []
        for name in sorted(outcomes):
            of_one = [
                f"  {json.dumps(builder)}: {json.dumps(outcome, ensure_ascii=False)}"
                for builder, outcome in sorted(outcomes[name].items())
            ]
            lines.append(f" {json.dumps(name)}: {{\n" + ",\n".join(of_one) + "\n }")
        self.record.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def to_record(shape: Shape, built: Built) -> dict[str, Any]:
    """A build as it is recorded."""
    stages = {"stages": list(built.stages)} if built.stages else {}
    if built.files is None:
        return {"failed": built.said, **stages}
    if not shape.everything():
        return {"files": list(built.files), **stages}
    extra = set(built.files) - shape.everything()
    added = {"added": sorted(extra)} if extra else {}
    return {"left_out": left_out(shape, frozenset(built.files)), **added, **stages}


def left_out(shape: Shape, arrived: frozenset[str]) -> list[str]:
    """What of everything did not arrive, without what lies below a directory that did not."""
    missing = shape.everything() - arrived
    return sorted(one for one in missing if not any(up in missing for up in ignore.parents(one)))


CORPORA = (
    Corpus("ignore", ignore.RECORD, ignore.SHAPES),
    Corpus("dockerfiles", dockerfiles.RECORD, dockerfiles.SHAPES),
)
