"""This machine: files, git, ports, caches."""
