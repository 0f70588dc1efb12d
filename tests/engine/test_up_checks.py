"""`up` looks before it starts: what stops it, what does not, and how to go on."""

from __future__ import annotations

from tests.engine.project import Project, free_port, sleeper


def test_an_error_stops_the_start_and_no_checks_goes_on(project: Project) -> None:
    port = f"127.0.0.1:{free_port()}:80"
    project.write_compose({"app": sleeper(ports=[port]), "db": sleeper(ports=[port])})
    for words in (("up", "--detach"), ("up", "--plain"), ("up", "--dry-run")):
        done = project.run(*words, code=1)
        assert "[port-conflict] db and app both publish host port" in done.stderr
        assert "start all the same with --no-checks" in done.stderr
        assert project.containers() == {}
    assert project.run("up", "--detach", "app", code=0).stderr.count("port-conflict") == 0
    assert project.running_services() == {"app"}
    failed = project.run("up", "--detach", "--no-checks", code=1)
    assert "[port-conflict]" not in failed.stderr
    assert "app" in project.running_services()


def test_warnings_are_one_line_and_stop_nothing(project: Project) -> None:
    project.write_compose({"app": sleeper()})
    project.write(".env", "A=pa$x\nB=pa$y\n")
    done = project.run("up", "--detach")
    lines = [line for line in done.stderr.splitlines() if "devenv check" in line]
    assert len(lines) == 1 and "warning" in lines[0]
    assert project.running_services() == {"app"}
