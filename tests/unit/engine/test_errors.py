"""Real texts of Compose and Engine 20.10, and what they are taken for.

Compose is v5.6.1, with the classic builder (`up_…`, `classic_…`) and with BuildKit through buildx
0.29.1 (`bk_…`); `old_…` is Compose v2.30.1.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from devenv.engine.errors import (
    BuildFailed,
    DependencyFailed,
    ImagePullFailed,
    InvalidModel,
    MissingVariable,
    NoSuchService,
    PortAllocated,
    classify_compose_failure,
)
from devenv.engine.errors.kinds import EnvFileBroken
from devenv.errors import CommandFailed, ComposeFileError, DevenvError, EngineUnavailable

TEXTS = json.loads(Path(__file__).with_name("compose_stderr.json").read_text())
ARGV = ("docker", "compose", "up")


def classify(name: str) -> DevenvError:
    return classify_compose_failure(ARGV, 1, TEXTS[name], files=["compose.yaml"])


@pytest.mark.parametrize(
    ("name", "kind", "place"),
    [
        ("yaml", ComposeFileError, "compose.yaml:4:4"),
        ("yamltab", ComposeFileError, "compose.yaml:2:1"),
        ("dupkey", ComposeFileError, "/src/dupkey/compose.yaml:4"),
        ("scalar", ComposeFileError, "compose.yaml:1"),
        ("empty", ComposeFileError, "compose.yaml"),
        ("nofile", ComposeFileError, "None"),
        ("gone_file", ComposeFileError, "/src/gone.yaml"),
        ("include", ComposeFileError, "/src/include/gone.yaml"),
        ("badenv", EnvFileBroken, "/src/badenv/.env:4"),
        ("badenv2", EnvFileBroken, "/src/badenv2/.env:2"),
        ("badenvfile", EnvFileBroken, "/src/badenvfile/a.env:2"),
        ("missenvfile", ComposeFileError, "/src/missenvfile/gone.env"),
        ("gone_env", ComposeFileError, "/src/gone.env"),
        ("unknown", InvalidModel, "/src/unknown/compose.yaml"),
        ("type", InvalidModel, "/src/type/compose.yaml"),
        ("toplevel", InvalidModel, "/src/toplevel/compose.yaml"),
        ("extends", InvalidModel, "/src/extends/compose.yaml"),
        ("undef", InvalidModel, "compose.yaml"),
        ("cycle", InvalidModel, "compose.yaml"),
        ("undefnet", InvalidModel, "compose.yaml"),
        ("undefvol", InvalidModel, "compose.yaml"),
        ("noimg", InvalidModel, "compose.yaml"),
        ("interp", InvalidModel, "compose.yaml"),
        ("badport", InvalidModel, "compose.yaml"),
        ("baddur", InvalidModel, "compose.yaml"),
        ("required", MissingVariable, "None"),
        ("required2", MissingVariable, "None"),
        ("nosuch", NoSuchService, "None"),
        ("nodaemon", EngineUnavailable, "None"),
        ("nodaemon_tcp", EngineUnavailable, "None"),
        ("gone_context", EngineUnavailable, "None"),
        ("up_port", PortAllocated, "None"),
        ("up_portproc", PortAllocated, "None"),
        ("up_pull", ImagePullFailed, "None"),
        ("up_nopull", ImagePullFailed, "None"),
        ("up_baseimg", ImagePullFailed, "None"),
        ("up_build", BuildFailed, "None"),
        ("up_copy", BuildFailed, "None"),
        ("up_target", BuildFailed, "None"),
        ("up_nodockerfile", BuildFailed, "None"),
        ("up_dfsyntax", BuildFailed, "Dockerfile:2"),
        ("up_unhealthy", DependencyFailed, "None"),
        ("up_exited", DependencyFailed, "None"),
        ("up_nohealth", DependencyFailed, "None"),
        ("up_complete", DependencyFailed, "None"),
        ("up_cmd", CommandFailed, "None"),
        ("old_pull", ImagePullFailed, "None"),
        ("bk_base", ImagePullFailed, "None"),
        ("bk_base2", ImagePullFailed, "None"),
        ("bk_run", BuildFailed, "None"),
        ("bk_syntax", BuildFailed, "Dockerfile:2"),
        ("bk_flag", BuildFailed, "Dockerfile:2"),
        ("bk_noctx", BuildFailed, "None"),
        ("old_run", BuildFailed, "None"),
    ],
)
def test_kind_and_place(name: str, kind: type[DevenvError], place: str) -> None:
    error = classify(name)
    assert (type(error), str(error.source)) == (kind, place), error.message
    assert error.fix or kind is CommandFailed


def test_attributes() -> None:
    found = classify("up_port"), classify("up_portproc")
    assert [error.port for error in found if isinstance(error, PortAllocated)] == [39471, 39472]
    for name, image in (
        ("up_pull", "devenv-test-gone/nothing:1"),
        ("up_nopull", "devenv-test-gone/nothing:1"),
        ("up_baseimg", "devenv-test-gone/base:1"),
        ("bk_base", "localhost:1/gone/base:1"),
        ("bk_base2", "devenv-test-gone/base:1"),
    ):
        error = classify(name)
        assert isinstance(error, ImagePullFailed)
        assert error.image == image
    build = classify("up_build")
    assert isinstance(build, BuildFailed)
    assert build.step == "RUN sh -c 'echo oops; exit 7'"
    assert build.exit_code_of_step == 7
    exited = classify("up_exited")
    assert isinstance(exited, DependencyFailed)
    assert (exited.reason, exited.exited_with) == ("exited", 3)
    unknown = classify("unknown")
    assert isinstance(unknown, InvalidModel)
    assert unknown.key_path == ("services", "web", "portz")
    missing = classify("required")
    assert isinstance(missing, MissingVariable)
    assert missing.variable == "DB_PASSWORD"


RUN = 'RUN echo "about to fail";     sh -c "echo oops; exit 7"'


@pytest.mark.parametrize(
    ("name", "step", "code", "says"),
    [
        ("bk_run", RUN, 7, "about to fail\noops"),
        ("old_run", RUN, 7, "about to fail\noops"),
        ("bk_multi", "RUN false", 1, ""),
        ("bk_two", "RUN sleep 0.5; cat /nofile", 1, "cat: /nofile: No such file or directory"),
        ("classic_two", "RUN sleep 0.5; cat /nofile", 1, "cat: /nofile: No such file"),
        ("bk_copy", "COPY gone.txt /", None, '"/gone.txt" not found'),
        ("bk_copyfrom", "COPY --from=a /nothing-there /y", None, "no such file or directory"),
        ("classic_copyfrom", "COPY --from=a /nothing-there /y", None, "stat nothing-there"),
        ("bk_noexec", 'RUN ["no-such-program"]', 1, "executable file not found"),
        ("classic_noexec", 'RUN ["no-such-program"]', None, "executable file not found"),
        ("bk_target", None, None, "nope could not be found"),
        ("bk_nodf", None, None, "Dockerfile: no such file"),
        ("bk_argfrom", None, None, "base name (${BASE}) should not be blank"),
        ("classic_argfrom", "FROM ${BASE}", None, "base name (${BASE}) should not be blank"),
        ("bk_empty", None, None, "the Dockerfile cannot be empty"),
        ("classic_empty", None, None, "cannot be empty"),
        ("classic_secret", "RUN --mount=type=secret,id=tok cat /run/secrets/tok", None, "BuildKit"),
    ],
)
def test_failed_builds(name: str, step: str | None, code: int | None, says: str) -> None:
    error = classify(name)
    assert isinstance(error, BuildFailed)
    assert (error.step, error.exit_code_of_step) == (step, code)
    assert says in (error.excerpt or "")
    shown = error.message + (error.excerpt or "")
    assert "level=warning" not in shown  # nothing of how the build went on
    assert "DONE" not in shown
    assert "rpc error" not in error.message
    assert "frontend" not in error.message


@pytest.mark.parametrize("name", ["bk_run", "bk_two", "bk_copy", "bk_target", "bk_nodf"])
def test_buildx_by_itself_says_the_same(name: str) -> None:
    by_compose = classify(name)
    text = TEXTS[name].replace("\ntarget ", "\nERROR: target ")
    text = text.replace("\nfailed to solve", "\nERROR: failed to solve")
    assert "\nERROR: " in text
    alone = classify_compose_failure(ARGV, 1, text, files=["compose.yaml"])
    assert isinstance(alone, BuildFailed) and isinstance(by_compose, BuildFailed)
    assert alone.message == by_compose.message
    assert (alone.step, alone.target) == (by_compose.step, by_compose.target)


@pytest.mark.parametrize("name", ["step", "layer", "context"])
def test_a_full_disk(name: str) -> None:
    error = classify(f"classic_full_{name}")
    assert isinstance(error, BuildFailed)
    assert error.disk_full
    assert "no space is left on the engine's disk" in error.message
    assert "docker builder prune" in (error.fix or "")
    error.name_disk("/var/lib/docker")
    assert "the engine's disk (/var/lib/docker)" in error.message


def test_the_service_whose_build_failed() -> None:
    names = {name: getattr(classify(name), "target", None) for name in ("bk_two", "bk_run")}
    assert names == {"bk_two": "other", "bk_run": None}


def test_old_compose_names_the_service_whose_image_is_missing() -> None:
    error = classify("old_pull")
    assert isinstance(error, ImagePullFailed)
    assert (error.image, error.service) == (None, "app")
    error.name_image("x:1")
    assert "x:1" in error.message


def test_values_of_env_files_are_not_repeated() -> None:
    assert '"x' not in classify("badenv").message


@pytest.mark.parametrize(
    "words",
    [
        "could not find an available, non-overlapping IPv4 address pool among the defaults to "
        "assign to the network",
        "all predefined address pools have been fully subnetted",
    ],
    ids=["20.10", "28"],
)
def test_no_addresses_for_another_network(words: str) -> None:
    said = f" Network x_default Error \nfailed to create network x_default: {words}\n"
    error = classify_compose_failure(ARGV, 1, said, files=["compose.yaml"])
    assert "no addresses left for another network" in error.message
    assert "devenv gc" in (error.fix or "")


def test_a_user_that_the_image_lacks_names_the_container_that_began_and_did_not_start() -> None:
    error = classify("up_nouser")
    assert isinstance(error, CommandFailed)
    assert error.message.startswith("The image of devenv-shop-db-1 has no user neo4j")
    assert error.fix is not None and "user:" in error.fix
