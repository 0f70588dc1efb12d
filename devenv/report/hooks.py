"""A hook in words, for the plain output and for `ps`."""

from __future__ import annotations

from devenv.state.hooks import HOOK_GLYPHS, HookRun, HookStatus


def render_hook(run: HookRun) -> tuple[str, str]:
    """Its sign, and what it does or how it ended, such as `after_healthy: ./migrate, 3.2 s`."""
    words = run.label
    seconds = ""
    if run.started_at is not None and run.ended_at is not None:
        seconds = f"{run.ended_at - run.started_at:.1f} s"
    match run.status:
        case HookStatus.DONE:
            words += f", {seconds}" if seconds else ""
        case HookStatus.FAILED:
            words += f": {run.detail}" + (f" after {seconds}" if seconds else "")
        case HookStatus.SKIPPED:
            words += f": skipped, {run.detail}"
        case _:
            pass
    return HOOK_GLYPHS[run.status], words
