"""Which language a repository is written in, how it is run while it is developed, what it needs."""

from __future__ import annotations

import json
import re

from devenv.config.start.node import describe_node, find_node_start
from devenv.config.start.survey import App, Need, Stack, Survey

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


def find_stack(survey: Survey) -> Stack | None:
    """The language that the repository is run in; None where there is no start for it."""
    signed = next((stack for stack, names in _SIGNS if survey.has(*names)), None)
    if signed is not None:
        return signed
    if find_foreign(survey) is not None:
        return None
    found = [stack for stack, names in _MANIFESTS if survey.has(*names)]
    if len(found) > 1 and found[0] is Stack.NODE and find_node_start(survey) is None:
        return found[1]
    return found[0] if found else None


def find_foreign(survey: Survey) -> str | None:
    """The language of a repository for which there is no start, where its manifest is there."""
    if any(name.endswith(_DOTNET) and "/" not in name for name in survey.files):
        return ".NET"
    return next((name for name, names in _FOREIGN.items() if survey.has(*names)), None)


def find_needs(survey: Survey) -> frozenset[Need]:
    """The services that the manifests name a client of, those beside a Dockerfile among them."""
    names = [name for _, manifests in _MANIFESTS for name in manifests]
    names += sorted(FOREIGN_MANIFESTS)
    texts = (text for path, text in survey.texts.items() if path.rpartition("/")[2] in names)
    text = "\n".join(texts).lower()
    return frozenset(need for need, pattern in _WORDS.items() if re.search(pattern, text))


def describe_app(survey: Survey, stack: Stack) -> App:
    """How an app in this language is built and run here."""
    make = {
        Stack.NODE: describe_node,
        Stack.PYTHON: _python,
        Stack.GO: _go,
        Stack.RUBY: _ruby,
    }[stack]
    return make(survey)


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
FROM python:{_python_version(survey)}-slim AS base
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 VIRTUAL_ENV=/venv PATH=/venv/bin:$PATH
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
FROM golang:{_go_version(survey)}-bookworm AS base
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
FROM ruby:{_ruby_version(survey)}-slim AS base
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


def _python_version(survey: Survey) -> str:
    """What the repository is pinned to, else a version that most packages have wheels for."""
    pinned = re.match(r"(?:cpython-)?(3\.\d+)", survey.texts.get(".python-version", "").strip())
    if pinned is not None:
        return pinned[1]
    text = survey.texts.get("pyproject.toml", "")
    wanted = re.search(r'^(?:requires-python|python)\s*=\s*["\']([^"\']+)', text, re.MULTILINE)
    below = re.search(r"<\s*3\.(\d+)", wanted[1]) if wanted is not None else None
    return f"3.{min(13, int(below[1]) - 1)}" if below is not None else "3.13"


def _go_version(survey: Survey) -> str:
    """Not below what go.mod asks for: the image does not fetch another toolchain."""
    text = survey.texts.get("go.mod", "")
    asked = re.search(r"^go 1\.(\d+)", text, re.MULTILINE)
    return f"1.{max(23, int(asked[1]) if asked is not None else 0)}"


def _ruby_version(survey: Survey) -> str:
    """What the repository is pinned to; Bundler refuses another one that its Gemfile names."""
    pinned = re.match(
        r"(?:ruby-)?(\d+\.\d+(?:\.\d+)?)", survey.texts.get(".ruby-version", "").strip()
    )
    named = re.search(
        r"^ruby [\"'](\d+\.\d+(?:\.\d+)?)[\"']", survey.texts.get("Gemfile", ""), re.MULTILINE
    )
    found = named or pinned
    return found[1] if found is not None else "3.3"
