"""`env sync`: writes what an env file lacks, asked for, generated, or as its example has it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping
from functools import partial

from devenv.checks.env_needs import KeyReport, KeyState
from devenv.checks.facts import FileKind, FileState
from devenv.cli.env_files import EnvProfile, load_env_profiles, relative
from devenv.cli.env_prompt import (
    Question,
    ask,
    can_ask,
    generate_secret,
    take_defaults,
)
from devenv.cli.output import paint, print_note, print_text
from devenv.cli.session import Session
from devenv.compose.env_file import parse_env_file
from devenv.compose.env_mask import mask_env_text
from devenv.compose.env_sync import merge_keys, read_comment
from devenv.compose.env_write import is_writable_name
from devenv.compose.secrets import is_secret_name
from devenv.errors import ComposeFileError, ExitCode, Source, UsageError
from devenv.state.text import sanitize
from devenv.values import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """The env file that is written, and its example."""

    path: str
    state: FileState
    example: str
    """The example's text; "" where there is none."""
    shown: str
    """The path as it is shown."""
    ignored: bool
    """False where git would commit it."""


def run_sync(arguments: argparse.Namespace) -> int:
    """Fill in what is missing; the exit code is 1 where something needed got no value."""
    session = Session(arguments)
    profiles = load_env_profiles(session, every=arguments.all_profiles)
    given = _read_settings(arguments.set)
    target = find_sync_target(session, profiles[0])
    questions = [q for q in find_questions(profiles) if q.name not in given]
    generated = _generate(arguments.generate, target, questions)
    given |= generated
    questions = [question for question in questions if question.name not in given]
    if arguments.non_interactive or not can_ask():
        answers = take_defaults(questions)
    else:
        _announce(questions, target)
        answers = ask(questions)
    values: dict[str, str | None] = {**answers.values, **given}
    text = merge_answers(target, values)
    if arguments.dry_run or arguments.diff:
        _print_diff(target, text, reveal=arguments.reveal)
    if not arguments.dry_run:
        write(session, target, text)
        made = (*answers.generated, *generated)
        report(target, text, values, made, session.environ)
    if answers.left:
        print_note(
            f"Not filled in: {sanitize(', '.join(answers.left))}. "
            "Set them with --set KEY=VALUE, --generate KEY, or at a terminal."
        )
        return ExitCode.FAILED
    return ExitCode.GOOD


def find_sync_target(session: Session, profile: EnvProfile) -> Target:
    """The env file to write. Raises ComposeFileError where it cannot be edited for sure."""
    path = profile.target
    state = profile.facts.file(path)
    shown = relative(path, session.files.directory)
    if state.kind not in (FileKind.FILE, FileKind.MISSING) or state.invalid_utf8_line:
        what = "is not UTF-8 text" if state.invalid_utf8_line else f"is {state.kind.value}"
        raise ComposeFileError(
            f"{shown} {what}, so it was left alone.",
            source=Source(path, state.invalid_utf8_line),
            fix="repair it by hand",
        )
    faults = [fault for fault in parse_env_file(state.text or "").faults if fault.refused]
    if faults:
        raise ComposeFileError(
            faults[0].message,
            source=Source(path, faults[0].line, faults[0].column),
            fix="repair this line first; the file was left alone",
        )
    own = profile.diff().files[0]
    example = (profile.facts.file(own.example).text or "") if own.example else ""
    git = profile.facts.git
    ignored = git is None or path in git.ignored or path in git.tracked
    return Target(path, state, example, shown, ignored)


def find_questions(
    profiles: Iterable[EnvProfile], *, only_needed: bool = False
) -> tuple[Question, ...]:
    """What has no value, each key once, in the order of the example."""
    found: dict[str, Question] = {}
    for profile in profiles:
        own = profile.diff().files[0]
        example = (profile.facts.file(own.example).text or "") if own.example else ""
        show = partial(relative, directory=profile.facts.directory)
        listed = {name: at for at, name in enumerate(parse_env_file(example).names())}
        for key in sorted(own.keys, key=partial(_rank, listed)):
            if not _is_open(key) or (only_needed and not key.needed):
                continue
            before = found.get(key.name)
            if before is None or (key.needed and not before.needed):
                found[key.name] = _question(key, example, show)
    return tuple(found.values())


def _rank(listed: Mapping[str, int], key: KeyReport) -> int:
    return listed.get(key.name, len(listed))


def _is_open(key: KeyReport) -> bool:
    """Whether a value in the env file would change anything."""
    if key.state not in (KeyState.MISSING, KeyState.EMPTY) or key.note.startswith("the shell"):
        return False
    return key.state is KeyState.MISSING or key.needed


