"""`devenv check`: rules over a project's texts and merged models, without any I/O.

`facts` holds what was gathered beforehand, `registry` finds the rules, `runner` applies them to
every profile, and `rules` has one module per family of rules that share a scan.
"""
