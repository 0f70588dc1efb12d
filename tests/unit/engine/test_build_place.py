"""The Dockerfile line of a failed build, and the steps that build output tells of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from devenv.compose.build_progress import BuildStep, parse_build_step
from devenv.compose.model import Build, Service
from devenv.compose.names import ServiceName
from devenv.engine.build_place import find_instruction, place_build_failure
from devenv.engine.errors import BuildFailed, classify_compose_failure

TEXTS = json.loads(Path(__file__).with_name("compose_stderr.json").read_text())
APP, OTHER = ServiceName("app"), ServiceName("other")
DOCKERFILE = """\
# syntax=docker/dockerfile:1
FROM base AS deps

RUN echo one && \\
    # said between
    echo two
COPY ${WHAT} /here/
RUN make
FROM deps
RUN make
"""


@pytest.mark.parametrize(
    ("step", "number", "line"),
    [
        ("FROM base AS deps", None, 2),
        ("RUN echo one &&     echo two", None, 4),
        ("COPY src /here/", None, 7),
        ("COPY src /there/", None, None),
        ("RUN make", None, None),
        ("RUN make", 4, 8),
        ("RUN make", 6, 10),
        ("RUN make", 2, None),
    ],
)
def test_find_instruction(step: str, number: int | None, line: int | None) -> None:
    assert find_instruction(DOCKERFILE, step, number) == line


def make_service(name: ServiceName, directory: Path, text: str | None) -> Service:
    directory.mkdir()
    if text is not None:
        (directory / "dev.Dockerfile").write_text(text)
    return Service(name, build=Build(str(directory), "dev.Dockerfile", None))


def place(name: str, services: list[Service]) -> str:
    error = classify_compose_failure(("docker", "compose", "build"), 1, TEXTS[name])
    assert isinstance(error, BuildFailed)
    place_build_failure(error, services)
    return str(error.source)


FAILS = "FROM base\nRUN sleep 0.5; cat /nofile\n"


@pytest.mark.parametrize("name", ["bk_two", "classic_two"])
def test_the_one_of_two_builds_that_failed(tmp_path: Path, name: str) -> None:
    fine = make_service(APP, tmp_path / "a", "FROM base\nRUN echo a-one\n")
    broken = make_service(OTHER, tmp_path / "b", FAILS)
    assert place(name, [fine, broken]) == f"{tmp_path}/b/dev.Dockerfile:2"


def test_no_guess_between_two_that_fit(tmp_path: Path) -> None:
    both = [make_service(APP, tmp_path / "a", FAILS), make_service(OTHER, tmp_path / "b", FAILS)]
    assert place("classic_two", both) == "None"
    assert place("bk_two", both) == f"{tmp_path}/b/dev.Dockerfile:2"


def test_a_line_that_the_builder_names_gets_its_path(tmp_path: Path) -> None:
    service = make_service(APP, tmp_path / "a", "FROM base\nRUNN x\n")
    assert place("bk_syntax", [service]) == f"{tmp_path}/a/dev.Dockerfile:2"
    assert place("bk_target", [service]) == f"{tmp_path}/a/dev.Dockerfile"


def test_no_dockerfile(tmp_path: Path) -> None:
    assert place("bk_nodf", [make_service(APP, tmp_path / "a", None)]) == "None"


def steps(name: str, *services: ServiceName) -> list[BuildStep]:
    lines = TEXTS[name].splitlines()
    return [step for line in lines if (step := parse_build_step(line, services)) is not None]


def test_steps_of_one_build() -> None:
    expected = ["1/3 FROM docker.io/devenv-offline/base", "2/3 RUN echo first"]
    for name, service in (("bk_run", None), ("old_run", APP)):
        found = steps(name, APP)
        assert [step.text for step in found[:2]] == expected
        assert {step.service for step in found} == {service}


def test_steps_of_two_builds() -> None:
    found = [(step.service, step.text) for step in steps("bk_two", APP, OTHER)]
    assert (APP, "2/3 RUN echo a-one") in found
    assert (OTHER, "1/1 RUN sleep 0.5; cat /nofile") in found
    assert len({service for service, _ in found}) == 2


def test_a_stage_is_not_taken_for_a_service() -> None:
    assert steps("bk_multi", ServiceName("api"))[1].service is None
    dotted = ServiceName("my.app")
    line = "#9 [my_app dev 2/3] RUN make"
    assert parse_build_step(line, [dotted]) == BuildStep(dotted, "2/3 RUN make")
