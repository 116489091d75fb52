"""One call, whoever made it: from where it arrives (`incoming.py`) into a room's seat, and to its end on either side.

Each has one owner, a task with a bounded queue: keys, what the door and the worker say, what the room tells, and what
the other side of the call does come in one after the other. A `conference.updates.Watcher` of its seat.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from mcu.booking.door import Door
from mcu.clock import Clock
from mcu.conference.acts import SetCamera
from mcu.conference.conference import Conference
from mcu.conference.room import Room
from mcu.conference.roster import Language
from mcu.conference.updates import GoneCause, Over, Update
from mcu.conference.workers import Worker, Workers
from mcu.errors import McuError, Unavailable
from mcu.ids import CallId, LegId
from mcu.media.call_messages import (
    AcceptCall,
    CallLost,
    CallShares,
    CallTold,
    CallUnsighted,
    EndCall,
    OfferCall,
    RefreshCall,
    SayToCall,
)
from mcu.media.messages import Answered
from mcu.protocol.sdp.description import parse
from mcu.protocol.sdp.exchange import Kind, kinds
from mcu.protocol.sip import media_control
from mcu.protocol.sip.call import Call
from mcu.protocol.sip.call_state import State
from mcu.protocol.sip.events import Changed, Changing, Ended, Established, Progressed
from mcu.protocol.sip.message import Response
from mcu.signalling.sip.presses import Presses, Way
from mcu.signalling.sip.prompts import Prompt, Words
from mcu.signalling.sip.seat import Seat

log = structlog.get_logger(__name__)

QUEUE_MAX: Final = 200  # more of one call and it is hung up: nobody presses so fast
PICK_S: Final = 5.0
CHANGE_S: Final = 10.0  # for the other side to answer a change
LEAVING_S: Final = 20.0  # for the last words
FAREWELLS: Final[Mapping[GoneCause, Words]] = {
    "removed": (Prompt.REMOVED, Prompt.GOODBYE),
    "ended": (Prompt.ENDED, Prompt.GOODBYE),
}


@dataclass(frozen=True, slots=True)
class Pressed:
    """A key, by whichever way: one of 0-9, A-D, * and #."""

    key: str

    def __repr__(self) -> str:
        return "Pressed()"  # it may be of a PIN


@dataclass(frozen=True, slots=True)
class HungUp:
    """A host, or the API, wants a call of ours no more that has no seat yet."""


@dataclass(frozen=True, slots=True)
class Unsighted:
    """They ask for a whole picture."""


Happening = (
    Pressed
    | CallTold
    | CallLost
    | CallUnsighted
    | CallShares
    | Progressed
    | Established
    | Changing
    | Changed
    | Unsighted
    | Ended
    | Update
    | HungUp
)


class Line(Protocol):
    """What sends what the call has to say."""

    def pump(self) -> None: ...


@dataclass(frozen=True, kw_only=True)
class House:
    """What a visit needs of the server."""

    conference: Conference
    workers: Workers
    door: Door
    clock: Clock
    line: Line
    encrypted: bool
    language: Language


