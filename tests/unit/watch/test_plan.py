"""What a changed path means, shape by shape. Each case is a project and what is expected of it."""

from __future__ import annotations

import pytest

from tests.unit.watch.model import ROOT, actions, make_planner, plan

NODE = """\
FROM node:20 AS base
WORKDIR /app
COPY package*.json ./
RUN npm ci
COPY . .
CMD ["node", "server.js"]
"""
PACKAGE = '{"scripts": {"dev": "nodemon server.js", "start": "node server.js"}}'

CASES: dict[str, tuple[str, dict[str, str], dict[str, str]]] = {
    "copy without mounts": (
        "services: {app: {build: .}}",
        {"Dockerfile": NODE, "package.json": "{}", ".dockerignore": "*.log\ndocs\n"},
        {
            "package.json": "rebuild",
            "package-lock.json": "rebuild",
            "server.js": "sync+restart",
            "lib/deep/x.js": "sync+restart",
            "public/logo.png": "sync",
            "README.md": "sync",
            "Dockerfile": "rebuild",
            ".dockerignore": "rebuild",
            "Dockerfile.dockerignore": "rebuild",
            "debug.log": "ignore",
            "docs/guide.md": "ignore",
            "compose.yaml": "reload",
            ".env": "reload",
            ".server.js.swp": "ignore",
        },
    ),
    "a reloader": (
        "services: {app: {build: ., command: npm run dev}}",
        {"Dockerfile": NODE, "package.json": PACKAGE},
        {"server.js": "sync", "package.json": "rebuild"},
    ),
    "bind mount over the source, modules in a volume": (
        "services: {app: {build: ., command: npm run dev, volumes: ['.:/app', /app/node_modules]}}",
        {"Dockerfile": NODE, "package.json": PACKAGE},
        {
            "server.js": "live",
            "package.json": "rebuild",
            "package-lock.json": "rebuild",
            "node_modules/x/index.js": "sync",
            "Dockerfile": "rebuild",
        },
    ),
    "bind mount that hides the modules too": (
        "services: {app: {build: ., command: npm run dev, volumes: ['.:/app']}}",
        {"Dockerfile": NODE, "package.json": PACKAGE},
        {"server.js": "live", "package.json": "live", "package-lock.json": "live"},
    ),
    "install in the start command": (
        "services: {app: {build: ., command: sh -c x, volumes: ['.:/app', "
        "'m:/app/node_modules']}}".replace("sh -c x", "[sh, -c, 'npm install && npm run dev']"),
        {"Dockerfile": NODE, "package.json": PACKAGE},
        {"package.json": "restart", "package-lock.json": "restart", "server.js": "live"},
    ),
    "install in the start command of an image": (
        "services: {app: {image: 'node:20', working_dir: /app, volumes: ['./web:/app'],"
        " command: [sh, -c, 'yarn install && yarn start']}}",
        {"web/package.json": '{"scripts": {"start": "react-scripts start"}}'},
        {"web/yarn.lock": "restart", "web/src/a.js": "live", "other.js": "ignore"},
    ),
    "mounted, and the program keeps what it loaded": (
        "services: {app: {build: ., volumes: ['.:/app', /app/node_modules]}}",
        {"Dockerfile": NODE, "package.json": PACKAGE},
        {"server.js": "restart", "README.md": "live", "public/a.css": "live"},
    ),
    "what programs write into a mount while they run": (
        "services: {app: {build: ., volumes: ['./src:/app', './one.db:/one.db']}}",
        {"Dockerfile": NODE, "package.json": PACKAGE},
        {
            "src/log/development.log": "ignore",
            "src/tmp/pids/server.pid": "ignore",
            "src/shop.sqlite3": "ignore",
            "src/shop.sqlite3-wal": "ignore",
            "one.db": "live",
            "src/catalog.js": "restart",
            "src/db.js": "restart",
        },
    ),
    "a database's file that is copied": (
        "services: {app: {build: .}}",
        {"Dockerfile": "FROM x\nCOPY a.db b.js /app/\nCMD node b.js\n"},
        {"a.db": "sync", "b.js": "sync+restart"},
    ),
    "python, installed outside the mount": (
        "services: {app: {build: ., volumes: ['.:/code'], command: flask run --debug}}",
        {
            "Dockerfile": "FROM python:3\nWORKDIR /code\nCOPY requirements.txt requirements.txt\n"
            "RUN pip install -r requirements.txt\nCOPY . .\n",
        },
        {"requirements.txt": "rebuild", "app.py": "live"},
    ),
    "everything copied before the install, then mounted": (
        "services: {app: {build: ., volumes: ['.:/code'], command: flask run --debug}}",
        {
            "Dockerfile": "FROM python:3\nWORKDIR /code\nCOPY . /code/\n"
            "RUN pip install --no-cache-dir -r requirements.txt\n",
        },
        {"requirements.txt": "rebuild", "app.py": "live"},
    ),
    "everything copied before the install, not mounted": (
        "services: {app: {build: ., command: python app.py}}",
        {"Dockerfile": "FROM python:3\nWORKDIR /code\nCOPY . .\nRUN pip install -r r.txt\n"},
        {"r.txt": "rebuild", "app.py": "sync+restart"},
    ),
    "an unknown step after the copy": (
        "services: {app: {build: .}}",
        {
            "Dockerfile": "FROM node\nWORKDIR /app\nCOPY . .\nRUN npm run build\nCMD node "
            "dist/x.js\n"
        },
        {"src/a.js": "rebuild"},
    ),
    "a compiler whose result the mount hides": (
        "services: {app: {build: ., volumes: ['.:/app', /app/node_modules], command: npm run dev}}",
        {
            "Dockerfile": NODE.replace("CMD", "RUN npm run build\nCMD"),
            "package.json": PACKAGE,
        },
        {"src/a.js": "live", "package.json": "rebuild"},
    ),
    "a compiler whose result lies elsewhere": (
        "services: {app: {build: ., volumes: ['.:/src']}}",
        {
            "Dockerfile": "FROM golang\nWORKDIR /src\nCOPY go.mod go.sum ./\nRUN go mod download\n"
            "COPY . .\nRUN go build -o /usr/local/bin/app ./cmd\nCMD app\n",
        },
        {"cmd/main.go": "rebuild", "go.sum": "rebuild"},
    ),
    "stages": (
        "services: {dev: {build: {context: ., target: dev}}, prod: {build: .}}",
        {
            "Dockerfile": "FROM node AS deps\nWORKDIR /app\nCOPY package.json .\nRUN npm ci\n"
            "FROM deps AS dev\nCOPY src src\nCMD npx nodemon src/a.js\n"
            "FROM deps AS build\nCOPY . .\nRUN npm run build\n"
            "FROM nginx\nCOPY --from=build /app/dist /usr/share/nginx/html\n"
            "COPY nginx.conf /etc/nginx/nginx.conf\n",
            "package.json": "{}",
        },
        {
            "src/a.js": "dev sync, prod rebuild",
            "index.html": "prod rebuild",
            "package.json": "dev rebuild, prod rebuild",
            "nginx.conf": "prod rebuild",
        },
    ),
    "a server's own files": (
        "services: {web: {build: .}}",
        {"Dockerfile": "FROM nginx\nCOPY html /usr/share/nginx/html\nCOPY n.conf /etc/nginx/\n"},
        {"html/index.html": "sync", "n.conf": "sync+restart", "other": "ignore"},
    ),
    "images with mounts": (
        "services:\n"
        "  web: {image: nginx, volumes: ['./html:/usr/share/nginx/html', "
        "'./n.conf:/etc/nginx/nginx.conf:ro']}\n"
        "  db: {image: postgres, volumes: ['./init:/docker-entrypoint-initdb.d', "
        "'d:/var/lib/d']}\n",
        {},
        {
            "html/index.html": "live",
            "n.conf": "restart",
            "init/1.sql": "live",
            "elsewhere": "ignore",
        },
    ),
    "sources of a bind mount of RUN": (
        "services: {app: {build: ., volumes: ['.:/app'], command: flask run --debug}}",
        {
            "Dockerfile": "FROM python:3\nWORKDIR /app\n"
            "RUN --mount=type=bind,source=requirements.txt,target=/tmp/requirements.txt \\\n"
            "    pip install -r /tmp/requirements.txt\nCOPY . .\n",
        },
        {"requirements.txt": "rebuild", "app.py": "live"},
    ),
    "uv with bind mounts": (
        "services: {app: {build: ., volumes: ['.:/app', /app/.venv]}}",
        {
            "Dockerfile": "FROM python:3\nWORKDIR /app\n"
            "RUN --mount=type=bind,source=uv.lock,target=uv.lock \\\n"
            "    --mount=type=bind,source=pyproject.toml,target=pyproject.toml \\\n"
            "    uv sync --locked --no-install-project\nCOPY . .\nCMD fastapi dev\n",
        },
        {"uv.lock": "rebuild", "pyproject.toml": "rebuild", "main.py": "live"},
    ),
    "develop.watch": (
        """\
services:
  app:
    build: .
    develop:
      watch:
        - {path: ., action: sync, target: /app, ignore: [node_modules/, tests/]}
        - {path: package.json, action: rebuild}
        - {path: conf, action: sync+restart, target: /etc/app}
""",
        {"Dockerfile": NODE, "package.json": "{}", ".dockerignore": "secret\n"},
        {
            "server.js": "sync",
            "package.json": "rebuild",
            "package-lock.json": "rebuild",
            "conf/a.conf": "sync+restart",
            "tests/a.js": "ignore",
            "secret/a.js": "ignore",
            "Dockerfile": "rebuild",
            "compose.yaml": "reload",
        },
    ),
    "develop.watch of what a bind mount shows": (
        "services: {app: {build: ., volumes: ['./src:/app/src'], command: npm run dev, develop:"
        " {watch: [{path: ./src, action: sync, target: /app/src}]}}}",
        {"Dockerfile": NODE, "package.json": PACKAGE},
        {"src/a.js": "live"},
    ),
    "env files": (
        "services: {app: {image: x, env_file: [app.env]}, db: {image: y, env_file: [{path: "
        "app.env}]}}",
        {},
        {"app.env": "app reload, db reload", "other.env": "ignore"},
    ),
    "configs and secrets": (
        "services: {app: {image: x, configs: [{source: c, target: /etc/c.conf}], secrets: [s]}}\n"
        "configs: {c: {file: ./c.conf}}\nsecrets: {s: {file: ./s.txt}}\n",
        {},
        {"c.conf": "restart", "s.txt": "restart"},
    ),
    "nested mounts and tmpfs": (
        "services: {app: {image: x, command: sleep 1, volumes: ['.:/app', './b:/app/a',"
        " {type: tmpfs, target: /app/tmp}, cache:/app/cache]}}",
        {},
        {
            "x.js": "live",
            "a/y.js": "ignore",
            "b/y.js": "live",
            "tmp/z": "ignore",
            "cache/z": "ignore",
        },
    ),
    "a copy that a mount hides": (
        "services: {app: {build: ., command: sleep 1, volumes: ['./other:/app/src']}}",
        {"Dockerfile": "FROM x\nCOPY src /app/src\nCOPY lib /app/lib\n"},
        {"src/a.js": "ignore", "other/a.js": "live", "lib/a.js": "sync"},
    ),
    "another service's image": (
        "services: {base: {image: 'mine:1', build: ./base}, app: {build: ./app}, job: {image: "
        "'mine:1'}}",
        {
            "base/Dockerfile": "FROM x\nCOPY r.txt /r.txt\nRUN pip install -r /r.txt\n",
            "app/Dockerfile": "FROM mine:1\nCOPY . /app\n",
        },
        {
            "base/r.txt": "base rebuild, app rebuild, job rebuild",
            "base/Dockerfile": "base rebuild, app rebuild, job rebuild",
            "app/a.py": "app sync+restart",
        },
    ),
    "named contexts": (
        "services: {app: {build: {context: ./app, additional_contexts: {shared: ./shared}}}}",
        {"app/Dockerfile": "FROM x\nCOPY --from=shared lib /lib2\nCOPY a.txt /\n"},
        {"shared/lib/z.py": "sync+restart", "shared/other": "ignore", "app/b": "ignore"},
    ),
    "variables and arguments": (
        "services: {app: {build: {context: ., args: {DIR: web, BASE: dev}}}}",
        {
            "Dockerfile": "ARG BASE=prod\nFROM x AS dev\nCOPY d /d\nFROM x AS prod\nCOPY p /p\n"
            "FROM ${BASE}\nARG DIR=none\nENV TO=/srv/$DIR\nWORKDIR $TO\nCOPY ${DIR}/ .\n"
        },
        {"web/a": "sync+restart", "none/a": "ignore", "d": "sync+restart", "p": "ignore"},
    ),
    "remote and inline": (
        "services: {far: {build: 'https://example.org/x.git'}, near: {build: {context: .,"
        ' dockerfile_inline: "FROM x\\nCOPY a /a\\n"}}}',
        {},
        {"a": "near sync+restart", "b": "ignore", "Dockerfile": "ignore"},
    ),
    "a Dockerfile outside its context, with an ignore file of its own": (
        "services: {app: {build: {context: ./app, dockerfile: ../docker/web.Dockerfile}}}",
        {
            "docker/web.Dockerfile": "FROM x\nCOPY . /app\n",
            "docker/web.Dockerfile.dockerignore": "*.md\n",
            "app/.dockerignore": "*.txt\n",
        },
        {
            "docker/web.Dockerfile": "rebuild",
            "docker/web.Dockerfile.dockerignore": "rebuild",
            "app/a.md": "ignore",
            "app/a.txt": "sync+restart",
        },
    ),
    "a script that a step runs, a script that starts": (
        "services: {app: {build: ., volumes: ['.:/app']}}",
        {
            "Dockerfile": "FROM x\nWORKDIR /app\nCOPY . .\nRUN ./setup.sh\n"
            'ENTRYPOINT ["./start.sh"]\nCMD ["npx", "nodemon", "x.js"]\n',
            "start.sh": '#!/bin/sh\nexec "$@"\n',
            "setup.sh": "#!/bin/sh\n",
        },
        {"setup.sh": "rebuild", "start.sh": "restart", "x.js": "live"},
    ),
    "an install that is moved out of the mount": (
        "services: {app: {build: ., command: nodemon x.js, volumes: ['.:/app']}}",
        {
            "Dockerfile": "FROM node\nWORKDIR /app\nCOPY package*.json ./\n"
            "RUN npm ci && mv /app/node_modules /node_modules\nCOPY . .\n",
            "package.json": "{}",
        },
        {"package-lock.json": "rebuild", "x.js": "live"},
    ),
    "an install in a package of a workspace": (
        "services: {app: {build: ., command: npx vite}}",
        {
            "Dockerfile": "FROM node\nWORKDIR /app\nCOPY package.json bun.lock ./\n"
            "COPY web/package.json web/\nWORKDIR /app/web\nRUN bun install\nCOPY web .\n",
            "package.json": '{"workspaces": ["web"]}',
            "web/package.json": "{}",
        },
        {"bun.lock": "rebuild", "web/package.json": "rebuild", "web/x.ts": "sync"},
    ),
    "branches that the arguments leave out": (
        "services: {app: {build: {context: ., args: {MODE: development}}}}",
        {
            "Dockerfile": "FROM ruby\nWORKDIR /app\nARG MODE=production\nENV RAILS_ENV=$MODE\n"
            'COPY . .\nRUN if [ "${RAILS_ENV}" != "development" ]; then \\\n'
            "  bin/build; else mkdir -p public; fi\nCMD rails s\n",
        },
        {"app/a.rb": "sync"},
    ),
    "an install in a script of the project": (
        "services: {app: {build: ., command: uvicorn --reload x, volumes: ['.:/app']}}",
        {
            "Dockerfile": "FROM python:3\nWORKDIR /app\nCOPY pyproject.toml uv.lock ./\n"
            "ENV UV_PROJECT_ENVIRONMENT=/venv\nCOPY bin bin\nRUN chmod 755 bin/* && bin/install\n",
            "bin/install": "#!/usr/bin/env bash\nset -e\nuv sync --locked\n",
        },
        {"uv.lock": "rebuild", "bin/install": "rebuild", "x.py": "live"},
    ),
    "functions of a start script": (
        "services: {app: {build: ., command: ./run web, volumes: ['.:/app']}}",
        {
            "Dockerfile": "FROM node\nWORKDIR /app\n",
            "run": '#!/bin/sh\nweb() {\n  npx vite\n}\ndeps() {\n  npm ci\n}\n"$@"\n',
        },
        {"package.json": "live", "a.ts": "live", "run": "restart"},
    ),
    "documents and what is compiled": (
        "services: {app: {build: .}}",
        {
            "Dockerfile": "FROM golang AS b\nWORKDIR /s\nCOPY . .\nRUN go build -o /app\n"
            "FROM scratch\nCOPY --from=b /app /app\n",
        },
        {
            "main.go": "rebuild",
            "README.md": "ignore",
            ".gitignore": "ignore",
            "docker-compose.prod.yml": "ignore",
            "Dockerfile.prod": "ignore",
        },
    ),
    "a file that is copied out of what a mount shows": (
        "services: {app: {build: ., command: uvicorn --reload x, volumes: ['.:/app']}}",
        {
            "Dockerfile": "FROM python\nWORKDIR /app\nCOPY docker/start.sh /usr/local/bin/\n"
            'COPY . .\nENTRYPOINT ["start.sh"]\n',
            "docker/start.sh": '#!/bin/sh\nexec "$@"\n',
        },
        {"docker/start.sh": "sync+restart", "x.py": "live"},
    ),
    "settings of the package manager, and a pipe": (
        "services: {app: {build: .}}",
        {
            "Dockerfile": "FROM x\nCOPY s.list /etc/apt/sources.list.d/\nCOPY p.txt q.txt /tmp/\n"
            "RUN apt-get update && apt-get install -y git\nRUN cat /tmp/p.txt | tee /etc/p\n"
        },
        {"s.list": "rebuild", "p.txt": "rebuild", "q.txt": "sync+restart"},
    ),
    "requirements that include each other": (
        "services: {app: {build: ., volumes: ['.:/app'], command: flask --debug run}}",
        {
            "Dockerfile": "FROM python\nARG ENVIRONMENT=local\nCOPY requirements /req\n"
            "RUN pip install -r /req/${ENVIRONMENT}.txt\nWORKDIR /app\nCOPY . .\n",
        },
        {"requirements/local.txt": "rebuild", "requirements/base.txt": "rebuild", "a.txt": "live"},
    ),
    "a sum of a file": (
        "services: {app: {build: .}}",
        {"Dockerfile": "FROM x\nCOPY a.txt b.txt /tmp/\nRUN sha256sum /tmp/a.txt > /sum\n"},
        {"a.txt": "rebuild", "b.txt": "sync+restart"},
    ),
    "a mount of the whole machine": (
        "services: {monitor: {image: x, volumes: ['/:/host:ro', '/p/src:/src']}}",
        {},
        {"a.js": "ignore", "src/a.js": "live"},
    ),
    "read-only root filesystem": (
        "services: {app: {build: ., read_only: true}}",
        {"Dockerfile": "FROM x\nCOPY a.js /a.js\n"},
        {"a.js": "rebuild"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_actions(name: str) -> None:
    compose, files, expected = CASES[name]
    planner = make_planner(compose, files)
    found = {path: _shown(actions(planner, path), text) for path, text in expected.items()}
    assert found == expected


def _shown(found: dict[str | None, str], expected: str) -> str:
    if " " not in expected:
        return ", ".join(dict.fromkeys(found.values()))
    return ", ".join(f"{service} {action}" for service, action in found.items())


def test_nothing_is_live_on_a_remote_engine() -> None:
    compose = "services: {app: {image: x, command: sleep 1, volumes: ['./src:/app']}}"
    local, remote = make_planner(compose), make_planner(compose, is_local=False)
    assert actions(local, "src/a.js") == {"app": "live"}
    assert actions(remote, "src/a.js") == {"app": "sync"}
    assert plan(remote, "src/a.js")[0].target == "/app/a.js"


def test_only_rules_in_mode_compose() -> None:
    compose = (
        "services: {app: {build: ., develop: {watch: [{path: ./src, action: rebuild}]}},"
        " db: {image: x, command: sleep 1, volumes: ['./d:/d']}}"
    )
    planner = make_planner(compose, {"Dockerfile": NODE, "package.json": "{}"}, mode="compose")
    assert actions(planner, "src/a.js") == {"app": "rebuild"}
    assert actions(planner, "package.json") == {None: "ignore"}
    assert actions(planner, "d/x") == {"db": "live"}


def test_the_classic_builder_knows_no_ignore_file_beside_the_dockerfile() -> None:
    files = {"Dockerfile": "FROM x\nCOPY . /a\n", "Dockerfile.dockerignore": "*.md\n"}
    compose = "services: {app: {build: .}}"
    assert actions(make_planner(compose, files), "a.md") == {None: "ignore"}
    classic = make_planner(compose, files, is_buildkit=False)
    assert actions(classic, "a.md") == {"app": "sync"}


def test_the_line_that_decided() -> None:
    compose = (
        "services:\n  app:\n    build: .\n    command: npm run dev\n    volumes:\n"
        "      - .:/app\n      - /app/node_modules\n"
    )
    planner = make_planner(
        compose, {"Dockerfile": NODE, "package.json": PACKAGE, ".dockerignore": "# x\n*.log\n"}
    )

    def line(path: str) -> str:
        place = plan(planner, path)[0].because
        return f"{place.path}:{place.line}" if place else ""

    assert line("server.js") == "/p/compose.yaml:6"
    assert line("package.json") == "/p/Dockerfile:3"
    assert line("Dockerfile") == "/p/compose.yaml:3"


def test_a_copied_file_leaves_the_image_stale_and_has_a_target() -> None:
    planner = make_planner(
        "services: {app: {build: .}}", {"Dockerfile": NODE, "package.json": "{}"}
    )
    (change,) = plan(planner, "lib/a.js")
    assert change.target == "/app/lib/a.js"
    assert change.stale_image


def test_a_directory_counts_where_any_of_its_files_would() -> None:
    planner = make_planner(
        "services: {app: {build: .}}", {"Dockerfile": "FROM x\nCOPY src/lib /lib\n"}
    )
    assert actions(planner, "src/") == {"app": "sync+restart"}
    assert actions(planner, "other/") == {None: "ignore"}


def test_directories_in_which_nothing_can_matter_are_not_wanted() -> None:
    planner = make_planner(
        "services: {app: {build: ./app, volumes: ['./app/src:/app/src'], env_file: [env/a.env]}}",
        {
            "app/Dockerfile": "FROM x\nCOPY src /app/src\nCOPY conf/*.ini /etc/app/\n",
            "app/.dockerignore": "node_modules\ndocs\n!docs/keep/*\n",
        },
    )
    wanted = ("", "app", "app/src", "app/src/deep/er", "app/conf", "env", "app/docs")
    unwanted = (".git", "app/node_modules", "app/other", "elsewhere", "env/deeper", "app/src/.git")
    assert [path for path in wanted if not planner.wants_directory(f"{ROOT}/{path}")] == []
    assert [path for path in unwanted if planner.wants_directory(f"{ROOT}/{path}")] == []


def test_dependencies_of_the_host_that_a_mount_shows_are_not_watched() -> None:
    files = {"Dockerfile": NODE, "package.json": "{}", ".dockerignore": "node_modules\n"}
    compose = "services: {app: {build: ., command: npx vite, volumes: ['.:/app']}}"
    planner = make_planner(compose, files)
    assert actions(planner, "node_modules/x.js") == {"app": "live"}
    assert not planner.wants_directory(f"{ROOT}/node_modules")
    assert planner.wants_directory(f"{ROOT}/lib")


def test_what_is_not_in_the_image_any_more_names_the_step() -> None:
    dockerfile = "FROM x\nWORKDIR /app\nCOPY . .\nCOPY over/ ./\nRUN rm -rf tests\n"
    files = {"Dockerfile": dockerfile, "over/a.txt": "1", "a.txt": "1"}
    planner = make_planner("services: {app: {build: .}}", files)
    (over,), (removed,) = plan(planner, "a.txt"), plan(planner, "tests/t.py")
    assert (over.action, over.reason) == (
        "ignore",
        "COPY over/ ./ (line 4) puts another file in its place",
    )
    assert (removed.action, removed.reason) == ("ignore", "RUN rm -rf tests (line 5) removes it")
    assert actions(planner, "b.txt") == {"app": "sync+restart"}
    # Once the file that lay over it is gone, the one below counts.
    del files["over/a.txt"]
    planner = make_planner("services: {app: {build: .}}", files)
    assert actions(planner, "a.txt") == {"app": "sync+restart"}
    doubtful = dockerfile.replace("RUN rm", "RUN [ -d x ] && rm")
    planner = make_planner("services: {app: {build: .}}", {"Dockerfile": doubtful})
    assert actions(planner, "tests/t.py") == {"app": "sync+restart"}


INITIAL = """\
services:
  app:
    image: x
    develop:
      watch:
        - {path: ./src, action: sync, target: /app/src, initial_sync: true, ignore: [tmp/]}
        - {path: ./conf, action: sync+restart, target: /conf, initial_sync: true}
        - {path: ./late, action: sync, target: /late}
        - {path: ./deps, action: rebuild, initial_sync: true}
"""


def test_initial_sync_is_of_the_rules_that_copy() -> None:
    planner = make_planner(INITIAL)
    assert planner.has_initial_sync
    initial = {
        path: [change.is_initial for change in plan(planner, path)]
        for path in ("src/a", "src/tmp/b", "conf/c", "late/d", "deps/e")
    }
    assert initial == {
        "src/a": [True],
        "src/tmp/b": [False],
        "conf/c": [True],
        "late/d": [False],
        "deps/e": [False],
    }
    assert not make_planner(INITIAL.replace(", initial_sync: true", "")).has_initial_sync
