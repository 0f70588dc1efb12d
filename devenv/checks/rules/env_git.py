"""Who else gets to see an env file: the repository, other users of the machine."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from devenv.checks.env_scan import EnvReading, example_names, scan_env, shown
from devenv.checks.facts import CheckedProfile, Facts, FileKind
from devenv.checks.finding import Edit, Fault, Place, Severity
from devenv.checks.registry import check
from devenv.checks.secret_values import SecretKind, judge_value
from devenv.compose.env_entries import EntryKind, EnvEntry
from devenv.compose.env_values import read_value

_OTHERS_MAY_READ = 0o004


@check("env-file-tracked", Severity.WARNING, "git ls-files; measured on real projects", leaks=True)
def env_file_tracked(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """An env file is in the git repository, and everybody with the repository has its values.

    Sample projects track a `.env` with harmless defaults on purpose, so it is a warning, and an
    error only where a value has the shape of a real secret. Files with other names than `.env`
    count only if they hold such a value.

    Wrong:

        $ git ls-files
        .env

    Right:

        $ git ls-files
        .env.example
        .gitignore        # with a line .env

    Measured: What is tracked is what `git ls-files` lists. Tracked `.env` files with harmless
    defaults are common in 39 real sample projects, so only a value with the shape of a real secret
    is an error.
    """
    if facts.git is None:
        return
    for path, reading in scan_env(profile, facts).files.items():
        if path not in facts.git.tracked:
            continue
        secret = _first_secret(reading, SecretKind.SHAPED)
        name = shown(facts, path)
        fix = f"git rm --cached {name}, and add it to .gitignore"
        if secret is not None:
            yield Fault(
                f"{name} is in the git repository, and {secret.name} looks like a real secret.",
                Place(path, secret.line, secret.column),
                fix=f"{fix}; then replace the secret, which stays in the history",
                severity=Severity.ERROR,
            )
        elif _is_private_name(path):
            yield Fault(f"{name} is in the git repository.", Place(path), fix=fix)


@check("env-file-not-ignored", Severity.WARNING, "git check-ignore", leaks=True)
def env_file_not_ignored(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """An env file is not in the git repository yet, and nothing keeps it out.

    The next `git add .` takes it in. An error where a value has the shape of a real secret.
    `--fix` adds a line to `.gitignore`.

    Wrong:

        $ git status --short
        ?? .env

    Right:

        # .gitignore
        .env

    Measured: Ignored is what `git check-ignore` says is; outside of a repository nothing is said.
    """
    if facts.git is None:
        return
    for path, reading in scan_env(profile, facts).files.items():
        inside = path.startswith(facts.git.root.rstrip("/") + "/")
        if not inside or path in facts.git.tracked or path in facts.git.ignored:
            continue
        secret = _first_secret(reading, SecretKind.SHAPED)
        if secret is None and not _is_private_name(path):
            continue
        name = shown(facts, path)
        if secret is None:
            message, place = f"Git does not ignore {name}.", Place(path)
        else:
            message = f"Git does not ignore {name}, and {secret.name} looks like a real secret."
            place = Place(path, secret.line, secret.column)
        yield Fault(
            message,
            place,
            fix=f"add {name} to .gitignore",
            severity=Severity.ERROR if secret else None,
            edits=_ignore(facts, path),
        )


def _ignore(facts: Facts, path: str) -> tuple[Edit, ...]:
    """A line at the end of the project's .gitignore, where the file is below it."""
    relative = shown(facts, path)
    ignore = posixpath.join(facts.directory, ".gitignore")
    state = facts.file(ignore)
    if relative.startswith("..") or state.kind not in (FileKind.FILE, FileKind.MISSING):
        return ()
    text = state.text or ""
    end = "\r\n" if "\r\n" in text else "\n"
    start = "" if not text or text.endswith("\n") else end
    line = _as_pattern(relative if "/" not in relative else f"/{relative}")
    return (Edit(ignore, len(text), len(text), f"{start}{line}{end}"),)


def _as_pattern(name: str) -> str:
    """A line of .gitignore that matches just this name. Spec: gitignore(5)."""
    escaped = re.sub(r"([\\*?\[])", r"\\\1", name)
    escaped = re.sub(r"^([#!])", r"\\\1", escaped)
    return re.sub(r" (?= *$)", r"\\ ", escaped)


@check("env-permissions", Severity.INFO, "stat(2)")
def env_permissions(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """Every user of this machine can read an env file that holds secrets.

    It matters on a shared machine. Compose needs no more than the owner's right to read.

    Wrong:

        -rw-r--r-- .env

    Right:

        -rw------- .env

    Measured: Read from the permission bits that the file has, where the file has a name that is
    shaped like a secret's.
    """
    for path, reading in scan_env(profile, facts).files.items():
        mode = facts.file(path).mode
        if mode is None or not mode & _OTHERS_MAY_READ:
            continue
        secret = _first_secret(reading, SecretKind.GUESSED)
        if secret is not None:
            name = shown(facts, path)
            yield Fault(
                f"Every user of this machine can read {name}, and {secret.name} looks secret.",
                Place(path),
                fix=f"chmod 600 {name}",
            )


def _first_secret(reading: EnvReading, kind: SecretKind) -> EnvEntry | None:
    """The first entry whose value is at least as much like a secret as `kind`."""
    for entry in reading.file.entries:
        if (
            entry.kind is EntryKind.ASSIGNMENT
            and judge_value(entry.name, read_value(entry)) >= kind
        ):
            return entry
    return None


def _is_private_name(path: str) -> bool:
    """Whether a file of this name is usually kept out of repositories."""
    name = posixpath.basename(path)
    if any(name == posixpath.basename(one) for one in example_names("/.env")):
        return False
    return name == ".env" or name.endswith(".local") or name in (".env.secret", ".env.secrets")
