"""The scripts that swap a volume's content, run by this machine's shell on a directory.

`mv` and `rm` are stood in for by scripts that end everything at their Nth call, in the middle of
what they were to do, as a power cut does.
"""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from devenv.engine import volume_swap
from devenv.engine.volumes import MOUNT

PLACE = ".devenv-restore-1a2b3c4d"
ODD = [b"-rf", b"a b\nc", b"bad\xff", b"..odd", b".hidden", b"*", b"'\"$x"]


def fill(directory: Path, words: str) -> None:
    """A directory of all that a volume can have, the files with these words in them."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "dir" / "deep").mkdir(parents=True)
    (directory / "dir" / "deep" / "file").write_text(words)
    for name in (*ODD, f"only {words}".encode(), *(b"n%d" % n for n in range(9))):
        Path(os.fsdecode(os.fsencode(directory) + b"/" + name)).write_text(words)
    (directory / "dangling").symlink_to("nowhere")
    os.mkfifo(directory / "pipe")
    os.link(directory / "n1", directory / "dir" / "hard")


def content(directory: Path) -> dict[str, str]:
    """Each name below the directory, and the words, the kind or the link."""
    found = {}
    for path in directory.rglob("*"):
        kind = str(path.readlink()) if path.is_symlink() else "other"
        if path.is_file():
            kind = path.read_text()
        found[str(path.relative_to(directory))] = kind
    return found


class Machine:
    """A volume's directory, and a PATH of its own with the tools that an image has."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.bins = place / "bins"
        self.volume = place / "volume"
        self.wanted = place / "wanted"

    def prepare(self) -> None:
        fill(self.volume, "old")
        fill(self.volume / PLACE / "new" / "volume", "new")
        fill(self.wanted, "new")

    def run(
        self, script: str, last: int = 0, tools: tuple[str, ...] = ("find",), say: bytes = b"go\n"
    ) -> int:
        """The script's exit code; killed at its `last` call of `mv` or `rm`."""
        self.bins.mkdir(exist_ok=True)
        for one in self.bins.iterdir():
            one.unlink()
        for tool in ("sh", "mkdir", "rmdir", *tools):
            (self.bins / tool).symlink_to(f"/bin/{tool}")
        counter = self.place / "count"
        counter.write_text("")
        for tool in ("mv", "rm"):
            stand_in = self.bins / tool
            stand_in.write_text(
                f"#!/bin/sh\necho >>{counter}\n"
                f"[ $(/usr/bin/wc -l <{counter}) -ne {last} ] || {{\n"
                # The first half of what it was to do.
                f'  [ {tool} != rm ] || /bin/rm -rf "$3"/old/n*\n'
                f'  [ $# -lt 7 ] || {{ shift $(($# / 2)); /bin/mv -f -- "$@"; }}\n'
                "  kill -9 0\n}\n"
                f'exec /bin/{tool} "$@"\n'
            )
            stand_in.chmod(0o755)
        done = subprocess.run(
            ["/bin/sh", "-c", script.replace(f"cd {MOUNT}", f"cd '{self.volume}'"), "x", PLACE],
            env={"PATH": str(self.bins)},
            start_new_session=True,
            input=say,
            capture_output=True,
            check=False,
        )
        assert (done.returncode == -9) is (0 < last <= self.calls()), done.stderr
        return done.returncode

    def calls(self) -> int:
        return len((self.place / "count").read_text())


@pytest.mark.parametrize("tools", [("find",), ()], ids=["with find", "without find"])
def test_cut_off_anywhere_it_goes_on(tmp_path: Path, tools: tuple[str, ...]) -> None:
    whole = Machine(tmp_path / "whole")
    whole.prepare()
    assert whole.run(volume_swap._SWAP, tools=tools) == 0
    assert content(whole.volume) == content(whole.wanted)
    calls = whole.calls()
    assert calls == 4 if tools else calls > 30
    for last in range(1, calls + 1):
        if not tools and last % 9:
            continue
        machine = Machine(tmp_path / f"cut-{last}")
        machine.prepare()
        assert machine.run(volume_swap._SWAP, last, tools) == -9
        assert content(machine.volume) != content(machine.wanted)
        assert machine.run(volume_swap._SWAP, tools=tools) == 0, last
        assert content(machine.volume) == content(machine.wanted), last
    assert whole.run(volume_swap._SWAP, tools=tools) == 0  # there is nothing to do
    assert content(whole.volume) == content(whole.wanted)


def test_a_devenv_that_ends_beforehand_has_changed_nothing(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.prepare()
    before = content(machine.volume)
    assert machine.run(volume_swap._SWAP, say=b"") == 1
    assert content(machine.volume) == before


@pytest.mark.parametrize("size", [1, 511, 512, 1000, 10**6])
async def test_the_first_entry_is_left_out(size: int) -> None:
    """However the stream is cut, and with an extended header before it."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, kind in (("volume", tarfile.DIRTYPE), ("volume/a", tarfile.REGTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.uid, info.mtime = kind, 2**40, 1.5
            tar.addfile(info)
    whole = file.getvalue()

    async def pieces() -> AsyncGenerator[bytes, None]:
        for at in range(0, len(whole), size):
            yield whole[at : at + size]

    rest = b"".join([piece async for piece in volume_swap.without_first(pieces())])
    with tarfile.open(fileobj=io.BytesIO(rest)) as tar:
        (left,) = tar.getmembers()
    assert (left.name, left.uid, left.mtime) == ("volume/a", 2**40, 1.5)


def test_links_stay_one_file(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.prepare()
    machine.run(volume_swap._SWAP)
    assert (machine.volume / "n1").samefile(machine.volume / "dir" / "hard")


def test_an_empty_one_replaces_all(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    fill(machine.volume, "old")
    (machine.volume / PLACE / "new" / "volume").mkdir(parents=True)
    assert machine.run(volume_swap._SWAP) == 0
    assert content(machine.volume) == {}


def test_what_cannot_be_moved_aside_is_moved_back(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.prepare()
    before = content(machine.volume)
    refusing = volume_swap._SWAP.replace(
        "move() {", 'mv() { case "$*" in *n7*going*) return 1;; esac; command mv "$@"; }\nmove() {'
    )
    assert machine.run(refusing, tools=()) == volume_swap._BACK
    assert content(machine.volume) == before


def test_what_was_prepared_goes_but_not_where_a_swap_has_begun(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.prepare()
    (machine.volume / PLACE / "going").mkdir()
    assert machine.run(volume_swap._DROP) == 1
    (machine.volume / PLACE / "going").rename(machine.volume / PLACE / "old")
    assert machine.run(volume_swap._DROP) == 1
    (machine.volume / PLACE / "old").rmdir()
    assert machine.run(volume_swap._DROP) == 0
    fill(machine.wanted / "old", "old")
    assert content(machine.volume) == content(machine.wanted / "old")


def test_a_volume_that_held_nothing_else_is_empty_then(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    (machine.volume / PLACE / "new").mkdir(parents=True)
    assert machine.run(volume_swap._DROP) == volume_swap._EMPTY
    assert machine.run(volume_swap._DROP) == volume_swap._EMPTY
