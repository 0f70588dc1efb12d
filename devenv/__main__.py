"""`devenv` and `python -m devenv`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its code. `--version` answers before all imports."""
    if sys.argv[1:] == ["--version"]:
        from devenv import __version__

        sys.stdout.write(f"devenv {__version__}\n")
        return
    from devenv.cli.main import run_command_line

    sys.exit(run_command_line(sys.argv[1:]))


if __name__ == "__main__":
    main()
