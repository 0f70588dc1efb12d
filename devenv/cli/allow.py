"""`devenv allow`, and what `up` asks before it runs anything of a repository for the first time.

Hooks run on this machine, so they are shown and allowed first; what containers can reach of it is
shown once. Both are remembered for the repository; a change is shown again.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from devenv.cli.output import print_json, print_note, print_text
from devenv.cli.session import Session
from devenv.cli.terminal_asks import can_ask
from devenv.compose.host_access import HostAccess, find_host_access
from devenv.compose.model import Project
from devenv.config.trust import HookTrust
from devenv.errors import DevenvError, ExitCode, PlanRefused, UsageError
from devenv.host import paths
from devenv.host.hook_files import load_trust
from devenv.host.memory import Memory, open_existing, open_memory
from devenv.host.trust import (
    allow,
    is_allowed,
    load_allowed,
    load_known_access,
    load_last_trust,
    remember_access,
    resolve_trust_root,
    revoke,
)
from devenv.report.tables import render_duration, render_table
from devenv.report.trust import render_host_access, render_trust
from devenv.state.text import sanitize

_FIX = "devenv allow shows and allows them; devenv up --no-hooks starts without them"


def run_allow(session: Session, arguments: argparse.Namespace) -> int:
    """Show what the repository would run here, and allow it after asking."""
    if arguments.list:
        return _print_allowed(session, arguments.format)
    files = session.files
    root = resolve_trust_root(files)
    if arguments.revoke:
        with open_memory(paths.state_directory(session.environ), print_note) as memory:
            count = revoke(memory, root)
        print_text(f"Nothing of {sanitize(root)} is allowed now; {count} were.\n")
        return ExitCode.GOOD
    trust = load_trust(files, session.environ)
    access = _load_access(session)
    with open_existing(paths.state_directory(session.environ)) as memory:
        allowed = trust is not None and is_allowed(memory, root, trust)
        before = load_last_trust(memory, root)
    if arguments.format == "json":
        print_json(_to_json(root, trust, access, allowed))
        return ExitCode.GOOD if allowed or trust is None else ExitCode.FAILED
    if access:
        print_text(sanitize(render_host_access(access)))
    if trust is None:
        print_text("There is no hook in devenv.toml or in profiles/, so nothing to allow.\n")
        return _remember(session, root, None, access)
    print_text(sanitize(render_trust(trust, None if allowed else before, full=arguments.full)))
    if allowed:
        print_text("This is allowed.\n")
        return _remember(session, root, None, access)
    if not arguments.yes and not _ask_plain():
        print_note("Nothing is allowed.")
        return ExitCode.FAILED
    code = _remember(session, root, trust, access)
    if code == ExitCode.GOOD:
        print_note("Allowed. A change of these hooks, or of these files, asks again.")
    return code


def _ask_plain() -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            "There is no terminal to ask at, so nothing was allowed.",
            fix="look at what is shown, then: devenv allow --yes",
        )
    return read_choice("Allow these to run on this machine? [y/N] ").startswith("y")


def read_choice(prompt: str) -> str:
    """The answer in lower case; empty at Ctrl-D. Raises KeyboardInterrupt at Ctrl-C."""
    sys.stderr.write(prompt)
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower()


def _remember(
    session: Session, root: str, trust: HookTrust | None, access: Sequence[HostAccess] | None
) -> int:
    said: list[str] = []
    with open_memory(paths.state_directory(session.environ), said.append) as memory:
        kept = trust is None or allow(memory, root, trust)
        if access is not None:
            remember_access(memory, root, [one.line for one in access])
    if kept:
        return ExitCode.GOOD
    raise DevenvError(
        f"It cannot be remembered that these hooks are allowed: {' '.join(said)}",
        fix="make the directory writable, or set XDG_STATE_HOME to one that is",
    )


def _load_access(session: Session) -> tuple[HostAccess, ...] | None:
    """What the containers of the selection can reach; None where the files do not load."""
    try:
        return resolve_access(session, session.base_project)
    except DevenvError as error:
        print_note(sanitize(f"What containers can reach is not known: {error.message}"))
        return None


def resolve_access(session: Session, project: Project) -> tuple[HostAccess, ...]:
    """What the model's containers, or Compose itself, can reach of this machine."""
    git = session.files.git
    top = git.root if git is not None else session.files.root
    return find_host_access(project, str(top), os.path.realpath)


def _to_json(
    root: str,
    trust: HookTrust | None,
    access: Sequence[HostAccess] | None,
    allowed: bool,
) -> dict[str, object]:
    return {
        "directory": root,
        "allowed": allowed,
        "digest": trust.digest if trust else None,
        "hooks": list(trust.lines) if trust else [],
        "files": [{"path": f.path, "sha256": f.digest} for f in trust.files] if trust else [],
        "access": None
        if access is None
        else [{"service": a.service, "key": a.key, "text": a.text} for a in access],
    }


