"""Projects whose every file is changed in turn on a real engine, to see what the plan must say.

The image that they stand on has small stand-ins for npm, pip, go and the like, which do what
those do to files: an install reads its manifests and fills its folder, a build reads the sources.
`generated` makes more shapes from a seed: stages, copies, steps and mounts at random.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

IMAGE = "devenv-offline/watch-tools"
GENERATED = 24
LINK = "-> "
"""A file's text that begins so makes it a symbolic link."""

TOOLS: Mapping[str, str] = {
    "npm": """#!/bin/sh
case $1 in
  ci|install|i) mkdir -p node_modules && cat package.json package-lock.json >node_modules/.done ;;
  run) mkdir -p dist && cat package.json node_modules/.done \\
         $(find src -type f | sort) >dist/out.js ;;
esac
""",
    "pip": """#!/bin/sh
echo installed >/usr/local/lib/pip.done
for word; do [ -f "$word" ] && cat "$word" >>/usr/local/lib/pip.done; done; true
""",
    "uv": "#!/bin/sh\nmkdir -p .venv && cat pyproject.toml uv.lock >.venv/done\n",
    "bundle": "#!/bin/sh\ncat Gemfile Gemfile.lock >/usr/local/lib/bundle.done\n",
    "composer": "#!/bin/sh\nmkdir -p vendor && cat composer.json composer.lock >vendor/done\n",
    "go": """#!/bin/sh
case $1 in
  mod) mkdir -p /go/pkg && cat go.mod go.sum >/go/pkg/done ;;
  build) while [ "$1" != -o ]; do shift; done
         mkdir -p "$(dirname "$2")"
         cat $(find . -name '*.go' | sort) go.mod $(ls /go/pkg/done 2>/dev/null) >"$2" ;;
esac
""",
    "make": """#!/bin/sh
mkdir -p out
cat $(find . -path ./out -prune -o -type f -print | sort) >out/all
""",
}


@dataclass(frozen=True, slots=True)
class Shape:
    """One project; `paths` are changed beside its files, and may not exist yet."""

    name: str
    compose: str
    files: Mapping[str, str]
    paths: tuple[str, ...] = ()
    needs_buildkit: bool = False
    needs_frontend: bool = False
    """An instruction that the BuildKit of Engine 20.10 does not know."""
    skipped: frozenset[str] = field(default_factory=frozenset)

    def write(self, directory: Path) -> None:
        for path, text in {**self.files, "compose.yaml": self.compose}.items():
            file = directory / path
            file.parent.mkdir(parents=True, exist_ok=True)
            if text.startswith(LINK):
                file.symlink_to(text.removeprefix(LINK))
                continue
            file.write_text(text, encoding="utf-8")
            if text.startswith("#!"):
                file.chmod(0o755)

    def changed_paths(self) -> list[str]:
        """Files whose change is tried: all but those that always mean a rebuild or a reload."""
        fixed = {"compose.yaml", ".env"}
        links = {path for path, text in self.files.items() if text.startswith(LINK)}
        names = [*({*self.files} - links), *self.paths]
        return sorted(
            {p for p in names if p not in fixed and not p.endswith(("Dockerfile", "ignore"))}
        )


_PACKAGE = {"package.json": "{}\n", "package-lock.json": "1\n"}
_SOURCES = {"src/a.js": "a\n", "src/lib/b.js": "b\n", "README.md": "r\n"}
_WEB = {**_PACKAGE, **_SOURCES}
_FROM = f"FROM {IMAGE}"
_NODE = f"{_FROM}\nWORKDIR /app\nCOPY package*.json ./\nRUN npm ci\nCOPY . .\n"
_ONE = "services: {app: {build: .}}\n"
_MOUNTED = "services: {app: {build: ., volumes: ['.:/app']}}\n"
_WITH_VOLUME = "services: {app: {build: ., volumes: ['.:/app', /app/node_modules]}}\n"
_PYTHON = {"requirements.txt": "x\n", "app.py": "a\n", "tests/t.py": "t\n"}
_TWO = (
    f"{_FROM} AS base\nWORKDIR /app\nCOPY package*.json ./\nRUN npm ci\n"
    "FROM base AS dev\nCOPY src src\n"
    "FROM base AS build\nCOPY . .\nRUN npm run build\n"
    f"{_FROM} AS prod\nCOPY --from=build /app/dist /srv\nCOPY README.md /srv/\n"
)


