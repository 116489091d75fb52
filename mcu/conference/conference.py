"""The rooms that run on this node: opens one when somebody first joins its meeting, and forgets it when it ends.

It takes the workers' news to the room they are about, and the booking's changes to the room of the meeting. What runs
when the process is killed is opened again, locked as it was, when the process starts.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from dataclasses import replace

import structlog

from mcu.booking.meeting import Meeting, MeetingState
from mcu.booking.rules import check_open
from mcu.booking.store import RoomRun, Store
from mcu.clock import Clock
from mcu.conference.invitations import Dialler
from mcu.conference.room import Room, RoomSettings
from mcu.conference.roster import Person
from mcu.conference.workers import Worker, Workers
from mcu.errors import McuError, NotFound
from mcu.ids import LegId, MeetingId, RoomId, new_id
from mcu.media.call_messages import CallEvent
from mcu.media.frames import AnyEvent
from mcu.media.messages import WorkerReport

log = structlog.get_logger(__name__)


class Conference:
    """A `WorkersListener` and a `MeetingListener`. `start` before use, `stop` after it.

    `dropped` counts what is let go because a bound was reached, by reason.
    """

    def __init__(
        self,
        *,
        store: Store,
        workers: Workers,
        clock: Clock,
        settings: RoomSettings,
        dropped: Callable[[str], None],
    ) -> None:
        self._store = store
        self._workers = workers
        self._clock = clock
        self._settings = replace(settings, dialler=lambda: self._dialler)
        self._dropped = dropped
        self._rooms: dict[RoomId, Room] = {}
        self._by_meeting: dict[MeetingId, Room] = {}
        self._owners: dict[RoomId, asyncio.Task[None]] = {}
        self._opening: dict[MeetingId, asyncio.Lock] = {}
        self._dialler: Dialler | None = None

    async def start(self) -> None:
        """Open again what ran when we last stopped. The workers must have been started."""
        self._workers.subscribe(self)
        async with self._store.reading() as tx:
            running = list(await tx.rooms.running())
        for run in running:
            try:
                await self._restore(run)
            except McuError as error:
                log.error("room_not_restored", room=run.id, code=error.code)

    def call_with(self, dialler: Dialler | None) -> None:
        """From now on whoever is called into a room is called by it; `None`: nobody is."""
        self._dialler = dialler

    async def stop(self) -> None:
        """Close every room without ending it: it is opened again when we start."""
        owners = list(self._owners.values())
        for task in owners:
            task.cancel()
        await asyncio.gather(*owners, return_exceptions=True)

    # -- rooms ------------------------------------------------------------------------------------------------------

    async def join(self, meeting: Meeting, person: Person) -> tuple[Room, LegId]:
        """A ticket in the meeting's room, which is opened if it does not run.

        Raises `NotOpen`, `MeetingOver`, `MeetingLocked`, `MeetingFull` or `Unavailable`.
        """
        room = self.room_of(meeting.id) or await self._open(meeting)
        return room, await room.reserve(person)

    def room(self, name: RoomId) -> Room:
        """Raises `NotFound` when it does not run."""
        room = self._rooms.get(name)
        if room is None or room.ended:
            raise NotFound("No such room runs now.")
        return room

    def room_of(self, meeting: MeetingId) -> Room | None:
        room = self._by_meeting.get(meeting)
        return room if room is not None and not room.ended else None

    def rooms(self) -> list[Room]:
        """Oldest first."""
        return sorted((room for room in self._rooms.values() if not room.ended), key=lambda room: room.id)

    def legs(self) -> Counter[str]:
        """How many legs are in which state."""
        return Counter(line.state.value for room in self._rooms.values() for line in room.lines())

    # -- news -------------------------------------------------------------------------------------------------------

    def on_event(self, worker: Worker, event: AnyEvent) -> None:
        if isinstance(event, WorkerReport | CallEvent):
            return
        room = self._rooms.get(event.room)
        if room is not None and room.worker is worker:
            room.on_event(event)

    def on_death(self, worker: Worker) -> None:
        for room in self._rooms.values():
            room.on_death(worker)

    async def meeting_changed(self, meeting: Meeting) -> None:
        if (room := self.room_of(meeting.id)) is not None:
            room.meeting_changed(meeting)

    # -- opening and closing ----------------------------------------------------------------------------------------

    async def _open(self, meeting: Meeting) -> Room:
        lock = self._opening.setdefault(meeting.id, asyncio.Lock())
        try:
            async with lock:
                if (room := self._by_meeting.get(meeting.id)) is not None:
                    if not room.ended:
                        return room
                    await room.closed.wait()  # its end must be written before another begins
                check_open(meeting, self._clock.now())
                run = RoomRun(
                    id=RoomId(new_id("room")),
                    meeting=meeting.id,
                    started_at=self._clock.now(),
                    locked=meeting.access.locked,
                    layout=meeting.layout,
                )
                async with self._store.writing() as tx:
                    await tx.rooms.open(run)
                try:
                    return await self._begin(run, meeting)
                except McuError:
                    await self._end(run)
                    raise
        finally:
            if not lock.locked():
                self._opening.pop(meeting.id, None)

    async def _restore(self, run: RoomRun) -> None:
        meeting = None
        with suppress(NotFound):
            async with self._store.reading() as tx:
                meeting = await tx.meetings.get(run.meeting)
        if meeting is None or self._is_over(meeting):
            await self._end(run)
        else:
            await self._begin(run, meeting, restored=True)

    def _is_over(self, meeting: Meeting) -> bool:
        past = meeting.closes_at is not None and self._clock.now() >= meeting.closes_at
        return past or meeting.state(self._clock.now()) is MeetingState.CANCELLED

    async def _begin(self, run: RoomRun, meeting: Meeting, *, restored: bool = False) -> Room:
        room = Room(
            run,
            meeting,
            store=self._store,
            workers=self._workers,
            clock=self._clock,
            settings=self._settings,
            dropped=self._dropped,
        )
        self._rooms[run.id] = room  # its worker's first events must find it
        try:
            await room.open(restored=restored)
        except BaseException:
            del self._rooms[run.id]
            raise
        self._by_meeting[meeting.id] = room
        # in a context of its own: its log lines are not about the request that happened to open it
        task = asyncio.create_task(room.run(), context=Context())
        self._owners[run.id] = task
        task.add_done_callback(lambda _: self._forget(room))
        log.info("room_opened", room=run.id, meeting=meeting.id)
        return room

    def _forget(self, room: Room) -> None:
        self._rooms.pop(room.id, None)
        self._owners.pop(room.id, None)
        if self._by_meeting.get(room.meeting.id) is room:
            del self._by_meeting[room.meeting.id]
        log.info("room_closed", room=room.id)

    async def _end(self, run: RoomRun) -> None:
        async with self._store.writing() as tx:
            await tx.rooms.update(replace(run, ended_at=self._clock.now()))