def _print_allowed(session: Session, form: str) -> int:
    with open_existing(paths.state_directory(session.environ)) as memory:
        rows = load_allowed(memory)
    if form == "json":
        print_json(
            [
                {"directory": row.root, "digest": row.digest, "allowed_at": row.allowed_at}
                for row in rows
            ]
        )
    elif not rows:
        print_text("No repository's hooks are allowed on this machine.\n")
    else:
        now = time.time()
        table = [
            (row.digest[:12], render_duration(now - row.allowed_at), row.root)
            + (("(gone)",) if not Path(row.root).is_dir() else ("",))
            for row in rows
        ]
        print_text(sanitize(render_table(("ALLOWED", "AGE", "DIRECTORY", ""), table)))
    return ExitCode.GOOD


def offer_hooks(session: Session) -> None:
    """Before a start: see that the hooks are allowed, asking where there is somebody to ask.

    Sets `session.runs_hooks`. Raises PlanRefused where they are not allowed and nobody can be
    asked, or the answer is no; then nothing may be started.
    """
    if session.is_within_hook:
        session.runs_hooks = False
    if not session.runs_hooks:
        return
    files = session.files
    trust = load_trust(files, session.environ)
    if trust is None:
        return
    root = resolve_trust_root(files)
    with open_existing(paths.state_directory(session.environ)) as memory:
        if is_allowed(memory, root, trust):
            return
        before = load_last_trust(memory, root)
    count = sum(1 for line in trust.lines if ": sets " not in line)
    what = "have changed since they were allowed" if before else "were never allowed here"
    words = f"The {count} hooks" if count > 1 else "The hook"
    if count == 1:
        what = what.replace("have", "has").replace("they were", "it was").replace("were", "was")
    message = f"{words} of {sanitize(root)} {what}, so nothing was started."
    if not can_ask(session.environ):
        raise PlanRefused(message, fix=_FIX)
    print_note(sanitize(render_trust(trust, before, full=False)).rstrip("\n"))
    answer = read_choice("Allow these to run on this machine? [y]es, [w]ithout them, [N]o: ")
    if answer.startswith("w"):
        session.runs_hooks = False
        return
    if not answer.startswith("y"):
        raise PlanRefused(message, fix=_FIX)
    session.allowed_digest = trust.digest
    with open_memory(paths.state_directory(session.environ), print_note) as memory:
        if not allow(memory, root, trust):
            print_note("Allowed for this run only.")


def offer_access(session: Session) -> None:
    """Show what an unknown repository's containers can reach, and ask whether to go on.

    Only where there is somebody to ask. Raises PlanRefused for a no.
    """
    root = resolve_trust_root(session.files)
    with open_existing(paths.state_directory(session.environ)) as memory:
        if load_known_access(memory, root) is not None:
            return
    try:
        access = resolve_access(session, session.base_project)
    except DevenvError:
        return  # the start says it
    if access:
        print_note(sanitize(render_host_access(access)).rstrip("\n"))
        if read_choice("Start it? It is shown once. [Y/n] ") not in ("", "y", "yes"):
            raise PlanRefused("Nothing was started.", fix="devenv allow shows it again")
    with open_memory(paths.state_directory(session.environ), lambda _: None) as memory:
        remember_access(memory, root, [one.line for one in access])


def find_new_access(session: Session, project: Project) -> tuple[HostAccess, ...]:
    """What was not shown of this repository yet; from now on it counts as shown.

    `project` is the model that is about to be started.
    """
    root = resolve_trust_root(session.files)
    access = resolve_access(session, project)
    with open_memory(paths.state_directory(session.environ), lambda _: None) as memory:
        return _take_new(memory, root, access)


def _take_new(memory: Memory, root: str, access: Sequence[HostAccess]) -> tuple[HostAccess, ...]:
    known = load_known_access(memory, root)
    new = tuple(one for one in access if known is None or one.line not in known)
    if new or known is None:
        remember_access(memory, root, [one.line for one in access])
    return new


def refuse_unseen(
    access: Sequence[HostAccess], on_output: Callable[[str, str], None], *, is_shown: bool
) -> None:
    """Say what was not shown yet: as notes where these are printed, else as a refusal.

    Raises PlanRefused.
    """
    text = sanitize(render_host_access(access))
    if is_shown:
        for line in text.splitlines():
            on_output("note", line)
        return
    raise PlanRefused(
        "The containers of this project can reach this machine beyond the repository. Nothing was "
        "started yet.",
        excerpt=text.partition("\n")[2],
        fix="u starts it all the same: it is shown once",
    )
