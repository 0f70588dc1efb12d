"""The stages and RUN steps of a service's build, as rules about their order look at them."""

from __future__ import annotations

import re

from devenv.checks.builds import BuildView
from devenv.compose.dockerfile import Instruction, Stage

INSTALL = re.compile(
    r"\b(?:npm\s+(?:ci|install|i)\b|yarn\s+install\b|yarn\s*$|pnpm\s+(?:install|i)\b|"
    r"bun\s+install\b|pip3?\s+install\s+(?:\S+\s+)*-r\b|poetry\s+install\b|uv\s+sync\b|"
    r"pipenv\s+(?:install|sync)\b|bundle\s+install\b|composer\s+install\b|go\s+mod\s+download\b|"
    r"cargo\s+fetch\b|mvn\s+\S*dependency:go-offline|dotnet\s+restore\b)"
)
"""Steps that install what a manifest names."""


def run_steps(stage: Stage) -> list[Instruction]:
    """The RUN instructions of a stage."""
    return [one for one in stage.instructions if one.name == "RUN"]


def run_text(instruction: Instruction) -> str:
    """What a RUN instruction's shell gets: its words, or its heredocs."""
    return "\n".join((" ".join(instruction.arguments), *(d.text for d in instruction.heredocs)))


def needed_stages(view: BuildView) -> tuple[Stage, ...]:
    """The stages that the target needs; all where the target is missing."""
    if view.dockerfile is None:
        return ()
    target, build = view.target, view.build
    if target is None:
        return ()
    return view.dockerfile.closure(target, build.args, build.additional_contexts)


def kept_stages(view: BuildView) -> tuple[Stage, ...]:
    """The stages whose layers are in the image that runs: the FROM chains of target and last."""
    dockerfile, target = view.dockerfile, view.target
    if dockerfile is None or target is None:
        return ()
    stages = {s.index: s for s in dockerfile.chain(target, view.build.args)}
    stages.update({s.index: s for s in dockerfile.chain(dockerfile.stages[-1], view.build.args)})
    return tuple(stages[index] for index in sorted(stages))
