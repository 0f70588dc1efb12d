"""A shell text as words: quotes, separators, redirections and substitutions. No shell."""

from __future__ import annotations

import re

_SEPARATORS = frozenset(";&|\n()")


def split_commands(text: str) -> list[tuple[list[str], list[str], list[str], str]]:
    """Simple commands as words, targets of output, sources of input, and the operator after."""
    commands: list[tuple[list[str], list[str], list[str], str]] = []
    current: tuple[list[str], list[str], list[str]] = ([], [], [])
    place = 0
    """Which of the three the next word belongs to."""
    word: list[str] = []
    started = False
    depth = 0
    index = 0
    text = text.replace("\\\n", " ")

    def end_word() -> None:
        nonlocal word, started, place
        if started:
            current[place].append("".join(word))
            place = 0
        word, started = [], False

    while index < len(text):
        char = text[index]
        following = text[index + 1 : index + 2]
        if char == "\\" and following:
            word.append(following)
            started = True
            index += 2
            continue
        if char in "'\"":
            end = _closing(text, index)
            word.append(text[index + 1 : end])
            started = True
            index = end + 1
            continue
        if char == "$" and following == "(":
            end = find_matching(text, index + 1)
            word.append(text[index : end + 1])
            started = True
            index = end + 1
            continue
        if char == "`":
            end = text.find("`", index + 1)
            end = end if end >= 0 else len(text)
            word.append(text[index : end + 1])
            started = True
            index = end + 1
            continue
        if char == "#" and not started:
            newline = text.find("\n", index)
            index = len(text) if newline < 0 else newline
            continue
        if char in "<>" and depth == 0:
            if started and "".join(word).isdigit():
                word, started = [], False
            end_word()
            index += 1
            while text[index : index + 1] in ("<", ">", "&", "|") and text[index : index + 1]:
                if text[index] == "&":
                    index += 1
                    while text[index : index + 1].isdigit() or text[index : index + 1] == "-":
                        index += 1
                    place = -1
                    break
                index += 1
            place = 0 if place == -1 else (1 if char == ">" else 2)
            continue
        if char in _SEPARATORS:
            end_word()
            place = 0
            operator = char + following if following == char and char in "&|;" else char
            if any(current) or char in "()":
                commands.append((*current, operator))
            current = ([], [], [])
            index += len(operator)
            continue
        if char.isspace():
            end_word()
            index += 1
            continue
        word.append(char)
        started = True
        index += 1
    end_word()
    if any(current):
        commands.append((*current, ""))
    return commands


def _closing(text: str, start: int) -> int:
    quote = text[start]
    index = start + 1
    while index < len(text) and text[index] != quote:
        index += 2 if text[index] == "\\" and quote == '"' else 1
    return min(index, len(text))


def find_matching(text: str, start: int) -> int:
    depth = 0
    for index in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[index], 0)
        if depth == 0:
            return index
    return len(text)


def find_substitutions(word: str) -> list[str]:
    """The texts of `$(…)` and of backquotes in a word."""
    found: list[str] = []
    at = word.find("$(")
    while at >= 0:
        end = find_matching(word, at + 1)
        found.append(word[at + 2 : end])
        at = word.find("$(", end)
    return found + re.findall("`([^`]+)`", word)
