"""Calls of our endpoints to each other and into other domains: which bridge each is part of, and who is in a call."""

import asyncio
from collections.abc import Sequence

import structlog

from mcu.booking.endpoints import Endpoint
from mcu.errors import McuError, Refused
from mcu.ids import CallId, new_id
from mcu.net.sip.driver import Driver
from mcu.net.sip.endpoint import Flow
from mcu.protocol.sip.agent import Recipient
from mcu.protocol.sip.call import Call
from mcu.protocol.sip.call_state import State
from mcu.protocol.sip.events import Changed, Changing, Ended, Established, Event, Progressed, Within
from mcu.protocol.sip.flow import contact
from mcu.protocol.sip.message import Request, Response
from mcu.protocol.sip.refer import Refer, parse_refer
from mcu.protocol.sip.responses import response_to
from mcu.protocol.sip.transactions import Key
from mcu.protocol.sip.uri import SipUri
from mcu.protocol.sip.values import Address
from mcu.signalling.sip.bridge import Bridge
from mcu.signalling.sip.registrations import Registrations, refusal
from mcu.signalling.sip.routing import Kind, Route
from mcu.signalling.sip.ways import Ways

log = structlog.get_logger(__name__)


class Switch:
    """A `bridge.Desk`. `ways`: to other domains."""

    def __init__(self, driver: Driver, registrations: Registrations, ways: Ways, *, encrypted: bool) -> None:
        self._driver, self._registrations, self._ways, self._encrypted = driver, registrations, ways, encrypted
        self._bridges: dict[Call, Bridge] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def connect(self, call: Call, caller: Endpoint, route: Route) -> None:
        """Calls the endpoint whom an endpoint dialled. What refuses it is said to the caller."""
        try:
            targets = self._registrations.locate(route.to, route.organisation)
            bridge = self._bridge(call, caller, targets[0].endpoint)
            ringing = bridge.start(targets)
        except McuError as error:
            call.refuse(error.sip)
            return
        self._begin(bridge, [call, *ringing])

    def connect_abroad(self, call: Call, caller: Endpoint, dialled: SipUri) -> None:
        """The same into another domain, which must be found first."""
        task = asyncio.create_task(self._connect_abroad(call, caller, dialled))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect_abroad(self, call: Call, caller: Endpoint, dialled: SipUri) -> None:
        bridge = self._bridge(call, caller)
        try:
            organisation = self._registrations.plan.organisations.get(caller.organisation)
            way, *_ = self._ways.to(str(dialled), self._driver.now, organisation)
            flow = await self._ways.flow(way)
            if call.state is State.INVITED:  # they have not given up meanwhile
                self._begin(bridge, [call, bridge.ring(flow, way.target, Address(way.target))])
        except McuError as error:
            call.refuse(error.sip)
        self._driver.pump()

    def _bridge(self, call: Call, caller: Endpoint, callee: Endpoint | None = None) -> Bridge:
        """Encrypted where the organisation of either wants that."""
        name = CallId(new_id("call"))
        domain = self._registrations.domain_of(caller.organisation)
        encrypted = any(self._wants_encryption(one) for one in (caller, callee) if one is not None)
        return Bridge(self, name, call, caller, domain=domain, encrypted=encrypted)

    def _wants_encryption(self, endpoint: Endpoint) -> bool:
        organisation = self._registrations.plan.organisations.get(endpoint.organisation)
        return self._encrypted if organisation is None else organisation.encrypted

    def _begin(self, bridge: Bridge, calls: Sequence[Call]) -> None:
        self._bridges |= dict.fromkeys(calls, bridge)
        for one in bridge.endpoints:
            self._registrations.engaged(one.id)
        log.info("call_bridged", call=bridge.name, ringing=len(calls) - 1)

    def takes(self, event: Event) -> bool:
        """Whether it is of a call between endpoints, which is told."""
        if not isinstance(event, Progressed | Established | Changing | Changed | Ended | Within):
            return False
        bridge = self._bridges.get(event.call)
        if bridge is None:
            return False
        if isinstance(event, Within) and event.request.method == "REFER":
            self._referred(bridge, event)
            return True
        if isinstance(event, Ended):
            del self._bridges[event.call]
        bridge.tell(event)
        if isinstance(event, Ended) and bridge not in self._bridges.values():
            for one in bridge.endpoints:
                self._registrations.disengaged(one.id)
        return True

    # -- transfers ----------------------------------------------------------------------------------------------------

    def _referred(self, bridge: Bridge, within: Within) -> None:
        """One side wants the other led to a meeting: that is told so, and calls there itself (RFC 5589, section 6).

        It does so in its own name and with keys of its own, which whoever transfers it does not know.
        """
        call, request = within.call, within.request
        try:
            refer = parse_refer(request)
            number = self._meeting(bridge, call, request, refer)
            other = bridge.across(call)
            if not other.takes("REFER"):
                raise Refused("The other telephone cannot be transferred.")
        except McuError as error:
            self._driver.respond(within.key, response_to(request, error.sip, headers=refusal(error)))
            return

        def answered(response: Response | int) -> None:
            status = response if isinstance(response, int) else response.status
            if status >= 200:
                said = response_to(request, status, headers=[("Contact", contact(call.flow))])
                self._driver.respond(within.key, said)

        where = SipUri(self._registrations.realm, number)
        bridge.refer_id = request.cseq.number
        quiet = [] if refer.notifies else [("Refer-Sub", "false")]
        other.request("REFER", headers=[("Refer-To", f"<{where}>"), *quiet], then=answered)
        self._driver.pump()

    def _meeting(self, bridge: Bridge, call: Call, request: Request, refer: Refer) -> str:
        """The number of the meeting that it leads to. Raises what refuses it: nobody is transferred anywhere else."""
        assert isinstance(call.flow, Flow)
        sender = self._registrations.caller(request, call.flow)
        if sender is None or sender is not bridge.side(call):
            raise Refused("Only an endpoint of ours transfers its own calls.")
        route = self._registrations.plan.route(refer.target, stranger=False, of=sender.organisation)
        if route.kind is not Kind.MEETING or refer.replaces:
            raise Refused("Calls are transferred into meetings alone.")
        return str(route.to)

    async def stop(self) -> None:
        """Hangs up every call."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for bridge in set(self._bridges.values()):
            bridge.hang_up()

    # -- bridge.Desk --------------------------------------------------------------------------------------------------

    def place(self, to: Recipient, body: bytes) -> Call:
        return self._driver.agent.invite(to, body, self._driver.now)

    def pump(self) -> None:
        self._driver.pump()

    def respond(self, key: Key, response: Response) -> None:
        self._driver.respond(key, response)
