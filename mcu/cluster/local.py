"""The media workers of this machine: as many processes as was asked for, each started again when it dies.

A slot is a place for a worker; a worker that was started again has the slot of the former one and a new name. The first
that dies is started again at once; where the next dies soon after, later and later, up to `BACKOFF_MAX_S`.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import structlog

from mcu import errors
from mcu.clock import Clock
from mcu.cluster.process import Start, WorkerProcess
from mcu.conference.workers import WorkersListener
from mcu.media.frames import AnyEvent
from mcu.media.messages import WorkerReport
from mcu.telemetry.metrics import Metrics

log = structlog.get_logger(__name__)

BACKOFF_S: Final = 0.2
BACKOFF_MAX_S: Final = 10.0
STEADY_S: Final = 10.0  # who lived this long is started again at once


class LocalWorkers:
    """Implements `mcu.conference.workers.Workers`."""

    def __init__(self, starts: Sequence[Start], *, metrics: Metrics, clock: Clock) -> None:
        """`starts`: how the worker of each slot is started."""
        self._starts = starts
        self._metrics = metrics
        self._clock = clock
        self._listeners: list[WorkersListener] = []
        self._alive: dict[int, WorkerProcess] = {}
        self._processes: dict[int, WorkerProcess] = {}
        self._changed = asyncio.Event()
        self._slots: list[asyncio.Task[None]] = []
        self._stopping = False

    @property
    def alive(self) -> Sequence[WorkerProcess]:
        """Those that answer, by slot."""
        return [self._alive[slot] for slot in sorted(self._alive)]

    def subscribe(self, listener: WorkersListener) -> None:
        """See `mcu.conference.workers.Workers`."""
        self._listeners.append(listener)

    async def pick(self, wait_s: float = 0.0) -> WorkerProcess:
        """See `mcu.conference.workers.Workers`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._until_one_lives()
        if not self._alive or self._stopping:
            raise errors.Unavailable("no media worker is running; they are being started again")
        worker = min(self.alive, key=lambda worker: worker.load)
        worker.promise_room()
        return worker

    async def start(self) -> None:
        """Start them all, and wait until each has answered once. Raises `errors.Unavailable` when one does not."""
        self._metrics.workers_alive(0)
        self._slots = [
            asyncio.create_task(self._keep(slot), name=f"worker-{slot}") for slot in range(len(self._starts))
        ]
        for slot, task in enumerate(self._slots):
            while slot not in self._alive:
                if task.done():
                    await self.stop()
                    raise errors.Unavailable("a media worker did not start; its log lines say why")
                await self._next_change(task)

    async def stop(self) -> None:
        """End them all; when this returns none of their processes is left."""
        self._stopping = True
        leaving = dict(self._processes)
        for slot, task in enumerate(self._slots):
            if slot not in leaving:  # between two workers
                task.cancel()
        await asyncio.gather(*(process.leave() for process in leaving.values()))
        await asyncio.gather(*self._slots, return_exceptions=True)

    async def _until_one_lives(self) -> None:
        while not self._alive:
            await self._next_change()

    async def _next_change(self, *tasks: asyncio.Task[None]) -> None:
        """Until a worker lives or dies, or one of `tasks` is done."""
        changed = asyncio.create_task(self._changed.wait())
        try:
            await asyncio.wait({changed, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            changed.cancel()

    def _tell_change(self) -> None:
        self._metrics.workers_alive(len(self._alive))
        self._changed.set()
        self._changed = asyncio.Event()

    async def _keep(self, slot: int) -> None:
        """The life of a slot. Ends only when we stop, or when its very first worker never answered."""
        generation, backoff, answered = 0, 0.0, False
        while not self._stopping:
            generation += 1
            begun = self._clock.monotonic()
            answered = await self._run(slot, f"w{slot}.{generation}") or answered
            if self._stopping or not answered:
                return
            self._metrics.worker_restarted()
            steady = self._clock.monotonic() - begun > STEADY_S
            await asyncio.sleep(0 if steady else backoff)
            backoff = 0 if steady else min(max(backoff * 2, BACKOFF_S), BACKOFF_MAX_S)

    async def _run(self, slot: int, name: str) -> bool:
        """One worker from start to death. Returns whether it ever answered."""
        try:
            worker = await WorkerProcess.start(name, self._starts[slot], self._clock)
        except OSError:
            log.exception("worker_not_started", worker=name)
            return False
        log.info("worker_started", worker=name, pid=worker.pid)
        self._processes[slot] = worker
        lived = False

        def on_alive() -> None:
            nonlocal lived
            lived = True
            self._alive[slot] = worker
            self._tell_change()

        try:
            await worker.run(on_alive, lambda event: self._on_event(slot, worker, event))
        finally:
            self._bury(slot, worker, lived)
        return lived

    def _bury(self, slot: int, worker: WorkerProcess, lived: bool) -> None:
        self._processes.pop(slot, None)
        self._alive.pop(slot, None)
        self._metrics.worker_died(str(slot))
        self._tell_change()
        if not self._stopping:
            log.error("worker_died", worker=worker.id)
        if lived:
            for listener in self._listeners:
                listener.on_death(worker)

    def _on_event(self, slot: int, worker: WorkerProcess, event: AnyEvent) -> None:
        if isinstance(event, WorkerReport):
            self._metrics.worker_reported(str(slot), event)
        for listener in self._listeners:
            listener.on_event(worker, event)
