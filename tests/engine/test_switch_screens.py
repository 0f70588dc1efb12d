"""The switcher and the Environments screen in a real terminal, on a real engine with real git."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import yaml

from devenv.compose.names import EnvironmentName
from devenv.compose.shared import shared_network
from devenv.engine.context import Endpoint
from devenv.engine.networks import remove_network
from tests.e2e.terminal import Terminal
from tests.engine.project import Project, devenv_argv, free_port, sleeper
from tests.engine.test_isolation import Repository, git, repository

__all__ = ["repository"]
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")


def write(repository: Repository) -> None:
    main = repository.main
    services = {
        "db": sleeper(ports=[f"127.0.0.1:{free_port()}:5432"]),
        "app": sleeper(depends_on=["db"]),
        "search": sleeper(profiles=["search"]),
    }
    document = {"name": main.name, "services": services}
    main.write("compose.yaml", yaml.safe_dump(document, sort_keys=False))
    main.write("devenv.toml", '[isolation]\nmode = "branch"\nports = "offset"\n')
    main.write("profiles/search.toml", 'description = "All"\ncompose_profiles = ["search"]\n')
    git(main.directory, "add", "-A")
    git(main.directory, "commit", "-q", "-m", "one")


@contextmanager
def up(project: Project) -> Iterator[Terminal]:
    argv = [*devenv_argv(), "up", "--no-checks", "--no-watch"]
    with Terminal(argv, project.directory, project.environ) as terminal:
        terminal.wait(lambda s: "up is done" in s, seconds=90, what="the start")
        yield terminal


def choose(terminal: Terminal, words: str, plan: str) -> None:
    """Open the switcher, find one, and wait for its plan."""
    terminal.press("G")
    terminal.wait(lambda s: "Branches" in s, seconds=30, what="the switcher")
    terminal.press(words)
    terminal.wait(lambda s: plan in s, seconds=30, what=f"the plan {plan!r}")


def close(terminal: Terminal) -> None:
    """Escape alone: with the next key it would be read as Alt and that key."""
    terminal.press("\x1b")
    terminal.wait(lambda s: "Environments of" not in s, seconds=30, what="the main screen")


def leave(terminal: Terminal) -> None:
    terminal.press("q")
    terminal.wait(lambda s: "Leave running" in s, seconds=30, what="the question")
    terminal.press("\r")
    terminal.wait_end(seconds=30)


def test_profiles_and_branches_are_switched_and_git_may_refuse(repository: Repository) -> None:
    write(repository)
    main = repository.main
    git(main.directory, "branch", "topic")
    git(main.directory, "switch", "-q", "-c", "other")
    (main.directory / "compose.yaml").write_text(
        (main.directory / "compose.yaml").read_text().replace("  search:", "  mailer:")
    )
    git(main.directory, "commit", "-qam", "two")
    git(main.directory, "switch", "-q", "main")
    with up(main) as terminal:
        ids = main.ids()
        choose(terminal, "profile search", "create  search")
        assert "keep    db" in terminal.screen
        terminal.press("\r")
        terminal.wait(
            lambda _: main.running_services() == {"db", "app", "search"}, seconds=60, what="search"
        )
        assert {k: v for k, v in main.ids().items() if k in ids} == ids
        shown = json.loads(main.run("profile", "list", "--format", "json").stdout)
        assert (shown["selected"], shown["reason"]) == (
            "search",
            "chosen for branch main with devenv switch",
        )
        terminal.wait(
            lambda s: "main → search" in s and "✓ 3" in s and "up is done" in s,
            seconds=60,
            what="ui",
        )

        # a change that git would overwrite
        (main.directory / "compose.yaml").write_text(
            (main.directory / "compose.yaml").read_text() + "# mine\n"
        )
        choose(terminal, "branch other", "differ there:")
        assert "compose.yaml adds there: mailer" in terminal.screen
        assert "compose.yaml lacks there: search" in terminal.screen
        ids = main.ids()
        terminal.press("\r")
        terminal.wait(lambda s: "Your local changes" in s, seconds=90, what="git's words")
        terminal.wait(lambda s: "up is done" in s, seconds=60, what="the start")
        assert main.running_services() == {"db", "app", "search"} and main.ids() == ids

        git(main.directory, "checkout", "-q", "compose.yaml")
        choose(terminal, "branch topic", f"from {main.name} to {main.name}-topic")
        assert "git switch topic" in terminal.screen
        terminal.press("\r")
        terminal.wait(
            lambda s: "topic →" in s or "topic · " in s, seconds=90, what="the other branch"
        )
        assert git(main.directory, "branch", "--show-current") == "topic"
        assert main.running_services() == set() and main.ids() == ids
        topic = repository.at(main.directory.name)
        both = {"db", "app"}
        terminal.wait(lambda _: topic.running_services() == both, seconds=60, what="its start")
        terminal.wait(lambda s: "up is done" in s, seconds=60, what="the end of it")
        leave(terminal)


def test_environments_are_started_and_stopped_from_another_one(repository: Repository) -> None:
    write(repository)
    main = repository.main
    beside = repository.worktree("beside", "there/shop")
    beside.up()
    with up(main) as terminal:
        terminal.press("A")
        terminal.wait(lambda s: s.count("● 2 of 2 up") == 2, seconds=60, what="both")
        terminal.press("js")
        terminal.wait(lambda _: beside.running_services() == set(), seconds=60, what="the stop")
        terminal.wait(lambda s: "○ stopped" in s, seconds=30, what="what the screen says")
        ids = beside.ids()
        terminal.press("u")
        terminal.wait(
            lambda _: beside.running_services() == {"db", "app"}, seconds=60, what="the start"
        )
        assert beside.ids() == ids  # the same containers
        terminal.wait(lambda s: s.count("● 2 of 2 up") == 2, seconds=30, what="both again")

        beside.run("down")
        terminal.wait(lambda s: "nothing on the engine" in s, seconds=30, what="the end")
        git(beside.directory, "switch", "-q", "-c", "elsewhere")
        terminal.press("u")
        terminal.wait(
            lambda s: "belongs to" in s and "-elsewhere" in s, seconds=60, what="why it cannot"
        )
        assert beside.containers() == {}
        git(beside.directory, "switch", "-q", "beside")
        terminal.press("u")
        terminal.wait(lambda s: s.count("● 2 of 2 up") == 2, seconds=90, what="up --detach")
        assert beside.running_services() == {"db", "app"}
        close(terminal)
        leave(terminal)
    git(main.directory, "worktree", "remove", "--force", str(beside.directory))
    git(main.directory, "branch", "-D", "beside")
    with up(main) as terminal:
        terminal.press("A")
        terminal.wait(lambda s: "2 of 2 up, gone" in s, seconds=60, what="what can go")
        terminal.press("j")
        terminal.wait(lambda s: "devenv gc removes it" in s, seconds=30, what="the command")
        close(terminal)
        leave(terminal)


@pytest.mark.parametrize(
    ("path", "text"), [("devenv.toml", "isolation = 3\n"), ("compose.yaml", "services: [\n")]
)
def test_a_branch_that_does_not_load_is_left_again(
    repository: Repository, path: str, text: str
) -> None:
    write(repository)
    main = repository.main
    git(main.directory, "switch", "-q", "-c", "broken")
    (main.directory / path).write_text(text)
    git(main.directory, "commit", "-qam", "two")
    git(main.directory, "switch", "-q", "main")
    with up(main) as terminal:
        ids = main.ids()
        choose(terminal, "branch broken", "git switch broken")
        terminal.press("\r")
        terminal.wait(lambda s: "Still" in s and "broken" in s, seconds=90, what="why it stays")
        terminal.wait(lambda s: "up is done" in s, seconds=60, what="the start")
        assert git(main.directory, "branch", "--show-current") == "main"
        assert main.running_services() == {"db", "app"} and main.ids() == ids
        if path == "devenv.toml":  # here too now: nothing loads any more
            main.write(path, text)
            terminal.wait(lambda s: "must be a table" in s, seconds=30, what="what is wrong")
            terminal.wait(lambda s: "Still" not in s, seconds=60, what="the notice to go")
            choose(terminal, "branch broken", "Enter switch")
            terminal.press("\r")
            terminal.wait(lambda s: "overwritten" in s, seconds=90, what="git's words")
            terminal.wait(lambda s: "up is done" in s, seconds=60, what="the start")
            assert main.running_services() == {"db", "app"} and main.ids() == ids
            git(main.directory, "checkout", "-q", path)
        leave(terminal)


def test_what_a_branch_left_shared_stops_once_the_other_is_up(
    repository: Repository, docker_engine: Endpoint
) -> None:
    main = repository.main
    services = {"app": sleeper(depends_on=["broker"]), "broker": sleeper()}
    document = {"name": main.name, "services": services}
    main.write("compose.yaml", yaml.safe_dump(document, sort_keys=False))
    settings = '[isolation]\nmode = "branch"\nshared = ["broker"]\n'
    main.write("devenv.toml", settings)
    main.write("profiles/both.toml", 'services = ["app", "broker"]\n')
    git(main.directory, "add", "-A")
    git(main.directory, "commit", "-q", "-m", "one")
    git(main.directory, "switch", "-q", "-c", "alone")
    main.write("devenv.toml", settings.replace('["broker"]', "[]"))
    git(main.directory, "commit", "-qam", "two")
    git(main.directory, "switch", "-q", "main")
    with up(main) as terminal:
        [name] = [n for n, row in repository.environments().items() if row["kind"] == "shared"]
        shared = Project(main.directory, docker_engine, repository._cache)
        shared.name = name
        assert shared.running_services() == {"broker"}
        choose(terminal, "profile both", "keep  app")  # what is shared may be named
        terminal.press("\x1b")
        terminal.wait(lambda s: "Switch profile" not in s, seconds=30, what="the main screen")
        choose(terminal, "branch alone", "git switch alone")
        assert f"stop  app  of {main.name}" in terminal.screen
        assert f"stop  broker  of {main.name}" not in terminal.screen
        terminal.press("\r")
        terminal.wait(lambda _: shared.running_services() == set(), seconds=90, what="the stop")
        terminal.wait(lambda s: "up is done" in s, seconds=60, what="the end of the start")
        leave(terminal)
    asyncio.run(remove_network(main.client, shared_network(EnvironmentName(main.name))))
