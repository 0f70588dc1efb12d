"""The order of steps, and what each leaves in the image."""

from __future__ import annotations

import re
from collections.abc import Iterator

from devenv.checks.build_steps import INSTALL, kept_stages, needed_stages, run_steps, run_text
from devenv.checks.builds import BuildView, find_builds
from devenv.checks.facts import CheckedProfile, Facts
from devenv.checks.finding import Fault, Related, Severity
from devenv.checks.registry import check
from devenv.compose.dockerfile import (
    Instruction,
    Stage,
)

_WHOLE_CONTEXT = (".", "./", "/", "*")


def _chain(view: BuildView, stage: Stage) -> tuple[Stage, ...]:
    """The stage and those that it is FROM: what they set with ENV holds in it."""
    return (
        view.dockerfile.chain(stage, view.build.args) if view.dockerfile is not None else (stage,)
    )


@check("copy-before-install", Severity.WARNING, "Dockerfile reference: build cache")
def copy_before_install(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """All sources are copied before the dependencies are installed.

    Every edit of any file then makes the builder install everything again. Copy the manifest and
    the lock file, install, and copy the rest after that.

    Wrong:

        COPY . .
        RUN npm ci

    Right:

        COPY package.json package-lock.json ./
        RUN npm ci
        COPY . .

    Measured: The rule follows the builder's cache: a step is run again when a file that an earlier
    COPY took has changed. hadolint 2 has no rule for it.
    """
    for view in find_builds(profile, facts):
        for stage in needed_stages(view):
            whole: Instruction | None = None
            for one in stage.instructions:
                if one.name in ("COPY", "ADD") and one.flag("from") is None:
                    if any(path in _WHOLE_CONTEXT for path in one.arguments[:-1]):
                        whole = whole or one
                elif one.name == "RUN" and INSTALL.search(run_text(one)):
                    if whole is not None:
                        yield Fault(
                            "All sources are copied before the dependencies are installed, so "
                            "every edit installs them again.",
                            view.at(whole),
                            fix="copy the manifest and the lock file first, install, then the rest",
                            related=(Related(view.at(one), "the install"),),
                            service=view.service.name,
                            is_shared=True,
                        )
                    break


@check("package-cache-left", Severity.WARNING, "Dockerfile best practices: apt-get")
def package_cache_left(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A package manager's cache stays in the image.

    What one step writes stays in its layer, even when a later step removes it. Remove the cache
    in the same step, or keep it outside with a cache mount.

    Wrong:

        RUN apt-get update && apt-get install -y curl

    Right:

        RUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*

    Measured: Layers add up: `docker history` shows that a later `rm` makes an image no smaller. A
    cache mount leaves nothing in the layer.
    """
    for view in find_builds(profile, facts):
        for stage in kept_stages(view):
            no_pip_cache = any(
                one.name in ("ENV", "ARG") and "PIP_NO_CACHE_DIR" in one.text
                for below in _chain(view, stage)
                for one in below.instructions
            )
            for one in run_steps(stage):
                text = run_text(one)
                if any("type=cache" in mount for mount in one.all_flags("mount")):
                    continue
                for found, clean in (
                    (r"\bapt(?:-get)?\s[^&|;]*\binstall\b", r"/var/lib/apt/lists"),
                    (r"\bapk\s[^&|;]*\badd\b", r"--no-cache|/var/cache/apk"),
                    (r"\b(?:dnf|yum|microdnf)\s[^&|;]*\binstall\b", r"\bclean\s+all|/var/cache"),
                    (r"\bpip3?\s[^&|;]*\binstall\b", r"--no-cache-dir|/root/\.cache|PIP_NO_CACHE"),
                ):
                    match = re.search(found, text)
                    if match is None or re.search(clean, text):
                        continue
                    program = match[0].split()[0]
                    if program.startswith("pip") and no_pip_cache:
                        continue
                    yield Fault(
                        f"The cache of {program} stays in the image.",
                        view.at(one),
                        fix=_CLEANING[program.rstrip("3")],
                        service=view.service.name,
                        is_shared=True,
                    )


_CLEANING = {
    "apt-get": "add to the same step: && rm -rf /var/lib/apt/lists/*",
    "apt": "add to the same step: && rm -rf /var/lib/apt/lists/*",
    "apk": "apk add --no-cache",
    "dnf": "add to the same step: && dnf clean all",
    "yum": "add to the same step: && yum clean all",
    "microdnf": "add to the same step: && microdnf clean all",
    "pip": "pip install --no-cache-dir",
}


@check("split-runs", Severity.INFO, "Dockerfile best practices: apt-get")
def split_runs(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """`apt-get update` is a step of its own.

    It is then taken from the cache for months, while the install step after it changes and
    looks for packages that the mirror no longer has.

    Wrong:

        RUN apt-get update
        RUN apt-get install -y curl

    Right:

        RUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*

    Measured: The builder reuses `RUN apt-get update` as long as the line above it is the same,
    however old its result is.
    """
    for view in find_builds(profile, facts):
        for stage in needed_stages(view):
            for one in run_steps(stage):
                text = run_text(one)
                if re.search(r"\bapt(?:-get)?\s+(?:-\S+\s+)*update\b", text) and not re.search(
                    r"\binstall\b|\bupgrade\b", text
                ):
                    yield Fault(
                        "apt-get update is a step of its own, so its cached result grows old.",
                        view.at(one),
                        fix="join it with the install: apt-get update && apt-get install -y …",
                        service=view.service.name,
                        is_shared=True,
                    )
