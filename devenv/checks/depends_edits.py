"""The edit that makes a dependency wait for health, in the style in which it is written."""

from __future__ import annotations

import re
from collections.abc import Collection

import yaml

from devenv.checks.facts import CheckedProfile, Facts
from devenv.checks.finding import Edit
from devenv.compose.layers import Entry, child
from devenv.compose.model import Condition


def is_written_here(text: str, entry: Entry) -> bool:
    """Whether an entry's value follows its key: an alias or a merged value stands elsewhere."""
    between = text[entry.key.end_mark.index : entry.value.start_mark.index]
    return re.fullmatch(r"\s*:(\s|#[^\n]*\n)*", between) is not None


def _is_shared(text: str, node: yaml.Node) -> bool:
    """Whether an alias elsewhere in the file stands for this very node."""
    anchor = re.match(r"&([^\s,\[\]{}]+)", text[node.start_mark.index : node.end_mark.index])
    return anchor is not None and f"*{anchor[1]}" in text


def edit_condition(
    profile: CheckedProfile, facts: Facts, owner: str, target: str, healthy: Collection[str]
) -> tuple[Edit, ...]:
    """`condition: service_healthy` for the target; none where that cannot be done safely.

    A list becomes a map as a whole, so all of its services that are `healthy` are changed by it.
    """
    entry = profile.layers.find("services", owner, "depends_on")
    found = profile.layers.find("services", owner, "depends_on", target)
    text = facts.file(found.path).text if found else None
    if found is None or entry is None or text is None:
        return ()
    if found.key is found.value:
        return _edit_list(profile, text, owner, found, healthy)
    condition = child(found.path, found.value, "condition")
    if condition is None or not is_written_here(text, found):
        return ()
    if _is_shared(text, found.value) or _is_shared(text, condition.value):
        return ()
    start, end = condition.value.start_mark.index, condition.value.end_mark.index
    written = text[start:end]
    if not is_written_here(text, condition) or written.strip("\"'") != Condition.STARTED.value:
        return ()
    return (Edit(found.path, start, end, Condition.HEALTHY.value),)


def _edit_list(
    profile: CheckedProfile, text: str, owner: str, item: Entry, healthy: Collection[str]
) -> tuple[Edit, ...]:
    whole = next(
        (
            entry
            for entry in profile.layers.find_all("services", owner, "depends_on")
            if isinstance(entry.value, yaml.SequenceNode) and item.key in entry.value.value
        ),
        None,
    )
    if whole is None or not is_written_here(text, whole) or whole.value.tag[:1] == "!":
        return ()
    node = whole.value
    assert isinstance(node, yaml.SequenceNode)
    if _is_shared(text, node):
        return ()
    names = [one for one in node.value if isinstance(one, yaml.ScalarNode)]
    if len(names) != len(node.value) or not _all_inside(node, names, text):
        return ()
    conditions = {
        one: Condition.HEALTHY if str(one.value) in healthy else Condition.STARTED for one in names
    }
    column = whole.key.start_mark.column
    make = _flow_map if node.flow_style else _block_map
    return make(whole.path, text, node, conditions, column)


def _all_inside(node: yaml.Node, names: Collection[yaml.ScalarNode], text: str) -> bool:
    """Whether the items are plain words written in the list: no alias, anchor or tag."""
    start, end = node.start_mark.index, node.end_mark.index
    return all(
        start <= one.start_mark.index
        and one.end_mark.index <= end
        and text[one.start_mark.index : one.end_mark.index].strip("\"'") == one.value
        for one in names
    )


def _flow_map(
    path: str,
    text: str,
    node: yaml.Node,
    conditions: dict[yaml.ScalarNode, Condition],
    column: int,
) -> tuple[Edit, ...]:
    """`[db]` becomes `{db: {condition: service_healthy}}`; what stands between is kept."""
    start, end = node.start_mark.index, node.end_mark.index
    if text[start : start + 1] != "[" or text[end - 1 : end] != "]":
        return ()
    parts, at = ["{"], start + 1
    for item, condition in conditions.items():
        parts.append(text[at : item.end_mark.index])
        parts.append(f": {{condition: {condition.value}}}")
        at = item.end_mark.index
    parts.append(text[at : end - 1] + "}")
    return (Edit(path, start, end, "".join(parts)),)


def _block_map(
    path: str,
    text: str,
    node: yaml.Node,
    conditions: dict[yaml.ScalarNode, Condition],
    column: int,
) -> tuple[Edit, ...]:
    """`- db  # why` becomes `db:  # why` with the condition on a line of its own."""
    first = node.start_mark.index
    newline = "\r\n" if "\r\n" in text else "\n"
    parts: list[str] = []
    start = at = _line_start(text, first)
    for item, condition in conditions.items():
        dash = text.rfind("-", at, item.start_mark.index)
        line = _line_start(text, dash)
        if dash < at or text[line:dash].strip() or text[dash + 1 : item.start_mark.index].strip():
            return ()
        indent = text[line:dash]
        if len(indent) <= column:
            indent += "  "
        line_end = _line_end(text, item.end_mark.index)
        rest = text[item.end_mark.index : line_end]
        if rest.strip() and not rest.lstrip().startswith("#"):
            return ()
        written = text[item.start_mark.index : item.end_mark.index]
        parts.append(f"{text[at:line]}{indent}{written}:{rest}{newline}")
        parts.append(f"{indent}  condition: {condition.value}")
        at = line_end
    return (Edit(path, start, at, "".join(parts)),)


def _line_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def _line_end(text: str, at: int) -> int:
    """Where the line's break begins, or the text's end."""
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    return end - 1 if text[at:end].endswith("\r") else end
