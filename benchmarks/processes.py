"""What a process and its children cost: CPU seconds from `/proc/PID/stat`, never wall time.

`schedstat` gives nanoseconds on the run queue and is preferred: `stat` counts in ticks of 10 ms and misses short work.
"""

import os
from pathlib import Path
from typing import NamedTuple


def children(pid: int) -> list[int]:
    """All living descendants of `pid`, nearest first."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found += [child, *children(child)]
    return found


def cpu_seconds(pid: int) -> float:
    """CPU time that `pid` and its living descendants have used, all threads, in seconds."""
    return sum(own_cpu_seconds(process) for process in (pid, *children(pid)))


def own_cpu_seconds(pid: int) -> float:
    """The same without its descendants'."""
    return sum(int(one.read_text().split()[0]) for one in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def resident_mb(pid: int) -> float:
    """Memory of one process that is in RAM, in MB (10^6 bytes)."""
    status = Path(f"/proc/{pid}/status").read_text()
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(kilobytes) * 1024 / 1e6


class Spent(NamedTuple):
    """CPU time in seconds, and what of it was spent in the kernel (in ticks of 10 ms)."""

    all: float
    kernel: float


def thread_seconds(pid: int) -> dict[str, Spent]:
    """CPU time of the threads of `pid` and its living descendants, by the threads' names."""
    found: dict[str, Spent] = {}
    for process in (pid, *children(pid)):
        for task in Path(f"/proc/{process}/task").iterdir():
            name = (task / "comm").read_text().strip()
            before = found.get(name, Spent(0.0, 0.0))
            stat = (task / "stat").read_text().rpartition(")")[2].split()  # its second field, the name, may have blanks
            found[name] = Spent(
                before.all + int((task / "schedstat").read_text().split()[0]) / 1e9,
                before.kernel + int(stat[12]) / os.sysconf("SC_CLK_TCK"),
            )
    return found
