"""A call's seat in a room: what its keys and the room's news come to (`controls.py`) is done, and said to it."""

from collections.abc import Iterable
from contextlib import suppress

from mcu.clock import Clock
from mcu.conference.acts import Remove, SetScreen, Tell
from mcu.conference.room import Room
from mcu.conference.updates import Update, Watcher
from mcu.errors import McuError
from mcu.ids import LegId
from mcu.media.messages import Cause
from mcu.signalling.sip.controls import Controls, Do
from mcu.signalling.sip.prompts import Words


class Seat:
    """Raises nothing, but in `leave`: a room that ends tells so itself."""

    def __init__(self, room: Room, leg: LegId, clock: Clock) -> None:
        self._room, self._leg, self._clock = room, leg, clock
        self._controls = Controls(leg)

    async def key(self, key: str) -> None:
        await self._do(self._controls.key(key, self._clock.monotonic()))

    async def heard_of(self, update: Update) -> None:
        await self._do(self._controls.heard_of(update, self._clock.monotonic(), self._clock.now()))

    async def share(self, on: bool) -> None:
        """It shares a screen by a line of its own, or no longer. It hears why that is not seen, where it is not."""
        words = await self._words_of(Do((), (SetScreen(leg=self._leg, on=on),)))
        if words:
            await self._say(words)

    def next_timer(self) -> float | None:
        return self._controls.next_timer()

    async def time_came(self) -> None:
        await self._do(self._controls.handle_timer(self._clock.monotonic()))

    async def leave(self, watcher: Watcher) -> None:
        """Raises `McuError` where it is gone already."""
        self._room.detach(self._leg, watcher)
        await self._room.act(self._leg, Remove(leg=self._leg, cause=Cause.HANGUP))

    async def _do(self, wanted: Iterable[Do]) -> None:
        for one in wanted:
            await self._say(await self._words_of(one))

    async def _words_of(self, wanted: Do) -> Words:
        try:
            if wanted.acts:
                await self._room.act(self._leg, *wanted.acts)
        except McuError as error:
            return self._controls.refused(error, self._clock.monotonic())
        return wanted.words

    async def _say(self, words: Words) -> None:
        with suppress(McuError):  # the seat is gone, and this is about to be told
            await self._room.act(self._leg, Tell(leg=self._leg, prompts=words))
