"""An instruction of a Dockerfile as a value, and the fault of one that is none."""

from __future__ import annotations

from devenv.values import dataclass


@dataclass(frozen=True, slots=True)
class DockerfileFault:
    """Why a builder refuses the file; line from 1."""

    message: str
    line: int


@dataclass(frozen=True, slots=True)
class Heredoc:
    """A document within an instruction; not chomped."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction; `name` in upper case, lines from 1, `column` that of its first letter."""

    name: str
    arguments: tuple[str, ...]
    flags: tuple[str, ...]
    line: int
    end_line: int
    column: int = 1
    is_json: bool = False
    heredocs: tuple[Heredoc, ...] = ()
    text: str = ""
    """The instruction with its continued lines joined."""

    def flag(self, name: str) -> str | None:
        """The value of `--name=value`, "" where it has none, None where it is not there."""
        for flag in self.flags:
            key, _, value = flag.partition("=")
            if key == f"--{name}":
                return value
        return None

    def all_flags(self, name: str) -> tuple[str, ...]:
        """The values of a flag that may be repeated (`--mount`, `--exclude`)."""
        pairs = (flag.partition("=") for flag in self.flags)
        return tuple(value for key, _, value in pairs if key == f"--{name}")
