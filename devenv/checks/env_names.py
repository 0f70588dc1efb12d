"""Names that env files set and nothing mentions, and the names that they may stand for."""

from __future__ import annotations

import re

from devenv.checks.env_inventory import OWN_PREFIXES
from devenv.checks.env_scan import EnvScan, shown, words_of
from devenv.checks.facts import CheckedProfile, Facts, FileKind
from devenv.compose.env_entries import EntryKind, EnvEntry
from devenv.compose.env_scope import EnvSource


def last_entries(source: EnvSource) -> list[EnvEntry]:
    """The winning assignment of each name, in the order of the file."""
    last = {entry.name: entry for entry in source.file.entries}
    return [
        entry
        for entry in source.file.entries
        if last[entry.name] is entry and entry.name and entry.kind is EntryKind.ASSIGNMENT
    ]


def is_mentioned(scan: EnvScan, profile: CheckedProfile, name: str) -> bool:
    """Whether any Compose text has the name as a word, or another env value refers to it."""
    if name.startswith(OWN_PREFIXES):
        return True
    if any(name in words_of(layer.text) for layer in profile.layers.by_path.values()):
        return True
    return name in scan.value_words


def find_unmentioned(scan: EnvScan, profile: CheckedProfile) -> dict[str, tuple[str, EnvEntry]]:
    return {
        entry.name: (source.path, entry)
        for source in scan.sources
        for entry in last_entries(source)
        if not is_mentioned(scan, profile, entry.name)
    }


def find_neighbour(
    name: str, known: dict[str, tuple[str, EnvEntry]]
) -> tuple[str, tuple[str, EnvEntry]] | None:
    """The known name that is most likely meant by another, if one is near enough."""
    for candidate, where in known.items():
        if candidate != name and _is_near(name, candidate):
            return candidate, where
    return None


def _is_near(one: str, other: str) -> bool:
    """One edit apart, two for long names; numbers tell apart what is meant to be."""
    if re.findall(r"\d+", one) != re.findall(r"\d+", other) or min(len(one), len(other)) < 4:
        return False
    if one.replace("_", "").lower() == other.replace("_", "").lower():
        return True
    if one.rstrip("sS") == other.rstrip("sS"):
        return True
    allowed = 2 if min(len(one), len(other)) >= 10 else 1
    return _distance(one.upper(), other.upper(), allowed) <= allowed


def _distance(one: str, other: str, limit: int) -> int:
    """Edits from one text to the other, a swap of neighbours being one; above `limit` a guess."""
    if abs(len(one) - len(other)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        previous, row = row, [i]
        for j, right in enumerate(other, 1):
            cost = min(previous[j] + 1, row[-1] + 1, previous[j - 1] + (left != right))
            if i > 1 and j > 1 and left == other[j - 2] and one[i - 2] == right:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before = previous
    return row[-1]


def say_how_to_set(scan: EnvScan, facts: Facts, profile: CheckedProfile, name: str) -> str:
    near = find_neighbour(name, find_unmentioned(scan, profile))
    if near is not None:
        return f"{near[0]} is set and not used: give both the same name"
    path = profile.env_files[-1] if profile.env_files else f"{facts.directory}/.env"
    for env_file, example in scan.examples():
        missing = facts.file(env_file).kind is FileKind.MISSING
        if missing and f"{name}=" in (facts.file(example).text or ""):
            return f"cp {shown(facts, example)} {shown(facts, env_file)}, and fill it in"
    return f"set {name} in {shown(facts, path)}"
