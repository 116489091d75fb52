"""SIP's front end: takes calls, hands each to a visit of its own, and answers what is no call."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import structlog

from mcu.booking.door import Door
from mcu.booking.endpoints import Endpoint
from mcu.clock import Clock
from mcu.conference.conference import Conference
from mcu.conference.roster import Language
from mcu.conference.workers import Worker, Workers
from mcu.errors import McuError, TooMany
from mcu.ids import CallId, new_id
from mcu.media.call_messages import CallEvent, CallKey
from mcu.media.frames import AnyEvent
from mcu.net.bfcp import server as floors
from mcu.net.sip.driver import Driver
from mcu.net.sip.endpoint import Flow, Listen
from mcu.net.sip.websocket import WebSockets
from mcu.protocol.sdp.secured import is_secured
from mcu.protocol.sip import media_control
from mcu.protocol.sip.call import METHODS, SUPPORTED, Call
from mcu.protocol.sip.events import (
    Answered,
    Asked,
    Changed,
    Changing,
    Ended,
    Established,
    Event,
    Invited,
    Progressed,
    Within,
)
from mcu.protocol.sip.flow import tag
from mcu.protocol.sip.gate import Gate, Limits
from mcu.protocol.sip.grammar import Malformed
from mcu.protocol.sip.identity import calling_number
from mcu.protocol.sip.info import key_of
from mcu.protocol.sip.responses import response_to
from mcu.protocol.sip.uri import SipUri
from mcu.signalling.sip.callers import Callers
from mcu.signalling.sip.dialling import Dialling, DialOptions
from mcu.signalling.sip.handover import HandedOver, Handover
from mcu.signalling.sip.happenings import Unsighted
from mcu.signalling.sip.incoming import Incoming, Who
from mcu.signalling.sip.neighbours import Neighbours
from mcu.signalling.sip.registrations import Registrations, refusal
from mcu.signalling.sip.routing import Kind, Route, destination
from mcu.signalling.sip.switch import Switch
from mcu.signalling.sip.trunk_keeper import TrunkKeeper
from mcu.signalling.sip.trunks import Trunk
from mcu.signalling.sip.visit import House, Visit
from mcu.signalling.sip.ways import Way

log = structlog.get_logger(__name__)

OTHERS: Final = {  # requests within a meeting's call but INFO, and what they are answered
    "OPTIONS": 200,
    "REFER": 403,
    "NOTIFY": 481,  # we have subscribed to nothing
    "MESSAGE": 405,
}


@dataclass(frozen=True, kw_only=True)
class SipOptions:
    """See `mcu.config.sip.Sip`."""

    addresses: tuple[str, ...]
    port: int
    tls_port: int
    floors: floors.Listen
    floor_unused_s: float
    tls: ssl.SSLContext | None
    client: ssl.SSLContext
    name: str
    encrypted: bool
    language: Language
    dialling: DialOptions
    limits: Limits


class FrontEnd:
    """A `WorkersListener`. `start` before use, `stop` after it."""

    def __init__(
        self,
        options: SipOptions,
        *,
        conference: Conference,
        workers: Workers,
        door: Door,
        registrations: Registrations,
        clock: Clock,
    ) -> None:
        listen = Listen(
            addresses=options.addresses,
            port=options.port,
            tls_port=options.tls_port,
            tls=options.tls,
            client=options.client,
            shows=options.tls is not None,
            name=options.name,
        )
        shown = (options.tls, options.client, options.floors.tls)
        self.shows = tuple(one for one in shown if one is not None)  # our certificate
        gate = Gate(options.limits, clock.monotonic(), self._is_trunk)
        self._driver = Driver(listen, gate, clock, self._happened, registrations.closed, registrations.aimed)
        self._registrations = registrations
        self.floors = floors.FloorServer(options.floors, clock)
        self._house = House(
            conference=conference,
            workers=workers,
            door=door,
            clock=clock,
            line=self._driver,
            floors=self.floors,
            floor_unused_s=options.floor_unused_s,
            encrypted=options.encrypted,
            language=options.language,
            organisations=registrations.plan.organisations,
        )
        self._dialling = Dialling(options.dialling, self, self._driver, registrations, self._house)
        self._switch = Switch(
            self._driver, registrations, self._dialling.ways, workers, self, encrypted=options.encrypted
        )
        self._keeper = TrunkKeeper(self._dialling.roads, self._driver)
        self._neighbours = Neighbours(registrations.plan.organisations, self._dialling.roads)
        self._callers = Callers(clock)
        self._conference, self._workers = conference, workers
        self._visits: dict[CallId, Visit] = {}
        self._by_call: dict[Call, Visit] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def trunks(self) -> Mapping[str, bool]:
        """Whether each is up, as far as is known."""
        return {name: health.up for name, health in self._dialling.trunks.health.items()}

    @property
    def ports(self) -> tuple[int, int]:
        """Of UDP and TCP, and of TLS (0: there is none)."""
        return self._driver.endpoint.ports

    @property
    def web_sockets(self) -> WebSockets:
        """Of the web server, that speak SIP."""
        return self._driver.endpoint.web_sockets

    def _is_trunk(self, host: str) -> bool:
        return self._dialling.trunks.at(host) is not None

    # -- telemetry.metrics.Signalling ----------------------------------------------------------------------------------

    @property
    def calls(self) -> int:
        return len(self._driver.agent)

    @property
    def transactions(self) -> int:
        return self._driver.agent.transactions

    @property
    def connections(self) -> int:
        return self._driver.endpoint.counts.connections

    @property
    def handshakes(self) -> int:
        return self._driver.endpoint.handshakes

    @property
    def dropped(self) -> Mapping[str, int]:
        counts = self._driver.endpoint.counts
        unreadable = {"not SIP": counts.malformed, "not answerable": self._driver.agent.dropped}
        of_floors = {f"floor: {reason}": count for reason, count in self.floors.dropped.items()}
        return {**unreadable, **of_floors, **counts.refused, **self._driver.gate.dropped}

    async def start(self) -> None:
        """Raises `OSError` where a port cannot be had."""
        await self._driver.start()
        await self.floors.start()
        await self._registrations.start(self._driver.endpoint.datagrams_to)
        self._workers.subscribe(self)
        self._conference.call_with(self._dialling)
        self._keeper.start()
        self._neighbours.start()

    async def stop(self) -> None:
        """Hangs up every call, and waits until it is said."""
        await self._switch.stop()
        self._conference.call_with(None)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._keeper.stop()
        await self._neighbours.stop()
        await self._registrations.stop()
        await self.floors.close()
        await self._driver.close()

    # -- conference.workers.WorkersListener ---------------------------------------------------------------------------

    def on_event(self, worker: Worker, event: AnyEvent) -> None:
        if (
            isinstance(event, CallEvent)
            and (visit := self._visits.get(event.call)) is not None
            and visit.worker is worker
        ):
            if isinstance(event, CallKey):
                visit.pressed("media", event.key)
            else:
                visit.tell(event)

    def on_death(self, worker: Worker) -> None:
        self._switch.on_death(worker)
        for visit in list(self._visits.values()):
            if visit.worker is worker:
                visit.lost()

    # -- what the agent tells -----------------------------------------------------------------------------------------

    def _happened(self, event: Event) -> None:
        if self._switch.takes(event):
            return
        match event:
            case Invited(call):
                self._invited(call)
            case Progressed() | Established() | Changing() | Changed() | Ended():
                if (visit := self._by_call.get(event.call)) is not None:
                    visit.tell(event)
            case Within() if event.request.method == "REFER" and (seat := self.seat(event.call)) is not None:
                self._switch.refer(seat, event)
            case Within():
                status = self._within(event)
                said = _can(event.request.method, status)
                self._driver.respond(event.key, response_to(event.request, status, headers=said))
            case Asked():
                self._asked(event)
            case Answered():
                self._keeper.answered(event)

    def _within(self, within: Within) -> int:
        """The status for a request within a call. INFO about other things than keys and pictures is let be."""
        if within.request.method != "INFO":
            return OTHERS.get(within.request.method, 501)
        try:
            key = key_of(within.request)
        except Malformed:
            return 400
        visit = self._by_call.get(within.call)
        if visit is not None and key is not None:
            visit.pressed("info", key)
        elif visit is not None and media_control.asks(within.request):
            visit.tell(Unsighted())
        return 200

    def _invited(self, call: Call) -> None:
        """Who calls is settled first: it says where the call may go."""
        flow = call.flow
        assert isinstance(flow, Flow)
        try:
            caller = self._registrations.caller(call.invite, flow)
            of = "" if caller is None else caller.organisation
            neighbour = self._neighbours.at(flow) if caller is None else None
            plan = self._registrations.plan
            route = plan.route(destination(call.invite), stranger=caller is None, of=of, neighbour=neighbour)
        except McuError as error:
            call.refuse(error.sip, refusal(error))
            return
        if "Replaces" in call.invite.headers:
            self._switch.replace(call, caller)
        elif route.kind is Kind.REFUSED:
            call.refuse(route.status)
        elif route.kind is Kind.ENDPOINT and caller is not None:
            self._switch.connect(call, caller, route)
        elif route.kind is Kind.ENDPOINT and neighbour is not None:
            self._switch.connect_neighbour(call, neighbour, route)
        elif route.kind is Kind.DOMAIN and caller is not None and isinstance(route.to, SipUri):
            self._switch.connect_abroad(call, caller, route.to)
        else:
            self._visited(call, route, flow, caller)

    def _visited(self, call: Call, route: Route, flow: Flow, caller: Endpoint | None) -> None:
        name = CallId(new_id("call"))
        trunk = self._dialling.trunks.at(flow.peer.host)
        try:
            known = "" if trunk is None else self._callers.called(trunk.name, call.invite)
        except TooMany as error:
            call.refuse(480, refusal(error))  # not 503: it is the caller who may not, and the trunk may
            return
        whose = route.organisation or (caller.organisation if caller is not None else "")
        house = self._house_of(whose, trunk)
        number = calling_number(call.invite) if trunk is not None and trunk.verifies else ""
        who = Who(address=flow.peer.host, caller=known, endpoint=caller, number=number, by_trunk=trunk is not None)
        self._begin_of(Incoming(house, name, call, route, who), call, caller)
        log.info("call_came", call=name, transport=flow.transport, trunk=trunk and trunk.name)

    def _begin_of(self, visit: Visit, call: Call, caller: Endpoint | None) -> None:
        self._by_call[call] = visit
        task = self.begin(visit)
        if caller is not None:
            self._registrations.engaged(caller.id)
            task.add_done_callback(lambda _: self._registrations.disengaged(caller.id))

    def _house_of(self, name: str, trunk: Trunk | None) -> House:
        """As it is for a call to this organisation, over this trunk."""
        house, organisation = self._house, self._house.organisations.get(name)
        if organisation is not None:
            language = organisation.language or house.language
            house = replace(house, encrypted=organisation.encrypted, language=language, voice=name)
        return house if trunk is None else replace(house, encrypted=trunk.encrypted)

    # -- transfer.Meetings --------------------------------------------------------------------------------------------

    def seat(self, call: Call) -> Visit | None:
        return self._by_call.get(call)

    def hand(self, call: Call, to: Endpoint, route: Route, handover: Handover) -> None:
        assert isinstance(call.flow, Flow)
        name = CallId(new_id("call"))
        house = self._house_of(route.organisation or to.organisation, None)
        house = replace(house, encrypted=house.encrypted or is_secured(call.changes.sdp))
        who = Who(address=call.flow.peer.host, caller="", endpoint=to, number="", by_trunk=False)
        self._begin_of(HandedOver(house, name, call, route, who, handover), call, to)
        log.info("call_handed_over", call=name)

    # -- dialling.Desk ------------------------------------------------------------------------------------------------

    def begin(self, visit: Visit) -> asyncio.Task[None]:
        """Until it is over; it is told of its worker and its call until then."""
        self._visits[visit.name] = visit
        task = asyncio.create_task(visit.run())
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._left(done, visit))
        return task

    def visit(self, name: CallId) -> Visit | None:
        return self._visits.get(name)

    def place(self, visit: Visit, way: Way, flow: Flow, offer: str) -> Call:
        call = self._driver.agent.invite(way.recipient(flow), offer.encode(), self._driver.now, way.answerer())
        self._by_call[call] = visit
        self._driver.pump()
        return call

    def forget(self, call: Call) -> None:
        self._by_call.pop(call, None)

    def _left(self, task: asyncio.Task[None], visit: Visit) -> None:
        self._tasks.discard(task)
        self._visits.pop(visit.name, None)
        if visit.call is not None:
            self.forget(visit.call)

    def _asked(self, asked: Asked) -> None:
        """OPTIONS is answered, for that is how others see that we live; of the rest only REGISTER is done."""
        if asked.request.method == "REGISTER":
            assert isinstance(asked.flow, Flow)
            self._registrations.asked(asked, asked.flow, self._driver)
            return
        method = asked.request.method
        status = {"OPTIONS": 200, "REFER": 403}.get(method, 405)
        self._driver.respond(asked.key, response_to(asked.request, status, tag=tag(), headers=_can(method, status)))


def _can(method: str, status: int) -> list[tuple[str, str]]:
    """What the answer to OPTIONS says of us, and that to what is not done there (RFC 3261, sections 11.2 and 8.2.1)."""
    if status == 405:
        return [("Allow", ", ".join(one for one in METHODS.split(", ") if one != method))]
    if method != "OPTIONS":
        return []
    said = [("Allow", METHODS), ("Accept", "application/sdp"), ("Accept-Encoding", "identity")]
    return [*said, ("Accept-Language", "sv, en"), ("Supported", ", ".join(sorted(SUPPORTED)))]
