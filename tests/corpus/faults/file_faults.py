"""Faults of what the model names, of env files, images and Dockerfiles."""

from __future__ import annotations

from tests.corpus.faults.fault import Expected, at, planted
from tests.corpus.faults.project import Model

TOKEN = "q8Zt2mVx0LrW7sYb4NcHdK1e"
SECRET = "correct-horse-7"
IN_FILES = ("block", "include", "named_files", "profile")


@planted("build-context-missing", "app")
def context_long(model: Model) -> list[Expected]:
    model.services["app"]["build"]["context"] = "./ap"
    return [at("app", "app", "build", "context")]


@planted("build-context-missing", "tool")
def context_short(model: Model) -> list[Expected]:
    model.services["tool"] = {"build": "./tool"}
    return [at("tool", "tool", "build")]


@planted("dockerfile-missing", "app")
def dockerfile_missing(model: Model) -> list[Expected]:
    model.services["app"]["build"]["dockerfile"] = "Dockerfile.dev"
    return [at("app", "app", "build", "dockerfile")]


@planted("dockerfile-missing", "tool")
def dockerfile_missing_short(model: Model) -> list[Expected]:
    model.services["tool"] = {"build": "./tool"}
    model.files["tool/main.sh"] = "\n"
    return [at("tool", "tool", "build")]


@planted("dockerfile-syntax", "app", layouts=IN_FILES)
def dockerfile_syntax(model: Model) -> list[Expected]:
    model.edit("app/Dockerfile", "RUN npm ci", "RUM npm ci")
    return [at("app", file="app/Dockerfile", needle="RUM")]


@planted("target-missing", "app")
def target(model: Model) -> list[Expected]:
    model.services["app"]["build"]["target"] = "devel"
    return [at("app", "app", "build", "target")]


@planted("copy-source-missing", "app", layouts=IN_FILES)
def copy_missing(model: Model) -> list[Expected]:
    model.edit("app/Dockerfile", "package-lock.json", "yarn.lock")
    return [at("app", file="app/Dockerfile", needle="yarn.lock")]


@planted("copy-source-missing", "app", layouts=IN_FILES)
def copy_ignored(model: Model) -> list[Expected]:
    model.files["app/.dockerignore"] = "node_modules\n.env\npackage*.json\n"
    one = at("app", file="app/Dockerfile", needle="package.json")
    return [one, one]


@planted("bind-source-missing", "worker")
def bind_short(model: Model) -> list[Expected]:
    model.services["worker"]["volumes"] = ["./.gitignore:/a", "./ngnix.conf:/etc/nginx.conf:ro"]
    return [at("worker", "worker", "volumes", 1)]


@planted("bind-source-missing", "worker", severity="error")
def bind_long(model: Model) -> list[Expected]:
    model.services["worker"]["volumes"] = [
        {
            "type": "bind",
            "source": "./seed",
            "target": "/seed",
            "bind": {"create_host_path": False},
        }
    ]
    return [at("worker", "worker", "volumes", 0)]


@planted("secret-file-missing", "worker")
def secret_file(model: Model) -> list[Expected]:
    model.services["worker"]["secrets"] = ["password"]
    model.document["secrets"] = {"password": {"file": "./password.txt"}}
    return [at("worker", "..", "secrets", "password", "file")]


@planted("port-conflict", "worker")
def port_short(model: Model) -> list[Expected]:
    model.services["worker"]["ports"] = ["9000", "8025:80"]
    return [at("worker", "worker", "ports", 1) | at("mail", "mail", "ports", 0)]


@planted("port-conflict", "worker")
def port_range(model: Model) -> list[Expected]:
    model.services["worker"]["ports"] = ["127.0.0.1:8020-8030:80-90/tcp"]
    return [at("worker", "worker", "ports", 0) | at("mail", "mail", "ports", 0)]


