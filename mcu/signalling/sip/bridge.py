"""A call of an endpoint to another, or into another domain, through us: two calls, and what one says the other hears.

Their SDP is passed on where it keeps to the policy, as the passage of their media has it (`passage.py`): straight from
one to the other, or through a worker. Of several devices of who is called all ring, and the first that answers is
taken. A 3xx is an answer like any other that is none: nobody but the caller chooses who is called.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from mcu.booking.endpoints import Endpoint
from mcu.errors import Conflict, McuError, NotAcceptable
from mcu.ids import CallId
from mcu.net.sip.endpoint import Flow
from mcu.protocol.sdp.description import parse
from mcu.protocol.sdp.opened import OpenedKeys
from mcu.protocol.sdp.secured import is_secured
from mcu.protocol.sip.agent import Recipient
from mcu.protocol.sip.call import Call
from mcu.protocol.sip.call_state import State
from mcu.protocol.sip.events import Changed, Changing, Ended, Established, Progressed, Within
from mcu.protocol.sip.message import HOPS, Request, Response
from mcu.protocol.sip.responses import response_to
from mcu.protocol.sip.transactions import Key
from mcu.protocol.sip.uri import SipUri
from mcu.protocol.sip.values import Address
from mcu.signalling.sip.passage import CALLED, CALLER, Otherwise, Passage, Straight, Then
from mcu.signalling.sip.reoffer import Reoffer
from mcu.signalling.sip.trial import Trial

log = structlog.get_logger(__name__)

PASSED: Final = ("INFO", "MESSAGE", "NOTIFY")  # within a call, to the other side
SAID: Final = ("Content-Type", "Event", "Subscription-State")  # of these

Way = Callable[[bool], Awaitable[Passage]]  # of media: opened by us, or not
Happening = Progressed | Established | Changing | Changed | Ended | Within


class TooFar(McuError):
    """The call has gone from server to server for too long."""

    code, title = "too-far", "The call has come by too many servers"
    sip = 483


class Desk(Protocol):
    """What a bridge needs of the front end."""

    def place(self, to: Recipient, body: bytes) -> Call: ...

    def pump(self) -> None: ...

    def respond(self, key: Key, response: Response) -> None: ...


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls. `shown`: to whom is called; `endpoint`: where it is one of ours; `encrypted`: theirs has to be."""

    shown: Address
    endpoint: Endpoint | None
    encrypted: bool


@dataclass(frozen=True, slots=True)
class Device:
    """One way to whom is called."""

    flow: Flow
    target: SipUri
    to: Address
    headers: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Ring:
    """A device that is to be called: `offer` is what it is told, as its passage has it."""

    device: Device
    passage: Passage
    offer: bytes


