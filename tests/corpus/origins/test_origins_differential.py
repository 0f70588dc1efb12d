"""A value is edited at the place named for it: Compose's model changes there, and only there."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from devenv.cli.session import Session
from devenv.cli.why import load_texts
from devenv.compose.origin import Keys, Origin, OriginKind
from devenv.compose.origins import find_origin, walk_leaves
from devenv.engine.compose import find_compose
from devenv.errors import DevenvError, Source

CASES = Path(__file__).parent.parent.parent / "cases"
FILES = {
    "compose.yaml": """\
x-common: &common
  restart: always   # shared
  labels: {team: shop}
include: [sub/more.yaml]
services:
  app:
    <<: *common
    build: ./api
    command: [run, --fast]
    ports: ["8080:80", {target: 90, published: "9090"}]
    volumes: ["./src:/app:ro", "data:/data"]
    env_file: [app.env, more.env]
    environment:
      MODE: dev
      URL: tcp://db:5432
    depends_on: [db]
    stop_grace_period: 90s
    mem_limit: 512m
  db:
    <<: *common
    image: "postgres:16"
    command: serve --port 1
    environment: [A=1, "B=two words"]
    healthcheck: {test: [CMD, ok], interval: 2s, retries: 3}
    depends_on: {cache: {condition: service_started, required: false}}
    networks: [front]
  cache:
    extends: {file: base.yaml, service: store}
    image: redis:7
networks: {front: {}}
volumes: {data: {labels: {x: y}}}
""",
    "compose.override.yaml": """\
services:
  app:
    environment: {MODE: test}
    ports: ["127.0.0.1:7070:70/udp"]
    command: [other]
  db:
    image: postgres:17
    cap_add: !override [SYS_NICE]
""",
    "base.yaml": """\
services:
  store:
    image: redis:6
    hostname: store
    environment: {KEPT: base}
""",
    "sub/more.yaml": "services:\n  mail:\n    image: mail:1\n    hostname: post\n",
    "app.env": "FROM_FILE=one\nTWICE=first\n",
    "more.env": "# more\nTWICE=second\n",
}


PROFILED = {
    "compose.yaml": """\
x-env: &env {LEVEL: info, "QUOTED": 'two: words'}
x-base: &base
  environment: &all
    <<: *env
    ONE: ${ONE:-first}
    TWO: "${TWO:-second} and ${THREE-third}"
  labels: {a: b}
services:
  app:
    <<: [*base, {hostname: apphost, restart: always}]
    image: shop/app:${TAG:-1}
    environment:
      <<: *all
      LEVEL: debug
      FROM_ENV: ${FROM_ENV}
      SHELL_SET: ${SHELL_SET:-not this}
    ports:
      - "${APP_PORT:-3000}:3000"
      - {target: 9229, host_ip: 127.0.0.1, published: "9229", protocol: tcp}
    volumes:
      - {type: bind, source: ./src, target: /app, read_only: true}
      - cache:/cache
    dns: 1.1.1.1
    ulimits: {nofile: {soft: 1000, hard: 2000}}
  job:
    extends: {service: app}
    command: ["run", "${JOB:-once}"]
    ports: !reset []
  search:
    profiles: [search]
    image: "search:8"
    labels: [k=v, "w=x y"]
volumes: {cache: {}}
""",
    "compose.override.yaml": """\
services:
  app:
    environment: {EXTRA: "1", LEVEL: warn}
    labels: {a: !reset null, c: d}
""",
    "devenv.toml": 'default_profile = "search"\n',
    "profiles/dev.toml": '[env]\nJOB = "nightly"\n',
    "profiles/search.toml": (
        'extends = "dev"\ncompose_profiles = ["search"]\nfiles = ["search.yaml"]\n'
        'env_files = ["search.env"]\n'
    ),
    "profiles/search.yaml": """\
services:
  app:
    environment:
      SEARCH_URL: http://search:${SEARCH_PORT}
    ports: !override ["4000:3000"]
    depends_on: {search: {condition: service_started}}
    ulimits: {nofile: {hard: 4000}}
  search:
    hostname: finder
    mem_limit: 1g