@planted("port-conflict", "worker")
def port_long(model: Model) -> list[Expected]:
    model.services["worker"]["ports"] = [
        {"target": 90, "published": "9090"},
        {"target": 80, "published": "8080", "host_ip": "127.0.0.1", "protocol": "tcp"},
    ]
    return [at("worker", "worker", "ports", 1) | at("app", "app", "ports", 0)]


@planted("port-conflict", "mail")
def port_replicas(model: Model) -> list[Expected]:
    model.services["mail"]["deploy"] = {"replicas": 2}
    return [at("mail", "mail", "ports", 0)]


@planted("fixed-name", "worker")
def container_name(model: Model) -> list[Expected]:
    model.services["worker"]["container_name"] = "worker"
    return [at("worker", "worker", "container_name")]


@planted("fixed-address", "worker", severity="info")
def address(model: Model) -> list[Expected]:
    model.services["worker"]["environment"]["MAIL_URL"] = "http://localhost:8025/inbox"
    return [at("worker", "worker", "environment", "MAIL_URL")]


@planted("mount-hides-build", "app")
def mount(model: Model) -> list[Expected]:
    model.services["app"]["volumes"] = ["data:/data", "./app:/srv"]
    return [at("app", "app", "volumes", 1)]


@planted("env-undefined", "worker")
def undefined(model: Model) -> list[Expected]:
    model.services["worker"]["environment"]["REGION"] = "${REGION}-1"
    return [at("worker", "worker", "environment", "REGION")]


@planted("env-required", "worker")
def required(model: Model) -> list[Expected]:
    model.services["worker"]["environment"]["REGION"] = "${REGION:?set it}"
    return [at("worker", "worker", "environment", "REGION")]


@planted("env-required", "worker")
def required_in_image(model: Model) -> list[Expected]:
    model.services["worker"]["image"] = "example.com/shop/worker:${WORKER_TAG?}"
    return [at("worker", "worker", "image")]


@planted("env-file-missing", "worker")
def env_file_short(model: Model) -> list[Expected]:
    model.services["worker"]["env_file"] = "worker.env"
    return [at("worker", "worker", "env_file")]


@planted("env-file-missing", "worker")
def env_file_list(model: Model) -> list[Expected]:
    model.files["a.env"] = "A=1\n"
    model.services["worker"]["env_file"] = ["a.env", "worker.env"]
    return [at("worker", "worker", "env_file", 1)]


@planted("env-file-missing", "worker")
def env_file_long(model: Model) -> list[Expected]:
    model.services["worker"]["env_file"] = [{"path": "./worker.env", "required": True}]
    return [at("worker", "worker", "env_file", 0, "path")]


@planted("secret-in-compose", "worker")
def secret_map(model: Model) -> list[Expected]:
    model.services["worker"]["environment"]["API_TOKEN"] = TOKEN
    return [at("worker", "worker", "environment", "API_TOKEN")]


@planted("secret-in-compose", "worker")
def secret_list(model: Model) -> list[Expected]:
    model.services["worker"]["environment"] = ["QUEUE=orders", f"DB_PASSWORD={SECRET}"]
    return [at("worker", "worker", "environment", 1)]


@planted("secret-in-compose", "app")
def secret_argument(model: Model) -> list[Expected]:
    model.services["app"]["build"]["args"] = {"NPM_TOKEN": TOKEN}
    return [at("app", "app", "build", "args", "NPM_TOKEN")]


@planted("image-unpinned", "worker")
def image_without_tag(model: Model) -> list[Expected]:
    model.services["worker"]["image"] = "registry.example.com:5000/shop/worker"
    return [at("worker", "worker", "image")]


@planted("image-unpinned", "worker")
def image_latest(model: Model) -> list[Expected]:
    model.services["worker"]["image"] = "example.com/shop/worker:latest"
    return [at("worker", "worker", "image")]


def _env(model: Model, line: str, after: str = "") -> None:
    """A line at the end of .env, and its name in the example and in the Compose file."""
    model.files[".env"] = f"{model.files['.env']!s}{line}\n{after}"


