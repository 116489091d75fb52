"""A call's seat in a room: what its keys and the room's news come to (`controls.py`) is done, and said to it."""

from collections.abc import Iterable
from contextlib import suppress

from mcu.booking.meeting import Meeting
from mcu.clock import Clock
from mcu.conference.acts import Remove, SetCamera, SetHeld, SetScreen, Tell
from mcu.conference.room import Room
from mcu.conference.roster import Wait
from mcu.conference.updates import InLobby, RoomNow, RosterNow, Update, Watcher
from mcu.conference.workers import Worker
from mcu.errors import Conflict, McuError
from mcu.ids import CallId, LegId
from mcu.media.messages import Cause
from mcu.signalling.sip.controls import Controls, Do
from mcu.signalling.sip.prompts import Words


class Seat:
    """Raises nothing, but in `leave`: a room that ends tells so itself."""

    def __init__(self, room: Room, leg: LegId, clock: Clock, voice: str) -> None:
        self._room, self._leg, self._clock, self._voice = room, leg, clock, voice
        self._controls = Controls(leg)
        self._held = self._said_held = self._camera = False
        self.others_share = False  # as far as it may know of others
        self.waits_for: Wait | None = None  # in the lobby

    async def key(self, key: str) -> None:
        await self._do(self._controls.key(key, self._clock.monotonic()))

    def is_known(self, update: RosterNow | RoomNow) -> bool:
        """Whether there is nothing to do or say about it: then `heard_of` need not be called."""
        if isinstance(update, RosterNow) and (
            self._held != self._said_held or self._others_share(update) != self.others_share
        ):
            return False
        return self._controls.is_known(update)

    def _others_share(self, roster: RosterNow) -> bool:
        """Whether another shares a screen."""
        return bool(roster.screens - {self._leg})

    async def heard_of(self, update: Update) -> None:
        if isinstance(update, RosterNow):
            self.others_share = self._others_share(update)
            self.waits_for = None if self.in_room else self.waits_for
            await self._follow_hold()
        elif isinstance(update, InLobby):
            self.waits_for = update.reason
        await self._do(self._controls.heard_of(update, self._clock.monotonic(), self._clock.now()))

    async def share(self, on: bool) -> bool:
        """It shares a screen by a line of its own, or no longer: whether it may. It hears why, where it may not."""
        words = await self._words_of(Do((), (SetScreen(leg=self._leg, on=on),)))
        if words:
            await self._say(words)
        return not words

    @property
    def shares(self) -> bool:
        """Whether it does, as the room has it."""
        seat = self._room.seat(self._leg)
        return seat is not None and seat.screen

    @property
    def meeting(self) -> Meeting:
        return self._room.meeting

    @property
    def in_room(self) -> bool:
        """The others have been told of it."""
        seat = self._room.seat(self._leg)
        return seat is not None and seat.knows

    def next_timer(self) -> float | None:
        return self._controls.next_timer()

    async def time_came(self) -> None:
        await self._do(self._controls.handle_timer(self._clock.monotonic()))

    async def worker(self) -> Worker:
        """The room's, as soon as there is one. Raises `Unavailable`."""
        return await self._room.media_worker()

    async def take_again(self, call: CallId) -> None:
        """With a call that the room's new worker has in its reception. Raises as `Room.seat_call`."""
        await self._room.seat_call(self._leg, call, again=True)

    async def hold(self, held: bool) -> None:
        """The other side has put us on hold, or resumes: it leaves the room's sound and picture, or returns to it."""
        self._held = held
        await self._follow_hold()

    async def show(self, *, camera: bool) -> None:
        """Whether the others see its picture from now on."""
        if camera != self._camera:
            self._camera = camera
            await self._room.act(self._leg, SetCamera(leg=self._leg, on=camera))

    async def _follow_hold(self) -> None:
        if self._held != self._said_held:
            with suppress(Conflict):  # it is not in the room yet
                await self._room.act(self._leg, SetHeld(leg=self._leg, held=self._held))
                self._said_held = self._held

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
            await self._room.act(self._leg, Tell(leg=self._leg, prompts=words, voice=self._voice))
