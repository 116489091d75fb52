"""One call, whoever made it: from where it arrives (`incoming.py`) into a room's seat, and to its end on either side.

Each has one owner, a task with a bounded queue: keys, what the door and the worker say, what the room tells, and what
the other side of the call does come in one after the other. A `conference.updates.Watcher` of its seat.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import structlog

from mcu.booking.door import Door
from mcu.booking.endpoints import Endpoint
from mcu.booking.meeting import Meeting
from mcu.booking.organisations import Organisations
from mcu.clock import Clock
from mcu.conference.conference import Conference
from mcu.conference.room import Room
from mcu.conference.roster import Language
from mcu.conference.updates import GoneCause, InLobby, Over, RoomNow, RosterNow, Update
from mcu.conference.workers import Worker, Workers, answered
from mcu.errors import McuError, Unavailable
from mcu.ids import CallId, LegId
from mcu.media.call_messages import (
    AcceptCall,
    AllowSlides,
    CallKeyed,
    CallLost,
    CallShares,
    CallTold,
    CallUnsighted,
    Card,
    ChangeCall,
    EndCall,
    HoldCall,
    LineKeys,
    OfferCall,
    RefreshCall,
    SayToCall,
    ShowToCall,
)
from mcu.net.bfcp.server import FloorServer
from mcu.net.sip.endpoint import Flow
from mcu.protocol.bfcp.floor import Asked, Released
from mcu.protocol.bfcp.participant import MayShow, TheyShow
from mcu.protocol.sdp.description import parse
from mcu.protocol.sdp.exchange import Kind, kinds
from mcu.protocol.sdp.keying import BY_DTLS
from mcu.protocol.sip import media_control
from mcu.protocol.sip.call import Call
from mcu.protocol.sip.call_state import State
from mcu.protocol.sip.events import Changed, Changing, Ended
from mcu.protocol.sip.message import Request, Response
from mcu.signalling.sip import cards
from mcu.signalling.sip.happenings import Happening, Pressed, Unsighted, WorkerLost
from mcu.signalling.sip.presses import Presses, Way
from mcu.signalling.sip.prompts import Prompt, Words
from mcu.signalling.sip.reoffer import Line, Reoffer
from mcu.signalling.sip.seat import Seat
from mcu.signalling.sip.slides import Slides, Unused

log = structlog.get_logger(__name__)

QUEUE_MAX: Final = 200  # more of one call and it is hung up: nobody presses so fast
PICK_S: Final = 5.0
MOVES: Final = 5  # after the death of a worker, in a row
MOVE_AGAIN_S: Final = 0.2
LEAVING_S: Final = 20.0  # for the last words
FAREWELLS: Final[Mapping[GoneCause, Words]] = {
    "removed": (Prompt.REMOVED, Prompt.GOODBYE),
    "ended": (Prompt.ENDED, Prompt.GOODBYE),
}


class Pending(McuError):
    """The call is being moved: they may ask again (RFC 3261, section 14.2)."""

    code, title = "pending", "The call is being changed already"
    sip = 491


@dataclass(frozen=True, kw_only=True)
class House:
    """What a visit needs of the server."""

    conference: Conference
    workers: Workers
    door: Door
    clock: Clock
    line: Line
    floors: FloorServer
    floor_unused_s: float
    encrypted: bool
    language: Language
    organisations: Organisations
    voice: str = ""  # whose recordings are heard: an organisation's


class Visit(ABC):
    """`tell` it what happens, and `run` it once."""

    def __init__(self, house: House, name: CallId, call: Call | None = None) -> None:
        self.name, self.call = name, call  # one that we make is there when it is placed
        self.worker: Worker | None = None
        self._house = house
        self._presses = Presses()
        self._queue: asyncio.Queue[Happening] = asyncio.Queue(QUEUE_MAX)
        self._roster: RosterNow | None = None  # the newest, for which one waits in the queue
        self._seat: Seat | None = None
        self._language: Language = house.language
        self._leaving_at: float | None = None  # all is said then, at the latest
        self._over = self._shares = False
        self._allowed = True  # to be sent slides, as its worker knows
        self._agreed = ("", "")  # their SDP, and ours
        self._keys: tuple[LineKeys, ...] = ()  # by DTLS: what it moves with
        self._offered = ""  # ours, where they asked for one
        self._held = False  # by them
        self._reoffer: Reoffer | None = None
        self._slides = Slides(house.floors, self.tell, house.floor_unused_s)

    def tell(self, happening: Happening) -> None:
        """Takes it without waiting. A call that says too much is ended."""
        if isinstance(happening, CallKeyed):
            self._keys = happening.keys
            return
        if self._reoffer is not None and self._reoffer.takes(happening):
            return
        if isinstance(happening, RosterNow | RoomNow) and self._is_known(happening):
            return  # a meeting of hundreds would wake all calls whenever somebody begins to speak
        if isinstance(happening, RosterNow):
            former, self._roster = self._roster, happening
            if former is not None:
                return
        try:
            self._queue.put_nowait(happening)
        except asyncio.QueueFull:
            self._hang_up()

    @property
    @abstractmethod
    def endpoint(self) -> Endpoint | None:
        """Whose call it is, where one of ours."""

    def _is_known(self, update: RosterNow | RoomNow) -> bool:
        return self._seat is not None and self._queue.empty() and self._seat.is_known(update)

    def pressed(self, way: Way, key: str) -> None:
        """A key of theirs. One that came by the other way already is let go."""
        if self._presses.is_new(way, key, self._house.clock.monotonic()):
            self.tell(Pressed(key))

    def lost(self) -> None:
        """Its worker has died."""
        self.worker = None
        self.tell(WorkerLost())

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
            self._slides.close()
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
        if isinstance(happening, RosterNow) and self._roster is not None:
            happening, self._roster = self._roster, None
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
                await self._slides.follow(self._seat)
                if isinstance(happening, InLobby):
                    await self._show_lobby()
            case _:
                await self._media_happened(happening)

    async def _media_happened(self, happening: Happening) -> None:
        match happening:
            case Changing():
                await self._change(happening)
            case Changed(message=message):
                await self._changed(message)
            case WorkerLost():
                await self._move()
            case CallShares() | CallUnsighted() | Unsighted():
                await self._about_pictures(happening)
            case Asked() | TheyShow() if self._seat is not None:
                await self._slides.follow(self._seat)
            case MayShow():
                await self._allow_slides()
            case Released() | Unused() if self._seat is not None:
                await self._seat.share(False)
                await self._slides.follow(self._seat)  # whose floor it was is told so
            case _:
                pass

    async def _about_pictures(self, happening: CallShares | CallUnsighted | Unsighted) -> None:
        match happening:
            case CallShares(on=on):
                await self._screen_comes(on)
            case CallUnsighted() if self.call is not None and self.call.state is State.UP:
                self.call.inform(media_control.TYPE, media_control.FAST_UPDATE)
                self._house.line.pump()
            case Unsighted() if self.worker is not None:
                await self.worker.ask(RefreshCall(call=self.name))

    async def _screen_comes(self, on: bool) -> None:
        """By a line for it, or no longer: that alone says of who asks for no floor that it shares."""
        self._slides.pictures(come=on)
        if self._slides.used:
            await self._slides.follow(self._seat)
            return
        self._shares = on
        if self._seat is not None:
            await self._seat.share(on)

    async def _say_farewell(self, cause: GoneCause) -> None:
        """The room has no seat for it any more, and its worker has it in the reception again where others did that."""
        self._seat = None
        await self._slides.follow(None)
        try:
            await self._leave_after(FAREWELLS[cause], self._language)
        except (KeyError, McuError):
            self._over = True

    async def _leave_after(self, words: Words, language: Language) -> None:
        """Hangs up when this is said. Raises `McuError`."""
        self._leaving_at = self._house.clock.monotonic() + LEAVING_S
        await self._display(cards.said(words, language))
        await self._say(words, language)

    async def _show_lobby(self) -> None:
        if self._seat is not None and self._seat.waits_for is not None:
            await self._display(cards.in_lobby(self._seat.waits_for, self._language))

    async def _display(self, card: Card) -> None:
        """Until it is in the room, where it has a picture. As `_say`."""
        if self.worker is not None and self._has_picture:
            with suppress(McuError):
                await self.worker.ask(ShowToCall(call=self.name, card=card))

    async def _say(self, words: Words, language: Language) -> None:
        """While it has no seat. Where its worker is dead, or is about to be told so, nothing is: see `_come_back`."""
        if self.worker is not None:
            with suppress(Unavailable):
                said = SayToCall(call=self.name, prompts=list(words), language=language, voice=self._house.voice)
                await self.worker.ask(said)

    async def _allow_slides(self) -> None:
        """A system with a floor of its own is shown what others share when it has granted that, and not before."""
        if self.worker is not None and self._slides.allowed != self._allowed:
            self._allowed = self._slides.allowed
            await self.worker.ask(AllowSlides(call=self.name, allowed=self._allowed))

    # -- the room -----------------------------------------------------------------------------------------------------

    async def _enter(self, room: Room, leg: LegId, *, unattended: bool = False) -> None:
        worker = await room.media_worker()
        if worker is not self.worker:
            await self._bring_to(worker)
        await self._allow_slides()
        await room.seat_call(leg, self.name, unattended=unattended)
        self._seat = Seat(room, leg, self._house.clock, self._house.voice)
        await room.attach(leg, self)
        await self._seat.show(camera=self._has_picture)
        await self._seat.hold(self._held)
        if self._shares:
            await self._seat.share(True)

    @property
    def meeting(self) -> Meeting | None:
        """In which it has a seat."""
        return None if self._seat is None else self._seat.meeting

    @property
    def _has_picture(self) -> bool:
        """Whether there is one in what was agreed: both sides have it."""
        return all(Kind.MAIN in kinds(parse(said)) for said in self._agreed)

    # -- its media changes --------------------------------------------------------------------------------------------

    async def _bring_to(self, worker: Worker, *, anew: bool = False) -> None:
        """Its media moves to this worker's reception, by re-INVITE. Raises `Unavailable`, `NotTaken`: it is not there.

        `anew`: from another telephone.
        """
        assert self.call is not None
        _, said = self._agreed
        command = OfferCall(
            call=self.name,
            said=said,
            anew=anew,
            encrypted=self._house.encrypted,
            by_dtls=anew and any(line.protocol in BY_DTLS for line in parse(said).media),
            keys=self._keys,
        )
        offer = self._slides.offer(answered(await worker.ask(command)).answer)
        former, self.worker = self.worker, worker
        try:
            await self._agree_on(offer, worker, self.call)
        except McuError:
            self.worker = former
            await self._end_at(worker)
            raise
        if former is not None:
            await self._end_at(former)

    async def _agree_on(self, offer: str, worker: Worker, call: Call) -> None:
        self._reoffer = Reoffer(call, self._house.line)
        try:
            answer = await self._reoffer.answer_to(offer)
        finally:
            self._reoffer = None
        reply = answered(await worker.ask(AcceptCall(call=self.name, answer=self._accepted(answer))))
        self._agreed, self._held, self._allowed = (answer, offer), False, True
        await self._hold(reply.held)
        await self._allow_slides()

    async def _end_at(self, worker: Worker) -> None:
        with suppress(McuError):  # it is gone, and the call with it
            await worker.ask(EndCall(call=self.name))

    async def _move(self) -> None:
        """Its worker has died: into the same seat on another, or back to where it was. Raises as `_bring_to`."""
        for left in reversed(range(MOVES)):
            if self.worker is not None:
                return  # it has moved since
            try:
                worker = await (self._seat.worker() if self._seat is not None else self._house.workers.pick(PICK_S))
                await self._bring_to(worker)
                await self._come_back()
                log.info("call_moved", call=self.name)
            except Unavailable:  # that one has died too
                self.worker = None
                if not left:
                    raise
                await asyncio.sleep(MOVE_AGAIN_S)  # until its death is known, it is picked again

    async def _come_back(self) -> None:
        """On another worker."""
        if self._seat is not None:
            await self._seat.take_again(self.name)
            await self._show_lobby()
        self._over = self._over or self._leaving_at is not None  # what was left to say is lost

    async def _change(self, changing: Changing) -> None:
        """What the worker refuses leaves the call as it was."""
        assert self.call is not None
        if changing.request is not self.call.changes.asked:
            return  # it was refused meanwhile
        offer = changing.request.body.decode(errors="replace")
        try:
            if self.worker is None:
                raise Pending
            reply = answered(await self.worker.ask(ChangeCall(call=self.name, offer=offer)))
        except McuError as error:
            log.info("change_refused", call=self.name, code=error.code)
            self.call.changes.refuse(error.sip)
        else:
            if offer:
                said = self._answer_to(offer, reply.answer)
                await self._agree((offer, said), held=reply.held)
            else:
                said = self._offered = self._slides.offer(reply.answer)
            self.call.changes.accept(said.encode())
        self._house.line.pump()

    async def _changed(self, message: Request | Response) -> None:
        """The ACK of an INVITE in which they asked us for an offer has their answer."""
        offered, self._offered = self._offered, ""
        if offered and message.body and self.worker is not None:
            theirs = message.body.decode(errors="replace")
            reply = answered(await self.worker.ask(AcceptCall(call=self.name, answer=self._accepted(theirs))))
            await self._agree((theirs, offered), held=reply.held)

    def _answer_to(self, offer: str, reply: str) -> str:
        """With what we have to say of the floor beside the media."""
        return self._slides.answer(offer, reply, self._peer)

    def _accepted(self, answer: str) -> str:
        """Theirs, of media alone. Raises `Invalid`."""
        return self._slides.accept(answer, self._peer)

    @property
    def _peer(self) -> str:
        """From where their signalling comes."""
        assert self.call is not None
        assert isinstance(self.call.flow, Flow)
        return self.call.flow.peer.host

    async def _agree(self, agreed: tuple[str, str], *, held: bool) -> None:
        self._agreed = agreed
        await self._hold(held)
        await self._allow_slides()
        if self._seat is not None:
            await self._seat.show(camera=self._has_picture)

    async def _hold(self, held: bool) -> None:
        """Who is on hold leaves the room's sound before its packets stop: what it is told in the room, it hears."""
        if held == self._held or self.worker is None:
            return
        self._held = held
        if held and self._seat is not None:
            await self._seat.hold(held)
        await self.worker.ask(HoldCall(call=self.name, held=held))
        if not held and self._seat is not None:
            await self._seat.hold(held)

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
