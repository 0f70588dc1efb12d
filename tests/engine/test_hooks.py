"""Hooks on a real engine: nothing runs unallowed, what they get, how they fail and are ended."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.project import HEALTHY, Project, sleeper, wait_for
from tests.engine.test_isolation import git


def _write(project: Project, hooks: str, *, allow: bool = True) -> None:
    project.write_compose({"app": sleeper(healthcheck=HEALTHY), "idle": sleeper(profiles=["x"])})
    project.write("devenv.toml", f"[hooks]\n{hooks}\n")
    if allow:
        project.run("allow", "--yes")


def _read(project: Project, name: str) -> str:
    return (project.directory / name).read_text()


def _gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return stat[0] == "Z"


def test_nothing_runs_before_it_is_allowed_and_a_change_asks_again(project: Project) -> None:
    project.write("seed.sh", "echo one >> ran\n")
    _write(project, 'before_up = ["sh seed.sh"]', allow=False)
    said = project.up(code=1)
    assert "never allowed here, so nothing was started" in said
    assert not project.containers()
    assert "hook: before_up: sh seed.sh" in project.run("up", "--dry-run", "--no-checks").stdout
    assert "1 hook, not allowed here" in project.run("doctor", "--offline").stdout
    project.up("--no-hooks")
    assert not (project.directory / "ran").exists()

    shown = project.run("allow", code=2).stdout
    assert "before_up, on this machine: sh -c: sh seed.sh" in shown
    assert "seed.sh (1 line" in shown
    project.run("allow", "--yes")
    project.up()
    assert _read(project, "ran") == "one\n"

    project.write("seed.sh", "echo two >> ran\n")
    assert "has changed" in project.up(code=1)
    shown = project.run("allow", code=2).stdout
    assert "-echo one >> ran" in shown and "+echo two >> ran" in shown
    assert json.loads(project.run("allow", "--format", "json", code=1).stdout)["allowed"] is False
    project.run("allow", "--yes")
    project.up()
    assert _read(project, "ran") == "one\ntwo\n"
    project.run("allow", "--revoke")
    project.up(code=1)


def test_a_script_that_changes_while_services_start_is_not_run(project: Project) -> None:
    project.write("after.sh", "touch ran\n")
    change = "echo touch worse > after.sh"
    _write(project, f'before_up = ["{change}"]\nafter_healthy = ["sh after.sh"]')
    said = project.up(code=1)
    assert "not allowed as they are now" in said
    assert not (project.directory / "ran").exists()
    assert not (project.directory / "worse").exists()


def test_order_environment_and_where_they_run(project: Project) -> None:
    log = "echo $DEVENV_HOOK $DEVENV_ENVIRONMENT $COMPOSE_PROJECT_NAME $PWD >> log"
    in_service = '{ run = "echo $DEVENV_HOOK; hostname; touch /tmp/$DEVENV_HOOK", service = "app" }'
    plain = """['sh', '-c', 'echo "$0 $1" >> log', '$X', 'a b']"""
    git(project.directory, "init", "-q")  # so that what hooks write is not what they call
    _write(
        project,
        f'before_up = ["{log}"]\nbefore_down = ["{log}"]\n'
        f"after_healthy = [{in_service}, '{log}', {plain}]",
    )
    out = project.run("up", "--detach").stdout  # it waits for health, since hooks follow
    container = project.containers()["app"]
    assert f"hook | {container['Config']['Hostname']}" in out
    project.run("exec", "app", "test", "-e", "/tmp/after_healthy")
    name, place = project.name, project.directory
    assert _read(project, "log") == (
        f"before_up {name} {name} {place}\nafter_healthy {name} {name} {place}\n$X a b\n"
    )
    timeline = json.loads(project.run("timeline", "--format", "json").stdout)
    assert [hook["event"] for hook in timeline["hooks"]] == ["before_up", *["after_healthy"] * 3]
    assert timeline["hooks"][0]["begin"] < 0 < timeline["hooks"][1]["begin"]
    project.run("down")
    assert _read(project, "log").endswith(f"before_down {name} {name} {place}\n")
    project.run("down")  # nothing runs, so there is nothing to do before
    assert _read(project, "log").count("before_down") == 1


def test_a_failure_before_starts_nothing(project: Project) -> None:
    _write(project, 'before_up = ["echo no-certs; exit 7", "touch never"]')
    said = project.up(code=1)
    assert f"{project.directory}/devenv.toml:2:14: " in said
    assert "ended with exit code 7" in said and "no-certs" in said
    assert not project.containers()
    assert not (project.directory / "never").exists()
    failed = json.loads(project.run("ps", "--format", "json").stdout)["failed_hook"]
    assert (failed["event"], failed["run"]) == ("before_up", "echo no-certs; exit 7")


def test_a_failure_after_leaves_the_services_and_is_known_until_it_is_over(
    project: Project,
) -> None:
    git(project.directory, "init", "-q")
    _write(project, 'after_healthy = ["test -e repaired"]')
    said = project.up(code=1)
    assert "The services are up" in said
    before = project.ids()
    assert "devenv up runs it again" in project.run("ps").stderr
    project.write("repaired", "")
    project.up()
    assert project.ids() == before
    assert project.run("ps").stderr == ""


def test_a_failure_before_down_removes_nothing(project: Project) -> None:
    _write(project, 'before_down = ["exit 3"]')
    project.up()
    assert "devenv down --no-hooks" in project.run("down", code=1).stderr
    assert project.running_services() == {"app"}
    project.run("down", "--no-hooks")
    assert not project.containers()


def test_down_works_though_hooks_are_not_allowed_or_files_do_not_load(project: Project) -> None:
    _write(project, 'before_down = ["touch never"]', allow=False)
    project.up("--no-hooks")
    assert "not allowed here" in project.run("down").stderr
    project.up("--no-hooks")
    project.write("devenv.toml", "[hooks\n")
    project.run("down")
    assert not project.containers()
    assert not (project.directory / "never").exists()


@pytest.mark.parametrize(
    ("hook", "words"),
    [
        ('["./no-such-program"]', "./no-such-program cannot be started"),
        ('"no-such-program"', "exit code 127"),
        ('{ run = "sleep 60", timeout = 0.3 }', "did not end within 0.3 s"),
        ('"kill -9 $$"', "was ended by signal 9"),
        ('["./plain.txt"]', "Permission denied"),
        ('{ run = "true", service = "ap" }', "did you mean app?"),
        ('{ run = "exit 5", service = "app" }', "ended with exit code 5"),
        ('{ run = ["no-such"], service = "app" }', "exit code 12"),
    ],
    ids=["missing", "missing in sh", "late", "signal", "mode", "service", "exit", "in service"],
)
def test_what_can_go_wrong_has_its_words(project: Project, hook: str, words: str) -> None:
    project.write("plain.txt", "")
    _write(project, f"after_healthy = [{hook}]")
    assert words in project.up(code=1)


def test_a_hook_in_an_inactive_service_is_skipped(project: Project) -> None:
    _write(project, 'after_healthy = [{ run = "true", service = "idle" }, "touch ran"]')
    assert "skipped, idle is not in this profile" in project.up()
    assert (project.directory / "ran").exists()


def test_output_is_harmless_however_wild(project: Project) -> None:
    wild = (
        r"printf '\033]0;title\007\033[2Jred\377\376\000x\n'; head -c 300000 /dev/zero | tr '\0' y"
    )
    _write(project, f"after_healthy = ['''{wild}; echo; cat; echo end''']")
    completed = project.run("up", "--detach", "--wait")
    assert "\x1b" not in completed.stdout and "\x07" not in completed.stdout
    assert completed.stdout.count("y") >= 300_000
    assert "hook | end" in completed.stdout  # `cat` found an empty input at once


def test_ctrl_c_ends_a_hook_and_its_children(project: Project) -> None:
    _write(project, "after_healthy = ['sleep 600 & echo $! > child; echo $$ > parent; wait']")
    with project.running("up", "--plain") as running:

        def started() -> tuple[int, int] | None:
            try:
                return int(_read(project, "parent")), int(_read(project, "child"))
            except (OSError, ValueError):
                return None

        pids = wait_for(started, seconds=60, what="the hook")
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(timeout=30) == 130
        assert "which was ended" in running.stderr
    wait_for(lambda: all(_gone(pid) for pid in pids), what="the hook's end")
    assert project.running_services() == {"app"}


def test_ctrl_c_ends_a_hook_in_a_service_too(project: Project) -> None:
    run = "sleep 611 & touch /tmp/on; wait"
    _write(project, f'after_healthy = [{{ run = "{run}", service = "app" }}]')

    def sleeps() -> bool:
        listed = project.run("compose", "top", "app").stdout
        return "sleep 611" in listed

    with project.running("up", "--plain") as running:
        wait_for(sleeps, seconds=60, what="the hook")
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(timeout=30) == 130
    wait_for(lambda: not sleeps(), what="the end of the program in the container")


def test_a_hook_may_call_devenv(project: Project) -> None:
    _write(
        project,
        'before_up = ["devenv ps && devenv stop; devenv up --detach --wait idle --profile x"]\n'
        'after_healthy = ["devenv exec app echo inside; devenv up --detach && touch again"]',
    )
    project.write("profiles/x.toml", 'compose_profiles = ["x"]\n')
    project.run("allow", "--yes")
    project.environ["PATH"] = f"{Path(sys.executable).parent}:{project.environ['PATH']}"
    out = project.run("up", "--detach", "--wait").stdout
    assert "hook | inside" in out
    assert (project.directory / "again").exists()
    assert project.running_services() == {"app", "idle"}


def test_without_a_memory_nothing_is_allowed_and_it_is_said(
    project: Project, make_project: Callable[[str], Project]
) -> None:
    state = project.directory / "state"
    state.write_text("")  # no directory can be made below a file
    project.environ["XDG_STATE_HOME"] = str(state)
    _write(project, 'before_up = ["touch ran"]', allow=False)
    said = project.run("allow", "--yes", code=2).stderr
    assert "cannot be remembered" in said and "XDG_STATE_HOME" in said
    project.up(code=1)
    assert not (project.directory / "ran").exists()
    project.up("--no-hooks")


def test_what_containers_can_reach_is_shown_once(project: Project) -> None:
    project.write_compose({"app": sleeper(cap_add=["NET_ADMIN"])})
    line = "app: kernel capabilities: NET_ADMIN (services.app.cap_add)"
    assert line in project.up()
    assert line not in project.up()
    project.write_compose({"app": sleeper(cap_add=["NET_ADMIN"], pid="host")})
    said = project.up()
    assert "the machine's processes (services.app.pid)" in said
    assert line not in said
    assert line in project.run("allow").stdout


def test_after_a_switch_of_branch_and_devenv_within_hooks_there(project: Project) -> None:
    """In an environment beside the plain one a hook's own devenv reaches that one."""
    project.environ["PATH"] = f"{Path(sys.executable).parent}:{project.environ['PATH']}"
    say = "echo $DEVENV_BEFORE_BRANCH-$DEVENV_BRANCH $DEVENV_ENVIRONMENT >> switched"
    inner = "devenv ps --format json > inner; devenv exec app true"
    project.write(
        "devenv.toml",
        f'[isolation]\nmode = "branch"\n[hooks]\nafter_switch = ["{say}"]\n'
        f'after_healthy = ["{inner}"]\n',
    )
    project.write_compose({"app": sleeper(healthcheck=HEALTHY)})
    git(project.directory, "init", "-q", "-b", "main")
    git(project.directory, "add", ".")
    git(project.directory, "commit", "-q", "-m", "x")
    git(project.directory, "branch", "feature")
    project.run("allow", "--yes")
    project.up()
    project.up()
    assert not (project.directory / "switched").exists()
    name = f"{project.name}-feature"
    try:
        project.run("switch", "feature")
        assert _read(project, "switched") == f"main-feature {name}\n"
        assert json.loads(_read(project, "inner"))["environment"] == name
        project.up()
        project.run("down")
        git(project.directory, "switch", "-q", "main")
        project.up()
        assert _read(project, "switched").splitlines()[1:] == [f"feature-main {project.name}"]
    finally:
        git(project.directory, "switch", "-q", "feature")
        project.run("down", "--volumes", "--yes", "--no-hooks")


def test_a_change_that_nobody_allowed_keeps_a_switch_from_stopping_anything(
    project: Project,
) -> None:
    _write(project, 'before_up = ["true"]')
    project.write("profiles/x.toml", 'compose_profiles = ["x"]\n')
    project.write("profiles/dev.toml", "")
    project.run("allow", "--yes")
    project.up("--profile", "x")
    assert project.running_services() == {"app", "idle"}
    project.write("profiles/dev.toml", '[hooks]\nafter_healthy = ["touch ran"]\n')
    assert "have changed" in project.run("switch", "dev", code=1).stderr
    assert project.running_services() == {"app", "idle"}
