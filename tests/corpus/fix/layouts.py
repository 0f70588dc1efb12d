"""Compose files in every layout that people write, for the repairs of `devenv check --fix`.

A project has services that wait for each other, with health checks or without, spread over a
main file, an override, an extended and an included file, in block and flow style, with anchors,
merge keys, comments, quotes, CRLF and a byte order mark.
"""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

TARGETS = ("db", "cache", "queue", "gone-by-profile")
OWNERS = ("app", "worker", "job")


@dataclass(frozen=True)
class Layout:
    """Files by name, as bytes."""

    files: dict[str, bytes]


comments = st.sampled_from(["", "", "  # why: it needs it", " # é 日", "\t# tab"])
own_lines = st.sampled_from(["", "", "# a line of its own\n", "\n", "  # odd column\n"])


@st.composite
def dependencies(draw: st.DrawFn, indent: int) -> str:
    """The `depends_on` of a service, with its line end; `indent` is its key's column."""
    names = draw(st.lists(st.sampled_from(TARGETS[:3]), min_size=1, max_size=3, unique=True))
    quote = draw(st.sampled_from(["", "", "'", '"']))
    names = [f"{quote}{name}{quote}" for name in names]
    pad = " " * indent
    anchor = draw(st.sampled_from(["", "", "", "&own "]))
    style = draw(st.sampled_from(["flow", "lines", "block", "flush", "long", "braces", "mixed"]))
    note = draw(comments)
    if style == "flow":
        return f"{pad}depends_on: {anchor}[{', '.join(names)}]{note}\n"
    if style == "lines":
        inner = "".join(f"{pad}    {name},{note}\n" for name in names)
        return f"{pad}depends_on: [\n{inner}{pad}  ]\n"
    if style in ("block", "flush"):
        deeper = pad + ("  " if style == "block" else "")
        inner = "".join(f"{draw(own_lines)}{deeper}- {name}{note}\n" for name in names)
        return f"{pad}depends_on:{' ' + anchor.strip() if anchor else ''}{note}\n{inner}"
    conditions = [
        draw(st.sampled_from(["service_started", "'service_started'", '"service_started"']))
        for _ in names
    ]
    if style == "braces":
        inner = ", ".join(
            f"{name}: {{condition: {how}}}" for name, how in zip(names, conditions, strict=True)
        )
        return f"{pad}depends_on: {anchor}{{{inner}}}{note}\n"
    shown = []
    for name, how in zip(names, conditions, strict=True):
        if style == "mixed" and draw(st.booleans()):
            shown.append(f"{pad}  {name}: {{condition: {how}, required: true}}{note}\n")
        else:
            extra = draw(st.sampled_from(["", f"{pad}    restart: true\n"]))
            shown.append(f"{pad}  {name}:{note}\n{pad}    condition: {how}{note}\n{extra}")
    return f"{pad}depends_on:\n{''.join(shown)}"


@st.composite
def health_checks(draw: st.DrawFn, indent: int) -> str:
    """A `healthcheck`, or nothing."""
    pad = " " * indent
    note = draw(comments)
    return draw(
        st.sampled_from(
            [
                "",
                f"{pad}healthcheck: {{test: [CMD, ok], interval: 2s}}{note}\n",
                f"{pad}healthcheck: {{test: [CMD, ok], start_interval: 1s}}{note}\n",
                f"{pad}healthcheck:{note}\n{pad}  test: [CMD, ok]\n{pad}  start_interval: 1s\n",
                f"{pad}healthcheck:\n{pad}  start_interval: '1s'{note}\n{pad}  test: ok\n",
                f"{pad}healthcheck: *probe\n",
                f"{pad}healthcheck:\n{pad}  <<: *probe\n{pad}  retries: 5{note}\n",
                f"{pad}healthcheck: {{disable: true}}\n",
            ]
        )
    )


@st.composite
def services(draw: st.DrawFn, base: str) -> str:
    """The `services:` of a file; `base` is a line that gives every owner an image."""
    lines = ["services:\n"]
    for name in OWNERS:
        lines.append(f"{draw(own_lines)}  {name}:{draw(comments)}\n    {base}\n")
        kind = draw(st.sampled_from(["own", "own", "own", "merge", "alias", "none"]))
        if kind == "own":
            lines.append(draw(dependencies(4)).replace("&own", f"&own-{name}"))
        elif kind == "merge":
            lines.append("    <<: *waits\n")
        elif kind == "alias":
            lines.append("    depends_on: *names\n")
    for name in TARGETS[:3]:
        lines.append(f"  {name}:\n    image: example/{name}:1\n{draw(health_checks(4))}")
    return "".join(lines)


HEAD = """\
# The project.
x-probe: &probe
  test: [CMD, ok]
  start_interval: 2s   # shared
x-names: &names [db, cache]
x-waits: &waits
  depends_on:
    - db   # shared by a merge
"""


@st.composite
def layouts(draw: st.DrawFn) -> Layout:
    """A whole project."""
    files = {"compose.yaml": HEAD + draw(services("image: example/app:1"))}
    if draw(st.booleans()):
        override = "services:\n  app:\n    init: true\n"
        if draw(st.booleans()):
            override += draw(dependencies(4))
        override += "  db:\n    init: true\n" + draw(
            health_checks(4).filter(lambda text: "*" not in text)
        )
        files["compose.override.yaml"] = override
    if draw(st.booleans()):
        files["base.yaml"] = f"services:\n  common:\n    image: e/c:1\n{draw(dependencies(4))}"
        files["compose.yaml"] += (
            "  from-base:\n    extends: {file: base.yaml, service: common}\n    init: true\n"
        )
    ending = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    bom = draw(st.sampled_from([b"", b"", b"\xef\xbb\xbf"]))
    cut = draw(st.booleans())
    made = {}
    for name, text in files.items():
        whole = text.rstrip("\n") if cut else text
        made[name] = bom + whole.replace("\n", ending).encode()
    return Layout(made)
