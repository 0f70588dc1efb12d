"""What a model names that must be there or be free: contexts, files, host ports, names."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from difflib import get_close_matches

from yaml import Node

from devenv.checks.builds import find_builds, is_remote
from devenv.checks.facts import CheckedProfile, Facts, FileKind
from devenv.checks.finding import Fault, NotChecked, Place, Related, Severity
from devenv.checks.places import place_of, place_of_item, to_place
from devenv.checks.registry import check
from devenv.compose.layers import entries, items, scalar
from devenv.compose.model import Port, Service

_EVERY_ADDRESS = (None, "0.0.0.0", "")
_FILE_LIKE = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,7}$")


@check("build-context-missing", Severity.ERROR, "compose-spec build.md#context")
def build_context_missing(profile: CheckedProfile, facts: Facts) -> Iterator[Fault | NotChecked]:
    """A build context is not there.

    `docker compose config` does not look; `up` fails when it comes to build the image.

    Wrong:

        services:
          app:
            build: ./backend     # the directory is called api

    Right:

        services:
          app:
            build: ./api

    Measured: With Compose 5.6.1 and Engine 20.10.24 `docker compose config` passes and `up` fails.
    """
    for name, service in (profile.model.services if profile.model else {}).items():
        build = service.build
        if build is None:
            continue
        if is_remote(build.context):
            yield NotChecked("remote build context", build.context)
            continue
        kind = facts.file(build.context).kind
        place = place_of(profile, "services", name, "build", "context")
        if kind is FileKind.MISSING:
            near = _nearest(build.context, facts)
            yield Fault(
                f"The build context of {name} does not exist.",
                place,
                service=name,
                fix=f"did you mean {near}?" if near else "correct the path, or make the directory",
            )
        elif kind is FileKind.FILE:
            yield Fault(
                f"The build context of {name} is a file, not a directory.",
                place,
                service=name,
                fix="name the directory; `dockerfile:` names a file in it",
            )


def _nearest(path: str, facts: Facts) -> str | None:
    parent = facts.file(posixpath.dirname(path))
    near = get_close_matches(posixpath.basename(path), parent.entries, n=1)
    return near[0] if near else None


@check("dockerfile-missing", Severity.ERROR, "compose-spec build.md#dockerfile")
def dockerfile_missing(profile: CheckedProfile, facts: Facts) -> Iterator[Fault | NotChecked]:
    """The Dockerfile of a build is not there.

    `dockerfile:` is relative to the build context, not to the Compose file. `docker compose
    config` does not look; `up` fails when it comes to build.

    Wrong:

        services:
          app:
            build:
              context: api
              dockerfile: api/Dockerfile     # looks for api/api/Dockerfile

    Right:

        services:
          app:
            build:
              context: api
              dockerfile: Dockerfile

    Measured: With Compose 5.6.1 and Engine 20.10.24 `docker compose config` passes and `up` fails.
    """
    for view in find_builds(profile, facts):
        if view.state is None or view.path is None or view.context.kind is not FileKind.DIRECTORY:
            continue
        name = view.service.name
        if view.state.kind in (FileKind.UNREADABLE, FileKind.TOO_LARGE):
            yield NotChecked("Dockerfile", f"it is {view.state.kind.value}", view.path)
        elif view.state.kind is not FileKind.FILE:
            near = get_close_matches(posixpath.basename(view.path), view.context.entries, n=1)
            yield Fault(
                f"{name} has no Dockerfile: {view.build.dockerfile} does not exist in its "
                "build context.",
                place_of(profile, "services", name, "build", "dockerfile"),
                service=name,
                fix=f"did you mean {near[0]}?" if near else "paths are relative to the context",
            )


@check("dockerfile-syntax", Severity.ERROR, "Dockerfile reference")
def dockerfile_syntax(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A Dockerfile that no builder takes.

    An instruction that does not exist, a first instruction that is not FROM, a file without
    FROM: the build fails before its first step.

    Wrong:

        FORM node:20-slim

    Right:

        FROM node:20-slim

    Measured: The stages of 35 of 35 real Dockerfiles were read as BuildKit's own parser reads them,
    heredocs among them.
    """
    for view in find_builds(profile, facts):
        fault = view.dockerfile.fault if view.dockerfile else None
        if fault is not None:
            message = f"This Dockerfile cannot be built: {fault.message}."
            yield Fault(message, view.place(fault.line, 1), service=view.service.name)


