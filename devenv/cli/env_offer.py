"""`up` offers to ask for the values that a start lacks, as `env sync` does."""

from __future__ import annotations

import argparse
from pathlib import Path

from devenv.cli.output import print_note
from devenv.cli.session import Session
from devenv.compose.env_quick import may_lack_values
from devenv.errors import DevenvError
from devenv.host.files import read_env_text
from devenv.state.text import sanitize


def offer_missing(session: Session, arguments: argparse.Namespace) -> Session:
    """Ask for what this start needs and nothing sets; the session to go on with.

    Without a terminal nothing is asked. With `--plain` and `--detach`, which scripts use in
    terminals too, only where Compose would refuse to start. Files that do not load are left to
    the start itself. Raises KeyboardInterrupt at Ctrl-C: nothing is written.
    """
    try:
        if session.environ.get("CI") or not _may_lack(session):
            return session
    except DevenvError:
        return session
    from devenv.cli.env_files import load_env_profiles
    from devenv.cli.env_prompt import ask, can_ask, read_answer
    from devenv.cli.env_sync import find_questions, find_sync_target, merge_answers, report, write

    if not can_ask():
        return session
    try:
        profiles = load_env_profiles(session)
        questions = find_questions(profiles, only_needed=True)
        if arguments.plain or arguments.detach:
            questions = tuple(question for question in questions if question.required)
        if not profiles or not questions:
            return session
        target = find_sync_target(session, profiles[0])
    except DevenvError:
        return session
    names = sanitize(", ".join(question.name for question in questions))
    verb = "is" if len(questions) == 1 else "are"
    print_note(f"{names} {verb} not set, and this start needs {'it' if verb == 'is' else 'them'}.")
    if not read_answer(f"Fill in {sanitize(target.shown)} now? [Y/n] "):
        return session
    answers = ask(questions)
    text = merge_answers(target, answers.values)
    write(session, target, text)
    report(target, text, answers.values, answers.generated, session.environ)
    return session.renew()


def _may_lack(session: Session) -> bool:
    """A first look at the texts, without what the whole scan has to import and to read."""
    files = session.files
    env_files = files.env_files or (files.directory / ".env",)
    examples = [
        path
        for pattern in (".env[.-]*", "env.*", "*.env")
        for path in files.directory.glob(pattern)
    ]
    shell = {name for name, value in session.environ.items() if value}
    profile = {name for name, value in files.variables.items() if value}
    return may_lack_values(
        [_text(path) for path in files.compose_files],
        [_text(path) for path in env_files],
        "\n".join(_text(path) for path in examples),
        shell | profile,
    )


def _text(path: Path) -> str:
    return read_env_text(path) or ""
