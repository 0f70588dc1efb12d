"""A change of a file as a unified diff that shows no secret."""

from __future__ import annotations

from devenv.report.excerpts import flatten
from devenv.report.finding_paths import mask_source_line


def render_diff(path: str, shown: str, before: str, after: str, *, context: int = 3) -> list[str]:
    """The lines of the diff without their ends; `shown` is the path's name in the head.

    Values that may be secret are masked in the lines around a change too.
    """
    from difflib import unified_diff

    name = flatten(shown)
    lines = unified_diff(
        before.splitlines(keepends=True),
        after.splitlines(keepends=True),
        f"a/{name}" if before else "/dev/null",
        f"b/{name}",
        n=context,
    )
    made = []
    for number, line in enumerate(lines):
        text = line.rstrip("\r\n")
        if number < 2 or text.startswith("@@"):
            made.append(text)
        else:
            made.append(text[:1] + flatten(mask_source_line(path, text[1:]), keep="\t"))
    return made
