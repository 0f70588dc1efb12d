"""New keys put into an env file where its example has them, with the comments that go with them."""

from __future__ import annotations

from collections.abc import Mapping

from devenv.compose.env_entries import EntryKind, EnvEntry, EnvFile
from devenv.compose.env_file import parse_env_file
from devenv.compose.env_write import append_lines, line_end, render_value, set_values


def merge_keys(text: str, example: str, values: Mapping[str, str | None]) -> str:
    """The env file with keys set: those that it has in place, the others where the example says.

    None stands for the example's own statement, quotes, references and comment included. A key
    goes below the one that precedes it in the example, with the comment above it; a key that the
    example does not have goes to the end. An empty file gets the example's whole layout, in which
    keys that are not among `values` stay as they are. Raises ValueError as `set_values` does.
    """
    if not text.strip():
        given = {name: value for name, value in values.items() if value is not None}
        return set_values(example or text, given)
    file = parse_env_file(text)
    if file.refused:
        raise ValueError("Compose refuses this file")
    there = _last(file)
    in_place = {n: v for n, v in values.items() if n in there and v is not None}
    model = parse_env_file(example)
    listed = _last(model)
    end = line_end(text)
    blocks: dict[int, list[str]] = {}
    last_lines: list[str] = []
    for name, value in values.items():
        if name not in there and name not in listed and value is not None:
            last_lines.append(f"{name}={render_value(value)}")
    anchor: int | None = None
    for name, entry in listed.items():
        if name in there:
            anchor = _end_of_line(text, there[name].end)
        elif name in values:
            at = anchor if anchor is not None else _before_next(text, there, listed, name)
            lines = [*_comment_above(example, entry), _statement(example, entry, values[name])]
            blocks.setdefault(at, []).extend(lines)
    merged = text
    for at, lines in sorted(blocks.items(), reverse=True):
        merged = _insert(merged, at, lines, end)
    return append_lines(set_values(merged, in_place), last_lines)


def read_comment(example: str, name: str) -> str:
    """The comment above a key and behind it in an example, without `#`; "" for none."""
    entry = _last(parse_env_file(example)).get(name)
    if entry is None:
        return ""
    lines = [line.strip().lstrip("#").strip() for line in _comment_above(example, entry)]
    if entry.comment:
        lines.append(entry.comment.lstrip("#").strip())
    return "\n".join(line for line in lines if line)


def _last(file: EnvFile) -> dict[str, EnvEntry]:
    return {
        entry.name: entry
        for entry in file.entries
        if entry.name and entry.kind is EntryKind.ASSIGNMENT
    }


def _statement(example: str, entry: EnvEntry, value: str | None) -> str:
    """A line of the example, with another value in it where there is one."""
    line = example[entry.start : _end_of_line(example, entry.end)].rstrip("\r\n")
    if value is None:
        return line
    return set_values(line + "\n", {entry.name: value}).rstrip("\n")


def _comment_above(example: str, entry: EnvEntry) -> list[str]:
    """The comment lines right above a statement, from the top."""
    above = example[: entry.start].split("\n")[:-1]
    found: list[str] = []
    for line in reversed(above):
        if not line.lstrip().startswith("#"):
            break
        found.insert(0, line.rstrip("\r"))
    return found


def _before_next(
    text: str, there: Mapping[str, EnvEntry], listed: Mapping[str, EnvEntry], name: str
) -> int:
    """Above the first key that follows in the example and is there, or the end."""
    names = list(listed)
    for following in names[names.index(name) + 1 :]:
        entry = there.get(following)
        if entry is not None:
            start = text.rfind("\n", 0, entry.start) + 1
            comment = _comment_above(text, entry)
            for _ in comment:
                start = text.rfind("\n", 0, start - 1) + 1
            return start
    return len(text)


def _end_of_line(text: str, position: int) -> int:
    """Where the line after the one of a position begins."""
    found = text.find("\n", position)
    return len(text) if found < 0 else found + 1


def _insert(text: str, at: int, lines: list[str], end: str) -> str:
    before = text[:at]
    if before and not before.endswith("\n"):
        before += end
    return before + "".join(f"{line}{end}" for line in lines) + text[at:]
