"""Which language a repository is written in, how it is run while it is developed, what it needs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from devenv.config.start.survey import Need, Stack, Survey
from devenv.values import dataclass


@dataclass(frozen=True, slots=True)
class App:
    """How an app is built and run."""

    stack: Stack
    port: int
    dockerfile: str
    hidden: tuple[str, ...] = ()
    """Folders in the container that the bind mount must not hide."""
    sources: Mapping[str, str] | None = None
    """A first app, where there are no sources."""
    needs: frozenset[Need] = frozenset()
    missing: str | None = None
    """What the start command names where nothing says what starts the app."""


_MANIFESTS = (
    (Stack.NODE, ("package.json",)),
    (Stack.PYTHON, ("pyproject.toml", "requirements.txt", "manage.py", "setup.py", "Pipfile")),
    (Stack.GO, ("go.mod",)),
    (Stack.RUBY, ("Gemfile",)),
)
_SIGNS = (
    (Stack.RUBY, ("bin/rails", "config.ru")),
    (Stack.PYTHON, ("manage.py",)),
    (Stack.GO, ("main.go",)),
)
"""What says more than a package.json, which may be there for the assets or the tests alone."""
_FOREIGN = {
    "Java": ("pom.xml", "build.gradle", "build.gradle.kts"),
    "Rust": ("Cargo.toml",),
    "Elixir": ("mix.exs",),
    "PHP": ("composer.json",),
}
FOREIGN_MANIFESTS = frozenset(name for names in _FOREIGN.values() for name in names)
_DOTNET = (".sln", ".slnx", ".csproj", ".fsproj")
_WORDS = {
    Need.POSTGRES: r"\b(pg|postgres|postgresql|psycopg2?(-binary)?|psycopg|asyncpg|pgx|lib/pq|"
    r"postgrex|npgsql|tokio-postgres)\b",
    Need.MYSQL: r"\b(mysql2?|mysqlclient|pymysql|mariadb|go-sql-driver/mysql|myxql)\b",
    Need.REDIS: r"\b(redis|ioredis|go-redis|sidekiq|celery|rq|bullmq?|redix|predis)\b",
}
_ENTRIES = ("server.js", "index.js", "app.js", "src/server.js", "src/index.js", "src/app.js")


def find_stack(survey: Survey) -> Stack | None:
    """The language that the repository is run in; None where there is no start for it."""
    signed = next((stack for stack, names in _SIGNS if survey.has(*names)), None)
    if signed is not None:
        return signed
    if find_foreign(survey) is not None:
        return None
    found = [stack for stack, names in _MANIFESTS if survey.has(*names)]
    if len(found) > 1 and found[0] is Stack.NODE and _node_start(survey) is None:
        return found[1]
    return found[0] if found else None


def find_foreign(survey: Survey) -> str | None:
    """The language of a repository for which there is no start, where its manifest is there."""
    if any(name.endswith(_DOTNET) and "/" not in name for name in survey.files):
        return ".NET"
    return next((name for name, names in _FOREIGN.items() if survey.has(*names)), None)


def find_needs(survey: Survey) -> frozenset[Need]:
    """The services that the manifests name a client of."""
    names = [name for _, manifests in _MANIFESTS for name in manifests]
    names += sorted(FOREIGN_MANIFESTS)
    text = "\n".join(survey.texts.get(name, "") for name in names).lower()
    return frozenset(need for need, pattern in _WORDS.items() if re.search(pattern, text))


def describe_app(survey: Survey, stack: Stack) -> App:
    """How an app in this language is built and run here."""
    make = {
        Stack.NODE: _node,
        Stack.PYTHON: _python,
        Stack.GO: _go,
        Stack.RUBY: _ruby,
    }[stack]
    return make(survey)


def _node(survey: Survey) -> App:
    sources = None
    if not survey.has("package.json"):
        sources = {
            "package.json": '{\n  "name": "app",\n  "private": true,\n  "scripts": {\n'
            '    "dev": "node --watch server.js",\n    "start": "node server.js"\n  }\n}\n',
            "server.js": 'const http = require("node:http");\n\n'
            'http\n  .createServer((request, response) => response.end("It runs.\\n"))\n'
            '  .listen(3000, "0.0.0.0");\n',
        }
    scripts = _scripts(survey)
    lock, install, run = _node_manager(survey)
    develop, start = (
        [*run.split(), script] if sources or script in scripts else None
        for script in ("dev", "start")
    )
    entry = _node_start(survey) if develop is None or start is None else None
    if entry is not None:
        develop, start = develop or start or ["node", "--watch", entry], start or ["node", entry]
    develop, start = develop or start, start or develop
    missing = None if start else "index.js"
    start = start or ["node", "index.js"]
    builder = f"RUN {run} build\n" if "build" in scripts else ""
    files = f"package.json{f' {lock}' if lock else '*'}"
    text = f"""\
