"""Who wins, as `devenv env explain` says it, against the real Compose over many combinations."""

from __future__ import annotations

import argparse
import json
import random
import subprocess
from pathlib import Path

import pytest

from devenv.checks.env_inventory import Variable
from devenv.checks.env_needs import KeyState
from devenv.cli.env_files import load_env_profiles
from devenv.cli.session import Session

KEYS = ("KEY", "OTHER")
COMBINATIONS = 64
IN_FILES = [
    "",
    "",
    "{0}=file{1}\n",
    "{0}=\n",
    "{0}=one\n{0}=two{1}\n",
    "{0}\n",
    "{0}=${{OTHER}}{1}\n",
]
IN_FILES += ["{0}='$KEY'\n", "{0}=x${{KEY:-d}}\n", "OTHER=o{1}\n{0}=${{OTHER}}\n{0}=y${{{0}}}\n"]
ENVIRONMENT = [None, None, "text", "", "${KEY}", "${KEY:-default}", "${OTHER-x}", "bare", "null"]


class Project:
    """A project whose every place may set the keys, chosen by a seed."""

    def __init__(self, directory: Path, seed: int) -> None:
        self._pick = random.Random(seed)
        (directory / "profiles").mkdir(parents=True)
        self.directory = directory
        self.shell = {
            key: value
            for key in KEYS
            if (value := self._pick.choice([None, None, "", f"shell-{key}"])) is not None
        }
        if self._pick.random() < 0.8:
            self._write(".env", self._file("a"))
        self._write("one.env", self._file("b"))
        self._write("two.env", self._file("c"))
        env_files = self._pick.choice([["one.env"], ["one.env", "two.env"], ["two.env"], [".env"]])
        env_files = [name for name in env_files if (directory / name).exists()]
        app: dict[str, object] = {"image": "devenv-offline/base", "env_file": env_files}
        environment = self._environment()
        if environment is not None:
            app["environment"] = environment
        plain = {"image": "devenv-offline/base", "command": ["${KEY:-none}", "${OTHER-none}"]}
        self._write("compose.yaml", json.dumps({"services": {"app": app, "plain": plain}}))
        override = self._environment()
        files = []
        if override is not None and self._pick.random() < 0.5:
            service = {"services": {"app": {"environment": override}}}
            self._write("profiles/over.yaml", json.dumps(service))
            files = ["over.yaml"]
        env = "".join(
            f'{key} = "{value}"\n'
            for key in KEYS
            if (value := self._pick.choice([None, None, "", f"profile-{key}"])) is not None
        )
        named = self._pick.choice([[], [], ["extra.env"]])
        self._write("profiles/extra.env", self._file("d"))
        text = f"files = {json.dumps(files)}\nenv_files = {json.dumps(named)}\n[env]\n{env}"
        self._write("profiles/dev.toml", text)
        self._write("devenv.toml", 'default_profile = "dev"\n')

    def _file(self, mark: str) -> str:
        return "".join(self._pick.choice(IN_FILES).format(key, mark) for key in KEYS)

    def _environment(self) -> object:
        found: dict[str, str | None] = {}
        as_list = []
        for key in KEYS:
            value = self._pick.choice(ENVIRONMENT)
            if value is not None:
                bare = value in ("bare", "null")
                found[key] = None if bare else value
                as_list.append(key if bare else f"{key}={value}")
        if not found:
            return None
        return self._pick.choice([found, as_list])

    def _write(self, name: str, text: str) -> None:
        (self.directory / name).write_text(text)


@pytest.mark.parametrize("part", range(4))
def test_winners_are_those_of_compose(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    for key in KEYS:
        monkeypatch.delenv(key, raising=False)
    for seed in range(part, COMBINATIONS, 4):
        project = Project(tmp_path / str(seed), seed)
        with monkeypatch.context() as patched:
            for key, value in project.shell.items():
                patched.setenv(key, value)
            compare(project)


def compare(project: Project) -> None:
    arguments = argparse.Namespace(directory=str(project.directory), profile=None, context=None)
    session = Session(arguments)
    known = {one.name: one for one in load_env_profiles(session)[0].variables()}
    shown = "\n".join(
        f"-- {path.name}\n{path.read_text()}"
        for path in sorted(project.directory.rglob("*"))
        if path.is_file()
    )
    context = f"shell {project.shell}\n{shown}"
    argv = session.compose.argv(*session.unnamed_selection.arguments(), "config")
    environ = session.unnamed_selection.environ(session.environ)
    said = subprocess.run(
        (*argv, "--environment"),
        cwd=project.directory,
        env=environ,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    real = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
    for key in KEYS:
        variable = known.get(key, Variable(key))
        assert variable.value == real.get(key), f"{key}\n{context}"
    model = json.loads(
        subprocess.run(
            (*argv, "--format", "json"),
            cwd=project.directory,
            env=environ,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
    )
    given = model["services"]["app"].get("environment") or {}
    for key in KEYS:
        containers = known[key].containers if key in known else ()
        winner = next((one.winner for one in containers if one.service == "app"), None)
        value = given.get(key)
        expected = value.replace("$$", "$") if isinstance(value, str) else None
        assert (winner.value if winner else None) == expected, f"{key} in app\n{context}"


def test_what_is_needed_is_what_compose_asks_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`config --variables` lists what the texts use; what has no default and no value is needed."""
    for key in ("A", "B", "C", "D", "E", "F"):
        monkeypatch.delenv(key, raising=False)
    (tmp_path / "compose.yaml").write_text(
        "services:\n"
        "  app: {image: 'x:${A}', command: ['${B:-b}', '${C:?c}', '${D:+$E}'], user: '${F-}'}\n"
        "  other: {image: 'y:${G}', profiles: [no]}\n"
    )
    (tmp_path / ".env").write_text("D=1\n")
    arguments = argparse.Namespace(directory=str(tmp_path), profile=None, context=None)
    session = Session(arguments)
    profile = load_env_profiles(session)[0]
    said = subprocess.run(
        session.compose.argv("config", "--variables", "--format", "json"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    assert set(json.loads(said)) <= {one.name for one in profile.variables()}
    keys = profile.diff().files[0].keys
    assert [key.name for key in keys if key.needed] == ["A", "C", "E"]
    assert {key.name for key in keys} == {"A", "C", "E"}
    assert all(key.state is KeyState.MISSING for key in keys)
