"""The Dockerfiles of the corpus, the context that each is built in, and how."""

from __future__ import annotations

import io
import posixpath
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.corpus.builds.builder import Builder, Built

RECORD = Path(__file__).parent / "outcomes.json"
BASE = "devenv-offline/base"
FILES = (
    *("a.txt", "b.txt", "c.md", "with space.txt", "[odd].txt", "é.txt", "secret.env"),
    *("src/app.py", "src/lib/x.py", "src/lib/y.txt", "src/lib/deep/z.py", "docs/readme.md"),
)
FOLDERS = ("empty",)
LINKS = {"link": "a.txt"}
IGNORE = "secret.env\ndocs\n"


@dataclass(frozen=True, slots=True)
class Shape:
    """A Dockerfile on the common context, with the build's target, args and named contexts."""

    name: str
    dockerfile: bytes
    target: str = ""
    args: Mapping[str, str] = field(default_factory=dict)
    contexts: Mapping[str, str] = field(default_factory=dict)
    """Named contexts, by directories below the context."""

    def write(self, directory: Path) -> None:
        """Make the context in a directory that does not exist yet."""
        for name in FOLDERS:
            (directory / name).mkdir(parents=True)
        for name in FILES:
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            (directory / name).write_text(name)
        for name, target in LINKS.items():
            (directory / name).symlink_to(target)
        (directory / "archive.tar").write_bytes(archive())
        (directory / ".dockerignore").write_text(IGNORE)
        (directory / "Dockerfile").write_bytes(self.dockerfile)

    def build(self, builder: Builder, directory: Path) -> Built:
        """Build the context that `write` made."""
        words = ["--network=none", *(["--target", self.target] if self.target else [])]
        for name, value in self.args.items():
            words += ["--build-arg", f"{name}={value}"]
        for name, folder in self.contexts.items():
            words += ["--build-context", f"{name}={directory / folder}"]
        return builder.build(directory, *words)

    def everything(self) -> frozenset[str]:
        """No set of all: what arrives in the image is recorded by name."""
        return frozenset()

    def compose(self, context: str) -> dict[str, Any]:
        """The `build` of a Compose service for the context that `write` made."""
        build: dict[str, Any] = {"context": context}
        if self.target:
            build["target"] = self.target
        if self.args:
            build["args"] = {name: value.replace("$", "$$") for name, value in self.args.items()}
        if self.contexts:
            folders = {name: posixpath.join(context, f) for name, f in self.contexts.items()}
            build["additional_contexts"] = folders
        return build


