"""More projects whose every file is changed on a real engine: the less usual instructions.

What needs a frontend newer than that of Engine 20.10 says so with `needs_frontend`.
"""

from __future__ import annotations

from tests.corpus.watch.shapes import IMAGE, Shape

_FROM = f"FROM {IMAGE}"
_ONE = "services: {app: {build: .}}\n"
_TREE = {"src/a.js": "a\n", "src/b.md": "b\n", "src/lib/c.js": "c\n", "top.txt": "t\n"}


def _shape(name: str, dockerfile: str, files: dict[str, str], compose: str = _ONE) -> Shape:
    return Shape(name, compose, {"Dockerfile": dockerfile, **files})


def _newer(name: str, dockerfile: str, files: dict[str, str], compose: str = _ONE) -> Shape:
    files = {"Dockerfile": dockerfile, **files}
    return Shape(name, compose, files, needs_buildkit=True, needs_frontend=True)


AWKWARD: tuple[Shape, ...] = (
    _shape(
        "copied-over",
        f"{_FROM}\nWORKDIR /app\nCOPY base/ ./\nCOPY over/ ./\nCOPY top.txt a.txt\n"
        "COPY conf/default.conf conf/dev.conf /srv/\nCOPY conf/dev.conf /srv/default.conf\n",
        {
            "base/a.txt": "1\n",
            "base/b.txt": "1\n",
            "base/sub/c.txt": "1\n",
            "over/b.txt": "2\n",
            "over/sub/d.txt": "2\n",
            "top.txt": "3\n",
            "conf/default.conf": "4\n",
            "conf/dev.conf": "5\n",
        },
    ),
    _shape(
        "removed-by-a-step",
        f"{_FROM}\nWORKDIR /app\nCOPY . .\nRUN rm -rf tests docs/*.md && rm ./one.txt\n",
        {
            "tests/t.js": "1\n",
            "docs/a.md": "1\n",
            "docs/b.txt": "1\n",
            "one.txt": "1\n",
            "two.txt": "1\n",
        },
    ),
    _shape(
        "removed-then-copied",
        f"{_FROM}\nWORKDIR /app\nCOPY src src\nRUN rm -rf src\nCOPY src/a.js src/\n",
        _TREE,
    ),
    _shape(
        "relative-workdirs",
        f"{_FROM}\nWORKDIR app\nWORKDIR sub\nCOPY top.txt .\nCOPY src ../src\nWORKDIR ..\n"
        "COPY top.txt beside\nCOPY ./src/../top.txt /srv/up.txt\n",
        _TREE,
    ),
    _shape(
        "stage-names",
        f"{_FROM} AS Deps\nWORKDIR /app\nCOPY src /app/src\n{_FROM}\nCOPY top.txt /opt/\n"
        f"{_FROM}\nCOPY --from=0 /app/src/a.js /srv/zero.js\n"
        "COPY --from=deps /app/src/lib /srv/lib\n"
        "COPY --from=1 /opt/top.txt /srv/\n",
        {**_TREE, "src/unused.js": "u\n"},
    ),
    _shape(
        "variables-of-a-stage",
        f"ARG DIR=one\n{_FROM} AS first\nARG DIR\nCOPY ${{DIR}} /app/first\n"
        f"{_FROM} AS second\nARG DIR=own\nENV TO=/srv\nCOPY ${{DIR:-none}} ${{TO}}/second\n"
        f"FROM first\nARG NAME\nCOPY --from=second /srv/second /srv/second\n"
        "COPY ${NAME:+named}/x.txt /data/\nCOPY ${MISSING:-last}/y.txt /data/\n",
        {
            "one/x.txt": "1\n",
            "two/x.txt": "1\n",
            "own/x.txt": "1\n",
            "named/x.txt": "1\n",
            "last/y.txt": "1\n",
        },
        "services: {app: {build: {context: ., args: {DIR: two, NAME: n}}}}\n",
    ),
    _shape(
        "kept-again",
        f"{_FROM}\nCOPY . /app\n",
        {
            ".dockerignore": "*\n!src\n!top.txt\nsrc/**/*.md\n!src/keep.md\nsrc/lib\n",
            **_TREE,
            "src/keep.md": "k\n",
            "src/deep/x.md": "x\n",
            "src/deep/x.js": "x\n",
            "other.txt": "o\n",
        },
    ),
    Shape(
        "ignore-file-by-name",
        "services: {web: {build: {context: ., dockerfile: web.Dockerfile}}}\n",
        {
            "web.Dockerfile": f"{_FROM}\nCOPY . /app\n",
            "web.Dockerfile.dockerignore": "*.md\n",
            ".dockerignore": "*.js\n",
            "a.md": "1\n",
            "a.js": "1\n",
            "a.txt": "1\n",
        },
        needs_buildkit=True,
    ),
    _shape(
        "mounts-in-a-volume",
        f"{_FROM}\nWORKDIR /app\nCOPY . .\n",
        {"data/keep/k.txt": "1\n", "data/x.txt": "1\n", "src/a.js": "1\n", "conf/c.conf": "1\n"},
        "services: {app: {build: ., volumes: ['.:/app', /app/data, './data/keep:/app/data/keep',"
        " './conf/c.conf:/etc/app.conf:ro']}}\n",
    ),
    _shape(
        "volume-of-a-folder",
        f"{_FROM}\nWORKDIR /app\nCOPY web/package*.json web/\nRUN cd web && npm ci\nCOPY . .\n",
        {
            "web/package.json": "{}\n",
            "web/package-lock.json": "1\n",
            "web/src/a.js": "1\n",
            "api/package.json": "{}\n",
        },
        "services: {app: {build: ., volumes: ['./:/app/', '/app/web/node_modules/']}}\n",
    ),
    _shape(
        "links",
        f"{_FROM}\nWORKDIR /app\nCOPY current.txt ./\nCOPY linked /srv/linked\n"
        "COPY tree /opt/tree\n",
        {
            "releases/one.txt": "1\n",
            "current.txt": "-> releases/one.txt",
            "real/a.txt": "1\n",
            "linked": "-> real",
            "tree/in.txt": "1\n",
            "tree/out.txt": "-> ../releases/two.txt",
            "releases/two.txt": "1\n",
        },
    ),
    _shape(
        "linked-mounts",
        f"{_FROM}\nCOPY top.txt /app/\n",
        {
            "top.txt": "1\n",
            "real/conf/a.conf": "1\n",
            "conf": "-> real/conf",
            "file.txt": "-> real/file.txt",
            "real/file.txt": "1\n",
        },
        "services: {app: {build: ., volumes: ['./conf:/etc/conf', './file.txt:/etc/file.txt',"
        " './conf:/srv/conf', './file.txt:/srv/file.txt']}}\n",
    ),
    Shape(
        "bind-of-a-stage",
        _ONE,
        {
            "Dockerfile": f"{_FROM} AS deps\nWORKDIR /app\nCOPY package*.json ./\nRUN npm ci\n"
            f"COPY src /other\n{_FROM}\nWORKDIR /srv\n"
            "RUN --mount=type=bind,from=deps,source=/app/node_modules,target=/m cp -r /m/. /srv/m\n"
            "RUN --mount=type=bind,source=conf,target=/conf,rw sha256sum /conf/a.conf > /opt/sum\n",
            "package.json": "{}\n",
            "package-lock.json": "1\n",
            "src/a.js": "1\n",
            "conf/a.conf": "1\n",
            "conf/b.conf": "1\n",
        },
        needs_buildkit=True,
    ),
    Shape(
        "cache-and-link",
        _ONE,
        {
            "Dockerfile": f"{_FROM}\nWORKDIR /app\nRUN --mount=type=bind,source=package.json,"
            "target=package.json --mount=type=bind,source=package-lock.json,"
            "target=package-lock.json --mount=type=cache,target=/root/.npm npm ci\n"
            "COPY --chown=1000:1000 src /app/src\nADD --chown=1000 top.txt /srv/\n",
            "package.json": "{}\n",
            "package-lock.json": "1\n",
            **_TREE,
        },
        needs_buildkit=True,
    ),
    _newer(
        "documents",
        f"{_FROM}\nARG WHO=you\nWORKDIR /app\nCOPY in.txt two.txt ./\n"
        "COPY <<EOF /srv/hello\nhello ${WHO} in.txt\nEOF\n"
        "RUN <<SCRIPT\nset -e\nmkdir -p /opt/made\nsha256sum in.txt > /opt/made/sum\nSCRIPT\n"
        "COPY --chmod=755 <<'A' <<\"B\" /data/\n$WHO\nA\ntwo\nB\n",
        {"in.txt": "1\n", "two.txt": "1\n", "three.txt": "1\n"},
    ),
    _newer(
        "left-out-of-a-copy",
        f"{_FROM}\nCOPY --exclude=*.md --exclude=lib src /app/\n"
        "COPY --exclude=**/c.js . /srv/all/\n",
        _TREE,
    ),
    _newer(
        "named-contexts",
        f"{_FROM} AS made\nCOPY top.txt /out/top.txt\n"
        f"{_FROM}\nCOPY --from=shared lib /app/lib\nCOPY --from=made . /srv/made\n"
        "RUN --mount=type=bind,from=shared,source=conf,target=/c sha256sum /c/a.conf > /opt/sum\n",
        {
            "top.txt": "1\n",
            "shared/lib/a.js": "1\n",
            "shared/lib/a.log": "1\n",
            "shared/lib/b.skip": "1\n",
            "shared/conf/a.conf": "1\n",
            "shared/other.txt": "1\n",
            "shared/.dockerignore": "**/*.skip\n",
            ".dockerignore": "**/*.log\n",
            "prebuilt/p.txt": "1\n",
        },
        "services: {app: {build: {context: ., additional_contexts: {shared: ./shared,"
        " made: ./prebuilt}}}}\n",
    ),
    Shape(
        "inline",
        "services: {app: {build: {context: ./web, dockerfile_inline: "
        f'"{_FROM}\\nWORKDIR /app\\nCOPY package*.json ./\\nRUN npm ci\\nCOPY src src\\n"'
        "}}}\n",
        {
            "web/package.json": "{}\n",
            "web/package-lock.json": "1\n",
            "web/src/a.js": "1\n",
            "web/Other": "1\n",
            "top.txt": "1\n",
        },
        needs_buildkit=True,
    ),
    _shape(
        "read-in-a-subshell",
        f"{_FROM}\nWORKDIR /app\nCOPY a.txt b.txt c.txt list.txt ./\n"
        'RUN (cd /app; V="$(cat a.txt)"; echo "v $V" > /opt/v)\n'
        "RUN for f in b.txt; do sha256sum $f >> /opt/sums; done\n"
        "RUN while read -r x; do echo 'x' $x; done < list.txt > /data\n",
        {"a.txt": "1\n", "b.txt": "1\n", "c.txt": "1\n", "list.txt": "1\n"},
    ),
    _shape(
        "last-words-of-a-file",
        f"# escape=`\n{_FROM} as x\n\nworkdir /app\n# a comment\ncopy top.txt `\n  # another\n"
        "  src/a.js `\n  ./\n",
        _TREE,
    ),
)
