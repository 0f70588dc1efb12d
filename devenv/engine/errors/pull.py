"""Why an image could not be fetched."""

from __future__ import annotations

import re

from devenv.engine.errors.kinds import ImagePullFailed
from devenv.engine.errors.text import quiet_tail


def find_pull_fault(argv: tuple[str, ...], returncode: int, text: str) -> ImagePullFailed | None:
    """The image that no registry gave, with the fix for the reason that one gave."""
    denied = re.search(r"pull access denied(?: for ([^\s,]+))?", text)
    base = re.findall(r"^ > \[(?:\S+ )?internal\] load metadata for (\S+?):?$", text, re.M)
    unknown = re.search(
        r"manifest for (\S+) not found|No such image: (\S+)"
        r"|(\S+): failed to resolve source metadata",
        text,
    )
    network = re.search(
        r'Get "https?://([^/"]+)[^"]*": |failed to resolve reference "([^"]+)"'
        r"|failed to do request|TLS handshake timeout|toomanyrequests",
        text,
    )
    if not (denied or unknown or network):
        return None
    named = re.search(r"(?:^|\s)Image (\S+) (?:Error|Interrupted|Pulling)", text)
    image = denied[1] if denied else None
    if image is None and base:
        image = re.sub(r"^docker\.io/(?:library/)?", "", base[-1])
    if image is None and unknown:
        image = unknown[1] or unknown[2] or unknown[3]
    if image is None and network and network[2]:
        image = network[2]
    if image is None and named:
        image = named[1]
    if image is None and (
        bases := re.findall(r"^Step \d+/\d+ : FROM (?:--\S+ )?(\S+)", text, re.M)
    ):
        image = bases[-1]
    fix = "correct the name and tag, or build it first with `build:`."
    if denied:
        fix = "correct the name; a private image needs `docker login REGISTRY` first."
    elif network:
        fix = "check network and proxy (offline: build or load the image first); then try again."
        if "toomanyrequests" in text:
            fix = "the registry limits anonymous pulls: `docker login`, or use a mirror."
    failed = ImagePullFailed(argv, returncode, quiet_tail(text), fix=fix)
    failed.name_image(image)
    wanting = re.search(r"^\s*([\w.-]+) Error\b", text, re.M)
    failed.service = wanting[1] if wanting else None
    return failed
