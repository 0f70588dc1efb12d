"""What BuildKit refuses in the stages of a target, though each instruction is well formed.

Some of it is looked at in every stage (bases, `--from`), the rest only in stages that the target
needs. What can be told only while the build runs (images that cannot be pulled, files that a
stage lacks, commands that fail) is left to it.
Spec: moby/buildkit frontend/dockerfile/dockerfile2llb; held against real builds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping

from devenv.compose.dockerfile.grammar import INSTRUCTIONS, find_fault
from devenv.compose.dockerfile.resolve import Variables, walk
from devenv.compose.dockerfile.sources import find_sources, mount_options
from devenv.compose.dockerfile.stages import SCRATCH, Dockerfile, Stage
from devenv.compose.dockerfile.values import DockerfileFault, Instruction
from devenv.compose.dockerignore import is_pattern

_REFERENCE = re.compile(
    r"(?:(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*|\[[0-9a-fA-F:]+\])(?::\d+)?/)?"
    r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*)*"
    r"(?::[\w][\w.-]{0,127})?(?:@[a-z0-9.+_-]+:[0-9a-fA-F]{32,})?",
    re.ASCII,
)
_PLATFORM = re.compile(r"[A-Za-z0-9_.()-]+(?:/[A-Za-z0-9_.-]+){0,2}")
_EXPANDED = frozenset(
    {"COPY", "ADD", "ENV", "LABEL", "ARG", "WORKDIR", "EXPOSE", "VOLUME", "USER", "STOPSIGNAL"}
)
_URL = re.compile(r"(?:https?|git|ssh)://|git@")
_PORT = re.compile(
    r"(?:(?:[\d.]+|\[[0-9a-fA-F:]*\])?:)?(?:\d*(?:-\d+)?:)?(\d+)(?:-(\d+))?(?:/(\w+))?"
)
_SIGNAL = re.compile(
    r"ABRT|ALRM|BUS|CHLD|CLD|CONT|FPE|HUP|ILL|INT|IO|IOT|KILL|PIPE|POLL|PROF|PWR|QUIT|"
    r"RTMIN(?:\+\d+)?|RTMAX(?:-\d+)?|SEGV|STKFLT|STOP|SYS|TERM|TRAP|TSTP|TTIN|TTOU|URG|USR[12]|"
    r"VTALRM|WINCH|XCPU|XFSZ"
)
_MOUNT_TYPES = frozenset({"bind", "cache", "tmpfs", "secret", "ssh"})
_MOUNT_KEYS = frozenset(
    {
        *("type", "from", "source", "src", "target", "dst", "destination", "id", "sharing", "size"),
        *("readonly", "ro", "readwrite", "rw", "mode", "uid", "gid", "required", "env"),
    }
)


def find_stage_fault(
    dockerfile: Dockerfile,
    target: Stage,
    build_args: Mapping[str, str | None],
    contexts: Collection[str] = (),
) -> DockerfileFault | None:
    """The first thing for which BuildKit refuses to build a target, or None.

    `contexts` are the names of additional contexts.
    """
    for stage in dockerfile.stages:
        message = _base_fault(dockerfile, stage, build_args, contexts)
        if message is not None:
            return DockerfileFault(message, stage.line)
        for one in stage.instructions:
            origin = one.flag("from") or ""
            if "$" in origin:
                message = "--from takes no variable: name a stage with FROM $… AS, and copy from it"
                return DockerfileFault(message, one.line)
            if origin.isdigit() and int(origin) >= len(dockerfile.stages):
                return DockerfileFault(f"there is no stage {origin}", one.line)
    for stage in dockerfile.closure(target, build_args, contexts):
        fault = _trigger_fault(dockerfile, stage, build_args, contexts)
        fault = fault or _walk_fault(dockerfile, stage, build_args, contexts)
        if fault is not None:
            return fault
    return None


def _base_fault(
    dockerfile: Dockerfile,
    stage: Stage,
    build_args: Mapping[str, str | None],
    contexts: Collection[str],
) -> str | None:
    platform = stage.platform or ""
    if "$" not in platform and platform and not _PLATFORM.fullmatch(platform):
        return f"there is no platform {platform!r}"
    values = Variables(dockerfile, {}, is_complete=True)
    for name, value in dockerfile.resolve_args(build_args).items():
        values.set(name, value)
    try:
        values.expand(stage.base)
    except ValueError as error:
        return _plain(error)
    base = dockerfile.resolve_base(stage, build_args)
    if base is None or base == SCRATCH or base in contexts:
        return None
    if not base:
        return f"the base image {stage.base} is blank: its variable needs a value before FROM"
    if dockerfile.find_base(base, stage) is None and not _REFERENCE.fullmatch(base):
        near = dockerfile.find_earlier(base, stage)
        fix = f" (the stage is called {near.name})" if near and near.name else ""
        return f"{base!r} cannot be the name of an image{fix}"
    return None


def _trigger_fault(
    dockerfile: Dockerfile,
    stage: Stage,
    build_args: Mapping[str, str | None],
    contexts: Collection[str],
) -> DockerfileFault | None:
    for base in dockerfile.chain(stage, build_args, contexts)[1:2]:
        for one in base.instructions:
            held = one.text.split()[1:2] if one.name == "ONBUILD" else []
            if held and held[0].upper() not in INSTRUCTIONS:
                return DockerfileFault(f"there is no instruction {held[0]}", one.line)
        for one in base.triggers:
            message = find_fault(one, knows_flags=dockerfile.syntax is None)
            if message is not None:
                return DockerfileFault(message, one.line)
    return None


def _walk_fault(
    dockerfile: Dockerfile,
    stage: Stage,
    build_args: Mapping[str, str | None],
    contexts: Collection[str],
) -> DockerfileFault | None:
    line = stage.line
    try:
        for one, variables in walk(dockerfile, stage, build_args, contexts):
            line = one.line
            words = one.arguments
            if one.name in _EXPANDED:
                words = tuple(variables.expand(word) for word in words)
            # A frontend of `# syntax=` may know more options of a mount than these.
            is_known = dockerfile.syntax is None or one.name != "RUN"
            check = _CHECKS.get(one.name) if is_known else None
            messages = list(check(one, words)) if check else []
            messages += _origin_faults(dockerfile, stage, one, contexts)
            if messages:
                return DockerfileFault(messages[0], one.line)
    except ValueError as error:
        return DockerfileFault(_plain(error), line)
    return None


def _plain(error: ValueError) -> str:
    """The library's message; a shell's word that cannot be expanded."""
    return str(error).replace("\n", " ").rstrip(".")


def _origin_faults(
    dockerfile: Dockerfile, stage: Stage, one: Instruction, contexts: Collection[str]
) -> Iterator[str]:
    for source in find_sources(one):
        origin = (source.origin or "").lower()
        if not origin or origin in contexts or "$" in origin:
            continue
        if origin == SCRATCH:
            yield "there is nothing in scratch to copy"
        elif dockerfile.find_earlier(origin, stage) is None:
            later = [s for s in dockerfile.stages[stage.index :] if s.name == origin]
            if origin.isdigit() or later:
                own = origin == stage.name or origin == str(stage.index)
                yield f"--from={origin} names {'its own' if own else 'a later'} stage"


def _copy_faults(one: Instruction, words: tuple[str, ...]) -> Iterator[str]:
    mode = one.flag("chmod") or ""
    if mode.isdigit() and (not re.fullmatch("[0-7]+", mode) or int(mode, 8) > 0o7777):
        yield f"--chmod={mode} is no octal mode up to 7777"
    remote = [bool(_URL.match(word)) for word in words[:-1]]
    if one.name == "COPY" and any(remote):
        yield "COPY takes no URL: ADD does"
    if one.name == "ADD" and one.flag("checksum") is not None and not any(remote):
        yield "--checksum is only for what ADD downloads"
    for word, is_remote in zip(words[:-1], remote, strict=True):
        if not is_remote and "$" not in word and not word.startswith("<<") and not is_pattern(word):
            yield f"{word} is no pattern: a bracket is not closed"


def _expose_faults(one: Instruction, words: tuple[str, ...]) -> Iterator[str]:
    for word in (part for one in words for part in one.split()):
        if "$" in word:
            continue
        found = _PORT.fullmatch(word)
        if found is None or any(int(port) > 65535 for port in found.groups()[:2] if port):
            yield f"{word} is no port"
        elif (found[3] or "tcp").lower() not in ("tcp", "udp", "sctp"):
            yield f"there is no protocol {found[3]}"


def _signal_faults(one: Instruction, words: tuple[str, ...]) -> Iterator[str]:
    name = words[0].upper().removeprefix("SIG") if words else ""
    if (
        "$" not in name
        and not _SIGNAL.fullmatch(name)
        and not (name.isdigit() and 0 < int(name) <= 64)
    ):
        yield f"there is no signal {words[0]}"


def _mount_faults(one: Instruction, words: tuple[str, ...]) -> Iterator[str]:
    for mount in one.all_flags("mount"):
        if "$" in mount:
            continue
        options = mount_options(mount)
        kind = options.get("type", "bind").lower()
        unknown = [key for key in options if key not in _MOUNT_KEYS]
        if kind not in _MOUNT_TYPES:
            yield f"there is no mount of type {kind!r}"
        elif unknown:
            yield f"a mount has no option {unknown[0]!r}"
        elif kind in ("bind", "cache", "tmpfs") and not (
            options.get("target") or options.get("dst") or options.get("destination")
        ):
            yield f"a {kind} mount needs a target"


_CHECKS: Mapping[str, Callable[[Instruction, tuple[str, ...]], Iterator[str]]] = {
    "COPY": _copy_faults,
    "ADD": _copy_faults,
    "EXPOSE": _expose_faults,
    "STOPSIGNAL": _signal_faults,
    "RUN": _mount_faults,
}
