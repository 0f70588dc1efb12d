"""Identities of the Compose model."""

from typing import NewType

ServiceName = NewType("ServiceName", str)
EnvironmentName = NewType("EnvironmentName", str)
"""A Compose project name: what tells one environment's containers from another's."""
