"""The variables of the profile: what they are, who sets and who reads them; missing ones first."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from devenv.checks.finding import Place
from devenv.compose.names import ServiceName
from devenv.compose.secrets import MASK
from devenv.state.logs import LogStore
from devenv.state.model import State
from devenv.state.text import sanitize
from devenv.tui.tab import DevTab, TabAction

if TYPE_CHECKING:  # loaded with the state that has them, after the first frame
    from devenv.checks.env_inventory import Setting, Variable
    from devenv.checks.env_needs import EnvDiff, KeyReport

_WIDEST_NAME = 28
_VALUE_WIDTH = 7
"""Of `not set`; values that are shown may be wider."""


class Tab(DevTab):
    TITLE = "Env"
    KEY = "V"
    ORDER = 35
    ACTIONS: ClassVar[tuple[TabAction, ...]] = (
        TabAction("M", "toggle_values", "Show or mask variables", opens=False),
    )

    def __init__(self, logs: LogStore) -> None:
        super().__init__(logs)
        self.reveal = False
        self._diff: EnvDiff | None = None
        self._directory = ""
        self._rows: tuple[Variable, ...] = ()
        self._drawn: tuple[Text, ...] | None = None

    def compose(self) -> ComposeResult:
        yield Static(id="env-words")
        yield OptionList(id="env-list", markup=False)
        with VerticalScroll(id="env-detail"):
            yield Static(id="env-detail-text")

    @property
    def caption(self) -> str:
        if self._diff is None:
            return ""
        missing = len(self._diff.missing)
        return f"{len(self._rows)} variables" + (f" · {missing} missing" if missing else "")

    def show(self, state: State, chosen: ServiceName | None) -> None:
        checks = state.checks
        self._directory = checks.directory if checks else ""
        self._diff = checks.env if checks else None
        self._rows = self._selected(chosen)
        words = self.query_one("#env-words", Static)
        words.display = not self._rows
        if not self._rows:
            words.update(Text(self._reason(state, chosen), style="dim"))
        self.query_one("#env-list").display = bool(self._rows)
        self.query_one("#env-detail").display = bool(self._rows)
        self._fill()

    def _reason(self, state: State, chosen: ServiceName | None) -> str:
        if state.checks is None:
            return "The env files are read …" if state.checking else "t reads the env files."
        if self._diff is None:
            return "The env files cannot be read: C says why."
        if chosen is not None and self._diff.variables:
            return f"{sanitize(chosen)} reads no variable. Escape shows those of all services."
        return "No Compose file and no env file names a variable."

    def _selected(self, chosen: ServiceName | None) -> tuple[Variable, ...]:
        """The variables of the chosen service, or all; needed ones first."""
        variables = self._diff.variables if self._diff else ()
        found = [one for one in variables if chosen is None or _concerns(one, chosen)]
        return tuple(sorted(found, key=lambda one: (self._rank(one), one.name)))

    def _rank(self, variable: Variable) -> int:
        reports = self._reports(variable.name)
        if any(one.needed for one in reports):
            return 0
        return 1 if any(one.state.name == "MISSING" for one in reports) else 2

    def _reports(self, name: str) -> list[KeyReport]:
        files = self._diff.files if self._diff else ()
        return [key for file in files for key in file.keys if key.name == name]

    def _fill(self) -> None:
        drawn = tuple(self._row(variable) for variable in self._rows)
        if drawn != self._drawn:
            options = self.query_one(OptionList)
            before = options.highlighted
            options.clear_options()
            options.add_options([Option(row) for row in drawn])
            self._drawn = drawn
            if drawn:
                options.highlighted = min(before or 0, len(drawn) - 1)
        self._show_detail()

    def _row(self, variable: Variable) -> Text:
        reports = self._reports(variable.name)
        needed = any(one.needed for one in reports)
        text = Text(no_wrap=True, overflow="ellipsis")
        if needed:
            text.append("✗ ", "bold red")
        else:
            text.append("· " if reports else "  ", "yellow")
        widest = max((len(one.name) for one in self._rows), default=0)
        width = min(widest, _WIDEST_NAME)
        text.append(f"{sanitize(variable.name):<{width}}  ", "bold")
        value = self._value(variable.value if needed else _best(variable))
        text.append(f"{value:<{_VALUE_WIDTH}}", "red" if needed else "")
        text.append(f"  {self._whence(variable, needed)}", "dim")
        return text

    def _value(self, value: str | None) -> str:
        if value is None:
            return "not set"
        if value == "":
            return "empty"
        return sanitize(value).replace("\n", "⏎") if self.reveal else MASK

    def _whence(self, variable: Variable, needed: bool) -> str:
        winner = variable.winner
        if winner is not None:
            return self._origin(winner)
        given = [one.winner for one in variable.containers if one.winner]
        if given and not needed:
            return self._origin(given[0])
        reader = next(iter(variable.readers), None)
        return f"read at {self._place(reader.place)}" if reader else ""

    def _origin(self, setting: Setting) -> str:
        if setting.place is None:
            return "the shell"
        words = {
            "PROFILE": "the profile's [env], ",
            "INCLUDE": "an include's env file, ",
            "ENVIRONMENT": "environment, ",
            "SERVICE_FILE": "env_file, ",
        }
        return words.get(setting.origin.name, "") + self._place(setting.place)

    def _place(self, place: Place) -> str:
        path = sanitize(posixpath.relpath(place.path, self._directory or "/"))
        return f"{path}:{place.line}" if place.line else path

    def _highlighted(self) -> Variable | None:
        index = self.query_one(OptionList).highlighted
        return self._rows[index] if index is not None and index < len(self._rows) else None

    def _show_detail(self) -> None:
        variable = self._highlighted()
        text = Text()
        if variable is not None:
            for report in self._reports(variable.name):
                style = "bold red" if report.needed else "yellow"
                text.append(f"{report.state.value}", style)
                lines = f" on lines {', '.join(map(str, report.lines))}" if report.lines else ""
                note = f": {report.note}" if report.note else ""
                text.append(f"{lines}{note}\n")
            text.append(f"${{{sanitize(variable.name)}}} in Compose files\n", "bold")
            self._append_settings(text, variable.settings)
            for container in variable.containers:
                text.append(f"in containers of {sanitize(container.service)}\n", "bold")
                self._append_settings(text, container.settings)
            text.append("read by\n" if variable.readers else "read by nothing\n", "bold")
            for reader in variable.readers:
                text.append(f"  {self._place(reader.place)}  {sanitize(reader.what)}\n")
            shown = "masks" if self.reveal else "shows"
            text.append(f"Enter edits where it is set · M {shown} values", "dim")
        self.query_one("#env-detail-text", Static).update(text)

    def _append_settings(self, text: Text, settings: tuple[Setting, ...]) -> None:
        if not settings:
            text.append("  not set\n", "dim")
        for setting in settings:
            text.append("  ● " if setting.wins else "  ○ ", "green" if setting.wins else "dim")
            lost = "" if setting.wins or setting.value is None else "  overridden"
            value = self._value(setting.value)
            text.append(f"{self._origin(setting)}  {value}").append(f"{lost}\n", "dim")

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self._show_detail()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.edit()

    def toggle_values(self) -> None:
        """Show the values, or mask them again."""
        self.reveal = not self.reveal

    def edit(self) -> None:
        """Open the file that sets the variable, or else the env file that should, or a reader."""
        variable = self._highlighted()
        if variable is None:
            return
        settings = [*variable.settings, *(s for c in variable.containers for s in c.settings)]
        places = [one.place for one in settings if one.place and one.wins]
        places += [one.place for one in settings if one.place]
        target = self._diff.files[0] if self._diff else None
        if not places and target is not None and target.exists:
            places.append(Place(target.path, 1, 1))
        places += [one.place for one in variable.readers]
        if places:
            self.post_message(self.Edits(places[0].path, places[0].line or 1))


def _best(variable: Variable) -> str | None:
    """The value in Compose files, or else that of the first container that has one."""
    if variable.winner is not None:
        return variable.value
    return next((one.winner.value for one in variable.containers if one.winner), None)


def _concerns(variable: Variable, service: str) -> bool:
    given = any(one.service == service for one in variable.containers)
    return given or any(one.service == service for one in variable.readers)
