"""What the machine does to a process: how fast it is, and how late one comes who has to be on time.

    python -m benchmarks.machine keep|watch SECONDS

`keep` keeps time as the ticker does, alone on the server's core: each 20 ms it does fixed work that is of no use, as
much as a tick of `ticks` about has, until it is due and after. What of that is late is so by the machine: a core of a
virtual machine stands still while its host has something else to do, and nobody in it is told. `watch` sleeps beside a
server, by 5 ms, and says how late it was woken. `Pace` tells beside something else how fast the core is.
"""

import asyncio
import json
import os
import sys
import threading
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import Final, NamedTuple, Self

import numpy as np

from benchmarks.contestants import on_the_servers_core
from mcu.media.ticker import CATCH_UP, TICK_S, Lead

BEFORE_MS, AFTER_MS = 2.5, 4.0  # work of a tick until it is due, and after: decoding and mixing of 30, and encoding
WATCH_S: Final = 0.005
PIECES: Final = 10  # that are measured at once, in every TICK_S, to know the pace
_NUMBERS = np.random.default_rng(1).standard_normal((16, 1024))


def work(pieces: int) -> None:
    """Some 40 us each, in the nearest caches."""
    for _ in range(pieces):
        np.fft.rfft(_NUMBERS)


async def alone(what: str, seconds: float) -> list[float]:
    """What a process of its own finds: how late it was each time, in ms."""
    command = (sys.executable, "-m", "benchmarks.machine", what, str(seconds))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError("the machine could not be measured")
    late: list[float] = json.loads(said)
    return late


def keep_time(seconds: float) -> list[float]:
    """Of each tick that this thread has on this core. When it begins is by the ticker's rule."""
    before, after = (_pieces(ms) for ms in (BEFORE_MS, AFTER_MS))
    lead, due, late = Lead(), time.monotonic(), []
    for _ in range(int(seconds / TICK_S)):
        due = max(due + TICK_S, time.monotonic() - CATCH_UP * TICK_S)
        begins = max(time.monotonic(), due - lead.seconds)
        time.sleep(max(0.0, begins - time.monotonic()))
        work(before)
        done = time.monotonic()
        lead.follow(done - begins)
        late.append(1000 * (done - due))
        work(after)
    return late


def watch(seconds: float) -> list[float]:
    """Of each time that this thread wakes up."""
    due, late = time.monotonic(), []
    for _ in range(int(seconds / WATCH_S)):
        due = max(due + WATCH_S, time.monotonic())
        time.sleep(max(0.0, due - time.monotonic()))
        late.append(1000 * (time.monotonic() - due))
    return late


def _pieces(milliseconds: float) -> int:
    """How many take so long when nothing comes between."""
    best = min(_timed(PIECES) for _ in range(100)) / PIECES
    return max(1, round(milliseconds / 1000 / best))


def _timed(pieces: int) -> float:
    began = time.monotonic()
    work(pieces)
    return time.monotonic() - began


class Spent(NamedTuple):
    """By `Pace` so far."""

    seconds: float  # of CPU time
    pieces: int


class Beside(ABC):
    """A thread on the server's core, within a `with` block."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._begin, name="beside", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _begin(self) -> None:
        on_the_servers_core()
        self._run()

    @abstractmethod
    def _run(self) -> None:
        """Until `_stopped`."""


class Pace(Beside):
    """PIECES of work each 20 ms: some 2 % of the core."""

    def __init__(self) -> None:
        super().__init__()
        self.spent = Spent(0.0, 0)

    def _run(self) -> None:
        while not self._stopped.wait(TICK_S):
            began = time.thread_time()
            work(PIECES)
            self.spent = Spent(self.spent.seconds + time.thread_time() - began, self.spent.pieces + PIECES)


if __name__ == "__main__":
    on_the_servers_core()  # not while all this was imported
    with suppress(PermissionError):  # as the sound thread does
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    print(json.dumps({"keep": keep_time, "watch": watch}[sys.argv[1]](float(sys.argv[2]))))
