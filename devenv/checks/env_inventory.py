"""Every variable of a profile: who sets it, in Compose's precedence, who wins, and who reads it.

Two values have to be told apart: the one that `${NAME}` in a Compose file becomes, and the one
that a container has under that name. Values may be secrets: never show them unasked.
Spec: docker docs, "Environment variables precedence"; held against `docker compose config`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

from devenv.checks.env_scan import EnvScan, Role, at_entry, at_use
from devenv.checks.facts import CheckedProfile, Facts
from devenv.checks.finding import Place
from devenv.checks.places import at_source, to_place
from devenv.compose.env_entries import EntryKind, EnvEntry, EnvFile
from devenv.compose.env_scope import VariableUse, find_service_variables
from devenv.compose.env_values import iter_env_values, references
from devenv.compose.layers import Layers, child, entries, items, scalar
from devenv.values import dataclass, field, replace

OWN_PREFIXES = ("COMPOSE_", "DOCKER_", "BUILDKIT_", "BUILDX_", "DEVENV_")
"""Names that Docker, Compose or devenv itself reads."""


class Origin(StrEnum):
    """What sets a variable; the order is the precedence for `${NAME}`."""

    SHELL = "shell"
    PROFILE = "profile"
    """`[env]` of a devenv profile."""
    ENV_FILE = "env file"
    """`.env`, an env file of the profile, `--env-file`."""
    INCLUDE = "env file of an include"
    ENVIRONMENT = "environment"
    """Of a service."""
    SERVICE_FILE = "env_file"
    """Of a service."""


class ReaderKind(StrEnum):
    """How a variable is read."""

    INTERPOLATION = "interpolation"
    """`${NAME}` in a Compose file."""
    ENV_FILE = "env file"
    """`${NAME}` or a bare NAME in an env file."""
    PASSED_ON = "passed on"
    """A bare NAME under `environment`, `build.args`, or as the source of a secret or config."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A place that sets a variable."""

    origin: Origin
    value: str | None
    """None for a bare name that nothing gives a value."""
    place: Place | None = None
    """None for the shell."""
    wins: bool = False
    passed_on: bool = False
    """It only names the variable: the value is that of `${NAME}`."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A place that reads a variable."""

    kind: ReaderKind
    place: Place
    what: str
    """Where it stands in words: `services.db.environment`, or the name whose value refers to it."""
    service: str | None = None
    operator: str = ""
    """As in `Reference.operator`."""
    default: str = ""


@dataclass(frozen=True, slots=True)
class ContainerVariable:
    """A variable of one service's containers; the strongest setting first."""

    service: str
    settings: tuple[Setting, ...]

    @property
    def winner(self) -> Setting | None:
        """What the container gets; a winner without a value takes the variable away from it.

        A bare name under `environment` that nothing sets beats the value of an `env_file`.
        """
        return next((one for one in self.settings if one.wins), None)


@dataclass(frozen=True, slots=True)
class Variable:
    """All about one name; settings with the strongest first."""

    name: str
    settings: tuple[Setting, ...] = ()
    containers: tuple[ContainerVariable, ...] = ()
    readers: tuple[Reader, ...] = ()

    @property
    def winner(self) -> Setting | None:
        """What `${NAME}` is in the project's Compose files; None where it is not set."""
        return next((one for one in self.settings if one.wins), None)

    @property
    def value(self) -> str | None:
        """The winner's value."""
        winner = self.winner
        return winner.value if winner else None


ProfileEnv = Mapping[str, tuple[str, Place]]
"""`[env]` of the profile with its bases: name to value and place."""


@dataclass(slots=True)
class _Found:
    settings: list[Setting] = field(default_factory=list)
    containers: list[ContainerVariable] = field(default_factory=list)
    readers: list[Reader] = field(default_factory=list)


def list_variables(
    profile: CheckedProfile, facts: Facts, scan: EnvScan, profile_env: ProfileEnv
) -> tuple[Variable, ...]:
    """Every variable that an env file, the profile or a Compose file names, by name.

    The shell's other variables are not among them.
    """
    found: dict[str, _Found] = {}

    def at(name: str) -> _Found:
        return found.setdefault(name, _Found())

    for name, reader in _readers(profile.layers, scan):
        at(name).readers.append(reader)
    for name, (value, place) in profile_env.items():
        at(name).settings.append(Setting(Origin.PROFILE, value, place))
    for name, setting in _file_settings(scan):
        at(name).settings.append(setting)
    for name, container in _containers(profile, scan):
        at(name).containers.append(container)
    for name, one in found.items():
        if name in facts.environ:
            one.settings.append(Setting(Origin.SHELL, facts.environ[name]))
    return tuple(
        Variable(
            name,
            _ranked(one.settings),
            tuple(one.containers),
            tuple(dict.fromkeys(one.readers)),
        )
        for name, one in sorted(found.items())
        if name
    )


def _ranked(settings: Iterable[Setting]) -> tuple[Setting, ...]:
    """The strongest first, and the first one with a value marked as the winner."""
    order = list(Origin)
    ranked = sorted(settings, key=lambda one: order.index(one.origin))
    for index, one in enumerate(ranked):
        if one.value is not None:
            ranked[index] = replace(one, wins=True)
            break
    return tuple(ranked)


def _lose(setting: Setting) -> Setting:
    return replace(setting, wins=False)


def _file_settings(scan: EnvScan) -> Iterator[tuple[str, Setting]]:
    """What env files for interpolation set, the strongest statement of each kind first."""
    own = scan.project.sources
    known: Mapping[str, str] = {}
    by_file: list[list[tuple[str, Setting]]] = []
    for source in own:
        lookup = scan.shell
        by_file.append(list(_statements(source.path, source.file, Origin.ENV_FILE, lookup, known)))
        known = source.resolved.values
    for source in scan.sources:
        if source not in own:
            lookup = dict(scan.project.values)
            by_file.insert(
                0, list(_statements(source.path, source.file, Origin.INCLUDE, lookup, {}))
            )
    for statements in reversed(by_file):
        yield from reversed(statements)


