"""What each instruction of a Dockerfile takes: flags, how many words, of which form.

A fault here is one that a builder names before it looks at stages, in any stage, needed or not.
Spec: Dockerfile reference; moby/buildkit frontend/dockerfile/instructions. Held against real
builds in tests/corpus/dockerfiles.
"""

from __future__ import annotations

import re

from devenv.compose.dockerfile.values import Instruction
from devenv.compose.parse_config import parse_duration

_BOOLEAN = frozenset({"link", "parents", "keep-git-dir", "unpack"})
_REPEATED = frozenset({"mount", "exclude", "device"})
_COPY_FLAGS = frozenset({"from", "chown", "chmod", "link", "exclude", "parents"})
_ADD_FLAGS = frozenset({"chown", "chmod", "link", "keep-git-dir", "checksum", "exclude", "unpack"})
_TIMES = ("interval", "timeout", "start-period", "start-interval")
_FLAGS = {
    "FROM": frozenset({"platform"}),
    "COPY": _COPY_FLAGS,
    "ADD": _ADD_FLAGS,
    "RUN": frozenset({"mount", "network", "security", "device"}),
    "HEALTHCHECK": frozenset({*_TIMES, "retries"}),
}
_LEAST = {"COPY": 2, "ADD": 2, "ENV": 1, "LABEL": 1, "EXPOSE": 1, "VOLUME": 1, "ARG": 1}
_ONE = frozenset({"WORKDIR", "USER", "STOPSIGNAL", "MAINTAINER"})
INSTRUCTIONS = frozenset(
    {
        *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK"),
        *("LABEL", "MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME"),
        "WORKDIR",
    }
)
_STAGE_NAME = re.compile(r"[a-z][a-z0-9-_.]*")
_DURATION = re.compile(r"[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+|[+-]?0")


def find_fault(one: Instruction, *, knows_flags: bool = True) -> str | None:
    """Why no builder takes the instruction, or None.

    `knows_flags` is false where `# syntax=` asks for a frontend that may have more flags.
    """
    return _flag_fault(one, knows_flags) or _word_fault(one)


def _flag_fault(one: Instruction, knows_flags: bool) -> str | None:
    known = _FLAGS.get(one.name, frozenset())
    seen: set[str] = set()
    for flag in one.flags:
        name, equals, _ = flag.removeprefix("--").partition("=")
        if name not in known:
            if knows_flags:
                return f"{one.name} has no flag --{name}"
            continue
        if not equals and name not in _BOOLEAN:
            return f"--{name} has no value"
        if name in seen and name not in _REPEATED:
            return f"--{name} stands there twice"
        seen.add(name)
    return None


def _word_fault(one: Instruction) -> str | None:
    words = one.arguments
    if "\0" in one.text:
        return "a NUL character stands there"
    if len(words) < _LEAST.get(one.name, 0):
        few = "a source and a destination" if one.name in ("COPY", "ADD") else "at least one word"
        return f"{one.name} needs {few}"
    if one.name in _ONE and not words:
        return f"{one.name} needs one word"
    match one.name:
        case "FROM" if len(words) == 3 and not _STAGE_NAME.fullmatch(words[2].lower()):
            return f"{words[2]!r} cannot be the name of a stage: letters first, then a-z 0-9 - _ ."
        case "ENV" | "LABEL" if any(not name for name in words[::3]):
            return f"{one.name} has a blank name"
        case "ARG" if any(word.startswith("=") for word in words):
            return "ARG has a blank name"
        case "VOLUME" if any(not word.strip() for word in words):
            return "VOLUME has a blank path"
        case "SHELL" if not one.is_json or not words:
            return 'SHELL needs a list: ["/bin/bash", "-c"]'
        case "RUN" if (one.flag("network") or "default") not in ("default", "none", "host"):
            return f"there is no network mode {one.flag('network')!r}"
        case "ONBUILD":
            return _onbuild_fault(one)
        case "HEALTHCHECK":
            return _healthcheck_fault(one)
    return None


def _onbuild_fault(one: Instruction) -> str | None:
    held = one.text.split()[1:2]
    if not held:
        return "ONBUILD holds no instruction"
    if held[0].upper() in ("ONBUILD", "FROM", "MAINTAINER"):
        return f"ONBUILD cannot hold {held[0].upper()}"
    return None


def _healthcheck_fault(one: Instruction) -> str | None:
    kind = one.arguments[0].upper() if one.arguments else ""
    if kind == "NONE":
        return "HEALTHCHECK NONE takes nothing more" if len(one.arguments) > 1 else None
    if kind != "CMD":
        return "HEALTHCHECK needs CMD and a command, or NONE"
    if not "".join(one.arguments[1:]).strip():
        return "HEALTHCHECK CMD has no command"
    for name in _TIMES:
        value = one.flag(name)
        if value is None or value == "":
            continue
        if not _DURATION.fullmatch(value):
            return f"--{name} is no duration such as 5s: {value}"
        seconds = parse_duration(value)
        if seconds is not None and 0 < seconds < 0.001:
            return f"--{name} is less than 1ms"
    retries = one.flag("retries")
    if retries and not re.fullmatch(r"\+?\d+", retries):
        return f"--retries is no number from 0 on: {retries}"
    return None
