"""What the rules about variables and env files share: one scan of a profile's texts.

The scan is made once for each profile and shared by its rules. Values in it may be secrets.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from functools import cached_property, lru_cache

from devenv.checks.facts import CheckedProfile, Facts, FileKind
from devenv.checks.finding import Place
from devenv.compose.env_entries import EnvEntry, EnvFile, ResolvedEnv
from devenv.compose.env_scope import (
    EnvSource,
    Read,
    Scope,
    ServiceEnvFile,
    VariableUse,
    find_service_env_files,
    find_service_variables,
    find_uses,
    parse_service_env_file,
    resolve_scopes,
)
from devenv.compose.env_values import resolve_env_values
from devenv.compose.layers import Layers
from devenv.compose.raw_graph import parse_raw_graph
from devenv.values import dataclass

ENV_EXAMPLE_NAMES = (
    *(".env.example", ".env.sample", ".env.template", ".env.dist", "example.env", "env.example"),
    *("env.sample", "env.template", "env.dist", "sample.env", ".env-example", ".env-sample"),
)
_EXAMPLE_SUFFIXES = (".example", ".sample", ".template", ".dist")


class Role(StrEnum):
    """What Compose reads an env file for."""

    INTERPOLATION = "interpolation"
    """`.env`, `--env-file`, `include.env_file`: the `$` in Compose files."""
    SERVICE = "service"
    """`env_file`: the variables of a container."""


@dataclass(frozen=True, slots=True)
class EnvReading:
    """An env file as it is read for one purpose."""

    path: str
    role: Role
    file: EnvFile
    resolved: ResolvedEnv
    lookup: Mapping[str, str]
    """What wins over the file in references, and gives pass-through names their values."""
    above: frozenset[str] = frozenset()
    """The names that files before it set."""
    service: str | None = None
    is_raw: bool = False


class EnvScan:
    """A profile's variables: scopes, uses, and every env file with its values."""

    def __init__(self, profile: CheckedProfile, facts: Facts) -> None:
        self._profile = profile
        self._facts = facts
        self.shell = {**profile.variables, **facts.environ}
        self.scopes = resolve_scopes(profile.layers, profile.env_files, self.shell, self._read)

    def _read(self, path: str) -> str | None:
        return self._facts.file(path).text

    @property
    def project(self) -> Scope:
        """The scope of the project's own Compose files."""
        return self.scopes[""]

    @cached_property
    def sources(self) -> tuple[EnvSource, ...]:
        """Env files for interpolation, each once: the project's, then those of includes."""
        found: dict[str, EnvSource] = {}
        for scope in self.scopes.values():
            for source in scope.sources:
                found.setdefault(source.path, source)
        return tuple(found.values())

    @cached_property
    def uses(self) -> tuple[VariableUse, ...]:
        """The references in all Compose texts."""
        return find_uses(self._profile.layers)

    @cached_property
    def active_services(self) -> tuple[str, ...]:
        """The services of the selection, from the model or else from the texts."""
        if self._profile.model is not None:
            return tuple(str(name) for name in self._profile.model.services)
        graph = parse_raw_graph(self._profile.layers)
        active = self._profile.compose_profiles
        return tuple(name for name, one in graph.services.items() if one.is_active(active))

    @cached_property
    def service_files(self) -> tuple[ServiceEnvFile, ...]:
        """The `env_file`s of active services."""
        return find_service_env_files(self._profile.layers, self.scopes, self.active_services)

    @cached_property
    def readings(self) -> tuple[EnvReading, ...]:
        """Every env file that is there and that Compose reads, for each of its purposes."""
        found: list[EnvReading] = []
        for source in self.sources:
            if not source.exists:
                continue
            lookup = self.shell
            if source.named_at is not None or source not in self.project.sources:
                lookup = {**self.project.values}
            before = _names_before(self.project, source)
            found.append(
                EnvReading(
                    source.path, Role.INTERPOLATION, source.file, source.resolved, lookup, before
                )
            )
        by_service: dict[str, list[ServiceEnvFile]] = {}
        for file in self.service_files:
            by_service.setdefault(file.service, []).append(file)
        for service, files in by_service.items():
            found += self._read_for(service, files)
        return tuple(found)

    def _read_for(self, service: str, files: Iterable[ServiceEnvFile]) -> Iterator[EnvReading]:
        written = find_service_variables(self._profile.layers, self.scopes, service)
        own = {name: value for name, (value, _) in written.items() if value is not None}
        project = self.project.values
        lookup = {**own, **project}
        known: dict[str, str] = dict(own)
        for one in files:
            text = self._read(one.path)
            if text is None:
                continue
            file = parse_service_env_file(text, one.is_raw)
            resolved = resolve_env_values(file.entries, lookup.get, known)
            above = frozenset(known)
            known = dict(resolved.values)
            yield EnvReading(
                one.path, Role.SERVICE, file, resolved, lookup, above, service, one.is_raw
            )

    @cached_property
    def files(self) -> Mapping[str, EnvReading]:
        """Each env file once, by path; where it has both roles, as interpolation reads it."""
        found: dict[str, EnvReading] = {}
        for reading in self.readings:
            found.setdefault(reading.path, reading)
        return found

    @cached_property
    def value_words(self) -> frozenset[str]:
        """Every word of a value in any env file that could be a variable's name."""
        raw = "\n".join(entry.raw for one in self.readings for entry in one.file.entries)
        return words_of(raw)

    @cached_property
    def is_broken(self) -> bool:
        """Whether an env file for interpolation is refused, so that names may be lost."""
        return any(source.file.refused for source in self.sources)

    def scope_of(self, path: str) -> Scope:
        """The scope of a Compose file."""
        return self.scopes.get(path) or self.project

    def examples(self) -> Iterator[tuple[str, str]]:
        """Pairs of an env file, there or not, and the example that goes with it."""
        paths = [source.path for source in self.sources]
        paths += [file.path for file in self.service_files]
        for path in dict.fromkeys(paths):
            for candidate in example_names(path):
                if self._facts.file(candidate).kind is FileKind.FILE:
                    yield path, candidate
                    break

    def mounts_file(self, path: str) -> bool:
        """Whether a bind mount shows this file to a container."""
        model = self._profile.everything or self._profile.model
        for service in model.services.values() if model else ():
            for kind, source, _ in service.mounts:
                if kind == "bind" and source and (path + "/").startswith(source.rstrip("/") + "/"):
                    return True
        return False


