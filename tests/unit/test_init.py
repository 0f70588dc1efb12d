"""`devenv init` on repositories of each kind: what it proposes is complete, checked, and unasked
for nothing is written."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from devenv.config.start.propose import propose_files
from devenv.config.start.survey import Need, Stack, Survey
from devenv.host.survey import load_survey
from tests.engine.project import clean_environ, devenv_argv

KINDS = {
    "node": {
        "package.json": '{"scripts": {"dev": "vite", "build": "vite build"}, '
        '"dependencies": {"pg": "8", "ioredis": "5"}}',
        "package-lock.json": "{}",
    },
    "node-pnpm": {"package.json": '{"scripts": {"start": "node ."}}', "pnpm-lock.yaml": ""},
    "python-fastapi": {"requirements.txt": "fastapi\npsycopg[binary]\n", "app/main.py": ""},
    "python-django": {"manage.py": "", "requirements.txt": "django\nmysqlclient\n"},
    "python-uv": {"pyproject.toml": '[project]\nname = "x"\n', "uv.lock": "", "main.py": ""},
    "go": {"go.mod": "module x\n", "go.sum": "", "cmd/server/main.go": "package main\n"},
    "ruby-rails": {"Gemfile": 'gem "pg"\ngem "sidekiq"\n', "Gemfile.lock": "", "bin/rails": ""},
    "node-yarn-1": {
        "package.json": '{"scripts": {"dev": "nodemon src/index.js", "test": "jest"}}',
        "yarn.lock": "# yarn lockfile v1\n",
        "src/index.js": "",
    },
    "ruby-with-assets": {"Gemfile": 'gem "rails"\n', "bin/rails": "", "package.json": "{}"},
    "java-with-assets": {
        "pom.xml": "<artifactId>postgresql</artifactId>",
        "package.json": '{"scripts": {"start": "webpack serve"}}',
    },
    "python-setup": {"setup.py": "", "shop/__main__.py": ""},
    "node-pnpm-vite": {
        "package.json": '{"packageManager": "pnpm@9.1.0", "scripts": {"dev": "vite", '
        '"build": "vite build", "preview": "vite preview"}}',
        "pnpm-lock.yaml": "",
    },
    "node-bun": {"package.json": '{"scripts": {"dev": "bun --hot index.ts"}}', "bun.lockb": ""},
    "python-poetry": {"pyproject.toml": "[tool.poetry]\n", "poetry.lock": "", "main.py": ""},
    "several-dockerfiles": {
        "api/Dockerfile": "FROM node:22-slim AS base\nFROM base AS dev\nUSER node\nEXPOSE 4000\n"
        'CMD ["node"]\n',
        "api/package.json": '{"dependencies": {"pg": "8"}}',
        "api/.dockerignore": ".git\n.env\nnode_modules\n",
        "services/mail/Dockerfile": "FROM node:22-slim\nUSER node\nEXPOSE 4000\n",
        "services/mail/.dockerignore": ".git\n.env\nnode_modules\n",
        "web/Dockerfile": "FROM nginx:1.27-alpine\nUSER nginx\nEXPOSE 80\n",
        "web/.dockerignore": ".git\n.env\nnode_modules\n",
        "tests/Dockerfile": "FROM node:22-slim\n",
        "package.json": '{"scripts": {"start": "turbo dev"}}',
    },
    "dockerfile-alone": {
        "Dockerfile": 'FROM node:22-slim AS dev\nUSER node\nEXPOSE 4000\nCMD ["node"]\n'
    },
    "nothing": {"README.md": "x\n"},
}
WANTED = {
    "node": {"compose.yaml", "Dockerfile", ".dockerignore", ".env.example", ".gitignore"},
    "dockerfile-alone": {"compose.yaml", ".dockerignore", ".gitignore"},
    "nothing": {"compose.yaml", ".env.example", ".gitignore"},
    "several-dockerfiles": {"compose.yaml", ".env.example", ".gitignore"},
    "java-with-assets": {"compose.yaml", ".env.example", ".gitignore"},
}
SETTINGS = {"devenv.toml", "profiles/dev.toml"}


def make(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def run(root: Path, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    completed = subprocess.run(
        [*devenv_argv(), *arguments],
        cwd=root,
        env={**clean_environ(root.parent / "cache"), "DOCKER_HOST": "unix:///nowhere"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert completed.returncode == code, completed.stdout + completed.stderr
    return completed


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_passes_its_own_checks(kind: str, tmp_path: Path) -> None:
    root = make(tmp_path / "shop", KINDS[kind])
    subprocess.run(("git", "init", "-q", "-b", "trunk"), cwd=root, check=True)
    before = {path for path in root.rglob("*") if ".git/" not in str(path)}
    proposed = {one["path"] for one in json.loads(run(root, "init", "--format", "json").stdout)}
    assert proposed >= SETTINGS | WANTED.get(kind, {"compose.yaml", "Dockerfile"})
    run(root, "init", "--dry-run")
    assert "--yes" in run(root, "init", code=2).stderr
    assert {path for path in root.rglob("*") if ".git/" not in str(path)} == before
    run(root, "init", "--yes")
    assert 'default_branch = "trunk"' in (root / "devenv.toml").read_text()
    found = json.loads(run(root, "check", "--format", "json", "--fail-on", "never").stdout)
    bad = [f for f in found["findings"] if f["severity"] in ("error", "warning")]
    assert bad == []
    assert "Nothing to add" in run(root, "init", "--yes").stderr


@pytest.mark.parametrize("stack", Stack)
def test_a_first_app_where_there_is_none(stack: Stack) -> None:
    proposed = {one.path: one for one in propose_files(Survey("x"), stack=stack, needs=[])}
    dockerfile = proposed["Dockerfile"].text
    assert " AS development\n" in dockerfile and " AS production\n" in dockerfile
    assert any("It runs." in one.text for one in proposed.values())
    assert "depends_on" not in proposed["compose.yaml"].text


def test_a_compose_project_gets_profiles_and_keeps_its_files(tmp_path: Path) -> None:
    root = make(
        tmp_path,
        {
            "docker-compose.yml": "services:\n  a: {image: a, profiles: [search, '$X']}\n",
            "docker-compose.debug.yml": "services:\n  a: {ports: !override []}\n",
            "docker-compose.override.yml": "services: {}\n",
            "profiles/search.toml": "",
        },
    )
    survey = load_survey(root, os.environ)
    assert survey.compose_files == ("docker-compose.yml",)
    assert survey.overrides == ("docker-compose.debug.yml",)
    proposed = {one.path: one.text for one in propose_files(survey)}
    assert set(proposed) == {"devenv.toml", "profiles/dev.toml", "profiles/debug.toml"}
    assert 'files = ["../docker-compose.debug.yml"]' in proposed["profiles/debug.toml"]


def test_needs_are_found_and_can_be_said() -> None:
    survey = Survey(
        "x", frozenset({"package.json"}), {"package.json": '{"dependencies": {"pg": "8"}}'}
    )
    assert "postgres:16" in propose_files(survey)[0].text
    text = propose_files(survey, needs=[Need.REDIS])[0].text
    assert "redis:7-alpine" in text and "postgres" not in text


def test_gitignore_is_added_to_and_not_twice(tmp_path: Path) -> None:
    make(tmp_path, {"go.mod": "module x\n", ".gitignore": "bin"})
    proposed = {one.path: one for one in propose_files(load_survey(tmp_path, os.environ))}
    assert proposed[".gitignore"].text == "bin\n.env\n"
    make(tmp_path, {".gitignore": "/.env\n"})
    survey = load_survey(tmp_path, os.environ)
    assert ".gitignore" not in {one.path for one in propose_files(survey)}


def proposed_texts(root: Path) -> dict[str, tuple[str, str]]:
    """Path of each proposed file to its text and its cause."""
    return {one.path: (one.text, one.cause) for one in propose_files(load_survey(root, os.environ))}


def test_a_start_command_names_what_is_there(tmp_path: Path) -> None:
    root = make(tmp_path / "one", KINDS["node-yarn-1"])
    text, _ = proposed_texts(root)["Dockerfile"]
    assert "yarn install --frozen-lockfile\n" in text
    assert 'CMD ["yarn", "run", "dev"]' in text and 'CMD ["node", "src/index.js"]' in text
    (root / ".yarnrc.yml").write_text("")
    assert "yarn install --immutable\n" in proposed_texts(root)["Dockerfile"][0]
    text, cause = proposed_texts(make(tmp_path / "two", {"package.json": "{}"}))["Dockerfile"]
    assert 'CMD ["node", "index.js"]' in text and "in place of index.js, which is not" in cause
    text, cause = proposed_texts(make(tmp_path / "three", KINDS["python-setup"]))["Dockerfile"]
    assert "COPY . ./\nRUN pip install .\n" in text and 'CMD ["python", "-m", "shop"]' in text
    text, cause = proposed_texts(make(tmp_path / "four", {"setup.py": ""}))["Dockerfile"]
    assert "in place of main.py" in cause


def test_a_package_manager_is_there_when_the_app_runs(tmp_path: Path) -> None:
    text, _ = proposed_texts(make(tmp_path / "one", KINDS["node-pnpm-vite"]))["Dockerfile"]
    base = text[: text.index("AS dependencies")]
    assert "RUN npm install --global pnpm@9.1.0\n" in base
    assert 'CMD ["pnpm", "run", "dev", "--host", "0.0.0.0"]' in text
    assert 'CMD ["pnpm", "run", "preview", "--host", "0.0.0.0", "--port", "5173"]' in text
    assert text.count("EXPOSE 5173\n") == 2
    text, _ = proposed_texts(make(tmp_path / "two", KINDS["node-bun"]))["Dockerfile"]
    assert text.startswith("FROM oven/bun:1-slim AS base\n") and "USER bun\n" in text
    assert "COPY package.json bun.lockb ./\nRUN bun install --frozen-lockfile\n" in text
    text, _ = proposed_texts(make(tmp_path / "three", KINDS["node"]))["Dockerfile"]
    assert 'CMD ["npm", "run", "dev", "--", "--host", "0.0.0.0"]' in text
    files = {"package.json": '{"scripts": {"dev": "vite --host --port 8123"}}', ".nvmrc": "v20.1"}
    text, _ = proposed_texts(make(tmp_path / "four", files))["Dockerfile"]
    assert text.startswith("FROM node:20-slim ") and 'CMD ["npm", "run", "dev"]' in text
    assert "EXPOSE 8123\n" in text


@pytest.mark.parametrize(
    ("files", "image"),
    [
        ({"go.mod": "module x\n\ngo 1.25.1\n"}, "golang:1.25-bookworm"),
        ({"go.mod": "module x\n\ngo 1.19\n"}, "golang:1.23-bookworm"),
        ({"main.py": "", "setup.py": "", ".python-version": "3.12.4\n"}, "python:3.12-slim"),
        ({"pyproject.toml": '[project]\nrequires-python = ">=3.10,<3.12"\n'}, "python:3.11-slim"),
        ({"Gemfile": 'ruby "3.2.2"\n'}, "ruby:3.2.2-slim"),
    ],
)
def test_the_version_that_a_repository_asks_for(
    tmp_path: Path, files: dict[str, str], image: str
) -> None:
    text, _ = proposed_texts(make(tmp_path, files))["Dockerfile"]
    assert f"FROM {image} AS base\n" in text


def test_each_dockerfile_below_the_root_is_a_service(tmp_path: Path) -> None:
    found = proposed_texts(make(tmp_path, KINDS["several-dockerfiles"]))
    text, cause = found["compose.yaml"]
    assert "api/Dockerfile, services/mail/Dockerfile, web/Dockerfile, postgres" in cause
    services = yaml.safe_load(text)["services"]
    assert set(services) == {"api", "mail", "web", "db"}
    assert services["api"]["build"] == {"context": "./api", "target": "dev"}
    assert services["mail"]["build"] == {"context": "./services/mail"}
    ports = {name: services[name]["ports"][0] for name in ("api", "mail", "web")}
    assert ports == {
        "api": "${API_PORT:-4000}:4000",
        "mail": "${MAIL_PORT:-4001}:4000",
        "web": "${WEB_PORT:-8080}:80",
    }
    assert "Dockerfile" not in found


def test_what_is_not_recognised_is_said(tmp_path: Path) -> None:
    _, cause = proposed_texts(make(tmp_path, KINDS["nothing"]))["compose.yaml"]
    assert "no language was recognised" in cause and "--stack" in cause


def test_a_package_json_beside_another_language_is_not_the_app(tmp_path: Path) -> None:
    found = proposed_texts(make(tmp_path / "one", KINDS["java-with-assets"]))
    assert "Dockerfile" not in found
    text, cause = found["compose.yaml"]
    assert text.startswith("services:\n  db:\n    image: postgres") and "the Java app" in cause
    found = proposed_texts(make(tmp_path / "two", KINDS["ruby-with-assets"]))
    assert "ruby:" in found["Dockerfile"][0]
    found = proposed_texts(make(tmp_path / "three", {"shop.slnx": "", "package.json": "{}"}))
    assert ".NET app" in found["compose.yaml"][1]
    tools = {"go.mod": "module x\n", "package.json": '{"devDependencies": {}}'}
    assert "golang" in proposed_texts(make(tmp_path / "four", tools))["Dockerfile"][0]
