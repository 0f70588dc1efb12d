"""The errors that end a command, and the places and exit codes that go with them.

A finding about the user's files is data and is never raised; a `DevenvError` means that
devenv cannot go on. Both say what happened, where, and what to do about it.
"""

from __future__ import annotations

from enum import IntEnum

from devenv.values import dataclass


class ExitCode(IntEnum):
    """The exit codes of every devenv command (`exec` and `compose` pass theirs through)."""

    GOOD = 0
    FAILED = 1
    """Findings at or above the limit, or a service that failed."""
    USAGE = 2
    """Wrong use or wrong configuration."""
    NO_ENGINE = 3
    INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Source:
    """A place in one of the user's files; lines and columns count from 1."""

    path: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        parts = [self.path]
        if self.line is not None:
            parts.append(str(self.line))
            if self.column is not None:
                parts.append(str(self.column))
        return ":".join(parts)


class DevenvError(Exception):
    """devenv cannot go on: what happened, where, and how to repair it."""

    exit_code: ExitCode = ExitCode.USAGE

    def __init__(
        self,
        message: str,
        *,
        source: Source | None = None,
        fix: str | None = None,
        excerpt: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.source = source
        self.fix = fix
        self.excerpt = excerpt
        """Lines to show below the message: a source line with a caret, the end of an output."""


class UsageError(DevenvError):
    """The command line asks for something that does not exist or does not go together."""


class ConfigError(DevenvError):
    """devenv.toml or a file in profiles/ is wrong."""


class ComposeFileError(DevenvError):
    """The Compose files, or an env file that they need, do not load."""


class EngineUnavailable(DevenvError):
    """No Docker engine answers, or the one that does refuses or is too old."""

    exit_code = ExitCode.NO_ENGINE


class PlanRefused(DevenvError):
    """Going on would lose data or stop what was not asked for, so nothing was done."""

    exit_code = ExitCode.FAILED


class CommandFailed(DevenvError):
    """A Docker command ended with an exit code other than 0."""

    exit_code = ExitCode.FAILED

    def __init__(
        self,
        argv: tuple[str, ...],
        returncode: int,
        stderr_tail: str,
        *,
        message: str | None = None,
        source: Source | None = None,
        fix: str | None = None,
    ) -> None:
        super().__init__(
            message or f"{' '.join(argv[:4])} … ended with exit code {returncode}.",
            source=source,
            fix=fix,
            excerpt=stderr_tail or None,
        )
        self.argv = argv
        self.returncode = returncode
        self.stderr_tail = stderr_tail


class CommandTooLong(CommandFailed):
    """A command took longer than it may, and was ended."""