FROM node:22-slim AS base
WORKDIR /app

FROM base AS dependencies
COPY {files} ./
RUN {install}

FROM base AS development
ENV NODE_ENV=development
COPY --from=dependencies --chown=node:node /app/node_modules ./node_modules
COPY --chown=node:node . .
USER node
EXPOSE 3000
CMD {json.dumps(develop or start)}

FROM dependencies AS builder
COPY . .
{builder}
FROM base AS production
ENV NODE_ENV=production
COPY --from=builder --chown=node:node /app ./
USER node
EXPOSE 3000
CMD {json.dumps(start)}
"""
    return App(Stack.NODE, 3000, text, ("/app/node_modules",), sources, missing=missing)


def _scripts(survey: Survey) -> dict[str, Any]:
    scripts = _json(survey.texts.get("package.json", "")).get("scripts")
    return scripts if isinstance(scripts, dict) else {}


def _node_start(survey: Survey) -> str | None:
    """The file that a package starts with, or the script that starts it; None for neither."""
    scripts = _scripts(survey)
    for script in ("start", "dev"):
        for word in str(scripts.get(script, "")).split():
            if word.removeprefix("./") in survey.files and word.endswith((".js", ".mjs", ".cjs")):
                return word.removeprefix("./")
    main = _json(survey.texts.get("package.json", "")).get("main")
    named = survey.has(str(main).removeprefix("./"), *_ENTRIES)
    return named or next((script for script in ("start", "dev") if script in scripts), None)


def _node_manager(survey: Survey) -> tuple[str | None, str, str]:
    """Lock file, install command, and how a script is run."""
    if survey.has("pnpm-lock.yaml"):
        return (
            "pnpm-lock.yaml",
            "corepack enable && pnpm install --frozen-lockfile",
            "pnpm run",
        )
    if survey.has("yarn.lock"):
        manager = str(_json(survey.texts.get("package.json", "")).get("packageManager", ""))
        berry = survey.has(".yarnrc.yml") or re.match(r"yarn@(?!1\.)", manager)
        frozen = "--immutable" if berry else "--frozen-lockfile"
        return "yarn.lock", f"corepack enable && yarn install {frozen}", "yarn run"
    lock = survey.has("package-lock.json", "npm-shrinkwrap.json")
    return lock, "npm ci" if lock else "npm install", "npm run"


def _python(survey: Survey) -> App:
    sources = None
    manifests = " ".join(
        survey.texts.get(name, "") for name in ("pyproject.toml", "requirements.txt", "Pipfile")
    ).lower()
    if find_stack(survey) is not Stack.PYTHON:
        sources = {
            "main.py": "from http.server import BaseHTTPRequestHandler, HTTPServer\n\n\n"
            "class Handler(BaseHTTPRequestHandler):\n    def do_GET(self) -> None:\n"
            "        self.send_response(200)\n        self.end_headers()\n"
            '        self.wfile.write(b"It runs.\\n")\n\n\n'
            'HTTPServer(("0.0.0.0", 8000), Handler).serve_forever()\n',
            "requirements.txt": "",
        }
    copy, install = _python_install(survey)
    command = _python_command(survey, manifests)
    text = f"""\
FROM python:3.13-slim AS base
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PATH=/venv/bin:$PATH
RUN python -m venv /venv && useradd --create-home app
WORKDIR /app

FROM base AS dependencies
COPY {copy} ./
RUN {install}

FROM dependencies AS development
COPY --chown=app:app . .
USER app
EXPOSE 8000
CMD {json.dumps(command)}

