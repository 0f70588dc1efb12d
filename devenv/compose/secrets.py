"""Masking of values that may be secret, wherever they are shown."""

from __future__ import annotations

import re
from typing import Any

MASK = "••••••"

_SECRET_NAME = re.compile(
    r"(?:^|[_.\-])(?:pass(?:word|wd|phrase)?|pwd|secret|token|api_?key|access_?key|private_?key|"
    r"credentials?|auth|dsn|salt|signing_?key|encryption_?key|cert_?key|jwt)(?:$|[_.\-\d])",
    re.IGNORECASE,
)
_SECRET_SUFFIX = re.compile(
    r"(?:password|passwd|secret|token|apikey|_key|_key_base|_pw)$", re.IGNORECASE
)
_CREDENTIALS_IN_URL = re.compile(r"([a-zA-Z][\w+.\-]*://[^\s:/@]*:)([^\s@/]+)(@)")
_SECRET_VALUE = re.compile(
    r"AKIA[0-9A-Z]{16}|gh[pousr]_\w{20,}|github_pat_\w{20,}|xox[abprs]-[\w\-]{10,}|"
    r"sk-[\w\-]{20,}|sk_(?:live|test)_\w{10,}|eyJ[\w\-]{10,}\.[\w\-]{10,}\.[\w\-]+|"
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*"
)
_ASSIGNMENT = re.compile(r"([A-Za-z_][\w.\-]*)=(\S+)")
_SWITCHES = frozenset(("true", "false", "yes", "no", "on", "off"))
"""Values that are no secret whatever their name, such as `GF_AUTH_ANONYMOUS_ENABLED=true`."""
_MAPS_OF_VARIABLES = ("environment", "args")


def is_secret_name(name: str) -> bool:
    """Whether a variable of this name usually holds a secret."""
    return bool(_SECRET_NAME.search(name) or _SECRET_SUFFIX.search(name))


def mask_text(text: str) -> str:
    """Free text with credentials in URLs, known token shapes and `SECRET_NAME=value` masked."""
    text = _CREDENTIALS_IN_URL.sub(rf"\g<1>{MASK}\g<3>", text)
    text = _SECRET_VALUE.sub(MASK, text)
    return _ASSIGNMENT.sub(
        lambda found: (
            f"{found[1]}={MASK}"
            if is_secret_name(found[1]) and found[2].lower() not in _SWITCHES
            else found[0]
        ),
        text,
    )


def mask_value(name: str, value: str) -> str:
    """The value of a variable, masked where its name or shape says that it may be secret."""
    if value and value.lower() not in _SWITCHES and is_secret_name(name):
        return MASK
    return mask_text(value)


def mask_document(document: Any) -> Any:
    """A copy of a merged Compose model with every value that may be secret masked."""
    return _mask(document, variables=False)


def _mask(value: Any, *, variables: bool) -> Any:
    if isinstance(value, dict):
        masked = {}
        for key, item in value.items():
            if isinstance(item, str | int | float) and not isinstance(item, bool):
                secret = (variables or isinstance(item, str)) and is_secret_name(str(key))
                secret = secret and str(item).lower() not in ("", *_SWITCHES)
                masked[key] = MASK if secret else _mask(item, variables=variables)
            else:
                masked[key] = _mask(item, variables=key in _MAPS_OF_VARIABLES)
        return masked
    if isinstance(value, list):
        return [_mask(item, variables=variables) for item in value]
    if isinstance(value, str):
        return mask_text(value)
    return value
