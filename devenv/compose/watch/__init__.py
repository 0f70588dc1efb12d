"""What a change of a file means for each service: the plan of the watch, and why.

The interface, for the command line, the running watch and the screen:

    plan = WatchPlanner(project, layers, facts)      # one merged model; builds are read once
    plan.plan("/abs/src/app.py")                     # -> tuple of PlannedChange, never empty
    plan.wants_directory("/abs/src")                 # whether to walk and watch it
    plan.inputs()                                    # -> what `--list` prints

`facts` (`WatchFacts`) gives the texts of files, whether the engine is local, and which files the
model is made of; everything else comes from the arguments. Nothing here opens a file.

One module for each question: `shell` (a script as commands), `tools` (what a command reads and
writes), `flow` (where a file's content goes in the stages of a build), `mounts` (what of it the
container sees), `start` (does the service's program load changes by itself), `rules`
(`develop.watch`), `places` (the lines that say so), `plan` (the decision).
"""

from __future__ import annotations

from devenv.compose.watch.plan import WatchPlanner
from devenv.compose.watch.values import Input, Place, PlannedChange, WatchAction, WatchFacts

__all__ = ["Input", "Place", "PlannedChange", "WatchAction", "WatchFacts", "WatchPlanner"]