def _target(name: str, more: str = "") -> str:
    return f"services: {{app: {{build: {{context: ., target: {name}}}{more}}}}}\n"


SHAPES: tuple[Shape, ...] = (
    Shape("copy-all", _ONE, {"Dockerfile": f"{_FROM}\nCOPY . /app\n", **_WEB}, ("new.txt",)),
    Shape("install-then-copy", _ONE, {"Dockerfile": _NODE, **_WEB}, ("src/new.js",)),
    Shape("mount-with-volume", _WITH_VOLUME, {"Dockerfile": _NODE, **_WEB}, ("src/new.js",)),
    Shape("mount-hides-install", _MOUNTED, {"Dockerfile": _NODE, **_WEB}),
    Shape("build-hidden", _MOUNTED, {"Dockerfile": _NODE + "RUN npm run build\n", **_WEB}),
    Shape("build-seen", _ONE, {"Dockerfile": _NODE + "RUN npm run build\n", **_WEB}),
    Shape(
        "build-in-volume",
        "services: {app: {build: ., volumes: ['.:/app', /app/node_modules, /app/dist]}}\n",
        {"Dockerfile": _NODE + "RUN npm run build\n", **_WEB},
    ),
    Shape("target-dev", _target("dev"), {"Dockerfile": _TWO, **_WEB}),
    Shape("target-prod", _target("prod"), {"Dockerfile": _TWO, **_WEB}),
    Shape("target-base", _target("base"), {"Dockerfile": _TWO, **_WEB}),
    Shape("last-stage", _ONE, {"Dockerfile": _TWO, **_WEB}),
    Shape(
        "dev-mounted", _target("dev", ", volumes: ['./src:/app/src']"), {"Dockerfile": _TWO, **_WEB}
    ),
    Shape(
        "several-services",
        "services: {dev: {build: {context: ., target: dev}}, prod: {build: .}}\n",
        {"Dockerfile": _TWO, **_WEB},
    ),
    Shape(
        "requirements-first",
        _ONE,
        {
            "Dockerfile": f"{_FROM}\nWORKDIR /code\nCOPY requirements.txt .\n"
            "RUN pip install -r requirements.txt\nCOPY . .\n",
            **_PYTHON,
        },
    ),
    Shape(
        "requirements-late",
        _ONE,
        {
            "Dockerfile": f"{_FROM}\nWORKDIR /code\nCOPY . .\n"
            "RUN pip install -r requirements.txt\n",
            **_PYTHON,
        },
    ),
    Shape(
        "requirements-late-mounted",
        "services: {app: {build: ., volumes: ['.:/code']}}\n",
        {
            "Dockerfile": f"{_FROM}\nWORKDIR /code\nCOPY . .\n"
            "RUN pip install -r requirements.txt\n",
            **_PYTHON,
        },
    ),
    Shape(
        "requirements-elsewhere",
        "services: {app: {build: ., volumes: ['./app.py:/code/app.py']}}\n",
        {
            "Dockerfile": f"{_FROM}\nCOPY requirements.txt /tmp/r.txt\n"
            "RUN pip install -r /tmp/r.txt\n"
            "WORKDIR /code\nCOPY app.py ./\n",
            **_PYTHON,
        },
    ),
    Shape(
        "bind-in-run",
        "services: {app: {build: ., volumes: ['.:/code']}}\n",
        {
            "Dockerfile": f"{_FROM}\nWORKDIR /code\n"
            "RUN --mount=type=bind,source=requirements.txt,target=/tmp/requirements.txt "
            "pip install -r /tmp/requirements.txt\nCOPY . .\n",
            **_PYTHON,
        },
        needs_buildkit=True,
    ),
    Shape(
        "bind-of-all-in-run",
        _ONE,
        {
            "Dockerfile": f"{_FROM}\nWORKDIR /src\nRUN --mount=target=. go build -o /out.bin\n",
            "main.go": "m\n",
            "lib/l.go": "l\n",
            "go.mod": "g\n",
            "README.md": "r\n",
        },
        needs_buildkit=True,
    ),
    Shape(
        "uv-in-volume",
        "services: {app: {build: ., volumes: ['.:/app', /app/.venv]}}\n",
        {
            "Dockerfile": f"{_FROM}\nWORKDIR /app\nCOPY pyproject.toml uv.lock ./\n"
            "RUN uv sync\nCOPY . .\n",
            "pyproject.toml": "p\n",
            "uv.lock": "l\n",
            "main.py": "m\n",
        },
    ),
    Shape(
        "bundle-outside",
        _MOUNTED,
        {
            "Dockerfile": f"{_FROM}\nWORKDIR /app\nCOPY Gemfile Gemfile.lock ./\n"
            "RUN bundle install\n"
            "COPY . .\n",
            "Gemfile": "g\n",
            "Gemfile.lock": "l\n",
            "app.rb": "a\n",
        },
    ),
    Shape(
        "composer-hidden",
        _MOUNTED,
        {
            "Dockerfile": f"{_FROM}\nWORKDIR /app\nCOPY composer.* ./\n"
            "RUN composer install --no-scripts\nCOPY . .\n",
            "composer.json": "{}\n",
            "composer.lock": "l\n",
            "index.php": "i\n",
        },
    ),
    Shape(
        "go-stages",
        _ONE,
        {
            "Dockerfile": f"{_FROM} AS build\nWORKDIR /src\nCOPY go.mod go.sum ./\n"
            "RUN go mod download\n"
            f"COPY . .\nRUN go build -o /out/app ./cmd\n{_FROM}\n"
            "COPY --from=build /out/app /usr/local/bin/app\n",
            "go.mod": "m\n",
            "go.sum": "s\n",
            "cmd/main.go": "c\n",
            "README.md": "r\n",
        },
    ),
    Shape(
        "go-outside-the-mount",
        "services: {app: {build: ., volumes: ['.:/src']}}\n",
        {
            "Dockerfile": f"{_FROM}\nWORKDIR /src\nCOPY . .\n"
            "RUN go build -o /usr/local/bin/app .\n",
            "go.mod": "m\n",
            "main.go": "c\n",
        },
    ),
    Shape(
        "ignored",
        _ONE,
        {
            "Dockerfile": f"{_FROM}\nCOPY . /app\n",
            ".dockerignore": "*.log\ndocs\n!docs/keep.md\n**/tmp\n",
            "a.log": "1\n",
            "deep/a.log": "1\n",
            "docs/a.md": "1\n",
            "docs/keep.md": "1\n",
            "x/tmp/y": "1\n",
        },
    ),
    Shape(
        "patterns",
        _ONE,
        {
            "Dockerfile": f"{_FROM}\nCOPY *.txt src/?.js [a-c].conf /app/\nCOPY d* /data/\n",
            "one.txt": "1\n",
            "one.md": "1\n",
            "src/a.js": "1\n",
            "src/ab.js": "1\n",
            "b.conf": "1\n",
            "d.conf": "1\n",
            "dir/in": "1\n",
        },
    ),
    Shape(
        "targets",
        _ONE,
        {
            "Dockerfile": f"{_FROM}\nWORKDIR /app\nCOPY a.txt b\nCOPY a.txt sub/\nCOPY dir /app/\n"
            'COPY ["with space.txt", "./"]\nADD b.txt /opt/c.txt\n',
            "a.txt": "1\n",
            "b.txt": "1\n",
            "dir/x": "1\n",
            "with space.txt": "1\n",
        },
    ),
    Shape(
        "variables",
        "services: {app: {build: {context: ., args: {DIR: web, BASE: second}}}}\n",
        {
            "Dockerfile": f"ARG BASE=first\n{_FROM} AS first\nCOPY p /app/p\n"
            f"{_FROM} AS second\nCOPY q /app/q\nFROM $BASE\nARG DIR=none\nENV TO=/srv/$DIR\n"
            "WORKDIR ${TO}\nCOPY ${DIR}/ .\n",
            "p": "1\n",
            "q": "1\n",
            "web/a": "1\n",
            "none/a": "1\n",
        },
    ),
    Shape(
        "branches",
        "services: {app: {build: {context: ., args: {MODE: development}}}}\n",
        {
            "Dockerfile": f"{_FROM}\nWORKDIR /app\nARG MODE=production\nCOPY . .\n"
            'RUN if [ "$MODE" = production ]; then npm run build; else mkdir -p dist; fi\n',
            **_WEB,
        },
    ),
    Shape(
        "onbuild",
        _ONE,
        {
            "Dockerfile": f"{_FROM} AS base\nWORKDIR /app\nONBUILD COPY src /app/src\nFROM base\n",
            **_SOURCES,
        },
    ),
    Shape(
        "nested-mounts",
        "services: {app: {build: ., volumes: ['.:/app', './other:/app/src', 'data:/app/data']}}\n"
        "volumes: {data: {}}\n",
        {
            "Dockerfile": f"{_FROM}\nCOPY src /app/src\n",
            **_SOURCES,
            "other/o.js": "1\n",
            "data/d": "1\n",
        },
    ),
    Shape(
        "copy-hidden",
        "services: {app: {build: ., volumes: ['./other:/app/src:ro']}}\n",
        {
            "Dockerfile": f"{_FROM}\nCOPY src /app/src\nCOPY README.md /app/\n",
            **_SOURCES,
            "other/o.js": "1\n",
        },
    ),
    Shape(
        "file-mount",
        "services: {app: {build: ., volumes: ['./conf/a.conf:/etc/app.conf']}}\n",
        {
            "Dockerfile": f"{_FROM}\nCOPY conf /opt/conf\n",
            "conf/a.conf": "1\n",
            "conf/b.conf": "1\n",
        },
        # The mount shows it where it is meant to be; the copy beside it waits for the next build.
        skipped=frozenset({"conf/a.conf live"}),
    ),
    Shape(
        "image-only",
        f"services: {{app: {{image: {IMAGE}, volumes: ['./html:/srv/html']}}}}\n",
        {"html/i.html": "1\n", "other.txt": "1\n"},
    ),
    Shape(
        "subdirectory",
        "services: {app: {build: {context: ./web, dockerfile: ../docker/web.Dockerfile}}}\n",
        {"docker/web.Dockerfile": f"{_FROM}\nCOPY . /app\n", "web/a.js": "1\n", "docker/x": "1\n"},
    ),
    Shape(
        "script-of-a-step",
        _MOUNTED,
        {
            "Dockerfile": f"{_FROM}\nWORKDIR /app\nCOPY . .\nRUN ./setup.sh\n",
            "setup.sh": "#!/bin/sh\nsha256sum setup.sh >/opt/made\n",
            "a.js": "1\n",
        },
    ),
    Shape(
        "made-and-moved",
        _MOUNTED,
        {
            "Dockerfile": f"{_FROM}\nWORKDIR /app\nCOPY package*.json ./\n"
            "RUN npm ci && mv /app/node_modules /opt/node_modules\nCOPY . .\n",
            **_WEB,
        },
    ),
    Shape(
        "named-by-a-step",
        _ONE,
        {
            "Dockerfile": f"{_FROM}\nCOPY in.txt other.txt /tmp/\n"
            "RUN cp /tmp/in.txt /opt/out.txt && echo made >>/opt/out.txt\n"
            "RUN mkdir -p /data && cat /tmp/other.txt | tr a-z A-Z > /data/upper\n",
            "in.txt": "1\n",
            "other.txt": "1\n",
            "third.txt": "1\n",
        },
    ),
    Shape(
        "archive",
        _ONE,
        {
            "Dockerfile": f"{_FROM}\nCOPY a.txt /opt/\nADD b.txt /opt/b/\n",
            "a.txt": "1\n",
            "b.txt": "1\n",
        },
    ),
    Shape(
        "make-everything",
        _ONE,
        {
            "Dockerfile": f"{_FROM}\nWORKDIR /app\nCOPY . .\nRUN make\n",
            "a.c": "1\n",
            "lib/b.c": "1\n",
        },
    ),
    Shape(
        "install-elsewhere",
        _ONE,
        {
            "Dockerfile": f"{_FROM}\nCOPY web/package*.json /app/web/\n"
            "RUN cd /app/web && npm ci\nCOPY web /app/web\nCOPY api /app/api\n",
            "web/package.json": "{}\n",
            "web/package-lock.json": "1\n",
            "web/src/a.js": "1\n",
            "api/package.json": "{}\n",
        },
    ),
)


