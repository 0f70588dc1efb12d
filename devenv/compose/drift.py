"""How a service's configuration differs from the one that its container was made with. Pure.

Compose's own configuration hash, a label of each container, says whether it differs; which keys
do is found here, from the values of the start that are kept. Values that may be secret are kept
and shown as digests only.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from devenv.compose.secrets import MASK, is_secret_name, mask_text
from devenv.values import dataclass

_NOT_HASHED = ("build", "pull_policy", "scale", "depends_on", "profiles")
"""What Compose leaves out of the hash: a change of these recreates nothing."""
_VARIABLES = ("environment", "args")
_SHOWN_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Difference:
    """One key, with both values as they may be shown; None: it is not set."""

    key: str
    before: str | None
    after: str | None

    @property
    def text(self) -> str:
        """Such as `environment.MODE: dev → test`."""
        return f"{self.key}: {_cut(self.before)} → {_cut(self.after)}"


def _cut(value: str | None) -> str:
    if value is None:
        return "(none)"
    value = " ".join(value.split())
    return value if len(value) <= _SHOWN_CHARACTERS else f"{value[:_SHOWN_CHARACTERS]}…"


@dataclass(frozen=True, slots=True)
class KeptService:
    """A service's values, harmless to keep."""

    salt: str
    leaves: Mapping[str, str]
    """Key paths to texts; a text that may be secret is masked, with a digest behind it."""

    def to_json(self) -> str:
        return json.dumps({"salt": self.salt, "leaves": dict(self.leaves)}, sort_keys=True)


def keep_service(raw: Mapping[str, Any], salt: str | None = None) -> KeptService:
    """The values of a service in Compose's JSON; `salt` makes two of them comparable."""
    if salt is None:
        import secrets  # only where something is kept

        salt = secrets.token_hex(8)
    return KeptService(salt, dict(_find_leaves(raw, salt)))


def parse_kept(text: str) -> KeptService | None:
    """What `to_json` gave; None for anything else."""
    try:
        document = json.loads(text)
        leaves = {str(key): str(value) for key, value in document["leaves"].items()}
        return KeptService(str(document["salt"]), leaves)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def find_differences(before: KeptService, raw: Mapping[str, Any]) -> tuple[Difference, ...]:
    """What differs between the kept values and a service in Compose's JSON, by key."""
    after = keep_service(raw, before.salt)
    found = []
    for key in sorted({*before.leaves, *after.leaves}):
        old, new = before.leaves.get(key), after.leaves.get(key)
        if old != new:
            found.append(Difference(key, _shown(old), _shown(new)))
    return tuple(found)


def _shown(value: str | None) -> str | None:
    """Without the digest behind a masked value."""
    return MASK if value is not None and value.startswith(f"{MASK} ") else value


def _find_leaves(raw: Mapping[str, Any], salt: str) -> Iterator[tuple[str, str]]:
    for key, value in raw.items():
        if key in _NOT_HASHED:
            continue
        if key == "deploy" and isinstance(value, Mapping):
            value = {name: part for name, part in value.items() if name != "replicas"}
        yield from _walk(key, value, salt, name=key, variables=key in _VARIABLES)


def _walk(
    path: str, value: Any, salt: str, *, name: str, variables: bool
) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _walk(f"{path}.{key}", part, salt, name=str(key), variables=variables)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _walk(f"{path}[{index}]", part, salt, name=name, variables=variables)
    elif value is not None or variables:
        text = value if isinstance(value, str) else json.dumps(value)
        yield path, _keep(name, text, salt)


def _keep(name: str, text: str, salt: str) -> str:
    masked = MASK if text and is_secret_name(name) else mask_text(text)
    if masked == text:
        return text
    digest = hashlib.blake2b(f"{salt}{text}".encode(errors="surrogatepass"), digest_size=6)
    return f"{MASK} {digest.hexdigest()}"
