"""Host names in a service's variables and command; only whole ones in clear places count."""

from __future__ import annotations

import re
from collections.abc import Iterator

from devenv.compose.model import Service

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?"
_URL = re.compile(
    rf"\b[A-Za-z][A-Za-z0-9+.-]*://(?:[^\s/@?#]*@)?({_NAME}(?::\d+)?(?:,{_NAME}(?::\d+)?)*)(?![\w@-])"
)
_WITH_PORT = re.compile(rf"({_NAME}):\d{{1,5}}")
_ALONE = re.compile(_NAME)
_KEY_OF_DSN = re.compile(
    rf"(?:^|[;\s])(?:host|server|data source|addr|address)=(?:tcp:)?({_NAME})"
    r"(?:[,:]\d+)?(?=$|[;\s])",
    re.I,
)
_HOST_VARIABLE = re.compile(
    r"(?:^|_)(?:HOST|HOSTS|HOSTNAME|ADDR|ADDRS|ADDRESS|ADDRESSES|SERVER|SERVERS|BROKER|BROKERS"
    r"|URL|URLS|URI|ENDPOINT|ENDPOINTS|NODES)$"
    r"|(?:HOST|HOSTNAME|ADDR|SERVER)$",
    re.I,
)
_NOT_REACHED = re.compile(
    r"ALLOWED|NO_PROXY|TRUSTED|CORS|ORIGIN|VIRTUAL|PUBLIC|ADVERTISED"
    r"|IMAGE|VERSION|TAG|AUTH|CREDENTIAL|USER|PASS",
    re.I,
)
"""Variables whose names say that they hold no host that this service calls."""
_HOST_OPTION = re.compile(r"(?:--?(?:[a-z-]*-)?(?:host|hostname|server|addr|address)|-h)", re.I)


def find_hosts(service: Service) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """The model keys, words for the place, and a host in lower case, as they are found."""
    for name, value in service.environment.items():
        if not value or _NOT_REACHED.search(name):
            continue
        for host in hosts_of_value(value, is_host=_HOST_VARIABLE.search(name) is not None):
            yield ("environment", name), f"The variable {name}", host
    for key, words in (("entrypoint", service.entrypoint), ("command", service.command)):
        for host in _hosts_of_words(words or ()):
            yield (key,), f"The {key}", host


def hosts_of_value(value: str, *, is_host: bool) -> list[str]:
    """Hosts of a variable's value; a name that stands alone counts where `is_host`."""
    hosts = [
        part.partition(":")[0] for found in _URL.finditer(value) for part in found[1].split(",")
    ]
    hosts += [found[1] for found in _KEY_OF_DSN.finditer(value)]
    parts = [part.strip() for part in value.split(",")]
    matches = [_WITH_PORT.fullmatch(part) for part in parts]
    if all(matches):
        hosts += [found[1] for found in matches if found]
    elif is_host and all(
        _ALONE.fullmatch(part) or found for part, found in zip(parts, matches, strict=True)
    ):
        hosts += [part.partition(":")[0] for part in parts]
    return [host.lower() for host in hosts]


def _hosts_of_words(words: tuple[str, ...]) -> Iterator[str]:
    flat = [part for word in words for part in word.split()]
    for before, word in zip(["", *flat], flat, strict=False):
        bare = word.strip("\"'()")
        option, equals, value = bare.partition("=")
        if equals and _HOST_OPTION.fullmatch(option):
            yield from hosts_of_value(value, is_host=True)
        else:
            is_host = _HOST_OPTION.fullmatch(before) is not None
            yield from hosts_of_value(
                value if equals and "://" not in option else bare, is_host=is_host
            )
