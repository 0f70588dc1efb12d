"""What a planted fault is: a change of a valid project, and the findings that it must give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from devenv.checks.registry import load_rules
from tests.corpus.faults.emit import Keys
from tests.corpus.faults.project import Layout, Model


@dataclass(frozen=True)
class Where:
    """A service, and the key of the document or the part of a file that the finding is at."""

    service: str | None
    keys: Keys = ()
    file: str = ""
    needle: str = ""

    def resolve(self, layout: Layout) -> tuple[str | None, str, int | None]:
        """Service, path and line as a finding has them; the line is None for a whole file."""
        if not self.file:
            top = self.keys[:1] == ("..",)
            keys = self.keys[1:] if top else ("services", *self.keys)
            return (self.service, *layout.place_of(keys))
        path = f"{layout.directory}{self.file}"
        if not self.needle:
            return self.service, layout.show(path), None
        content = layout.files[path]
        text = content if isinstance(content, str) else content.decode("utf-8", "replace")
        lines = [n for n, line in enumerate(text.split("\n"), 1) if self.needle in line]
        assert lines, (path, self.needle)
        return self.service, layout.show(path), lines[-1]


@dataclass(frozen=True)
class Expected:
    """One finding; where the fault lies in several places alike, any of them will do."""

    places: tuple[Where, ...]

    def __or__(self, other: Expected) -> Expected:
        return Expected(self.places + other.places)


def at(service: str | None, *keys: str | int, file: str = "", needle: str = "") -> Expected:
    """A finding of a service at a key below `services`, or at the last line with a text."""
    return Expected((Where(service, keys, file, needle),))


@dataclass(frozen=True)
class Fault:
    """A fault of a rule; `service` is the one that layouts write elsewhere."""

    name: str
    rule: str
    service: str
    plant: Callable[[Model], list[Expected]]
    severity: str
    short: bool
    """Whether a list takes the place of a mapping, so that an override cannot change it."""
    layouts: tuple[str, ...]
    """Those that it can be written in; empty for all."""


FAULTS: list[Fault] = []


def planted(
    rule: str,
    service: str,
    *,
    severity: str | None = None,
    short: bool = False,
    layouts: tuple[str, ...] = (),
) -> Callable[[Callable[[Model], list[Expected]]], Callable[[Model], list[Expected]]]:
    """Declare the function below as a fault of a rule, with the rule's own severity."""
    usual = {one.name: one.severity.value for one in load_rules()}

    def declare(plant: Callable[[Model], list[Expected]]) -> Callable[[Model], list[Expected]]:
        FAULTS.append(
            Fault(plant.__name__, rule, service, plant, severity or usual[rule], short, layouts)
        )
        return plant

    return declare
