"""JSON that is safe to print: what a terminal would obey is escaped."""

from __future__ import annotations

import json
import re
from typing import Any

_UNSAFE = re.compile(r"[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def to_json(document: Any) -> str:
    """The document in indented lines with a final newline; other letters stay as they are."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"
