"""What the UI needs from outside, handed in as plain callables."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from devenv.compose.names import ServiceName
from devenv.state.model import Problem, SnapshotRow
from devenv.values import dataclass


@dataclass(frozen=True, slots=True)
class UiPorts:
    on_ready: Callable[[], None]
    """Called after the first frame: engine work may begin."""
    clock: Callable[[], float]
    """Seconds since the epoch."""
    run_shell: Callable[[ServiceName], int]
    """Opens a shell in a service's container on the terminal, and returns its exit code."""
    edit_file: Callable[[str, int], int]
    """Opens a file at a line in the user's editor on the terminal; returns its exit code."""
    open_url: Callable[[str], bool]
    auto_switch: bool = False
    """Whether a switch that the branch asks for is applied without a question."""
    save_lines: Callable[[str, Iterable[str]], str] = lambda path, lines: path
    """Writes lines to a new file; returns its full path. Raises OSError; never overwrites."""
    page_lines: Callable[[Iterable[str]], int] = lambda lines: 0
    """Shows lines in the user's pager on the terminal, and returns its exit code."""
    notice: Problem | None = None
    """What went wrong before this UI began, such as a switch that git refused."""
    list_snapshots: Callable[[], tuple[SnapshotRow, ...]] = tuple
    """The repository's snapshots that can be read, the youngest first. Raises DevenvError."""
