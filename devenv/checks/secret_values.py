"""Whether a value is a secret that somebody would be sorry to lose, or a harmless stand-in.

A name list and a few token shapes; measured: generators of findings that know shapes alone miss
`DB_PASSWORD=hunter2`, and ones that know names alone cry over `POSTGRES_PASSWORD=postgres`.
No value may ever get from here into a message.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection
from enum import IntEnum
from functools import lru_cache

from devenv.compose.secrets import is_secret_name


class SecretKind(IntEnum):
    """How much a value is like a real secret."""

    NONE = 0
    GUESSED = 1
    """Its name says secret, and it is no usual stand-in: `DB_PASSWORD=hunter2`."""
    SHAPED = 2
    """It has the shape of a real token or key, or is long and random under a secret's name."""


_TOKENS = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"(?:AKIA|ASIA)[0-9A-Z]{16}|"  # AWS
    r"gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{40,}|"  # GitHub
    r"glpat-[A-Za-z0-9_\-]{18,}|"  # GitLab
    r"xox[abprs]-[0-9]{6,}[A-Za-z0-9\-]{10,}|"  # Slack
    r"sk_live_[A-Za-z0-9]{16,}|rk_live_[A-Za-z0-9]{16,}|"  # Stripe
    r"sk-(?:ant-|proj-)?[A-Za-z0-9_\-]{32,}|"  # OpenAI, Anthropic
    r"AIza[0-9A-Za-z_\-]{35}|"  # Google
    r"SG\.[A-Za-z0-9_\-]{16,}\.[A-Za-z0-9_\-]{16,}|"  # SendGrid
    r"npm_[A-Za-z0-9]{30,}|"  # npm
    r"eyJ[A-Za-z0-9_\-]{10,}\.eyJ[A-Za-z0-9_\-]{10,}\.[A-Za-z0-9_\-]{16,}"  # JWT
    r")|-----BEGIN [A-Z ]*PRIVATE KEY-----\s*(?:\\n)?\s*[A-Za-z0-9+/=]{40,}"
)
_MADE_UP = re.compile(r"example|1234567|abcdefg", re.IGNORECASE)
_PASSWORD_IN_URL = re.compile(r"[a-zA-Z][\w+.\-]*://[^\s:/@]*:([^\s@/]+)@")
_STAND_IN = re.compile(
    r"change.?(?:me|this|it)|replace|example|sample|dummy|placeholder|your[-_ ]|"
    r"[-_ ]here\b|[-_ ]here[-_]|"
    r"^(?:set|get|put|enter|add|use|provide|paste)[-_ ](?:a|an|the|your|it|this|here)\b|"
    r"^(?:set|get|put|enter|add|provide|paste)[-_](?:a|an|the|your|it|this)[-_]|"
    r"random[-_ ]?(?:string|value|key|text|secret|password|token)|"
    r"insert|fill|todo|fixme|xxx|\.\.\.|\*\*\*|<.*>|\[.*\]|\{\{.*\}\}|\bfake|not[-_]?a?[-_]?secret|"
    r"insecure|unsafe|do[-_ ]?not|dont|keep[-_ ]?(?:it|this)|generate|some[-_ ]|test|dev|local|"
    r"demo|default|development|^(?:my|the|a)[-_]|super[-_]?secret|abc-?123|1234|000000|deadbeef",
    re.IGNORECASE,
)
_COMMON = frozenset(
    re.findall(
        r"\w+",
        "admin administrator app db django docker false foo bar baz guest hello mariadb minio "
        "minioadmin mongo mongodb mysql nil no none null off on pass passwd password postgres "
        "postgresql pw pwd qwerty rabbitmq redis root s3cr3t secret secrets sentry string true "
        "database disabled enabled required requested optional plain random trust value key "
        "token user username welcome yes rootpassword rootpass adminpassword adminpass "
        "mysecretpassword mysecret mypassword secretpassword secretkey secret_key",
    )
)
_NOT_SECRET_NAMES = re.compile(
    r"(?:[_.]|^)(?:FILE|FILENAME|LOCATION|CLASS|PROVIDER|SOURCE|MECHANISM|PROTOCOL|SERVERS|HANDLER|"
    r"FACTOR|PATH|DIR|URL|URI|HOST|PORT|NAME|ID|TTL|EXPIRY|EXPIRES|EXPIRATION|LENGTH|"
    r"SIZE|ALGORITHM|ALG|TYPE|METHOD|ENABLED|REQUIRED|HEADER|PREFIX|COUNT|LIMIT|ISSUER|AUDIENCE|"
    r"TIMEOUT|MINUTES|SECONDS|HOURS|DAYS|ROUNDS|POLICY|USER|USERNAME|MODE|REGION|DRIVER|PUBLIC)$"
    r"|PUBLIC|PUBLISHABLE|ALLOW_EMPTY|RANDOM|(?:^|_)AUTH_(?!TOKEN|SECRET|PASS|KEY)",
    re.IGNORECASE,
)
REGISTRY_FILES = frozenset((".npmrc", ".pypirc", ".netrc"))
"""Settings of package managers, which may hold credentials."""
_CREDENTIAL_LINE = re.compile(
    r"(?:_auth(?:token)?|_password|password|token|secret|login|username)\s*[=: ]\s*(?!\$)\S"
    r"|://[^\s/@]+:[^\s/@$]+@",
    re.IGNORECASE,
)
_LONG = 20
_RANDOM_BITS = 3.2
"""Of entropy for each character; words and paths stay below."""


