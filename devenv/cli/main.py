"""The command line: global options, the commands, and how every error ends."""

from __future__ import annotations

import argparse
import os
import pkgutil
import sys
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType

from devenv.cli import commands
from devenv.cli.output import print_error
from devenv.errors import DevenvError, ExitCode

_EPILOG = """\
examples:
  devenv up                      start the environment and watch it in the terminal
  devenv up --detach --wait      start it, end when all is healthy (for scripts and CI)
  devenv logs -f app             follow one service
  devenv down                    stop and remove the containers; data stays
"""


def run_command_line(argv: Sequence[str]) -> int:
    """Run one command and return its exit code. Never raises but for SystemExit of argparse."""
    try:
        argv = mark_passed_words(argv)
        arguments = build_parser(argv).parse_args(argv)
        if arguments.no_color:
            os.environ["NO_COLOR"] = "1"  # children and Textual follow it too
        if arguments.command is None:
            build_parser(["--help"]).print_help()
            return ExitCode.USAGE
        return int(arguments.run(arguments))
    except DevenvError as error:
        print_error(error)
        return error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone; Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.GOOD
    except SystemExit:
        raise
    except BaseExceptionGroup as group:
        return _end_group(group)
    except Exception as error:
        from devenv.cli.own_error import end_with_report

        return end_with_report(error)


def mark_passed_words(argv: Sequence[str]) -> list[str]:
    """The command line with `--` before the words that are Compose's own.

    argparse would take options among them, such as `devenv compose --progress plain build`, for
    devenv's. Options that are devenv's may stand before or after the command's name.
    """
    words = list(argv)
    seen_command = False
    index = 0
    while index < len(words):
        word = words[index]
        if word in _WITH_VALUE:
            index += 2
        elif word in _ALONE or word.startswith(tuple(f"{name}=" for name in _WITH_VALUE)):
            index += 1
        elif not seen_command and word == "compose":
            seen_command = True
            index += 1
        else:
            if seen_command and word not in ("-h", "--help", "--"):
                words.insert(index, "--")
            break
    return words


_WITH_VALUE = ("-C", "--profile", "--context")
_ALONE = ("--no-color",)


def _end_group(group: BaseExceptionGroup[BaseException]) -> int:
    """The exit code of what a task group raised: its first `DevenvError`, or an interrupt."""
    from devenv.cli.own_error import end_with_report, iter_causes

    for error in iter_causes(group):
        if isinstance(error, DevenvError):
            print_error(error)
            return error.exit_code
        if isinstance(error, KeyboardInterrupt):
            sys.stderr.write("interrupted\n")
            return ExitCode.INTERRUPTED
    return end_with_report(group)


def build_parser(argv: Sequence[str]) -> argparse.ArgumentParser:
    """The parser. Where `argv` names a command, only that command's module is imported."""
    parser = argparse.ArgumentParser(
        prog="devenv",
        description="One command from a checkout with a Compose file to a healthy environment.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="store_true", help="print the version and end")
    add_global_options(parser, defaults=True)
    parser.set_defaults(command=None)
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    names = [module.name for module in pkgutil.iter_modules(commands.__path__)]
    wanted = {word.replace("-", "_") for word in argv}.intersection(names)
    modules = [import_module(f"{commands.__name__}.{name}") for name in wanted or names]
    for module in sorted(modules, key=lambda module: module.ORDER):
        _add_command(subparsers, module)
    if wanted:
        subparsers.metavar = "COMMAND"
    return parser


def _add_command(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], module: ModuleType
) -> None:
    name = module.__name__.rsplit(".", 1)[1].replace("_", "-")
    parser = subparsers.add_parser(
        name,
        help=module.HELP,
        description=module.HELP[0].upper() + module.HELP[1:] + ".",
        epilog=f"example:\n  {module.EXAMPLE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        conflict_handler="resolve",  # a command's own option wins over a global one
    )
    add_global_options(parser, defaults=False)
    module.add_arguments(parser)
    parser.set_defaults(run=module.run, command=name)


def add_global_options(parser: argparse.ArgumentParser, *, defaults: bool) -> None:
    """Options that stand before or after the command; the later place wins."""
    unset = None if defaults else argparse.SUPPRESS
    group = parser.add_argument_group("global options")
    group.add_argument(
        "-C", dest="directory", metavar="DIR", default=unset, help="run as if started in DIR"
    )
    group.add_argument(
        "--profile", metavar="NAME", default=unset, help="the profile to use (see: profile list)"
    )
    group.add_argument("--context", metavar="NAME", default=unset, help="the Docker context to use")
    group.add_argument(
        "--no-color",
        action="store_true",
        default=False if defaults else argparse.SUPPRESS,
        help="print without colours (NO_COLOR does the same)",
    )
