"""How a Node.js app is built and run: its package manager, its scripts, what serves it."""

from __future__ import annotations

import json
import re
from typing import Any

from devenv.config.start.survey import App, Stack, Survey
from devenv.values import dataclass

_ENTRIES = ("server.js", "index.js", "app.js", "src/server.js", "src/index.js", "src/app.js")
_SERVERS = (
    (r"\b(?:vite|vinxi)\b(?! (?:build|preview))", 5173),
    (r"\bastro dev\b", 4321),
    (r"\bng serve\b", 4200),
    (r"\bwebpack(?:-dev-server| serve| dev)\b", 8080),
)
"""Development servers that listen on the loopback address alone, and their usual ports. In a
container they have to be told `--host`."""


@dataclass(frozen=True, slots=True)
class _Manager:
    """A package manager."""

    lock: str | None
    install: str
    run: tuple[str, ...]
    """What stands before a script's name."""
    setup: str = ""
    """Lines that install it in the base stage, whose users run scripts with it too."""
    image: str = "node:22-slim"
    user: str = "node"
    hands_on: bool = True
    """Whether what follows a script's name is handed to it; npm wants `--` before that."""


def describe_node(survey: Survey) -> App:
    """A Dockerfile for the package, or a first one where there is none."""
    sources = None
    if not survey.has("package.json"):
        sources = {
            "package.json": '{\n  "name": "app",\n  "private": true,\n  "scripts": {\n'
            '    "dev": "node --watch server.js",\n    "start": "node server.js"\n  }\n}\n',
            "server.js": 'const http = require("node:http");\n\n'
            'http\n  .createServer((request, response) => response.end("It runs.\\n"))\n'
            '  .listen(3000, "0.0.0.0");\n',
        }
    manager = _find_manager(survey)
    scripts = _scripts(survey)
    develop = _script("dev", scripts, manager, bool(sources))
    start = _script("start", scripts, manager, bool(sources))
    entry = find_node_start(survey) if develop is None or start is None else None
    if entry is not None and entry in survey.files:
        develop, start = develop or start or ["node", "--watch", entry], start or ["node", entry]
    develop, start = develop or start, start or _script("preview", scripts, manager, False)
    start = start or develop
    missing = None if start else "index.js"
    start = start or ["node", "index.js"]
    port = _find_port(str(scripts.get("dev") or scripts.get("start") or ""), survey, manager)
    builder = f"RUN {' '.join(manager.run)} build\n" if "build" in scripts else ""
    files = f"package.json{f' {manager.lock}' if manager.lock else '*'}"
    own = f"--chown={manager.user}:{manager.user}"
    text = f"""\
FROM {_image(survey, manager)} AS base
{manager.setup}WORKDIR /app

FROM base AS dependencies
COPY {files} ./
RUN {manager.install}

FROM base AS development
ENV NODE_ENV=development
COPY --from=dependencies {own} /app/node_modules ./node_modules
COPY {own} . .
USER {manager.user}
EXPOSE {port}
CMD {json.dumps(develop or start)}

FROM dependencies AS builder
COPY . .
{builder}
FROM base AS production
ENV NODE_ENV=production
COPY --from=builder {own} /app ./
USER {manager.user}
EXPOSE {port}
CMD {json.dumps(start)}
"""
    return App(Stack.NODE, port, text, ("/app/node_modules",), sources, missing=missing)


def find_node_start(survey: Survey) -> str | None:
    """The file that a package starts with, or the script that starts it; None for neither."""
    scripts = _scripts(survey)
    for script in ("start", "dev"):
        for word in str(scripts.get(script, "")).split():
            if word.removeprefix("./") in survey.files and word.endswith((".js", ".mjs", ".cjs")):
                return word.removeprefix("./")
    main = _json(survey.texts.get("package.json", "")).get("main")
    named = survey.has(str(main).removeprefix("./"), *_ENTRIES)
    return named or next((script for script in ("start", "dev") if script in scripts), None)


def _script(
    name: str, scripts: dict[str, Any], manager: _Manager, is_own: bool
) -> list[str] | None:
    """The command of a script, told to listen on every address where it would not; None without."""
    if not is_own and name not in scripts:
        return None
    words = [*manager.run, name]
    text = str(scripts.get(name, ""))
    serves = any(re.search(pattern, text) for pattern, _ in _SERVERS) or "vite preview" in text
    if serves and "--host" not in text:
        words += [*([] if manager.hands_on else ["--"]), "--host", "0.0.0.0"]
        if "vite preview" in text:
            words += ["--port", "5173"]
    return words


def _find_port(script: str, survey: Survey, manager: _Manager) -> int:
    """The port that a script names, else the usual one of what it starts."""
    named = re.search(r"(?:--port[ =]|\s-p[ =]?|\bPORT=)(\d{2,5})\b", script)
    if named is not None:
        return int(named[1])
    return next((port for pattern, port in _SERVERS if re.search(pattern, script)), 3000)


def _find_manager(survey: Survey) -> _Manager:
    """The one whose lock file is there; npm where there is none."""
    named = str(_json(survey.texts.get("package.json", "")).get("packageManager", ""))
    version = re.match(r"pnpm@(\d+(?:\.\d+)*)", named)
    if survey.has("pnpm-lock.yaml"):
        setup = f"RUN npm install --global pnpm@{version[1] if version is not None else 9}\n"
        install = "pnpm install --frozen-lockfile"
        return _Manager("pnpm-lock.yaml", install, ("pnpm", "run"), setup)
    if survey.has("yarn.lock"):
        berry = survey.has(".yarnrc.yml") or re.match(r"yarn@(?!1\.)", named)
        setup = "ENV COREPACK_ENABLE_DOWNLOAD_PROMPT=0\nRUN corepack enable\n" if berry else ""
        frozen = "--immutable" if berry else "--frozen-lockfile"
        return _Manager("yarn.lock", f"yarn install {frozen}", ("yarn", "run"), setup)
    bun = survey.has("bun.lock", "bun.lockb")
    if bun is not None:
        install = "bun install --frozen-lockfile"
        return _Manager(bun, install, ("bun", "run"), image="oven/bun:1-slim", user="bun")
    lock = survey.has("package-lock.json", "npm-shrinkwrap.json")
    install = "npm ci" if lock else "npm install"
    return _Manager(lock, install, ("npm", "run"), hands_on=False)


def _image(survey: Survey, manager: _Manager) -> str:
    """The manager's image, of the version that the repository is pinned to."""
    text = survey.texts.get(".nvmrc") or survey.texts.get(".node-version") or ""
    pinned = re.match(r"v?(\d+)", text.strip())
    if pinned is not None and manager.image.startswith("node:"):
        return f"node:{pinned[1]}-slim"
    return manager.image


def _scripts(survey: Survey) -> dict[str, Any]:
    scripts = _json(survey.texts.get("package.json", "")).get("scripts")
    return scripts if isinstance(scripts, dict) else {}


def _json(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