def archive() -> bytes:
    """A tar file with one file in it, the same each time."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        member = tarfile.TarInfo("in-tar.txt")
        member.size = 3
        tar.addfile(member, io.BytesIO(b"tar"))
    return buffer.getvalue()


TWO = "FROM scratch AS one\nCOPY a.txt /\nFROM scratch AS two\nCOPY b.txt /\n"
DOCKERFILES: dict[str, str | bytes] = {
    "one-stage": "FROM scratch\nCOPY a.txt /\n",
    "stage-not-needed": TWO,
    "copy-from-name": TWO + "COPY --from=one a.txt /\n",
    "copy-from-other-case": TWO + "COPY --from=ONE a.txt /\n",
    "copy-from-index": TWO + "COPY --from=0 a.txt /\n",
    "copy-from-image": f"FROM scratch\nCOPY --from={BASE} /etc/debian_version /v\n",
    "copy-from-missing": TWO + "COPY --from=0 nothing /\n",
    "copy-from-self": TWO + "COPY --from=two a.txt /\n",
    "copy-from-own-index": TWO + "COPY --from=1 a.txt /\n",
    "copy-from-large-index": TWO + "COPY --from=7 a.txt /\n",
    "copy-from-later": "FROM scratch AS one\nCOPY --from=two b.txt /\n"
    + TWO[:0]
    + "FROM scratch AS two\nCOPY b.txt /\nFROM one\nCOPY a.txt /\n",
    "copy-from-variable": "ARG S=one\n" + TWO + "ARG S\nCOPY --from=$S a.txt /\n",
    "copy-from-scratch": "FROM scratch\nCOPY --from=scratch a.txt /\n",
    "copy-from-empty": "FROM scratch\nCOPY --from= a.txt /\n",
    "from-stage": TWO + "FROM one\nCOPY c.md /\n",
    "from-stage-other-case": TWO + "FROM One AS three\nCOPY c.md /\n",
    "from-stage-index": TWO + "FROM 0\nCOPY c.md /\n",
    "from-later": "FROM two\nCOPY a.txt /\nFROM scratch AS two\nCOPY b.txt /\nFROM 0\n",
    "from-own-name": "FROM nosuchimage AS nosuchimage\nCOPY a.txt /\n",
    "from-chain": TWO + "FROM two AS three\nFROM three AS four\nCOPY c.md /\n",
    "same-name-twice": TWO + "FROM scratch AS one\nCOPY c.md /\nFROM one\nCOPY src /src\n",
    "name-of-upper-case": "FROM scratch AS One\nCOPY a.txt /\nFROM one\nCOPY b.txt /\n",
    "name-with-dot": "FROM scratch AS a.b-c_d\nCOPY a.txt /\nFROM a.b-c_d\nCOPY b.txt /\n",
    "name-of-digit": "FROM scratch AS 1st\nCOPY a.txt /\n",
    "name-of-slash": "FROM scratch AS a/b\nCOPY a.txt /\n",
    "name-scratch": "FROM scratch AS scratch\nCOPY a.txt /\nFROM scratch\nCOPY b.txt /\n",
    "name-context": "FROM scratch AS context\nCOPY a.txt /\n",
    "name-with-variable": "ARG N=x\nFROM scratch AS $N\nCOPY a.txt /\n",
    "as-lower": "from scratch as one\ncopy a.txt /\nFrom ONE As Two\nCoPy b.txt /\n",
    "arg-default": "ARG BASE=scratch\nFROM ${BASE}\nCOPY a.txt /\n",
    "arg-quoted": 'ARG BASE="scratch"\nFROM $BASE\nCOPY a.txt /\n',
    "arg-inline-default": "FROM ${X:-scratch}\nCOPY a.txt /\n",
    "arg-inline-default-set": "ARG X=\nFROM ${X:-scratch}\nCOPY a.txt /\n",
    "arg-inline-plain-default": "ARG X=\nFROM ${X-scratch}\nCOPY a.txt /\n",
    "arg-alternative": "ARG X=1\nFROM ${X:+scratch}\nCOPY a.txt /\n",
    "arg-required": "FROM ${X:?set it}\nCOPY a.txt /\n",
    "arg-required-set": "ARG X=scratch\nFROM ${X:?set it}\nCOPY a.txt /\n",
    "arg-unset": "ARG BASE\nFROM $BASE\nCOPY a.txt /\n",
    "arg-undeclared": "FROM $BASE\nCOPY a.txt /\n",
    "arg-after-from": "FROM scratch AS one\nARG S=one\nFROM $S\nCOPY a.txt /\n",
    "arg-in-arg": "ARG A=scr\nARG B=${A}atch\nFROM $B\nCOPY a.txt /\n",
    "arg-selects-stage": "ARG S=one\n" + TWO + "FROM $S\nCOPY c.md /\n",
    "arg-within-stage-name": "ARG N=o\n" + TWO + "FROM ${N}ne\nCOPY c.md /\n",
    "arg-bad-modifier": "ARG N=x\nFROM ${N:x}\nCOPY a.txt /\n",
    "arg-open-brace": "FROM ${N\nCOPY a.txt /\n",
    "arg-prefix-removed": "ARG N=xscratch\nFROM ${N#x}\nCOPY a.txt /\n",
    "arg-suffix-removed": "ARG N=scratch:1\nFROM ${N%:*}\nCOPY a.txt /\n",
    "arg-replaced": "ARG N=skratch\nFROM ${N/k/c}\nCOPY a.txt /\n",
    "arg-platform": "FROM --platform=$BUILDPLATFORM scratch\nCOPY a.txt /\n",
    "arg-platform-in-stage": "ARG TARGETARCH\nFROM scratch AS amd64\nCOPY a.txt /\n"
    "FROM scratch AS arm64\nCOPY b.txt /\nFROM ${TARGETARCH}\nCOPY c.md /\n",
    "arg-platform-undeclared": "FROM scratch AS amd64\nCOPY a.txt /\nFROM ${TARGETARCH}\n"
    "COPY c.md /\n",
    "arg-copy": "FROM scratch\nARG F=a.txt\nCOPY $F /\n",
    "arg-copy-global": "ARG F=a.txt\nFROM scratch\nCOPY ${F} /\n",
    "arg-copy-global-declared": "ARG F=a.txt\nFROM scratch\nARG F\nCOPY ${F} /\n",
    "arg-copy-missing": "FROM scratch\nARG F=nothing\nCOPY $F /\n",
    "arg-no-name": "FROM scratch\nARG\nCOPY a.txt /\n",
    "arg-blank-name": "FROM scratch\nARG =x\nCOPY a.txt /\n",
    "arg-several": "ARG A=scr B=atch\nFROM $A$B\nCOPY a.txt /\n",
    "platform-bad": "FROM --platform=nonsense/x/y/z/w scratch\nCOPY a.txt /\n",
    "heredoc-copy": "FROM scratch\nCOPY <<EOF /made\nx\nEOF\nCOPY a.txt /\n",
    "heredoc-from-within": "FROM scratch\nCOPY <<EOF /made\nFROM nowhere\nBROKEN\nEOF\n",
    "heredoc-two": "FROM scratch\nCOPY <<one <<two /made/\n1\none\n2\ntwo\n",
    "heredoc-quoted": "FROM scratch\nCOPY <<'EOF' /made\n$x\nEOF\n",
    "heredoc-tabs": "FROM scratch\nCOPY <<-EOF /made\n\tx\n\tEOF\nCOPY a.txt /\n",
    "heredoc-open": "FROM scratch\nCOPY <<EOF /made\nx\n",
    "heredoc-run": f"FROM {BASE} AS one\nRUN <<EOF\necho 1 > /made\nEOF\n"
    "FROM scratch\nCOPY --from=one /made /\n",
    "heredoc-beside-file": "FROM scratch\nCOPY a.txt <<EOF /made/\nx\nEOF\n",
    "escape-backtick": "# escape=`\nFROM scratch\nCOPY a.txt `\n  b.txt /\n",
    "escape-too-late": "# a comment\n# escape=`\nFROM scratch\nCOPY a.txt `\n  b.txt /\n",
    "escape-bad": "# escape=x\nFROM scratch\nCOPY a.txt /\n",
    "escape-twice": "# escape=`\n# escape=`\nFROM scratch\nCOPY a.txt /\n",
    "check-directive": "# check=skip=all\nFROM scratch AS A\nCOPY a.txt /\n",
    "check-directive-error": "# check=error=true\nFROM scratch as A\nCOPY a.txt /\n",
    "continuation": "FROM scratch\nCOPY a.txt \\\n  # why\n\n  b.txt \\\n  /\n",
    "continuation-at-end": "FROM scratch\nCOPY a.txt / \\\n",
    "continuation-blank-after": "FROM scratch\nCOPY a.txt \\  \n  /\n",
    "continuation-swallows": "FROM scratch\nCOPY a.txt / \\\nCOPY b.txt /\n",
    "comment-not-inline": "FROM scratch # base\nCOPY a.txt /\n",
    "comment-in-copy": "FROM scratch\nCOPY a.txt / # all\n",
    "comment-indented": "  #\nFROM scratch\n\t# two\n  COPY a.txt /\n",
    "crlf": "FROM scratch AS one\r\nCOPY a.txt /\r\nFROM one\r\nCOPY b.txt \\\r\n /\r\n",
    "cr-alone": "FROM scratch\rCOPY a.txt /\r",
    "bom": b"\xef\xbb\xbfFROM scratch\nCOPY a.txt /\n",
    "latin-1": b"# \xe9\nFROM scratch\nCOPY a.txt /\n",
    "nul": b"FROM scratch\nCOPY a.txt /\0\n",
    "utf-16": "FROM scratch\nCOPY a.txt /\n".encode("utf-16"),
    "no-newline-at-end": "FROM scratch\nCOPY a.txt /",
    "empty": "",
    "only-comments": "# one\n# two\n",
    "only-arg": "ARG A=1\n",
    "no-from": "COPY a.txt /\n",
    "before-from": "RUN true\nFROM scratch\nCOPY a.txt /\n",
    "unknown-instruction": "FROM scratch\nCOPPY a.txt /\n",
    "unknown-first": "FORM scratch\nCOPY a.txt /\n",
    "from-nothing": "FROM\nCOPY a.txt /\n",
    "from-two-words": "FROM scratch one\nCOPY a.txt /\n",
    "from-as-nothing": "FROM scratch AS\nCOPY a.txt /\n",
    "from-four-words": "FROM scratch AS one two\nCOPY a.txt /\n",
    "from-bad-reference": "FROM UPPER/Case:x:y\nCOPY a.txt /\n",
    "from-bad-reference-not-needed": "FROM UPPER/Case:x:y AS one\nFROM scratch\nCOPY a.txt /\n",
    "from-flag-unknown": "FROM --nope=1 scratch\nCOPY a.txt /\n",
    "from-alone": "FROM scratch\n",
    "from-image-alone": f"FROM {BASE} AS one\nFROM scratch\nCOPY a.txt /\nFROM one AS three\n"
    "FROM scratch\nCOPY b.txt /\n",
    "onbuild": "FROM scratch AS one\nONBUILD COPY a.txt /\nFROM one\nCOPY b.txt /\n",
    "onbuild-missing": "FROM scratch AS one\nONBUILD COPY nothing /\nFROM one\nCOPY b.txt /\n",
    "onbuild-not-used": "FROM scratch AS one\nONBUILD COPY nothing /\nCOPY b.txt /\n",
    "onbuild-from-stage": TWO + "ONBUILD COPY --from=one a.txt /\nFROM two\nCOPY c.md /\n",
    "onbuild-from": "FROM scratch\nONBUILD FROM scratch\nCOPY a.txt /\n",
    "onbuild-onbuild": "FROM scratch\nONBUILD ONBUILD COPY a.txt /\nCOPY a.txt /\n",
    "onbuild-nothing": "FROM scratch\nONBUILD\nCOPY a.txt /\n",
    "onbuild-unknown-used": "FROM scratch AS one\nONBUILD COPPY a.txt /\nFROM one\nCOPY a.txt /\n",
    "onbuild-flag-unknown": "FROM scratch AS one\nONBUILD COPY --nope=1 a.txt /\nFROM one\n",
    "onbuild-two-steps-down": "FROM scratch AS one\nONBUILD COPY nothing /\nFROM scratch AS two\n"
    "COPY --from=one / /\nCOPY a.txt /\n",
    "onbuild-grandchild": "FROM scratch AS one\nONBUILD COPY a.txt /\nFROM one AS two\n"
    "COPY b.txt /\nFROM two\nCOPY c.md /\n",
    "onbuild-unknown": "FROM scratch\nONBUILD COPPY a.txt /\nCOPY a.txt /\n",
    "mount-bind": f"FROM {BASE} AS one\nRUN --mount=target=/w cp /w/a.txt /made\n"
    "FROM scratch\nCOPY --from=one /made /\n",
    "mount-bind-missing": f"FROM {BASE} AS one\nRUN --mount=source=nothing,target=/w true\n"
    "FROM scratch\nCOPY --from=one /etc/debian_version /\n",
    "mount-from-stage": f"FROM scratch AS one\nCOPY a.txt /\nFROM {BASE} AS two\n"
    "RUN --mount=from=one,target=/w cp /w/a.txt /made\nFROM scratch\nCOPY --from=two /made /\n",
    "mount-cache-from-stage": f"FROM scratch AS one\nCOPY a.txt /\nFROM {BASE} AS two\n"
    "RUN --mount=type=cache,from=one,target=/w touch /made\n"
    "FROM scratch\nCOPY --from=two /made /\n",
    "mount-others": f"FROM {BASE} AS one\nRUN --mount=type=cache,target=/c "
    "--mount=type=tmpfs,target=/t --mount=type=secret,id=none --mount=type=ssh touch /made\n"
    "FROM scratch\nCOPY --from=one /made /\n",
    "mount-bad-type": f"FROM {BASE} AS one\nRUN --mount=type=nope,target=/c true\n"
    "FROM scratch\nCOPY --from=one /etc/debian_version /\n",
    "mount-no-target": f"FROM {BASE} AS one\nRUN --mount=type=cache true\n"
    "FROM scratch\nCOPY --from=one /etc/debian_version /\n",
    "mount-bad-key": f"FROM {BASE} AS one\nRUN --mount=type=cache,nope=1,target=/c true\n"
    "FROM scratch\nCOPY --from=one /etc/debian_version /\n",
    "mount-bad-not-needed": f"FROM {BASE} AS one\nRUN --mount=type=nope,target=/c true\n"
    "FROM scratch\nCOPY a.txt /\n",
    "run-flag-unknown": f"FROM {BASE}\nRUN --nope=1 true\nFROM scratch\nCOPY a.txt /\n",
    "run-nothing": f"FROM {BASE} AS one\nRUN\nFROM scratch\nCOPY a.txt /\n",
    "run-nothing-needed": f"FROM {BASE} AS one\nRUN\nFROM scratch\n"
    "COPY --from=one /etc/debian_version /\n",
    "run-network": f"FROM {BASE} AS one\nRUN --network=none touch /made\n"
    "FROM scratch\nCOPY --from=one /made /\n",
    "run-network-bad": f"FROM {BASE} AS one\nRUN --network=nope true\nFROM scratch\nCOPY a.txt /\n",
    "run-security": f"FROM {BASE} AS one\nRUN --security=nope true\nFROM scratch\nCOPY a.txt /\n",
    "copy-exclude": "FROM scratch\nCOPY --exclude=*.py src /src/\n",
    "copy-exclude-all": "FROM scratch\nCOPY --exclude=* src /src/\n",
    "copy-parents": "FROM scratch\nCOPY --parents src/lib/x.py src/./lib/y.txt /\n",
    "copy-parents-glob": "FROM scratch\nCOPY --parents src/**/*.py /\n",
    "copy-link": "FROM scratch\nCOPY --link a.txt /\n",
    "copy-chmod": "FROM scratch\nCOPY --chmod=755 a.txt /\n",
    "copy-chmod-bad": "FROM scratch\nCOPY --chmod=999 a.txt /\n",
    "copy-chmod-words": "FROM scratch\nCOPY --chmod=u+x a.txt /\n",
    "copy-chown-numbers": "FROM scratch\nCOPY --chown=1:2 a.txt /\n",
    "copy-flag-unknown": "FROM scratch\nCOPY --nope=1 a.txt /\n",
    "copy-flag-no-value": "FROM scratch\nCOPY --chown a.txt /\n",
    "copy-flag-twice": "FROM scratch\nCOPY --chown=1 --chown=2 a.txt /\n",
    "copy-nothing": "FROM scratch\nCOPY\n",
    "copy-one-word": "FROM scratch\nCOPY a.txt\n",
    "copy-missing": "FROM scratch\nCOPY nothing /\n",
    "copy-missing-not-needed": "FROM scratch AS one\nCOPY nothing /\nFROM scratch\nCOPY a.txt /\n",
    "copy-missing-of-several": "FROM scratch\nCOPY a.txt nothing /\n",
    "copy-missing-below": "FROM scratch\nCOPY src/nothing/x /\n",
    "copy-excluded": "FROM scratch\nCOPY secret.env /\n",
    "copy-excluded-below": "FROM scratch\nCOPY docs/readme.md /\n",
    "copy-excluded-directory": "FROM scratch\nCOPY docs /\n",
    "copy-other-case": "FROM scratch\nCOPY A.TXT /\n",
    "copy-glob": "FROM scratch\nCOPY *.txt /\n",
    "copy-glob-none": "FROM scratch\nCOPY *.nothing /\n",
    "copy-glob-none-beside": "FROM scratch\nCOPY a.txt *.nothing /\n",
    "copy-glob-only-excluded": "FROM scratch\nCOPY *.env /\n",
    "copy-glob-below": "FROM scratch\nCOPY src/*/*.py /\n",
    "copy-glob-class": "FROM scratch\nCOPY [ab].txt /\n",
    "copy-glob-bad": "FROM scratch\nCOPY [a.txt /\n",
    "copy-glob-optional": "FROM scratch\nCOPY a.txt b.tx[t] c.m[x] /\n",
    "copy-odd-name": "FROM scratch\nCOPY [[]odd].txt /\n",
    "copy-double-star": "FROM scratch\nCOPY src/**/*.py /\n",
    "copy-directory": "FROM scratch\nCOPY src /app\n",
    "copy-directory-slash": "FROM scratch\nCOPY src/ /app/\n",
    "copy-file-as-directory": "FROM scratch\nCOPY a.txt/ /\n",
    "copy-all": "FROM scratch\nCOPY . .\n",
    "copy-absolute": "FROM scratch\nCOPY /a.txt /\n",
    "copy-parent": "FROM scratch\nCOPY ../a.txt /\n",
    "copy-parent-within": "FROM scratch\nCOPY src/../a.txt /\n",
    "copy-dot-slash": "FROM scratch\nCOPY ./a.txt ./src/lib /x/\n",
    "copy-json": 'FROM scratch\nCOPY ["with space.txt", "a.txt", "/"]\n',
    "copy-json-one": 'FROM scratch\nCOPY ["a.txt"]\n',
    "copy-json-broken": "FROM scratch\nCOPY ['a.txt', '/']\n",
    "copy-json-numbers": 'FROM scratch\nCOPY ["a.txt", 1]\n',
    "copy-quoted": 'FROM scratch\nCOPY "with space.txt" /\n',
    "copy-escaped": "FROM scratch\nCOPY with\\ space.txt /\n",
    "copy-open-quote": 'FROM scratch\nCOPY "a.txt /\n',
    "copy-utf-8": "FROM scratch\nCOPY é.txt /\n",
    "copy-link-file": "FROM scratch\nCOPY link /\n",
    "copy-empty-directory": "FROM scratch\nCOPY empty /x/\n",
    "copy-several-to-file": "FROM scratch\nCOPY a.txt b.txt /x\n",
    "copy-glob-several-to-file": "FROM scratch\nCOPY *.txt /x\n",
    "copy-twice-same": "FROM scratch\nCOPY a.txt a.txt /x/\n",
    "copy-url": "FROM scratch\nCOPY https://example.invalid/x /\n",
    "copy-bad-variable": "FROM scratch\nCOPY ${x /\n",
    "copy-required-variable": "FROM scratch\nCOPY ${x:?needed} /\n",
    "copy-dockerfile": "FROM scratch\nCOPY Dockerfile .dockerignore /\n",
    "add-tar": "FROM scratch\nADD archive.tar /\n",
    "add-file": "FROM scratch\nADD a.txt b.txt /x/\n",
    "add-missing": "FROM scratch\nADD nothing /\n",
    "add-one-word": "FROM scratch\nADD a.txt\n",
    "add-checksum-local": "FROM scratch\nADD --checksum=sha256:00 a.txt /\n",
    "env-old-form": "FROM scratch\nENV A b c\nCOPY a.txt /\n",
    "env-no-value": "FROM scratch\nENV A\nCOPY a.txt /\n",
    "env-nothing": "FROM scratch\nENV\nCOPY a.txt /\n",
    "env-blank-name": "FROM scratch\nENV =x\nCOPY a.txt /\n",
    "env-mixed": "FROM scratch\nENV A=1 B\nCOPY a.txt /\n",
    "env-open-quote": 'FROM scratch\nENV A="x\nCOPY a.txt /\n',
    "env-in-copy": "FROM scratch\nENV F=a.txt\nCOPY $F /\n",
    "env-in-copy-missing": "FROM scratch\nENV F=nothing\nCOPY $F /\n",
    "env-bad-variable": "FROM scratch\nENV A=${B:x}\nCOPY a.txt /\n",
    "label-no-value": "FROM scratch\nLABEL a\nCOPY a.txt /\n",
    "label-nothing": "FROM scratch\nLABEL\nCOPY a.txt /\n",
    "expose": "FROM scratch\nEXPOSE 80 443/tcp 53/udp 8000-8010\nCOPY a.txt /\n",
    "expose-bad-not-needed": "FROM scratch AS one\nEXPOSE eighty\nFROM scratch\nCOPY a.txt /\n",
    "env-bad-not-needed": "FROM scratch AS one\nENV A=${B:x}\nFROM scratch\nCOPY a.txt /\n",
    "from-blank-not-needed": "ARG B\nFROM $B AS one\nFROM scratch\nCOPY a.txt /\n",
    "copy-from-later-not-needed": "FROM scratch AS one\nCOPY --from=two b.txt /\n"
    "FROM scratch AS two\nCOPY b.txt /\n",
    "copy-from-variable-not-needed": "FROM scratch AS one\nCOPY --from=$X b.txt /\n"
    "FROM scratch AS two\nCOPY b.txt /\n",
    "copy-from-index-not-needed": "FROM scratch AS one\nCOPY --from=9 b.txt /\n"
    "FROM scratch AS two\nCOPY b.txt /\n",
    "copy-url-not-needed": "FROM scratch AS one\nCOPY https://x.invalid/x /\nFROM scratch\n"
    "COPY b.txt /\n",
    "platform-bad-not-needed": "FROM --platform=nonsense/x/y/z/w scratch AS one\nCOPY a.txt /\n"
    "FROM scratch\nCOPY a.txt /\n",
    "expose-bad": "FROM scratch\nEXPOSE eighty\nCOPY a.txt /\n",
    "expose-too-large": "FROM scratch\nEXPOSE 70000\nCOPY a.txt /\n",
    "expose-bad-protocol": "FROM scratch\nEXPOSE 80/nope\nCOPY a.txt /\n",
    "expose-mapping": "FROM scratch\nEXPOSE 80:80\nCOPY a.txt /\n",
    "expose-variable": "FROM scratch\nARG P=80\nEXPOSE $P\nCOPY a.txt /\n",
    "expose-nothing": "FROM scratch\nEXPOSE\nCOPY a.txt /\n",
    "workdir": "FROM scratch\nWORKDIR app\nCOPY a.txt .\n",
    "workdir-nothing": "FROM scratch\nWORKDIR\nCOPY a.txt /\n",
    "user-nothing": "FROM scratch\nUSER\nCOPY a.txt /\n",
    "user-two": "FROM scratch\nUSER a b\nCOPY a.txt /\n",
    "volume-nothing": "FROM scratch\nVOLUME\nCOPY a.txt /\n",
    "volume-blank": 'FROM scratch\nVOLUME [""]\nCOPY a.txt /\n',
    "volume-json-broken": "FROM scratch\nVOLUME ['/x']\nCOPY a.txt /\n",
    "cmd-json-broken": "FROM scratch\nCMD ['x']\nCOPY a.txt /\n",
    "cmd-json-numbers": "FROM scratch\nCMD [1, 2]\nCOPY a.txt /\n",
    "cmd-nothing": "FROM scratch\nCMD\nCOPY a.txt /\n",
    "cmd-flag": "FROM scratch\nCMD --nope x\nCOPY a.txt /\n",
    "entrypoint-nothing": "FROM scratch\nENTRYPOINT\nCOPY a.txt /\n",
    "shell-not-json": "FROM scratch\nSHELL /bin/sh -c\nCOPY a.txt /\n",
    "shell-nothing": "FROM scratch\nSHELL\nCOPY a.txt /\n",
    "shell-empty": "FROM scratch\nSHELL []\nCOPY a.txt /\n",
    "stopsignal": "FROM scratch\nSTOPSIGNAL SIGINT\nCOPY a.txt /\n",
    "stopsignal-bad": "FROM scratch\nSTOPSIGNAL NOPE\nCOPY a.txt /\n",
    "stopsignal-nothing": "FROM scratch\nSTOPSIGNAL\nCOPY a.txt /\n",
    "maintainer": "FROM scratch\nMAINTAINER me\nCOPY a.txt /\n",
    "maintainer-nothing": "FROM scratch\nMAINTAINER\nCOPY a.txt /\n",
    "healthcheck": "FROM scratch\nHEALTHCHECK --interval=1s --retries=2 CMD true\nCOPY a.txt /\n",
    "healthcheck-none": "FROM scratch\nHEALTHCHECK none\nCOPY a.txt /\n",
    "healthcheck-none-more": "FROM scratch\nHEALTHCHECK NONE x\nCOPY a.txt /\n",
    "healthcheck-nothing": "FROM scratch\nHEALTHCHECK\nCOPY a.txt /\n",
    "healthcheck-no-command": "FROM scratch\nHEALTHCHECK CMD\nCOPY a.txt /\n",
    "healthcheck-bad-type": "FROM scratch\nHEALTHCHECK curl localhost\nCOPY a.txt /\n",
    "healthcheck-bad-interval": "FROM scratch\nHEALTHCHECK --interval=5 CMD x\nCOPY a.txt /\n",
    "healthcheck-short-interval": "FROM scratch\nHEALTHCHECK --interval=1us CMD x\nCOPY a.txt /\n",
    "healthcheck-bad-retries": "FROM scratch\nHEALTHCHECK --retries=x CMD x\nCOPY a.txt /\n",
    "healthcheck-negative-retries": "FROM scratch\nHEALTHCHECK --retries=-1 CMD x\nCOPY a.txt /\n",
    "healthcheck-start-interval": "FROM scratch\nHEALTHCHECK --start-period=9s "
    "--start-interval=1s CMD x\nCOPY a.txt /\n",
    "healthcheck-flag-unknown": "FROM scratch\nHEALTHCHECK --nope=1 CMD x\nCOPY a.txt /\n",
    "fault-in-stage-not-needed": "FROM scratch AS one\nCOPPY a.txt /\nFROM scratch\nCOPY a.txt /\n",
}
SHAPES = (
    *(
        Shape(name, text if isinstance(text, bytes) else text.encode())
        for name, text in DOCKERFILES.items()
    ),
    Shape("target-first", TWO.encode(), "one"),
    Shape("target-other-case", TWO.encode(), "ONE"),
    Shape("target-index", TWO.encode(), "0"),
    Shape("target-index-last", TWO.encode(), "1"),
    Shape("target-index-too-large", TWO.encode(), "2"),
    Shape("target-unknown", TWO.encode(), "three"),
    Shape("target-negative", TWO.encode(), "-1"),
    Shape("target-padded-index", TWO.encode(), "00"),
    Shape("target-twice-named", (TWO + "FROM scratch AS one\nCOPY c.md /\n").encode(), "one"),
    Shape("target-index-unnamed", b"FROM scratch\nCOPY a.txt /\nFROM scratch\nCOPY b.txt /\n", "0"),
    Shape(
        "target-implicit", b"FROM scratch\nCOPY a.txt /\nFROM scratch\nCOPY b.txt /\n", "stage-0"
    ),
    Shape("target-before-fault", (TWO + "COPY nothing /\n").encode(), "one"),
    Shape("target-before-syntax-fault", (TWO + "COPPY x /\n").encode(), "one"),
    Shape("target-of-image-name", b"FROM scratch\nCOPY a.txt /\n", "scratch"),
    Shape("arg-given", b"ARG S=one\n" + TWO.encode() + b"FROM $S\n", args={"S": "two"}),
    Shape("arg-given-blank", b"ARG S=one\n" + TWO.encode() + b"FROM $S\n", args={"S": ""}),
    Shape("arg-given-undeclared", TWO.encode() + b"FROM $S\nCOPY c.md /\n", args={"S": "one"}),
    Shape("arg-given-copy", b"FROM scratch\nARG F\nCOPY $F /\n", args={"F": "a.txt"}),
    Shape("arg-given-copy-missing", b"FROM scratch\nARG F\nCOPY $F /\n", args={"F": "nothing"}),
    Shape("arg-given-not-used", TWO.encode(), args={"NOPE": "1"}),
    Shape("context-copy", b"FROM scratch\nCOPY --from=lib x.py /\n", contexts={"lib": "src/lib"}),
    Shape("context-missing", b"FROM scratch\nCOPY --from=lib no /\n", contexts={"lib": "src/lib"}),
    Shape(
        "context-over-stage",
        TWO.encode() + b"COPY --from=one app.py /\n",
        contexts={"one": "src"},
    ),
    Shape("context-as-base", b"FROM lib\nCOPY a.txt /\n", contexts={"lib": "src/lib"}),
    Shape("context-other-case", b"FROM LIB\nCOPY a.txt /\n", contexts={"lib": "src/lib"}),
)