def _use(model: Model, *names: str) -> None:
    """Names that the example has and the model uses."""
    for name in names:
        model.files[".env.example"] = f"{model.files['.env.example']!s}{name}=\n"
        model.services["worker"]["environment"][name] = f"${{{name}}}"


def _planted_env(
    rule: str, line: str, needle: str, *names: str, severity: str | None = None
) -> None:
    def plant(model: Model) -> list[Expected]:
        _env(model, line)
        _use(model, *names)
        return [at(None, file=".env", needle=needle)]

    plant.__name__ = f"{rule}: {line.splitlines()[-1][:30]}"
    planted(rule, "worker", severity=severity, layouts=IN_FILES)(plant)


_planted_env("env-syntax", "GREETING='hello", "GREETING", "GREETING")
_planted_env("env-syntax", 'GREETING="hello\nMORE=1', "GREETING", "GREETING")
_planted_env("env-syntax", "BAD-;KEY=1", "BAD-;KEY")
_planted_env("env-syntax", "GREETING=${", "GREETING", "GREETING")
_planted_env("env-empty-name", "=1", "=1", severity="warning")
_planted_env("env-nul", "GREETING=a\0b", "GREETING", "GREETING", severity="warning")
_planted_env("env-duplicate", "DB_PASSWORD=changeme2", "changeme2")
_planted_env("env-dollar", "GREETING=pa$sword", "GREETING", "GREETING")
_planted_env("env-dollar", 'GREETING="pa$sword"', "GREETING", "GREETING")
_planted_env("env-comment-kept", "GREETING=hello\t# to all", "GREETING", "GREETING")
_planted_env("env-escape", 'GREETING="C:\\temp\\new"', "GREETING", "GREETING")
_planted_env("env-text-after-quote", 'GREETING="hello"all', "GREETING", "GREETING")
_planted_env("env-reference-order", "GREETING=$LATER\nLATER=1", "GREETING", "GREETING", "LATER")
_planted_env("env-passthrough-unset", "GREETING\n# end", "GREETING", "GREETING")
_planted_env("env-misspelt", "GREETNG=hello", "GREETNG", "GREETING")
_planted_env("env-unused", "NOBODY_USES=1", "NOBODY_USES")
_planted_env("env-reads-differently", "GREETING='${DB_PASSWORD}'", "GREETING", "GREETING")


@planted("env-encoding", "worker", layouts=IN_FILES)
def windows_env(model: Model) -> list[Expected]:
    model.files[".env"] = b"DB_PASSWORD=changeme\r\n"
    return [at(None, file=".env", needle="DB_PASSWORD") | at(None, file=".env")]


@planted("env-encoding", "worker", layouts=IN_FILES)
def env_with_mark(model: Model) -> list[Expected]:
    model.files[".env"] = b"\xef\xbb\xbfDB_PASSWORD=changeme\n"
    return [at(None, file=".env", needle="DB_PASSWORD") | at(None, file=".env")]


@planted("env-example-drift", "worker", layouts=("block",))
def drift(model: Model) -> list[Expected]:
    model.files[".env.example"] = "DB_PASSWORD=changeme\nREGION=eu\n"
    return [at(None, file=".env.example", needle="REGION") | at(None, file=".env")]


@planted("env-example-missing", "worker", layouts=("block",))
def no_example(model: Model) -> list[Expected]:
    del model.files[".env.example"]
    return [at(None, file=".env")]


@planted("env-shadowed", "worker", layouts=("block",))
def shadowed(model: Model) -> list[Expected]:
    model.environ["DB_PASSWORD"] = "another"
    return [at(None, file=".env", needle="DB_PASSWORD")]


@planted("env-file-tracked", "worker", layouts=IN_FILES)
def tracked(model: Model) -> list[Expected]:
    model.tracked.append(".env")
    return [at(None, file=".env")]


