"""The commands over ssh, with an `ssh` that runs the far command here."""

from __future__ import annotations

from pathlib import Path

import pytest

from devenv.engine.context import Endpoint
from tests.engine.project import HEALTHY, Project, shell, sleeper

FAKE_SSH = """\
#!/bin/sh
# ssh [options] -- HOST COMMAND…: sshd hands the words to a shell, joined by blanks.
echo "$*" >> "$FAKE_SSH_LOG"
while [ "$1" != -- ]; do shift; done
shift 2
unset DOCKER_HOST DOCKER_CONTEXT
exec sh -c "$*"
"""


@pytest.fixture
def calls(project: Project, tmp_path: Path) -> Path:
    """Puts the ssh first on the project's PATH; the file that its calls are written to."""
    program = tmp_path / "bin" / "ssh"
    program.parent.mkdir()
    program.write_text(FAKE_SSH)
    program.chmod(0o755)
    log = tmp_path / "calls"
    project.environ["PATH"] = f"{program.parent}:{project.environ['PATH']}"
    project.environ["FAKE_SSH_LOG"] = str(log)
    return log


def test_from_up_to_down(project: Project, calls: Path, docker_engine: Endpoint) -> None:
    project.write_compose(
        {"web": shell("echo hello; exec sleep 600", healthcheck=HEALTHY), "db": sleeper()}
    )
    over_ssh = {"DOCKER_HOST": f"ssh://me@Far:2222{docker_engine.address}"}
    project.environ |= over_ssh
    project.up()
    assert project.statuses() == {"web": "healthy", "db": "running"}
    assert "hello" in project.run("logs", "web").stdout
    assert project.run("exec", "web", "echo", "hi").stdout == "hi\n"
    project.run("down")
    assert not project.containers()
    ours = [line for line in calls.read_text().splitlines() if "BatchMode=yes" in line]
    asked = f"-- Far docker --host unix://{docker_engine.address} system dial-stdio"
    assert ours
    assert all("-l me -p 2222" in line and line.endswith(asked) for line in ours)
    for name in over_ssh:
        project.environ.pop(name)


def test_ssh_that_is_refused(project: Project, calls: Path) -> None:
    program = Path(project.environ["PATH"].partition(":")[0]) / "ssh"
    program.write_text("#!/bin/sh\necho 'me@far: Permission denied (publickey).' >&2\nexit 255\n")
    project.write_compose({"web": sleeper()})
    for command in ("ps", "up --detach", "logs"):
        said = project.run(*command.split(), code=3, DOCKER_HOST="ssh://me@far:2222").stderr
        assert "The Docker engine at ssh://me@far:2222 cannot be reached over ssh." in said
        assert "me@far: Permission denied (publickey)." in said
        assert "`ssh -l me -p 2222 far docker version`" in said


def test_no_ssh_client(project: Project, tmp_path: Path) -> None:
    project.write_compose({"web": sleeper()})
    (tmp_path / "empty").mkdir()
    nowhere = str(tmp_path / "empty")
    said = project.run("ps", code=3, PATH=nowhere, DOCKER_HOST="ssh://far").stderr
    assert "ssh to ssh://far cannot be started" in said
    assert "install an ssh client" in said
