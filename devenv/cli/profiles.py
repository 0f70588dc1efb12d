"""`devenv profile`: which profiles there are, which one applies and why."""

from __future__ import annotations

from devenv.cli.output import print_json, print_text
from devenv.cli.session import Session
from devenv.compose.secrets import mask_value
from devenv.config.names import ProfileName
from devenv.config.profiles import resolve_profile
from devenv.report.tables import render_table
from devenv.state.text import sanitize


def print_profiles(session: Session, form: str) -> int:
    """All profiles, the one in use marked, with the reason."""
    files = session.files
    if form == "json":
        print_json(
            {
                "selected": files.choice.name,
                "reason": files.choice.reason,
                "profiles": [
                    {"name": name, "description": profile.description, "extends": profile.extends}
                    for name, profile in sorted(files.profiles.items())
                ],
            }
        )
        return 0
    if not files.profiles:
        print_text("There are no profiles: profiles/NAME.toml beside devenv.toml makes one.\n")
        return 0
    rows = [
        ("*" if name == files.choice.name else "", name, profile.description or "")
        for name, profile in sorted(files.profiles.items())
    ]
    print_text(sanitize(render_table(("", "PROFILE", "DESCRIPTION"), rows)))
    print_text(f"\n{files.choice.name or 'no profile'}: {files.choice.reason}\n")
    return 0


def print_profile(session: Session, name: str | None, form: str) -> int:
    """One profile with all that it inherits. Raises ConfigError for an unknown name."""
    files = session.files
    wanted = name or files.choice.name
    if wanted is None:
        print_text("No profile is in use: Compose's own files and defaults apply.\n")
        return 0
    profile = resolve_profile(ProfileName(wanted), files.profiles)
    value = {
        "name": wanted,
        "extends": list(profile.chain[1:]),
        "compose_profiles": list(profile.compose_profiles),
        "files": [str(file) for file in profile.files],
        "env_files": [str(file) for file in profile.env_files],
        "services": list(profile.services),
        "env": {key: mask_value(key, text) for key, text in profile.env.items()},
    }
    if form == "json":
        print_json(value)
        return 0
    lines = []
    for key, item in value.items():
        if isinstance(item, dict):
            shown = ", ".join(f"{k}={v}" for k, v in item.items())
        else:
            shown = item if isinstance(item, str) else ", ".join(item)
        lines.append(f"{key}: {shown or '-'}\n")
    print_text(sanitize("".join(lines)))
    return 0
