"""The ignore files of the corpus, the context that each is used on, and devenv's reading."""

from __future__ import annotations

import posixpath
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from devenv.compose.dockerignore import choose_ignore_file, parse_ignore_file
from tests.corpus.builds.builder import Builder, Built

RECORD = Path(__file__).parent / "outcomes.json"
DOCKERFILE = "FROM scratch\nCOPY . /\n"
FILES = (
    *("a.txt", "b.md", ".secret", ".git/config", "README.md", "name with space.txt"),
    *("#hash", "!bang", "[x]", "x", "é.txt", "back\\slash", "a+b(c).txt", "caf\u0065\u0301"),
    *("src/app.py", "src/app.pyc", "src/deep/er/x.log", "src/deep/er/y.txt", "src/README.md"),
    *("src/node_modules/m.js", "node_modules/m.js", "node_modules/keep/k.js", "node_modules_2/m"),
    *("docs/a.md", "docs/README.md", "docs/README-secret.md", "docs/sub/b.md", "docs/sub/c/d.md"),
    *("temp1", "temp2", "tempa", "tempA", "temp", "other/temp1", "other/dir/temp1", "other/a.txt"),
    *("build/out.o", "build/keep/me.txt", "x.log", "deep.log/inner.txt", "A.TXT", "..odd/f"),
)
FOLDERS = ("empty", "src/empty")
LINKS = {"link": "a.txt", "linkdir": "src", "dangling": "nowhere", "other/up": "../a.txt"}


@dataclass(frozen=True, slots=True)
class Shape:
    """An ignore file on the common context; `others` are further files of the context."""

    name: str
    ignore: bytes | None
    others: Mapping[str, bytes] = field(default_factory=dict)
    dockerfile: str = "Dockerfile"

    def write(self, directory: Path) -> None:
        """Make the context in a directory that does not exist yet."""
        for name in FOLDERS:
            (directory / name).mkdir(parents=True)
        for name in FILES:
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            (directory / name).write_bytes(b"")
        for name, target in LINKS.items():
            (directory / name).symlink_to(target)
        for name, content in self.files().items():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            (directory / name).write_bytes(content)

    def files(self) -> dict[str, bytes]:
        """The Dockerfile, the ignore file and the others, by path in the context."""
        ignore = {} if self.ignore is None else {".dockerignore": self.ignore}
        return {self.dockerfile: DOCKERFILE.encode(), **ignore, **self.others}

    def build(self, builder: Builder, directory: Path) -> Built:
        """Build the context that `write` made."""
        return builder.build(directory, dockerfile=self.dockerfile)

    def everything(self) -> frozenset[str]:
        """The whole context, as `Built.files` would have it."""
        leaves = {**dict.fromkeys((*FILES, *self.files()), ""), **LINKS}
        folders = {*FOLDERS, *(folder for name in (*leaves, *FOLDERS) for folder in parents(name))}
        return frozenset(folders | {_shown(name) for name in leaves})

    def predict(self, *, buildkit: bool) -> frozenset[str] | None:
        """What devenv says arrives in the image, as `Built.files` has it; None where it fails."""
        files = self.files()
        chosen = choose_ignore_file("", self.dockerfile, files.__contains__, buildkit=buildkit)
        text = files[chosen].decode("utf-8", errors="replace") if chosen else ""
        ignore = parse_ignore_file(text)
        if ignore.fault is not None:
            return None
        names = {one.partition(" -> ")[0] for one in self.everything()}
        kept = {name for name in names if not ignore.excludes(name)}
        kept |= {folder for name in kept for folder in parents(name)}
        return frozenset(_shown(name) for name in kept)


def _shown(name: str) -> str:
    return f"{name} -> {LINKS[name]}" if name in LINKS else name


def parents(name: str) -> list[str]:
    """The directories above a path, the nearest first."""
    found = []
    while name := posixpath.dirname(name):
        found.append(name)
    return found


def _named(letter: str) -> str:
    return letter if letter.islower() else f"upper-{letter.lower()}"


