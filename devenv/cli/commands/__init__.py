"""One module per command.

Each exports `HELP`, `EXAMPLE`, `ORDER`, `add_arguments(parser)` and `run(arguments) -> int`;
its module's name is the command's, with `_` for `-`. A module that is here is listed in
`devenv --help`.
"""