FROM dependencies AS production
COPY --chown=app:app . .
USER app
EXPOSE 8000
CMD {json.dumps([word for word in command if word not in ("--reload", "--debug")])}
"""
    named = next((word for word in command if word.endswith(".py")), None)
    missing = named if named and not sources and named not in survey.files else None
    return App(Stack.PYTHON, 8000, text, (), sources, missing=missing)


def _python_install(survey: Survey) -> tuple[str, str]:
    """What is copied for the install, and the install."""
    if survey.has("uv.lock"):
        sync = "UV_PROJECT_ENVIRONMENT=/venv uv sync --frozen --no-install-project"
        return "pyproject.toml uv.lock", f"pip install uv && {sync}"
    if survey.has("poetry.lock"):
        return (
            "pyproject.toml poetry.lock",
            "pip install poetry && poetry install --no-root --no-interaction",
        )
    if survey.has("requirements.txt"):
        return "requirements.txt", "pip install -r requirements.txt"
    if survey.has("Pipfile.lock"):
        return "Pipfile Pipfile.lock", "pip install pipenv && pipenv install --system --deploy"
    if survey.has("pyproject.toml", "setup.py"):
        return ".", "pip install ."
    return "requirements.txt", "pip install -r requirements.txt"


def _python_command(survey: Survey, manifests: str) -> list[str]:
    if survey.has("manage.py"):
        return ["python", "manage.py", "runserver", "0.0.0.0:8000"]
    module = survey.has("main.py", "app.py", "app/main.py", "src/main.py") or "main.py"
    dotted = module.removesuffix(".py").replace("/", ".")
    if "fastapi" in manifests or "uvicorn" in manifests:
        words = ["uvicorn", f"{dotted}:app", "--host", "0.0.0.0", "--port", "8000"]
        return [*words, "--reload"]
    if "flask" in manifests:
        return ["flask", "--app", dotted, "run", "--host", "0.0.0.0", "--port", "8000", "--debug"]
    packages = sorted(name for name in survey.files if re.fullmatch(r"\w+/__main__\.py", name))
    if packages and module not in survey.files:
        return ["python", "-m", packages[0].split("/")[0]]
    return ["python", module]


def _go(survey: Survey) -> App:
    sources = None
    if not survey.has("go.mod"):
        sources = {
            "go.mod": "module app\n\ngo 1.23\n",
            "main.go": 'package main\n\nimport (\n\t"fmt"\n\t"net/http"\n)\n\nfunc main() {\n'
            '\thttp.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) '
            '{ fmt.Fprintln(w, "It runs.") })\n'
            '\tpanic(http.ListenAndServe("0.0.0.0:8080", nil))\n}\n',
        }
    commands = sorted(
        {name.split("/")[1] for name in survey.files if re.match(r"cmd/[^/]+/main\.go$", name)}
    )
    package = f"./cmd/{commands[0]}" if commands and not survey.has("main.go") else "."
    modules = "go.mod go.sum" if survey.has("go.sum") else "go.mod"
    text = f"""\
FROM golang:1.23-bookworm AS base
WORKDIR /app
COPY {modules} ./
RUN go mod download

FROM base AS development
RUN useradd --create-home app
COPY --chown=app:app . .
USER app
EXPOSE 8080
CMD ["go", "run", "{package}"]

FROM base AS builder
COPY . .
RUN CGO_ENABLED=0 go build -o /out/app {package}

FROM gcr.io/distroless/static-debian12:nonroot AS production
COPY --from=builder /out/app /app
USER nonroot
EXPOSE 8080
ENTRYPOINT ["/app"]
"""
    return App(Stack.GO, 8080, text, (), sources)


def _ruby(survey: Survey) -> App:
    sources = None
    if not survey.has("Gemfile"):
        sources = {
            "Gemfile": 'source "https://rubygems.org"\n\ngem "webrick"\n',
            "app.rb": 'require "webrick"\n\n'
            'server = WEBrick::HTTPServer.new(BindAddress: "0.0.0.0", Port: 3000)\n'
            'server.mount_proc("/") { |_, response| response.body = "It runs.\\n" }\n'
            'trap("TERM") { server.shutdown }\nserver.start\n',
        }
    lock = " Gemfile.lock" if survey.has("Gemfile.lock") else ""
    if survey.has("bin/rails"):
        command = ["bin/rails", "server", "-b", "0.0.0.0", "-p", "3000"]
    elif survey.has("config.ru"):
        command = ["bundle", "exec", "rackup", "--host", "0.0.0.0", "--port", "3000"]
    else:
        command = ["bundle", "exec", "ruby", survey.has("app.rb", "main.rb") or "app.rb"]
    text = f"""\
FROM ruby:3.3-slim AS base
RUN apt-get update \\
    && apt-get install -y --no-install-recommends build-essential libpq-dev libyaml-dev \\
    && rm -rf /var/lib/apt/lists/* \\
    && useradd --create-home app
WORKDIR /app

FROM base AS dependencies
COPY Gemfile{lock} ./
RUN bundle install

FROM dependencies AS development
COPY --chown=app:app . .
USER app
EXPOSE 3000
CMD {json.dumps(command)}

FROM dependencies AS production
ENV RACK_ENV=production RAILS_ENV=production
COPY --chown=app:app . .
USER app
EXPOSE 3000
CMD {json.dumps(command)}
"""
    return App(Stack.RUBY, 3000, text, (), sources)


def _json(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
