"""Transfers: an endpoint leads whom it talks to elsewhere (REFER), or puts another call in its own place (Replaces).

Whom it talks to calls a meeting or another endpoint itself, in its own name, by its own rights and with keys of its own
(RFC 5589, section 6). Where that is a call that stands already, the two are made one here (section 7): each is offered
the other by re-INVITE, so that no telephone needs to know of Replaces. Nobody but an endpoint that has shown to be it
transfers, its own calls alone, and by no trunk.
"""

from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

import structlog

from mcu.booking.endpoints import Endpoint
from mcu.errors import Conflict, McuError, NotFound, Refused
from mcu.net.sip.driver import Driver
from mcu.net.sip.endpoint import Flow
from mcu.protocol.sdp.description import Description, parse
from mcu.protocol.sdp.sides import silenced
from mcu.protocol.sip.call import Call
from mcu.protocol.sip.call_state import State
from mcu.protocol.sip.dialog import DialogId
from mcu.protocol.sip.events import Within
from mcu.protocol.sip.flow import contact
from mcu.protocol.sip.message import Request, Response
from mcu.protocol.sip.refer import SIPFRAG, Refer, is_early_only, parse_refer, parse_replaces
from mcu.protocol.sip.responses import REASONS, response_to
from mcu.protocol.sip.uri import SipUri
from mcu.signalling.sip.bridge import Bridge
from mcu.signalling.sip.handover import Handover
from mcu.signalling.sip.passage import Joint, Passage
from mcu.signalling.sip.registrations import Registrations, refusal
from mcu.signalling.sip.routing import Kind, Route
from mcu.signalling.sip.visit import Visit

log = structlog.get_logger(__name__)


class Office(Protocol):
    """What transfers need of the switch."""

    bridges: dict[Call, Bridge]

    def run(self, what: Coroutine[None, None, None]) -> None: ...

    def bridge(self, call: Call, caller: Endpoint, *, encrypted: bool) -> Bridge: ...

    async def passage(self, caller: Call, called: Call, joint: Joint, *, opened: bool) -> Passage:
        """`opened`: the two have no keys in common. Raises `Apart`, `Unavailable`."""

    def begun(self, bridge: Bridge, calls: list[Call]) -> None:
        """From now on these are its calls."""

    def over(self, bridge: Bridge) -> None:
        """It may have no call any more."""


class Meetings(Protocol):
    """What transfers need of the front end."""

    def seat(self, call: Call) -> Visit | None:
        """The visit of a call into a meeting, or on its way there."""

    def hand(self, call: Call, to: Endpoint, route: Route, handover: Handover) -> None:
        """A call that stands goes where the route leads."""

    def forget(self, call: Call) -> None:
        """It goes nowhere."""