@check("target-missing", Severity.ERROR, "compose-spec build.md#target")
def target_missing(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """`build.target` names no stage of the Dockerfile.

    Compose passes the name on; the build fails. Stages are found by name in any case, or by
    their number from 0.

    Wrong:

        services:
          app:
            build: {context: ., target: devel}
        # Dockerfile: FROM node:20-slim AS development

    Right:

        services:
          app:
            build: {context: ., target: development}

    Measured: With Compose 5.6.1 and Engine 20.10.24 `docker compose config` passes and `up` fails
    with "target stage could not be found".
    """
    for view in find_builds(profile, facts):
        dockerfile, target = view.dockerfile, view.build.target
        if dockerfile is None or dockerfile.fault or not target or view.target is not None:
            continue
        names = [stage.name for stage in dockerfile.stages if stage.name]
        near = get_close_matches(target.lower(), names, n=1)
        known = f"stages: {', '.join(names)}" if names else "the Dockerfile names no stage"
        name = view.service.name
        yield Fault(
            f"{name} is to be built up to stage {target}, which the Dockerfile does not have.",
            place_of(profile, "services", name, "build", "target"),
            service=name,
            fix=f"did you mean {near[0]}? {known}" if near else known,
            related=(Related(view.place(dockerfile.stages[0].line, 1), "the first stage"),),
        )


@check("bind-source-missing", Severity.WARNING, "compose-spec 05-services.md#volumes")
def bind_source_missing(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """The source of a bind mount is not there.

    The engine makes an empty directory in its place, owned by root, where a file was often
    meant. With `create_host_path: false` the container does not start at all: then it is an
    error.

    Wrong:

        services:
          web:
            volumes: ["./ngnix.conf:/etc/nginx/nginx.conf:ro"]

    Right:

        services:
          web:
            volumes: ["./nginx.conf:/etc/nginx/nginx.conf:ro"]

    Measured: Engine 20.10.24 makes the directory with the short form; with `create_host_path:
    false` it refuses the container.
    """
    document = profile.model.document.get("services", {}) if profile.model else {}
    for name, raw in document.items():
        for mount in (raw or {}).get("volumes") or ():
            source = mount.get("source") or ""
            if mount.get("type") != "bind" or not source:
                continue
            if source not in facts.files or facts.file(source).kind is not FileKind.MISSING:
                continue
            refuses = (mount.get("bind") or {}).get("create_host_path") is False
            shown = posixpath.relpath(source, facts.directory)
            if refuses:
                message = f"{name} does not start: {shown}, which it mounts, does not exist."
            elif _FILE_LIKE.search(source):
                message = (
                    f"{name} mounts {shown}, which does not exist: the engine makes an empty "
                    "directory of that name, not a file."
                )
            else:
                message = (
                    f"{name} mounts {shown}, which does not exist: the engine makes an empty "
                    "directory, owned by root."
                )
            near = _nearest(source, facts)
            yield Fault(
                message,
                _volume_place(profile, name, mount.get("target", "")),
                service=name,
                fix=f"did you mean {near}?" if near else f"make {shown}, or correct the path",
                severity=Severity.ERROR if refuses else None,
            )


def _volume_place(profile: CheckedProfile, service: str, target: str) -> Place:
    def mounts_target(node: Node) -> bool:
        written = scalar(node)
        if written is not None:
            return written.split(":")[1:2] == [target]
        return any(scalar(k) == "target" and scalar(v) == target for k, v in entries(node))

    return place_of_item(profile, ("services", service, "volumes"), mounts_target)


@check("port-conflict", Severity.ERROR, "measured: docker compose config does not look")
def port_conflict(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """Two services of one selection publish the same host port.

    `docker compose config` passes; `up` starts one of them, fails at the other, and leaves the
    rest as it was. An address of its own does not help beside `0.0.0.0`. A service with several
    replicas and a fixed host port conflicts with itself.

    Wrong:

        services:
          app: {image: example/app:1, ports: ["8080:80"]}
          admin: {image: example/admin:1, ports: ["8080:3000"]}

    Right:

        services:
          app: {image: example/app:1, ports: ["8080:80"]}
          admin: {image: example/admin:1, ports: ["8081:3000"]}

    Measured: With Compose 5.6.1 and Engine 20.10.24 `docker compose config` passes, and `up` fails
    half-way with "port is already allocated".
    """
    taken: list[tuple[Service, Port]] = []
    for service in (profile.model.services if profile.model else {}).values():
        fixed = [port for port in service.ports if port.published and "-" not in port.published]
        if service.replicas == 0:
            continue
        for port in fixed:
            place = _port_place(profile, service, port)
            if service.replicas > 1:
                yield Fault(
                    f"{service.name} has {service.replicas} replicas, and only one of them can "
                    f"have host port {port.published}.",
                    place,
                    service=service.name,
                    fix="publish a range, or let the engine choose the host port",
                )
            for other, earlier in taken:
                if other.name != service.name and _meet(port, earlier):
                    yield Fault(
                        f"{service.name} and {other.name} both publish host port {port.published}.",
                        place,
                        service=service.name,
                        fix=f"give one of them another host port than {port.published}",
                        related=(
                            Related(_port_place(profile, other, earlier), f"{other.name} has it"),
                        ),
                    )
        taken += [(service, port) for port in fixed]


def _meet(one: Port, other: Port) -> bool:
    if (one.published, one.protocol) != (other.published, other.protocol):
        return False
    first, second = one.host_ip, other.host_ip
    if first is not None and second is not None and (":" in first) != (":" in second):
        return False
    return first == second or first in _EVERY_ADDRESS or second in _EVERY_ADDRESS


def _port_place(profile: CheckedProfile, service: Service, port: Port) -> Place:
    def publishes(node: Node) -> bool:
        written = scalar(node)
        if written is None:
            return any(
                scalar(key) == "published" and scalar(value) == port.published
                for key, value in entries(node)
            )
        return port.published in written.partition("/")[0].split(":")[:-1]

    return place_of_item(profile, ("services", service.name, "ports"), publishes)


@check("ports-appended", Severity.WARNING, "compose-spec 13-merge.md; measured")
def ports_appended(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """An override file adds a host port that it seems to mean to replace.

    Lists are joined when files are merged, so both host ports are published. `!override`
    replaces the list.

    Wrong:

        # compose.yaml
        services: {db: {image: "postgres:16", ports: ["5432:5432"]}}
        # compose.override.yaml
        services: {db: {ports: ["5433:5432"]}}

    Right:

        # compose.override.yaml
        services: {db: {ports: !override ["5433:5432"]}}

    Measured: `docker compose config` 5.6.1 shows both ports, and both are published; only
    `!override` and `!reset` replace a list.
    """
    for name, service in (profile.model.services if profile.model else {}).items():
        targets = [(port.target, port.protocol) for port in service.ports if port.published]
        if len(set(targets)) == len(targets):
            continue
        written: dict[str, tuple[str, Node]] = {}
        for entry in reversed(profile.layers.find_all("services", name, "ports")):
            for node in items(entry.value):
                text = scalar(node) or ""
                host, _, target = text.partition("/")[0].rpartition(":")
                if not host or "$" in text or "-" in text:
                    continue
                earlier = written.get(target)
                if earlier is not None and earlier[0] != entry.path:
                    yield Fault(
                        f"{name} publishes container port {target} twice: this list is added to "
                        "the one below it and does not replace it.",
                        to_place(entry.path, node),
                        service=name,
                        fix="ports: !override [...]",
                        related=(Related(to_place(*earlier), "the port that stays published"),),
                    )
                written.setdefault(target, (entry.path, node))


@check("fixed-name", Severity.INFO, "compose-spec 05-services.md#container_name")
def fixed_name(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A fixed name keeps two environments of this project from running side by side.

    Names of containers, volumes and networks are unique on an engine. Without a name of their
    own Compose puts the project's name before them.

    Wrong:

        services:
          db: {image: "postgres:16", container_name: db}

    Right:

        services:
          db: {image: "postgres:16"}

    Measured: A second project with the same `container_name` fails after its network was made; two
    with the same volume name share its data.
    """
    model = profile.model
    if model is None:
        return
    for name, service in model.services.items():
        if service.container_name and "$" not in _written(
            profile, "services", name, "container_name"
        ):
            yield Fault(
                f"Every environment of this project wants the container name "
                f"{service.container_name}.",
                place_of(profile, "services", name, "container_name"),
                service=name,
                fix="take container_name out; the service's name is its host name anyway",
            )
    for kind in ("volumes", "networks"):
        for key, raw in (model.document.get(kind) or {}).items():
            written = _written(profile, kind, key, "name")
            if written and "$" not in written and not (raw or {}).get("external"):
                yield Fault(
                    f"Every environment of this project uses the same {kind[:-1]}, {written}.",
                    place_of(profile, kind, key, "name"),
                    fix="take the name out, and Compose names it after the project",
                )


def _written(profile: CheckedProfile, *keys: str) -> str:
    entry = profile.layers.find(*keys)
    return (scalar(entry.value) or "") if entry else ""


@check("secret-file-missing", Severity.ERROR, "measured: config passes, the container is refused")
def secret_file_missing(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """The file of a secret or config that a service uses is not there.

    `docker compose config` passes; the engine refuses to make the container.

    Wrong:

        services:
          db: {image: "postgres:16", secrets: [password]}
        secrets:
          password: {file: ./password.txt}     # not there

    Right:

        secrets:
          password: {environment: DB_PASSWORD}

    Measured: With Compose 5.6.1 and Engine 20.10.24 `docker compose config` passes and the
    container is refused.
    """
    document = profile.model.document if profile.model else {}
    for kind in ("secrets", "configs"):
        known = document.get(kind) or {}
        for name, raw in (document.get("services") or {}).items():
            for use in (raw or {}).get(kind) or ():
                key = use.get("source") if isinstance(use, dict) else use
                path = (known.get(key) or {}).get("file")
                if not key or not path or path not in facts.files:
                    continue
                if facts.file(path).kind is FileKind.MISSING:
                    shown = posixpath.relpath(path, facts.directory)
                    yield Fault(
                        f"{name} cannot start: {shown}, the file of {kind[:-1]} {key}, does not "
                        "exist.",
                        place_of(profile, kind, key, "file"),
                        service=name,
                        fix=f"make {shown}",
                    )
