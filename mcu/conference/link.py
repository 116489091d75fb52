"""A room's line to the worker that carries its media.

Commands leave in the order in which they were sent. While there is no worker (the former one died), they wait for the
next; what the roster holds is said again when the room is opened there.
"""

import asyncio
from collections.abc import Sequence

import structlog

from mcu.conference.workers import Worker, Workers
from mcu.errors import McuError, Unavailable
from mcu.ids import RoomId
from mcu.media.frames import AnyCommand, AnyReply
from mcu.media.messages import AbsentLeg, CloseRoom, OpenRoom, RoomProfile

log = structlog.get_logger(__name__)

PICK_WAIT_S = 5.0  # a worker that died lives again by then
MAX_SENT = 1000  # commands under way


class Link:
    """One room's worker, whichever it is just now."""

    def __init__(self, workers: Workers, room: RoomId) -> None:
        self._workers = workers
        self._room = room
        self._worker: Worker | None = None
        self._open = asyncio.Event()
        self._sent: set[asyncio.Task[AnyReply]] = set()

    @property
    def worker(self) -> Worker | None:
        return self._worker

    @property
    def is_open(self) -> bool:
        return self._open.is_set()

    async def open(self, profile: RoomProfile, absent: Sequence[AbsentLeg] = ()) -> None:
        """Open the room on a worker that lives. Raises `Unavailable` when there is none."""
        worker = await self._workers.pick(PICK_WAIT_S)
        self._worker = worker  # events may come before the reply
        await worker.ask(OpenRoom(room=self._room, profile=profile, absent=list(absent)))
        if self._worker is worker:  # it lives still
            self._open.set()

    def lost(self) -> None:
        """The worker is dead. What is sent from now on waits."""
        self._worker = None
        self._open.clear()

    def send(self, command: AnyCommand) -> "asyncio.Task[AnyReply]":
        """Send, without waiting. Whoever needs the reply awaits the task; a failure nobody awaits is logged.

        Raises `Unavailable` when too many are under way.
        """
        if len(self._sent) >= MAX_SENT:
            raise Unavailable("The room has too much to do: try again.")
        task = asyncio.create_task(self._ask(command))
        self._sent.add(task)
        task.add_done_callback(self._done)
        return task

    async def close(self) -> None:
        """Close the room on its worker; a dead one has closed it already."""
        worker, self._worker = self._worker, None
        self._open.clear()
        for task in self._sent:
            task.cancel()
        if worker is not None:
            try:
                await worker.ask(CloseRoom(room=self._room))
            except McuError as error:
                log.info("room_not_closed", room=self._room, code=error.code)

    async def ready(self) -> Worker:
        """As soon as the room is open on one. Raises `Unavailable` where it is not in time."""
        try:
            async with asyncio.timeout(PICK_WAIT_S):
                await self._open.wait()
        except TimeoutError:
            raise Unavailable("The room has no media worker at the moment.") from None
        if self._worker is None:
            raise Unavailable("The room has no media worker at the moment.")
        return self._worker

    async def _ask(self, command: AnyCommand) -> AnyReply:
        return await (await self.ready()).ask(command)

    def _done(self, task: "asyncio.Task[AnyReply]") -> None:
        self._sent.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            code = error.code if isinstance(error, McuError) else type(error).__name__
            log.info("command_failed", room=self._room, code=code)
