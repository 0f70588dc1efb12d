"""The terminal UI: shows a `State`, dispatches actions. Knows no engine and no files."""
