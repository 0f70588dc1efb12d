"""devenv's own settings: devenv.toml and profiles/*.toml. Text and values only, no I/O."""