@lru_cache(maxsize=8192)
def judge_value(name: str, value: str) -> SecretKind:
    """How much the value of a variable is like a real secret; `name` may be empty."""
    value = value.strip()
    if len(value) < 4 or is_stand_in(value, name):
        return SecretKind.NONE
    if _TOKENS.search(value):
        return SecretKind.GUESSED if _MADE_UP.search(value) else SecretKind.SHAPED
    in_url = _PASSWORD_IN_URL.search(value)
    if in_url:
        password = in_url[1]
        user = value[: in_url.start(1) - 1].rsplit("/", 1)[-1]
        if "$" in password or password == user or is_stand_in(password, ""):
            return SecretKind.NONE
        return SecretKind.SHAPED if _is_random(password) else SecretKind.GUESSED
    if "://" in value or not is_secret_name(name) or _NOT_SECRET_NAMES.search(name):
        return SecretKind.NONE
    if value[0] in "/." or (value.isdigit() and len(value) < 8):
        return SecretKind.NONE
    return SecretKind.SHAPED if _is_random(value) else SecretKind.GUESSED


def has_credentials(text: str) -> bool:
    """Whether one of REGISTRY_FILES holds credentials; ones that a variable gives are none."""
    return _CREDENTIAL_LINE.search(text) is not None


def is_made_of(value: str, public: Collection[str]) -> bool:
    """Whether a value is put together of common words and of what is no secret beside it.

    `shop_password` beside `POSTGRES_USER=shop`; `public` is in lower case.
    """
    words = [word for word in re.split(r"[^a-z0-9]+", value.lower()) if word]
    return all(word in _COMMON or word in public for word in words)


def is_stand_in(value: str, name: str) -> bool:
    """Whether a value is empty, a placeholder, a usual default, or the name over again."""
    plain = value.strip().strip("\"'").lower()
    if len(plain) < 4 or plain in _COMMON or len(set(plain)) < 4:
        return True
    if "${" in value or (value.startswith("$") and value[1:].isidentifier()):
        return True
    if _TOKENS.search(value):
        # A real token may hold such a word by accident, but not one of these.
        return bool(re.search(r"x{4}|0{6}", plain)) or _is_demo_token(value)
    words = [word for word in re.split(r"[^a-z0-9]+", plain) if word]
    if all(word in _COMMON or word.rstrip("0123456789!") in _COMMON for word in words):
        return True
    if plain in name.lower() or (name.lower() in plain and name):
        return True
    return bool(_STAND_IN.search(plain)) and len(plain) < 80


def _is_demo_token(value: str) -> bool:
    """Whether a JSON web token says of itself that it is for a demonstration."""
    found = re.search(r"eyJ[\w-]+\.(eyJ[\w-]+)\.", value)
    if found is None:
        return False
    from base64 import urlsafe_b64decode

    try:
        payload = urlsafe_b64decode(found[1] + "=" * (-len(found[1]) % 4))
    except ValueError:
        return False
    return re.search(rb"demo|example|test|sample|John Doe", payload, re.IGNORECASE) is not None


def _is_random(value: str) -> bool:
    """Long, of several kinds of characters, and of no pattern; no sentence and no path."""
    if len(value) < _LONG or " " in value or value.count("/") > 3:
        return False
    counts = Counter(value)
    bits = -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values())
    has_digit = any(character.isdigit() for character in value)
    has_letter = any(character.isalpha() for character in value)
    return bits >= _RANDOM_BITS and has_digit and has_letter
