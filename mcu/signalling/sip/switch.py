"""Calls of our endpoints to each other and into other domains: which bridge each is part of, and who is in a call."""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress

import structlog

from mcu.booking.endpoints import Endpoint
from mcu.conference.workers import Worker, Workers
from mcu.errors import Conflict, McuError, Refused, Unavailable
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
from mcu.signalling.sip.bridge import Bridge, Device, Ring
from mcu.signalling.sip.passage import CALLER, Between, Passage, Straight, Through
from mcu.signalling.sip.registrations import Registrations, refusal
from mcu.signalling.sip.routing import Kind, Route
from mcu.signalling.sip.visit import MOVE_AGAIN_S, MOVES, PICK_S
from mcu.signalling.sip.ways import Ways
from mcu.signalling.sip.zones import Apart, Course

log = structlog.get_logger(__name__)


class Switch:
    """A `bridge.Desk`. `ways`: to other domains."""

    def __init__(
        self, driver: Driver, registrations: Registrations, ways: Ways, workers: Workers, *, encrypted: bool
    ) -> None:
        self._driver, self._registrations, self._ways, self._encrypted = driver, registrations, ways, encrypted
        self._workers, self._zones = workers, registrations.plan.zones
        self._bridges: dict[Call, Bridge] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def connect(self, call: Call, caller: Endpoint, route: Route) -> None:
        """Calls the endpoint whom an endpoint dialled. What refuses it is said to the caller."""
        self._begin(call, self._connect(call, caller, route))

    def connect_abroad(self, call: Call, caller: Endpoint, dialled: SipUri) -> None:
        """The same into another domain, which must be found first."""
        self._begin(call, self._connect_abroad(call, caller, dialled))

    def _begin(self, call: Call, connecting: Coroutine[None, None, None]) -> None:
        self._run(self._connecting(call, connecting))

    def _run(self, what: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(what)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connecting(self, call: Call, connecting: Coroutine[None, None, None]) -> None:
        try:
            await connecting
        except Apart as error:
            warning = [("Warning", f'399 {self._registrations.realm} "{error.title}"')]
            call.refuse(error.sip, warning, error.title)
        except McuError as error:
            call.refuse(error.sip)
        self._driver.pump()

    async def _connect(self, call: Call, caller: Endpoint, route: Route) -> None:
        targets = self._registrations.locate(route.to, route.organisation)
        to = Address(SipUri(targets[0].domain, targets[0].endpoint.name))
        devices = [Device(one.flow, one.uri, to, [("Route", route) for route in one.routes]) for one in targets]
        bridge = self._bridge(call, caller, encrypted=self._wants_encryption(caller, targets[0].endpoint))
        await self._ring(call, bridge, devices, targets[0].endpoint)

    async def _connect_abroad(self, call: Call, caller: Endpoint, dialled: SipUri) -> None:
        organisation = self._registrations.plan.organisations.get(caller.organisation)
        way, *_ = self._ways.to(str(dialled), self._driver.now, organisation)
        flow = await self._ways.connected(way)
        bridge = self._bridge(call, caller, encrypted=way.encrypted)
        await self._ring(call, bridge, [Device(flow, way.target, Address(way.target))], None)

    async def _ring(self, call: Call, bridge: Bridge, devices: Sequence[Device], callee: Endpoint | None) -> None:
        """All at once that the caller's zone reaches, when it is known which way the media of each goes."""
        bridge.check(call.invite.body)
        rings: list[Ring] = []
        try:
            for device, course in self._courses(call, devices):
                rings.append(await self._ready(call, device, course))
            if call.state is not State.INVITED:
                raise Conflict("They have given up meanwhile.")
        except McuError:
            for ring in rings:
                ring.passage.end()
            raise
        ringing = bridge.start(rings, callee)
        self._bridges |= dict.fromkeys([call, *ringing], bridge)
        for endpoint in bridge.endpoints:
            self._registrations.engaged(endpoint.id)
        log.info("call_bridged", call=bridge.name, ringing=len(ringing))

    def _courses(self, call: Call, devices: Sequence[Device]) -> list[tuple[Device, Course]]:
        """Of those who may be reached. Raises `Apart` where nobody may."""
        found = []
        for device in devices:
            with suppress(Apart):
                found.append((device, self._zones.course(_host(call), device.flow.peer.host)))
        if not found:
            raise Apart
        return found

    async def _ready(self, call: Call, device: Device, course: Course) -> Ring:
        passage: Passage = Straight()
        if not course.direct:
            between = Between(self._zones, course, (_host(call), device.flow.peer.host))
            worker = await self._workers.pick(PICK_S)
            passage = Through(CallId(new_id("call")), worker, between, self._driver.pump)
        return Ring(device, passage, await passage.told(CALLER, call.invite.body))

    def _bridge(self, call: Call, caller: Endpoint, *, encrypted: bool) -> Bridge:
        name = CallId(new_id("call"))
        domain = self._registrations.domain_of(caller.organisation)
        return Bridge(self, name, call, caller, domain=domain, encrypted=encrypted)

    def _wants_encryption(self, *endpoints: Endpoint) -> bool:
        """Whether the organisation of any of them does."""
        organisations = [self._registrations.plan.organisations.get(one.organisation) for one in endpoints]
        return any(self._encrypted if one is None else one.encrypted for one in organisations)

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

    # -- a worker dies ------------------------------------------------------------------------------------------------

    def on_death(self, worker: Worker) -> None:
        """Calls whose media it carried go on by another; those that ring are over."""
        for bridge in set(self._bridges.values()):
            carried = isinstance(bridge.passage, Through) and bridge.passage.worker is worker
            if carried:
                self._run(self._move(bridge))
            elif any(passage.worker is worker for passage in bridge.passages):
                bridge.hang_up(Unavailable.sip)

    async def _move(self, bridge: Bridge) -> None:
        """By re-INVITE of both, as calls of a meeting are moved."""
        try:
            for left in reversed(range(MOVES)):
                passage = bridge.passage
                if not isinstance(passage, Through):
                    return  # it is over
                try:
                    await bridge.move(passage.anew(await self._workers.pick(PICK_S)))
                    log.info("call_moved", call=bridge.name)
                    return
                except Unavailable:  # that one has died too, or its death is not known yet
                    if not left:
                        raise
                    await asyncio.sleep(MOVE_AGAIN_S)
        except McuError as error:
            log.info("call_ended", call=bridge.name, code=error.code)
            bridge.hang_up(error.sip)

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


def _host(call: Call) -> str:
    """From which its other side's signalling comes."""
    assert isinstance(call.flow, Flow)
    return call.flow.peer.host
