"""One call that dials in: from the reception's menu into a room's seat, and to its end on either side.

Each has one owner, a task with a bounded queue: keys, what the door and the worker say, what the room tells, and what
the other side of the call does come in one after the other. A `conference.updates.Watcher` of its seat.
"""

import asyncio
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from mcu.booking.door import Door, NotAdmitted
from mcu.clock import Clock
from mcu.conference.acts import Remove
from mcu.conference.conference import Conference
from mcu.conference.room import Room
from mcu.conference.roster import Language, Person
from mcu.conference.updates import Over, Update
from mcu.conference.workers import Worker, Workers
from mcu.errors import McuError, Unavailable
from mcu.ids import CallId, LegId
from mcu.media.messages import (
    AcceptCall,
    AnswerCall,
    Answered,
    CallKey,
    CallLost,
    CallTold,
    Cause,
    EndCall,
    OfferCall,
    SayToCall,
)
from mcu.protocol.sip.call import Call
from mcu.protocol.sip.events import Changed, Changing, Ended, Established
from mcu.protocol.sip.message import Response
from mcu.signalling.sip.menu import Ask, HangUp, Menu, Prompt, Say

log = structlog.get_logger(__name__)

QUEUE_MAX: Final = 200  # more of one call and it is hung up: nobody presses so fast
PICK_S: Final = 5.0
CHANGE_S: Final = 10.0  # for the other side to answer a change
SEAT_NAMES: Final = {"sv": "Telefon", "en": "Telephone"}  # a header's name is nobody's word (S5.3)

Happening = CallKey | CallTold | CallLost | Established | Changing | Changed | Ended | Update


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


class Visit:
    """`tell` it what happens, and `run` it once."""

    def __init__(self, house: House, name: CallId, call: Call, number: str, address: str) -> None:
        self.name, self.call = name, call
        self.worker: Worker | None = None
        self._house, self._address = house, address
        self._menu = Menu(house.language, number)
        self._queue: asyncio.Queue[Happening] = asyncio.Queue(QUEUE_MAX)
        self._seat: tuple[Room, LegId] | None = None
        self._over = self._leaving = False
        self._agreed = ("", "")  # their offer, and our answer to it

    def tell(self, happening: Happening) -> None:
        """Takes it without waiting. A call that says too much is ended."""
        try:
            self._queue.put_nowait(happening)
        except asyncio.QueueFull:
            self._hang_up()

    def lost(self) -> None:
        """Its worker has died."""
        self.worker = None
        self._hang_up()

    async def run(self) -> None:
        """Until the call is over on both sides. Raises nothing."""
        try:
            await self._receive()
            while not self._over:
                await self._step()
        except McuError as error:
            log.info("call_ended", call=self.name, code=error.code)
            self.call.refuse(error.sip)
        except Exception:  # this call ends, and no other
            log.exception("call_failed", call=self.name)
            self.call.refuse(500)
        finally:
            self._hang_up()
            await self._leave()

    # -- the reception ------------------------------------------------------------------------------------------------

    async def _receive(self) -> None:
        """Answers their offer, on any worker. Raises what refuses it."""
        offer = self.call.invite.body.decode(errors="replace")
        if not offer:
            raise Unavailable("Calls without an offer are not taken.")
        worker = await self._house.workers.pick(PICK_S)
        reply = await worker.ask(AnswerCall(call=self.name, offer=offer, encrypted=self._house.encrypted))
        self.worker = worker
        answer = _sdp(reply)
        self._agreed = (offer, answer)
        self.call.answer(answer.encode())
        self._house.line.pump()

    async def _step(self) -> None:
        due = self._menu.next_timer() if self._seat is None else None
        wait = None if due is None else max(0.0, due - self._house.clock.monotonic())
        try:
            async with asyncio.timeout(wait):
                happening = await self._queue.get()
        except TimeoutError:
            await self._do(self._menu.handle_timer(self._house.clock.monotonic()))
            return
        await self._happened(happening)

    async def _happened(self, happening: Happening) -> None:
        match happening:
            case Ended() | CallLost() | Over():
                self._over = True
            case Established():
                await self._do(self._menu.begin(self._house.clock.monotonic()))
            case CallKey(key=key):
                await self._key(key)
            case CallTold():
                self._menu.said(self._house.clock.monotonic())
                self._over = self._leaving
            case Changing():
                self._change(happening)
            case _:
                pass  # what the room shows, a telephone does not

    async def _key(self, key: str) -> None:
        if self._seat is None:
            await self._do(self._menu.key(key, self._house.clock.monotonic()))

    async def _do(self, actions: list[Say | Ask | HangUp]) -> None:
        for action in actions:
            match action:
                case Say(prompts, language):
                    await self._say(prompts, language)
                case Ask(number, pin):
                    await self._ask(number, pin)
                case HangUp():
                    self._leaving = True

    async def _say(self, prompts: tuple[Prompt, ...], language: str) -> None:
        assert self.worker is not None  # nothing is said before it is answered
        await self.worker.ask(SayToCall(call=self.name, prompts=[str(one) for one in prompts], language=language))

    async def _ask(self, number: str, pin: str | None) -> None:
        now = self._house.clock.monotonic()
        try:
            entrant = await self._house.door.by_pin(number, pin, self._address)
        except NotAdmitted:
            await self._do(self._menu.not_opened(now))
            return
        await self._do(self._menu.opened())
        name = SEAT_NAMES[self._menu.language]
        person = Person(name=name, role=entrant.role, language=self._menu.language, kind="sip")
        room, leg = await self._house.conference.join(entrant.meeting, person)
        await self._enter(room, leg)

    # -- the room -----------------------------------------------------------------------------------------------------

    async def _enter(self, room: Room, leg: LegId) -> None:
        if room.worker is None:
            raise Unavailable("The room has no media worker at the moment.")
        if room.worker is not self.worker:
            await self._bring_to(room.worker)
        await room.seat_call(leg, self.name)
        self._seat = (room, leg)
        await room.attach(leg, self)

    async def _bring_to(self, worker: Worker) -> None:
        """The room is on another worker than the reception that the call is in: its media moves there."""
        theirs, said = self._agreed
        offer = _sdp(await worker.ask(OfferCall(call=self.name, said=said, encrypted=self._house.encrypted)))
        former, self.worker = self.worker, worker
        self.call.change(offer.encode())
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
        offer, answer = self._agreed
        if _without_origin(changing.request.body.decode(errors="replace")) == _without_origin(offer):
            self.call.accept_change(answer.encode())
        else:
            self.call.refuse_change(488)
        self._house.line.pump()

    # -- the end ------------------------------------------------------------------------------------------------------

    def _hang_up(self) -> None:
        self._over = True
        self.call.hang_up()
        self._house.line.pump()

    async def _leave(self) -> None:
        try:
            if self._seat is not None:
                room, leg = self._seat
                room.detach(leg, self)
                await room.act(leg, Remove(leg=leg, cause=Cause.HANGUP))
            elif self.worker is not None:
                await self.worker.ask(EndCall(call=self.name))
        except McuError as error:  # it is gone already
            log.debug("call_left", call=self.name, code=error.code)


def _sdp(reply: object) -> str:
    if not isinstance(reply, Answered):
        raise McuError("The media worker gave no SDP.")
    return reply.answer


def _without_origin(sdp: str) -> list[str]:
    return [line for line in sdp.splitlines() if not line.startswith("o=")]
