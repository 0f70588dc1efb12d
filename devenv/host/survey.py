"""Looks at a repository for `devenv init`: reads little, follows no link, changes nothing."""

from __future__ import annotations

import contextlib
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import yaml

from devenv.compose.discovery import FILE_NAMES, OVERRIDE_NAMES
from devenv.config.start.stacks import FOREIGN_MANIFESTS
from devenv.config.start.survey import Survey
from devenv.host.files import read_text

_SKIPPED = frozenset({".git", "node_modules", ".venv", "venv", "vendor", "dist", "target"})
_READ = frozenset(
    {
        "package.json",
        "pyproject.toml",
        "requirements.txt",
        "Pipfile",
        "setup.py",
        "go.mod",
        "Gemfile",
        "Dockerfile",
        ".gitignore",
        ".nvmrc",
        ".node-version",
        ".python-version",
        ".ruby-version",
    }
    | FOREIGN_MANIFESTS
)
_OTHER_COMPOSE = re.compile(r"^(docker-)?compose\.[\w.-]+\.ya?ml$")
MAX_ENTRIES = 5000
MAX_PARTS = 20
"""Dockerfiles below the root; more are not one environment."""


def load_survey(root: Path, environ: Mapping[str, str]) -> Survey:
    """What is there. Raises ConfigError for a manifest that cannot be read."""
    files = _list_files(root)
    parts = sorted(name for name in files if name.endswith("/Dockerfile"))[:MAX_PARTS]
    directories = [part.removesuffix("Dockerfile") for part in parts]
    beside = [f"{place}{name}" for place in directories for name in sorted(_READ)]
    names = (*sorted(_READ & files), *parts, *(name for name in beside if name in files))
    texts = {name: read_text(root / name) for name in dict.fromkeys(names)}
    base = next((name for name in FILE_NAMES if name in files), None)
    own = {name for name in (*FILE_NAMES, *OVERRIDE_NAMES) if name in files}
    others = sorted(n for n in files if _OTHER_COMPOSE.match(n) and n not in own)
    compose = [base, *others] if base else []
    profiles: dict[str, None] = {}
    for name in compose:
        with contextlib.suppress(yaml.YAMLError):
            profiles.update(dict.fromkeys(_compose_profiles(read_text(root / name))))
    return Survey(
        name=root.name,
        files=files,
        texts=texts,
        compose_files=(base,) if base else (),
        overrides=tuple(others) if base else (),
        compose_profiles=tuple(profiles),
        default_branch=_default_branch(root, environ),
    )


def _list_files(root: Path) -> frozenset[str]:
    found: set[str] = set()
    for entry in root.iterdir():
        if entry.is_file():
            found.add(entry.name)
        elif entry.is_dir() and not entry.is_symlink() and entry.name not in _SKIPPED:
            found |= _list_below(entry, entry.name, depth=2)
        if len(found) > MAX_ENTRIES:
            break
    return frozenset(found)


def _list_below(directory: Path, prefix: str, depth: int) -> set[str]:
    found: set[str] = set()
    with contextlib.suppress(OSError):
        for entry in directory.iterdir():
            if entry.is_file():
                found.add(f"{prefix}/{entry.name}")
            elif depth > 1 and entry.is_dir() and not entry.is_symlink():
                found |= _list_below(entry, f"{prefix}/{entry.name}", depth - 1)
            if len(found) > MAX_ENTRIES:
                break
    return found


def _compose_profiles(text: str) -> list[str]:
    """The Compose profiles that services of a file name; variables in them count as none."""
    document = yaml.load(text, Loader=_AnyTag)
    services = document.get("services") if isinstance(document, dict) else None
    names: list[str] = []
    for service in services.values() if isinstance(services, dict) else ():
        listed = service.get("profiles") if isinstance(service, dict) else None
        names += [n for n in listed or () if isinstance(n, str) and "$" not in n]
    return names


class _AnyTag(yaml.SafeLoader):
    """Takes Compose's own tags (`!reset`, `!override`) as nothing."""


_AnyTag.add_constructor(None, lambda _loader, _node: None)


def _default_branch(root: Path, environ: Mapping[str, str]) -> str:
    """The remote's default branch, else the one that is checked out, else `main`."""
    for arguments in (
        ("symbolic-ref", "--short", "refs/remotes/origin/HEAD"),
        ("symbolic-ref", "--short", "HEAD"),
    ):
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            said = subprocess.run(
                ("git", *arguments),
                cwd=root,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=5,
                check=True,
            ).stdout.strip()
            if said:
                return said.removeprefix("origin/")
    return "main"
