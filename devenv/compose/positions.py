"""Where something stands in a Compose file's text: YAML errors and keys of the model.

A key is looked for in one text only, as written: it is found or it is not, never guessed.
"""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from devenv.compose.nesting import nests_too_deep
from devenv.values import dataclass

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class YamlFault:
    """Why a text is not YAML; line and column from 1."""

    problem: str
    line: int
    column: int


def find_yaml_fault(text: str) -> YamlFault | None:
    """The first syntax error, or None where the text is YAML."""
    try:
        # The pure parser: libyaml's own places are a token late in some of the errors.
        for _ in yaml.parse(text, Loader=yaml.SafeLoader):
            pass
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if mark is None:
            return YamlFault(str(error.problem), 1, 1)
        return YamlFault(str(error.problem or error.context), mark.line + 1, mark.column + 1)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return YamlFault(str(error).splitlines()[0], 1, 1)
    return None


def find_key(text: str, path: Sequence[str]) -> tuple[int, int] | None:
    """Line and column of a key path such as `services.app.ports.0`, or None.

    List items are named by their index. Where the last part is not there, the place of the
    nearest part above it is given, but never that of the document.
    """
    if nests_too_deep(text):
        return None
    try:
        node = yaml.compose(text, Loader=_Loader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    found: tuple[int, int] | None = None
    for part in path:
        step = _child(node, part)
        if step is None:
            break
        mark, node = step
        found = (mark.line + 1, mark.column + 1)
    return found


def _child(node: yaml.Node | None, part: str) -> tuple[yaml.Mark, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == part:
                return key.start_mark, value
    elif isinstance(node, yaml.SequenceNode) and part.isdigit() and int(part) < len(node.value):
        item = node.value[int(part)]
        return item.start_mark, item
    return None


def render_excerpt(text: str, line: int, column: int | None) -> str:
    """The source line with a caret below the column."""
    lines = text.splitlines()
    if not 1 <= line <= len(lines):
        return ""
    shown = lines[line - 1].replace("\t", " ")
    if column is None:
        return f"{line} | {shown}"
    return f"{line} | {shown}\n{' ' * (len(str(line)) + 3 + column - 1)}^"
