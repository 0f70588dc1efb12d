"""`devenv up`: what its ways have in common, and the plan alone."""

from __future__ import annotations

import argparse
import asyncio
from typing import TYPE_CHECKING

from devenv.cli.output import print_json, print_note, print_text
from devenv.cli.session import Session
from devenv.cli.up_checks import show_checks
from devenv.cli.up_options import UpOptions
from devenv.errors import ExitCode
from devenv.state.text import sanitize

if TYPE_CHECKING:
    from devenv.cli.snapshots import Ask


def resolve_options(session: Session, arguments: argparse.Namespace) -> UpOptions:
    """The options of `up`, its service names checked against the model."""
    named = tuple(session.resolve_service(name) for name in arguments.services)
    return UpOptions(
        services=named or session.profile_services,
        without=tuple(session.resolve_service(name) for name in arguments.without),
        build=not arguments.no_build,
        watch=not getattr(arguments, "no_watch", False),
        clone=not getattr(arguments, "no_clone", False),
    )


def print_plan(session: Session, arguments: argparse.Namespace) -> int:
    """Print what `up` would do. Exit code 1 where it would refuse."""
    from devenv.checks.losses import find_losses
    from devenv.cli.cloning import find_clones
    from devenv.cli.drift import explain_with
    from devenv.cli.hook_run import hooks_of
    from devenv.engine.preflight import load_hashes, load_plan
    from devenv.host.ports import find_listener
    from devenv.report.plan import plan_to_json, render_plan
    from devenv.state.hooks import AFTER_START

    async def load() -> int:
        await session.client.ping()
        options = resolve_options(session, arguments)
        hashes = await load_hashes(
            session.compose, session.selection, session.environ, session.files.compose_files
        )
        plan = await load_plan(
            session.client,
            session.project,
            hashes,
            only=options.services,
            without=options.without,
            find_listener=find_listener if session.endpoint.is_local else None,
            explain=explain_with(session, session.project),
        )
        hooks = [
            hook
            for event in ("before_up", *AFTER_START)
            for hook in (hooks_of(session, event) if session.runs_hooks else ())
        ]
        losses = find_losses(session.project, options.services, options.without)
        clones = await find_clones(session, session.project) if options.clone else []
        if arguments.format == "json":
            print_json(
                {
                    **plan_to_json(plan),
                    "hooks": [
                        {"event": hook.event, "run": hook.text, "service": hook.service}
                        for hook in hooks
                    ],
                    "clones": [
                        {"volume": one.key, "from": one.source, "to": one.target}
                        for one in clones
                        if one.is_wanted
                    ],
                    "losses": [
                        {"service": loss.service, "on": loss.on, "effects": list(loss.effects)}
                        for loss in losses
                    ],
                }
            )
        else:
            lines = "".join(
                f"hook: {hook.event}: {hook.text}{f' in {hook.service}' if hook.service else ''}\n"
                for hook in hooks
            )
            lines += "".join(f"loses: {loss.text}\n" for loss in losses)
            lines += "".join(
                f"clone: {one.key}: from {one.source}\n"
                if one.is_wanted
                else f"not cloned: {one.key}: {one.source} has data, and is not in clone_volumes\n"
                for one in clones
            )
            print_text(sanitize(render_plan(plan) + lines))
        refused = bool(plan.volume_conflicts or plan.port_conflicts)
        if not arguments.no_checks:
            refused = show_checks(session, options) or refused
        return ExitCode.FAILED if refused else ExitCode.GOOD

    return asyncio.run(load())


def ask_first(session: Session, *, shows_access: bool = True) -> None:
    """Before a start: hooks are to be allowed, and what containers can reach is shown once.

    `shows_access` False leaves the latter to the start itself, as the terminal UI does. Raises
    PlanRefused where nothing may be started, nor stopped for it.
    """
    from devenv.cli.terminal_asks import can_ask

    files = session.files
    has_hooks = files.settings.hooks or any(p.hooks for p in files.profiles.values())
    if shows_access and can_ask(session.environ):
        from devenv.cli.allow import offer_access

        offer_access(session)
    if has_hooks:
        from devenv.cli.allow import offer_hooks

        offer_hooks(session)


def clone_first(session: Session, arguments: argparse.Namespace, ask: Ask | None = None) -> None:
    """Copy the default branch's data before the first start of an environment beside it.

    `ask` asks in another way than at the terminal. Raises PlanRefused where the answer was no.
    """
    if session.files.settings.isolation.mode != "none":
        from devenv.cli.cloning import clone_before_start

        clone = not getattr(arguments, "no_clone", False)
        yes = getattr(arguments, "yes", False)
        clone_before_start(session, yes=yes, clone=clone, ask=ask)


def apply_switch(session: Session) -> Session:
    """Stop what the new branch or profile does not have; the session that starts the rest.

    Raises what keeps the new selection from loading.
    """
    from devenv.cli.operations import stop_services
    from devenv.cli.switching import load_running, load_switch_plan

    renewed = session.renew()
    ask_first(renewed, shows_access=False)
    before = load_running(session)
    plan = asyncio.run(load_switch_plan(renewed, before))
    if plan.before is not None and plan.stops:
        names = tuple(stop.service for stop in plan.stops)
        print_note(sanitize(f"stopping {', '.join(names)} of {plan.before}"))
        stop_services(session, plan.before, names)
    return renewed
