"""What a container uses, from one sample of the engine's stats stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from devenv.values import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """What a container uses now, by the docker CLI's formulas."""

    cpu_percent: float
    """100 is one core."""
    memory_bytes: int
    """Without the inactive file cache."""
    memory_limit_bytes: int


def parse_usage(sample: Mapping[str, Any]) -> Usage:
    """One sample of the stats stream by the docker CLI's formulas.

    The first sample of a stream has no sample before it: its CPU share is 0, not the mean
    since the container started. Spec: docker/cli cli/command/container/stats_helpers.go.
    """
    cpu = sample.get("cpu_stats") or {}
    before = sample.get("precpu_stats") or {}
    used = cpu.get("cpu_usage") or {}
    used_before = before.get("cpu_usage") or {}
    percent = 0.0
    system_before = before.get("system_cpu_usage") or 0
    if system_before:
        share = used.get("total_usage", 0) - used_before.get("total_usage", 0)
        system = cpu.get("system_cpu_usage", 0) - system_before
        cores = cpu.get("online_cpus") or len(used.get("percpu_usage") or ()) or 1
        if share > 0 and system > 0:
            percent = share / system * cores * 100
    memory = sample.get("memory_stats") or {}
    usage = int(memory.get("usage") or 0)
    details = memory.get("stats") or {}
    # cgroup v1 has total_inactive_file, v2 inactive_file.
    cache = int(details.get("total_inactive_file", details.get("inactive_file", 0)) or 0)
    if cache < usage:
        usage -= cache
    return Usage(percent, usage, int(memory.get("limit") or 0))