def _question(key: KeyReport, example: str, show: partial[str]) -> Question:
    reader = next(iter(key.readers), None)
    where = f"read at {show(reader.place.path)}:{reader.place.line}" if reader else ""
    required = any(one.operator[-1:] == "?" for one in key.readers)
    return Question(
        key.name,
        comment=read_comment(example, key.name),
        default=key.example_value,
        secret=is_secret_name(key.name),
        needed=key.needed,
        required=required and key.needed,
        why=" · ".join(part for part in (where, key.note) if part),
    )


def _read_settings(words: Iterable[str]) -> dict[str, str]:
    """`KEY=VALUE` of `--set`. Raises UsageError for what is none."""
    found: dict[str, str] = {}
    for word in words:
        name, separator, value = word.partition("=")
        if not separator or not is_writable_name(name):
            raise UsageError(
                f"--set takes KEY=VALUE, not {sanitize(name)!r}.",
                fix="a name has letters, digits, `_`, `.` and `-`, and begins with a letter or `_`",
            )
        found[name] = value
    return found


def _generate(
    names: Iterable[str], target: Target, questions: Iterable[Question]
) -> dict[str, str]:
    """A secret for each name that has none. Raises UsageError for one that would be replaced."""
    from devenv.compose.env_values import read_value

    open_names = {question.name for question in questions}
    there = {one.name: one for one in parse_env_file(target.state.text or "").entries}
    examples = {one.name: read_value(one) for one in parse_env_file(target.example).entries}
    for name in names:
        if not is_writable_name(name):
            raise UsageError(f"--generate takes a variable's name, not {sanitize(name)!r}.")
        value = read_value(there[name]) if name in there else ""
        if value and name not in open_names and value != examples.get(name):
            raise UsageError(
                f"{name} is already set in {target.shown}.",
                fix=f"to replace it: devenv env sync --set {name}=…",
            )
    return {name: generate_secret() for name in names}


def _announce(questions: Iterable[Question], target: Target) -> None:
    count = len(list(questions))
    if count:
        keys = "1 key is" if count == 1 else f"{count} keys are"
        print_note(
            f"{keys} missing in {sanitize(target.shown)}. "
            "Enter takes what is offered; Ctrl-C leaves the file as it is."
        )


def merge_answers(target: Target, values: Mapping[str, str | None]) -> str:
    """The file's text with the answers. Raises UsageError for what cannot be written."""
    if not values:
        return target.state.text or ""
    try:
        return merge_keys(target.state.text or "", target.example, values)
    except ValueError as error:
        raise UsageError(f"{target.shown} cannot be written: {error}.") from None


def write(session: Session, target: Target, text: str) -> None:
    """Write the file at once or not at all; a new one can be read by its owner only."""
    from devenv.cli.check_command import first_root
    from devenv.host.edits import write_texts

    if text == (target.state.text or ""):
        return
    states = {target.path: target.state}
    write_texts({target.path: text}, states, first_root(session), new_mode=0o600)


def report(
    target: Target,
    text: str,
    values: Mapping[str, str | None],
    generated: Iterable[str],
    environ: Mapping[str, str],
) -> None:
    """Say what was written, and what stands in its way."""
    if text == (target.state.text or ""):
        print_note(f"Nothing to write to {sanitize(target.shown)}.")
        return
    made = set(generated)
    words = [f"{name} (generated)" if name in made else name for name in values]
    verb = "changed" if target.state.kind is FileKind.FILE else "made"
    print_note(f"{verb} {sanitize(target.shown)}: {sanitize(', '.join(words))}")
    if not target.ignored:
        print_note(f"git does not ignore {sanitize(target.shown)}: add it to .gitignore.")
    for name in values:
        if name in environ:
            print_note(f"The shell has {sanitize(name)} too, and its value wins.")
    _compare_with_dotenv(text, values)


def _compare_with_dotenv(text: str, values: Mapping[str, str | None]) -> None:
    """Say where an application that loads the file by python-dotenv reads something else."""
    from devenv.checks.rules.env_readers import read_with_dotenv

    read = dict(read_with_dotenv(text, {}).values())
    differ = [
        name for name, value in values.items() if value is not None and read.get(name) != value
    ]
    if differ:
        print_note(
            f"python-dotenv reads {sanitize(', '.join(differ))} otherwise than Compose: "
            "devenv check says how."
        )


def _print_diff(target: Target, text: str, *, reveal: bool) -> None:
    from devenv.report.text_diff import render_diff, split_lines

    before = target.state.text or ""
    shown = [before, text] if reveal else [mask_env_text(before), mask_env_text(text)]
    exists = target.state.kind is FileKind.FILE
    for line in render_diff(
        split_lines(before),
        split_lines(text),
        split_lines(shown[0]),
        split_lines(shown[1]),
        old_name=f"a/{sanitize(target.shown)}" if exists else "/dev/null",
        new_name=f"b/{sanitize(target.shown)}",
    ):
        flat = sanitize(line.rstrip("\r"))
        colour = {"+": "green", "-": "red", "@": "blue"}.get(line[:1])
        print_text((paint(flat, colour, sys.stdout) if colour else flat) + "\n")