""",
    "profiles/search.env": "SEARCH_PORT=9200\nTAG=5\n",
    ".env": "# own\nTAG=3\nFROM_ENV=here\nSHELL_SET=file\n",
}


def load_selected(directory: Path) -> dict[str, Any] | None:
    """The model of the profile that devenv chooses; None where Compose does not take it."""
    session = Session(argparse.Namespace(directory=str(directory), profile=None, context=None))
    try:
        return dict(session.project.document)
    except DevenvError:
        return None


def load(directory: Path) -> dict[str, Any] | None:
    argv = find_compose(os.environ).argv("config", "--format", "json")
    done = subprocess.run(argv, cwd=directory, capture_output=True, text=True, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else None


def origins_of(directory: Path, document: dict[str, Any]) -> dict[Keys, Origin]:
    session = Session(argparse.Namespace(directory=str(directory), profile=None, context=None))
    texts = load_texts(session)
    return {keys: find_origin(texts, document, keys) for keys, _ in walk_leaves(document)}


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith(("COMPOSE_", "DEVENV_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_every_place_is_the_right_one(tmp_path: Path) -> None:
    project = tmp_path / "shop"
    for name, text in FILES.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    tried = check_places(project)
    assert tried >= 30


def test_every_place_is_the_right_one_with_a_profile_and_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELL_SET", "shell")
    for name in ("ONE", "TWO", "THREE", "TAG", "APP_PORT", "JOB", "FROM_ENV", "SEARCH_PORT"):
        monkeypatch.delenv(name, raising=False)
    project = tmp_path / "shop"
    for name, text in PROFILED.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    assert check_places(project, load_selected) >= 30
    assert check_variables(project) == {"TAG", "FROM_ENV", "SEARCH_PORT"}


@pytest.mark.parametrize(
    "case",
    [
        "dependency-undefined/defined-by-include",
        "hidden-dependency/alias-and-chain",
        "network-mode-conflict/shared",
        "completed-never/deploy",
        "ports-appended/appended",
        "env-undefined/good",
    ],
)
def test_the_places_of_cases(tmp_path: Path, case: str) -> None:
    shutil.copytree(CASES / case, tmp_path / "project")
    check_places(tmp_path / "project")


def check_variables(project: Path) -> set[str]:
    """Edit each line of an env file that a value is said to come through: the value changes. The
    names of the variables for which that was seen."""
    before = load_selected(project)
    assert before is not None
    leaves = dict(walk_leaves(before))
    seen: set[str] = set()
    for keys, origin in origins_of(project, before).items():
        for variable in origin.variables:
            if variable.source is None or variable.name in seen:
                continue
            path = Path(variable.source.path)
            text = path.read_text()
            path.write_text(edit(text, variable.source, is_yaml=False) or "")
            after = load_selected(project)
            path.write_text(text)
            assert after is not None
            now = dict(walk_leaves(after))
            assert now.get(keys) != leaves[keys], (keys, variable)
            seen.add(variable.name)
    return seen


def check_places(project: Path, load: Callable[[Path], dict[str, Any] | None] = load) -> int:
    """Edit each place once; the number of edits that Compose took."""
    before = load(project)
    assert before is not None
    origins = origins_of(project, before)
    unknown = [keys for keys, one in origins.items() if one.kind is OriginKind.UNKNOWN]
    assert len(unknown) <= max(2, 0.05 * len(origins)), unknown
    leaves = dict(walk_leaves(before))
    tried = 0
    for source in {one.source for one in origins.values() if one.source is not None}:
        path = Path(source.path)
        text = path.read_text()
        edited = edit(text, source, is_yaml=path.suffix == ".yaml")
        if edited is None:
            continue
        path.write_text(edited)
        after = load(project)
        path.write_text(text)
        if after is None:
            continue  # Compose takes no such value there
        tried += 1
        now = dict(walk_leaves(after))
        changed = {keys for keys in {*leaves, *now} if leaves.get(keys) != now.get(keys)}
        mine = {keys for keys, one in origins.items() if one.source == source}
        assert changed & mine, (source, edited)
        assert changed <= mine | derived(changed), (source, changed - mine)
    return tried


def derived(changed: set[Keys]) -> set[Keys]:
    """Keys that are named after a value: a volume that is mounted, a variable, a dependency."""
    return {keys for keys in changed if len(keys) > 1 and keys[-1] in ("volume", "bind", "host_ip")}


def edit(text: str, source: Source, *, is_yaml: bool) -> str | None:
    """The text with another value at the place; None where nothing simple stands there."""
    if not is_yaml:
        lines = text.split("\n")
        assert source.line is not None
        lines[source.line - 1] += "x"
        return "\n".join(lines)
    for key, value in pairs(yaml.compose(text, Loader=yaml.SafeLoader)):
        mark = key.start_mark
        if (mark.line + 1, mark.column + 1) != (source.line, source.column):
            continue
        if not isinstance(value, yaml.ScalarNode):
            return None
        if "$" in value.value:  # another text around the variable, where that is taken
            start, end = value.start_mark.index, value.end_mark.index
            return f"{text[:start]}{json.dumps(value.value + 'x')}{text[end:]}"
        start, end = value.start_mark.index, value.end_mark.index
        written = text[start:end]
        quote = written[0] if written[:1] in "\"'" else ""
        new = f"{quote}{other(value.value)}{quote}"
        return text[:start] + new + text[end:]
    return pytest.fail(f"nothing begins at {source}")


def other(value: str) -> str:
    """Another value of the same shape."""
    if value in ("true", "false"):
        return "false" if value == "true" else "true"
    if value in ("service_started", "always"):
        return {"service_started": "service_healthy", "always": "unless-stopped"}[value]
    found = re.match(r"(\D*)(\d+)(.*)", value, re.S)
    if found and not re.match(r"\D*/", found[1]):
        return f"{found[1]}{int(found[2]) + 100}{found[3]}"
    return value + "x"


def pairs(node: yaml.Node | None) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    """Every key with its value, and every item as both."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key, value
            yield from pairs(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield item, item
            yield from pairs(item)
