"""devenv: a development-environment manager for Docker Compose."""

__version__ = "0.1.0"