class Transfers:
    def __init__(self, office: Office, driver: Driver, registrations: Registrations, meetings: Meetings) -> None:
        self._office, self._driver, self._registrations = office, driver, registrations
        self._meetings = meetings

    # -- REFER --------------------------------------------------------------------------------------------------------

    def referred(self, bridge: Bridge, within: Within) -> None:
        call, request = within.call, within.request
        with self._answering(within):
            refer = parse_refer(request)
            sender = self._sender(bridge.side(call), call, request)
            if refer.replaces is None:
                self._lead(bridge, within, refer, sender)
            elif (seat := self._seat_of(refer.replaces, sender)) is not None:
                self._hand(bridge, call, seat, within, refer)
            else:
                self._attend(bridge, within, refer, refer.replaces)

    def seat_referred(self, visit: Visit, within: Within) -> None:
        """The same in a meeting's call: it gives way to who is in the other, and is led nowhere else."""
        with self._answering(within):
            sender = self._sender(visit.endpoint, within.call, within.request)
            refer = parse_refer(within.request)
            if refer.replaces is None:
                raise Refused("A meeting's call is led nowhere else.")
            leaving, bridge = self._replaced(refer.replaces, sender)
            self._hand(bridge, leaving, visit, within, refer)

    @contextmanager
    def _answering(self, within: Within) -> Iterator[None]:
        """What refuses a REFER is said to whoever sent it."""
        try:
            yield
        except McuError as error:
            self._driver.respond(within.key, response_to(within.request, error.sip, headers=refusal(error)))
        self._driver.pump()

    def _sender(self, owner: Endpoint | None, call: Call, request: Request) -> Endpoint:
        assert isinstance(call.flow, Flow)
        sender = None if owner is None else self._registrations.caller(request, call.flow)
        if sender is None or sender is not owner:
            raise Refused("Only an endpoint of ours transfers its own calls.")
        return sender

    def _lead(self, bridge: Bridge, within: Within, refer: Refer, sender: Endpoint) -> None:
        """The other side is told where to call: a meeting, whose door asks for the PIN, or another endpoint."""
        call, request = within.call, within.request
        route = self._registrations.plan.route(refer.target, stranger=False, of=sender.organisation)
        other = bridge.across(call)
        if route.kind is Kind.ENDPOINT and bridge.side(other) is not None:
            target, *_ = self._registrations.locate(route.to, route.organisation)
            where = SipUri(target.domain, target.endpoint.name)
        elif route.kind is Kind.MEETING:
            where = SipUri(self._registrations.realm, str(route.to))
        else:
            raise Refused("Calls are transferred into meetings, and endpoints' to endpoints, alone.")
        if not other.takes("REFER"):
            raise Refused("The other telephone cannot be transferred.")

        def answered(response: Response | int) -> None:
            status = response if isinstance(response, int) else response.status
            if status >= 200:
                said = response_to(request, status, headers=[("Contact", contact(call.flow))])
                self._driver.respond(within.key, said)

        bridge.refer_id = request.cseq.number
        other.request("REFER", headers=[("Refer-To", f"<{where}>"), *refer.quiet], then=answered)

    # -- two calls of one endpoint become one of the others' ----------------------------------------------------------

    def _attend(self, bridge: Bridge, within: Within, refer: Refer, dialog: DialogId) -> None:
        """Raises what refuses it; then both calls are as they were."""
        leaving = within.call
        replaced, other = self._replaced(dialog, bridge.side(leaving))
        if other is bridge:
            raise Conflict("A call does not give way to itself.")
        staying, taken = bridge.across(leaving), other.across(replaced)
        told = self._accepted(within, refer)
        bridge.leaving, other.leaving = leaving, replaced
        self._office.run(self._join(bridge, staying, other, taken, told))

    def _accepted(self, within: Within, refer: Refer) -> "_Told":
        said = response_to(within.request, 202, headers=[("Contact", contact(within.call.flow)), *refer.quiet])
        self._driver.respond(within.key, said)
        told = _Told(within.call, within.request.cseq.number if refer.notifies else None)
        told.now(100)
        return told

    def _replaced(self, dialog: DialogId, owner: Endpoint | None) -> tuple[Call, Bridge]:
        """A call of theirs. To who is not its owner it is as if there were none. Raises `NotFound`."""
        call = self._driver.agent.call(dialog)
        bridge = self._office.bridges.get(call) if call is not None else None
        if call is None or bridge is None or owner is None or bridge.side(call) is not owner:
            raise NotFound("There is no such call.")
        return call, bridge

    async def replaced(self, call: Call, caller: Endpoint | None) -> None:
        """A call that comes takes the place of one that the same endpoint has, at another of its devices.

        Raises what refuses it; then that one is as it was.
        """
        named = call.invite.headers.one("Replaces") or ""
        try:
            replaced, other = self._replaced(parse_replaces(named), caller)
        except NotFound:
            call.refuse(481)
            return
        if is_early_only(named) and replaced.answered:
            call.refuse(486)
            return
        taken = other.across(replaced)
        assert caller is not None  # it has a call
        joint = Joint.of((None, _read(other.said(taken))), (None, _known_to(taken)))
        other.leaving = replaced
        try:
            await self._taken_over(
                self._office.bridge(call, caller, encrypted=other.encrypted), call, other, taken, joint
            )
        except McuError:
            self.resume(other, taken)
            raise
        self._leave(other)

    async def _join(self, one: Bridge, staying: Call, other: Bridge, taken: Call, told: "_Told") -> None:
        try:
            await self._made_one(one, staying, other, taken)
        except McuError as error:
            log.info("transfer_failed", call=one.name, code=error.code)
            told.now(error.sip)
            for bridge, call in ((one, staying), (other, taken)):
                self.resume(bridge, call)
        else:
            told.now(200)
            for bridge in (one, other):
                self._leave(bridge)
        self._driver.pump()

    # -- whom one talks to takes its seat in a meeting ----------------------------------------------------------------

    def _seat_of(self, dialog: DialogId, owner: Endpoint) -> Visit | None:
        call = self._driver.agent.call(dialog)
        visit = None if call is None else self._meetings.seat(call)
        return visit if visit is not None and visit.endpoint is owner else None

    def _hand(self, bridge: Bridge, leaving: Call, visit: Visit, within: Within, refer: Refer) -> None:
        """Raises what refuses it; then both calls are as they were."""
        staying, meeting = bridge.across(leaving), visit.meeting
        person = bridge.side(staying)
        if person is None:
            raise Refused("A call into another domain is led to nobody.")
        if meeting is None or visit.call is None:
            raise Conflict("They are in no meeting.")
        told = self._accepted(within, refer)
        bridge.leaving = leaving
        del self._office.bridges[staying]
        route = Route(Kind.MEETING, (), meeting.number, organisation=meeting.organisation)
        self._meetings.hand(staying, person, route, _Handover(self, bridge, staying, visit.call, told))

    def pump(self) -> None:
        self._driver.pump()

    def kept(self, bridge: Bridge, staying: Call) -> None:
        """What was to be handed over goes on as it was."""
        self._meetings.forget(staying)
        self.resume(bridge, staying)

    def _leave(self, bridge: Bridge) -> None:
        """Whoever is left of it is out."""
        bridge.dissolve()
        assert bridge.leaving is not None
        bridge.leaving.hang_up()
        self._office.over(bridge)

    async def _made_one(self, one: Bridge, staying: Call, other: Bridge, taken: Call) -> None:
        sides = one.side(staying), other.side(taken)
        if sides[0] is None:
            raise Refused("A call into another domain is led to nobody.")
        joint = self._office.bridge(staying, sides[0], encrypted=one.encrypted or other.encrypted)
        said = _read(one.said(staying)), _read(other.said(taken))
        known = Joint.of(said, (_known_to(staying), _known_to(taken)))
        await self._taken_over(joint, staying, other, taken, known)

    async def _taken_over(self, made: Bridge, call: Call, other: Bridge, taken: Call, joint: Joint) -> None:
        """`call` goes on with whom the other bridge had."""

        def way(opened: bool) -> Coroutine[None, None, Passage]:
            return self._office.passage(call, taken, joint, opened=opened)

        self._office.bridges |= {call: made, taken: made}
        await made.join(taken, other.side(taken), joint.keys, way)
        self._office.begun(made, [call, taken])
        log.info("call_transferred", call=made.name)

    def resume(self, bridge: Bridge, call: Call) -> None:
        """As it was before, if both sides are still there."""
        leaving, bridge.leaving = bridge.leaving, None
        if call.state is not State.ENDED:
            self._office.bridges[call] = bridge
        if State.ENDED in (call.state, leaving.state if leaving is not None else None):
            bridge.hang_up()
            self._office.over(bridge)