def _statements(
    path: str,
    file: EnvFile,
    origin: Origin,
    lookup: Mapping[str, str],
    known: Mapping[str, str],
) -> Iterator[tuple[str, Setting]]:
    """The statements of a file with the value that each one gives, in their order."""
    for entry, value in zip(
        file.entries, iter_env_values(file.entries, lookup.get, known), strict=True
    ):
        bare = entry.kind is EntryKind.PASS_THROUGH
        yield entry.name, Setting(origin, value, at_entry(path, entry), passed_on=bare)


def _containers(profile: CheckedProfile, scan: EnvScan) -> Iterator[tuple[str, ContainerVariable]]:
    """Each variable of each active service's containers."""
    for service in scan.active_services:
        found: dict[str, list[Setting]] = {}
        written = find_service_variables(profile.layers, scan.scopes, service)
        project = scan.project.values
        for name, (value, entry) in written.items():
            bare = value is None
            given = project.get(name) if bare else value
            place = at_source(entry.source)
            found.setdefault(name, []).append(
                Setting(Origin.ENVIRONMENT, given, place, passed_on=bare)
            )
        from_files: list[tuple[str, Setting]] = []
        known: Mapping[str, str] = {n: v for n, (v, _) in written.items() if v is not None}
        for reading in scan.readings:
            if reading.role is Role.SERVICE and reading.service == service:
                from_files += _statements(
                    reading.path, reading.file, Origin.SERVICE_FILE, reading.lookup, known
                )
                known = reading.resolved.values
        for name, setting in reversed(from_files):
            found.setdefault(name, []).append(setting)
        for name, settings in found.items():
            ranked = _ranked(settings)
            if ranked[0].origin is Origin.ENVIRONMENT:
                ranked = (replace(ranked[0], wins=True), *(_lose(one) for one in ranked[1:]))
            weaker = _overridden(profile, scan, service, name, ranked)
            yield name, ContainerVariable(service, (*ranked, *weaker))


def _overridden(
    profile: CheckedProfile, scan: EnvScan, service: str, name: str, known: Iterable[Setting]
) -> Iterator[Setting]:
    """What weaker Compose files say under `environment` of the same service."""
    places = {one.place for one in known}
    for entry in profile.layers.find_all("services", service, "environment", name):
        place = at_source(entry.source)
        if place in places:
            continue
        text = scalar(entry.value)
        bare = entry.value.tag == "tag:yaml.org,2002:null"
        if text is not None and entry.key is entry.value:  # an item of a list
            _, separator, text = text.partition("=")
            bare = not separator
        value = None if bare or text is None else text
        shown = scan.scope_of(entry.path).interpolate(value).value if value is not None else None
        yield Setting(Origin.ENVIRONMENT, shown, place, passed_on=bare)


def _readers(layers: Layers, scan: EnvScan) -> Iterator[tuple[str, Reader]]:
    for use in scan.uses:
        reference = use.reference
        yield (
            reference.name,
            Reader(
                ReaderKind.INTERPOLATION,
                at_use(use),
                _words(use),
                use.service,
                reference.operator,
                reference.argument_text,
            ),
        )
    for service in layers.service_names():
        yield from _passed_on(layers, service)
    for section in ("secrets", "configs"):
        for layer in layers.by_path.values():
            top = child(layer.path, layer.root, section)
            for key, definition in entries(top.value if top else None):
                source = child(layer.path, definition, "environment")
                name = scalar(source.value) if source else None
                if source and name and "$" not in name:
                    place = to_place(source.path, source.value)
                    what = f"{section}.{key.value}.environment"
                    yield name, Reader(ReaderKind.PASSED_ON, place, what)
    for reading in scan.readings:
        for entry in reading.file.entries:
            yield from _read_by_entry(reading.path, entry, reading.service)


def _words(use: VariableUse) -> str:
    """The keys that lead to a use; an item of a list of variables by its name."""
    name, separator, _ = use.text.partition("=")
    last = use.keys[-1:]
    if separator and use.keys[-2:-1] in (("environment",), ("args",)) and "$" not in name:
        last = (name,)
    return ".".join((*use.keys[:-1], *last))


def _passed_on(layers: Layers, service: str) -> Iterator[tuple[str, Reader]]:
    """Bare names under `environment` and `build.args`."""
    for keys in (("environment",), ("build", "args")):
        for owner in layers.find_all("services", service, *keys):
            bare = [
                (str(key.value), key)
                for key, value in entries(owner.value)
                if value.tag == "tag:yaml.org,2002:null"
            ]
            bare += [
                (text, item)
                for item in items(owner.value)
                if (text := scalar(item)) and "=" not in text and "$" not in text
            ]
            for name, node in bare:
                place = to_place(owner.path, node)
                what = ".".join(("services", service, *keys))
                yield name, Reader(ReaderKind.PASSED_ON, place, what, service)


def _read_by_entry(path: str, entry: EnvEntry, service: str | None) -> Iterator[tuple[str, Reader]]:
    if entry.kind is EntryKind.PASS_THROUGH:
        place = at_entry(path, entry)
        yield entry.name, Reader(ReaderKind.ENV_FILE, place, "a bare name", service)
    for one in references(entry):
        yield (
            one.name,
            Reader(
                ReaderKind.ENV_FILE,
                Place(path, one.line, one.column),
                f"the value of {entry.name}",
                service,
                one.operator,
            ),
        )
