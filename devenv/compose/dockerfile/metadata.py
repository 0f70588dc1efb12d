"""The metadata that a stage and those it is FROM give a container.

Spec: Dockerfile reference, HEALTHCHECK, USER, WORKDIR, VOLUME, ENV, CMD, ENTRYPOINT.
"""

from __future__ import annotations

from collections.abc import Mapping

from devenv.compose.dockerfile.stages import Dockerfile, Stage
from devenv.compose.dockerfile.values import Instruction
from devenv.compose.dockerfile.variables import expand
from devenv.compose.model import Healthcheck
from devenv.compose.parse_config import parse_duration
from devenv.values import dataclass, field


@dataclass(frozen=True, slots=True)
class StageMetadata:
    """What the FROM chain of a stage sets for a container; None means: the base image decides."""

    healthcheck: Healthcheck | None = None
    has_healthcheck: bool = False
    """Whether the chain has a HEALTHCHECK at all; with `healthcheck` None it is `NONE`."""
    healthcheck_line: int | None = None
    user: str | None = None
    user_line: int | None = None
    workdir: str | None = None
    volumes: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    command: Instruction | None = None
    entrypoint: Instruction | None = None


def resolve_metadata(
    dockerfile: Dockerfile, stage: Stage, build_args: Mapping[str, str | None]
) -> StageMetadata:
    """The metadata that the stage and those it is FROM set, the later instruction winning."""
    found = _Metadata()
    for one in reversed(dockerfile.chain(stage, build_args)):
        for instruction in dockerfile.steps(one, build_args):
            found.take(instruction)
    return StageMetadata(
        healthcheck=found.healthcheck,
        has_healthcheck=found.healthcheck_line is not None,
        healthcheck_line=found.healthcheck_line,
        user=found.user,
        user_line=found.user_line,
        workdir=found.workdir,
        volumes=tuple(found.volumes),
        environment=found.environment,
        command=found.command,
        entrypoint=found.entrypoint,
    )


class _Metadata:
    def __init__(self) -> None:
        self.healthcheck: Healthcheck | None = None
        self.healthcheck_line: int | None = None
        self.user: str | None = None
        self.user_line: int | None = None
        self.workdir: str | None = None
        self.volumes: list[str] = []
        self.environment: dict[str, str] = {}
        self.command: Instruction | None = None
        self.entrypoint: Instruction | None = None

    def take(self, instruction: Instruction) -> None:
        words = instruction.arguments
        match instruction.name:
            case "HEALTHCHECK":
                self.healthcheck = parse_healthcheck(instruction)
                self.healthcheck_line = instruction.line
            case "USER" if words:
                self.user, self.user_line = words[0], instruction.line
            case "WORKDIR" if words:
                self.workdir = words[0]
            case "VOLUME":
                self.volumes += words
            case "ENV":
                for name, value, _ in _triples(words):
                    self.environment[name] = expand(value, self.environment)
            case "CMD":
                self.command = instruction
            case "ENTRYPOINT":
                self.entrypoint = instruction


def parse_healthcheck(instruction: Instruction) -> Healthcheck | None:
    """A HEALTHCHECK instruction's check; None for `HEALTHCHECK NONE`."""
    words = instruction.arguments
    kind = words[0].upper() if words else "NONE"
    if kind == "NONE":
        return None
    test = ("CMD", *words[1:]) if instruction.is_json else ("CMD-SHELL", " ".join(words[1:]))
    seconds = {
        name: parse_duration(instruction.flag(name) or "")
        for name in ("interval", "timeout", "start-period", "start-interval")
    }
    retries = instruction.flag("retries") or ""
    return Healthcheck(
        test=test,
        interval_seconds=seconds["interval"] or 30.0,
        timeout_seconds=seconds["timeout"] or 30.0,
        retries=int(retries) if retries.isdigit() and int(retries) else 3,
        start_period_seconds=seconds["start-period"],
        start_interval_seconds=seconds["start-interval"] or None,
    )


def _triples(words: tuple[str, ...]) -> list[tuple[str, str, str]]:
    return [(words[i], words[i + 1], words[i + 2]) for i in range(0, len(words) - 2, 3)]
