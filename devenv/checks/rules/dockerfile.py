"""How Dockerfiles are written: order of steps, what stays in the image, who runs it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from devenv.checks.builds import BuildView, find_builds, find_ignore_file
from devenv.checks.facts import CheckedProfile, Facts, FileKind
from devenv.checks.finding import Fault, Place, Related, Severity
from devenv.checks.mount_places import place_of_mount
from devenv.checks.registry import check
from devenv.checks.secret_values import SecretKind, judge_value
from devenv.compose.dockerfile import (
    Instruction,
    Stage,
    literal_path,
    resolve_metadata,
    resolve_sources,
)
from devenv.compose.dockerignore import IgnoreFile

_INSTALL = re.compile(
    r"\b(?:npm\s+(?:ci|install|i)\b|yarn\s+install\b|yarn\s*$|pnpm\s+(?:install|i)\b|"
    r"bun\s+install\b|pip3?\s+install\s+(?:\S+\s+)*-r\b|poetry\s+install\b|uv\s+sync\b|"
    r"pipenv\s+(?:install|sync)\b|bundle\s+install\b|composer\s+install\b|go\s+mod\s+download\b|"
    r"cargo\s+fetch\b|mvn\s+\S*dependency:go-offline|dotnet\s+restore\b)"
)
_BUILD_STEP = re.compile(
    r"\b(?:npm\s+run\s+build|yarn\s+(?:run\s+)?build|pnpm\s+(?:run\s+)?build|go\s+build|"
    r"cargo\s+build|mvn\s+(?:\S+\s+)*(?:package|install)|gradlew?\s+(?:\S+\s+)*build|"
    r"dotnet\s+publish|make\b)"
)
_DEVELOPMENT_NAMES = ("development", "dev", "develop")
_WHOLE_CONTEXT = (".", "./", "/", "*")
_NODE = re.compile(
    r"\b(?:npm\s+(?:ci|install|i)|yarn\s+install|pnpm\s+(?:install|i)|bun\s+install)\b|\byarn\s*$"
)
_VENV = re.compile(r"\b(?:uv\s+sync|(?:python3?\s+-m\s+venv|uv\s+venv|virtualenv)\s+(\S+))")
_COMPOSER = re.compile(r"\bcomposer\s+install\b")
_KEY_FILE = re.compile(
    r"(?:^|/)(?:id_(?:rsa|ed25519|ecdsa|dsa)|[^/]*\.pem|[^/]*\.key|\.netrc|\.npmrc|\.pypirc)$"
)

_PRIVATE_KEY = re.compile(r"(?:^|/)(?:id_(?:rsa|ed25519|ecdsa|dsa)|[^/]*\.key)$")


def _steps(view: BuildView, stage: Stage) -> list[Instruction]:
    return [one for one in stage.instructions if one.name == "RUN"]


def run_text(instruction: Instruction) -> str:
    """What a RUN instruction's shell gets: its words, or its heredocs."""
    return "\n".join((" ".join(instruction.arguments), *(d.text for d in instruction.heredocs)))


def _needed(view: BuildView) -> tuple[Stage, ...]:
    """The stages that the target needs; all where the target is missing."""
    if view.dockerfile is None:
        return ()
    target, build = view.target, view.build
    if target is None:
        return ()
    return view.dockerfile.closure(target, build.args, build.additional_contexts)


def _kept(view: BuildView) -> tuple[Stage, ...]:
    """The stages whose layers are in the image that runs: the FROM chains of target and last."""
    dockerfile, target = view.dockerfile, view.target
    if dockerfile is None or target is None:
        return ()
    stages = {s.index: s for s in dockerfile.chain(target, view.build.args)}
    stages.update({s.index: s for s in dockerfile.chain(dockerfile.stages[-1], view.build.args)})
    return tuple(stages[index] for index in sorted(stages))


def _chain(view: BuildView, stage: Stage) -> tuple[Stage, ...]:
    """The stage and those that it is FROM: what they set with ENV holds in it."""
    return (
        view.dockerfile.chain(stage, view.build.args) if view.dockerfile is not None else (stage,)
    )


