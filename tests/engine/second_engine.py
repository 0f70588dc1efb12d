"""An engine of the test's own, which it may stop: with its own network, data and socket."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

_PROGRAMS = (
    *("/bin/sh", "/bin/sleep", "/usr/bin/seq", "/bin/cat"),
    *("/bin/mv", "/bin/rm", "/bin/mkdir", "/bin/rmdir"),
)
IMAGE = "devenv-test/shell"


class SecondEngine:
    """A `dockerd` in a network namespace of its own; containers have no network."""

    def __init__(self, directory: Path, options: tuple[str, ...] = ()) -> None:
        self._options = options
        self.socket = directory / "engine.sock"
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        directory = self._directory
        argv = ["unshare", "--net", "dockerd", "--data-root", str(directory / "data")]
        argv += ["--exec-root", str(directory / "exec"), "--pidfile", str(directory / "pid")]
        argv += ["--host", f"unix://{self.socket}", "--bridge=none", "--iptables=false"]
        argv += self._options
        with (directory / "log").open("ab") as log:
            self._process = subprocess.Popen(argv, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + 60
        while self.docker("version", check=False).returncode:
            assert time.monotonic() < deadline, (directory / "log").read_text()[-2000:]
            assert self._process.poll() is None, (directory / "log").read_text()[-2000:]
            time.sleep(0.1)

    def stop(self) -> None:
        """End it and wait for that; its containers end with it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)
            self._process = None

    def docker(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the docker CLI on it."""
        return subprocess.run(
            ["docker", "--host", f"unix://{self.socket}", *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=check,
        )

    def load_image(self) -> None:
        """A small image with a shell, made of this machine's own programs."""
        tar = self._directory / "image.tar"
        with tarfile.open(tar, "w") as archive:
            for path in sorted(shared_files(_PROGRAMS)):
                archive.add(os.path.realpath(path), arcname=path.lstrip("/"))
        self.docker("import", str(tar), IMAGE)


def shared_files(programs: tuple[str, ...]) -> set[str]:
    """The programs and the shared libraries that they need."""
    found = set(programs)
    for program in programs:
        said = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
        found |= {word for word in said.split() if word.startswith("/")}
    return found


def _mounts_below(directory: Path) -> list[str]:
    """What an engine has left mounted, the innermost first."""
    lines = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    places = [line.split()[1] for line in lines]
    return sorted((p for p in places if p.startswith(f"{directory}/")), reverse=True)


@contextlib.contextmanager
def second_engine(directory: Path, options: tuple[str, ...] = ()) -> Iterator[SecondEngine]:
    """A running engine with the image; stopped and removed at the end. `options` are dockerd's."""
    engine = SecondEngine(directory, options)
    engine.start()
    try:
        engine.load_image()
        yield engine
    finally:
        rows = engine.docker("ps", "--all", "--quiet", check=False).stdout.split()
        engine.docker("rm", "--force", *rows, check=False)
        engine.stop()
        for mounted in _mounts_below(directory):
            subprocess.run(["umount", mounted], capture_output=True, check=False)
