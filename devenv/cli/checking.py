"""Gathers what `devenv check` looks at, runs the rules, and says what they found.

The way of the data: files of each profile, the merged models (Compose's children run while the
texts are read), facts of files, git and engine, then rules, then one report.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from devenv.checks.facts import CheckedProfile, Facts, FileKind
from devenv.checks.finding import CheckResult, NotChecked
from devenv.checks.hadolint import PREFIX, LintMessage, find_dockerfiles, lint_findings
from devenv.cli.engine_facts import ask_images, ask_programs
from devenv.cli.model_loads import (
    ModelLoads,
)
from devenv.cli.session import Session
from devenv.compose.discovery import read_env_value
from devenv.compose.layers import Layers
from devenv.compose.model import Project
from devenv.compose.selection import select_services
from devenv.errors import (
    ComposeFileError,
    ConfigError,
    DevenvError,
    EngineUnavailable,
    Source,
    UsageError,
)
from devenv.host import paths
from devenv.host.check_facts import load_facts
from devenv.host.check_files import FileReader, load_layers
from devenv.host.hadolint import Hadolint
from devenv.host.project_files import ProjectFiles, load_project_files
from devenv.report.finding_paths import FindingPaths
from devenv.values import dataclass, replace

ALL_PROFILES = "*"


@dataclass(frozen=True, slots=True)
class Gathered:
    """All that rules get, and what could not be gathered."""

    profiles: tuple[CheckedProfile, ...]
    facts: Facts
    not_checked: tuple[NotChecked, ...] = ()
    lint: tuple[LintMessage, ...] = ()
    """What hadolint says, where it is installed."""


def check_project(
    session: Session,
    gathered: Gathered,
    *,
    select: Collection[str] = (),
    ignore: Collection[str] = (),
    baseline: Mapping[str, int] | None = None,
) -> CheckResult:
    """Run the rules over every profile that can be selected; what is ignored is left out.

    So is what the baseline holds, by default that of `[checks]`. Raises ConfigError where
    `[checks]` names a rule, or a baseline, that there is not.
    """
    from devenv.checks.registry import load_rules
    from devenv.checks.runner import finding_order, run_checks
    from devenv.checks.start_times import find_start_bound
    from devenv.checks.suppress import UNUSED, drop_known, drop_paths, drop_suppressed
    from devenv.cli.baseline import load_baseline

    everywhere, in_paths = _read_ignored(session)
    severities = {
        **session.files.settings.checks.severity,
        **dict.fromkeys((*everywhere, *ignore), "off"),
    }
    result = run_checks(
        gathered.profiles,
        gathered.facts,
        rules=[rule for rule in load_rules() if rule.name in select] if select else None,
        not_checked=gathered.not_checked,
        severities=severities,
    )
    if gathered.lint and not any(not name.startswith(PREFIX) for name in select):
        uses = find_dockerfiles(gathered.profiles)
        found, unread = lint_findings(gathered.lint, uses, severities)
        found = tuple(one for one in found if not select or one.rule in select)
        result = replace(
            result,
            findings=tuple(sorted((*result.findings, *found), key=finding_order)),
            not_checked=(*result.not_checked, *unread),
        )
    bounds = (find_start_bound(profile, gathered.facts) for profile in gathered.profiles)
    result = replace(result, start_bounds=tuple(bound for bound in bounds if bound is not None))
    is_whole = not (select or ignore or session.asked_for_profile)
    rules = [rule.name for rule in load_rules() if severities.get(rule.name) != "off"]
    unused_of = rules if is_whole and UNUSED in rules else ()
    result = drop_suppressed(result, gathered.facts.files, unused_of=unused_of)
    show = FindingPaths(gathered.facts.directory).show
    result = drop_paths(result, in_paths, show)
    known = load_baseline(session, None) if baseline is None else baseline
    return drop_known(result, known, show) if known else result


def _read_ignored(session: Session) -> tuple[list[str], dict[str, tuple[str, ...]]]:
    """The rules of `[checks] ignore`: those for everywhere, and by pattern those for some paths."""
    settings = session.files.settings
    everywhere: list[str] = []
    in_paths: dict[str, tuple[str, ...]] = {}
    for index, entry in enumerate(settings.checks.ignore):
        pattern, _, rule = entry.rpartition(":")
        check_rule_name(rule, settings.source("checks", "ignore", index))
        if pattern:
            in_paths[pattern] = (*in_paths.get(pattern, ()), rule)
        else:
            everywhere.append(rule)
    for name in settings.checks.severity:
        check_rule_name(name, settings.source("checks", "severity", name))
    return everywhere, in_paths


def check_rule_name(name: str, source: Source | None) -> None:
    """Raises ConfigError for a name that no rule has."""
    from difflib import get_close_matches

    from devenv.checks.registry import load_rules

    known = [rule.name for rule in load_rules()]
    if name in known or name.startswith("hadolint/"):
        return
    near = get_close_matches(name, known, n=1)
    error = ConfigError if source else UsageError
    raise error(
        f"There is no rule {name!r}.",
        source=source,
        fix=f"did you mean {near[0]!r}?" if near else "devenv check --rules lists them",
    )


def gather(
    session: Session,
    *,
    ask_engine: bool = True,
    ask_compose: bool = True,
    names: Sequence[str | None] | None = None,
    deep: bool = False,
) -> Gathered:
    """Files, models and facts. Raises ConfigError and ComposeFileError of the active selection.

    Without `ask_compose` there are no models, and nothing is started but git; `names` limits the
    profiles.
    """
    active = session.files
    reader = FileReader()
    not_checked: list[NotChecked] = []
    files: dict[str | None, ProjectFiles | DevenvError] = {}
    for name in profile_names(session) if names is None else names:
        files[name] = active if name == active.choice.name else _load_files(session, name)
    loaded = {name: value for name, value in files.items() if isinstance(value, ProjectFiles)}
    models = None
    try:
        models = ModelLoads(session, session.compose) if ask_compose else None
    except EngineUnavailable as error:
        not_checked.append(NotChecked("the merged model", error.message))
    if models is not None:
        for one in loaded.values():
            models.start(one, (ALL_PROFILES,))
        from devenv.checks.registry import load_rules

        load_rules()  # Compose's children run meanwhile
    profiles = [
        _checked(name, value, models, session.environ, reader) for name, value in files.items()
    ]
    found = find_dockerfiles(profiles)
    dockerfiles = (path for path in found if reader.read(path).kind is FileKind.FILE)
    hadolint = Hadolint(dockerfiles, str(active.directory), session.environ)
    facts = load_facts(
        profiles,
        reader,
        directory=str(active.directory),
        root=str(active.root),
        environ=session.environ,
        engine=ask_images(session, profiles, reader) if ask_engine else None,
        start_seconds=_load_start_seconds(session),
        moves_ports=active.settings.isolation.ports == "offset",
    )
    if deep:
        facts = replace(facts, programs=ask_programs(session, profiles, reader))
    if facts.engine is None:
        not_checked.append(NotChecked("local images", "no Docker engine answers"))
    lint, why = hadolint.finish()
    if why is not None:
        not_checked.append(NotChecked("Dockerfiles by hadolint", why))
    return Gathered(tuple(profiles), facts, tuple(not_checked), lint)


def find_env_files(gathered: Gathered) -> frozenset[str]:
    """The env files that Compose reads, whatever their names are."""
    from devenv.checks.env_scan import scan_env

    scans = (scan_env(profile, gathered.facts) for profile in gathered.profiles)
    return frozenset(path for scan in scans for path in scan.files)


def profile_names(session: Session) -> list[str | None]:
    """The asked-for profile alone, or all, with the plain selection where nothing chooses one."""
    files = session.files
    if session.asked_for_profile or not files.profiles:
        return [files.choice.name]
    names: list[str | None] = list(files.profiles)
    return names if files.choice.name is not None else [None, *names]


def _load_files(session: Session, name: str | None) -> ProjectFiles | DevenvError:
    try:
        return load_project_files(session.start, session.environ, name)
    except (ConfigError, ComposeFileError) as error:
        return error


def _checked(
    name: str | None,
    files: ProjectFiles | DevenvError,
    models: ModelLoads | None,
    environ: Mapping[str, str],
    reader: FileReader,
) -> CheckedProfile:
    if isinstance(files, DevenvError):
        return CheckedProfile(name, Layers(), failure=files)
    directory = str(files.directory)
    layers = load_layers(directory, [str(path) for path in files.compose_files], reader)
    env_files = tuple(str(path) for path in files.env_files) or (str(files.directory / ".env"),)
    active = files.compose_profiles or _active_profiles(env_files, environ, files, reader)
    named = files.profile.services if files.profile else ()
    everything = failure = model = None
    if models is not None:
        whole = models.result(files, (ALL_PROFILES,))
        if isinstance(whole, Project):
            everything = whole
            model = select_services(whole, active, named)
        else:
            models.start(files, active)
            alone = models.result(files, active)
            model = alone if isinstance(alone, Project) else None
            failure = alone if isinstance(alone, DevenvError) else None
    return CheckedProfile(
        name=name,
        layers=layers,
        model=model,
        everything=everything,
        failure=failure,
        compose_profiles=active,
        env_files=env_files,
        variables={**files.variables, **files.own_variables},
        services=named,
    )


def _active_profiles(
    env_files: Sequence[str],
    environ: Mapping[str, str],
    files: ProjectFiles,
    reader: FileReader,
) -> tuple[str, ...]:
    """COMPOSE_PROFILES of the shell, of the profile's variables, or of the env files."""
    value = environ.get("COMPOSE_PROFILES", files.variables.get("COMPOSE_PROFILES"))
    for path in reversed(env_files) if value is None else ():
        found = read_env_value(reader.read(path).text or "", "COMPOSE_PROFILES", environ)
        if found is not None:
            value = found.value
            break
    return tuple(part.strip() for part in (value or "").split(",") if part.strip())


def _load_start_seconds(session: Session) -> dict[str, float]:
    """How long each service usually takes to become healthy, where starts were seen here."""
    directory = paths.state_directory(session.environ)
    if not paths.has_memory(directory):
        return {}
    from devenv.host.memory import has_starts, open_existing

    project = str(session.files.directory)
    with open_existing(directory) as memory:
        if not has_starts(memory, project):
            return {}
        from devenv.host.history import USUAL_STARTS, load_starts, usual_start_seconds

        return usual_start_seconds(load_starts(memory, project, 2 * USUAL_STARTS))
