"""A merged model from Compose text, without Compose: for plans in unit tests.

It knows the short forms that the tests write. That Compose's own model gives the same plans is
shown by the tests on the real engine.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Mapping
from typing import Any

import yaml

from devenv.compose.inputs import find_references
from devenv.compose.layers import Layer, Layers, parse_nodes, resolve_path
from devenv.compose.parse_config import parse_project
from devenv.compose.watch import PlannedChange, WatchFacts, WatchPlanner

ROOT = "/p"


def make_planner(
    compose: str, files: Mapping[str, str] | None = None, **facts: Any
) -> WatchPlanner:
    """A planner for a project of these texts, by path relative to its directory.

    A text that begins with `-> ` is a symbolic link.
    """
    texts = {f"{ROOT}/{path}": text for path, text in (files or {}).items()}
    links = {
        path: posixpath.normpath(posixpath.join(posixpath.dirname(path), texts.pop(path)[3:]))
        for path, text in tuple(texts.items())
        if text.startswith("-> ")
    }

    def resolve(path: str) -> str:
        for link, real in links.items():
            if path == link or path.startswith(f"{link}/"):
                return real + path[len(link) :]
        return path

    path = f"{ROOT}/compose.yaml"
    layer = Layer(path, compose, parse_nodes(compose))
    layers = Layers((layer,), {path: layer}, ROOT)
    document = _normal(yaml.safe_load(compose))
    model_files = {path: "Compose file", f"{ROOT}/.env": "env file"}
    for written in find_references(compose).paths:
        model_files.setdefault(resolve_path(path, ROOT, written), "named file")
    return WatchPlanner(
        parse_project(json.dumps(document)),
        layers,
        WatchFacts(
            read=lambda one: texts.get(resolve(one)),
            model_files=model_files,
            resolve=resolve,
            **facts,
        ),
    )


def plan(planner: WatchPlanner, path: str) -> tuple[PlannedChange, ...]:
    """The plan of a path relative to the project; one that ends in `/` is a directory."""
    return planner.plan(f"{ROOT}/{path}", is_directory=path.endswith("/"))


def actions(planner: WatchPlanner, path: str) -> dict[str | None, str]:
    """Service -> action."""
    return {change.service: change.action.value for change in plan(planner, path)}


def _normal(document: dict[str, Any]) -> dict[str, Any]:
    document.setdefault("name", "shop")
    for service in document["services"].values():
        build = service.get("build")
        if isinstance(build, str):
            service["build"] = build = {"context": build}
        if build is not None:
            build["context"] = _absolute(build.get("context", "."))
            build["additional_contexts"] = {
                name: value if ":" in value else _absolute(value)
                for name, value in build.get("additional_contexts", {}).items()
            }
        service["volumes"] = [_volume(one) for one in service.get("volumes", ())]
        for key in ("command", "entrypoint"):
            if isinstance(service.get(key), str):
                service[key] = service[key].split()
        for rule in service.get("develop", {}).get("watch", ()):
            rule["path"] = _absolute(rule["path"])
    for kind in ("configs", "secrets"):
        for value in document.get(kind, {}).values():
            value["file"] = _absolute(value["file"])
    return document


def _volume(written: Any) -> Any:
    if not isinstance(written, str):
        if written.get("type") == "bind":
            written["source"] = _absolute(written["source"])
        return written
    parts = written.split(":")
    if len(parts) == 1:
        return {"type": "volume", "target": parts[0]}
    if parts[0].startswith((".", "/")):
        return {"type": "bind", "source": _absolute(parts[0]), "target": parts[1]}
    return {"type": "volume", "source": parts[0], "target": parts[1]}


def _absolute(path: str) -> str:
    if "://" in path:
        return path
    return posixpath.normpath(posixpath.join(ROOT, path))