@planted("env-file-tracked", "worker", severity="error", layouts=IN_FILES)
def tracked_secret(model: Model) -> list[Expected]:
    model.tracked.append(".env")
    _env(model, f"API_TOKEN={TOKEN}")
    _use(model, "API_TOKEN")
    return [at(None, file=".env", needle="API_TOKEN")]


@planted("env-file-not-ignored", "worker", layouts=("block",))
def not_ignored(model: Model) -> list[Expected]:
    model.files[".gitignore"] = "*.log\n"
    return [at(None, file=".env")]


@planted("env-permissions", "worker", layouts=("block",))
def permissions(model: Model) -> list[Expected]:
    model.modes[".env"] = 0o644
    _env(model, f"API_TOKEN={TOKEN}")
    _use(model, "API_TOKEN")
    return [at(None, file=".env")]


@planted("secret-in-example", "worker", layouts=IN_FILES)
def secret_in_example(model: Model) -> list[Expected]:
    _env(model, "API_TOKEN=changeme")
    _use(model, "API_TOKEN")
    model.files[".env.example"] = f"DB_PASSWORD=changeme\nAPI_TOKEN={TOKEN}\n"
    return [at(None, file=".env.example", needle="API_TOKEN")]


@planted("env-in-build-context", "app", layouts=IN_FILES)
def env_copied(model: Model) -> list[Expected]:
    model.files["app/.env"] = "LEVEL=info\n"
    model.files["app/.dockerignore"] = "node_modules\n.git\n"
    model.edit("app/Dockerfile", "USER node", "COPY . .\nUSER node")
    return [at("app", file="app/Dockerfile", needle="COPY . .")]


@planted("env-in-build-context", "app", severity="error", layouts=IN_FILES)
def env_copied_secret(model: Model) -> list[Expected]:
    model.files["app/.env"] = f"API_TOKEN={TOKEN}\n"
    model.files["app/.dockerignore"] = "node_modules\n.git\n"
    model.edit("app/Dockerfile", "USER node", "COPY ./ /srv/\nUSER node")
    return [at("app", file="app/Dockerfile", needle="COPY ./ ")]


@planted("base-unpinned", "app", layouts=IN_FILES)
def base(model: Model) -> list[Expected]:
    model.edit("app/Dockerfile", "FROM node:20-slim", "ARG TAG=latest\nFROM node:${TAG}")
    return [at("app", file="app/Dockerfile", needle="FROM node")]


@planted("base-not-slim", "app", layouts=IN_FILES)
def not_slim(model: Model) -> list[Expected]:
    model.edit("app/Dockerfile", "node:20-slim", "node:20")
    return [at("app", file="app/Dockerfile", needle="FROM node:20")]


@planted("copy-before-install", "app", layouts=IN_FILES)
def copy_first(model: Model) -> list[Expected]:
    model.edit("app/Dockerfile", "COPY package.json package-lock.json ./", "COPY . .")
    return [at("app", file="app/Dockerfile", needle="COPY . .")]


@planted("package-cache-left", "app", layouts=IN_FILES)
def cache_left(model: Model) -> list[Expected]:
    run = "RUN apt-get update && \\\n    apt-get install -y curl"
    model.edit("app/Dockerfile", "RUN npm ci", f"RUN npm ci\n{run}")
    return [at("app", file="app/Dockerfile", needle="RUN apt-get update")]


@planted("split-runs", "app", layouts=IN_FILES)
def split(model: Model) -> list[Expected]:
    model.edit("app/Dockerfile", "RUN npm ci", "RUN npm ci\nRUN apt-get update")
    return [at("app", file="app/Dockerfile", needle="RUN apt-get update")]


@planted("runs-as-root", "app", layouts=IN_FILES)
def root(model: Model) -> list[Expected]:
    model.edit("app/Dockerfile", "COPY src ./src\nCMD", "COPY src ./src\nUSER root\nCMD")
    return [at("app", file="app/Dockerfile", needle="USER root")]


