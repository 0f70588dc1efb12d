"""What a start command says of the files that it loads, by command."""

from __future__ import annotations

import json

import pytest

from tests.unit.watch.model import make_planner, plan

SCRIPTS = {
    "dev": "nodemon server.js",
    "start": "node server.js",
    "nested": "npm run build && npm run start",
    "build": "tsc",
    "both": 'concurrently "tsc --watch" "npm start"',
    "two": 'concurrently "npm:dev" "npm run css"',
    "css": "sass --watch a:b",
    "on": "node --watch-path=src server.js",
}
RELOADS = "loads changes by itself"
KEEPS = "keeps what it loaded"
WAITS = "only waits, and loads nothing"
ASKED = "reads it when it is asked for"
SAYS = "the start command reads it at start"
SERVER = "servers read their configuration at start"
UNKNOWN = ""

COMMANDS: list[tuple[str | list[str], str, str]] = [
    # What only waits is no program that reloads, and what waits first is not the program.
    ("sleep infinity", "a.js", f"sleep {WAITS}"),
    ("tail -f /dev/null", "a.js", f"tail {WAITS}"),
    (["tini", "--", "sleep", "9"], "a.js", f"sleep {WAITS}"),
    (["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1; done"], "a.js", f"sleep {WAITS}"),
    (["sh", "-c", "sleep 5 && node server.js"], "a.js", f"node {KEEPS}"),
    (["sh", "-c", "node server.js & tail -f /dev/null"], "a.js", f"node {KEEPS}"),
    (["sh", "-c", "vite & tail -f /dev/null"], "a.js", f"vite {RELOADS}"),
    (["sh", "-c", "./unknown & sleep infinity"], "a.js", UNKNOWN),
    # Names that begin with, or lie in a folder called, a reloader's.
    ("/app/entrypoint", "a.js", UNKNOWN),
    ("airflow webserver", "a.py", UNKNOWN),
    ("/opt/server start", "a.js", UNKNOWN),
    ("python guard/main.py", "a.py", f"python {KEEPS}"),
    ("node air/index.js", "a.js", f"node {KEEPS}"),
    ("uvicorn app:app --reload-dir src", "a.py", f"uvicorn {KEEPS}"),
    ("pm2-runtime a.js --watch=false", "b.js", f"pm2-runtime {KEEPS}"),
    # npm scripts, and what watches for another program.
    ("npm run dev", "a.js", f"nodemon {RELOADS}"),
    ("yarn start", "a.js", f"node {KEEPS}"),
    ("pnpm run nested", "a.js", f"node {KEEPS}"),
    ("npm run on", "a.js", f"node {RELOADS}"),
    ("npm run both", "a.js", f"node {KEEPS}"),
    ("npm run both", "a.css", UNKNOWN),
    ("npm run two", "a.js", f"nodemon {RELOADS}"),
    ("npm run css", "a.js", f"sass {RELOADS}"),
    ("yarn workspace web dev", "a.js", f"yarn {RELOADS}"),
    ("pnpm --filter web start", "a.js", UNKNOWN),
    ("bun --hot index.ts", "a.ts", f"bun {RELOADS}"),
    ("bun index.ts", "a.ts", f"bun {KEEPS}"),
    ("bun run dev", "a.ts", f"nodemon {RELOADS}"),
    ("npx tsx watch src/a.ts", "a.ts", f"tsx {RELOADS}"),
    ("tsx src/a.ts", "b.ts", f"tsx {KEEPS}"),
    ("webpack serve", "a.js", f"webpack {RELOADS}"),
    ("node node_modules/.bin/nodemon server.js", "a.js", f"node {RELOADS}"),
    # Programs that are run by their path.
    ("./bin/rails server", "a.rb", f"rails {RELOADS}"),
    ("./manage.py runserver 0:8000", "a.py", f"manage.py {RELOADS}"),
    ("/entrypoint gunicorn a:b", "a.py", f"gunicorn {KEEPS}"),
    ("/entrypoint gunicorn --reload a:b", "a.py", f"gunicorn {RELOADS}"),
    ("./gradlew bootRun", "src/a.java", f"gradlew {KEEPS}"),
    ("./gradlew -t bootRun", "src/a.java", f"gradlew {RELOADS}"),
    # Python.
    ("python -m uvicorn a:b --reload", "a.py", f"uvicorn {RELOADS}"),
    ("gunicorn -w 4 a:b", "a.py", f"gunicorn {KEEPS}"),
    ("flask run", "a.py", f"flask {KEEPS}"),
    ("flask run --debug", "a.py", f"flask {RELOADS}"),
    ("quart run", "a.py", f"quart {KEEPS}"),
    ("django-admin runserver", "a.py", f"django-admin {RELOADS}"),
    ("ptw", "a.py", f"ptw {RELOADS}"),
    ("python -m http.server", "a.html", f"python {ASKED}"),
    # Servers.
    ("nginx -g daemon", "i.html", f"nginx {ASKED}"),
    ("nginx -g daemon", "nginx.conf", SERVER),
    ("caddy run --config /app/Caddyfile", "Caddyfile", SAYS),
    ("redis-server /app/redis.conf", "redis.conf", SAYS),
    ("redis-server --save 60", "redis.conf", SERVER),
    ("mosquitto", "data.bin", UNKNOWN),
    ("unknown --config a.yaml", "a.yaml", SAYS),
    ("unknown --config a.yaml", "b.yaml", UNKNOWN),
    ("/app/unknown", "unknown", SAYS),
    ("nodemon server.js", "server.js", f"nodemon {RELOADS}"),
]


@pytest.mark.parametrize(("command", "path", "said"), COMMANDS, ids=str)
def test_what_a_start_command_says(command: str | list[str], path: str, said: str) -> None:
    compose = (
        "services: {app: {image: 'x:1', working_dir: /app, volumes: ['.:/app'], "
        f"command: {json.dumps(command)}}}}}"
    )
    planner = make_planner(compose, {"package.json": json.dumps({"scripts": SCRIPTS})})
    (change,) = plan(planner, path)
    restarts = said.endswith((KEEPS, SAYS, SERVER))
    how = f"shows it; {said}" if restarts else "already shows it" + (said and f", and {said}")
    assert (change.action, change.reason) == (
        "restart" if restarts else "live",
        f"a bind mount {how}",
    )


@pytest.mark.parametrize(
    ("command", "action"),
    [
        ("sleep infinity", "sync"),
        ("sh -c", "sync+restart"),
        ("vite", "sync"),
        ("unknown", "sync+restart"),
    ],
)
def test_what_is_copied_restarts_what_may_keep_it(command: str, action: str) -> None:
    planner = make_planner(
        f"services: {{app: {{build: ., command: {command}}}}}",
        {"Dockerfile": "FROM x\nCOPY . /app\n"},
    )
    assert plan(planner, "a.js")[0].action == action
