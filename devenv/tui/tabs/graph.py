"""The start order, and what waits on what now."""

from __future__ import annotations

from rich.text import Text

from devenv.compose.graph import resolve_start_order
from devenv.compose.model import Condition
from devenv.compose.names import ServiceName
from devenv.state.model import State
from devenv.state.services import is_met
from devenv.state.text import sanitize
from devenv.tui.text import render_status
from devenv.tui.text_tab import TextTab

_WORDS = {
    Condition.STARTED: "started",
    Condition.HEALTHY: "healthy",
    Condition.COMPLETED: "completed",
}


class Tab(TextTab):
    TITLE = "Graph"
    KEY = "g"
    ORDER = 20

    def text(self, state: State, chosen: ServiceName | None) -> Text:
        if state.project is None:
            return Text(
                "The start order, and what each service waits on, appear here once the Compose "
                "files load.",
                style="dim",
            )
        if not state.project.services:
            return Text("The profile selects no service. p shows the profiles.", style="dim")
        order = resolve_start_order(state.project.services)
        text = Text()
        for number, wave in enumerate(order.waves, start=1):
            for name in wave:
                service = state.service(name)
                style = "bold reverse" if name == chosen else "bold"
                text.append(f"{number}  ", "dim").append(sanitize(name), style).append("  ")
                if service is not None:
                    text.append_text(render_status(service))
                text.append("\n")
                for edge in state.project.services[name].dependencies:
                    waited_on = state.service(edge.service)
                    met = is_met(edge, waited_on.containers if waited_on else ())
                    text.append("   ✓ " if met else "   ◔ ", "green" if met else "yellow")
                    optional = "" if edge.required else ", optional"
                    condition = f"{_WORDS[edge.condition]}{optional}"
                    sentence = (
                        f"{edge.service} is {condition}"
                        if met
                        else (f"waits until {edge.service} is {condition}")
                    )
                    text.append(sanitize(sentence) + "\n")
        for cycle in order.cycles:
            text.append("cycle: " + sanitize(" → ".join((*cycle, cycle[0]))) + "\n", "bold red")
        return text