def generated(seed: int) -> Shape:
    """A project at random: up to four stages, copies, steps, a mount; always one that builds."""
    chance = random.Random(seed)
    folders = ("src", "lib", "conf")
    files = {f"{folder}/{name}": f"{seed}\n" for folder in folders for name in ("a.txt", "b.md")}
    files.update({"package.json": "{}\n", "package-lock.json": "1\n", "top.txt": "1\n"})
    lines: list[str] = []
    count = chance.randint(1, 4)
    for index in range(count):
        base = chance.choice([IMAGE, *(f"s{i}" for i in range(index))])
        lines += [f"FROM {base} AS s{index}", "WORKDIR /app"]
        for _ in range(chance.randint(1, 4)):
            lines.append(_instruction(chance, folders, index))
    target = chance.randrange(count)
    mounts = chance.choice(
        ([], [".:/app"], ["./src:/app/src"], [".:/app", "/app/node_modules"], ["./lib:/opt/lib"])
    )
    volumes = f", volumes: {mounts}" if mounts else ""
    if chance.random() < 0.4:
        files[".dockerignore"] = chance.choice(
            ("*.md\n", "conf\n", "**/*.md\n!src/b.md\n", "lib/*\n")
        )
        if files[".dockerignore"] == "conf\n":
            lines = [line for line in lines if not line.startswith("COPY conf")]
    files["Dockerfile"] = "\n".join(lines) + "\n"
    return Shape(f"generated-{seed}", _target(f"s{target}", volumes), files)


def _instruction(chance: random.Random, folders: tuple[str, ...], index: int) -> str:
    folder = chance.choice(folders)
    choices = [
        f"COPY {folder} {folder}",
        f"COPY {folder}/ /opt/{folder}/",
        "COPY . .",
        "COPY package*.json ./\nRUN npm ci",
        "COPY top.txt /data/top.txt",
        f"COPY {folder} /tmp/in\n"
        "RUN cp -r /tmp/in /srv/made && (echo made; cat /tmp/in/*) >/srv/all",
        "RUN mkdir -p /srv/empty",
        "COPY top.txt ./\nRUN sha256sum top.txt > /opt/sum",
    ]
    if index:
        other = chance.randrange(index)
        choices += [
            f"COPY --from=s{other} /app /srv/from{other}",
            f"COPY --from=s{other} /opt /opt",
        ]
    return chance.choice(choices)


def load_shapes() -> list[Shape]:
    """All of them: those written by hand, the awkward ones, then the generated ones."""
    from tests.corpus.watch.awkward import AWKWARD

    return [*SHAPES, *AWKWARD, *(generated(seed) for seed in range(GENERATED))]
