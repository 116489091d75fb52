"""A call of an endpoint to another, or into another domain, through us: two calls, and what one says the other hears.

Media goes straight between the two: their SDP is passed on, where it keeps to the policy. Of several devices of who is
called all ring, and the first that answers is taken. A 3xx is an answer like any other that is none: nobody but the
caller chooses who is called.
"""

from collections.abc import Sequence
from typing import Final, Protocol

import structlog

from mcu.booking.endpoints import Endpoint
from mcu.errors import Conflict, McuError, NotAcceptable
from mcu.ids import CallId
from mcu.net.sip.endpoint import Flow
from mcu.protocol.sdp.secured import is_secured
from mcu.protocol.sip.agent import Recipient
from mcu.protocol.sip.call import Call
from mcu.protocol.sip.call_state import State
from mcu.protocol.sip.events import Changed, Changing, Ended, Established, Progressed, Within
from mcu.protocol.sip.message import Request, Response
from mcu.protocol.sip.responses import response_to
from mcu.protocol.sip.transactions import Key
from mcu.protocol.sip.uri import SipUri
from mcu.protocol.sip.values import Address
from mcu.signalling.sip.registrations import Target

log = structlog.get_logger(__name__)

PASSED: Final = ("INFO", "MESSAGE", "NOTIFY")  # within a call, to the other side
SAID: Final = ("Content-Type", "Event", "Subscription-State")  # of these

Happening = Progressed | Established | Changing | Changed | Ended | Within


class Desk(Protocol):
    """What a bridge needs of the front end."""

    def place(self, to: Recipient, body: bytes) -> Call: ...

    def pump(self) -> None: ...

    def respond(self, key: Key, response: Response) -> None: ...


class Bridge:
    """`start` it once, and `tell` it what happens to each of its calls."""

    def __init__(self, desk: Desk, name: CallId, call: Call, caller: Endpoint, *, domain: str, encrypted: bool) -> None:
        self.name, self.caller = name, caller
        self.callee: Endpoint | None = None
        self._desk, self._domain, self._encrypted = desk, domain, encrypted
        self._in = call
        self._ringing: list[Call] = []
        self._out: Call | None = None  # who has answered
        self._early: Call | None = None  # whose early media the caller hears
        self.refer_id = 0  # CSeq of the REFER that one side has sent (RFC 3515, section 2.4.6)
        self._refused = 0  # the status of the best refusal

    def start(self, targets: Sequence[Target]) -> list[Call]:
        """Calls all of them, who are one endpoint's. Raises `NotAcceptable` where the offer may not be passed on."""
        self.callee = targets[0].endpoint
        for one in targets:
            to = Address(SipUri(one.domain, one.endpoint.name))
            self.ring(one.flow, one.uri, to, [("Route", route) for route in one.routes])
        return list(self._ringing)

    def ring(self, flow: Flow, target: SipUri, to: Address, headers: Sequence[tuple[str, str]] = ()) -> Call:
        """Calls one. Raises `NotAcceptable`."""
        offer = self._in.invite.body
        self._check(offer)
        who = Address(SipUri(self._domain, self.caller.name), self.caller.display_name)
        call = self._desk.place(Recipient(flow, target, who, to, headers), offer)
        self._ringing.append(call)
        return call

    @property
    def endpoints(self) -> list[Endpoint]:
        """Whom it is between."""
        return [self.caller, *([self.callee] if self.callee is not None else [])]

    def tell(self, happening: Happening) -> None:
        try:
            self._happened(happening)
        except McuError as error:
            log.info("call_ended", call=self.name, code=error.code)
            self.hang_up(error.sip)
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
        if response.body and self._early in (None, call):
            self._check(response.body)
            self._early = call
            self._in.ring(response.status, response.body)
        elif self._early is None:
            self._in.ring(180)

    def _answered(self, call: Call, message: Request | Response) -> None:
        if self._out is not None or call not in self._ringing:
            return
        self._check(message.body)
        self._ringing.remove(call)
        self._out = call
        for other in list(self._ringing):
            other.hang_up()
        self._in.answer(message.body)

    # -- while it stands ----------------------------------------------------------------------------------------------

    def _changing(self, call: Call, request: Request) -> None:
        other = self._other(call)
        if other is None or not request.body or (self._encrypted and not is_secured(request.body)):
            call.changes.refuse(488)
            return
        try:
            other.changes.offer(request.body)
        except McuError as error:
            call.changes.refuse(error.sip)

    def _changed(self, call: Call, message: Request | Response) -> None:
        """What the one says to the other's change, the other is told."""
        other = self._other(call)
        if other is None or not isinstance(message, Response):
            return
        if not message.is_success:
            other.changes.refuse(message.status)
        elif self._encrypted and not is_secured(message.body):
            raise NotAcceptable("The answer to a change was not encrypted.")
        else:
            other.changes.accept(message.body)

    def _within(self, call: Call, request: Request, key: Key) -> None:
        other = self._other(call)
        if other is not None and request.method in PASSED:
            said = {name: value for name in SAID if (value := request.headers.one(name)) is not None}
            if "Event" in said:
                said["Event"] = f"refer;id={self.refer_id}"
            other.notify(request.method, list(said.items()), request.body)
        self._desk.respond(key, response_to(request, 200 if request.method in PASSED else 501))

    def across(self, call: Call) -> Call:
        """The other side's. Raises `Conflict` where the call does not stand."""
        other = self._other(call)
        if other is None or other.state is not State.UP:
            raise Conflict("The call does not stand.")
        return other

    def side(self, call: Call) -> Endpoint | None:
        """Whose it is, where an endpoint's."""
        return self.caller if call is self._in else self.callee

    def _other(self, call: Call) -> Call | None:
        return self._out if call is self._in else self._in if call is self._out else None

    # -- the end ------------------------------------------------------------------------------------------------------

    def _ended(self, call: Call, status: int) -> None:
        if call is self._in:
            self.hang_up()
        elif call is self._out:
            self._out = None
            self._in.hang_up()
        elif call in self._ringing:
            self._ringing.remove(call)
            self._refused = _better(self._refused, status)
            if self._out is None and not self._ringing:
                self._in.refuse(self._refused)

    def hang_up(self, status: int = 480) -> None:
        """Both sides."""
        self._in.refuse(status)
        for call in [self._in, *self._ringing, *([self._out] if self._out is not None else [])]:
            call.hang_up()
        self._desk.pump()

    def _check(self, body: bytes) -> None:
        """Raises `NotAcceptable` for what may not be passed on: nothing to be heard, or in the clear."""
        if not body or (self._encrypted and not is_secured(body)):
            raise NotAcceptable("What the other side offers is not encrypted, or is nothing.")


def _better(one: int, other: int) -> int:
    """Of two refusals, the one that says more: a person's (6xx, busy) before a missing device's (16.7, step 6)."""
    status = min(one, other, key=_little_said) if one else other
    return status if 400 <= status <= 699 else 480


def _little_said(status: int) -> tuple[bool, bool, int]:
    return status < 600, status in (0, 408, 480, 503), status
