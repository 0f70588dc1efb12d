"""What is shown of hooks, which words may be files, and what changed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from devenv.config.hooks import Hook
from devenv.config.names import ProfileName
from devenv.config.settings import parse_profile, parse_settings
from devenv.config.trust import (
    CalledFile,
    HookTrust,
    describe_hooks,
    find_changes,
    find_hook_words,
    find_words,
    parse_trust,
    resolve_relevant,
)


def test_a_line_per_hook_and_per_variable_in_the_order_of_life() -> None:
    settings = parse_settings(
        '[hooks]\nbefore_down = ["./dump"]\nafter_healthy = [{ run = ["./m", "a b"], '
        'service = "app" }]\n',
        "devenv.toml",
    )
    name = ProfileName("dev")
    profile = parse_profile(name, '[env]\nMODE = "./bin"\n', "profiles/dev.toml")
    assert describe_hooks(settings, {name: profile}) == (
        "devenv.toml: after_healthy, in service app: ./m 'a b'",
        "devenv.toml: before_down, on this machine: sh -c: ./dump",
        "profiles/dev.toml: sets MODE=./bin",
    )


def test_without_hooks_there_is_nothing_to_allow() -> None:
    name = ProfileName("dev")
    profile = parse_profile(name, '[env]\nA = "1"\n', "profiles/dev.toml")
    assert describe_hooks(parse_settings("", "devenv.toml"), {name: profile}) == ()


def test_nothing_in_a_hook_hides_from_who_reads_it() -> None:
    sneaky = "echo ok\\u001b[2K\\u001b[1G\\u202e; rm x\\n\\u009bm\\u007f"
    settings = parse_settings(f'[hooks]\nbefore_up = ["{sneaky}"]\n', "devenv.toml")
    [line] = describe_hooks(settings, {})
    assert line.isprintable()
    for part in (r"\u001b[2K", r"\u202e", r"; rm x\n", r"\u009b", r"\u007f"):
        assert part in line


def test_words_of_a_command_and_what_its_programs_read() -> None:
    hook = Hook("before_up", "A=./a.sh; ./b.sh --file=c.sql 'd e.sh' && npm run x >log")
    words = find_hook_words(hook)
    assert {"./a.sh", "./b.sh", "c.sql", "package.json"} <= set(words)
    module = Hook("before_up", ("python3", "-m", "tools.seed"))
    assert {"tools/seed.py", "tools/seed/__main__.py"} <= set(find_hook_words(module))


@given(st.text(max_size=200))
def test_words_are_words(text: str) -> None:
    for word in find_words(text):
        assert 0 < len(word) <= 300
        assert not set(word) & set(" \n'\"`;|&()<>$={}[],\0")


def test_of_package_json_only_the_scripts_count() -> None:
    one = resolve_relevant("a/package.json", b'{"version": "1", "scripts": {"x": "y"}}')
    other = resolve_relevant("package.json", b'{"scripts": {"x": "y"}, "version": "2"}')
    assert one == other
    assert one != resolve_relevant("package.json", b'{"scripts": {"x": "z"}}')
    assert resolve_relevant("package.json", b"not json") == b"not json"
    assert resolve_relevant("setup.sh", b"{}") == b"{}"


def test_the_digest_covers_lines_paths_and_contents_but_not_what_is_shown() -> None:
    file = CalledFile("a.sh", "00", "text")
    trust = HookTrust(("x",), (file,))
    assert trust.digest == HookTrust(("x",), (CalledFile("a.sh", "00", None),)).digest
    others = [
        HookTrust(("y",), (file,)),
        HookTrust(("x",), ()),
        HookTrust(("x",), (CalledFile("b.sh", "00", "text"),)),
        HookTrust(("x",), (CalledFile("a.sh", "01", "text"),)),
        HookTrust(("x", "y"), (file,)),
    ]
    assert len({trust.digest, *(other.digest for other in others)}) == 6


def test_changes_are_named() -> None:
    before = HookTrust(
        ("one", "two"), (CalledFile("a", "0", "x"), CalledFile("b", "0"), CalledFile("c", "0"))
    )
    after = HookTrust(
        ("two", "three"), (CalledFile("a", "1", "y"), CalledFile("b", "1"), CalledFile("d", "0"))
    )
    assert list(find_changes(before, after)) == [
        ("- one", None),
        ("+ three", None),
        ("a", "x"),
        ("b: changed", None),
        ("- c: not called any more", None),
        ("+ d: called now", None),
    ]
    assert list(find_changes(before, before)) == []


def test_json_there_and_back() -> None:
    trust = HookTrust(("x",), (CalledFile("a", "0", None), CalledFile("b", "1", "t")))
    assert parse_trust(trust.to_json()) == trust
    for damaged in ("", "[]", "{}", '{"lines": 3, "files": []}', '{"lines": [], "files": [1]}'):
        assert parse_trust(damaged) is None
