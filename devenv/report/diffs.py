"""A change of a file as a unified diff that shows no secret."""

from __future__ import annotations

from devenv.report.excerpts import flatten
from devenv.report.finding_paths import FindingPaths
from devenv.report.text_diff import render_diff as render_masked_diff
from devenv.report.text_diff import split_lines


def render_diff(
    path: str, paths: FindingPaths, before: str, after: str, *, context: int = 3
) -> list[str]:
    """The lines of the diff without their ends.

    Values that may be secret are masked in the lines around a change too, those of env files all.
    """
    name = flatten(paths.show(path))
    return list(
        render_masked_diff(
            split_lines(before),
            split_lines(after),
            _shown(path, paths, before),
            _shown(path, paths, after),
            old_name=f"a/{name}" if before else "/dev/null",
            new_name=f"b/{name}",
            context=context,
        )
    )


def _shown(path: str, paths: FindingPaths, text: str) -> list[str]:
    return [flatten(line.rstrip("\r"), keep="\t") for line in paths.mask_lines(path, text)]
