"""`devenv snapshot`."""

from __future__ import annotations

import argparse

HELP = "save and restore the data of this environment's volumes under a name"
EXAMPLE = "devenv snapshot save before-migration"
ORDER = 56


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=("text", "json"), default="text")
    verbs = parser.add_subparsers(title="what to do", metavar="VERB", dest="verb", required=True)

    save = _add(verbs, "save", "save the volumes", "devenv snapshot save before-migration")
    save.add_argument("name", metavar="NAME", nargs="?", help="default: made of the branch")
    _add_volumes(save)
    save.add_argument(
        "--stop", action="store_true", help="stop the services meanwhile instead of pausing them"
    )
    save.add_argument("-y", "--yes", action="store_true", help="do not ask before stopping one")
    save.add_argument("--replace", action="store_true", help="replace a snapshot of that name")

    restore = _add(
        verbs,
        "restore",
        "put a snapshot's data in place of what the volumes hold now, after asking",
        "devenv snapshot restore before-migration",
    )
    restore.add_argument("name", metavar="NAME")
    _add_volumes(restore)
    restore.add_argument("-y", "--yes", action="store_true", help="do not ask")

    _add(verbs, "list", "list the snapshots", "devenv snapshot list --format json")

    rm = _add(verbs, "rm", "remove snapshots", "devenv snapshot rm before-migration")
    rm.add_argument("names", metavar="NAME", nargs="+")
    rm.add_argument("-y", "--yes", action="store_true", help="do not ask")

    diff = _add(
        verbs,
        "diff",
        "list the files that differ between a snapshot and now, or two snapshots",
        "devenv snapshot diff before-migration",
    )
    diff.add_argument("name", metavar="NAME")
    diff.add_argument("other", metavar="OTHER", nargs="?", help="another snapshot; default: now")
    _add_volumes(diff)


def _add(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str, example: str
) -> argparse.ArgumentParser:
    from devenv.cli.main import add_global_options

    parser = verbs.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_global_options(parser, defaults=False)
    parser.add_argument("--format", choices=("text", "json"), default=argparse.SUPPRESS)
    return parser


def _add_volumes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--volume",
        dest="volumes",
        action="append",
        default=[],
        metavar="VOLUME",
        help="this volume alone, by its name in the Compose files (repeatable)",
    )


def run(arguments: argparse.Namespace) -> int:
    from devenv.cli.session import Session

    session = Session(arguments)
    if arguments.verb == "save":
        from devenv.cli.snapshots import SaveOptions, run_save
        from devenv.compose.snapshot import propose_name

        git = session.files.git
        name = arguments.name or propose_name(git.effective_branch if git else None)
        options = SaveOptions(
            name, tuple(arguments.volumes), arguments.stop, arguments.yes, arguments.replace
        )
        return run_save(session, options, arguments.format)
    if arguments.verb == "restore":
        from devenv.cli.snapshot_restore import run_restore

        volumes = tuple(arguments.volumes)
        return run_restore(
            session, arguments.name, volumes, yes=arguments.yes, form=arguments.format
        )
    from devenv.cli import snapshot_list

    if arguments.verb == "list":
        return snapshot_list.print_snapshots(session, arguments.format)
    if arguments.verb == "rm":
        return snapshot_list.remove_snapshots(
            session, arguments.names, yes=arguments.yes, form=arguments.format
        )
    return snapshot_list.print_diff(session, arguments)
