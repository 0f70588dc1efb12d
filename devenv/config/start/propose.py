"""The files that `devenv init` proposes. None of them replaces one that is there."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Sequence

from devenv.config.start.parts import (
    Part,
    find_development_stage,
    find_exposed,
    find_parts,
)
from devenv.config.start.stacks import describe_app, find_foreign, find_needs, find_stack
from devenv.config.start.survey import App, Need, ProposedFile, Stack, Survey

_IMAGES = {
    Need.POSTGRES: ("db", "postgres:16"),
    Need.MYSQL: ("db", "mysql:8.4"),
    Need.REDIS: ("cache", "redis:7-alpine"),
}
_ENV_NAMES = (
    *(".env.example", ".env.sample", ".env.dist", ".env.template"),
    *("example.env", "env.example", "env.sample", "sample.env", ".env-example", ".env-sample"),
)
_IGNORED = (".git", ".env", "node_modules", ".venv", "__pycache__", "vendor/bundle", "dist")


def propose_files(
    survey: Survey, *, stack: Stack | None = None, needs: Collection[Need] | None = None
) -> tuple[ProposedFile, ...]:
    """What would give the repository a start, in the order in which it should be read.

    `stack` and `needs` stand above what is found. Empty where all is there.
    """
    found: list[ProposedFile] = []
    if not survey.compose_files:
        chosen = stack or find_stack(survey)
        wanted = frozenset(needs) if needs is not None else find_needs(survey)
        built = survey.has("Dockerfile") is not None or bool(find_parts(survey))
        if chosen is None and not wanted and not built:
            wanted = frozenset({Need.POSTGRES, Need.REDIS})
        found += _propose_compose(survey, chosen, wanted)
    found += _propose_settings(survey)
    return tuple(found)


def _propose_compose(
    survey: Survey, stack: Stack | None, needs: frozenset[Need]
) -> Iterator[ProposedFile]:
    dockerfile = survey.texts.get("Dockerfile")
    parts = find_parts(survey) if dockerfile is None else ()
    # What is built below the root is the app; a manifest in the root is its tools.
    app = describe_app(survey, stack) if stack is not None and not parts else None
    cause = _compose_cause(stack if not parts else None, needs, parts)
    foreign = find_foreign(survey)
    if stack is None and dockerfile is None and not parts:
        who = f"the {foreign} app itself" if foreign else "an app: no language was recognised"
        cause += f"; nothing is proposed for {who}. A Dockerfile in the root, or --stack, adds it"
    text = _render_compose(app, dockerfile, needs, parts)
    yield ProposedFile("compose.yaml", text, cause)
    if app is not None and dockerfile is None:
        cause = f"a development and a production stage for {app.stack}"
        if app.missing is not None:
            cause += f"; put what starts the app in place of {app.missing}, which is not there"
        yield ProposedFile("Dockerfile", app.dockerfile, cause)
        for path, text in (app.sources or {}).items():
            if path not in survey.files:
                yield ProposedFile(path, text, "a first app, to see it run")
    if (app is not None or dockerfile is not None) and not survey.has(".dockerignore"):
        text = "".join(f"{name}\n" for name in _IGNORED)
        yield ProposedFile(".dockerignore", text, "keeps secrets and folders out of images")
    if needs - {Need.REDIS} and not survey.has(*_ENV_NAMES):
        yield ProposedFile(".env.example", _render_env(needs), "the variables, to copy to .env")
    yield from _propose_gitignore(survey)


def _compose_cause(stack: Stack | None, needs: frozenset[Need], parts: Sequence[Part]) -> str:
    words = [f"the {stack} app"] if stack else []
    words += [f"{part.directory}/Dockerfile" for part in parts]
    words += sorted(need.value for need in needs)
    return f"there is no Compose file: {', '.join(words) or 'the Dockerfile'}"


def _propose_gitignore(survey: Survey) -> Iterator[ProposedFile]:
    before = survey.texts.get(".gitignore")
    lines = [line.strip() for line in (before or "").splitlines()]
    if any(line.lstrip("/") in (".env", ".env*", "*.env", ".env.*") for line in lines):
        return
    kept = before if before is None or before.endswith("\n") or not before else f"{before}\n"
    yield ProposedFile(".gitignore", f"{kept or ''}.env\n", "keeps .env out of git", before)


def _render_compose(
    app: App | None, dockerfile: str | None, needs: frozenset[Need], parts: Sequence[Part] = ()
) -> str:
    lines = ["services:"]
    for part in parts:
        lines += [*([""] if len(lines) > 1 else []), *_part_lines(part, needs)]
    if app is not None or dockerfile is not None:
        lines += _app_lines(app, dockerfile, needs)
    volumes = []
    for need in sorted(needs):
        lines += [*([""] if len(lines) > 1 else []), *_need_lines(need)]
        if need is not Need.REDIS:
            volumes.append("data")
    if volumes:
        lines += ["", "volumes:", *(f"  {name}:" for name in dict.fromkeys(volumes))]
    return "\n".join(lines) + "\n"


def _app_lines(app: App | None, dockerfile: str | None, needs: frozenset[Need]) -> list[str]:
    target = "development" if dockerfile is None else find_development_stage(dockerfile)
    port = find_exposed(dockerfile) or (app.port if app else 8080)
    lines = ["  app:", "    build:", "      context: ."]
    if target:
        lines.append(f"      target: {target}")
    lines += ["    init: true", "    ports:", f'      - "${{APP_PORT:-{port}}}:{port}"']
    if dockerfile is None and app is not None:
        lines += ["    volumes:", "      - .:/app", *(f"      - {path}" for path in app.hidden)]
    return [*lines, *_use_lines(needs)]


def _part_lines(part: Part, needs: frozenset[Need]) -> list[str]:
    """The service of a directory with a Dockerfile; only one of several gets a port of the host
    as it is."""
    lines = [f"  {part.name}:", "    build:", f"      context: ./{part.directory}"]
    if part.stage:
        lines.append(f"      target: {part.stage}")
    lines.append("    init: true")
    if part.port is not None:
        variable = f"{re.sub(r'[^A-Z0-9]', '_', part.name.upper())}_PORT"
        lines += ["    ports:", f'      - "${{{variable}:-{part.host_port}}}:{part.port}"']
    return [*lines, *_use_lines(needs)]


def _use_lines(needs: frozenset[Need]) -> list[str]:
    """How a service reaches what it needs."""
    lines = []
    environment = _environment(needs)
    if environment:
        lines += ["    environment:", *(f"      {line}" for line in environment)]
    if needs:
        lines.append("    depends_on:")
        for name in sorted({_IMAGES[need][0] for need in needs}):
            lines += [f"      {name}:", "        condition: service_healthy"]
    return lines


def _environment(needs: frozenset[Need]) -> list[str]:
    lines = []
    if Need.POSTGRES in needs:
        lines.append(
            "DATABASE_URL: postgres://app:${POSTGRES_PASSWORD:-development-only}@db:5432/app"
        )
    elif Need.MYSQL in needs:
        lines.append("DATABASE_URL: mysql://app:${MYSQL_PASSWORD:-development-only}@db:3306/app")
    if Need.REDIS in needs:
        lines.append("REDIS_URL: redis://cache:6379")
    return lines


def _need_lines(need: Need) -> list[str]:
    name, image = _IMAGES[need]
    lines = [f"  {name}:", f"    image: {image}"]
    match need:
        case Need.POSTGRES:
            lines += [
                "    environment:",
                "      POSTGRES_USER: app",
                "      POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:-development-only}",
                "    volumes:",
                "      - data:/var/lib/postgresql/data",
            ]
            test = '["CMD", "pg_isready", "-U", "app", "-h", "127.0.0.1"]'
        case Need.MYSQL:
            lines += [
                "    environment:",
                "      MYSQL_DATABASE: app",
                "      MYSQL_USER: app",
                "      MYSQL_PASSWORD: ${MYSQL_PASSWORD:-development-only}",
                '      MYSQL_RANDOM_ROOT_PASSWORD: "1"',
                "    volumes:",
                "      - data:/var/lib/mysql",
            ]
            test = '["CMD", "mysqladmin", "ping", "-h", "127.0.0.1"]'
        case Need.REDIS:
            test = '["CMD", "redis-cli", "ping"]'
    return [
        *lines,
        "    healthcheck:",
        f"      test: {test}",
        "      interval: 2s",
        "      timeout: 2s",
        "      retries: 30",
    ]


def _render_env(needs: frozenset[Need]) -> str:
    lines = ["# Copy to .env and change what you need."]
    if Need.POSTGRES in needs:
        lines.append("POSTGRES_PASSWORD=development-only")
    elif Need.MYSQL in needs:
        lines.append("MYSQL_PASSWORD=development-only")
    return "\n".join(lines) + "\n"


def _propose_settings(survey: Survey) -> Iterator[ProposedFile]:
    if survey.has("devenv.toml"):
        return
    taken = {name for name in survey.files if name.startswith("profiles/")}
    lines = ['default_profile = "dev"', f"default_branch = {json.dumps(survey.default_branch)}"]
    lines += [
        "",
        "# An environment of its own for each branch, with its own data and ports:",
        "# [isolation]",
        '# mode = "branch"',
        '# ports = "offset"',
    ]
    yield ProposedFile("devenv.toml", "\n".join(lines) + "\n", "devenv's settings")
    profiles = {"dev": 'description = "What the Compose files start by default"\n'}
    for name in survey.compose_profiles:
        text = f"description = {json.dumps(f'With the Compose profile {name}')}\n"
        text += f'extends = "dev"\ncompose_profiles = [{json.dumps(name)}]\n'
        profiles.setdefault(_profile_name(name), text)
    for file in survey.overrides:
        name = _profile_name(re.sub(r"^(docker-)?compose\.|\.ya?ml$", "", file))
        text = f"description = {json.dumps(f'With {file}')}\n"
        text += f'extends = "dev"\nfiles = [{json.dumps(f"../{file}")}]\n'
        profiles.setdefault(name, text)
    for name, text in profiles.items():
        path = f"profiles/{name}.toml"
        if path not in taken:
            yield ProposedFile(path, text, "a profile")


def _profile_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-") or "other"
