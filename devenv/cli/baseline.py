"""The file of findings that a project knows of already: only what is new is reported."""

from __future__ import annotations

import json
from pathlib import Path

from devenv.checks.finding import CheckResult
from devenv.checks.suppress import count_known
from devenv.cli.session import Session
from devenv.errors import ConfigError, Source
from devenv.host.files import read_text
from devenv.report.finding_paths import FindingPaths
from devenv.report.json_text import to_json


def load_baseline(session: Session, name: str | None) -> dict[str, int]:
    """Keys of findings and their counts: of a file named in the command, or by `[checks]`.

    Empty where neither names one. Raises ConfigError for what is no baseline.
    """
    settings = session.files.settings
    source = None
    if name is not None:
        path = session.start / name
    elif settings.checks.baseline is not None and settings.path is not None:
        path = Path(settings.path).parent / settings.checks.baseline
        source = settings.source("checks", "baseline")
    else:
        return {}
    fix = f"devenv check --write-baseline {name or settings.checks.baseline}"
    if not path.is_file():
        raise ConfigError(f"The baseline {path.name} does not exist.", source=source, fix=fix)
    try:
        known = json.loads(read_text(path))["findings"]
        return {str(key): int(count) for key, count in known.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ConfigError("This is no baseline.", source=Source(str(path)), fix=fix) from None


def write_baseline(path: Path, result: CheckResult, paths: FindingPaths) -> None:
    """Write what was found. Raises ConfigError where that is not possible."""
    known = {"version": 1, "findings": count_known(result.findings, paths.show)}
    try:
        path.write_text(to_json(known), encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"The baseline cannot be written: {error.strerror}.", source=Source(str(path))
        ) from None
