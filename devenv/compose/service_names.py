"""The names of the services that one Compose file writes down. Pure, and nothing is merged."""

from __future__ import annotations

import yaml

from devenv.compose.names import ServiceName


def parse_service_names(text: str) -> frozenset[ServiceName] | None:
    """The keys of `services`; None for a text that is no YAML. Aliases are not expanded."""
    try:
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError:
        return None
    if not isinstance(root, yaml.MappingNode):
        return frozenset()
    names = {
        ServiceName(str(key.value))
        for title, node in root.value
        if title.value == "services" and isinstance(node, yaml.MappingNode)
        for key, _ in node.value
    }
    return frozenset(names)
