"""`devenv init`: proposes what a repository lacks for a start, and writes it after asking."""

from __future__ import annotations

import argparse
import difflib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from devenv.cli.output import paint, print_json, print_note, print_text
from devenv.config.start.propose import propose_files
from devenv.config.start.survey import Need, ProposedFile, Stack
from devenv.errors import ConfigError, ExitCode, Source, UsageError
from devenv.host.survey import load_survey
from devenv.state.text import sanitize


def run_init(arguments: argparse.Namespace) -> int:
    """Show the proposal as a diff, ask, write. Nothing that is there is replaced."""
    root = Path(arguments.directory or ".").absolute()
    if not root.is_dir():
        raise UsageError(f"{root} is not a directory.", fix="check the path after -C")
    survey = load_survey(root, os.environ)
    stack = Stack(arguments.stack) if arguments.stack else None
    needs = [Need(name) for name in arguments.needs] if arguments.needs is not None else None
    proposed = propose_files(survey, stack=stack, needs=needs)
    if arguments.format == "json":
        print_json([{"path": one.path, "cause": one.cause, "text": one.text} for one in proposed])
    else:
        _print_proposal(proposed)
    if not proposed:
        print_note("Nothing to add: a Compose file and devenv.toml are there. Next: devenv up")
        return ExitCode.GOOD
    if arguments.dry_run or arguments.format == "json":
        return ExitCode.GOOD
    if not arguments.yes and not _ask(len(proposed)):
        print_note("Nothing was written.")
        return ExitCode.FAILED
    write_files(root, proposed)
    print_note("Written. Next: devenv check, then devenv up")
    return ExitCode.GOOD


def _print_proposal(proposed: Sequence[ProposedFile]) -> None:
    colours = {"+": "green", "-": "red", "@": "blue"}
    for one in proposed:
        print_text(paint(sanitize(f"{one.path}: {one.cause}"), "bold", sys.stdout) + "\n")
        before = (one.before or "").splitlines()
        lines = difflib.unified_diff(
            before,
            one.text.splitlines(),
            one.path if one.before is not None else "/dev/null",
            one.path,
            lineterm="",
        )
        for line in lines:
            shown = sanitize(line)
            colour = colours.get(shown[:1])
            print_text((paint(shown, colour, sys.stdout) if colour else shown) + "\n")
        print_text("\n")


def _ask(count: int) -> bool:
    if not sys.stdin.isatty():
        raise UsageError(
            "init writes files and there is no terminal to ask at.",
            fix="devenv init --yes, or --dry-run to look",
        )
    sys.stderr.write(f"Write {'this file' if count == 1 else f'these {count} files'}? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def write_files(root: Path, proposed: Sequence[ProposedFile]) -> None:
    """Write what was proposed.

    Raises ConfigError for a file that has come into being or changed since, for a directory that
    is a link, and for what cannot be written; files before it are written.
    """
    for one in proposed:
        path = root / one.path
        try:
            if path.parent.is_symlink():
                raise ConfigError(
                    "This directory is a link; nothing is written through it.",
                    source=Source(str(path.parent)),
                )
            path.parent.mkdir(exist_ok=True)
            if one.before is None:
                with path.open("x", encoding="utf-8") as file:
                    file.write(one.text)
            elif path.is_symlink() or path.read_text(encoding="utf-8") != one.before:
                raise ConfigError(
                    "This file changed meanwhile, so it was left alone.", source=Source(str(path))
                )
            else:
                path.write_text(one.text, encoding="utf-8")
        except FileExistsError:
            raise ConfigError(
                "This file came into being meanwhile, so it was left alone.",
                source=Source(str(path)),
                fix="devenv init again",
            ) from None
        except OSError as error:
            raise ConfigError(
                f"This file cannot be written: {error.strerror}.", source=Source(str(path))
            ) from None
