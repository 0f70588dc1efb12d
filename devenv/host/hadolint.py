"""Runs hadolint over Dockerfiles, where it is installed; what it means is not decided here.

It is another program with its own configuration (`.hadolint.yaml`, comments in the file), which it
finds by itself: it runs in the project directory.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable, Mapping

from devenv.checks.hadolint import LintMessage

LIMIT_SECONDS = 20.0


class Hadolint:
    """One run, begun at once so that other work goes on meanwhile."""

    def __init__(self, files: Iterable[str], directory: str, environ: Mapping[str, str]) -> None:
        """`files` are absolute paths that exist; without any, or without hadolint, nothing runs."""
        self._files = tuple(dict.fromkeys(files))
        self._process: subprocess.Popen[str] | None = None
        program = shutil.which("hadolint", path=environ.get("PATH"))
        if program is None or not self._files:
            return
        try:
            self._process = subprocess.Popen(
                (program, "--no-fail", "--format", "json", "--", *self._files),
                cwd=directory,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
            )
        except OSError:
            return

    def finish(self) -> tuple[tuple[LintMessage, ...], str | None]:
        """Its messages, and why there are none where it could not be run to its end."""
        process = self._process
        if process is None:
            return (), None
        try:
            stdout, stderr = process.communicate(timeout=LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return (), f"hadolint did not end within {LIMIT_SECONDS:g} s"
        try:
            found = json.loads(stdout)
            messages = tuple(
                LintMessage(
                    path=str(one["file"]),
                    line=max(1, int(one["line"])),
                    column=max(1, int(one["column"])),
                    code=str(one["code"]),
                    level=str(one["level"]),
                    text=str(one["message"]),
                )
                for one in found
            )
        except (ValueError, TypeError, KeyError):
            lines = stderr.strip().splitlines()
            said = lines[0] if lines else f"exit code {process.returncode}"
            return (), f"hadolint could not be run: {said}"
        return messages, None
