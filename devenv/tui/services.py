"""The list of services at the left."""

from __future__ import annotations

from rich.text import Text
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from devenv.compose.names import ServiceName
from devenv.state.model import ServiceState, State
from devenv.state.text import sanitize
from devenv.tui.text import (
    render_address,
    render_bytes,
    render_duration,
    render_problem,
    render_status,
)

_NAME_WIDTH = 12
_STATUS_WIDTH = 16


class ServiceList(OptionList):
    """One entry per service. Columns are lost in this order where it is narrow: CPU and memory,
    uptime, addresses; name and state stay."""

    class Chosen(Message):
        """Another service, or none, drives the tabs now."""

        def __init__(self, service: ServiceName | None) -> None:
            super().__init__()
            self.service = service

    BORDER_TITLE = "Services"

    def __init__(self) -> None:
        super().__init__(id="services", markup=False)
        self._names: list[ServiceName] = []
        self._shown: dict[ServiceName, str] = {}
        self._selected: ServiceName | None = None

    @property
    def current(self) -> ServiceName | None:
        """The service under the cursor: what the keys act on."""
        if self.highlighted is None or self.highlighted >= len(self._names):
            return None
        return self._names[self.highlighted]

    def show(self, state: State, now: float) -> None:
        """Update the entries that differ."""
        names = [service.name for service in state.services]
        width = max(30, self.size.width - 4)
        rows = {service.name: _render(service, now, width) for service in state.services}
        plain = {name: text.plain + str(text.spans) for name, text in rows.items()}
        if names != self._names:
            current = self.current
            self._names = names
            self.clear_options()
            self.add_options([Option(rows[name], id=f"s{i}") for i, name in enumerate(names)])
            if names:
                self.highlighted = names.index(current) if current in names else 0
        else:
            for index, name in enumerate(names):
                if plain[name] != self._shown.get(name):
                    self.replace_option_prompt_at_index(index, rows[name])
        self._shown = plain
        if not names:
            self.border_subtitle = "none yet: u starts the environment"
        else:
            self.border_subtitle = ""

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        if self.has_focus and self._selected is not None:
            self._choose(self.current)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._choose(self.current)

    def choose_all(self) -> None:
        """Back to all services."""
        self._choose(None)

    def _choose(self, service: ServiceName | None) -> None:
        if service != self._selected:
            self._selected = service
            self.post_message(self.Chosen(service))


def _render(service: ServiceState, now: float, width: int) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    name = sanitize(service.name)
    text.append(f"{name[:_NAME_WIDTH]:<{_NAME_WIDTH}} ", "bold")
    text.append_text(render_status(service))
    text.pad_right(max(0, _NAME_WIDTH + 1 + _STATUS_WIDTH - len(text.plain)))
    room = width - len(text.plain)
    uptime = render_duration(now - service.started_at) if service.started_at else ""
    if room >= 5:
        text.append(f"{uptime:>5}", "dim")
    if room >= 18 and service.usage:
        text.append(
            f"{service.usage.cpu_percent:5.1f}% {render_bytes(service.usage.memory_bytes):>6}"
        )
    addresses = " ".join(dict.fromkeys(render_address(port) for port in service.ports))
    second = " ".join(part for part in (addresses, sanitize(service.detail)) if part)
    if second:
        text.append(f"\n  {second[: width - 2]}", "dim")
    return text


def render_cause(state: State, chosen: ServiceName | None) -> Text | None:
    """What needs a person: a lost engine, a model that does not load, a failed service."""
    if state.engine_problem is not None:
        text = render_problem(state.engine_problem)
        return text.append("\n  Trying again.", "dim")
    if state.model_problem is not None:
        return render_problem(state.model_problem)
    explained = [s for s in state.services if s.problem is not None]
    explained.sort(key=lambda s: s.name != chosen)
    if explained and explained[0].problem is not None:
        return render_problem(explained[0].problem)
    if state.operation is not None and state.operation.problem is not None:
        return render_problem(state.operation.problem)
    return None
