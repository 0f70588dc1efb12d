"""Gathers the facts of `devenv check` that lie in files and in git."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from devenv.checks.env_scan import ENV_EXAMPLE_NAMES
from devenv.checks.env_scan import env_paths as find_env_paths
from devenv.checks.facts import CheckedProfile, EngineFacts, Facts, FileKind
from devenv.checks.secret_values import REGISTRY_FILES
from devenv.compose.dockerfile import literal_path, parse_dockerfile, resolve_sources
from devenv.compose.layers import Layers, child, entries, resolve_path, scalar
from devenv.compose.model import Build
from devenv.host.check_files import FileReader
from devenv.host.git_files import load_git_facts


def load_facts(
    profiles: Sequence[CheckedProfile],
    reader: FileReader,
    *,
    directory: str,
    root: str,
    environ: Mapping[str, str],
    engine: EngineFacts | None = None,
    start_seconds: Mapping[str, float] | None = None,
    moves_ports: bool = False,
) -> Facts:
    """Everything that rules may ask of these profiles' files."""
    reader.look([directory, root, posixpath.join(root, "devenv.toml")])
    own = posixpath.join(root, "profiles")
    names = reader.read(own).entries
    reader.look(posixpath.join(own, name) for name in names if name.endswith(".toml"))
    env_paths = {posixpath.join(directory, name) for name in (".env", *ENV_EXAMPLE_NAMES)}
    for profile in profiles:
        env_paths.update(profile.env_files)
        shell = {**profile.variables, **environ}
        env_paths |= find_env_paths(
            profile.layers, profile.env_files, shell, lambda path: reader.read(path).text
        )
        _look_at_builds(profile, reader)
        _look_at_mounts(profile, reader)
    reader.look(env_paths)
    reader.read(posixpath.join(directory, ".gitignore"))
    asked = [path for path in sorted(env_paths) if posixpath.basename(path)]
    return Facts(
        directory=directory,
        root=root,
        files=reader.states,
        environ=environ,
        git=load_git_facts(Path(directory), asked, environ),
        engine=engine,
        start_seconds=start_seconds or {},
        moves_ports=moves_ports,
        compose_profiles={
            profile.name: profile.compose_profiles
            for profile in profiles
            if profile.name is not None
        },
    )


def _look_at_builds(profile: CheckedProfile, reader: FileReader) -> None:
    """Contexts with their names, Dockerfiles, and the ignore files that may go with them."""
    for context, dockerfile, build in _builds(profile):
        if "://" in context or context.startswith("git@"):
            continue
        reader.look([context, posixpath.dirname(context)])
        path = posixpath.normpath(posixpath.join(context, dockerfile))
        reader.look([path, f"{path}.dockerignore", posixpath.join(context, ".dockerignore")])
        names = reader.read(context).entries
        reader.look(posixpath.join(context, name) for name in names if _is_env_name(name))
        text = reader.read(path).text
        if build is not None and build.dockerfile_inline is not None:
            text = build.dockerfile_inline
        _probe_sources(context, text, build, reader)


def _is_env_name(name: str) -> bool:
    return name == ".env" or name.startswith(".env.") or name.endswith(".env")


def _probe_sources(context: str, text: str | None, build: Build | None, reader: FileReader) -> None:
    """What the sources of a Dockerfile are that are named without wildcards."""
    if not text:
        return
    dockerfile = parse_dockerfile(text)
    args = build.args if build else {}
    contexts = build.additional_contexts if build else {}
    for stage in dockerfile.stages:
        for source in resolve_sources(dockerfile, stage, args, contexts):
            paths = [literal_path(path) for path in source.paths] if not source.origin else []
            known = [posixpath.join(context, path) for path in paths if path]
            reader.look(path for path in known if posixpath.basename(path) in REGISTRY_FILES)
            reader.probe(known)


def _builds(profile: CheckedProfile) -> Iterable[tuple[str, str, Build | None]]:
    """Context (absolute) and Dockerfile of each build, from the model or else from the texts."""
    project = profile.everything or profile.model
    if project is None:
        for context, dockerfile in _written_builds(profile.layers):
            yield context, dockerfile, None
        return
    for service in project.services.values():
        if service.build is not None:
            yield service.build.context, service.build.dockerfile, service.build


def _written_builds(layers: Layers) -> Iterable[tuple[str, str]]:
    for layer in layers.layers:
        services = child(layer.path, layer.root, "services")
        for _, service in entries(services.value if services else None):
            build = child(layer.path, service, "build")
            if build is None:
                continue
            context = child(layer.path, build.value, "context")
            dockerfile = child(layer.path, build.value, "dockerfile")
            written = scalar(context.value) if context else scalar(build.value) or "."
            name = (scalar(dockerfile.value) if dockerfile else None) or "Dockerfile"
            if written and "$" not in written + name:
                yield resolve_path(layer.path, layers.directory, written), name


def _look_at_git_file(source: str, reader: FileReader) -> None:
    """The `.git` file of a linked worktree or submodule, and the file in the directory that it
    names which says where the repository's own is."""
    file = posixpath.join(source, ".git")
    reader.probe([file])
    if reader.states[file].kind is not FileKind.FILE:
        return
    del reader.states[file]
    line = (reader.read(file).text or "").partition("\n")[0]
    if line.startswith("gitdir:"):
        own = posixpath.normpath(posixpath.join(source, line.removeprefix("gitdir:").strip()))
        reader.look([posixpath.join(own, "commondir")])


def _look_at_mounts(profile: CheckedProfile, reader: FileReader) -> None:
    project = profile.everything or profile.model
    for service in project.services.values() if project else ():
        mounts = [source for kind, source, _ in service.mounts if kind == "bind" and source]
        reader.probe(mounts)
        for source in mounts:
            _look_at_git_file(source, reader)
        reader.look(posixpath.dirname(source) for source in mounts)
    for key in ("secrets", "configs"):
        definitions = (project.document.get(key) or {}) if project else {}
        files = ((raw or {}).get("file") for raw in definitions.values())
        reader.probe(path for path in files if path)
