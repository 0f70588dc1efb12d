"""Environments as the UI meets them, built by actions through the real reducer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from devenv.checks.env_inventory import (
    ContainerVariable,
    Origin,
    Reader,
    ReaderKind,
    Setting,
    Variable,
)
from devenv.checks.env_needs import EnvDiff, FileDiff, KeyReport, KeyState
from devenv.checks.finding import (
    CheckResult,
    Edit,
    Finding,
    NotChecked,
    Place,
    Related,
    Severity,
)
from devenv.compose.model import Condition, Dependency, Project, Service
from devenv.compose.names import EnvironmentName, ServiceName
from devenv.state import actions as do
from devenv.state.containers import Container, ContainerId, Health, Probe, PublishedPort
from devenv.state.logs import LogLine
from devenv.state.model import (
    Checks,
    Environment,
    InactiveService,
    Operation,
    OperationKind,
    Problem,
    State,
)
from devenv.state.reduce import reduce
from devenv.state.start_seen import BuildStepRun
from devenv.state.usage import Transfer, Usage

NOW = 1_700_000_000.0


def name(text: str) -> ServiceName:
    return ServiceName(text)


def _edge(service: str, condition: Condition) -> Dependency:
    return Dependency(name(service), condition)


SERVICES = {
    name("db"): Service(name("db"), image="postgres:16"),
    name("cache"): Service(name("cache"), image="redis:7-alpine"),
    name("migrate"): Service(
        name("migrate"), dependencies=(_edge("db", Condition.HEALTHY),), image="shop"
    ),
    name("app"): Service(
        name("app"),
        dependencies=(
            _edge("db", Condition.HEALTHY),
            _edge("cache", Condition.STARTED),
            _edge("migrate", Condition.COMPLETED),
        ),
    ),
    name("worker"): Service(name("worker"), dependencies=(_edge("app", Condition.HEALTHY),)),
}
DOCUMENT = {
    "name": "shop",
    "services": {
        "db": {
            "image": "postgres:16",
            "environment": {"POSTGRES_PASSWORD": "hunter2", "POSTGRES_DB": "shop"},
        },
        "app": {"build": {"context": ".", "target": "development"}, "ports": ["3000:3000"]},
    },
}
PROJECT = Project(EnvironmentName("shop"), SERVICES, document=DOCUMENT)
ENVIRONMENT = Environment(
    name=EnvironmentName("shop"),
    directory="~/src/shop",
    profile="search",
    profile_reason="the branch matches feature/search-* in devenv.toml",
    branch="feature/search-index",
    profiles=(("dev", "The app with its database"), ("search", "Search stack")),
)


def container(
    service: str,
    state: str = "running",
    health: Health = Health.NONE,
    *,
    exit_code: int | None = None,
    ago: float = 260.0,
    port: int | None = None,
) -> Container:
    ports = (PublishedPort("0.0.0.0", port, port), PublishedPort("::", port, port)) if port else ()
    return Container(
        id=ContainerId(f"id-{service}"),
        service=name(service),
        name=f"shop-{service}-1",
        state=state,
        health=health,
        exit_code=exit_code,
        started_at=NOW - ago,
        ports=ports,
    )


def after(state: State, steps: Iterable[do.Action]) -> State:
    for step in steps:
        state, _ = reduce(state, step)
    return state


def empty() -> State:
    return State(ENVIRONMENT)


INACTIVE = (
    InactiveService(name("adminer"), ("tools",)),
    InactiveService(name("indexer"), ("search", "nightly")),
)


def connected() -> State:
    return after(
        empty(),
        [do.ModelLoaded(PROJECT), do.EngineConnected("28.5"), do.InactiveFound(INACTIVE)],
    )


def up(started: float = 3.0) -> do.Action:
    return do.OperationStarted(Operation(OperationKind.UP, started_at=NOW - started))


def starting() -> State:
    """The image is being built; the database is checked; the rest waits."""
    return after(
        connected(),
        [
            up(),
            do.ContainersObserved(
                (container("db", health=Health.STARTING, ago=2, port=5432), container("cache"))
            ),
            do.BuildProgressed(name("app"), "step 4/7 RUN npm ci"),
        ],
    )


def healthy() -> State:
    """All is up; one container is left of another profile."""
    containers = (
        container("db", health=Health.HEALTHY, port=5432),
        container("cache", ago=3700),
        container("migrate", "exited", exit_code=0),
        container("app", health=Health.HEALTHY, port=3000),
        container("worker", ago=42),
        container("mailer", ago=90_000, port=8025),
    )
    usage = {
        ContainerId("id-db"): Usage(1.2, 120 << 20),
        ContainerId("id-cache"): Usage(0.3, 9 << 20),
        ContainerId("id-app"): Usage(112.4, 1300 << 20),
        ContainerId("id-worker"): Usage(12.0, 82 << 20),
    }
    return after(
        connected(),
        [
            up(40),
            do.ContainersObserved(containers),
            do.UsageMeasured(usage),
            do.OperationFinished(OperationKind.UP),
        ],
    )


def failed() -> State:
    """The migration ended with 3, so the app never starts."""
    cause = Problem(
        "migrate ended with exit code 3.",
        fix="devenv logs migrate shows all of its log; correct it, then press u.",
        excerpt=(
            "applying 0007_index.sql",
            'ERROR: relation "notes" does not exist at character 8',
        ),
    )
    return after(
        connected(),
        [
            up(12),
            do.ContainersObserved(
                (
                    container("db", health=Health.HEALTHY, port=5432),
                    container("cache"),
                    container("migrate", "exited", exit_code=3),
                )
            ),
            do.OperationFinished(
                OperationKind.UP, Problem('service "migrate" did not complete: exit 3')
            ),
            do.FailureExplained(name("migrate"), cause),
        ],
    )


def checked() -> State:
    """All is up; the checks found one thing of each severity."""
    findings = (
        Finding(
            "env-file-tracked",
            Severity.ERROR,
            "git tracks .env, and POSTGRES_PASSWORD in it looks like a real secret.",
            Place("/src/shop/.env", 2, 1),
            fix="git rm --cached .env, and change the password",
        ),
        Finding(
            "started-not-healthy",
            Severity.WARNING,
            "app waits only for cache to start, though cache has a health check.",
            Place("/src/shop/compose.yaml", 14, 9),
            service="app",
            profiles=("dev", "search"),
            fix="condition: service_healthy for cache",
            related=(Related(Place("/src/shop/compose.yaml", 30, 5), "its health check"),),
            edits=(Edit("/src/shop/compose.yaml", 10, 12, "x"),),
        ),
        Finding(
            "base-not-slim",
            Severity.INFO,
            "node:20 has a slim variant.",
            Place("/src/shop/app/Dockerfile", 1, 6),
            service="app",
        ),
    )
    skipped = (NotChecked("local images", "no Docker engine answers"),)
    preview = (
        "--- a/compose.yaml",
        "+++ b/compose.yaml",
        "@@ -13,3 +13,3 @@",
        "     image: node:20",
        "-    depends_on: [cache]",
        "+    depends_on: {cache: {condition: service_healthy}}",
        "     environment:",
    )
    previews = {findings[1]: preview}
    checks = Checks(CheckResult(findings, skipped), "/src/shop", previews=previews)
    return after(healthy(), [do.ChecksRequested(), do.ChecksFinished(checks)])


def with_env() -> State:
    """All is up; one needed variable is missing, one is there twice, the shell wins over one."""
    compose, env = "/src/shop/compose.yaml", "/src/shop/.env"
    database = Reader(
        ReaderKind.INTERPOLATION,
        Place(compose, 9, 26),
        "services.db.environment.POSTGRES_PASSWORD",
        "db",
        ":?",
    )
    url = Reader(ReaderKind.ENV_FILE, Place(env, 3, 20), "the value of DATABASE_URL")
    given = Setting(Origin.ENVIRONMENT, "hunter2", Place(compose, 10, 7), wins=True)
    variables = (
        Variable(
            "API_TOKEN",
            readers=(
                Reader(
                    ReaderKind.PASSED_ON, Place(compose, 21, 9), "services.app.environment", "app"
                ),
            ),
        ),
        Variable(
            "APP_PORT",
            (
                Setting(Origin.SHELL, "3100", wins=True),
                Setting(Origin.ENV_FILE, "3000", Place(env, 1, 1)),
            ),
        ),
        Variable(
            "DATABASE_URL",
            (Setting(Origin.ENV_FILE, "postgres://app:hunter2@db/", Place(env, 3, 1), wins=True),),
        ),
        Variable(
            "POSTGRES_PASSWORD",
            (
                Setting(Origin.ENV_FILE, "hunter2", Place(env, 4, 1), wins=True),
                Setting(Origin.ENV_FILE, "hunter1", Place(env, 2, 1)),
            ),
            (ContainerVariable("db", (given,)),),
            (database, url),
        ),
        Variable("POSTGRES_DB", (), (ContainerVariable("db", (replace(given, value=""),)),)),
    )
    keys = (
        KeyReport(
            "API_TOKEN",
            KeyState.MISSING,
            needed=True,
            place=Place("/src/shop/.env.example", 5, 1),
            note="a container asks for it by name, and gets nothing",
        ),
        KeyReport(
            "POSTGRES_PASSWORD", KeyState.DUPLICATE, lines=(2, 4), note="the last one counts"
        ),
    )
    diff = EnvDiff("search", (FileDiff(env, True, f"{env}.example", keys),), variables)
    checks = Checks(CheckResult(()), "/src/shop", env=diff)
    return after(healthy(), [do.ChecksRequested(), do.ChecksFinished(checks)])


def engine_lost() -> State:
    problem = Problem(
        "The Docker engine does not answer.",
        where="unix:///var/run/docker.sock",
        fix="start Docker, or choose another context: docker context use NAME",
    )
    return after(healthy(), [do.EngineLost(problem)])


def model_failed() -> State:
    problem = Problem(
        "services.app.prots is not a known key; did you mean ports?", "compose.yaml:12"
    )
    return after(empty(), [do.EngineConnected("28.5"), do.ModelFailed(problem)])


def lines() -> list[LogLine]:
    texts = [
        ("db", "database system is ready to accept connections"),
        ("cache", "Ready to accept connections tcp"),
        ("migrate", "applying 0007_index.sql"),
        ("app", "\x1b[32mlistening\x1b[0m on http://0.0.0.0:3000"),
        ("app", "GET /notes \x1b[1;33m304\x1b[0m 3 ms"),
        ("worker", "a line that is far longer than the view is wide: " + "abc " * 60),
    ]
    return [LogLine(i, name(service), text) for i, (service, text) in enumerate(texts)]


def started() -> State:
    """The end of a start from nothing: a build, a slow database with a failing probe, an app."""
    at = NOW - 20
    steps = (
        BuildStepRun("image", "build shop-app", at + 0.2, at + 6.1),
        BuildStepRun("step 1", "1/4 FROM node:20", at + 0.3, at + 0.4, cached=True),
        BuildStepRun("step 2", "2/4 RUN npm ci", at + 0.4, at + 6.0),
    )
    probes = (
        Probe(at + 8.0, at + 8.2, 2, "localhost:5432 - no response"),
        Probe(at + 10.2, at + 10.3, 0),
    )
    db = replace(
        container("db", health=Health.HEALTHY, ago=14, port=5432),
        created_at=at + 6.3,
        probes=probes,
    )
    others = (
        replace(container("cache", ago=13.5), created_at=at + 6.3),
        replace(
            container("migrate", "exited", exit_code=0, ago=9.5),
            created_at=at + 6.4,
            finished_at=at + 12.5,
        ),
        replace(container("app", ago=7.2, port=3000), created_at=at + 6.4),
    )
    return after(
        connected(),
        [
            up(20),
            *(do.BuildStepped(name("app"), step) for step in steps),
            do.ContainersObserved((db, *others)),
        ],
    )


def measured() -> State:
    """A minute of measurements: a busy app in two containers, a worker near its memory's limit."""
    state = healthy()
    second = replace(container("app", health=Health.HEALTHY), id=ContainerId("id-app-2"))
    second = replace(second, name="shop-app-2", number=2)
    worker = replace(container("worker", ago=42), memory_limit_bytes=128 << 20)
    steps: list[do.Action] = [do.ContainerChanged(second), do.ContainerChanged(worker)]
    machine = 16 << 30
    for second_ in range(60):
        wave = abs(second_ % 20 - 10)
        usage = {
            "db": Usage(1.2 + wave / 10, 120 << 20, machine, Transfer(8 << 20, 30 << 20, 2048, 9)),
            "cache": Usage(0.3, 9 << 20, machine, Transfer(4096, 1 << 20, 0, 120)),
            "app": Usage(100 - wave * 7, (1300 + second_) << 20, machine, Transfer(1, 2, 3e6, 4e4)),
            "app-2": Usage(12.4, 300 << 20, machine, Transfer(1 << 30, 2 << 20, 1e6, 1e4)),
            "worker": Usage(wave * 3.0, (68 + second_) << 20, 128 << 20, None),
        }
        disk = Transfer(42 << 20, 1 << 30, 0, (second_ % 7) * 1e5)
        usage["db"] = replace(usage["db"], block=disk)
        steps.append(do.UsageMeasured({ContainerId(f"id-{n}"): u for n, u in usage.items()}))
    return after(state, steps)
