"""A `DevenvError` as the value that state and views carry."""

from __future__ import annotations

from itertools import groupby

from devenv.errors import DevenvError
from devenv.state.model import Problem
from devenv.state.text import sanitize

EXCERPT_LINES = 12


def to_problem(error: DevenvError) -> Problem:
    """The error as a `Problem`; its excerpt is cut to the last lines and made harmless."""
    lines = [line for line, _ in groupby(sanitize(error.excerpt or "").splitlines())]
    return Problem(
        message=sanitize(error.message),
        where=str(error.source) if error.source else None,
        fix=error.fix,
        excerpt=tuple(line for line in lines if line.strip())[-EXCERPT_LINES:],
        exit_code=error.exit_code,
    )
