"""What the switcher shows: the profiles and branches there are, and the plan of each looked at."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from devenv.values import dataclass, field

if TYPE_CHECKING:
    from devenv.state.model import Problem


class SwitchKind(StrEnum):
    PROFILE = "profile"
    BRANCH = "branch"


@dataclass(frozen=True, slots=True)
class SwitchTarget:
    """Where to: a profile, or a branch."""

    kind: SwitchKind
    name: str

    def render(self) -> str:
        """As `parse_target` reads it, and as the UI returns it: `switch profile search`."""
        return f"switch {self.kind.value} {self.name}"


def parse_target(text: str | None) -> SwitchTarget | None:
    """The target of a text that `SwitchTarget.render` has made; None for any other."""
    words = (text or "").split(" ", 2)
    if len(words) != 3 or words[0] != "switch":
        return None
    return SwitchTarget(SwitchKind(words[1]), words[2])


@dataclass(frozen=True, slots=True)
class SwitchChoice:
    """A profile or a branch that can be chosen."""

    target: SwitchTarget
    description: str = ""
    is_current: bool = False
    refusal: str = ""
    """Why it cannot be switched to, such as that another worktree has the branch."""


@dataclass(frozen=True, slots=True)
class SwitchPreview:
    """What a switch would do, as far as it is known."""

    lines: tuple[str, ...] = ()
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Switcher:
    """The open switcher."""

    choices: tuple[SwitchChoice, ...] | None = None
    """Profiles, then branches; None until they were looked up."""
    problem: Problem | None = None
    """Why they could not be."""
    previews: Mapping[SwitchTarget, SwitchPreview] = field(default_factory=dict)
