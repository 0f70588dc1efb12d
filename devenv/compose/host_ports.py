"""Host addresses and ports as `ports:` writes them. Pure: who holds one is looked up elsewhere."""

from __future__ import annotations

import ipaddress


def parse_range(published: str | None) -> range:
    """The host ports that `3000` or `3000-3010` allows; empty where Docker picks one."""
    first, dash, last = (published or "").partition("-")
    if not first.isdecimal() or (dash and not last.isdecimal()):
        return range(0)
    return range(int(first), int(last if dash else first) + 1)


def parse_address(text: str | None) -> str | None:
    """An address in one spelling; None for none, and for the wildcards, which are all addresses."""
    try:
        value = ipaddress.ip_address(text or "0.0.0.0")
    except ValueError:
        return text
    if isinstance(value, ipaddress.IPv6Address) and value.ipv4_mapped is not None:
        value = value.ipv4_mapped
    return None if value.is_unspecified else str(value)


def shares_address(first: str | None, second: str | None) -> bool:
    """Whether one port cannot be held at both addresses."""
    one, other = parse_address(first), parse_address(second)
    return one is None or other is None or one == other
