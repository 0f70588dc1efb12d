"""Changes a file of a shape on a real engine and looks what the container then sees.

Three trees of the container's files are compared: before the change, after it with the old image
(what the mounts show), and after it with the image built again. What differs says what was needed.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import uuid
from collections.abc import Mapping
from pathlib import Path

import yaml

from tests.corpus.builds.builder import Builder
from tests.corpus.watch.shapes import IMAGE, TOOLS, Shape

_ROOTS = "/app /code /src /srv /opt /data /usr/local /out.bin /etc/app.conf /go"
_TREE = f"find {_ROOTS} -type f -exec sha256sum {{}} + 2>/dev/null; true"

Tree = Mapping[str, str]


class Engine:
    """The `docker` of one builder, with the names of what it made."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder
        self._argv, self._environ = builder.command
        self.tag = f"devenv-offline/watch-{uuid.uuid4().hex[:10]}"

    def run(self, *arguments: str, check: bool = True) -> str:
        done = subprocess.run(
            [*self._argv, *arguments],
            env=self._environ,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"docker {' '.join(arguments)}: {done.stderr[-800:]}")
        return done.stdout

    def make_tools(self) -> None:
        """Build the image with the stand-ins, unless it is there."""
        if self.run("images", "-q", IMAGE).strip():
            return
        with tempfile.TemporaryDirectory() as place:
            for name, text in TOOLS.items():
                (Path(place) / name).write_text(text, encoding="utf-8")
                (Path(place) / name).chmod(0o755)
            dockerfile = "FROM devenv-offline/base\nCOPY " + " ".join(TOOLS) + " /usr/local/bin/\n"
            (Path(place) / "Dockerfile").write_text(dockerfile, encoding="utf-8")
            self.run("build", "-q", "-t", IMAGE, place)

    def tree(self, image: str, mounts: list[str], directory: Path) -> Tree:
        """Path -> hash of what a new container sees."""
        options: list[str] = []
        for mount in mounts:
            parts = mount.split(":")
            if len(parts) == 1 or not parts[0].startswith("."):
                options += ["-v", parts[-1] if len(parts) == 1 else parts[1]]
            else:
                source = os.path.normpath(directory / parts[0])
                options += ["-v", ":".join([source, *parts[1:]])]
        said = self.run("run", "--rm", "--network=none", *options, image, "sh", "-c", _TREE)
        pairs = (line.split("  ", 1) for line in said.splitlines())
        return {path: digest for digest, path in pairs}

    def build(self, build: Mapping[str, object], directory: Path, tag: str) -> None:
        context = directory / str(build.get("context", "."))
        file = context / str(build.get("dockerfile", "Dockerfile"))
        if "dockerfile_inline" in build:
            file = directory.parent / f"{directory.name}.Dockerfile"
            file.write_text(str(build["dockerfile_inline"]), encoding="utf-8")
        options = ["-q", "-t", tag, "-f", os.path.normpath(file)]
        if build.get("target"):
            options += ["--target", str(build["target"])]
        args = build.get("args")
        for name, value in (args if isinstance(args, dict) else {}).items():
            options += ["--build-arg", f"{name}={value}"]
        more = build.get("additional_contexts")
        for name, path in (more if isinstance(more, dict) else {}).items():
            options += ["--build-context", f"{name}={os.path.normpath(directory / path)}"]
        self.run("build", "--network=none", *options, os.path.normpath(context))


def observe(engine: Engine, shape: Shape) -> dict[str, dict[str, str]]:
    """Path -> service -> `ignore`, `live`, `sync` or `rebuild`: what its change really needs."""
    found: dict[str, dict[str, str]] = {}
    services = yaml.safe_load(shape.compose)["services"]
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place) / "project"
        shape.write(directory)
        for name, service in services.items():
            tags = [f"{engine.tag}-{name}-{which}" for which in ("old", "new")]
            try:
                for path, needed in _observe_service(engine, shape, directory, service, tags):
                    found.setdefault(path, {})[name] = needed
            finally:
                engine.run("rmi", "-f", *tags, check=False)
    return found


def _observe_service(
    engine: Engine, shape: Shape, directory: Path, service: Mapping[str, object], tags: list[str]
) -> list[tuple[str, str]]:
    raw_build = service.get("build")
    build: Mapping[str, object] | None = None
    if raw_build is not None:
        build = raw_build if isinstance(raw_build, dict) else {"context": raw_build}
    raw_mounts = service.get("volumes")
    mounts = [str(mount) for mount in raw_mounts] if isinstance(raw_mounts, list) else []
    old = tags[0] if build is not None else str(service["image"])
    if build is not None:
        engine.build(build, directory, old)
    before = engine.tree(old, mounts, directory)
    found = []
    for path in shape.changed_paths():
        file = directory / path
        text = file.read_text(encoding="utf-8") if file.exists() else None
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text((text or "") + "# changed\n", encoding="utf-8")
        mounted = engine.tree(old, mounts, directory) if mounts else before
        after = mounted
        if build is not None:
            engine.build(build, directory, tags[1])
            after = engine.tree(tags[1], mounts, directory)
        digest = _digest(file)
        if text is None:
            file.unlink()
        else:
            file.write_text(text, encoding="utf-8")
        found.append((path, _needed(before, mounted, after, digest, path)))
    return found


def _digest(file: Path) -> str:
    import hashlib

    return hashlib.sha256(file.read_bytes()).hexdigest()


def _needed(before: Tree, mounted: Tree, after: Tree, digest: str, path: str) -> str:
    """What the three trees say. A file with the new bytes of the changed one is a copy of it."""
    changed = {name for name in {*mounted, *after} if mounted.get(name) != after.get(name)}
    if not changed:
        return "ignore" if before == mounted else "live"
    return "sync" if all(after.get(name) == digest for name in changed) else "rebuild"
