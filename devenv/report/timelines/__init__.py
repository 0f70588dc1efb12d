"""One module per format of `devenv timeline`.

Each exports `render(timeline, comparison, *, width) -> str`; `comparison` holds lines, none where
no comparison was asked for, and `width` is the terminal's. A module that is here is a choice of
`--format`.
"""
