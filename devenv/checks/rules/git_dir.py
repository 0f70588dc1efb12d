"""git inside a container: a checkout that is mounted without its git directory."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence

from devenv.checks.edges import selected_services
from devenv.checks.facts import CheckedProfile, Facts
from devenv.checks.finding import Fault, Severity
from devenv.checks.mount_places import place_of_mount
from devenv.checks.probe_programs import image_of
from devenv.checks.registry import check
from devenv.compose.discovery import OWN_GIT_DIRECTORY

Mounts = Sequence[tuple[str, str]]
"""Source and target of each bind mount of a service."""


@check("git-dir-not-mounted", Severity.WARNING, "gitrepository-layout(5); measured: git 2.39")
def git_dir_not_mounted(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A linked worktree or a submodule is mounted, and its git directory is not.

    There `.git` is a file that names a directory outside of the checkout. Where only the checkout
    is mounted, every git in the container ends with `fatal: not a git repository`: hooks of
    package managers, versions from tags, test runners that ask what has changed. In the main
    checkout all is well, so it shows up only here.

    devenv sets `DEVENV_GIT_DIR` for the Compose files: the git directory that all worktrees of
    the repository share. Mount it at its own path, read-only, so that nothing in the container
    takes this worktree for one that is gone. Without devenv, and in the main checkout, the
    defaults mount what is mounted already.

    A submodule's git directory holds a way back to its working tree too. There, mount the
    repository around it.

    Wrong:

        services:
          app:
            volumes: [".:/app"]

    Right:

        services:
          app:
            volumes:
              - .:/app
              - ${DEVENV_GIT_DIR:-./.git}:${DEVENV_GIT_DIR:-/app/.git}:ro

    Measured: With Engine 20.10.24 and git 2.39 in the container, `git status` and `git log` fail in
    a worktree and in a submodule, and work with these mounts.
    """
    for name, service in selected_services(profile).items():
        image = image_of(profile.model, service) if profile.model else ""
        if facts.programs is not None and facts.programs.get((image, "git")) is False:
            continue
        mounts = [(source, target) for kind, source, target in service.mounts if kind == "bind"]
        for source, target in mounts:
            found = _find_git_directories(source, target, facts)
            if found is None or all(_is_mounted(*one, mounts) for one in found):
                continue
            is_worktree = len(found) > 1
            word = "linked worktree" if is_worktree else "submodule"
            host, inside = found[-1]
            if not is_worktree:
                fix = "mount the repository around it instead, and set working_dir"
            elif facts.git is not None and facts.git.root == posixpath.normpath(source):
                default = posixpath.join(target, ".git")
                where = f"${{{OWN_GIT_DIRECTORY}:-{default}}}" if inside == host else inside
                fix = f"add to volumes: ${{{OWN_GIT_DIRECTORY}:-./.git}}:{where}:ro"
            else:
                fix = f"add to volumes: {host}:{inside}:ro"
            yield Fault(
                f"git fails in the container of {name}: {target} is a {word}, and its git "
                "directory is not mounted.",
                place_of_mount(profile, facts, name, target),
                service=name,
                fix=fix,
            )


def _find_git_directories(
    source: str, target: str, facts: Facts
) -> tuple[tuple[str, str], ...] | None:
    """The git directories of a checkout that is mounted, each on this machine and where git looks
    for it in the container: its own, and for a worktree that of all. None where it holds its own.
    """
    line = (facts.file(posixpath.join(source, ".git")).text or "").partition("\\n")[0]
    if not line.startswith("gitdir:"):
        return None
    written = line.removeprefix("gitdir:").strip()
    own = posixpath.normpath(posixpath.join(source, written))
    inside = posixpath.normpath(posixpath.join(target, written))
    common = (facts.file(posixpath.join(own, "commondir")).text or "").strip()
    if not common:
        return ((own, inside),)
    shared = posixpath.normpath(posixpath.join(own, common))
    return (own, inside), (shared, posixpath.normpath(posixpath.join(inside, common)))


def _is_mounted(host: str, inside: str, mounts: Mounts) -> bool:
    """Whether a path in the container shows a directory of this machine."""
    for source, target in sorted(mounts, key=lambda mount: -len(mount[1])):
        rest = posixpath.relpath(inside, target)
        if rest != ".." and not rest.startswith("../"):  # the deepest mount wins
            return posixpath.normpath(posixpath.join(source, rest)) == host
    return False
