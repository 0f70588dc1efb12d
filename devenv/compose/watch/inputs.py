"""Everything that a service is made of, with the line that asks for each: `watch --list`."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING

from devenv.compose.layers import Layers
from devenv.compose.watch.builds import ImageBuild
from devenv.compose.watch.places import key_place, mount_place, rule_place
from devenv.compose.watch.recipe import CopyStep, RunStep
from devenv.compose.watch.values import Input, Place

if TYPE_CHECKING:
    from devenv.compose.watch.service import ServicePlanner


def list_inputs(planner: ServicePlanner, layers: Layers) -> Iterator[Input]:
    """The inputs of one service: rules, mounts, then the build's in the Dockerfile's order."""
    name = planner.service.name
    for rule in planner.rules:
        place = rule_place(layers, name, rule)
        yield Input(name, rule.path, f"watch rule, {rule.action.value}", place, rule.target)
    for mount in planner.mounts.mounts:
        if mount.kind == "bind":
            yield Input(name, mount.source, "mounted", mount_place(layers, mount), mount.target)
    image = planner.image
    if image is None:
        return
    build_place = key_place(layers, "services", name, "build")
    if image.dockerfile_path is not None:
        yield Input(name, image.dockerfile_path, "Dockerfile", build_place)
    for chosen in image.ignores.values():
        if chosen is not None:
            yield Input(name, chosen[0], "ignore file", build_place)
    yield from _sources(planner, image)


def _sources(planner: ServicePlanner, image: ImageBuild) -> Iterator[Input]:
    name = planner.service.name
    for recipe in image.flow.recipes.values() if image.flow else ():
        for step in recipe.steps:
            path = image.dockerfile_path
            place = Place(path, step.instruction.line) if path else planner.inline_place()
            if isinstance(step, CopyStep) and step.origin and step.origin.kind == "context":
                for source in step.sources:
                    whole = posixpath.normpath(posixpath.join(step.origin.name, source))
                    yield Input(name, whole.replace("\0/", ""), "copied", place, step.target)
            elif isinstance(step, RunStep):
                for bind in step.binds:
                    if bind.origin is not None and bind.origin.kind == "context":
                        whole = posixpath.normpath(posixpath.join(bind.origin.name, bind.source))
                        yield Input(name, whole, "read while building", place, bind.target)
