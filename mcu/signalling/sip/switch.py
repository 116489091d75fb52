"""Calls of our endpoints to each other and into other domains: which bridge each is part of, and who is in a call."""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress

import structlog

from mcu.booking.endpoints import Endpoint
from mcu.booking.organisations import Organisation
from mcu.conference.workers import Worker, Workers
from mcu.errors import Conflict, McuError, Unavailable
from mcu.ids import CallId, new_id
from mcu.net.sip.driver import Driver
from mcu.net.sip.endpoint import Flow
from mcu.protocol.sip.agent import Recipient
from mcu.protocol.sip.call import Call
from mcu.protocol.sip.call_state import State
from mcu.protocol.sip.events import Changed, Changing, Ended, Established, Event, Progressed, Within
from mcu.protocol.sip.message import Response
from mcu.protocol.sip.transactions import Key
from mcu.protocol.sip.uri import SipUri
from mcu.protocol.sip.values import Address
from mcu.signalling.sip.bridge import Bridge, Caller, Device, Ring
from mcu.signalling.sip.neighbours import shown
from mcu.signalling.sip.passage import CALLER, Between, Joint, Passage, Straight, Through
from mcu.signalling.sip.registrations import Registrations
from mcu.signalling.sip.routing import Route
from mcu.signalling.sip.transfer import Meetings, Transfers
from mcu.signalling.sip.visit import MOVE_AGAIN_S, MOVES, PICK_S, Visit
from mcu.signalling.sip.ways import Ways
from mcu.signalling.sip.zones import Apart, Course

log = structlog.get_logger(__name__)


