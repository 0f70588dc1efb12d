"""What the words of docker and docker compose mean.

The only place where their stderr text is matched; tests/unit/engine/compose_stderr.json holds
the real texts. An unknown text becomes a plain CommandFailed that shows its end.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from devenv.engine.context import DEFAULT_SOCKET
from devenv.engine.unavailable import permission_denied
from devenv.errors import (
    CommandFailed,
    ComposeFileError,
    DevenvError,
    EngineUnavailable,
    Source,
    UsageError,
)

TAIL_LINES = 20
_NO_IMAGE = "An image cannot be fetched."
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class InvalidModel(ComposeFileError):
    """The Compose files load as YAML, but what they say is not allowed.

    `key_path` is the place in the model (`("services", "web", "portz")`), for a reader that
    knows the lines; `service` the service it concerns. Both may be empty.
    """

    def __init__(
        self,
        message: str,
        *,
        key_path: tuple[str, ...] = (),
        service: str | None = None,
        source: Source | None = None,
        fix: str | None = None,
    ) -> None:
        super().__init__(message, source=source, fix=fix)
        self.key_path = key_path
        self.service = service


class MissingVariable(InvalidModel):
    """A variable written as `${NAME:?…}` has no value."""

    def __init__(self, variable: str, note: str, key_path: tuple[str, ...]) -> None:
        super().__init__(
            f"The variable {variable} has no value" + (f": {note}" if note else "."),
            key_path=key_path,
            fix=f"set {variable} in .env or in the shell.",
        )
        self.variable = variable


class NoSuchService(UsageError):
    """A command names a service that the project, with its active profiles, does not have."""

    def __init__(self, service: str) -> None:
        super().__init__(
            f"There is no service {service!r}.",
            fix="list the services with `docker compose config --services`; "
            "one of an inactive profile needs --profile.",
        )
        self.service = service


class PortAllocated(CommandFailed):
    """A host port that a service publishes is taken."""

    port: int


class ImagePullFailed(CommandFailed):
    """An image is neither here nor can be fetched."""

    image: str | None
    service: str | None
    """The service that wants it, where only that is named (Compose before 5)."""

    def name_image(self, image: str | None) -> None:
        """Say which image it is, where that is known."""
        self.image = image
        self.message = f"The image {image} cannot be fetched." if image else _NO_IMAGE


class BuildFailed(CommandFailed):
    """An image build failed. `step` is the instruction, `source` its line where it is known."""

    step: str | None
    step_number: int | None
    """Its place among all instructions of the Dockerfile, from 1; the classic builder tells it."""
    target: str | None
    """The service whose build failed, where the builder names it."""
    exit_code_of_step: int | None


class DependencyFailed(CommandFailed):
    """A container that others wait for became unhealthy or exited."""

    container: str
    reason: str
    """`unhealthy`, `exited` or `missing healthcheck`."""
    exited_with: int | None


def classify_compose_failure(
    argv: Sequence[str], returncode: int, stderr: str, *, files: Sequence[str] = ()
) -> DevenvError:
    """The error that a failed docker or compose command stands for.

    `files` are the Compose files that were given: with exactly one, an error without a file
    name is placed in it.
    """
    text = _ANSI.sub("", stderr).replace("\r\n", "\n").strip()
    return (
        # First what only a run says: a build's output may hold any of the other texts.
        _running(tuple(argv), returncode, text)
        or _engine(text)
        or _env_file(text)
        or _yaml(text, files)
        or _model(text, files)
        or CommandFailed(tuple(argv), returncode, _tail(text))
    )


def _tail(text: str) -> str:
    return "\n".join(text.splitlines()[-TAIL_LINES:])


def _only(
    files: Sequence[str], line: int | None = None, column: int | None = None
) -> Source | None:
    return Source(files[0], line, column) if len(files) == 1 else None


def _engine(text: str) -> EngineUnavailable | None:
    if re.search(r"permission denied while trying to connect to the docker", text, re.I):
        socket = re.search(r"dial unix (\S+?): connect: permission denied", text)
        return permission_denied(socket[1] if socket else DEFAULT_SOCKET)
    if found := re.search(r'context "([^"]+)": context not found', text):
        return EngineUnavailable(
            f"The Docker context {found[1]!r} does not exist.",
            fix="list the contexts with `docker context ls`.",
        )
    if re.search(r"Cannot connect to the Docker daemon|failed to connect to the docker API", text):
        place = re.search(r"(?:Docker daemon|docker API) at (\S+?)[.;]?(?:\s|$)", text)
        return EngineUnavailable(
            f"No Docker engine answers{f' at {place[1]}' if place else ''}.",
            fix="start Docker: `sudo systemctl start docker`, or open Docker Desktop.",
            excerpt=_tail(text),
        )
    return None


def _env_file(text: str) -> ComposeFileError | None:
    if found := re.search(r"failed to read (.+?): line (\d+): (.+)", text):
        # What is quoted may be a secret's value: only the kind of fault is repeated.
        what = re.sub(r"(unterminated quoted value|unexpected character).*", r"\1", found[3])
        line = int(found[2])
        fix = "repair the line: NAME=value, with quotes closed and no blank in the name."
        if what == "unterminated quoted value":
            fix = f"close the quote; it opens on line {line} or above it."
        return ComposeFileError(
            f"The env file does not load: {what}.", source=Source(found[1], line), fix=fix
        )
    if found := re.search(r"(?:env file (.+?) not found: |couldn't find env file: (.+))", text):
        path = found[1] or found[2]
        return ComposeFileError(
            f"The env file {path} does not exist.",
            source=Source(path),
            fix="create it, or mark it `required: false`.",
        )
    return None


def _yaml(text: str, files: Sequence[str]) -> ComposeFileError | None:
    fix = "repair the YAML; blanks and not tabs indent, and keys of one level stand in one column."
    if found := re.search(
        r"go-yaml load error.*? at L(\d+)\.C(\d+)(?:-L(\d+)\.C(\d+))?: (.+)", text
    ):
        line, column = int(found[3] or found[1]), int(found[4] or found[2])
        place = _only(files, line, column)
        where = "" if place else f" (line {line}, column {column})"
        return ComposeFileError(
            f"The YAML does not load: {found[5]}{where}.", source=place, fix=fix
        )
    if found := re.search(
        r"(?:failed to parse (.+?): )?yaml: (?:\w+ errors: )?(?:line \d+: )?line (\d+): (.+)", text
    ):
        line = int(found[2])
        place = Source(found[1], line) if found[1] else _only(files, line)
        if twice := re.search(r'mapping key "(.+)" already defined at line (\d+)', found[3]):
            return ComposeFileError(
                f"The key {twice[1]!r} stands here again; line {twice[2]} has it already.",
                source=place,
                fix="keep one of the two.",
            )
        return ComposeFileError(f"The YAML does not load: {found[3]}.", source=place, fix=fix)
    if text == "empty compose file":
        return ComposeFileError(
            "The Compose file is empty.", source=_only(files), fix="add a `services:` section."
        )
    if text.startswith("no configuration file provided"):
        return ComposeFileError(
            "There is no Compose file here or in a directory above.",
            fix="go to the project's directory, or name a file with -f.",
        )
    if found := re.search(r"open (.+?\.ya?ml): no such file or directory", text):
        return ComposeFileError(
            f"The Compose file {found[1]} does not exist.",
            source=Source(found[1]),
            fix="correct the name (-f, COMPOSE_FILE, or `include:`).",
        )
    return None


def _key_path(dotted: str) -> tuple[str, ...]:
    return tuple(part for part in re.split(r"[.\[\]]", dotted) if part)


def _model(text: str, files: Sequence[str]) -> DevenvError | None:
    if found := re.search(r"^validating (.+?):\s+(.+)$", text, re.M):
        return _schema(Source(found[1]), found[2])
    if found := re.search(
        r"error while interpolating (\S+): required variable (\S+) is missing a value(?:: (.+))?",
        text,
    ):
        return MissingVariable(found[2], (found[3] or "").strip(), _key_path(found[1]))
    if found := re.search(r"invalid interpolation format for (\S+?)\.?\n", text):
        path = _key_path(found[1])
        return InvalidModel(
            f"The value of {'.'.join(path)} is not a valid use of ${{…}}.",
            key_path=path,
            service=_service(path),
            source=_only(files),
            fix="close the brace, or write $$ for a plain dollar sign.",
        )
    if found := re.search(r'service "(.+?)" depends on undefined service "?([^":]+)"?', text):
        return InvalidModel(
            f"{found[1]} depends on {found[2]}, which is not an active service.",
            key_path=("services", found[1], "depends_on"),
            service=found[1],
            source=_only(files),
            fix=f"correct the name, or add the profile of {found[2]} with --profile.",
        )
    if found := re.search(r"dependency cycle detected: (.+)", text):
        first = found[1].split(" -> ")[0]
        return InvalidModel(
            f"Services depend on each other in a circle: {found[1]}.",
            key_path=("services", first, "depends_on"),
            service=first,
            source=_only(files),
            fix="take one of these depends_on entries out.",
        )
    if found := re.search(
        r'service "(.+?)" refers to undefined (network|volume|secret|config) ([^\s:]+)', text
    ):
        return InvalidModel(
            f"{found[1]} uses the {found[2]} {found[3]}, which is not declared.",
            key_path=("services", found[1], f"{found[2]}s"),
            service=found[1],
            source=_only(files),
            fix=f"declare it at the top level: {found[2]}s: {{{found[3]}: {{}}}}.",
        )
    if found := re.search(r'service "(.+?)" has neither an image nor a build context', text):
        return InvalidModel(
            f"{found[1]} has neither image nor build.",
            key_path=("services", found[1]),
            service=found[1],
            source=_only(files),
            fix=f"add services.{found[1]}.image or services.{found[1]}.build.",
        )
    if found := re.search(
        r'cannot extend service "(.+?)" in (.+?): service "(.+?)" not found', text
    ):
        return InvalidModel(
            f"{found[1]} extends {found[3]}, which does not exist.",
            key_path=("services", found[1], "extends"),
            service=found[1],
            source=Source(found[2]),
            fix="correct the name under extends.",
        )
    if found := re.search(r"^'([\w.\[\]-]+)' (.+)$", text, re.M):
        path = _key_path(found[1])
        return InvalidModel(
            f"{'.'.join(path)}: {found[2]}.",
            key_path=path,
            service=_service(path),
            source=_only(files),
            fix="correct the value.",
        )
    if found := re.search(r"invalid (?:hostPort|containerPort|IP address|proto)\b.*", text):
        return InvalidModel(
            f"A port does not load: {found[0]}.",
            source=_only(files),
            fix="correct the entry under ports (1 to 65535).",
        )
    if found := re.search(r"no such service: (\S+)", text):
        return NoSuchService(found[1])
    return None


def _schema(source: Source, said: str) -> InvalidModel:
    if found := re.search(r"^(?:(\S+) )?additional properties (.+) not allowed", said):
        keys = re.findall(r"'([^']+)'", found[2])
        path = (*_key_path(found[1] or ""), *keys[:1])
    elif found := re.search(r"^(\S+) false schema", said):
        path = _key_path(found[1])
    else:
        found = re.search(r"^(\S+?):? (.+)$", said)
        path = _key_path(found[1]) if found else ()
        return InvalidModel(
            f"{'.'.join(path)} {found[2]}." if found else said,
            key_path=path,
            service=_service(path),
            source=source,
            fix="give the value the form that the Compose specification asks for.",
        )
    return InvalidModel(
        f"{'.'.join(path)} is not a key that Compose knows.",
        key_path=path,
        service=_service(path),
        source=source,
        fix="correct its spelling or indentation, or start its name with x-.",
    )


def _service(path: tuple[str, ...]) -> str | None:
    return path[1] if len(path) > 1 and path[0] == "services" else None


def _running(argv: tuple[str, ...], returncode: int, text: str) -> DevenvError | None:
    tail = _tail(text)
    if (found := re.search(r"Bind for \S*?:(\d+) failed: port is already allocated", text)) or (
        found := re.search(
            r"(?:listen tcp\d? |exposing port \w+ |bind host port )\S*?:(\d+)\b"
            r".*address already in use",
            text,
        )
    ):
        taken = PortAllocated(
            argv,
            returncode,
            tail,
            message=f"The host port {found[1]} is taken already.",
            fix=f"stop what uses it (`docker ps --filter publish={found[1]}`, "
            f"`ss -ltnp 'sport = :{found[1]}'`), or publish another host port.",
        )
        taken.port = int(found[1])
        return taken
    if re.search(r"removal of container \S+ is already in progress", text):
        return CommandFailed(
            argv,
            returncode,
            tail,
            message="Another command changes this environment's containers at the same time.",
            fix="wait until it has ended, then run this one again.",
        )
    if found := re.search(
        r"dependency failed to start: container (\S+) "
        r"(is unhealthy|exited \((\d+)\)|has no healthcheck configured)",
        text,
    ):
        return _dependency(argv, returncode, tail, found[1], found[2], found[3])
    if found := re.search(r'service "(\S+)" didn\'t complete successfully: exit (\d+)', text):
        return _dependency(argv, returncode, tail, found[1], f"exited ({found[2]})", found[2])
    return _build(argv, returncode, text) or _pull(argv, returncode, text)


def _dependency(
    argv: tuple[str, ...], returncode: int, tail: str, name: str, said: str, code: str | None
) -> DependencyFailed:
    fix = f"read its output: `docker logs {name}`."
    reason = "exited"
    if "unhealthy" in said:
        reason = "unhealthy"
        show = f"docker inspect -f '{{{{json .State.Health}}}}' {name}"
        fix = f"read the health check's output: `{show}`."
    elif "no healthcheck" in said:
        reason = "missing healthcheck"
        fix = "add a healthcheck, or wait for service_started."
    failed = DependencyFailed(
        argv, returncode, tail, message=f"{name} {said}, and others wait for it.", fix=fix
    )
    failed.container, failed.reason = name, reason
    failed.exited_with = int(code) if code else None
    return failed


def _build(argv: tuple[str, ...], returncode: int, text: str) -> BuildFailed | None:
    solve = re.search(r"^(?:target (\S+): )?failed to solve: (.+)$", text, re.M)
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
        _build_lines(text),
        message=message,
        source=source,
        fix="read the step's last lines; repair the Dockerfile or what it copies."
        if step
        else "repair the Dockerfile, or `build:` in the Compose file.",
    )
    if plain and "requires BuildKit" in plain:
        failed.fix = "install the buildx plugin (package docker-buildx or docker-buildx-plugin)."
    failed.step, failed.step_number = step, number
    failed.exit_code_of_step = int(ended[len(ended.groups())]) if ended else None
    failed.target = solve[1] if solve else None
    return failed


_FRONTEND = re.compile(
    r"rpc error: code = \w+ desc = |failed to solve(?: with frontend [\w.]+)?: "
    r"|failed to create LLB definition: |failed to compute cache key: "
)
"""What BuildKit puts before the fault itself."""
_FETCHING = re.compile(
    r"failed to resolve source metadata|failed to do request|pull access denied"
    r"|failed to authorize|unexpected status from"
)
_NOISE = re.compile(
    r'^(?:time="\S+" level=warning|\s*Image \S+ Buil|-{6,}$|#\d+ (?:DONE|CACHED|CANCELED|\.\.\.)'
    r"|#\d+ \[(?:\S+ )?internal\]|#\d+ (?:transferring|reading from stdin)|Sending build context"
    r"|Removing intermediate container|$)"
)


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


def _build_lines(text: str) -> str:
    """The last lines of the step that failed; where they cannot be told, of the build."""
    blocks = re.findall(r"^ > \[.+\n((?:(?!-{6}).*\n)*)-{6}", text, re.M)
    if blocks and blocks[-1].strip():
        return _tail(re.sub(r"^\d+\.\d+ ", "", blocks[-1], flags=re.M))
    return _quiet_tail(text)


def _quiet_tail(text: str) -> str:
    """The last lines, without those that only say how a build goes on."""
    return _tail("\n".join(line for line in text.splitlines() if not _NOISE.match(line)))


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
        r"|invalid "
    )
    for line in reversed(lines):
        said = line.removeprefix("Error response from daemon: ")
        if re.match(faults, said, re.I):
            return said.rstrip(".")
    return None


def _pull(argv: tuple[str, ...], returncode: int, text: str) -> ImagePullFailed | None:
    denied = re.search(r"pull access denied(?: for ([^\s,]+))?", text)
    base = re.findall(r"^ > \[(?:\S+ )?internal\] load metadata for (\S+?):?$", text, re.M)
    unknown = re.search(
        r"manifest for (\S+) not found|No such image: (\S+)"
        r"|(\S+): failed to resolve source metadata",
        text,
    )
    network = re.search(
        r'Get "https?://([^/"]+)[^"]*": |failed to resolve reference "([^"]+)"'
        r"|failed to do request|TLS handshake timeout|toomanyrequests",
        text,
    )
    if not (denied or unknown or network):
        return None
    named = re.search(r"(?:^|\s)Image (\S+) (?:Error|Interrupted|Pulling)", text)
    image = denied[1] if denied else None
    if image is None and base:
        image = re.sub(r"^docker\.io/(?:library/)?", "", base[-1])
    if image is None and unknown:
        image = unknown[1] or unknown[2] or unknown[3]
    if image is None and network and network[2]:
        image = network[2]
    if image is None and named:
        image = named[1]
    if image is None and (
        bases := re.findall(r"^Step \d+/\d+ : FROM (?:--\S+ )?(\S+)", text, re.M)
    ):
        image = bases[-1]
    fix = "correct the name and tag, or build it first with `build:`."
    if denied:
        fix = "correct the name; a private image needs `docker login REGISTRY` first."
    elif network:
        fix = "check network and proxy (offline: build or load the image first); then try again."
        if "toomanyrequests" in text:
            fix = "the registry limits anonymous pulls: `docker login`, or use a mirror."
    failed = ImagePullFailed(
        argv,
        returncode,
        _quiet_tail(text),
        message=_NO_IMAGE,
        fix=fix,
    )
    failed.name_image(image)
    wanting = re.search(r"^\s*([\w.-]+) Error\b", text, re.M)
    failed.service = wanting[1] if wanting else None
    return failed
