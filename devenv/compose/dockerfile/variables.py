"""The variables of a Dockerfile: which are set without being declared, and their expansion.

Spec: Dockerfile reference, ARG, environment replacement.
"""

from __future__ import annotations

from collections.abc import Mapping

PREDEFINED_ARGS = frozenset(
    {
        "HTTP_PROXY",
        "http_proxy",
        "HTTPS_PROXY",
        "https_proxy",
        "FTP_PROXY",
        "ftp_proxy",
        "NO_PROXY",
        "no_proxy",
        "ALL_PROXY",
        "all_proxy",
    }
)
PLATFORM_ARGS = frozenset(
    f"{side}{part}"
    for side in ("TARGET", "BUILD")
    for part in ("PLATFORM", "OS", "OSVERSION", "ARCH", "VARIANT")
)
"""Set by BuildKit alone; their values are not known here."""


def expand(text: str, values: Mapping[str, str], escape: str = "\\") -> str:
    """A word with its variables filled in and its quotes removed; unset ones are blank."""
    if "$" not in text and not any(mark in text for mark in ("'", '"', escape)):
        return text
    from e2b_dockerfile_utils import ShellLex

    try:
        return ShellLex(escape, env=values, skip_unset_env=False).process_word(text)
    except ValueError:
        return text
