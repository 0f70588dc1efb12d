"""What went wrong in an image build, with the classic builder or BuildKit."""

from __future__ import annotations

import re

from devenv.engine.errors.kinds import BuildFailed
from devenv.engine.errors.text import quiet_tail, tail
from devenv.errors import Source

_FRONTEND = re.compile(
    r"rpc error: code = \w+ desc = |failed to solve(?: with frontend [\w.]+)?: "
    r"|failed to create LLB definition: |failed to compute cache key: "
)
"""What BuildKit puts before the fault itself."""
_CLIENT = r"^(?:ERROR: )?(?:failed to build: )?"
"""What buildx puts before it where it is run by itself."""
_DISK_FULL = re.compile(r"no space left on device", re.I)
"""The kernel's words, from the engine or from a program of a step."""
_FETCHING = re.compile(
    r"failed to resolve source metadata|failed to do request|pull access denied"
    r"|failed to authorize|unexpected status from"
)


def find_build_fault(argv: tuple[str, ...], returncode: int, text: str) -> BuildFailed | None:
    """The step that failed, its exit code and last lines; a base image to be fetched is none."""
    solve = re.search(rf"{_CLIENT}(?:target (\S+): )?failed to solve: (.+)$", text, re.M)
    said = _FRONTEND.sub("", solve[2]) if solve else None
    if said is not None and _FETCHING.search(said):
        return None
    process = re.search(
        r'(?:process "(.+?)" did not complete successfully|executor failed running \[(.+?)\]):'
        r" exit code: (\d+)",
        said or "",
    )
    classic = re.search(r"The command '(.+?)' returned a non-zero code: (\d+)", text, re.S)
    plain = said or _classic_fault(text)
    if not (classic or plain):
        return None
    ended = process or classic
    heads = re.findall(r"^ > \[(.+?)\]\s?(.*?):?$", text, re.M)
    step, number = _classic_step(text, classic[1] if classic else plain or "")
    if heads:
        step, number = heads[-1][1], None
    elif step is None and ended:
        step = ended[1]
    source = None
    if place := re.search(r"^(\S*?[Dd]ockerfile\S*):(\d+)\n-{5,}", text, re.M):
        source = Source(place[1], int(place[2]))
    elif line := re.search(r"dockerfile parse error (?:on )?line (\d+)", plain or ""):
        source = Source("Dockerfile", int(line[1]))
    elif plain and re.match(r"failed to read dockerfile: open .*: no such file", plain):
        plain = "there is no Dockerfile where the build looks for one"
    message = "The image build failed"
    message += f" at {step}" if step else ""
    message += f" (exit code {ended[len(ended.groups())]})." if ended else f": {plain}."
    failed = BuildFailed(
        argv,
        returncode,
        _build_lines(text, number),
        message=message,
        source=source,
        fix="read the step's last lines; repair the Dockerfile or what it copies."
        if step
        else "repair the Dockerfile, or `build:` in the Compose file.",
    )
    if plain and "requires BuildKit" in plain:
        failed.fix = "install the buildx plugin (package docker-buildx or docker-buildx-plugin)."
    if gone := re.search(r"symlinks in Dockerfile path: lstat (.+?): no such file", plain or ""):
        failed.missing_dockerfile = gone[1]
        failed.message = f"The image build failed: there is no Dockerfile at {gone[1]}."
        failed.fix = "write it there, or correct `build:` in the Compose file."
    if _DISK_FULL.search(text):
        failed.disk_full = True
        failed.message = f"The image build failed{f' at {step}' if step else ''}: "
        failed.message += "no space is left on the engine's disk."
        failed.fix = (
            "free some (`docker system df` shows what takes it, `docker builder prune` and "
            "`docker image prune` give it back), then build again."
        )
    failed.step, failed.step_number = step, number
    failed.exit_code_of_step = int(ended[len(ended.groups())]) if ended else None
    failed.target = solve[1] if solve else None
    return failed


def _classic_step(text: str, about: str) -> tuple[str | None, int | None]:
    """The classic builder's step that `about` speaks of, and its number in the Dockerfile.

    Several images are built at once, their lines mixed: the last step need not be the one.
    """
    steps = [(said, int(n)) for n, said in re.findall(r"^Step (\d+)/\d+ : (.+)$", text, re.M)]
    shell = re.sub(r"^/bin/sh -c ", "", about)
    word = shell.split(" ", 1)[0]
    for fits in (
        [step for step in steps if step[0] == f"RUN {shell}"],
        [step for step in steps if word in ("COPY", "ADD") and step[0].startswith(word)],
        steps,
    ):
        if fits:
            return fits[-1]
    return None, None


def _build_lines(text: str, number: int | None) -> str:
    """The last lines of the step that failed; where they cannot be told, of the build."""
    blocks = re.findall(r"^ > \[.+\n((?:(?!-{6}).*\n)*)-{6}", text, re.M)
    if blocks and blocks[-1].strip():
        return tail(re.sub(r"^\d+\.\d+ ", "", blocks[-1], flags=re.M))
    # The classic builder's: from the line of the step on.
    heads = list(re.finditer(rf"^Step {number}/\d+ : ", text, re.M)) if number else []
    return quiet_tail(text[heads[-1].start() :] if heads else text)


def _classic_fault(text: str) -> str | None:
    """What the classic builder says last, when it is not about fetching the base image."""
    if not re.search(
        r"^Sending build context|^Step \d+/\d+ : |unable to prepare context", text, re.M
    ):
        return None
    lines = [line for line in text.splitlines() if not re.match(r"^Step |^ --->|^Sending", line)]
    faults = (
        r"(COPY|ADD) failed|dockerfile parse error|failed to reach build target|unable to prep"
        r"|base name \(|the Dockerfile \(|the --mount option|failed to create (?:shim )?task"
        r"|invalid |error processing tar file|.*: no space left on device$"
    )
    for line in reversed(lines):
        said = line.removeprefix("Error response from daemon: ")
        if re.match(faults, said, re.I):
            return said.rstrip(".")
    return None
