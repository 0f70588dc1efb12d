"""Gives a Compose error its place: file, line, column and the source line with a caret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from devenv.engine.errors.kinds import EnvFileBroken, InvalidModel
from devenv.errors import ComposeFileError, DevenvError, Source


def place_error(error: DevenvError, files: Sequence[Path]) -> DevenvError:
    """The same error, with the place that Compose's own text leaves out where it can be found.

    A key is looked for in the last file first: that is the one that wins in a merge.
    """
    if not isinstance(error, ComposeFileError):
        return error
    if isinstance(error, EnvFileBroken):
        _place_env_fault(error)
        return error
    from devenv.compose.positions import find_key, find_yaml_fault, render_excerpt

    texts = _texts(files)
    source = error.source
    path = tuple(getattr(error, "key_path", ()))
    if source is None or source.line is None:
        for file, text in texts.items():
            fault = None if path else find_yaml_fault(text)
            if fault is not None:
                error.message = f"This is not valid YAML: {fault.problem}."
                error.source = Source(str(file), fault.line, fault.column)
                error.excerpt = render_excerpt(text, fault.line, fault.column)
                return error
        for file, text in reversed(texts.items()):
            if source is not None and Path(source.path) != file:
                continue
            place = find_key(text, path)
            if place is not None:
                error.source = Source(str(file), *place)
                break
    if isinstance(error, InvalidModel):
        _blame(error, texts)
    source = error.source
    if source is not None and source.line is not None and not error.excerpt:
        # Only Compose files: a line of an env file may hold a secret.
        text = texts.get(Path(source.path), "")
        error.excerpt = render_excerpt(text, source.line, source.column) or None
    return error


def _blame(error: InvalidModel, texts: Mapping[Path, str]) -> None:
    """Find the entry that became what is refused, and the variables that made it so."""
    from devenv.compose.refused import blank_names, find_refused, find_scalar

    if error.refused is None:
        source = error.source
        text = texts.get(Path(source.path), "") if source is not None else ""
        error.blame_variables(blank_names(find_scalar(text, error.key_path) or "", error.unset))
        return
    found = [
        (file, one)
        for file, text in texts.items()
        for one in find_refused(text, error.lists, error.refused, error.unset)
    ]
    found = [(file, one) for file, one in found if one.certain] or found
    if found and (found[0][1].certain or len({one.text for _, one in found}) == 1):
        file, one = found[0]
        error.source = Source(str(file), one.line, one.column)
        error.service = one.service
        error.blame_variables(blank_names(one.text, error.unset))


def _place_env_fault(error: EnvFileBroken) -> None:
    """Name the line that opens a quote, where Compose names the last one. No value is shown."""
    from devenv.compose.env_entries import EnvFaultKind
    from devenv.compose.env_file import parse_env_file

    source = error.source
    if source is None or source.line is None:
        return
    text = _texts([Path(source.path)]).get(Path(source.path), "")
    refused = [fault for fault in parse_env_file(text).faults if fault.refused]
    if refused and refused[0].line <= source.line:
        fault = refused[0]
        error.source = Source(source.path, fault.line, fault.column)
        if fault.kind is EnvFaultKind.UNTERMINATED_QUOTE:
            error.fix = "close the quote"


def _texts(files: Sequence[Path]) -> dict[Path, str]:
    found = {}
    for file in files:
        try:
            found[file] = file.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
    return found
