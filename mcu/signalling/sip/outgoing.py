"""A call that the server makes: by one way after another until somebody answers, and then into the room's seat.

Until it has its seat it is in the reception of the room's worker: who is called hears nothing of the room, and is not
heard. What comes before the answer (early media) goes nowhere. They are told what it is about, and come in by the same
door as everybody. Where a machine has answered, their seat is muted until somebody there presses a key
(S5.3-9; `controls.py`).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

import structlog

from mcu.booking.endpoints import Endpoint
from mcu.conference.acts import CallOut
from mcu.conference.policy import UNDER_WAY
from mcu.conference.room import Room
from mcu.conference.roster import Stage
from mcu.conference.workers import answered
from mcu.errors import McuError, Unavailable
from mcu.ids import LegId
from mcu.media.call_messages import AcceptCall, CallLost, CallTold, EndCall, OfferCall
from mcu.net.sip.endpoint import Flow
from mcu.net.sip.names import Place
from mcu.protocol.sip.call import Call
from mcu.protocol.sip.events import Ended, Established, Progressed
from mcu.protocol.sip.message import Response
from mcu.signalling.sip.happenings import Happening, HungUp, Pressed, WorkerLost
from mcu.signalling.sip.outcome import NEXT_WAY, TRY_S, is_automatic, retry_after, stage_of
from mcu.signalling.sip.prompts import Prompt
from mcu.signalling.sip.refusals import why
from mcu.signalling.sip.visit import House, Visit
from mcu.signalling.sip.ways import Way, Ways

log = structlog.get_logger(__name__)

TELL_S: Final = 15.0  # for what they are told, at most


class NotAnswered(McuError):
    """Nobody who was called has come to speak."""

    code, title = "not-answered", "The call was not answered"
    sip = 480


class Desk(Protocol):
    """Where calls are placed, and whose events come back to the visit."""

    def place(self, visit: "Outgoing", way: Way, flow: Flow, offer: str) -> Call: ...

    def forget(self, call: Call) -> None:
        """Nothing more of this call is for the visit."""


@dataclass(frozen=True, slots=True)
class Missed:
    """An attempt that came to nothing. `again`: another may not. `wait_s`: what the other side says until its next."""

    stage: Stage
    again: bool
    wait_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Patience:
    """In seconds. `person_s`: faster than that no person answers."""

    ring_s: float
    person_s: float


class Outgoing(Visit):
    """`by`: at least one way."""

    def __init__(
        self, house: House, out: CallOut, room: Room, *, ways: Ways, by: Sequence[Way], desk: Desk, patience: Patience
    ) -> None:
        super().__init__(house, out.call)
        self._person, self._room = out.person, room
        self._ways, self._by, self._desk, self._patience = ways, by, desk, patience
        self._stage = Stage.CALLING
        self._way: Way | None = None  # that is tried, or has been answered
        self._rang_at: float | None = None
        self._begun_at = 0.0

    @property
    def endpoint(self) -> Endpoint | None:
        own = None if self._way is None else self._way.own
        return None if own is None else own.endpoint

    async def run(self) -> None:
        try:
            await super().run()
        finally:
            if self._stage in UNDER_WAY:
                self._show(Stage.ENDED)
            self._give_back()

    async def _arrive(self) -> None:
        try:
            response = await self._answered()
            await self._come_in(response)
        except NotAnswered:
            raise
        except McuError:
            self._show(Stage.FAILED)
            raise

    # -- until somebody answers ---------------------------------------------------------------------------------------

    async def _answered(self) -> Response:
        """Raises `NotAnswered`, and what else keeps a call from being made."""
        stage = Stage.UNREACHABLE
        for way in self._by:
            outcome = await self._try(way)
            if isinstance(outcome, Response):
                return outcome
            stage = outcome.stage
            if not outcome.again:
                break
        self._show(stage)
        raise NotAnswered

    async def _try(self, way: Way) -> Response | Missed:
        """The answer, or what came instead."""
        if not self._take(way):
            return Missed(Stage.UNREACHABLE, True)
        outcome = await self._try_each(way)
        if isinstance(outcome, Response):
            return outcome
        self._give_back()
        if outcome.again:
            self._failed(way, outcome.wait_s)
        return outcome

    async def _try_each(self, way: Way) -> Response | Missed:
        """One server after another, of those that the name has (RFC 3263, section 4.3)."""
        outcome: Response | Missed = Missed(Stage.UNREACHABLE, True)
        try:
            places = await self._ways.places(way)
        except Unavailable as error:
            self._unreached(way, error)
            return outcome
        for place in places:
            outcome = await self._try_at(way, place)
            if isinstance(outcome, Response) or not outcome.again:
                break
        return outcome

    async def _try_at(self, way: Way, place: Place | Flow) -> Response | Missed:
        try:
            flow = await self._ways.flow(place)
        except Unavailable as error:
            self._unreached(way, error)
            return Missed(Stage.UNREACHABLE, True)
        offer = await self._offer(way, ipv6=":" in flow.peer.host)
        self._rang_at, self._begun_at = None, self._house.clock.monotonic()
        self.call = self._desk.place(self, way, flow, offer)
        ended = await self._outcome(self.call)
        if isinstance(ended, Response):
            self._agreed = (ended.body.decode(errors="replace"), offer)
            self._house = replace(self._house, encrypted=way.encrypted)  # for what it is moved by
            return ended
        return self._given_up(self.call, ended)

    def _unreached(self, way: Way, error: Unavailable) -> None:
        """Only of a trunk is it said what was looked for there."""
        log.warning("call_not_placed", call=self.name, code=error.code, reason=error.detail if way.trunk else None)

    async def _offer(self, way: Way, *, ipv6: bool) -> str:
        worker = self._room.worker
        if worker is None:
            raise Unavailable("The room has no media worker at the moment.")
        await worker.ask(EndCall(call=self.name))  # what was offered by the way before
        self.worker = worker
        command = OfferCall(
            call=self.name, said="", encrypted=way.encrypted, codecs=way.codecs, by_dtls=way.by_dtls, ipv6=ipv6
        )
        return self._slides.offer(answered(await worker.ask(command)).answer)

    async def _outcome(self, call: Call) -> Response | Ended | None:
        """`None`: nothing in time, or it was hung up here."""
        while True:
            happening = await self._next(call)
            match happening:
                case Established(message=Response() as response):
                    return response
                case Ended():
                    return happening
                case Progressed():
                    self._progressed()
                case CallLost() | WorkerLost():
                    raise Unavailable("The media of the call failed.")
                case HungUp():
                    self._stage = Stage.ENDED
                    return None
                case None:
                    return None
                case _:
                    pass

    async def _next(self, call: Call) -> Happening | None:
        """What happens next of this call; `None`: nothing in time."""
        clock = self._house.clock
        while True:
            patience = self._patience.ring_s if call.is_heard else TRY_S
            left = self._begun_at + patience - clock.monotonic()
            if left <= 0:
                return None
            try:
                async with asyncio.timeout(left):
                    happening = await self._queue.get()
            except TimeoutError:
                continue  # a word may have come meanwhile that is told to nobody: then there is more patience
            if getattr(happening, "call", None) in (call, self.name) or isinstance(happening, HungUp | WorkerLost):
                return happening

    def _progressed(self) -> None:
        if self._rang_at is None:
            self._rang_at = self._house.clock.monotonic()
            self._show(Stage.RINGING)

    def _given_up(self, call: Call, ended: Ended | None) -> Missed:
        self._desk.forget(call)
        rang = self._rang_at is not None
        if ended is None:
            call.hang_up()
            self._house.line.pump()
            if self._stage is Stage.ENDED:
                return Missed(Stage.ENDED, False)
            return Missed(Stage.NO_ANSWER, False) if call.is_heard else Missed(Stage.UNREACHABLE, True)
        again = ended.status in NEXT_WAY and not rang
        return Missed(stage_of(ended.status, rang=rang), again, retry_after(ended.message))

    def _failed(self, way: Way, wait_s: float | None = None) -> None:
        if way.trunk is not None:
            self._ways.trunks.failed(way.trunk, self._house.clock.monotonic(), wait_s)
            log.warning("trunk_failed", trunk=way.trunk.name, call=self.name)

    def _take(self, way: Way) -> bool:
        if way.trunk is not None and not self._ways.trunks.take(way.trunk):
            return False
        self._way = way
        return True

    def _give_back(self) -> None:
        way, self._way = self._way, None
        if way is not None and way.trunk is not None:
            self._ways.trunks.give_back(way.trunk)

    # -- into the room ------------------------------------------------------------------------------------------------

    async def _come_in(self, response: Response) -> None:
        waited = self._house.clock.monotonic() - (self._rang_at or self._begun_at)
        automatic = is_automatic(response, waited, self._patience.person_s)
        assert self.worker is not None
        await self.worker.ask(AcceptCall(call=self.name, answer=self._accepted(self._agreed[0])))
        self._show(Stage.ANSWERED)
        pressed = await self._told()
        try:
            leg = await self._room.reserve(self._person)
            await self._enter(self._room, leg, unattended=automatic and not pressed)
        except McuError as error:
            self._show(Stage.FAILED)
            log.info("call_not_let_in", call=self.name, code=error.code)
            await self._leave_after(why(error), self._language)
        else:
            self._show(Stage.JOINED, leg)

    async def _told(self) -> bool:
        """What it is about, until a key is pressed: whether one was. Raises `NotAnswered` where they hang up."""
        self._language = self._person.language
        await self._say((Prompt.CALLED,), self._language)
        try:
            async with asyncio.timeout(TELL_S):
                while True:
                    match happening := await self._queue.get():
                        case CallTold():
                            return False
                        case Pressed():
                            return True
                        case Ended() | CallLost() | HungUp():
                            self._show(Stage.ENDED)
                            raise NotAnswered
                        case _:
                            await self._happened(happening)
        except TimeoutError:
            return False

    def _show(self, stage: Stage, leg: LegId | None = None) -> None:
        self._stage = stage
        self._room.call_came_to(self.name, stage, leg)
