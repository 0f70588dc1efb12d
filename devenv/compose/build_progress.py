"""Compose's output to the steps of builds and pulls: BuildKit's plain form, the classic one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from devenv.compose.names import ServiceName
from devenv.values import dataclass, replace

_BUILDKIT = re.compile(r"^#\d+ \[(?P<where>[^\]]*?)(?P<step>\d+/\d+)\] (?P<instruction>.+)$")
_CLASSIC = re.compile(r"^Step (?P<step>\d+/\d+) : (?P<instruction>.+)$")


@dataclass(frozen=True, slots=True)
class BuildStep:
    """A step that has begun. `service` is None where the output does not name it."""

    service: ServiceName | None
    text: str
    """Such as `4/7 RUN npm ci`."""


def parse_build_step(line: str, services: Iterable[ServiceName]) -> BuildStep | None:
    """The step that a line of build output begins, or None.

    `services` are those whose images are built. BuildKit puts the service before the stage, with
    a `_` for a dot; where only one image is built it may leave it out.
    """
    line = line.strip()
    found = _BUILDKIT.match(line)
    if found:
        first = found["where"].split(" ")[0].strip()
        service = next((name for name in services if name.replace(".", "_") == first), None)
        return BuildStep(service, f"{found['step']} {found['instruction']}")
    found = _CLASSIC.match(line)
    if found:
        return BuildStep(None, f"{found['step']} {found['instruction']}")
    return None


@dataclass(frozen=True, slots=True)
class StepMark:
    """A step as far as it is known; a later mark with the same service and key replaces it.

    Times are those at which the lines were read, in seconds since the epoch.
    """

    service: ServiceName
    key: str
    text: str
    began_at: float
    ended_at: float | None = None
    cached: bool = False
    failed: bool = False


WHOLE_BUILD = "image"
"""The key of the mark that stands for an image's build from its beginning to its end."""
_IMAGE = re.compile(r"^Image (?P<image>\S+) (?P<what>Building|Built|Pulling|Pulled|Error)\b")
_BUILDKIT_END = re.compile(
    r"^#(?P<number>\d+) (?P<what>CACHED|DONE|ERROR|CANCELED)\b ?(?P<rest>.*)$"
)
_BUILDKIT_NUMBER = re.compile(r"^#(\d+) ")


class BuildReader:
    """Turns the lines of a build into marks of steps.

    The classic builder does not say whose step a line is: where it builds several images at
    once, only the whole builds are marked.
    """

    def __init__(self, images: Mapping[ServiceName, str]) -> None:
        """`images`: the services that are built, with the names of their images."""
        self._images = images
        self._only = next(iter(images)) if len(images) == 1 else None
        self._open: dict[tuple[ServiceName, str], StepMark] = {}

    def read(self, line: str, at: float) -> tuple[StepMark, ...]:
        """The marks that a line changes; `at` is when it was read."""
        line = line.strip()
        image = _IMAGE.match(line)
        if image:
            return self._read_image(image["image"], image["what"], at)
        end = _BUILDKIT_END.match(line)
        if end:
            return self._end_buildkit(end["number"], end["what"], at)
        step = parse_build_step(line, self._images)
        if step is not None:
            return self._begin(step, line, at)
        if self._only is not None and line.endswith("Using cache"):
            return self._close(self._only, "step", at, cached=True)
        return ()

    def end(self, at: float, *, failed: bool) -> tuple[StepMark, ...]:
        """The marks of all steps that are open when the build is over."""
        marks = [replace(mark, ended_at=at, failed=failed) for mark in self._open.values()]
        self._open.clear()
        return tuple(marks)

    def _read_image(self, image: str, what: str, at: float) -> tuple[StepMark, ...]:
        marks: list[StepMark] = []
        for name, built in self._images.items():
            if not is_same_image(built, image):
                continue
            if what == "Building" and (name, WHOLE_BUILD) not in self._open:
                mark = StepMark(name, WHOLE_BUILD, f"build {image}", at)
                self._open[name, WHOLE_BUILD] = mark
                marks.append(mark)
            elif what == "Built":
                marks += self._close(name, "step", at)
                marks += self._close(name, WHOLE_BUILD, at)
        return tuple(marks)

    def _begin(self, step: BuildStep, line: str, at: float) -> tuple[StepMark, ...]:
        name = step.service or self._only
        if name is None:
            return ()
        number = _BUILDKIT_NUMBER.match(line)
        kind = f"#{number[1]}" if number else "step"
        before = self._close(name, "step", at) if number is None else ()
        key = kind if number else f"step {step.text.split(' ')[0]}"
        mark = StepMark(name, key, step.text, at)
        self._open[name, kind] = mark
        return (*before, mark)

    def _end_buildkit(self, number: str, what: str, at: float) -> tuple[StepMark, ...]:
        kind = f"#{number}"
        marks: list[StepMark] = []
        for name in [name for name, key in self._open if key == kind]:
            marks += self._close(
                name, kind, at, cached=what == "CACHED", failed=what in ("ERROR", "CANCELED")
            )
        return tuple(marks)

    def _close(
        self, name: ServiceName, kind: str, at: float, *, cached: bool = False, failed: bool = False
    ) -> tuple[StepMark, ...]:
        mark = self._open.pop((name, kind), None)
        if mark is None:
            return ()
        return (replace(mark, ended_at=at, cached=cached, failed=failed),)


def parse_pull(line: str) -> tuple[str, bool] | None:
    """The image (or, from an older Compose, the service) whose pull a line begins or ends.

    The second value tells whether it is over. None for any other line.
    """
    found = _IMAGE.match(line.strip()) or _OLD_PULL.match(line.strip())
    if found is None or found["what"] not in ("Pulling", "Pulled", "Error"):
        return None
    return found["image"], found["what"] != "Pulling"


_OLD_PULL = re.compile(r"^(?P<image>\S+) (?P<what>Pulling|Pulled)\b")


def is_same_image(one: str, other: str) -> bool:
    """Whether two references are alike but for a tag that is left out, which is `latest`."""
    return _with_tag(one) == _with_tag(other)


def _with_tag(image: str) -> str:
    last = image.rpartition("/")[2]
    return image if ":" in last or "@" in last else f"{image}:latest"