@check("copy-source-missing", Severity.ERROR, "Dockerfile reference: COPY; measured")
def copy_source_missing(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A COPY names what is not in the build context.

    The file is not there, or the ignore file leaves it out. The build fails at that step. Looked at
    are sources without wildcards, their variables filled in, in stages that the target needs.

    Wrong:

        # there is no requirements.txt beside the Dockerfile
        COPY requirements.txt ./

    Right:

        COPY pyproject.toml ./

    Measured: The classic builder ends at that step with "file not found in build context or
    excluded by .dockerignore", BuildKit with "not found".
    """
    for view in find_builds(profile, facts):
        if view.context.kind is not FileKind.DIRECTORY or view.dockerfile is None:
            continue
        ignored = find_ignore_file(view, facts)
        for stage in _needed(view):
            args, contexts = view.build.args, view.build.additional_contexts
            for source in resolve_sources(view.dockerfile, stage, args, contexts):
                if source.origin is not None:
                    continue
                for written in source.paths:
                    path = literal_path(written)
                    if path is None:
                        continue
                    absolute = posixpath.join(view.build.context, path)
                    if absolute not in facts.files:
                        continue
                    if facts.file(absolute).kind is FileKind.MISSING:
                        why = "does not exist in the build context"
                        related: tuple[Related, ...] = ()
                    elif ignored is not None and _leaves_out(
                        ignored[1], path, facts.file(absolute).kind
                    ):
                        name = posixpath.basename(ignored[0])
                        why = f"is left out of the build context by {name}"
                        related = (Related(Place(ignored[0]), "the ignore file"),)
                    else:
                        continue
                    yield Fault(
                        f"{source.instruction.name} names {written}, which {why}.",
                        view.at(source.instruction),
                        service=view.service.name,
                        fix="correct the path, or the ignore file",
                        severity=view.severity,
                        related=related,
                    )


def _leaves_out(ignore: IgnoreFile, path: str, kind: FileKind) -> bool:
    """Whether nothing of a path is sent; a `!` pattern may bring back a part of a directory."""
    back = any(pattern.startswith("!") for pattern in ignore.patterns)
    return ignore.excludes(path) and (kind is FileKind.FILE or not back)


@check("copy-before-install", Severity.WARNING, "Dockerfile reference: build cache")
def copy_before_install(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """All sources are copied before the dependencies are installed.

    Every edit of any file then makes the builder install everything again. Copy the manifest and
    the lock file, install, and copy the rest after that.

    Wrong:

        COPY . .
        RUN npm ci

    Right:

        COPY package.json package-lock.json ./
        RUN npm ci
        COPY . .

    Measured: The rule follows the builder's cache: a step is run again when a file that an earlier
    COPY took has changed. hadolint 2 has no rule for it.
    """
    for view in find_builds(profile, facts):
        for stage in _needed(view):
            whole: Instruction | None = None
            for one in stage.instructions:
                if one.name in ("COPY", "ADD") and one.flag("from") is None:
                    if any(path in _WHOLE_CONTEXT for path in one.arguments[:-1]):
                        whole = whole or one
                elif one.name == "RUN" and _INSTALL.search(run_text(one)):
                    if whole is not None:
                        yield Fault(
                            "All sources are copied before the dependencies are installed, so "
                            "every edit installs them again.",
                            view.at(whole),
                            fix="copy the manifest and the lock file first, install, then the rest",
                            related=(Related(view.at(one), "the install"),),
                            service=view.service.name,
                            is_shared=True,
                        )
                    break


@check("package-cache-left", Severity.WARNING, "Dockerfile best practices: apt-get")
def package_cache_left(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A package manager's cache stays in the image.

    What one step writes stays in its layer, even when a later step removes it. Remove the cache
    in the same step, or keep it outside with a cache mount.

    Wrong:

        RUN apt-get update && apt-get install -y curl

    Right:

        RUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*

    Measured: Layers add up: `docker history` shows that a later `rm` makes an image no smaller. A
    cache mount leaves nothing in the layer.
    """
    for view in find_builds(profile, facts):
        for stage in _kept(view):
            no_pip_cache = any(
                one.name in ("ENV", "ARG") and "PIP_NO_CACHE_DIR" in one.text
                for below in _chain(view, stage)
                for one in below.instructions
            )
            for one in _steps(view, stage):
                text = run_text(one)
                if any("type=cache" in mount for mount in one.all_flags("mount")):
                    continue
                for found, clean in (
                    (r"\bapt(?:-get)?\s[^&|;]*\binstall\b", r"/var/lib/apt/lists"),
                    (r"\bapk\s[^&|;]*\badd\b", r"--no-cache|/var/cache/apk"),
                    (r"\b(?:dnf|yum|microdnf)\s[^&|;]*\binstall\b", r"\bclean\s+all|/var/cache"),
                    (r"\bpip3?\s[^&|;]*\binstall\b", r"--no-cache-dir|/root/\.cache|PIP_NO_CACHE"),
                ):
                    match = re.search(found, text)
                    if match is None or re.search(clean, text):
                        continue
                    program = match[0].split()[0]
                    if program.startswith("pip") and no_pip_cache:
                        continue
                    yield Fault(
                        f"The cache of {program} stays in the image.",
                        view.at(one),
                        fix=_CLEANING[program.rstrip("3")],
                        service=view.service.name,
                        is_shared=True,
                    )


_CLEANING = {
    "apt-get": "add to the same step: && rm -rf /var/lib/apt/lists/*",
    "apt": "add to the same step: && rm -rf /var/lib/apt/lists/*",
    "apk": "apk add --no-cache",
    "dnf": "add to the same step: && dnf clean all",
    "yum": "add to the same step: && yum clean all",
    "microdnf": "add to the same step: && microdnf clean all",
    "pip": "pip install --no-cache-dir",
}


@check("split-runs", Severity.INFO, "Dockerfile best practices: apt-get")
def split_runs(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """`apt-get update` is a step of its own.

    It is then taken from the cache for months, while the install step after it changes and
    looks for packages that the mirror no longer has.

    Wrong:

        RUN apt-get update
        RUN apt-get install -y curl

    Right:

        RUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*

    Measured: The builder reuses `RUN apt-get update` as long as the line above it is the same,
    however old its result is.
    """
    for view in find_builds(profile, facts):
        for stage in _needed(view):
            for one in _steps(view, stage):
                text = run_text(one)
                if re.search(r"\bapt(?:-get)?\s+(?:-\S+\s+)*update\b", text) and not re.search(
                    r"\binstall\b|\bupgrade\b", text
                ):
                    yield Fault(
                        "apt-get update is a step of its own, so its cached result grows old.",
                        view.at(one),
                        fix="join it with the install: apt-get update && apt-get install -y …",
                        service=view.service.name,
                        is_shared=True,
                    )


@check("runs-as-root", Severity.WARNING, "Dockerfile best practices: USER")
def runs_as_root(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """The image runs its program as root.

    A fault in the program then has the rights of root in the container; and with a bind mount,
    files that a development container writes belong to root on the host. The last stage and the
    target of development are looked at apart. Where the base image is here, its own user counts.

    Wrong:

        FROM node:20-slim
        CMD ["node", "server.js"]

    Right:

        FROM node:20-slim
        USER node
        CMD ["node", "server.js"]

    Measured: Read from the stages' last USER, along the FROM chain, and from `docker image inspect`
    where the base image is here; hadolint 2 is silent where there is no USER at all.
    """
    for view in find_builds(profile, facts):
        dockerfile, target = view.dockerfile, view.target
        if dockerfile is None or target is None:
            continue
        stages = {dockerfile.stages[-1].index: dockerfile.stages[-1], target.index: target}
        if view.service.user and view.service.user.partition(":")[0] not in ("root", "0"):
            del stages[target.index]  # Compose decides, and not the image
        for stage in stages.values():
            found = resolve_metadata(dockerfile, stage, view.build.args)
            user = found.user
            base = dockerfile.image_base(stage, view.build.args)
            if user is None and base is not None:
                image = facts.engine.images.get(base) if facts.engine else None
                user = image.user if image is not None else None
                if user is None and ("nonroot" in base or "unprivileged" in base):
                    continue
            if (user or "root").partition(":")[0] not in ("root", "0"):
                continue
            last = stage is dockerfile.stages[-1]
            what = "The last stage" if last else f"The target {stage.name or stage.index}"
            yield Fault(
                f"{what} runs as root.",
                view.place(found.user_line or stage.line, 1),
                fix="USER with a user that the image has or makes",
                service=view.service.name,
                is_shared=True,
            )


@check("secret-in-image", Severity.ERROR, "Dockerfile reference: ARG; docker history", leaks=True)
def secret_in_image(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A secret is written into an image.

    ARG and ENV values can be read from the image's history by everyone who can pull it. An error
    where the value has the shape of a real secret, or where an ENV of the image has a secret's
    name and no usual stand-in; a warning where such a name is that of an ARG or of a stage that
    does not end up in the image. A private key that is copied counts as well.

    Wrong:

        ENV NPM_TOKEN=npm_0123456789abcdefghijABCDEFGHIJ012345

    Right:

        RUN --mount=type=secret,id=npm_token,env=NPM_TOKEN npm ci

    Measured: `docker history --no-trunc` and `docker image inspect` print ENV values, and ARG
    values that a RUN step saw. The shapes are those of real tokens; stand-ins such as `changeme`
    stay quiet.
    """
    for view in find_builds(profile, facts):
        kept = _kept(view)
        for stage in _needed(view):
            for one in stage.instructions:
                if one.name == "ENV":
                    pairs = list(zip(one.arguments[::3], one.arguments[1::3], strict=False))
                elif one.name == "ARG":
                    pairs = [(w.partition("=")[0], w.partition("=")[2]) for w in one.arguments]
                else:
                    pairs = []
                for name, value in pairs:
                    kind = judge_value(name, value.strip("'\""))
                    if kind is SecretKind.NONE or "$" in value:
                        continue
                    stays = kind is SecretKind.SHAPED or (one.name == "ENV" and stage in kept)
                    severity = None if stays else Severity.WARNING
                    yield Fault(
                        f"The value of {name} is written into the image.",
                        view.at(one),
                        fix="RUN --mount=type=secret, or a variable at run time",
                        severity=severity,
                        service=view.service.name,
                        is_shared=True,
                    )
                if one.name in ("COPY", "ADD") and one.flag("from") is None:
                    for path in one.arguments[:-1]:
                        if _KEY_FILE.search(path):
                            is_key = _PRIVATE_KEY.search(path) is not None and stage in kept
                            yield Fault(
                                f"{path} is copied into the image.",
                                view.at(one),
                                fix="RUN --mount=type=secret for the step that needs it",
                                severity=None if is_key else Severity.WARNING,
                                service=view.service.name,
                                is_shared=True,
                            )


@check("single-stage", Severity.INFO, "Dockerfile best practices: multi-stage builds")
def single_stage(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """One stage builds the program and also runs it.

    Compilers, sources and development dependencies are then shipped. With a stage that builds
    and one that copies the result, development and production also get a target each.

    Wrong:

        FROM golang:1.23
        COPY . .
        RUN go build -o /app .
        CMD ["/app"]

    Right:

        FROM golang:1.23 AS builder
        COPY . .
        RUN go build -o /app .
        FROM debian:12-slim
        COPY --from=builder /app /app
        CMD ["/app"]

    Measured: A matter of size, and no failure. Seen on real sample projects: a compiled program in
    one stage ships its compiler.
    """
    for view in find_builds(profile, facts):
        stages = view.dockerfile.stages if view.dockerfile else ()
        if len(stages) != 1:
            continue
        for one in _steps(view, stages[0]):
            if _BUILD_STEP.search(run_text(one)):
                yield Fault(
                    "The stage that builds the program is also the one that runs it.",
                    view.at(one),
                    fix="build in a stage of its own, and COPY --from it",
                    service=view.service.name,
                    is_shared=True,
                )
                break


@check("development-target-unused", Severity.WARNING, "compose-spec build.md#target")
def development_target_unused(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """The Dockerfile has a stage for development that the service does not build.

    Without `target` the last stage is built, which is usually the one for production.

    Wrong:

        services:
          app: {build: .}
        # Dockerfile: FROM base AS development … FROM base AS production

    Right:

        services:
          app: {build: {context: ., target: development}}

    Measured: Without `target` the builder ends with the last stage, whatever the stages are called.
    """
    for view in find_builds(profile, facts):
        if view.dockerfile is None or view.build.target or not view.dockerfile.stages:
            continue
        for stage in view.dockerfile.stages[:-1]:
            used = {one.index for one in _needed(view)}
            if stage.name in _DEVELOPMENT_NAMES and stage.index not in used:
                name = view.service.name
                yield Fault(
                    f"{name} builds the last stage, though the Dockerfile has a stage "
                    f"{stage.name}.",
                    view.key_place,
                    service=name,
                    fix=f"target: {stage.name}",
                    related=(Related(view.place(stage.line, stage.column), "the stage"),),
                )


@check("mount-hides-build", Severity.WARNING, "measured: a bind mount covers what was built there")
def mount_hides_build(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """A bind mount hides what the image installed below it.

    The install ran when the image was built, in the directory that the bind mount now covers.
    The container sees the host's directory, which has no `node_modules`. A volume for that
    directory gives it back.

    Wrong:

        services:
          app:
            build: .        # WORKDIR /app, RUN npm ci
            volumes: [".:/app"]

    Right:

        services:
          app:
            build: .
            volumes: [".:/app", "/app/node_modules"]

    Measured: Seen live: with `.:/app` alone the container has the host's directory, without what
    `npm ci` wrote in the build; a volume of its own for `/app/node_modules` is filled from the
    image.
    """
    for view in find_builds(profile, facts):
        dockerfile, target = view.dockerfile, view.target
        service = view.service
        words = " ".join((*(service.command or ()), *(service.entrypoint or ())))
        if dockerfile is None or target is None or _INSTALL.search(words):
            continue
        chain = dockerfile.chain(target, view.build.args)
        for folder, step in _installed(chain):
            hidden = _hidden_by(service.mounts, folder)
            if hidden is None or _is_elsewhere(chain, folder):
                continue
            source, mount_target = hidden
            beside = posixpath.relpath(folder, mount_target)
            if facts.file(posixpath.join(source, beside)).kind is FileKind.DIRECTORY:
                continue
            yield Fault(
                f"The bind mount on {mount_target} hides {folder}, which the image built there.",
                place_of_mount(profile, facts, service.name, mount_target),
                service=service.name,
                fix=f'add a volume that gives it back: "{folder}"',
                related=(Related(view.at(step), "what is hidden is made here"),),
            )


_UV_FOLDER = re.compile(r"\bUV_PROJECT_ENVIRONMENT[= ][\"']?([\w./-]+)")


def _installed(chain: tuple[Stage, ...]) -> Iterator[tuple[str, Instruction]]:
    """Folders that the stages' installs make, with the step, from the base upwards."""
    directory = "/"
    uv_folder = None
    found: dict[str, Instruction] = {}
    for stage in reversed(chain):
        for one in stage.instructions:
            elsewhere = _UV_FOLDER.search(one.text) if one.name in ("ENV", "RUN") else None
            if elsewhere is not None and one.name == "ENV":
                uv_folder = elsewhere[1]
            if one.name == "WORKDIR" and one.arguments and "$" not in one.arguments[0]:
                directory = posixpath.normpath(posixpath.join(directory, one.arguments[0]))
            elif one.name == "RUN":
                text = run_text(one)
                venv = _VENV.search(text)
                if _NODE.search(text) and not re.search(r"\s(?:-g|--global)\b|\bcd\s", text):
                    found[posixpath.join(directory, "node_modules")] = one
                if venv is not None:
                    folder = venv[1] or (elsewhere[1] if elsewhere else uv_folder) or ".venv"
                    found[posixpath.join(directory, folder)] = one
                if _COMPOSER.search(text):
                    found[posixpath.join(directory, "vendor")] = one
            elif one.name == "COPY" and one.arguments[-1:] and "$" not in one.arguments[-1]:
                made = posixpath.normpath(posixpath.join(directory, one.arguments[-1]))
                if posixpath.basename(made) in ("node_modules", ".venv", "vendor"):
                    found[made] = one
    yield from found.items()


def _is_elsewhere(chain: tuple[Stage, ...], folder: str) -> bool:
    """Whether the image moves the folder away, or has its PATH in another one of that name."""
    name = re.escape(posixpath.basename(folder))
    moved = re.compile(rf"\bmv\s+(?:-\S+\s+)*\S*{name}\b")
    used = re.compile(rf"(?:^|[:\s\"'=])(/[^:\s\"']*/?{name}|/{name})/(?:\.bin|bin)")
    for stage in chain:
        for one in stage.instructions:
            if one.name == "RUN" and moved.search(run_text(one)):
                return True
            if one.name == "ENV" and any(
                posixpath.normpath(path) != folder for path in used.findall(one.text)
            ):
                return True
    return False


def _hidden_by(mounts: tuple[tuple[str, str, str], ...], folder: str) -> tuple[str, str] | None:
    """Source and target of the bind mount that covers a folder with nothing nearer over it."""
    best: tuple[str, str, str] | None = None
    for mount in mounts:
        target = posixpath.normpath(mount[2] or "/")
        covers = folder == target or folder.startswith(target.rstrip("/") + "/")
        if covers and (best is None or len(target) > len(posixpath.normpath(best[2]))):
            best = mount
    if best is None or best[0] != "bind" or posixpath.normpath(best[2]) == folder:
        return None
    return best[1], posixpath.normpath(best[2])
