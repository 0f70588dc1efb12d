"""What a container is given of the host: sources of bind mounts, files of secrets."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from devenv.checks.edges import selected_services
from devenv.checks.facts import CheckedProfile, Facts, FileKind
from devenv.checks.finding import Fault, Severity
from devenv.checks.mount_places import place_of_mount
from devenv.checks.nearby import nearest_name
from devenv.checks.places import place_of
from devenv.checks.registry import check

_FILE_LIKE = re.compile(r"[^.]\.[A-Za-z][A-Za-z0-9]{0,7}$")


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
    for name in selected_services(profile):
        raw = document.get(name)
        for mount in (raw or {}).get("volumes") or ():
            source = mount.get("source") or ""
            if mount.get("type") != "bind" or not source:
                continue
            if source not in facts.files or facts.file(source).kind is not FileKind.MISSING:
                continue
            refuses = (mount.get("bind") or {}).get("create_host_path") is False
            shown = _shown(source, facts)
            if refuses:
                message = f"{name} does not start: {shown}, which it mounts, does not exist."
            elif _FILE_LIKE.search(posixpath.basename(source)):
                message = (
                    f"{name} mounts {shown}, which does not exist: the engine makes an empty "
                    "directory of that name, not a file."
                )
            else:
                message = (
                    f"{name} mounts {shown}, which does not exist: the engine makes an empty "
                    "directory, owned by root."
                )
            near = nearest_name(source, facts) if _is_near(source, facts) else None
            yield Fault(
                message,
                place_of_mount(profile, facts, name, mount.get("target", "")),
                service=name,
                fix=f"did you mean {near}?" if near else f"make {shown}, or correct the path",
                severity=Severity.ERROR if refuses else None,
            )


def _is_near(path: str, facts: Facts) -> bool:
    """Whether a path is in the project, or beside it in the repository."""
    root = facts.git.root if facts.git else posixpath.dirname(facts.directory)
    return path.startswith((facts.directory.rstrip("/") + "/", root.rstrip("/") + "/"))


def _shown(path: str, facts: Facts) -> str:
    return posixpath.relpath(path, facts.directory) if _is_near(path, facts) else path


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
        for name in selected_services(profile):
            raw = (document.get("services") or {}).get(name)
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
