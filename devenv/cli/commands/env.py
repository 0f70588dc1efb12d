"""`devenv env diff|sync|explain`."""

from __future__ import annotations

import argparse

HELP = "what .env lacks, filling it in, and where a variable's value comes from"
EXAMPLE = (
    "devenv env diff                        what is missing, empty, extra, twice\n"
    "  devenv env sync                        ask for what is missing, and write it to .env\n"
    "  devenv env sync --non-interactive --generate JWT_SECRET --set PORT=8080\n"
    "  devenv env explain POSTGRES_PASSWORD   who sets it, who wins, who reads it\n"
    "  devenv env diff --all-profiles --format json"
)
ORDER = 47


def add_arguments(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(title="commands", metavar="WHAT", dest="what", required=True)
    diff = _add(commands, "diff", "env files against their examples and against what is read")
    diff.add_argument("--all-profiles", action="store_true", help="every profile, not only one")
    _add_output(diff)
    _add_sync(_add(commands, "sync", "write what .env lacks, keeping comments and order"))
    explain = _add(commands, "explain", "every place that sets or reads a variable")
    explain.add_argument("key", metavar="KEY")
    explain.add_argument("--all-profiles", action="store_true", help="every profile, not only one")
    _add_output(explain)


def _add_sync(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--all-profiles", action="store_true", help="what any profile needs")
    parser.add_argument(
        "--non-interactive",
        action="store_true",
        help="ask nothing: take the example's values, and exit with 1 where there is none",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="write this value, in place of the one that is there (repeatable)",
    )
    parser.add_argument(
        "--generate",
        action="append",
        default=[],
        metavar="KEY",
        help="write a strong secret for a key that has none of its own (repeatable)",
    )
    parser.add_argument("--dry-run", action="store_true", help="show the diff and write nothing")
    parser.add_argument("--diff", action="store_true", help="show the diff too")
    parser.add_argument("--reveal", action="store_true", help="show values in the diff")


def _add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, words: str
) -> argparse.ArgumentParser:
    from devenv.cli.main import add_global_options

    parser = commands.add_parser(
        name,
        help=words,
        description=words[0].upper() + words[1:] + ".",
        epilog=f"examples:\n  {EXAMPLE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_global_options(parser, defaults=False)
    return parser


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reveal", action="store_true", help="show values; they may be secrets")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(arguments: argparse.Namespace) -> int:
    from devenv.cli import env_commands

    if arguments.what == "explain":
        return env_commands.run_explain(arguments)
    if arguments.what == "sync":
        from devenv.cli.env_sync import run_sync

        return run_sync(arguments)
    return env_commands.run_diff(arguments)
