"""Every command's help: it says what it does, with an example that the parser takes."""

from __future__ import annotations

import pkgutil
import re
import shlex

import pytest

from devenv.cli import commands
from devenv.cli.main import build_parser

NAMES = sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(commands.__path__))
HAND_ON_OUTPUT = {"allow", "attach", "compose", "completion", "exec", "open", "schema", "shell"}
"""What runs or prints something of another form, so that there is no result to format."""


def read_help(name: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        build_parser([name, "--help"]).parse_args([name, "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("name", NAMES)
def test_help_has_an_example_that_parses(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, found, rest = read_help(name, capsys).partition("\nexample:\n")
    assert found, f"{name} shows no example"
    line = re.split(r" {2,}", rest.splitlines()[0].strip())[0]
    inner = re.search(r"\$\((devenv .*?)\)", line)
    program, *arguments = shlex.split(inner[1] if inner else line, comments=True)
    ends = [at for at, word in enumerate(arguments) if word in ("|", ">", "&&")]
    arguments = arguments[: ends[0]] if ends else arguments
    assert program == "devenv"
    assert build_parser(arguments).parse_args(arguments).command == name


def test_the_list_of_commands_is_complete(capsys: pytest.CaptureFixture[str]) -> None:
    build_parser(["--help"]).print_help()
    listed = re.findall(r"^    ([a-z-]+)(?: |$)", capsys.readouterr().out, re.M)
    assert sorted(listed) == NAMES


@pytest.mark.parametrize("name", sorted(set(NAMES) - HAND_ON_OUTPUT))
def test_a_result_can_be_had_as_json(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--format" in read_help(name, capsys)
