"""`[hooks]` of devenv.toml and of profiles: which commands run at which moment.

Values and their validation; what they run as is for `cli`, whether they may for `host.trust`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from devenv.errors import Source
from devenv.values import dataclass

EVENTS: Mapping[str, str] = {
    "before_up": "Before the start.",
    "after_healthy": "When all services are healthy.",
    "after_switch": "After a change of profile or branch, when all services are healthy.",
    "before_down": "Before the containers are removed.",
}
"""The moments at which hooks run, in the order of an environment's life."""
TIMEOUT_SECONDS = 600.0
MAX_SECONDS = 86400.0
ENTRY_KEYS: Mapping[str, str] = {
    "run": "The command: a string for `sh -c`, or a list of strings that no shell reads.",
    "service": "The service in whose container it runs. Default: on this machine.",
    "timeout": "Seconds after which it is ended.",
}
"""The keys of an entry that is a table."""
ENTRY_HELP = (
    "a command is a string for `sh -c`, a list of strings that no shell reads, or a table: "
    '{ run = …, service = "app", timeout = 60 }'
)

Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Hook:
    """One command of `[hooks]`."""

    event: str
    run: str | tuple[str, ...]
    """A string is for `sh -c`, as it stands; of a list each string is one argument."""
    service: str | None = None
    """None: it runs on this machine."""
    timeout_seconds: float = TIMEOUT_SECONDS
    source: Source | None = None

    @property
    def argv(self) -> tuple[str, ...]:
        """The command line; nothing is ever put into the text of a string."""
        return ("sh", "-c", self.run) if isinstance(self.run, str) else self.run

    @property
    def text(self) -> str:
        """The command for people, on one line."""
        import shlex

        words = self.run if isinstance(self.run, str) else shlex.join(self.run)
        return " ".join(words.split())


def find_entry_problem(value: Any, place: Place) -> tuple[Place, str, str] | None:
    """Where an entry of a list of hooks is wrong, what is wrong, and the fix; None for a good one.

    `place` ends in the event's name and the entry's index.
    """
    shown = f"hooks.{place[-2]}[{place[-1]}]"
    if isinstance(value, dict):
        return _find_table_problem(value, place, shown)
    return _find_run_problem(value, place, shown)


def _find_run_problem(value: Any, place: Place, shown: str) -> tuple[Place, str, str] | None:
    if isinstance(value, str):
        words: Sequence[Any] = (value,)
    elif isinstance(value, list):
        words = value
    else:
        return place, f"{shown!r} is no command.", ENTRY_HELP
    for index, word in enumerate(words):
        if not isinstance(word, str):
            return (*place, index), f"{f'{shown}[{index}]'!r} must be a string.", ENTRY_HELP
        if "\0" in word:
            return place, f"{shown!r} has a NUL character, which no command can.", "take it out"
    if not words or not words[0].strip():
        return place, f"{shown!r} is empty.", ENTRY_HELP
    return None


def _find_table_problem(
    value: Mapping[str, Any], place: Place, shown: str
) -> tuple[Place, str, str] | None:
    for name in value:
        if name not in ENTRY_KEYS:
            near = get_close_matches(name, ENTRY_KEYS, n=1)
            fix = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(ENTRY_KEYS)}"
            return (*place, name), f"Unknown key {f'{shown}.{name}'!r}.", fix
    if "run" not in value:
        return place, f"{shown!r} has no 'run'.", ENTRY_KEYS["run"]
    problem = _find_run_problem(value["run"], (*place, "run"), f"{shown}.run")
    if problem is not None:
        return problem
    service = value.get("service")
    if service is not None and (not isinstance(service, str) or not service):
        what = f"{f'{shown}.service'!r} must be the name of a service."
        return (*place, "service"), what, ENTRY_KEYS["service"]
    if service is not None and place[-2] == "before_up":
        what = "A hook of before_up cannot run in a service: none runs yet."
        return (*place, "service"), what, "put it into after_healthy"
    timeout = value.get("timeout", TIMEOUT_SECONDS)
    is_number = isinstance(timeout, int | float) and not isinstance(timeout, bool)
    if not is_number or not math.isfinite(timeout) or not 0 < timeout <= MAX_SECONDS:
        what = f"{f'{shown}.timeout'!r} must be a number of seconds from above 0 to a day."
        return (*place, "timeout"), what, ENTRY_KEYS["timeout"]
    return None


def parse_hook(event: str, value: Any, source: Source | None) -> Hook:
    """An entry in which `find_entry_problem` has found nothing."""
    table: Mapping[str, Any] = value if isinstance(value, dict) else {"run": value}
    run = table["run"]
    return Hook(
        event,
        run if isinstance(run, str) else tuple(run),
        table.get("service"),
        float(table.get("timeout", TIMEOUT_SECONDS)),
        source,
    )


def entry_schema() -> dict[str, Any]:
    """The JSON Schema of an entry."""
    run = {
        "anyOf": [
            {"type": "string", "pattern": r"\S"},
            {"type": "array", "items": {"type": "string"}, "minItems": 1},
        ]
    }
    return {
        "anyOf": [
            *run["anyOf"],
            {
                "type": "object",
                "additionalProperties": False,
                "required": ["run"],
                "properties": {
                    "run": {**run, "description": ENTRY_KEYS["run"]},
                    "service": {
                        "type": "string",
                        "minLength": 1,
                        "description": ENTRY_KEYS["service"],
                    },
                    "timeout": {
                        "type": "number",
                        "exclusiveMinimum": 0,
                        "maximum": MAX_SECONDS,
                        "default": TIMEOUT_SECONDS,
                        "description": ENTRY_KEYS["timeout"],
                    },
                },
            },
        ]
    }