class Bridge:
    """`start` it once, and `tell` it what happens to each of its calls."""

    def __init__(self, desk: Desk, name: CallId, call: Call, caller: Caller, *, encrypted: bool) -> None:
        self.name, self._caller = name, caller
        self.callee: Endpoint | None = None
        self._desk, self.encrypted = desk, encrypted
        self._in = call
        self._ringing: list[Call] = []
        self._out: Call | None = None  # who has answered
        self._early: Call | None = None  # whose early media the caller hears
        self._passages: dict[Call, Passage] = {}  # by whom is called
        self._reoffers: dict[Call, Reoffer] = {}
        self._said: dict[Call, bytes] = {}  # what each has agreed to, in its own words
        self.refer_id = 0  # CSeq of the REFER that one side has sent (RFC 3515, section 2.4.6)
        self._trial: Trial | None = None
        self._refused = 0  # the status of the best refusal
        self._hops = HOPS if call.invite.max_forwards is None else call.invite.max_forwards
        self.leaving: Call | None = None  # who transfers the other: that it hangs up ends nothing meanwhile

    def start(self, rings: Sequence[Ring], callee: Endpoint | None) -> list[Call]:
        """Calls all of them, who are one's."""
        self.callee = callee
        for one in rings:
            to = one.device
            shown, hops = self._caller.shown, self._hops
            call = self._desk.place(Recipient(to.flow, to.target, shown, to.to, to.headers, hops - 1), one.offer)
            self._ringing.append(call)
            self._passages[call] = one.passage
        return list(self._ringing)

    async def tries(self, ring: Ring, begun: Callable[[list[Call]], None]) -> bool:
        """Calls one server while others are left: false where those are to be tried. `begun` is told of its call."""
        trial = self._trial = Trial()
        (call,) = self.start([ring], None)
        begun([call])
        self._desk.pump()
        taken = await trial.outcome(call)
        if taken is None and call in self._ringing:
            self._ringing.remove(call)
            self._passages.pop(call).end()
            call.hang_up()
        self._trial = None
        return bool(taken)

    async def join(self, other: Call, callee: Endpoint | None, keys: OpenedKeys, way: Way) -> None:
        """The call and another that stands are one from now on: what the one offers, the other answers.

        Whoever calls has offered; who is in a call is asked to. Raises `McuError` where either does not take it, and
        then the call that was in the bridge has what it had.
        """
        calls = self._in, other
        self._reoffers = {call: Reoffer(call, self._desk) for call in calls}
        passage: Passage = Straight()
        try:
            offer = await self._offered()
            passage = await way(await self._keeps_keys(keys, offer, other))
            answer = (
                await self._reoffers[other].answer_to((await self._across(passage, CALLER, offer)).decode())
            ).encode()
            told = await self._across(passage, CALLED, answer)
        except McuError:
            passage.end()
            self._in.changes.acknowledge(self._in.changes.sdp)
            raise
        finally:
            self._reoffers = {}
        if self._in.state is State.INVITED:
            self._in.answer(told)
        self._in.changes.acknowledge(told)
        self.callee, self._out = callee, other
        self._passages, self._said = {other: passage}, {self._in: offer, other: answer}

    async def _offered(self) -> bytes:
        if self._in.state is State.INVITED:
            return self._in.invite.body
        return (await self._reoffers[self._in].offer_of()).encode()

    async def _keeps_keys(self, keys: OpenedKeys, offer: bytes, other: Call) -> bool:
        """Whether either goes on with the keys that it had, and so perhaps with the other's: they say so when asked."""
        offered = parse(offer.decode(errors="replace"))
        if keys.keeps(CALLER, offered):
            return True
        if not keys.renewable(CALLED) or not any(media.has("crypto") for media in offered.media):
            return False
        said = await self._reoffers[other].offer_of()
        other.changes.acknowledge(other.changes.sdp)
        self._reoffers[other] = Reoffer(other, self._desk)
        return keys.keeps(CALLED, parse(said))

    async def _across(self, passage: Passage, side: int, said: bytes) -> bytes:
        self.check(said)
        return await passage.told(side, said)

    def dissolve(self) -> None:
        """Its calls are others' now: the passage of their media ends."""
        for passage in self._passages.values():
            passage.end()
        self._passages = {}

    def said(self, call: Call) -> bytes:
        """What it has agreed to, in its own words."""
        return self._said[call]

    @property
    def endpoints(self) -> list[Endpoint]:
        """Whom it is between."""
        return [one for one in (self._caller.endpoint, self.callee) if one is not None]

    def tell(self, happening: Happening) -> None:
        reoffer = self._reoffers.get(happening.call)
        if reoffer is not None and (reoffer.takes(happening) or self._out is None):
            return
        try:
            self._happened(happening)
        except McuError as error:
            self._failed(error)
        self._desk.pump()

    def _happened(self, happening: Happening) -> None:
        match happening:
            case Progressed(call, response):
                self._progressed(call, response)
            case Established(call, message):
                if call is not self._in:
                    self._answered(call, message)
            case Changing(call, request):
                self._changing(call, request)
            case Changed(call, message):
                self._changed(call, message)
            case Within(call, request, key):
                self._within(call, request, key)
            case Ended(call, status):
                self._ended(call, status)

    # -- until it is answered -----------------------------------------------------------------------------------------

    def _progressed(self, call: Call, response: Response) -> None:
        """Ringing is told as it comes; early media is heard of the first alone that has any."""
        self._is_taken()
        if response.body and self._early in (None, call):
            self.check(response.body)
            self._early = call
            self._tell(call, response.body, lambda said: self._in.ring(response.status, said), self._failed)
        elif self._early is None:
            self._in.ring(180)

    def _answered(self, call: Call, message: Request | Response) -> None:
        if self._out is not None or call not in self._ringing:
            return
        self._is_taken()
        self.check(message.body)
        self._ringing.remove(call)
        self._out = call
        for other in list(self._ringing):
            other.hang_up()
        self._said = {self._in: self._in.invite.body, call: message.body}
        self._tell(call, message.body, self._in.answer, self._failed)

    def _is_taken(self) -> None:
        if self._trial is not None:
            self._trial.taken()

    # -- while it stands ----------------------------------------------------------------------------------------------

    def _changing(self, call: Call, request: Request) -> None:
        other = self._other(call)
        if other is None or (request.body and not self._may_pass(request.body)):
            call.changes.refuse(488)
        elif request.body:
            self._tell(call, request.body, other.changes.offer, lambda error: call.changes.refuse(error.sip))
        else:
            self._ask(call, other)

    def _ask(self, call: Call, other: Call) -> None:
        """Who is asked for an offer asks the other side (RFC 3261, section 14.1)."""
        try:
            other.changes.ask()
        except Conflict as error:
            call.changes.refuse(error.sip)

    def _changed(self, call: Call, message: Request | Response) -> None:
        """What the one says to the other's change, the other is told. A change that fails leaves all as it was."""
        other = self._other(call)
        if other is None:
            return
        if isinstance(message, Request):
            self._acknowledged(call, other, message)
            return
        asked = other.changes.asked
        if not message.is_success or asked is None:
            other.changes.refuse(message.status)
            call.changes.acknowledge(call.changes.sdp)
            self._tell(other, self._said[other], lambda _: None, self._failed)
        elif not asked.body:
            self.check(message.body)
            self._tell(call, message.body, other.changes.accept, self._failed)
        elif self.encrypted and not is_secured(message.body):
            raise NotAcceptable("The answer to a change was not encrypted.")
        else:
            self._said = {other: asked.body, call: message.body}
            self._tell(call, message.body, other.changes.accept, self._failed)

    def _acknowledged(self, call: Call, other: Call, ack: Request) -> None:
        """It has the answer to what the other side offered when it was asked, and ends the call where it has none."""
        offered = other.changes.offered
        if offered is not None:
            self.check(ack.body)
            self._said = {other: offered, call: ack.body}
            self._tell(call, ack.body, other.changes.acknowledge, self._failed)

    def _tell(self, call: Call, said: bytes, then: Then, otherwise: Otherwise) -> None:
        """The other side of `call`, by the passage of their media."""
        side, passage = (CALLED, self._passages.get(call)) if call is not self._in else (CALLER, self.passage)
        if passage is not None:
            passage.tell(side, said, then, otherwise)

    def _failed(self, error: McuError) -> None:
        log.info("call_ended", call=self.name, code=error.code)
        self.hang_up(error.sip)

    async def move(self, passage: Passage) -> None:
        """Their media goes another way from now on. Raises `McuError` where a side does not take that."""
        assert self._out is not None
        calls = self._in, self._out
        told = [await passage.told(side, self._said[call]) for side, call in enumerate(calls)]
        self._passages[self._out] = passage
        self._reoffers = {call: Reoffer(call, self._desk) for call in calls}
        try:
            offered = zip(calls, reversed(told), strict=True)
            answers = await asyncio.gather(*(self._reoffers[call].answer_to(said.decode()) for call, said in offered))
        finally:
            self._reoffers = {}
        for side, (call, answer) in enumerate(zip(calls, answers, strict=True)):
            self.check(answer.encode())
            self._said[call] = answer.encode()
            await passage.told(side, self._said[call])

    def _within(self, call: Call, request: Request, key: Key) -> None:
        status = 200 if request.method in (*PASSED, "OPTIONS") else 501
        other = self._other(call)
        if other is not None and request.method in PASSED:
            said = {name: value for name in SAID if (value := request.headers.one(name)) is not None}
            if "Event" in said:
                said["Event"] = f"refer;id={self.refer_id}"
            try:
                other.notify(request.method, list(said.items()), request.body)
            except Conflict as error:  # it is just being answered, or hangs up
                status = error.sip
        self._desk.respond(key, response_to(request, status))

    @property
    def passages(self) -> list[Passage]:
        """Of all who are called."""
        return list(self._passages.values())

    @property
    def passage(self) -> Passage | None:
        """Of whom has answered."""
        return None if self._out is None else self._passages.get(self._out)

    def across(self, call: Call) -> Call:
        """The other side's. Raises `Conflict` where the call does not stand."""
        other = self._other(call)
        if other is None or other.state is not State.UP:
            raise Conflict("The call does not stand.")
        return other

    def side(self, call: Call) -> Endpoint | None:
        """Whose it is, where an endpoint's."""
        return self._caller.endpoint if call is self._in else self.callee

    def _other(self, call: Call) -> Call | None:
        if self.leaving is not None:
            return None  # what stays is being led elsewhere
        return self._out if call is self._in else self._in if call is self._out else None

    # -- the end ------------------------------------------------------------------------------------------------------

    def _ended(self, call: Call, status: int) -> None:
        if call is self.leaving:
            return
        if (passage := self._passages.pop(call, None)) is not None:
            passage.end()
        if call is self._in:
            self.hang_up()
        elif call is self._out:
            self._out = None
            self._in.hang_up()
        elif call in self._ringing:
            self._ringing.remove(call)
            if self._trial is not None and self._trial.passes(status):
                return
            self._refused = _better(self._refused, status)
            if self._out is None and not self._ringing:
                self._in.refuse(self._refused)

    def hang_up(self, status: int = 480) -> None:
        """Both sides."""
        self._in.refuse(status)
        for call in [self._in, *self._ringing, *([self._out] if self._out is not None else [])]:
            call.hang_up()
        self._desk.pump()

    def check(self, body: bytes) -> None:
        """Raises `NotAcceptable` for what may not be passed on: nothing to be heard, or in the clear.

        And `TooFar` where the call has come by as many servers as it may, which lead it in a circle (RFC 7332).
        """
        if self._hops == 0:
            raise TooFar
        if not self._may_pass(body):
            raise NotAcceptable("What the other side offers is not encrypted, or is nothing.")

    def _may_pass(self, body: bytes) -> bool:
        return bool(body) and (not self.encrypted or is_secured(body))


def _better(one: int, other: int) -> int:
    """Of two refusals, the one that says more: a person's (6xx, busy) before a missing device's (16.7, step 6)."""
    status = min(one, other, key=_little_said) if one else other
    return status if 400 <= status <= 699 else 480


def _little_said(status: int) -> tuple[bool, bool, int]:
    return status < 600, status in (0, 408, 480, 503), status
