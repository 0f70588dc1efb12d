"""File events as actions."""
