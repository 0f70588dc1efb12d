"""YAML text to plain values, for looking around in Compose files. Loading PyYAML costs 30 ms."""

from __future__ import annotations

from typing import Any

import yaml

from devenv.compose.nesting import nests_too_deep


def parse_yaml(text: str) -> Any:
    """The document's value. Raises ValueError where the text is not YAML, or nests too deep."""
    if nests_too_deep(text):
        raise ValueError("the text nests too deep")
    try:
        return yaml.load(text, Loader=_Loader)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(str(error)) from None


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Safe loading that takes Compose's own tags (`!reset`, `!override`) as plain values."""


def _take_untagged(loader: Any, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)


_Loader.add_multi_constructor("!", _take_untagged)
