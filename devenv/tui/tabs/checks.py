"""What `devenv check` finds, kept up to date while files are edited."""

from __future__ import annotations

import posixpath
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from devenv.checks.finding import Finding, Place, Severity
from devenv.compose.names import ServiceName
from devenv.state.actions import ChecksRequested, FixRequested
from devenv.state.logs import LogStore
from devenv.state.model import State
from devenv.state.text import sanitize
from devenv.tui.tab import DevTab, TabAction

_GLYPHS = {Severity.ERROR: "✗", Severity.WARNING: "⚠", Severity.INFO: "·"}
_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "dim"}


class Tab(DevTab):
    TITLE = "Checks"
    KEY = "C"
    ORDER = 50
    ACTIONS: ClassVar[tuple[TabAction, ...]] = (
        TabAction("n", "open_filter", "Filter the checks", opens=False),
        TabAction("i", "edit", "Edit the finding's file", opens=False),
        TabAction("a", "fix", "Apply the finding's fix", opens=False),
        TabAction("t", "run_again", "Run the checks again", opens=False),
    )

    def __init__(self, logs: LogStore) -> None:
        super().__init__(logs)
        self._state: State | None = None
        self._shown: tuple[Finding, ...] | None = None
        self._directory = ""
        self._service: ServiceName | None = None

    def compose(self) -> ComposeResult:
        yield Static(id="checks-words")
        yield OptionList(id="checks-list", markup=False)
        with VerticalScroll(id="checks-detail"):
            yield Static(id="checks-detail-text")
        line = Input(placeholder="words of rule, file, service or message", id="checks-filter")
        line.cursor_blink = False
        line.display = False
        yield line

    @property
    def caption(self) -> str:
        checks = self._state.checks if self._state else None
        if checks is None:
            return ""
        shown, known = len(self._shown or ()), len(checks.result.findings)
        return f"{known} found" if shown == known else f"{shown} of {known}"

    def show(self, state: State, chosen: ServiceName | None) -> None:
        self._state = state
        self._service = chosen
        checks = state.checks
        self._directory = checks.directory if checks else ""
        words = self.query_one("#checks-words", Static)
        words.update(self._words(state))
        findings = self._filtered(checks.result.findings if checks else ())
        words.display = not findings
        if findings != self._shown:
            self._fill(findings)
        self.query_one("#checks-list").display = bool(findings)
        self.query_one("#checks-detail").display = bool(findings)

    def _words(self, state: State) -> Text:
        if state.checks is None:
            what = "The checks run …" if state.checking else "t runs the checks."
            return Text(what, style="dim")
        text = Text("✓ Nothing found", "green") if not state.checks.result.findings else Text("")
        if state.checks.result.findings:
            about = f" for {sanitize(self._service)}" if self._service else ""
            text = Text(f"No finding{about} matches. Escape shows all.", style="dim")
        for one in state.checks.result.not_checked:
            text.append(f"\nnot checked: {sanitize(one.what)}: {sanitize(one.why)}", "dim")
        return text

    def _filtered(self, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
        words = self.query_one(Input).value.casefold().split()
        return tuple(
            finding
            for finding in sorted(findings, key=lambda one: one.severity.rank)
            if self._service in (None, finding.service)
            and all(word in self._haystack(finding) for word in words)
        )

    def _haystack(self, finding: Finding) -> str:
        parts = (finding.rule, finding.severity, finding.service or "", finding.message)
        return " ".join((*parts, self._place(finding.place))).casefold()

    def _fill(self, findings: tuple[Finding, ...]) -> None:
        options = self.query_one(OptionList)
        before = self._highlighted()
        options.clear_options()
        self._shown = findings
        options.add_options([Option(self._row(finding)) for finding in findings])
        if findings:
            same = [i for i, one in enumerate(findings) if before and one.place == before.place]
            options.highlighted = same[0] if same else 0
        self._show_detail()

    def _row(self, finding: Finding) -> Text:
        text = Text(no_wrap=True, overflow="ellipsis")
        text.append(f"{_GLYPHS[finding.severity]} ", _STYLES[finding.severity])
        text.append(sanitize(finding.rule), "bold")
        text.append(f"  {sanitize(self._place(finding.place))}  ", "dim")
        return text.append(sanitize(finding.message).replace("\n", " "))

    def _place(self, place: Place) -> str:
        path = posixpath.relpath(place.path, self._directory or "/")
        return f"{path}:{place.line}" if place.line else path

    def _highlighted(self) -> Finding | None:
        index = self.query_one(OptionList).highlighted
        shown = self._shown or ()
        return shown[index] if index is not None and index < len(shown) else None

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self._show_detail()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.edit()

    def _show_detail(self) -> None:
        finding = self._highlighted()
        text = Text()
        if finding is not None:
            text.append(f"{finding.severity.value} ", _STYLES[finding.severity])
            text.append(f"{sanitize(self._place(finding.place))}\n", "dim")
            text.append(sanitize(finding.message))
            for related in finding.related:
                where = sanitize(self._place(related.place))
                text.append(f"\n  {where}: {sanitize(related.message)}", "dim")
            if finding.profiles:
                text.append(f"\nprofiles: {sanitize(', '.join(finding.profiles))}", "dim")
            if finding.fix:
                text.append("\nfix: ", "green").append(sanitize(finding.fix))
            self._show_preview(finding, text)
            applies = "a applies the fix · " if finding.edits else ""
            text.append(f"\n{applies}Enter edits the file · n filters", "dim")
        self.query_one("#checks-detail-text", Static).update(text)

    def _show_preview(self, finding: Finding, text: Text) -> None:
        checks = self._state.checks if self._state else None
        for line in checks.previews.get(finding, ()) if checks else ():
            style = {"+": "green", "-": "red", "@": "blue"}.get(line[:1], "dim")
            text.append(f"\n  {sanitize(line)}", style)

    def open_filter(self) -> None:
        """Show the filter line and type into it."""
        line = self.query_one(Input)
        line.display = True
        line.focus()

    def edit(self) -> None:
        """Open the finding's file at its line."""
        finding = self._highlighted()
        if finding is not None:
            self.post_message(self.Edits(finding.place.path, finding.place.line or 1))

    def fix(self) -> None:
        """Make the finding's safe edits."""
        finding = self._highlighted()
        if finding is None:
            return
        if finding.edits:
            self.post_message(self.Asks(FixRequested(finding)))
        else:
            self.notify("No safe fix is known for this one: Enter edits the file.")

    def run_again(self) -> None:
        """Run the checks now."""
        self.post_message(self.Asks(ChecksRequested()))

    def step_back(self) -> bool:
        """Clear and hide the filter."""
        line = self.query_one(Input)
        if not line.display:
            return False
        line.value = ""
        line.display = False
        self.query_one(OptionList).focus()
        return True

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self._state is not None:
            self.show(self._state, self._service)
            self.post_message(self.Refreshed())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.query_one(OptionList).focus()