@planted("secret-in-image", "app", layouts=IN_FILES)
def secret_env(model: Model) -> list[Expected]:
    model.edit("app/Dockerfile", "USER node", f"ENV API_KEY={TOKEN}\nUSER node")
    return [at("app", file="app/Dockerfile", needle="ENV API_KEY")]


@planted("secret-in-image", "app", layouts=IN_FILES)
def secret_arg(model: Model) -> list[Expected]:
    model.edit("app/Dockerfile", "USER node", f'ARG NPM_TOKEN="{TOKEN}"\nUSER node')
    return [at("app", file="app/Dockerfile", needle="ARG NPM_TOKEN")]


@planted("secret-in-image", "app", layouts=IN_FILES)
def secret_key(model: Model) -> list[Expected]:
    model.files["app/id_rsa"] = "\n"
    model.edit("app/Dockerfile", "USER node", "COPY id_rsa /root/.ssh/id_rsa\nUSER node")
    return [at("app", file="app/Dockerfile", needle="COPY id_rsa")]


@planted("dockerignore-missing", "app", layouts=IN_FILES)
def no_ignore(model: Model) -> list[Expected]:
    del model.files["app/.dockerignore"]
    model.edit("app/Dockerfile", "USER node", "COPY . .\nUSER node")
    return [at("app", file="app/Dockerfile", needle="COPY . .")]


@planted("dockerignore-incomplete", "app", layouts=IN_FILES)
def ignore_incomplete(model: Model) -> list[Expected]:
    model.files["app/.dockerignore"] = "*.log\n"
    model.edit("app/Dockerfile", "USER node", "COPY . .\nUSER node")
    return [at("app", file="app/.dockerignore")]


@planted("dockerignore-syntax", "app", layouts=IN_FILES)
def ignore_syntax(model: Model) -> list[Expected]:
    model.files["app/.dockerignore"] = "node_modules\n[a-\n"
    return [at("app", file="app/.dockerignore", needle="[a-")]


@planted("single-stage", "tool", layouts=IN_FILES)
def single(model: Model) -> list[Expected]:
    model.services["tool"] = {"build": {"context": "./tool"}}
    model.files["tool/Dockerfile"] = "FROM golang:1.23-alpine\nRUN go build -o /tool\nUSER 10\n"
    return [at("tool", file="tool/Dockerfile", needle="RUN go build")]


@planted("development-target-unused", "app")
def target_unused(model: Model) -> list[Expected]:
    del model.services["app"]["build"]["target"]
    return [at("app", "app", "build")]


@planted("no-digest", "worker")
def digest(model: Model) -> list[Expected]:
    model.services["worker"]["image"] = "example.com/shop/worker:1.3"
    return [at("worker", "worker", "image")]


@planted("env-not-passed", "worker")
def not_passed(model: Model) -> list[Expected]:
    model.services["worker"]["environment"] = ["QUEUE=orders", "REGION"]
    return [at("worker", "worker", "environment", 1)]


@planted("compose-invalid", "worker")
def invalid(model: Model) -> list[Expected]:
    model.services["worker"]["imagee"] = "example.com/shop/worker:1.3"
    return [at("worker", "worker", "imagee")]


@planted("compose-invalid", "worker")
def network_undefined(model: Model) -> list[Expected]:
    model.services["worker"]["networks"] = ["back"]
    return [at("worker", "worker", "networks", 0) | at("worker", "worker", "networks")]


@planted("ports-appended", "mail", layouts=("override",))
def appended(model: Model) -> list[Expected]:
    model.in_base["mail"] = {"ports": ["1025:8025"]}
    return [at("mail", "mail", "ports", 0)]


@planted("ports-appended", "mail", layouts=("override",))
def appended_long(model: Model) -> list[Expected]:
    model.in_base["mail"] = {"ports": ["127.0.0.1:${MAIL_PORT:-1025}:8025/tcp"]}
    model.services["mail"]["ports"] = ["9025:9025", {"target": 8025, "published": "8026"}]
    return [at("mail", "mail", "ports", 1)]
