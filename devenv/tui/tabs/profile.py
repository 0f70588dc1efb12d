"""Which profile is in use, why, and which others there are."""

from __future__ import annotations

from rich.text import Text

from devenv.compose.names import ServiceName
from devenv.state.model import State
from devenv.state.text import sanitize
from devenv.tui.text_tab import TextTab


class Tab(TextTab):
    TITLE = "Profile"
    KEY = "p"
    ORDER = 40

    def text(self, state: State, chosen: ServiceName | None) -> Text:
        environment = state.environment
        text = Text()
        text.append(sanitize(environment.profile or "no profile"), "bold")
        if environment.profile_reason:
            text.append(sanitize(f"   {environment.profile_reason}"), "dim")
        text.append(f"\nbranch: {sanitize(environment.branch or 'none')}")
        text.append(f"\nproject: {sanitize(environment.name)}")
        text.append(f"\ndirectory: {sanitize(environment.directory)}\n\n")
        if not environment.profiles:
            text.append("There are no profiles: profiles/NAME.toml makes one.", "dim")
        for name, description in environment.profiles:
            mark = "●" if name == environment.profile else "○"
            text.append(f"{mark} {sanitize(name)}", "bold" if mark == "●" else "")
            text.append(f"   {sanitize(description)}\n", "dim")
        if environment.profiles:
            text.append("\nAnother one: G, or devenv switch NAME", "dim")
        return text
