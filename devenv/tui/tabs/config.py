"""The merged model, masked until it is revealed."""

from __future__ import annotations

from typing import Any, ClassVar

from rich.text import Text

from devenv.compose.names import ServiceName
from devenv.compose.secrets import mask_document
from devenv.state.logs import LogStore
from devenv.state.model import State
from devenv.state.text import sanitize
from devenv.tui.tab import TabAction
from devenv.tui.text_tab import TextTab


class Tab(TextTab):
    TITLE = "Config"
    KEY = "c"
    ORDER = 30
    ACTIONS: ClassVar[tuple[TabAction, ...]] = (
        TabAction("v", "toggle_secrets", "Show or mask secrets", opens=False),
    )

    def __init__(self, logs: LogStore) -> None:
        super().__init__(logs)
        self.reveal = False

    def toggle_secrets(self) -> None:
        """Show what is masked, or mask it again."""
        self.reveal = not self.reveal

    def text(self, state: State, chosen: ServiceName | None) -> Text:
        if state.project is None:
            return Text(
                "The merged Compose model appears here once the files load; secrets are masked.\n"
                "v shows them.",
                style="dim",
            )
        document: Any = state.project.document
        if chosen is not None:
            services = document.get("services") or {}
            if chosen not in services:
                return Text("This service is not in the profile, so it has no model.", style="dim")
            document = {"services": {chosen: services[chosen]}}
        if not self.reveal:
            document = mask_document(document)
        hint = "v hides secrets\n\n" if self.reveal else "v shows masked values\n\n"
        return Text(hint, style="dim").append(
            sanitize("\n".join(render_yaml(document))), style="not dim"
        )


def render_yaml(value: Any, indent: int = 0) -> list[str]:
    """A JSON value as YAML-like lines, for reading."""
    pad = "  " * indent
    lines: list[str] = []
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, dict | list) and item:
                lines.append(f"{pad}{key}:")
                lines += render_yaml(item, indent + 1)
            else:
                lines.append(f"{pad}{key}: {_scalar(item)}")
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, dict | list) and item:
                first, *rest = render_yaml(item, indent + 1)
                lines.append(f"{pad}- {first.strip()}")
                lines += rest
            else:
                lines.append(f"{pad}- {_scalar(item)}")
    else:
        lines.append(f"{pad}{_scalar(value)}")
    return lines


def _scalar(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if value != {} and value != [] else "{}" if value == {} else "[]"
