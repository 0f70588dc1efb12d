"""What is wrong with env files, YAML, and the merged model."""

from __future__ import annotations

import re
from collections.abc import Sequence

from devenv.engine.errors.kinds import EnvFileBroken, InvalidModel, MissingVariable, NoSuchService
from devenv.engine.errors.values import find_unset, find_value_fault, key_path, service_of
from devenv.errors import ComposeFileError, DevenvError, Source


def find_file_fault(text: str, files: Sequence[str]) -> DevenvError | None:
    """What the words say of a file that does not load, or of a model that is not allowed."""
    return (
        _closed(text)
        or _env_file(text)
        or _yaml(text, files)
        or _model(text, files)
        or find_value_fault(text, _only(files))
    )


def _only(
    files: Sequence[str], line: int | None = None, column: int | None = None
) -> Source | None:
    return Source(files[0], line, column) if len(files) == 1 else None


def _closed(text: str) -> ComposeFileError | None:
    found = re.search(r"(?:open|stat|lstat) (/.+?): permission denied$", text, re.M)
    if found is None:
        return None
    return ComposeFileError(
        "The file cannot be read: permission denied.",
        source=Source(found[1]),
        fix=f"chmod u+r {found[1]}, or run devenv as its owner",
    )


def _env_file(text: str) -> ComposeFileError | None:
    if found := re.search(r"failed to read (.+?): line (\d+): (.+)", text):
        # What is quoted may be a secret's value: only the kind of fault is repeated.
        what = re.sub(r"(unterminated quoted value|unexpected character).*", r"\1", found[3])
        line = int(found[2])
        fix = "repair the line: NAME=value, with quotes closed and no blank in the name."
        if what == "unterminated quoted value":
            fix = f"close the quote; it opens on line {line} or above it."
        return EnvFileBroken(
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
        r"go-yaml load error.*? at L(\d+)\.C(\d+)(?:-(?:L(\d+)\.)?C(\d+))?: (.+)", text
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


def _model(text: str, files: Sequence[str]) -> DevenvError | None:
    if found := re.search(r"^validating (.+?):\s+(.+)$", text, re.M):
        return _schema(Source(found[1]), found[2])
    if found := re.search(
        r"error while interpolating (\S+): required variable (\S+) is missing a value(?:: (.+))?",
        text,
    ):
        return MissingVariable(found[2], (found[3] or "").strip(), key_path(found[1]))
    if found := re.search(r"invalid interpolation format for (\S+?)\.?\n", text):
        path = key_path(found[1])
        return InvalidModel(
            f"The value of {'.'.join(path)} is not a valid use of ${{…}}.",
            key_path=path,
            service=service_of(path),
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
        path = key_path(found[1])
        return InvalidModel(
            f"{'.'.join(path)}: {found[2]}.",
            key_path=path,
            service=service_of(path),
            source=_only(files),
            fix="correct the value.",
            unset=find_unset(text),
        )
    if found := re.search(r"invalid (?:IP address|proto)\b.*", text):
        return InvalidModel(
            f"A port does not load: {found[0]}.",
            source=_only(files),
            fix="correct the entry under ports (1 to 65535).",
        )
    if found := re.search(r"include cycle detected:\s+(\S+)((?:\s+include \S+)+)", text):
        chain = [found[1], *re.findall(r"include (\S+)", found[2])]
        return InvalidModel(
            f"Compose files include each other in a circle: {' -> '.join(chain)}.",
            key_path=("include",),
            source=Source(found[1]),
            fix="take one of these include entries out.",
        )
    if found := re.search(
        r'service\.build\.platforms MUST include service\.platform "?([^":\s]+)', text
    ):
        return InvalidModel(
            f"A service's platform {found[1]} is none of its build.platforms.",
            source=_only(files),
            fix=f"add {found[1]} to the platforms under build, or take platform out.",
        )
    if found := re.search(r"no such service: (\S+)", text):
        return NoSuchService(found[1])
    return None


def _schema(source: Source, said: str) -> InvalidModel:
    if found := re.search(r"^(?:(\S+) )?additional properties (.+) not allowed", said):
        keys = re.findall(r"'([^']+)'", found[2])
        path = (*key_path(found[1] or ""), *sorted(keys)[:1])  # Compose's order is by chance
    elif found := re.search(r"^(\S+) false schema", said):
        path = key_path(found[1])
    else:
        found = re.search(r"^(\S+?):? (.+)$", said)
        path = key_path(found[1]) if found else ()
        return InvalidModel(
            f"{'.'.join(path)} {found[2]}." if found else said,
            key_path=path,
            service=service_of(path),
            source=source,
            fix="give the value the form that the Compose specification asks for.",
        )
    return InvalidModel(
        f"{'.'.join(path)} is not a key that Compose knows.",
        key_path=path,
        service=service_of(path),
        source=source,
        fix="correct its spelling or indentation, or start its name with x-.",
    )
