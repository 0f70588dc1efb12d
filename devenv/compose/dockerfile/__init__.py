"""A Dockerfile as values: stages, what each is made from and reads, and its metadata.

One module for each question: `parse` (text to values), `stages` (target and closure), `sources`
(what is read), `variables` (ARG), `metadata` (what a container gets). Nothing here opens a file.
"""

from __future__ import annotations

from devenv.compose.dockerfile.faults import find_stage_fault
from devenv.compose.dockerfile.metadata import StageMetadata, parse_healthcheck, resolve_metadata
from devenv.compose.dockerfile.parse import parse_dockerfile
from devenv.compose.dockerfile.resolve import resolve_sources
from devenv.compose.dockerfile.sources import Source, find_sources, literal_path
from devenv.compose.dockerfile.stages import SCRATCH, Dockerfile, Stage
from devenv.compose.dockerfile.values import DockerfileFault, Heredoc, Instruction
from devenv.compose.dockerfile.variables import PLATFORM_ARGS, PREDEFINED_ARGS, expand

__all__ = [
    "PLATFORM_ARGS",
    "PREDEFINED_ARGS",
    "SCRATCH",
    "Dockerfile",
    "DockerfileFault",
    "Heredoc",
    "Instruction",
    "Source",
    "Stage",
    "StageMetadata",
    "expand",
    "find_sources",
    "find_stage_fault",
    "literal_path",
    "parse_dockerfile",
    "parse_healthcheck",
    "resolve_metadata",
    "resolve_sources",
]