class Visit(ABC):
    """`tell` it what happens, and `run` it once."""

    def __init__(self, house: House, name: CallId, call: Call | None = None) -> None:
        self.name, self.call = name, call  # one that we make is there when it is placed
        self.worker: Worker | None = None
        self._house = house
        self._presses = Presses()
        self._queue: asyncio.Queue[Happening] = asyncio.Queue(QUEUE_MAX)
        self._seat: Seat | None = None
        self._language: Language = house.language
        self._leaving_at: float | None = None  # all is said then, at the latest
        self._over = self._shares = False
        self._agreed = ("", "")  # their SDP, and ours

    def tell(self, happening: Happening) -> None:
        """Takes it without waiting. A call that says too much is ended."""
        try:
            self._queue.put_nowait(happening)
        except asyncio.QueueFull:
            self._hang_up()

    def pressed(self, way: Way, key: str) -> None:
        """A key of theirs. One that came by the other way already is let go."""
        if self._presses.is_new(way, key, self._house.clock.monotonic()):
            self.tell(Pressed(key))

    def lost(self) -> None:
        """Its worker has died."""
        self.worker = None
        self._hang_up()

    async def run(self) -> None:
        """Until the call is over on both sides. Raises nothing."""
        try:
            await self._arrive()
            while not self._over:
                await self._step()
        except McuError as error:
            log.info("call_ended", call=self.name, code=error.code)
            self._refuse(error.sip)
        except Exception:  # this call ends, and no other
            log.exception("call_failed", call=self.name)
            self._refuse(500)
        finally:
            self._hang_up()
            await self._leave()

    # -- until it has a seat ------------------------------------------------------------------------------------------

    @abstractmethod
    async def _arrive(self) -> None:
        """Into a worker's reception. Raises what refuses the call."""

    async def _step(self) -> None:
        due = self._next_timer()
        try:
            async with asyncio.timeout(None if due is None else max(0.0, due - self._house.clock.monotonic())):
                happening = await self._queue.get()
        except TimeoutError:
            await self._time_came()
            return
        await self._happened(happening)

    def _next_timer(self) -> float | None:
        return self._leaving_at if self._seat is None else self._seat.next_timer()

    async def _time_came(self) -> None:
        if self._seat is not None:
            await self._seat.time_came()
        else:
            self._over = True

    async def _happened(self, happening: Happening) -> None:
        match happening:
            case Ended() | CallLost():
                self._over = True
            case Over(cause=cause):
                await self._say_farewell(cause)
            case CallTold():
                self._over = self._leaving_at is not None
            case Pressed(key) if self._seat is not None:
                await self._seat.key(key)
            case Update() if self._seat is not None:
                await self._seat.heard_of(happening)
            case Changing():
                self._change(happening)
            case CallShares() | CallUnsighted() | Unsighted():
                await self._about_pictures(happening)
            case _:
                pass

    async def _about_pictures(self, happening: CallShares | CallUnsighted | Unsighted) -> None:
        match happening:
            case CallShares(on=on):
                self._shares = on
                if self._seat is not None:
                    await self._seat.share(on)
            case CallUnsighted() if self.call is not None and self.call.state is State.UP:
                self.call.inform(media_control.TYPE, media_control.FAST_UPDATE)
                self._house.line.pump()
            case Unsighted() if self.worker is not None:
                await self.worker.ask(RefreshCall(call=self.name))

    async def _say_farewell(self, cause: GoneCause) -> None:
        """The room has no seat for it any more, and its worker has it in the reception again where others did that."""
        self._seat = None
        try:
            await self._leave_after(FAREWELLS[cause], self._language)
        except (KeyError, McuError):
            self._over = True

    async def _leave_after(self, words: Words, language: Language) -> None:
        """Hangs up when this is said. Raises `McuError`."""
        self._leaving_at = self._house.clock.monotonic() + LEAVING_S
        await self._say(words, language)

    async def _say(self, words: Words, language: Language) -> None:
        """While it has no seat."""
        assert self.worker is not None  # nothing is said before it is answered
        await self.worker.ask(SayToCall(call=self.name, prompts=list(words), language=language))

    # -- the room -----------------------------------------------------------------------------------------------------

    async def _enter(self, room: Room, leg: LegId, *, unattended: bool = False) -> None:
        if room.worker is None:
            raise Unavailable("The room has no media worker at the moment.")
        if room.worker is not self.worker:
            await self._bring_to(room.worker)
        await room.seat_call(leg, self.name, unattended=unattended)
        self._seat = Seat(room, leg, self._house.clock)
        await room.attach(leg, self)
        if Kind.MAIN in kinds(parse(self._agreed[1])):
            await room.act(leg, SetCamera(leg=leg, on=True))
        if self._shares:
            await self._seat.share(True)

    async def _bring_to(self, worker: Worker) -> None:
        """The room is on another worker than the reception that the call is in: its media moves there."""
        assert self.call is not None
        theirs, said = self._agreed
        offer = sdp_of(await worker.ask(OfferCall(call=self.name, said=said, encrypted=self._house.encrypted)))
        former, self.worker = self.worker, worker
        self.call.changes.offer(offer.encode())
        self._house.line.pump()
        answer = await self._answer_to_change()
        await worker.ask(AcceptCall(call=self.name, answer=answer))
        self._agreed = (theirs, offer)
        if former is not None:
            await former.ask(EndCall(call=self.name))

    async def _answer_to_change(self) -> str:
        """Raises `Unavailable` where they do not take it, or hang up meanwhile."""
        try:
            async with asyncio.timeout(CHANGE_S):
                while not isinstance(happening := await self._queue.get(), Changed):
                    self._over = self._over or isinstance(happening, Ended)
        except TimeoutError:
            raise Unavailable("The other side did not answer.") from None
        message = happening.message
        if self._over or not isinstance(message, Response) or not message.is_success:
            raise Unavailable("The other side did not take the change.")
        return message.body.decode(errors="replace")

    def _change(self, changing: Changing) -> None:
        """The same again refreshes the session; anything else is refused, and the call goes on as it was."""
        assert self.call is not None
        offer, answer = self._agreed
        if _without_origin(changing.request.body.decode(errors="replace")) == _without_origin(offer):
            self.call.changes.accept(answer.encode())
        else:
            self.call.changes.refuse(488)
        self._house.line.pump()

    # -- the end ------------------------------------------------------------------------------------------------------

    def _refuse(self, status: int) -> None:
        if self.call is not None:
            self.call.refuse(status)

    def _hang_up(self) -> None:
        self._over = True
        if self.call is not None:
            self.call.hang_up()
            self._house.line.pump()

    async def _leave(self) -> None:
        try:
            if self._seat is not None:
                await self._seat.leave(self)
            elif self.worker is not None:
                await self.worker.ask(EndCall(call=self.name))
        except McuError as error:  # it is gone already
            log.debug("call_left", call=self.name, code=error.code)


def sdp_of(reply: object) -> str:
    """What a worker answered. Raises `McuError` where it is none."""
    if not isinstance(reply, Answered):
        raise McuError("The media worker gave no SDP.")
    return reply.answer


def _without_origin(sdp: str) -> list[str]:
    return [line for line in sdp.splitlines() if not line.startswith("o=")]
