"""A room whose worker has died: opened again on another, with every seat that was taken."""

import asyncio
from collections.abc import Callable

import structlog

from mcu.clock import Clock
from mcu.conference.link import Link
from mcu.conference.roster import Roster
from mcu.errors import McuError
from mcu.ids import RoomId
from mcu.media import messages as media
from mcu.media.life import LegState

log = structlog.get_logger(__name__)

RETRY_S = 0.2  # between attempts


class Reopening:
    """One room's. `given_up` is called where no seat would be kept any longer."""

    def __init__(
        self,
        room: RoomId,
        roster: Roster,
        link: Link,
        *,
        profile: Callable[[], media.RoomProfile],
        clock: Clock,
        given_up: Callable[[], None],
    ) -> None:
        self._room, self._roster, self._link = room, roster, link
        self._profile, self._clock, self._given_up = profile, clock, given_up
        self._task: asyncio.Task[None] | None = None

    @property
    def tasks(self) -> list[asyncio.Task[None]]:
        """To be cancelled when the room closes."""
        return [] if self._task is None else [self._task]

    def begin(self) -> None:
        """Until a worker has the room again. One that goes on already goes on."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._reopen())

    async def _reopen(self) -> None:
        give_up = self._clock.monotonic() + self._profile().resume_window_s
        while not self._link.is_open:
            try:
                await self._link.open(self._profile(), absent(self._roster))
            except McuError as error:
                log.warning("room_not_reopened", room=self._room, code=error.code)
                if self._clock.monotonic() > give_up:
                    self._given_up()
                    return
                await asyncio.sleep(RETRY_S)
        if self._roster.spotlight is not None:
            self._link.send(media.Spotlight(room=self._room, leg=self._roster.spotlight))


def absent(roster: Roster) -> list[media.AbsentLeg]:
    """Those whom a new worker is told of: their seats are kept, and their browsers on their way back."""
    return [
        media.AbsentLeg(
            leg=seat.leg,
            label=seat.person.name,
            language=seat.person.language,
            muted=seat.muted,
            held=seat.held,
        )
        for seat in roster
        if seat.state is LegState.RECONNECTING
    ]
