"""CPU time of processes and their children, from /proc."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from time import sleep
from typing import TypeAlias

PROC = Path("/proc")
SETTLE = 0.02
"""Seconds in which a backend that has answered puts its things away, or ends."""
TICK = 1_000_000 / os.sysconf("SC_CLK_TCK")

Reading: TypeAlias = dict[int, float]
"""Microseconds that each process has used so far; under its negative number those of its children that have ended."""


class UnmeasurableError(Exception):
    """CPU time cannot be read here; the message says why."""


def available() -> None:
    """Raises UnmeasurableError where there is no /proc to read from."""
    if not (PROC / "self" / "stat").exists():
        raise UnmeasurableError("CPU time is read from /proc: the benchmark runs on Linux only")


def tree(root: int) -> list[int]:
    """A living process and all its descendants."""
    children: defaultdict[int, list[int]] = defaultdict(list)
    for entry in PROC.iterdir():
        if entry.name.isdigit() and (stat := _stat(int(entry.name))):
            children[int(stat[1])].append(int(entry.name))
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += children[pid]
    return found


def used(root: int) -> Reading:
    """What each process of a tree has used, threads and children that ended included."""
    found: Reading = {}
    for pid in tree(root):
        found[pid] = _spent(pid)
        if stat := _stat(pid):
            found[-pid] = (int(stat[13]) + int(stat[14])) * TICK
    return found


def between(before: Reading, after: Reading) -> float:
    """Microseconds used: what a process had used when it ended is its parent's to tell."""
    return max(0.0, sum(after.values()) - sum(before.values()))


class Meter:
    """CPU time of named process trees, read before and after each piece of work."""

    def __init__(self, roots: dict[str, int]):
        self.roots = roots

    def during(self, work: Callable[[], object]) -> dict[str, float]:
        """Microseconds that each tree used while the work was done."""
        before = {name: used(root) for name, root in self.roots.items()}
        work()
        sleep(SETTLE)
        return {name: between(before[name], used(root)) for name, root in self.roots.items()}


def _spent(pid: int) -> float:
    """By the scheduler's nanoseconds where the kernel keeps them, by ticks otherwise; 0 for a process that is gone."""
    try:
        threads = [(thread / "schedstat").read_text() for thread in (PROC / str(pid) / "task").iterdir()]
        return sum(int(text.split()[0]) for text in threads) / 1000
    except ProcessLookupError:
        return 0.0
    except FileNotFoundError:
        stat = _stat(pid)
        return (int(stat[11]) + int(stat[12])) * TICK if stat else 0.0


def _stat(pid: int) -> list[str]:
    """The fields of a process's stat from its state on; empty when it is gone."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
