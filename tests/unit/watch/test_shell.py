"""Shell texts as the commands that they run."""

from __future__ import annotations

import pytest

from devenv.compose.watch.shell import parse_commands

CASES: dict[str, tuple[str, list[str]]] = {
    "a loop": (
        'for f in a.txt "b c"; do sha256sum $f; rm ${f}.bak; done',
        ["/: sha256sum a.txt", "/: sha256sum b c", "/: rm a.txt.bak", "/: rm b c.bak"],
    ),
    "a loop's input": (
        "while read -r x; do echo $x; done < in > out",
        ["/: read -r x", "/: echo $x", "/: cat"],
    ),
    "patterns of a case are no commands": (
        "case $A in x86) cp a b;; arm|y) rm c;; *) exit 1;; esac; make",
        ["/: cp a b?", "/: rm c?", "/: exit 1?", "/: make"],
    ),
    "a case in a loop": ("for i in 1; do case $i in 1) cp $i z;; esac; done", ["/: cp 1 z?"]),
    "a subshell's directory": (
        "(cd /x && (cd y; rm c); rm d) && rm e",
        ["/x/y: rm c", "/x: rm d", "/: rm e"],
    ),
    "tests that are not known": (
        '[ -f x ] && rm x && rm y; if [ "$E" = p ]; then rm z; fi; rm w',
        ["/: [ -f x ]", "/: rm x?", "/: rm y?", "/: rm z?", "/: rm w"],
    ),
    "what may not be reached": (
        "false || rm a && rm b; rm c",
        ["/: false", "/: rm a?", "/: rm b?", "/: rm c"],
    ),
    "what a substitution reads": (
        'V="$(cat a)" && X=`head b` && echo $(node c) $V',
        ["/: cat a", "/: head b", "/: echo $(node c) $(cat a)"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_commands_of_a_text(name: str) -> None:
    text, wanted = CASES[name]
    shown = [
        f"{one.directory}: {' '.join(one.words)}{'' if one.is_certain else '?'}"
        for one in parse_commands(text, "/")
    ]
    assert shown == wanted
