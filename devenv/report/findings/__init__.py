"""One module per format of `devenv check`.

Each exports `render(result, paths) -> str`; a module that is here is a choice of `--format`.
"""