IGNORES: dict[str, bytes | None] = {
    "none": None,
    "empty": b"",
    "blank-lines": b"\n\n   \n\t\n",
    "only-comments": b"# one\n# two\n",
    "file": b"a.txt\n",
    "no-newline-at-end": b"a.txt\nb.md",
    "anchored-at-root": b"README.md\n",
    "leading-slash": b"/a.txt\n/src\n",
    "leading-dot-slash": b"./a.txt\n./docs/a.md\n",
    "two-leading-slashes": b"//a.txt\n",
    "directory": b"src\n",
    "trailing-slash": b"src/\na.txt/\n",
    "slash-slash-within": b"docs//a.md\n",
    "dot": b".\n",
    "dot-then-back": b".\n!a.txt\n",
    "slash": b"/\n",
    "star": b"*\n",
    "star-then-back": b"*\n!src\n!a.txt\n",
    "star-then-back-deep": b"*\n!src/deep/er/y.txt\n",
    "star-slash-star": b"*/*\n",
    "star-in-name": b"temp*\n",
    "star-below": b"*/temp*\n",
    "star-below-twice": b"*/*/temp*\n",
    "star-suffix": b"*.md\n",
    "question": b"temp?\n",
    "double-star-alone": b"**\n",
    "double-star-then-back": b"**\n!docs/sub\n",
    "double-star-slash": b"**/temp1\n**/*.md\n",
    "double-star-end": b"docs/**\n",
    "double-star-end-then-back": b"docs/**\n!docs/sub/b.md\n",
    "double-star-middle": b"docs/**/d.md\n",
    "double-star-twice": b"**/deep/**\n",
    "double-star-in-name": b"te**1\n",
    "double-star-back": b"**/README*\n!**/README.md\n",
    "any-node-modules": b"**/node_modules\n",
    "node-modules-is-anchored": b"node_modules\n",
    "back": b"*.md\n!README.md\n",
    "back-then-out": b"*.md\n!README*.md\nREADME-secret.md\n",
    "back-order": b"!README.md\n*.md\n",
    "back-below-excluded": b"build\n!build/keep\n",
    "back-file-below-excluded": b"node_modules\n!node_modules/keep/k.js\n",
    "back-directory-then-out": b"docs\n!docs/sub\ndocs/sub/c\n",
    "back-wildcard-below": b"src\n!src/*/er\n",
    "only-back": b"!a.txt\n",
    "only-back-many": b"!a.txt\n!src\n!**/x\n",
    "back-with-blank": b"*\n! a.txt\n",
    "back-with-slash": b"*\n!/a.txt\n!/docs/sub/\n",
    "back-alone": b"a.txt\n!\n",
    "back-blank-alone": b"a.txt\n!  \n",
    "back-twice": b"a.txt\n!!a.txt\n",
    "blanks-around": b"  a.txt  \n\tb.md\t\n",
    "blank-within": b"name with space.txt\n",
    "comment-first-column": b"#hash\n",
    "comment-after-blank": b" #hash\n",
    "comment-after-pattern": b"a.txt # the first\n",
    "hash-escaped": b"\\#hash\n",
    "bang-escaped": b"\\!bang\n",
    "class": b"temp[12]\n",
    "class-range": b"temp[a-z]\n",
    "class-negated": b"temp[^12]\n",
    "class-negated-bang": b"temp[!12]\n",
    "class-with-hyphen-last": b"temp[1-]\n",
    "class-open": b"temp[1\n",
    "class-empty": b"temp[]\n",
    "class-closing-first": b"temp[]1]\n",
    "class-escaped": b"\\[x\\]\n",
    "class-escaped-within": b"[\\[]x[\\]]\n",
    "class-slash": b"src[/]app.py\n",
    "class-set-of-regex": b"temp[1&&2]\n",
    "closing-alone": b"x]\n[x]]\n",
    "backslash-end": b"a.txt\\\n",
    "backslash-file": b"back\\\\slash\n",
    "backslash-wildcard": b"temp\\*\ntemp\\1\n",
    "regex-characters": b"a+b(c).txt\n",
    "dots-are-literal": b"a-txt\naxtxt\n",
    "dollar-and-caret": b"^a.txt\na.txt$\n{a,b}.txt\n",
    "parent": b"../a.txt\n..\n",
    "parent-within": b"src/../a.txt\ndocs/sub/..\n",
    "parent-with-star": b"*/../a.txt\n",
    "double-dot-name": b"..odd\n",
    "case-differs": b"A.txt\nSRC\n",
    "utf-8": "é.txt\ncaf\u0065\u0301\n".encode(),
    "utf-8-composed": "caf\u00e9\n".encode(),
    "utf-8-question": b"?.txt\n",
    "latin-1": b"\xe9.txt\na.txt\n",
    "bom": b"\xef\xbb\xbfa.txt\n",
    "bom-comment": b"\xef\xbb\xbf# c\na.txt\n",
    "bom-second-line": b"b.md\n\xef\xbb\xbfa.txt\n",
    "crlf": b"a.txt\r\n!x\r\n# c\r\ndocs\r\n",
    "cr-alone": b"a.txt\rb.md\n",
    "nbsp": "a.txt\u00a0\n\u2003b.md\n".encode(),
    "vertical-blanks": b"a.txt\v\n\fb.md\n",
    "nul": b"a.txt\0\nb.md\n",
    "symlink-file": b"link\n",
    "symlink-directory": b"linkdir\n",
    "below-symlink": b"linkdir/app.py\n",
    "symlink-target": b"a.txt\nsrc\n",
    "dangling-symlink": b"dangling\n",
    "empty-directory": b"empty\n",
    "all-within-directory": b"src/*\n!src/app.py\n",
    "dockerfile": b"Dockerfile\n",
    "ignore-file": b".dockerignore\n",
    "dockerfile-and-ignore-file": b"Dockerfile*\n.dockerignore\n**/.*\n",
    "star-dot": b"*.*\n",
    "hidden": b".*\n",
    "hidden-anywhere": b"**/.*\n",
    "git": b".git\n",
    "extension-anywhere": b"**/*.log\n",
    "extension-directory": b"*.log\n",
    "duplicates": b"a.txt\na.txt\n!a.txt\n!a.txt\n",
    "long": b"".join(b"no-such-%d\n" % n for n in range(2000)) + b"a.txt\n",
    "many-stars": b"*a*a*a*a*a*a*a*a*b\n**/**/**/temp1\n",
    "backslash-digit": b"temp\\1\n",
    "backslash-zero": b"temp\\0\n",
    "backslash-octal": b"temp\\61\n",
    "backslash-eight": b"temp\\8\n",
    **{
        f"backslash-{_named(one)}": b"docs\\" + one.encode() + b"ub\n"
        for one in string.ascii_letters
    },
    "backslash-letter-back": b"!temp\\m\n",
    "backslash-letter-back-after-star": b"*\n!temp\\m\n",
    "backslash-underscore": b"node\\_modules\n",
    "backslash-utf-8": "\\é.txt\n".encode(),
    "backslash-letter-and-star": b"docs*\\m\n",
    "backslash-digit-class": b"temp\\d\n",
    "class-posix": b"temp[[:digit:]]\n",
    "class-backslash-letter": b"temp[\\d]\n",
    "class-backslash-refused": b"temp[\\m]\n",
    "class-reversed": b"temp[z-a]\n",
    "class-opening-within": b"temp[[1]\n",
    "tab-within": b"name\twith\n",
    "delete-character": b"x\x7f\n",
    "control-and-utf-8": "x\x01\né.txt\n".encode(),
    "windows-separators": b"src\\app.py\n",
}
BESIDE = {"Dockerfile.dockerignore": b"a.txt\n"}
SHAPES = (
    *(Shape(name, ignore) for name, ignore in IGNORES.items()),
    Shape("beside", b"b.md\n", BESIDE),
    Shape("beside-alone", None, BESIDE),
    Shape("beside-empty", b"b.md\n", {"Dockerfile.dockerignore": b""}),
    Shape("beside-broken", b"b.md\n", {"Dockerfile.dockerignore": b"[\n"}),
    Shape("broken-but-beside", b"[\n", BESIDE),
    Shape("beside-other-name", b"b.md\n", BESIDE, "app.Dockerfile"),
    Shape("beside-named", b"b.md\n", {"app.Dockerfile.dockerignore": b"a.txt\n"}, "app.Dockerfile"),
    Shape(
        "beside-in-folder",
        b"b.md\n",
        {"docs/Dockerfile.dockerignore": b"a.txt\nsub\n"},
        "docs/Dockerfile",
    ),
    Shape("in-folder", None, {"docs/.dockerignore": b"a.txt\n"}, "docs/Dockerfile"),
    Shape("dockerfile-elsewhere-excluded", b"docs\n", {}, "docs/Dockerfile"),
    Shape("other-dockerfile-excluded", b"app.*\n.dockerignore\n", {}, "app.Dockerfile"),
)
