"""How many values a YAML text stands for once its aliases are expanded.

Nested aliases multiply: nine lines can stand for a hundred million values. Docker Compose would
expand them all, for minutes and in gigabytes, so such a text never reaches it.
"""

from __future__ import annotations

import yaml

from devenv.compose.layers import parse_nodes

MAX_VALUES = 1_000_000
"""No Compose file that a person wrote comes near it: 5 MiB of text hold fewer."""

_FEWEST_ALIASES = 12
"""Fewer cannot reach `MAX_VALUES`: each level of a bomb needs at least two, and doubles."""


def expands_too_far(text: str) -> bool:
    """Whether the text stands for more than `MAX_VALUES` values; False where it is not YAML."""
    if text.count("*") < _FEWEST_ALIASES:
        return False
    root = parse_nodes(text)
    return root is not None and _count(root) > MAX_VALUES


def _count(root: yaml.Node) -> int:
    """The nodes below `root`, each as often as it is reached; a loop counts as endless."""
    sizes: dict[int, int] = {}
    open_nodes: set[int] = set()
    pending: list[tuple[yaml.Node, bool]] = [(root, False)]
    while pending:
        node, done = pending.pop()
        key = id(node)
        parts = _parts(node)
        if done:
            open_nodes.discard(key)
            sizes[key] = 1 + sum(sizes[id(part)] for part in parts)
        elif key not in sizes:
            if key in open_nodes:
                return MAX_VALUES + 1
            open_nodes.add(key)
            pending.append((node, True))
            pending += [(part, False) for part in parts if id(part) not in sizes]
    return sizes[id(root)]


def _parts(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []
