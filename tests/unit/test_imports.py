"""What the quick commands must not load: start-up time is spent on imports."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {"textual", "pydantic", "python_on_whales", "asyncio", "watchfiles", "yaml"}


@pytest.mark.parametrize("argv", [["--version"], ["--help"]])
def test_quick_commands_load_no_heavy_library(argv: list[str]) -> None:
    code = (
        "import sys, json, io, contextlib\n"
        f"sys.argv = ['devenv', *{argv!r}]\n"
        "from devenv.__main__ import main\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        "    main()\n"
        "print(json.dumps(sorted(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert HEAVY.isdisjoint(json.loads(done.stdout))


def test_ps_loads_no_user_interface() -> None:
    code = (
        "import sys, json\n"
        "import devenv.cli.listing, devenv.cli.session, devenv.engine.api\n"
        "print(json.dumps(sorted(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"textual", "pydantic", "python_on_whales"}.isdisjoint(json.loads(done.stdout))