def scan_env(profile: CheckedProfile, facts: Facts) -> EnvScan:
    """The scan of a profile; the same one for every rule of a run."""
    if not _scans or _scans[0][0] is not facts:
        _scans.clear()
    for known_facts, known_profile, scan in _scans:
        if known_facts is facts and known_profile is profile:
            return scan
    scan = EnvScan(profile, facts)
    _scans.append((facts, profile, scan))
    return scan


_scans: list[tuple[Facts, CheckedProfile, EnvScan]] = []
"""Those of one run; another run's facts end them."""


def example_names(path: str) -> list[str]:
    """The paths where an example of an env file is looked for, in order."""
    directory, name = posixpath.split(path)
    names = list(ENV_EXAMPLE_NAMES) if name == ".env" else []
    names += [name + suffix for suffix in _EXAMPLE_SUFFIXES]
    return [posixpath.join(directory, one) for one in dict.fromkeys(names)]


def env_paths(
    layers: Layers, env_files: Iterable[str], shell: Mapping[str, str], read: Read
) -> set[str]:
    """Every path that the rules may ask for: env files, of inactive services too, and examples."""
    scopes = resolve_scopes(layers, tuple(env_files), shell, read)
    paths = {source.path for scope in scopes.values() for source in scope.sources}
    paths |= {file.path for file in find_service_env_files(layers, scopes)}
    for path in tuple(paths):
        paths.update(example_names(path))
    return paths


def at_entry(path: str, entry: EnvEntry) -> Place:
    """Where a statement's name stands."""
    return Place(path, entry.line, entry.column)


def at_use(use: VariableUse) -> Place:
    """Where a reference in a Compose file stands."""
    return Place(use.path, use.line, use.column)


def shown(facts: Facts, path: str) -> str:
    """A path in a message: relative to the project directory."""
    return posixpath.relpath(path, facts.directory)


def _names_before(project: Scope, source: EnvSource) -> frozenset[str]:
    names: set[str] = set()
    for one in project.sources:
        if one is source:
            return frozenset(names)
        names.update(one.file.names())
    return frozenset()


@lru_cache(maxsize=512)
def words_of(text: str) -> frozenset[str]:
    """Every word of a text that could be a variable's name."""
    return frozenset(re.findall(r"[A-Za-z_][\w.\-]*\w|\w", text)) | frozenset(
        re.findall(r"\w+", text)
    )
