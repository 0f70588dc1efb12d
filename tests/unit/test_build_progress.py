"""What Compose and the builders print, as steps with their times. The texts are real ones."""

from __future__ import annotations

import pytest

from devenv.compose.build_progress import BuildReader, StepMark, is_same_image, parse_pull
from devenv.compose.names import ServiceName

A, B = ServiceName("a"), ServiceName("b")
CLASSIC = """\
 Image bp-a Building
Sending build context to Docker daemon     314B
Step 1/3 : FROM devenv-offline/redis AS x
 ---> 375c0a6a07d3
Step 2/3 : RUN echo hi
 ---> Using cache
 ---> 131336c90873
Step 3/3 : RUN sleep 1; echo a
 ---> Running in 2434d251c5f0
a
Removing intermediate container 2434d251c5f0
 ---> a9f30aee3d1c
Successfully built a9f30aee3d1c
Successfully tagged bp-a:latest
 Image bp-a Built
 Image bp-a Built
"""
BUILDKIT = """\
#1 [a internal] load build definition from Dockerfile
#1 DONE 0.0s
#5 [a 1/3] FROM docker.io/library/node:20
#5 CACHED
#6 [a 2/3] COPY . .
#6 DONE 0.1s
#7 [b 2/2] RUN false
#7 0.211 some output
#7 ERROR: process "/bin/sh -c false" did not complete successfully: exit code: 1
#8 [a 3/3] RUN npm ci
"""


def read(reader: BuildReader, output: str) -> dict[tuple[str, str], StepMark]:
    """The last mark of each step; line N is read at second N."""
    marks: dict[tuple[str, str], StepMark] = {}
    for at, line in enumerate(output.splitlines()):
        for mark in reader.read(line, float(at)):
            marks[mark.service, mark.key] = mark
    return marks


def test_classic_steps_of_one_image() -> None:
    marks = read(BuildReader({A: "bp-a"}), CLASSIC)
    assert marks == {
        ("a", "image"): StepMark(A, "image", "build bp-a", 0.0, 14.0),
        ("a", "step 1/3"): StepMark(A, "step 1/3", "1/3 FROM devenv-offline/redis AS x", 2.0, 4.0),
        ("a", "step 2/3"): StepMark(A, "step 2/3", "2/3 RUN echo hi", 4.0, 5.0, cached=True),
        ("a", "step 3/3"): StepMark(A, "step 3/3", "3/3 RUN sleep 1; echo a", 7.0, 14.0),
    }


def test_classic_steps_of_several_images_cannot_be_told_apart() -> None:
    marks = read(BuildReader({A: "bp-a", B: "myb:1"}), " Image myb:1 Building\n" + CLASSIC)
    assert {key: (m.began_at, m.ended_at) for key, m in marks.items()} == {
        ("a", "image"): (1.0, 15.0),
        ("b", "image"): (0.0, None),
    }


def test_buildkit_steps_end_by_their_number() -> None:
    reader = BuildReader({A: "bp-a", B: "bp-b"})
    marks = read(reader, BUILDKIT)
    assert marks == {
        ("a", "#5"): StepMark(A, "#5", "1/3 FROM docker.io/library/node:20", 2.0, 3.0, cached=True),
        ("a", "#6"): StepMark(A, "#6", "2/3 COPY . .", 4.0, 5.0),
        ("b", "#7"): StepMark(B, "#7", "2/2 RUN false", 6.0, 8.0, failed=True),
        ("a", "#8"): StepMark(A, "#8", "3/3 RUN npm ci", 9.0),
    }
    assert reader.end(12.0, failed=True) == (
        StepMark(A, "#8", "3/3 RUN npm ci", 9.0, 12.0, failed=True),
    )
    assert reader.end(13.0, failed=True) == ()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (" Image postgres:16 Pulling ", ("postgres:16", False)),
        (" Image postgres:16 Pulled ", ("postgres:16", True)),
        (" Image localhost:5999/x:1 Error Get: refused", ("localhost:5999/x:1", True)),
        (" db Pulling", ("db", False)),
        (" db Pulled", ("db", True)),
        (" Container shop-db-1 Started", None),
        ("Image postgres:16 Building", None),
        ("", None),
    ],
)
def test_pulls(line: str, expected: tuple[str, bool] | None) -> None:
    assert parse_pull(line) == expected


def test_same_image() -> None:
    assert is_same_image("redis", "redis:latest")
    assert is_same_image("localhost:5000/a", "localhost:5000/a:latest")
    assert not is_same_image("redis:7", "redis")
