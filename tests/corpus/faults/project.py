"""A valid project of several services, and the layouts in which its files can be written."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.corpus.faults.emit import Keys, Raw, Written, write_block, write_flow, write_json

COMPOSE = "compose.yaml"
DOCKERFILE = """\
FROM node:20-slim AS base
WORKDIR /srv
COPY package.json package-lock.json ./
RUN npm ci
USER node

FROM base AS development
CMD ["node", "--watch", "src/main.js"]

FROM base AS production
COPY src ./src
CMD ["node", "src/main.js"]
"""


@dataclass
class Model:
    """What is planted into: a Compose document, the other files, and what a run is told."""

    document: dict[str, Any]
    files: dict[str, str | bytes]
    tracked: list[str] = field(default_factory=list)
    modes: dict[str, int] = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=dict)
    engine: tuple[int, int, int] = (28, 0, 0)
    start_seconds: dict[str, float] = field(default_factory=dict)
    in_base: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Keys of services that only the file below an override has."""

    @property
    def services(self) -> dict[str, Any]:
        found: dict[str, Any] = self.document["services"]
        return found

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace a part of a file, which must be there once."""
        text = self.files[path]
        assert isinstance(text, str)
        assert text.count(old) == 1, (path, old)
        self.files[path] = text.replace(old, new)


def make_model() -> Model:
    """The project in which a check finds no error, and no warning that a fault would give."""
    probe = {"test": ["CMD-SHELL", "pg_isready -U shop"], "interval": "1s"}
    document: dict[str, Any] = {
        "services": {
            "app": {
                "build": {"context": "./app", "target": "development"},
                "environment": {
                    "DATABASE_URL": "postgres://shop:${DB_PASSWORD}@db:5432/shop",
                    "LOG_LEVEL": "info",
                },
                "ports": ["${APP_PORT:-8080}:8080"],
                "volumes": ["./app/src:/srv/src"],
                "depends_on": {
                    "db": {"condition": "service_healthy"},
                    "cache": {"condition": "service_healthy"},
                },
            },
            "worker": {
                "image": "example.com/shop/worker:1.2",
                "environment": {"QUEUE": "orders"},
                "depends_on": {"db": {"condition": "service_healthy"}},
            },
            "db": {
                "image": "postgres:16.4",
                "environment": {"POSTGRES_USER": "shop", "POSTGRES_PASSWORD": "${DB_PASSWORD}"},
                "healthcheck": probe,
                "volumes": ["data:/var/lib/postgresql/data"],
            },
            "cache": {
                "image": "redis:7.4",
                "healthcheck": {"test": ["CMD", "redis-cli", "ping"], "interval": "1s"},
            },
            "mail": {"image": "example.com/mail:1.20", "ports": ["8025:8025"]},
        },
        "volumes": {"data": {}},
    }
    files: dict[str, str | bytes] = {
        ".env": "DB_PASSWORD=changeme\n",
        ".env.example": "DB_PASSWORD=changeme\n",
        ".gitignore": ".env\n",
        "app/Dockerfile": DOCKERFILE,
        "app/.dockerignore": "node_modules\n.env\n",
        "app/package.json": "{}\n",
        "app/package-lock.json": "{}\n",
        "app/src/main.js": "\n",
    }
    return Model(document, files, modes={".env": 0o600})


@dataclass
class Layout:
    """Where the files of a model are, and where each key of its document is written."""

    files: dict[str, str | bytes]
    compose: list[tuple[str, Written]]
    """Paths and texts, those that win first."""
    directory: str = ""
    """Of the other files, with a slash at its end."""
    project: str = ""
    """The project directory, which paths in findings are relative to, with a slash at its end."""
    profiles: tuple[str, ...] = ()
    aliases: dict[Keys, Keys] = field(default_factory=dict)
    """Where keys below the first are written instead."""

    def place_of(self, keys: Keys) -> tuple[str, int]:
        """The path as a finding has it, and the line, of a key of the document."""
        for path, written in self.compose:
            for start, other in self.aliases.items():
                if keys[: len(start)] == start and len(keys) > len(start):
                    alias = (*other, *keys[len(start) :])
                    if alias in written.places:
                        return self.show(path), written.places[alias]
            if keys in written.places:
                return self.show(path), written.places[keys]
        raise AssertionError(f"{keys} is not written")

    def show(self, path: str) -> str:
        """A path as a finding has it."""
        return path.removeprefix(self.project)


Write = Callable[[Model, str], Layout]
"""A model and the service that the fault is in to a layout."""


def _one_file(model: Model, text: str | bytes, written: Written, name: str = COMPOSE) -> Layout:
    return Layout({**model.files, name: text}, [(name, written)])


def block(model: Model, service: str) -> Layout:
    written = write_block(model.document)
    return _one_file(model, written.text, written)


def quoted(model: Model, service: str) -> Layout:
    written = write_block(model.document, quoted=True)
    return _one_file(model, written.text, written)


def flow(model: Model, service: str) -> Layout:
    written = write_flow(model.document)
    return _one_file(model, written.text, written)


def json_file(model: Model, service: str) -> Layout:
    written = write_json(model.document)
    layout = _one_file(model, written.text, written, "compose.json")
    layout.files["devenv.toml"] = 'compose = ["compose.json"]\n'
    return layout


def windows_lines(model: Model, service: str) -> Layout:
    written = write_block(model.document)
    return _one_file(model, b"\xef\xbb\xbf" + written.text.replace("\n", "\r\n").encode(), written)


def override(model: Model, service: str) -> Layout:
    """All keys of the service but `image` and `build` stand in the override file."""
    base = copy.deepcopy(model.document)
    body = base["services"][service]
    kept = {key: body[key] for key in ("image", "build") if key in body}
    moved = {key: value for key, value in body.items() if key not in kept}
    base["services"][service] = {**kept, **model.in_base.get(service, {})}
    first = write_block(base)
    second = write_block({"services": {service: moved}})
    files = {**model.files, COMPOSE: first.text, "compose.override.yaml": second.text}
    return Layout(files, [("compose.override.yaml", second), (COMPOSE, first)])


def include(model: Model, service: str) -> Layout:
    inner = write_block(model.document)
    outer = write_block({"include": ["stack/compose.yaml"]})
    files = {f"stack/{path}": text for path, text in model.files.items()}
    files = {**files, "stack/compose.yaml": inner.text, COMPOSE: outer.text}
    return Layout(files, [("stack/compose.yaml", inner), (COMPOSE, outer)], directory="stack/")


def extends(model: Model, service: str) -> Layout:
    base = copy.deepcopy(model.document)
    body = base["services"][service]
    base["services"][service] = {"extends": {"file": "common.yaml", "service": service}}
    common = write_block({"services": {service: body}})
    first = write_block(base)
    files = {**model.files, COMPOSE: first.text, "common.yaml": common.text}
    return Layout(files, [(COMPOSE, first), ("common.yaml", common)])


def merge_key(model: Model, service: str) -> Layout:
    base = copy.deepcopy(model.document)
    body = base["services"][service]
    base["services"][service] = {"<<": Raw(f"*{service}")}
    written = write_block({f"x-{service}": {"&": service, **body}, **base})
    layout = _one_file(model, written.text, written)
    layout.aliases[("services", service)] = (f"x-{service}",)
    return layout


def named_files(model: Model, service: str) -> Layout:
    """The service stands in the second of two files in a directory of their own."""
    base = copy.deepcopy(model.document)
    body = base["services"].pop(service)
    first, second = write_block(base), write_block({"services": {service: body}})
    files = {f"deploy/{path}": text for path, text in model.files.items()}
    files |= {"deploy/base.yaml": first.text, "deploy/more.yaml": second.text}
    files["devenv.toml"] = 'compose = ["deploy/base.yaml", "deploy/more.yaml"]\n'
    both = [("deploy/more.yaml", second), ("deploy/base.yaml", first)]
    return Layout(files, both, directory="deploy/", project="deploy/")


def profile(model: Model, service: str) -> Layout:
    """The service is in a Compose profile that one of two devenv profiles has."""
    base = copy.deepcopy(model.document)
    base["services"][service]["profiles"] = ["extra"]
    written = write_block(base)
    layout = _one_file(model, written.text, written)
    layout.files["profiles/full.toml"] = 'compose_profiles = ["extra"]\n'
    layout.files["profiles/lean.toml"] = "compose_profiles = []\n"
    layout.files["devenv.toml"] = 'default_profile = "lean"\n'
    layout.profiles = ("full",)
    return layout


LAYOUTS: dict[str, Write] = {
    one.__name__: one
    for one in (
        block,
        quoted,
        flow,
        json_file,
        windows_lines,
        override,
        include,
        extends,
        merge_key,
        named_files,
        profile,
    )
}


def write_files(files: dict[str, str | bytes], directory: Path) -> None:
    """Write them below a directory."""
    for path, content in files.items():
        place = directory / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())
