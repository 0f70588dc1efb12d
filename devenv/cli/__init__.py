"""Arguments, wiring, exit codes. Imports of other layers happen inside the commands."""
