"""SIP's front end: takes calls, hands each to a visit of its own, and answers what is no call."""

import asyncio
import ssl
from dataclasses import dataclass

import structlog

from mcu.booking.door import Door
from mcu.clock import Clock
from mcu.conference.conference import Conference
from mcu.conference.roster import Language
from mcu.conference.workers import Worker, Workers
from mcu.ids import CallId, new_id
from mcu.media.messages import AnyEvent, CallEvent
from mcu.net.sip.driver import Driver
from mcu.net.sip.endpoint import Flow, Listen
from mcu.protocol.sip.call import METHODS, SUPPORTED, Call
from mcu.protocol.sip.events import Asked, Changed, Changing, Ended, Established, Event, Invited, Within
from mcu.protocol.sip.flow import tag
from mcu.protocol.sip.responses import response_to
from mcu.protocol.sip.uri import SipUri, TelUri
from mcu.signalling.sip.menu import NUMBER_DIGITS
from mcu.signalling.sip.visit import House, Visit

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class SipOptions:
    """See `mcu.config.sections.Sip`."""

    addresses: tuple[str, ...]
    port: int
    tls_port: int
    tls: ssl.SSLContext | None
    name: str
    encrypted: bool
    language: Language


class FrontEnd:
    """A `WorkersListener`. `start` before use, `stop` after it."""

    def __init__(
        self, options: SipOptions, *, conference: Conference, workers: Workers, door: Door, clock: Clock
    ) -> None:
        listen = Listen(
            addresses=options.addresses,
            port=options.port,
            tls_port=options.tls_port,
            tls=options.tls,
            name=options.name,
        )
        self._driver = Driver(listen, clock, self._happened)
        self._house = House(
            conference=conference,
            workers=workers,
            door=door,
            clock=clock,
            line=self._driver,
            encrypted=options.encrypted,
            language=options.language,
        )
        self._workers = workers
        self._visits: dict[CallId, Visit] = {}
        self._by_call: dict[Call, Visit] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def ports(self) -> tuple[int, int]:
        """Of UDP and TCP, and of TLS (0: there is none)."""
        return self._driver.endpoint.ports

    async def start(self) -> None:
        """Raises `OSError` where a port cannot be had."""
        await self._driver.start()
        self._workers.subscribe(self)

    async def stop(self) -> None:
        """Hangs up every call, and waits until it is said."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._driver.close()

    # -- conference.workers.WorkersListener ---------------------------------------------------------------------------

    def on_event(self, worker: Worker, event: AnyEvent) -> None:
        if (
            isinstance(event, CallEvent)
            and (visit := self._visits.get(event.call)) is not None
            and visit.worker is worker
        ):
            visit.tell(event)

    def on_death(self, worker: Worker) -> None:
        for visit in list(self._visits.values()):
            if visit.worker is worker:
                visit.lost()

    # -- what the agent tells -----------------------------------------------------------------------------------------

    def _happened(self, event: Event) -> None:
        match event:
            case Invited(call):
                self._invited(call)
            case Established() | Changing() | Changed() | Ended():
                if (visit := self._by_call.get(event.call)) is not None:
                    visit.tell(event)
            case Within(_, request, key):
                self._driver.agent.respond(key, response_to(request, 200 if request.method == "INFO" else 501))
                self._driver.pump()
            case Asked():
                self._asked(event)

    def _invited(self, call: Call) -> None:
        flow = call.flow
        assert isinstance(flow, Flow)
        name = CallId(new_id("call"))
        visit = Visit(self._house, name, call, _number(call), flow.peer.host)
        self._visits[name] = self._by_call[call] = visit
        task = asyncio.create_task(visit.run())
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._left(done, visit))
        log.info("call_came", call=name, transport=flow.transport)

    def _left(self, task: asyncio.Task[None], visit: Visit) -> None:
        self._tasks.discard(task)
        self._visits.pop(visit.name, None)
        self._by_call.pop(visit.call, None)

    def _asked(self, asked: Asked) -> None:
        """OPTIONS is answered, for that is how others see that we live; nothing else is done outside calls yet."""
        method = asked.request.method
        status = 200 if method == "OPTIONS" else 405
        headers = [("Allow", METHODS), ("Accept", "application/sdp"), ("Supported", ", ".join(sorted(SUPPORTED)))]
        response = response_to(asked.request, status, tag=tag(), headers=headers)
        self._driver.agent.respond(asked.key, response)
        self._driver.pump()


def _number(call: Call) -> str:
    """The meeting's, where the call is made to one; "" leads to the menu that asks."""
    uri = call.invite.uri
    user = uri.user or "" if isinstance(uri, SipUri) else uri.number if isinstance(uri, TelUri) else ""
    return user if len(user) == NUMBER_DIGITS and user.isascii() and user.isdigit() else ""
