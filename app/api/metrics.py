"""Counters of this process, in the text format of Prometheus."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Mapping
from pathlib import Path

from app.services.checks import counted

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the latency histogram in seconds."""
CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"


class Series:
    """Requests of one method, route and status."""

    __slots__ = ("buckets", "total")

    def __init__(self) -> None:
        self.buckets = [0] * (len(BOUNDS) + 1)
        self.total = 0.0


class Metrics:
    """Requests by method, route template and status; routes are declared ones, so that the series stay few."""

    def __init__(self) -> None:
        self.series: dict[tuple[str, str, int], Series] = {}
        self.in_flight = 0

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        key = (method, route, status)
        series = self.series.get(key)
        if series is None:
            series = self.series[key] = Series()
        series.buckets[bisect_left(BOUNDS, seconds)] += 1
        series.total += seconds

    def render(self, pools: Mapping[str, Mapping[str, int]]) -> bytes:
        """Everything counted so far; `pools` gives connections by state for each pool."""
        lines = [
            "# HELP strata_http_request_seconds Time to answer, by route template and status.",
            "# TYPE strata_http_request_seconds histogram",
        ]
        for (method, route, status), series in sorted(self.series.items()):
            lines += _histogram(f'method="{method}",route="{route}",status="{status}"', series)
        lines += [
            "# HELP strata_http_in_flight Requests being answered.",
            "# TYPE strata_http_in_flight gauge",
            f"strata_http_in_flight {self.in_flight}",
            "# HELP strata_pool_connections Database connections by pool and state; waiting are callers without one.",
            "# TYPE strata_pool_connections gauge",
        ]
        for pool, states in pools.items():
            lines += [f'strata_pool_connections{{pool="{pool}",state="{state}"}} {n}' for state, n in states.items()]
        lines += [
            "# HELP strata_membership_checks_total Segmentations that this process compared with a full evaluation.",
            "# TYPE strata_membership_checks_total counter",
            f"strata_membership_checks_total {counted['checks']}",
            "# HELP strata_membership_drifted_total Accounts that stood elsewhere then, and were placed.",
            "# TYPE strata_membership_drifted_total counter",
            f"strata_membership_drifted_total {counted['drifted']}",
        ]
        lines += _process()
        return ("\n".join(lines) + "\n").encode()


def _histogram(labels: str, series: Series) -> list[str]:
    name, lines, count = "strata_http_request_seconds", [], 0
    for bound, found in zip((*map(str, BOUNDS), "+Inf"), series.buckets, strict=True):
        count += found
        lines.append(f'{name}_bucket{{{labels},le="{bound}"}} {count}')
    return [*lines, f"{name}_sum{{{labels}}} {series.total:.6f}", f"{name}_count{{{labels}}} {count}"]


def _process() -> list[str]:
    lines = [
        "# HELP process_cpu_seconds_total User and system CPU time.",
        "# TYPE process_cpu_seconds_total counter",
        f"process_cpu_seconds_total {sum(os.times()[:2]):.2f}",
    ]
    status = Path("/proc/self/statm")
    if status.exists():
        resident = int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        lines += [
            "# HELP process_resident_memory_bytes Resident memory.",
            "# TYPE process_resident_memory_bytes gauge",
            f"process_resident_memory_bytes {resident}",
        ]
    return lines