class Switch:
    """A `bridge.Desk`. `ways`: to other domains."""

    def __init__(
        self,
        driver: Driver,
        registrations: Registrations,
        ways: Ways,
        workers: Workers,
        meetings: Meetings,
        *,
        encrypted: bool,
    ) -> None:
        self._driver, self._registrations, self._ways, self._encrypted = driver, registrations, ways, encrypted
        self._workers, self._zones = workers, registrations.plan.zones
        self.bridges: dict[Call, Bridge] = {}
        self._engaged: set[Bridge] = set()  # whose endpoints are told of as busy
        self._transfers = Transfers(self, driver, registrations, meetings)
        self._tasks: set[asyncio.Task[None]] = set()

    def connect(self, call: Call, caller: Endpoint, route: Route) -> None:
        """Calls the endpoint whom an endpoint dialled. What refuses it is said to the caller."""
        self._begin(call, self._connect(call, self._caller(caller), route))

    def connect_neighbour(self, call: Call, there: Organisation, route: Route) -> None:
        """The same for whom a call control of an organisation's own calls."""
        caller = Caller(shown(call.invite, there), None, there.encrypted)
        self._begin(call, self._connect(call, caller, route))

    def replace(self, call: Call, caller: Endpoint | None) -> None:
        """It is to take the place of another (RFC 3891)."""
        self._begin(call, self._transfers.replaced(call, caller))

    def refer(self, visit: Visit, within: Within) -> None:
        """Who sits in a meeting hands its seat over to whom it talks to."""
        self._transfers.seat_referred(visit, within)

    def connect_abroad(self, call: Call, caller: Endpoint, dialled: SipUri) -> None:
        """The same into another domain, which must be found first."""
        self._begin(call, self._connect_abroad(call, caller, dialled))

    def _begin(self, call: Call, connecting: Coroutine[None, None, None]) -> None:
        self.run(self._connecting(call, connecting))

    def run(self, what: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(_guarded(what))
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
        except Exception:  # this call ends, and no other
            log.exception("call_failed")
            call.refuse(500)
        self._driver.pump()

    async def _connect(self, call: Call, caller: Caller, route: Route) -> None:
        targets = self._registrations.locate(route.to, route.organisation)
        to = Address(SipUri(targets[0].domain, targets[0].endpoint.name))
        devices = [Device(one.flow, one.uri, to, [("Route", route) for route in one.routes]) for one in targets]
        encrypted = caller.encrypted or self._wants_encryption(targets[0].endpoint)
        bridge = self._bridge(call, caller, encrypted=encrypted)
        await self._ring(call, bridge, devices, targets[0].endpoint)

    async def _connect_abroad(self, call: Call, caller: Endpoint, dialled: SipUri) -> None:
        organisation = self._registrations.plan.organisations.get(caller.organisation)
        way, *_ = self._ways.to(str(dialled), self._driver.now, organisation)
        bridge = self.bridge(call, caller, encrypted=way.encrypted)
        *servers, last = await self._ways.places(way)
        for place in servers:
            with suppress(Unavailable):  # nobody is there
                device = Device(await self._ways.flow(place), way.target, Address(way.target))
                (ring,) = await self._rings(call, bridge, [device])
                if await bridge.tries(ring, lambda made: self.begun(bridge, [call, *made])):
                    return
        await self._ring(call, bridge, [Device(await self._ways.flow(last), way.target, Address(way.target))], None)

    async def _ring(self, call: Call, bridge: Bridge, devices: Sequence[Device], callee: Endpoint | None) -> None:
        """All at once that the caller's zone reaches."""
        rings = await self._rings(call, bridge, devices)
        ringing = bridge.start(rings, callee)
        self.begun(bridge, [call, *ringing])
        log.info("call_bridged", call=bridge.name, ringing=len(ringing))

    async def _rings(self, call: Call, bridge: Bridge, devices: Sequence[Device]) -> list[Ring]:
        """Of those that the caller's zone reaches, when it is known which way the media of each goes."""
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
        return rings

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
            passage = await self._through(course, _host(call), device.flow.peer.host)
        return Ring(device, passage, await passage.told(CALLER, call.invite.body))

    async def _through(
        self, course: Course, caller: str, called: str, joint: Joint | None = None, *, opened: bool = False
    ) -> Passage:
        between = Between(self._zones, course, (caller, called))
        worker = await self._workers.pick(PICK_S)
        return Through(CallId(new_id("call")), worker, between, self._driver.pump, joint, opened=opened)

    def bridge(self, call: Call, caller: Endpoint, *, encrypted: bool) -> Bridge:
        return self._bridge(call, self._caller(caller), encrypted=encrypted)

    def _bridge(self, call: Call, caller: Caller, *, encrypted: bool) -> Bridge:
        return Bridge(self, CallId(new_id("call")), call, caller, encrypted=encrypted)

    def _caller(self, endpoint: Endpoint) -> Caller:
        address = SipUri(self._registrations.domain_of(endpoint.organisation), endpoint.name)
        return Caller(Address(address, endpoint.display_name), endpoint, self._wants_encryption(endpoint))

    def _wants_encryption(self, endpoint: Endpoint) -> bool:
        """Whether its organisation does."""
        organisation = self._registrations.plan.organisations.get(endpoint.organisation)
        return self._encrypted if organisation is None else organisation.encrypted

    def takes(self, event: Event) -> bool:
        """Whether it is of a call between endpoints, which is told."""
        if not isinstance(event, Progressed | Established | Changing | Changed | Ended | Within):
            return False
        bridge = self.bridges.get(event.call)
        if bridge is None:
            return False
        if isinstance(event, Within) and event.request.method == "REFER":
            self._transfers.referred(bridge, event)
            return True
        if isinstance(event, Ended):
            del self.bridges[event.call]
        bridge.tell(event)
        if isinstance(event, Ended):
            self.over(bridge)
        return True

    # -- a worker dies ------------------------------------------------------------------------------------------------

    def on_death(self, worker: Worker) -> None:
        """Calls whose media it carried go on by another; those that ring are over."""
        for bridge in set(self.bridges.values()):
            carried = isinstance(bridge.passage, Through) and bridge.passage.worker is worker
            if carried:
                self.run(self._move(bridge))
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

    # -- transfer.Office ----------------------------------------------------------------------------------------------

    def begun(self, bridge: Bridge, calls: Sequence[Call]) -> None:
        self.bridges |= dict.fromkeys(calls, bridge)
        if bridge not in self._engaged:
            self._engaged.add(bridge)
            for one in bridge.endpoints:
                self._registrations.engaged(one.id)

    def over(self, bridge: Bridge) -> None:
        if bridge in self._engaged and bridge not in self.bridges.values():
            self._engaged.discard(bridge)
            for one in bridge.endpoints:
                self._registrations.disengaged(one.id)

    async def passage(self, caller: Call, called: Call, joint: Joint, *, opened: bool) -> Passage:
        course = self._zones.course(_host(caller), _host(called))
        if course.direct and not opened:
            return Straight(joint)
        return await self._through(course, _host(caller), _host(called), joint, opened=opened)

    async def stop(self) -> None:
        """Hangs up every call."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for bridge in set(self.bridges.values()):
            bridge.hang_up()

    # -- bridge.Desk --------------------------------------------------------------------------------------------------

    def place(self, to: Recipient, body: bytes) -> Call:
        return self._driver.agent.invite(to, body, self._driver.now)

    def pump(self) -> None:
        self._driver.pump()

    def respond(self, key: Key, response: Response) -> None:
        self._driver.respond(key, response)


async def _guarded(what: Coroutine[None, None, None]) -> None:
    try:
        await what
    except Exception:
        log.exception("switch_failed")


def _host(call: Call) -> str:
    """From which its other side's signalling comes."""
    assert isinstance(call.flow, Flow)
    return call.flow.peer.host