def _known_to(call: Call) -> Description:
    return _read(call.changes.sdp)


def _read(said: bytes) -> Description:
    """What one of them has said, which nobody need have read yet. Raises `Invalid`."""
    return parse(said.decode(errors="replace"))


class _Handover:
    """A `handover.Handover`. `seat`: the call in the meeting that gives way."""

    def __init__(self, transfers: Transfers, bridge: Bridge, staying: Call, seat: Call, told: "_Told") -> None:
        self._transfers, self._bridge, self._staying = transfers, bridge, staying
        self._seat, self._told, self._settled = seat, told, False

    def taken(self) -> None:
        """Whose call it was sends them nothing more: they would hear that beside us."""
        self._bridge.dissolve()
        leaving = self._bridge.leaving
        assert leaving is not None
        with suppress(McuError):  # it is over, or is being changed
            leaving.changes.offer(str(silenced(_read(leaving.changes.sdp))).encode())
        self._transfers.pump()

    def kept(self, error: McuError) -> None:
        log.info("transfer_failed", call=self._bridge.name, code=error.code)
        self._settled = True
        self._told.now(error.sip)
        self._transfers.kept(self._bridge, self._staying)
        self._transfers.pump()

    def entered(self) -> None:
        self._settle(200)
        self._seat.hang_up()
        self._transfers.pump()

    def over(self) -> None:
        self._settle(603)

    def _settle(self, status: int) -> None:
        """Who transfers has nobody to talk to any more in that call."""
        if not self._settled:
            self._settled = True
            self._told.now(status)
            assert self._bridge.leaving is not None
            self._bridge.leaving.hang_up()
            self._transfers.pump()


class _Told:
    """Who transfers hears what came of it (RFC 3515, section 2.4.4). `number`: of the REFER; None: they need not."""

    def __init__(self, call: Call, number: int | None) -> None:
        self._call, self._number = call, number

    def now(self, status: int) -> None:
        if self._number is None:
            return
        state = "active;expires=60" if status < 200 else "terminated;reason=noresource"
        event = [("Event", f"refer;id={self._number}"), ("Subscription-State", state), ("Content-Type", SIPFRAG)]
        with suppress(Conflict):  # they have hung up
            self._call.notify("NOTIFY", event, f"SIP/2.0 {status} {REASONS.get(status, 'Failed')}\r\n".encode())
