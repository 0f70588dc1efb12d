"""What a container uses, from the samples of the engine's stats stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from devenv.engine.demux import parse_timestamp
from devenv.state.usage import Transfer, Usage
from devenv.values import replace


def parse_usage(sample: Mapping[str, Any]) -> Usage:
    """One sample of the stats stream by the docker CLI's formulas; rates are 0 as yet.

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
    return Usage(
        percent,
        usage,
        int(memory.get("limit") or 0),
        network=_parse_network(sample),
        block=_parse_block(sample),
        read_ns=parse_timestamp(str(sample.get("read") or "").encode()) or 0,
    )


def _parse_network(sample: Mapping[str, Any]) -> Transfer | None:
    """All interfaces added up; None where the container has none of its own."""
    cards = sample.get("networks") or {}
    if not cards:
        return None
    return Transfer(
        sum(int(card.get("rx_bytes") or 0) for card in cards.values()),
        sum(int(card.get("tx_bytes") or 0) for card in cards.values()),
    )


def _parse_block(sample: Mapping[str, Any]) -> Transfer | None:
    """All devices added up; None where the kernel counts nothing."""
    # cgroup v1 says Read and Write, v2 read and write; both say more than that.
    rows = (sample.get("blkio_stats") or {}).get("io_service_bytes_recursive") or []
    if not rows:
        return None
    total = {"r": 0, "w": 0}
    for row in rows:
        letter = str(row.get("op") or "")[:1].lower()
        if letter in total:
            total[letter] += int(row.get("value") or 0)
    return Transfer(total["r"], total["w"])


def with_rates(usage: Usage, before: Usage | None) -> Usage:
    """The same sample with the rates since the one before; without one they stay 0."""
    seconds = (usage.read_ns - before.read_ns) / 1e9 if before is not None else 0.0
    if before is None or seconds <= 0:
        return usage
    return replace(
        usage,
        network=_rate(usage.network, before.network, seconds),
        block=_rate(usage.block, before.block, seconds),
    )


def _rate(now: Transfer | None, before: Transfer | None, seconds: float) -> Transfer | None:
    if now is None or before is None:
        return now
    return replace(
        now,
        # Counters start again from 0 with the container.
        in_rate=max(0, now.in_bytes - before.in_bytes) / seconds,
        out_rate=max(0, now.out_bytes - before.out_bytes) / seconds,
    )
