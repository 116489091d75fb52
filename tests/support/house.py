"""A conference in one meeting: on a real database and the real announcing, with time and death at the test's hand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

from meetings import HandClock, meeting
from paper_worker import PaperWorkers

from mcu.booking.meeting import Meeting
from mcu.conference import room as room_module
from mcu.conference.acts import (
    Act,
)
from mcu.conference.conference import Conference
from mcu.conference.room import Room, RoomSettings
from mcu.conference.roster import Line, Person
from mcu.conference.updates import Update
from mcu.ids import LegId
from mcu.media.life import LegState
from mcu.media.messages import NoticeKind, NoticeRecord, RoomProfile
from mcu.storage.database import Database
from mcu.telemetry.metrics import Metrics

S = LegState
U = TypeVar("U", bound=Update)


class Ear:
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.told: list[Update] = []

    def tell(self, update: Update) -> None:
        self.told.append(update)

    def all(self, kind: type[U]) -> list[U]:
        return [update for update in self.told if isinstance(update, kind)]


class House:
    """A conference in one meeting."""

    def __init__(
        self, conference: Conference, workers: PaperWorkers, clock: HandClock, booked: Meeting, metrics: Metrics
    ) -> None:
        self.conference, self.workers, self.clock, self.booked = conference, workers, clock, booked
        self.metrics = metrics
        self.ears: dict[LegId, Ear] = {}

    @property
    def room(self) -> Room:
        found = self.conference.room_of(self.booked.id)
        assert found is not None
        return found

    async def knock(self, person: Person) -> LegId:
        _, leg = await self.conference.join(self.booked, person)
        return leg

    async def sit(self, person: Person) -> LegId:
        """Joins, connects, and is in the room if nothing keeps it out."""
        leg = await self.knock(person)
        await self.connect(leg)
        return leg

    async def connect(self, leg: LegId, *, elsewhere: bool = False) -> Ear:
        await self.room.sit(leg, "offer m=video", muted=False, elsewhere=elsewhere)
        ear = self.ears[leg] = Ear()
        await self.room.attach(leg, ear)
        self.workers.now.connect(leg)
        await self.settle()
        return ear

    async def settle(self, ticks: int = 60) -> None:
        """Ticks of the worker, each followed by the room's own turn."""
        for _ in range(ticks):
            self.workers.now.tick()
            await asyncio.sleep(0)
        await self.turn()

    async def turn(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)

    async def act(self, who: LegId | None, act: Act) -> None:
        await self.room.act(who, act)
        await self.settle()

    async def pass_(self, seconds: float) -> None:
        """Time goes by for the room, which looks at the clock when it ticks."""
        self.clock.pass_(seconds)
        await asyncio.sleep(room_module.TICK_S * 2)
        await self.settle()

    async def closes(self, room: Room) -> None:
        """Waits for the room's end to be on disk."""
        await asyncio.wait_for(room.closed.wait(), 5)
        await self.turn()

    def line(self, leg: LegId) -> Line:
        return self.room.line(leg)

    def states(self) -> dict[str, S]:
        return {line.name: line.state for line in self.room.lines()}

    def told(self, kind: NoticeKind) -> list[NoticeRecord]:
        return [record for record in self.workers.notices() if record.kind is kind]


@asynccontextmanager
async def house(
    database: Database,
    booked: Meeting | None = None,
    *,
    fresh: bool = True,
    profile: RoomProfile = RoomProfile(resume_window_s=60),  # noqa: B008 - frozen
) -> AsyncIterator[House]:
    booked = booked or meeting()
    if fresh:
        async with database.writing() as tx:
            await tx.meetings.add(booked)
    workers, clock = PaperWorkers(), HandClock()
    settings = RoomSettings(profile=profile, empty_grace_s=30)
    metrics = Metrics()
    conference = Conference(
        store=database, workers=workers, clock=clock, settings=settings, dropped=metrics.control_dropped
    )
    await conference.start()
    try:
        yield House(conference, workers, clock, booked, metrics)
    finally:
        await conference.stop()
