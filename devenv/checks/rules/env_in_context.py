"""Env files that a build copies into an image."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from fnmatch import fnmatchcase

from devenv.checks.builds import BuildView, find_builds, find_ignore_file
from devenv.checks.env_scan import example_names, shown
from devenv.checks.facts import CheckedProfile, Facts, FileKind
from devenv.checks.finding import Edit, Fault, Place, Related, Severity
from devenv.checks.registry import check
from devenv.checks.secret_values import SecretKind, judge_value
from devenv.compose.dockerfile import Dockerfile, Source, Stage, find_sources, literal_path
from devenv.compose.env_entries import EntryKind, EnvEntry
from devenv.compose.env_file import parse_env_file
from devenv.compose.env_values import read_value

_EXAMPLES = frozenset(posixpath.basename(path) for path in example_names("/.env"))
_EXAMPLE_WORDS = ("example", "sample", "template", "dist", "default")


@check(
    "env-in-build-context",
    Severity.WARNING,
    "Dockerfile reference: COPY, .dockerignore",
    leaks=True,
)
def env_in_build_context(profile: CheckedProfile, facts: Facts) -> Iterator[Fault]:
    """An env file is in the build context, and a COPY takes it into the image.

    Everybody who gets the image gets the file with it, from a layer that a later `RUN rm` does not
    empty. An error where a value has the shape of a real secret. Looked at are `.env`, files of
    that kind at the top of the context and those that Compose reads; a stage that the target
    copies nothing of the kind from stays a warning. `--fix` adds a line to the ignore file.

    Wrong:

        COPY . .            # and .dockerignore has no line .env

    Right:

        # .dockerignore
        .env

    Measured: A build on Engine 20.10.24 with `COPY . .` has the `.env` in its image; with `.env`
    in the ignore file it has not.
    """
    for view in find_builds(profile, facts):
        if view.context.kind is not FileKind.DIRECTORY:
            continue
        found = find_ignore_file(view, facts)
        for path in _env_files(view, facts):
            relative = posixpath.relpath(path, view.build.context)
            if found is not None and (found[1].fault or found[1].excludes(relative)):
                continue
            source, stays = _find_copy(view, relative)
            if source is None:
                continue
            text = facts.file(path).text or ""
            secret = _find_secret(text, SecretKind.SHAPED)
            name = shown(facts, path)
            where = "the image" if stays else "a stage of the build"
            message = f"{source.instruction.name} takes {name} into {where}"
            message += f", and {secret.name} looks like a real secret." if secret else "."
            place = Place(path, secret.line, secret.column) if secret else Place(path)
            yield Fault(
                message,
                view.at(source.instruction),
                service=view.service.name,
                is_shared=True,
                fix=f"add {relative} to {_ignore_name(view, facts)}",
                severity=Severity.ERROR if secret and stays else None,
                related=(Related(place, "the file that is copied"),),
                edits=_ignore_edit(view, facts, relative),
            )


def _env_files(view: BuildView, facts: Facts) -> Iterator[str]:
    """Files within the context that hold variables and are no example."""
    inside = view.build.context.rstrip("/") + "/"
    for path, state in facts.files.items():
        name = posixpath.basename(path)
        if not path.startswith(inside) or state.kind is not FileKind.FILE or not state.text:
            continue
        if name in _EXAMPLES or any(word in name.lower() for word in _EXAMPLE_WORDS):
            continue
        is_env = name == ".env" or name.startswith(".env.") or name.endswith(".env")
        if is_env and (
            name in (".env", ".env.local") or _find_secret(state.text, SecretKind.GUESSED)
        ):
            yield path


def _find_secret(text: str, kind: SecretKind) -> EnvEntry | None:
    for entry in parse_env_file(text).entries:
        if (
            entry.kind is EntryKind.ASSIGNMENT
            and judge_value(entry.name, read_value(entry)) >= kind
        ):
            return entry
    return None


def _find_copy(view: BuildView, relative: str) -> tuple[Source | None, bool]:
    """What takes a file of the context, and whether it stays in the image that is built."""
    dockerfile, target = view.dockerfile, view.target
    if dockerfile is None or target is None:
        return None, False
    own = dockerfile.chain(target, view.build.args)
    needed = dockerfile.closure(target, view.build.args)
    passing: Source | None = None
    for stage in (*own, *(one for one in needed if one not in own)):
        workdir = "/"
        for instruction in stage.instructions:
            if instruction.name == "WORKDIR" and instruction.arguments:
                workdir = posixpath.join(workdir, instruction.arguments[0])
            for source in find_sources(instruction):
                if source.origin is not None or instruction.name == "RUN":
                    continue
                if not _takes(source, relative):
                    continue
                place = posixpath.normpath(posixpath.join(workdir, source.target))
                if stage in own or _is_taken_on(dockerfile, needed, stage, place):
                    return source, True
                passing = passing or source
    return passing, False


def _is_taken_on(
    dockerfile: Dockerfile, needed: tuple[Stage, ...], stage: Stage, place: str
) -> bool:
    """Whether another stage copies the directory `place` of this one, or one above it."""
    for one in needed:
        for source in one.sources():
            if source.origin is None or dockerfile.find_earlier(source.origin, one) != stage:
                continue
            for path in source.paths:
                whole = posixpath.normpath(posixpath.join("/", path)).rstrip("/") + "/"
                if (place.rstrip("/") + "/").startswith(whole):
                    return True
    return False


def _takes(source: Source, relative: str) -> bool:
    """Whether a COPY takes a path of the context; its `--exclude` is honoured."""
    if any(_matches(pattern, relative) for pattern in source.excludes):
        return False
    return any(_matches(path, relative) for path in source.paths)


def _matches(written: str, relative: str) -> bool:
    if "://" in written or written.startswith("git@") or "$" in written:
        return False
    plain = literal_path(written)
    if plain is None:
        plain = posixpath.normpath(written.lstrip("/") or ".")
    if plain == ".":
        return True
    parts, wanted = relative.split("/"), plain.split("/")
    if len(wanted) > len(parts):
        return False
    return all(fnmatchcase(part, one) for part, one in zip(parts, wanted, strict=False))


def _ignore_name(view: BuildView, facts: Facts) -> str:
    return shown(facts, _ignore_path(view, facts))


def _ignore_path(view: BuildView, facts: Facts) -> str:
    found = find_ignore_file(view, facts)
    return found[0] if found else posixpath.join(view.build.context, ".dockerignore")


def _ignore_edit(view: BuildView, facts: Facts, relative: str) -> tuple[Edit, ...]:
    path = _ignore_path(view, facts)
    text = facts.file(path).text or ""
    start = "" if not text or text.endswith("\n") else "\n"
    return (Edit(path, len(text), len(text), f"{start}{relative}\n"),)
