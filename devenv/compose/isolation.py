"""What keeps environments of one repository apart: their names, ports, and the override for both.

Names are stable without a memory: they follow from the branch, or from the name that git gives a
worktree. Ports lie a whole block above those of the Compose files. The override that is generated
for an environment replaces `ports:` (a list in an override file is appended otherwise), takes
fixed container names out and adds labels; it never touches `volumes:`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from devenv.compose.model import Project
from devenv.compose.names import EnvironmentName, ServiceName
from devenv.values import dataclass

STEP = 100
"""How far one environment's ports lie above another's."""
MAX_PORT = 65535
LABEL_REPOSITORY = "dev.devenv.repository"
LABEL_BRANCH = "dev.devenv.branch"
LABEL_WORKTREE = "dev.devenv.worktree"
LABEL_OFFSET = "dev.devenv.port-offset"
_SLUG_LENGTH = 40
_DETACHED = "detached"


@dataclass(frozen=True, slots=True)
class Checkout:
    """Where a project lies in git."""

    branch: str | None
    """None on a detached HEAD."""
    worktree: str | None = None
    """git's own name of a linked worktree, which a move does not change; None: main checkout."""


def resolve_key(mode: str, checkout: Checkout, default_branch: str) -> str | None:
    """What tells this environment from the repository's others; None for the plain one.

    `mode` is `[isolation] mode`. The main checkout on the default branch is always plain.
    """
    match mode:
        case "worktree":
            return resolve_slug(checkout.worktree) if checkout.worktree else None
        case "branch":
            if checkout.branch == default_branch:
                return None
            if checkout.branch is not None:
                return resolve_slug(checkout.branch)
            return resolve_slug(
                f"{_DETACHED}-{checkout.worktree}" if checkout.worktree else _DETACHED
            )
        case _:
            return None


def resolve_slug(text: str) -> str:
    """`text` as a part of a Compose project name; with a hash where it had to be changed.

    Spec: compose-spec 04-version-and-name.md: lower case letters, digits, `-` and `_`.
    """
    slug = re.sub(r"[^a-z0-9_]+", "-", text.lower()).strip("-_")[:_SLUG_LENGTH].strip("-_")
    if slug == text:
        return slug
    digest = hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:4]
    return f"{slug}-{digest}" if slug else digest


def resolve_name(base: str, key: str | None) -> EnvironmentName:
    """The Compose project name of an environment; `base` is Compose's own."""
    return EnvironmentName(f"{base}-{key}" if key else base)


def published_ports(project: Project) -> tuple[int, ...]:
    """The fixed host ports of all services, sorted; a range counts with each of its ports."""
    found: set[int] = set()
    for service in project.services.values():
        for port in service.ports:
            found.update(parse_published(port.published))
    return tuple(sorted(found))


def parse_published(text: str | None) -> range:
    """The host ports that `published` stands for; empty where Docker picks one."""
    first, _, last = (text or "").partition("-")
    if not first.isdigit() or (last and not last.isdigit()):
        return range(0)
    return range(int(first), int(last or first) + 1)


def choose_offset(
    ports: Collection[int], taken: Collection[int], is_held: Callable[[int], bool]
) -> int | None:
    """The lowest block in which none of the ports is taken; None where there are no ports.

    `taken`: ports that other environments have; `is_held`: whether something listens there now.
    Raises ValueError where no block is free.
    """
    if not ports:
        return None
    offset = STEP
    blocked = {*taken, *ports}
    while max(ports) + offset <= MAX_PORT:
        moved = [port + offset for port in ports]
        if not blocked.intersection(moved) and not any(is_held(port) for port in moved):
            return offset
        offset += STEP
    raise ValueError("no block of ports is free")


def port_variables(
    project: Project, offset: int, shared: Collection[ServiceName] = ()
) -> dict[str, str]:
    """`DEVENV_PORT_SERVICE_TARGET` to the host port, for each fixed TCP or UDP port.

    The ports of `shared` services are those of the Compose files.
    """
    variables = {}
    for name, service in project.services.items():
        for port in service.ports:
            published = parse_published(port.published)
            if len(published) == 1:
                key = re.sub(r"\W", "_", name).upper()
                variables[f"DEVENV_PORT_{key}_{port.target}"] = str(
                    published[0] + (0 if name in shared else offset)
                )
    return variables


def render_override(
    project: Project,
    *,
    labels: Mapping[str, str],
    offset: int | None,
    shared: Collection[ServiceName] = (),
    more: Callable[[ServiceName], Iterable[str]] = lambda _: (),
    end: Iterable[str] = (),
) -> str:
    """The generated override file of an environment, as YAML.

    `project` is the model without it. Every scalar is quoted, so that no name or value of the
    project is read as anything else. `shared` services are left out; `more` gives further lines of
    a service, `end` those after all services.
    """
    lines = [
        "# Generated by devenv for one environment of this project; written again when it changes.",
        "services:",
    ]
    services = project.document.get("services") or {}
    for name in sorted(project.services):
        if name in shared:
            lines.append(f"  {yaml_scalar(name)}: !reset null")
            continue
        raw = services.get(name) or {}
        own = label_lines(labels)
        if raw.get("container_name") and labels:
            own.append("    container_name: !reset null")
        if offset is not None and raw.get("ports"):
            own.append("    ports: !override")
            for port in raw["ports"]:
                own += _port_lines(port, offset)
        own += more(name)
        if own:
            lines += [f"  {yaml_scalar(name)}:", *own]
    if len(lines) == 2:
        lines[1] = "services: {}"
    return "\n".join([*lines, *end]) + "\n"


def label_lines(labels: Mapping[str, str]) -> list[str]:
    """The labels of a service; none where there are none."""
    if not labels:
        return []
    shown = [f"      {yaml_scalar(k)}: {yaml_scalar(_escape(labels[k]))}" for k in sorted(labels)]
    return ["    labels:", *shown]


def _port_lines(port: Mapping[str, Any], offset: int) -> Iterable[str]:
    moved = dict(port)
    published = parse_published(str(port.get("published") or ""))
    if published and published[0]:
        first, last = published[0] + offset, published[-1] + offset
        moved["published"] = str(first) if first == last else f"{first}-{last}"
    bullet = "      - "
    for key, value in moved.items():
        text = yaml_scalar(_escape(value) if isinstance(value, str) else value)
        yield f"{bullet}{yaml_scalar(key)}: {text}"
        bullet = "        "


def _escape(text: str) -> str:
    """A literal text in a Compose file: a `$` would be interpolated."""
    return text.replace("$", "$$")


def yaml_scalar(value: Any) -> str:
    """A quoted YAML scalar.

    Spec: YAML 1.2, 5.7: what is not plain ASCII is written as `\\UXXXXXXXX`.
    """
    if not isinstance(value, str):
        return json.dumps(value)
    return "".join(
        char if char.isascii() else f"\\U{ord(char):08x}"
        for char in json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    )
