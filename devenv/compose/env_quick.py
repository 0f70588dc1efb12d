"""A first look at whether a start may lack values, which costs next to nothing.

`up` has to know it before each start, and almost always nothing is missing. So texts are only
searched here; where they leave any doubt, the whole scan decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set

_REFERENCE = re.compile(
    r"(?<!\$)(?:\$\$)*\$(?:\{(?P<braced>[A-Za-z_]\w*)(?P<operator>:?[-+?])?|(?P<plain>[A-Za-z_]\w*))"
)
_NAME = re.compile(r"^[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.\-]*)[ \t]*[=:](.*)$", re.MULTILINE)
_OTHER_FILES = re.compile(r"""^\s*["']?(?:include|extends)\b|\bextends["']?\s*:""", re.MULTILINE)


def may_lack_values(
    compose_texts: Iterable[str],
    env_texts: Iterable[str],
    example: str,
    known: Set[str],
) -> bool:
    """False only where every variable that is read without a default is set to something.

    `known` has the names that the shell and the profile set. True also where that cannot be told
    at a glance: other files are included, or env files refer to variables.
    """
    given: set[str] = set(known)
    named: set[str] = set(known)
    for text in env_texts:
        if "$" in text:
            return True
        for found in _NAME.finditer(text):
            named.add(found[1])
            value = found[2].strip()
            if value and value not in ('""', "''") and not value.startswith("#"):
                given.add(found[1])
            else:
                given.discard(found[1])
    asked = {found[1] for found in _NAME.finditer(example)} - named
    for text in compose_texts:
        if _OTHER_FILES.search(text):
            return True
        for found in _REFERENCE.finditer(text):
            name = found["braced"] or found["plain"]
            operator = found["operator"] or ""
            if operator[-1:] in ("-", "+") and operator:
                continue
            if name not in (given if operator.startswith(":") else named):
                return True
        if _may_pass_on(sorted(name for name in asked if name in text), text):
            return True
    return False


def _may_pass_on(names: Sequence[str], text: str) -> bool:
    """Whether one of the names stands anywhere but in a reference, or where the text sets it."""
    if not names:
        return False
    word = f"(?:{'|'.join(re.escape(name) for name in names)})"
    value = r"(?:=|:[ \t]+(?![Nn]ull\b|NULL\b)[^\s#~&!*,\]}])"
    accounted = rf"\$\{{?{word}\b|\b{word}(?=[\"']?[ \t]*{value})"
    return re.search(rf"\b{word}\b", re.sub(accounted, "", text)) is not None
