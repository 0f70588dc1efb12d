"""Builds by buildx itself, from the bake file that Compose would give it.

`docker compose build` starts buildx three times, one after the other, and builds with the last.
What it hands over it prints on request, so the image is the same, to its id; only the two other
starts and Compose's own are saved. What is not wholly understood is left to Compose.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from devenv.engine.compose import ComposeCli, Selection, find_buildx_plugin
from devenv.engine.process import Completed, run_process
from devenv.errors import DevenvError
from devenv.values import dataclass

PRINT_SECONDS = 30.0
_UNDERSTOOD = frozenset(
    ("context", "contexts", "dockerfile", "dockerfile-inline", "args", "labels", "tags", "target")
) | frozenset(("output", "cache-from", "platforms", "shm-size", "extra-hosts", "no-cache"))
"""What needs no further permission of bake, and means what it says."""
_OUTPUT = ["type=docker"]


@dataclass(frozen=True, slots=True)
class BakeFile:
    """Compose's bake file of a selection, and the plugin that takes it."""

    plugin: str
    document: Mapping[str, Any]

    def find_target(self, image: str) -> str | None:
        """The target that makes an image; None where there is none, or Compose must build it."""
        targets = self.document.get("target") or {}
        named = [name for name, raw in targets.items() if image in (raw.get("tags") or ())]
        if len(named) != 1:
            return None
        needed, pending = set(), named[:]
        while pending:
            name = pending.pop()
            raw = targets.get(name) or {}
            if name in needed:
                continue
            if set(raw) - _UNDERSTOOD or raw.get("output") != _OUTPUT or _is_remote(raw):
                return None
            needed.add(name)
            values = (raw.get("contexts") or {}).values()
            pending += [v.removeprefix("target:") for v in values if v.startswith("target:")]
        return str(named[0])


async def load_bake_file(
    compose: ComposeCli, selection: Selection, environ: Mapping[str, str]
) -> BakeFile | None:
    """None where buildx is not there, or is not what Compose builds with."""
    if environ.get("DOCKER_BUILDKIT", "1").lower() in ("0", "false"):
        return None
    plugin = await asyncio.to_thread(find_buildx_plugin, environ)
    if plugin is None:
        return None
    argv = compose.argv(*selection.arguments(), "build", "--print")
    try:
        completed = await run_process(
            argv,
            env=selection.environ(environ),
            cwd=selection.directory,
            timeout_seconds=PRINT_SECONDS,
        )
        document = json.loads(completed.stdout) if completed.returncode == 0 else None
    except (DevenvError, ValueError):
        return None
    return BakeFile(plugin, document) if isinstance(document, dict) else None


async def run_bake(
    bake: BakeFile,
    target: str,
    selection: Selection,
    environ: Mapping[str, str],
    on_line: Callable[[str, str], None],
) -> Completed:
    """Build one target, and those that it needs; each line of output goes to `on_line`."""
    allowed = sorted({path for raw in bake.document["target"].values() for path in _read(raw)})
    permissions = [word for path in allowed for word in ("--allow", f"fs.read={path}")]
    argv = (bake.plugin, "bake", "--file", "-", "--progress", "plain", *permissions, target)
    return await run_process(
        argv,
        env=selection.environ(environ),
        cwd=selection.directory,
        timeout_seconds=None,
        on_line=on_line,
        stdin=json.dumps(bake.document).encode(),
    )


def _read(raw: Mapping[str, Any]) -> list[str]:
    """The directories of this machine that a target reads."""
    paths = [str(raw.get("context") or "")]
    paths += [str(value) for value in (raw.get("contexts") or {}).values()]
    if raw.get("dockerfile"):
        paths.append(str(Path(raw["dockerfile"]).parent))
    return [path for path in paths if path.startswith("/")]


def _is_remote(raw: Mapping[str, Any]) -> bool:
    dockerfile = str(raw.get("dockerfile") or "/")
    return not (str(raw.get("context") or "").startswith("/") and dockerfile.startswith("/"))
