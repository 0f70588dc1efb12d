"""`env diff` and `env explain`: what is missing, and where a value comes from."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from difflib import get_close_matches
from functools import partial

from devenv.cli.env_files import EnvProfile, load_env_profiles, relative
from devenv.cli.output import paint, print_json, print_note, print_text
from devenv.cli.session import Session
from devenv.errors import ExitCode, UsageError
from devenv.report.env_keys import (
    diff_to_json,
    render_diff,
    render_variable,
    variable_to_json,
)
from devenv.state.text import sanitize


def run_diff(arguments: argparse.Namespace) -> int:
    """Print what differs; the exit code is 1 where something needed is missing."""
    session = Session(arguments)
    show = partial(relative, directory=session.files.directory)
    profiles = load_env_profiles(session, every=arguments.all_profiles)
    diffs = [one.diff() for one in profiles]
    good = all(diff.is_good for diff in diffs)
    if arguments.format == "json":
        shown = [diff_to_json(diff, show, reveal=arguments.reveal) for diff in diffs]
        print_json({"version": 1, "good": good, "profiles": shown})
        return ExitCode.GOOD if good else ExitCode.FAILED
    texts = [render_diff(diff, show, _paint, reveal=arguments.reveal) for diff in diffs]
    print_text("\n".join(texts))
    names = list(dict.fromkeys(key.name for diff in diffs for key in diff.missing))
    if names:
        one = len(names) == 1
        print_note(
            f"{len(names)} needed {'key is' if one else 'keys are'} not set: "
            f"{sanitize(', '.join(names))}. devenv env sync asks for {'it' if one else 'them'}."
        )
    return ExitCode.GOOD if good else ExitCode.FAILED


def run_explain(arguments: argparse.Namespace) -> int:
    """Print all about one variable. Raises UsageError with the nearest name for an unknown one."""
    session = Session(arguments)
    show = partial(relative, directory=session.files.directory)
    profiles = load_env_profiles(session, every=arguments.all_profiles)
    known = [
        (profile, variable)
        for profile in profiles
        for variable in profile.variables()
        if variable.name == arguments.key
    ]
    if not known:
        raise _unknown(arguments.key, profiles, session)
    if arguments.format == "json":
        shown = [
            variable_to_json(variable, profile.checked.name, show, reveal=arguments.reveal)
            for profile, variable in known
        ]
        print_json({"version": 1, "variables": shown})
        return ExitCode.GOOD
    for profile, variable in known:
        name = profile.checked.name
        if name and len(profiles) > 1:
            print_text(f"profile {sanitize(name)}\n")
        print_text(render_variable(variable, name, show, _paint, reveal=arguments.reveal))
    return ExitCode.GOOD


def _unknown(key: str, profiles: tuple[EnvProfile, ...], session: Session) -> UsageError:
    names = {variable.name for profile in profiles for variable in profile.variables()}
    near = get_close_matches(key, names, n=1, cutoff=0.6)
    near = near or [name for name in names if name.lower() == key.lower()]
    where = " It is set in the shell, but nothing reads it." if key in session.environ else ""
    return UsageError(
        f"No Compose file and no env file names {key}.{where}",
        fix=f"did you mean {near[0]}?" if near else "devenv env diff lists what is read and set",
    )


def _paint(text: str, colour: str) -> str:
    return paint(text, colour, sys.stdout)


Run = Callable[[argparse.Namespace], int]
