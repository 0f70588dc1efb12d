"""Reading texts with clear errors, and devenv's own directories."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from devenv.errors import ComposeFileError, ConfigError, Source
from devenv.host import files
from devenv.host.files import read_text
from devenv.host.paths import cache_directory, state_directory


def test_a_text_loses_its_bom_and_keeps_its_line_ends(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbfa\r\n\xc3\xa9")
    assert read_text(tmp_path / "a") == "a\r\né"


def test_each_fault_has_its_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_BYTES", 4)
    (tmp_path / "big").write_text("12345")
    (tmp_path / "latin").write_bytes(b"a\n\xe9")
    os.mkfifo(tmp_path / "pipe")

    def fault(name: str) -> tuple[str, Source | None]:
        with pytest.raises(ConfigError) as caught:
            read_text(tmp_path / name)
        return caught.value.message, caught.value.source

    here = str(tmp_path)
    assert fault("none") == ("This file does not exist.", Source(f"{here}/none"))
    assert fault("big") == ("This file is larger than 5 MiB.", Source(f"{here}/big"))
    assert fault("latin") == ("This file is not UTF-8 text.", Source(f"{here}/latin", 2))
    assert fault("pipe") == ("This is no regular file, not a text file.", Source(f"{here}/pipe"))
    assert fault(".") == ("This is a directory, not a text file.", Source(here))


def test_the_caller_says_which_error(tmp_path: Path) -> None:
    with pytest.raises(ComposeFileError):
        read_text(tmp_path / "none", ComposeFileError)


@pytest.mark.usefixtures("unprivileged")
def test_an_unreadable_file(tmp_path: Path) -> None:
    (tmp_path / "a").touch(mode=0o000)
    with pytest.raises(ConfigError, match=r"^This file cannot be read\.$"):
        read_text(tmp_path / "a")


def test_directories_are_private_even_if_they_were_not(tmp_path: Path) -> None:
    (tmp_path / "c" / "devenv").mkdir(parents=True, mode=0o755)
    environ = {"XDG_CACHE_HOME": f"{tmp_path}/c", "HOME": f"{tmp_path}/home"}
    found = (cache_directory(environ), state_directory(environ))
    assert found == (tmp_path / "c/devenv", tmp_path / "home/.local/state/devenv")
    assert [path.stat().st_mode & 0o777 for path in found] == [0o700, 0o700]


def test_a_relative_xdg_directory_is_ignored(tmp_path: Path) -> None:
    environ = {"XDG_STATE_HOME": "state", "HOME": str(tmp_path)}
    assert state_directory(environ) == tmp_path / ".local/state/devenv"
