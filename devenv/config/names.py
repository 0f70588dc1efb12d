"""Identities of devenv's own files."""

from typing import NewType

ProfileName = NewType("ProfileName", str)
