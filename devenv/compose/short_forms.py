"""Values as they are written, held against those of the merged model.

Compose turns short forms into long ones, makes paths absolute, and writes times and sizes anew.
Each function here says whether a written text can have become a value of the model; where it is
not sure it says no.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from typing import Any

from devenv.compose.parse_config import parse_duration

_PATHS = frozenset({"context", "file", "source", "device", "path", "working_dir"})
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgtp]?)(?:i?b)?", re.IGNORECASE)
_PORT = re.compile(
    r"(?:(?:(?P<ip>\d+\.\d+\.\d+\.\d+|\[[0-9a-fA-F:]+\]):)?(?P<published>\d*):)?"
    r"(?P<target>\d+)(?:/(?P<protocol>tcp|udp|sctp))?"
)
_PORT_RANGE = re.compile(
    r"(?:(?:(?P<ip>\d+\.\d+\.\d+\.\d+|\[[0-9a-fA-F:]+\]):)?(?P<published>\d+(?:-\d+)?)?:)?"
    r"(?P<first>\d+)(?:-(?P<last>\d+))?(?:/(?P<protocol>tcp|udp|sctp))?"
)


def is_value(text: str, model: object, *, key: str = "", directory: str = "") -> bool:
    """Whether a scalar's text, variables filled in, is this value of the model."""
    if model is None:
        return text in ("", "~", "null", "Null", "NULL")
    if isinstance(model, bool):
        return text.lower() == str(model).lower()
    if isinstance(model, int | float):
        return _number(text) == float(model) or _size(text) == float(model)
    if not isinstance(model, str):
        return False
    if text.replace("$", "$$") == model:
        return True
    if key in _PATHS and text and "://" not in text and model[:1] == "/":
        return posixpath.normpath(posixpath.join(directory, text)) == model
    if text == "0" and _is_duration(model):
        return parse_duration(model) == 0
    if _is_duration(text) and _is_duration(model):
        return parse_duration(text) == parse_duration(model)
    return model.isdigit() and _size(text) == float(model)


def split_command(text: str) -> list[str] | None:
    """A command in one text as the words of a list; None where it cannot be taken apart."""
    try:
        return [word.replace("$", "$$") for word in shlex.split(text)]
    except ValueError:
        return None


def expand_port(text: str) -> dict[str, Any] | None:
    """The long form of a port such as `127.0.0.1:8080:80/udp`; None for ranges."""
    found = _PORT.fullmatch(text)
    if found is None:
        return None
    made: dict[str, Any] = {"mode": "ingress", "target": int(found["target"])}
    if found["published"]:
        made["published"] = found["published"]
    if found["ip"]:
        made["host_ip"] = found["ip"].strip("[]")
    made["protocol"] = found["protocol"] or "tcp"
    return made


def is_port(text: str, model: object) -> bool:
    """Whether a port in its short form is this one, or this one is of its range.

    Compose makes a range one port per target, in step with the published ones.
    """
    if text == model or expand_port(text) == model:
        return True
    found = _PORT_RANGE.fullmatch(text)
    if found is None or not isinstance(model, dict):
        return False
    first, last = int(found["first"]), int(found["last"] or found["first"])
    step = int(model.get("target", -1)) - first
    if not 0 <= step <= last - first:
        return False
    published = found["published"] or ""
    low, dash, high = published.partition("-")
    if first != last:
        if published and int(high or low) - int(low) != last - first:
            return False
        published = str(int(low) + step) if published else ""
    elif not dash:
        return False
    made: dict[str, Any] = {"mode": "ingress", "target": first + step}
    if published:
        made["published"] = published
    if found["ip"]:
        made["host_ip"] = found["ip"].strip("[]")
    return made | {"protocol": found["protocol"] or "tcp"} == model


def is_volume(text: str, model: object, directory: str) -> bool:
    """Whether a volume such as `./src:/app:ro` is this one: its source and target are.

    Compose joins volumes by their targets, so no other one of a service has the same.
    """
    if not isinstance(model, dict):
        return text == model
    parts = text.split(":")
    if len(parts) > 3:
        return False
    target = parts[min(1, len(parts) - 1)]
    source = parts[0] if len(parts) > 1 else ""
    if posixpath.normpath(target) != posixpath.normpath(str(model.get("target"))):
        return False
    written = model.get("source", "")
    if model.get("type") == "bind" and source[:1] == "~":
        return bool(source[1:]) and str(written).endswith(source[1:])
    if model.get("type") == "bind":
        whole = posixpath.normpath(posixpath.join(directory, source))
        return whole == posixpath.normpath(str(written))
    return bool(source == written)


def _is_duration(text: str) -> bool:
    return re.fullmatch(r"(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+", text) is not None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _size(text: str) -> float | None:
    found = _SIZE.fullmatch(text.strip())
    if found is None or not found[2]:
        return None
    return float(found[1]) * float(1024 ** ("kmgtp".index(found[2].lower()) + 1))
