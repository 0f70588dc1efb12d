"""What `devenv allow` shows and remembers: a repository's hooks, and the files that they call.

Text and values only; `host.hook_files` reads, `host.trust` remembers.
"""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath

from devenv.config.hooks import EVENTS, Hook
from devenv.config.names import ProfileName
from devenv.config.settings import Profile, Settings
from devenv.values import dataclass

_BREAKS = re.compile(r"""[\s'"`;|&()<>$={}\[\],]+""")
_REDIRECTION = re.compile(r"(?<![=\-<])(?:\d|&)?>>?\|?\s*[^\s;&|<>()\"']+")
"""What a shell command writes to is its product, not what it runs."""
_UNSEEN = ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")
"""Unicode categories: controls, bidirectional marks, line separators."""
_WORD_CHARACTERS = 300
"""Longer words are no file names."""
_PROGRAM_FILES: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("npm", "npx", "yarn", "pnpm", "bun", "node"), ("package.json",)),
    **dict.fromkeys(("make", "gmake"), ("GNUmakefile", "makefile", "Makefile")),
    "just": ("justfile", "Justfile", ".justfile"),
    "task": ("Taskfile.yml", "Taskfile.yaml", "taskfile.yml", "Taskfile.dist.yml"),
    "rake": ("Rakefile", "rakefile", "Rakefile.rb"),
    "composer": ("composer.json",),
    "mise": ("mise.toml", ".mise.toml"),
}
"""Programs to the files that they read unasked."""
_SCRIPTS_IN = ("package.json", "composer.json")
"""Of these only the key `scripts` runs anything."""


@dataclass(frozen=True, slots=True)
class CalledFile:
    """A file of the repository that a hook calls."""

    path: str
    """Relative to the repository's top directory."""
    digest: str
    """SHA-256 of what counts of it, in hexadecimal."""
    text: str | None = None
    """None where it is no text, or too long to show."""


@dataclass(frozen=True, slots=True)
class HookTrust:
    """All that is to be allowed at once."""

    lines: tuple[str, ...]
    """The hooks of devenv.toml and of every profile, and the variables that profiles set."""
    files: tuple[CalledFile, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 over everything; what is only shown of a file is not in it."""
        whole = [self.lines, [[file.path, file.digest] for file in self.files]]
        return hashlib.sha256(json.dumps(whole).encode(errors="surrogatepass")).hexdigest()

    def to_json(self) -> str:
        files = [[file.path, file.digest, file.text] for file in self.files]
        return json.dumps({"lines": self.lines, "files": files})


def parse_trust(text: str) -> HookTrust | None:
    """What `to_json` gave; None for anything else."""
    try:
        document = json.loads(text)
        return HookTrust(
            tuple(str(line) for line in document["lines"]),
            tuple(
                CalledFile(str(path), str(digest), None if shown is None else str(shown))
                for path, digest, shown in document["files"]
            ),
        )
    except (ValueError, TypeError, KeyError):
        return None


def describe_hooks(settings: Settings, profiles: Mapping[ProfileName, Profile]) -> tuple[str, ...]:
    """A line per hook, in the order of an environment's life, then one per variable of a profile.

    Variables count because a hook gets them. Empty
    where there is no hook.
    """
    lines = list(_describe("devenv.toml", settings.hooks))
    for name, profile in sorted(profiles.items()):
        lines += _describe(f"profiles/{name}.toml", profile.hooks)
    if not lines:
        return ()
    for name, profile in sorted(profiles.items()):
        for key, value in profile.env.items():
            lines.append(_visible(f"profiles/{name}.toml: sets {key}={value}"))
    return tuple(lines)


def _describe(file: str, hooks: Sequence[Hook]) -> Iterator[str]:
    for event in EVENTS:
        for hook in hooks:
            if hook.event != event:
                continue
            where = f"in service {hook.service}" if hook.service else "on this machine"
            shell = isinstance(hook.run, str)
            run = hook.run if isinstance(hook.run, str) else shlex.join(hook.run)
            yield _visible(f"{file}: {event}, {where}: {'sh -c: ' if shell else ''}{run}")


def _visible(text: str) -> str:
    """The text on one line, with what would steer a terminal or hide other text written out."""
    return "".join(
        json.dumps(char)[1:-1] if unicodedata.category(char) in _UNSEEN else char for char in text
    ).replace("\x7f", "\\u007f")


def find_hook_words(hook: Hook) -> tuple[str, ...]:
    """The words of a hook's command that may name files, with files that its programs read."""
    texts = (_REDIRECTION.sub(" ", hook.run),) if isinstance(hook.run, str) else hook.run
    words = [word for text in texts for word in find_words(text)]
    return tuple(dict.fromkeys((*words, *_implied(words))))


def find_words(text: str) -> tuple[str, ...]:
    """The words of a command line or a script that may name files, each once, in their order."""
    found = []
    for word in _BREAKS.split(text):
        if 0 < len(word) <= _WORD_CHARACTERS and "\0" not in word:
            found += [word, word.rstrip(":.!?")] if word[-1] in ":.!?" else [word]
            if ":" in word:
                found += word.split(":")
    return tuple(dict.fromkeys(word for word in found if word.strip("./")))


def _implied(words: Sequence[str]) -> Iterator[str]:
    """Files that are read without being named: a Makefile, the module of `python -m`."""
    for index, word in enumerate(words):
        yield from _PROGRAM_FILES.get(PurePath(word).name, ())
        if word == "-m" and index and PurePath(words[index - 1]).name.startswith("python"):
            for module in words[index + 1 : index + 2]:
                path = module.replace(".", "/")
                yield from (f"{path}.py", f"{path}/__main__.py", f"{path}/__init__.py")


def resolve_relevant(name: str, data: bytes) -> bytes:
    """What counts of a file's bytes: of package.json its scripts alone, else all of it."""
    if PurePath(name).name not in _SCRIPTS_IN:
        return data
    try:
        document = json.loads(data)
    except ValueError:
        return data
    if not isinstance(document, dict):
        return data
    return json.dumps({"scripts": document.get("scripts")}, indent=2, sort_keys=True).encode()


def find_changes(before: HookTrust, after: HookTrust) -> Iterator[tuple[str, str | None]]:
    """What differs: `(sentence, None)`, or `(path, old text)` for a file whose text can be shown.

    Empty where nothing does.
    """
    for line in before.lines:
        if line not in after.lines:
            yield f"- {line}", None
    for line in after.lines:
        if line not in before.lines:
            yield f"+ {line}", None
    if set(before.lines) == set(after.lines) and before.lines != after.lines:
        yield "their order", None
    old = {file.path: file for file in before.files}
    new = {file.path: file for file in after.files}
    for path in sorted({*old, *new}):
        if path not in new:
            yield f"- {path}: not called any more", None
        elif path not in old:
            yield f"+ {path}: called now", None
        elif old[path].digest != new[path].digest:
            if old[path].text is None or new[path].text is None:
                yield f"{path}: changed", None
            else:
                yield path, old[path].text
