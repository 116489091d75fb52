"""Runs an agent: what the sockets bring goes in, what it says goes out, and its timers ring.

Responses over UDP go where the request's Via says (RFC 3261, section 18.2.2; RFC 3581); all else goes the way its flow
names, but for what is too large for a datagram (`large.py`), and for requests to whom a connection was closed, which go
by another, to the same address. Events go to whoever owns the driver, one by one, in order, on the event loop. The gate
is asked before anything that comes is read, and told of each call what becomes of it.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from mcu.clock import Clock
from mcu.errors import Unavailable
from mcu.net.sip.endpoint import Endpoint, Flow, Listen
from mcu.net.sip.flows import StreamFlow, UdpFlow
from mcu.net.sip.large import LARGEST, LargeRequests
from mcu.protocol.sip.agent import Agent
from mcu.protocol.sip.call import Call
from mcu.protocol.sip.events import Ended, Established, Event, Invited, Sent
from mcu.protocol.sip.flow import Flow as AnyFlow
from mcu.protocol.sip.gate import Gate, Ticket, Verdict
from mcu.protocol.sip.grammar import Malformed
from mcu.protocol.sip.locating import PORTS
from mcu.protocol.sip.message import Request, Response
from mcu.protocol.sip.transactions import Key
from mcu.protocol.sip.uri import SipUri
from mcu.protocol.sip.values import parse_address

FAILURES: Final = frozenset({403, 404, 604})
ACK_S: Final = 1.0


class Driver:
    """`agent` may be asked at any time; `pump` after that. `closed` is told of each connection that ends."""

    def __init__(
        self,
        listen: Listen,
        gate: Gate,
        clock: Clock,
        happened: Callable[[Event], None],
        closed: Callable[[Flow], None],
        aims: Callable[[Request, Flow], Request] = lambda request, _flow: request,
    ) -> None:
        """`aims` gives a request the Request-URI that whoever is at that flow knows as its own."""
        self.gate = gate
        self.agent = Agent(asks=self._asks)
        self.endpoint = Endpoint(
            listen, received=self._received, hears=self._hears, uses=self.agent.uses, gone=self._gone
        )
        self._clock, self._happened, self._closed, self._aims = clock, happened, closed, aims
        self._large = LargeRequests(self.endpoint, clock, self._goes, self.pump)
        self._tickets: dict[Call, Ticket] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._connecting: set[asyncio.Task[None]] = set()
        self._pumping = False

    @property
    def now(self) -> float:
        return self._clock.monotonic()

    async def start(self) -> None:
        """Raises `OSError` where a port cannot be had."""
        await self.endpoint.start()

    async def close(self) -> None:
        """A call that was answered a moment ago is to have its BYE too: ACK is waited for, though not for long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ACK_S):
                while self.agent.leaving:  # noqa: ASYNC110 - once, in the end: an event is no simpler
                    await asyncio.sleep(ACK_S / 20)
        for call in self.agent.leaving:
            call.say_goodbye()
        self.pump()
        if self._timer is not None:
            self._timer.cancel()
        for task in self._connecting:
            task.cancel()
        self._large.close()
        await self.endpoint.close()

    def pump(self) -> None:
        """Sends what the agent wants sent, tells what it tells, and sets its next alarm.

        May be called by who is being told: what that caused is sent and told after what was there.
        """
        if self._pumping:
            return
        self._pumping = True
        try:
            for event in self.agent.take():
                if isinstance(event, Sent):
                    self._send(event)
                else:
                    self._note(event)
                    self._happened(event)
        finally:
            self._pumping = False
            self._set_alarm()

    def respond(self, key: Key, response: Response) -> None:
        """Answers what was `Asked` or came `Within` a call."""
        self.agent.respond(key, response)
        self.pump()

    def _received(self, message: Request | Response, flow: Flow) -> None:
        self._large.heard(flow)
        self.agent.receive(_from(message, flow), flow, self.now)
        self.pump()

    def _gone(self, flow: Flow) -> None:
        self._large.closed(flow)
        self._closed(flow)

    def _hears(self, host: str, data: bytes) -> bool:
        return self.gate.hears(host, data, self.now)

    def _asks(self, flow: AnyFlow, method: str) -> Verdict:
        assert isinstance(flow, Flow)
        return self.gate.asks(flow.peer.host, method, self.now)

    def _note(self, event: Event) -> None:
        """What the gate is to know of calls that come."""
        match event:
            case Invited(call):
                assert isinstance(call.flow, Flow)
                self._tickets[call] = self.gate.began(call.flow.peer.host, self.now)
            case Established(call) if call in self._tickets:
                self._tickets[call].proved()
            case Ended(call, status) if call in self._tickets:
                self._tickets.pop(call).over()
                self._judge(call.flow, status)

    def _judge(self, flow: AnyFlow, status: int) -> None:
        """Who guesses numbers or passwords is not heard for long."""
        if status in FAILURES:
            assert isinstance(flow, Flow)
            self.gate.failed(flow.peer.host, self.now)

    def _send(self, sent: Sent) -> None:
        flow = sent.flow
        assert isinstance(flow, Flow)
        if isinstance(sent.message, Response) and (method := _method(sent.message)) != "INVITE":
            self._judge(flow, sent.message.status)
            if sent.message.is_success and method == "REGISTER":
                self.gate.trust(flow.peer.host, self.now)
        if isinstance(sent.message, Response) and isinstance(flow, UdpFlow):
            flow = self._answering(sent.message, flow)
        message = self._aims(sent.message, flow) if isinstance(sent.message, Request) else sent.message
        data = bytes(message)
        if len(data) > LARGEST and self._large.take(message, flow, sent.key):
            return
        if flow.write(data):
            return
        if isinstance(message, Request) and isinstance(flow, StreamFlow) and message.to.tag is not None:
            task = asyncio.create_task(self._send_anew(message, flow, sent.key))
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)
        else:
            self._failed(sent.key)

    def _goes(self, key: Key, request: Request, flow: Flow, sent: bool) -> None:
        if sent:
            self.agent.goes(key, request, flow, self.now)
        else:
            self._failed(key)

    def _failed(self, key: Key | None) -> None:
        if key is not None:
            self.agent.fault(key, self.now)

    async def _send_anew(self, request: Request, flow: StreamFlow, key: Key | None) -> None:
        """Of a call that goes on: where whoever closed its connection listens (section 18.1.1), at the same address."""
        try:
            port, name = _next_hop(request, flow.transport)
            written = (await self.endpoint.connection_to(flow.peer.host, port, name)).write(bytes(request))
        except (Malformed, Unavailable):
            written = False
        if not written:
            self._failed(key)
            self.pump()

    def _answering(self, response: Response, flow: UdpFlow) -> UdpFlow:
        try:
            host, port = response.via.answer_to
        except Malformed:
            return flow
        return flow if host != flow.peer.host else flow.to(port)

    def _set_alarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        due = self.agent.next_timer()
        self._timer = None if due is None else asyncio.get_running_loop().call_later(max(0, due - self.now), self._rang)

    def _rang(self) -> None:
        self.agent.handle_timer(self.now)
        self.pump()


def _method(response: Response) -> str:
    """Of what it answers; "" where that is malformed, and so what is copied of it."""
    try:
        return response.cseq.method
    except Malformed:
        return ""


def _next_hop(request: Request, transport: str) -> tuple[int, str]:
    """Its port, and the name that it must prove with TLS. Raises `Malformed`, and `Unavailable` for WebSockets."""
    routes = request.headers.listed("Route")
    uri = parse_address(routes[0]).uri if routes else request.uri
    if not isinstance(uri, SipUri) or transport not in ("TCP", "TLS"):
        raise Unavailable("nobody listens there")
    secure = transport == "TLS"
    return uri.port or PORTS["tls" if secure else "tcp"], uri.host.strip("[]") if secure else ""


def _from(message: Request | Response, flow: Flow) -> Request | Response:
    """A request with what its top Via lacks of where it came from (section 18.2.1; RFC 3581)."""
    if isinstance(message, Response):
        return message
    try:
        first, *others = message.vias
    except (Malformed, ValueError):
        return message  # the agent says what is wrong
    seen = first.came_from(flow.peer.host, flow.peer.port)
    return message if seen == first else message.with_(message.headers.with_("Via", *map(str, [seen, *others])))
