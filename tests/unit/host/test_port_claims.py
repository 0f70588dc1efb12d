"""Ports that environments claim before they are started."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pytest

from devenv.host.port_claims import CLAIM_SECONDS, FILE_NAME, claim_offset


def lowest(taken: Collection[int]) -> int:
    return next(offset for offset in range(100, 1000, 100) if 3000 + offset not in taken)


def claim(state: Path, name: str, *, keep: bool = True, now: float = 0.0) -> int | None:
    return claim_offset(state, name, (3000,), lowest, keep=keep, now=now)


def test_each_gets_its_own_until_a_claim_is_over(tmp_path: Path) -> None:
    assert claim(tmp_path, "one") == 100
    assert claim(tmp_path, "one") == 100
    assert claim(tmp_path, "two", keep=False) == 200
    assert claim(tmp_path, "two") == 200
    assert claim(tmp_path, "three", now=CLAIM_SECONDS / 2) == 300
    assert claim(tmp_path, "four", now=CLAIM_SECONDS + 1) == 100


def test_without_a_file_or_with_a_damaged_one_ports_are_chosen(tmp_path: Path) -> None:
    assert claim(tmp_path / "none", "one") == 100
    assert not (tmp_path / "none").exists()
    assert claim(tmp_path, "one", keep=False) == 100
    assert not (tmp_path / FILE_NAME).exists()
    for text in ("{", "[]", '{"a": 1}', '{"a": {"ports": ["x"], "at": 0}}', ""):
        (tmp_path / FILE_NAME).write_text(text)
        assert claim(tmp_path, "one") == 100
        assert claim(tmp_path, "two") == 200


def test_what_the_choice_raises_is_raised(tmp_path: Path) -> None:
    def refuse(taken: Collection[int]) -> int | None:
        raise ValueError

    with pytest.raises(ValueError):
        claim_offset(tmp_path, "one", (3000,), refuse, keep=True, now=0.0)
    assert claim(tmp_path, "two") == 100
