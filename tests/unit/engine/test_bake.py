"""Which builds buildx does by itself, and how it is called for them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from devenv.engine.bake import BakeFile, load_bake_file, run_bake
from devenv.engine.compose import ComposeCli, Selection

APP: dict[str, Any] = {
    "context": "/p",
    "dockerfile": "/p/Dockerfile",
    "labels": {"com.docker.compose.service": "app"},
    "tags": ["shop-app"],
    "output": ["type=docker"],
}


def bake(**targets: dict[str, Any]) -> BakeFile:
    return BakeFile("/plugin", {"target": targets})


def test_the_target_of_an_image_is_found_by_its_name() -> None:
    lib = {**APP, "tags": ["shop-lib"]}
    both = bake(app={**APP, "contexts": {"lib": "target:lib", "x": "/x"}}, lib=lib)
    assert both.find_target("shop-app") == "app"
    assert both.find_target("shop-lib") == "lib"
    assert both.find_target("shop-other") is None
    # Two builds of one name: whose is it?
    assert bake(app=APP, two=APP).find_target("shop-app") is None


@pytest.mark.parametrize(
    "more",
    [
        {"secret": ["id=s,type=file,src=/s"]},
        {"ssh": ["default"]},
        {"network": "host"},
        {"entitlements": ["security.insecure"]},
        {"context": "https://example.com/x.git"},
        {"dockerfile": "Dockerfile"},
        {"output": ["type=registry"]},
        {"attest": ["type=sbom"]},
    ],
    ids=str,
)
def test_what_needs_more_than_files_is_left_to_compose(more: dict[str, Any]) -> None:
    assert bake(app={**APP, **more}).find_target("shop-app") is None
    lib = {**APP, "tags": ["shop-lib"], **more}
    app = {**APP, "contexts": {"lib": "target:lib"}}
    assert bake(app=app, lib=lib).find_target("shop-app") is None


def test_buildx_is_given_what_compose_would_give_it(tmp_path: Path) -> None:
    plugins = tmp_path / "cli-plugins"
    plugins.mkdir()
    plugin = plugins / "docker-buildx"
    plugin.write_text(f'#!/bin/sh\necho "$@" >{tmp_path}/words\ncat >{tmp_path}/stdin\necho made\n')
    compose = tmp_path / "compose"
    document = {"target": {"app": APP, "two": {**APP, "context": "/q", "tags": ["two"]}}}
    compose.write_text(f"#!/bin/sh\necho \"$@\" >{tmp_path}/asked\necho '{json.dumps(document)}'\n")
    for program in (plugin, compose):
        program.chmod(0o755)
    environ = {"DOCKER_CONFIG": str(tmp_path), "PATH": "/bin:/usr/bin"}
    selection = Selection(tmp_path)
    lines: list[str] = []

    async def build() -> int:
        found = await load_bake_file(ComposeCli(str(compose), "5.6.1"), selection, environ)
        assert found is not None
        completed = await run_bake(
            found, "app", selection, environ, lambda _, line: lines.append(line)
        )
        return completed.returncode

    assert asyncio.run(build()) == 0
    assert lines == ["made"]
    assert (tmp_path / "asked").read_text() == "build --print\n"
    assert (tmp_path / "words").read_text() == (
        "bake --file - --progress plain --allow fs.read=/p --allow fs.read=/q app\n"
    )
    assert json.loads((tmp_path / "stdin").read_text()) == document
    classic = {**environ, "DOCKER_BUILDKIT": "0"}
    cli = ComposeCli(str(compose), "5.6.1")
    assert asyncio.run(load_bake_file(cli, selection, classic)) is None
    compose.write_text("#!/bin/sh\nexit 1\n")
    assert asyncio.run(load_bake_file(cli, selection, environ)) is None
