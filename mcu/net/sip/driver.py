"""Runs an agent: what the sockets bring goes in, what it says goes out, and its timers ring.

Responses over UDP go where the request's Via says (RFC 3261, section 18.2.2; RFC 3581); all else goes the way its flow
names. Events go to whoever owns the driver, one by one, in order, on the event loop. The gate is asked before anything
that comes is read, and told of each call what becomes of it.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from mcu.clock import Clock
from mcu.net.sip.endpoint import Endpoint, Flow, Listen
from mcu.net.sip.flows import UdpFlow
from mcu.protocol.sip.agent import Agent
from mcu.protocol.sip.call import Call
from mcu.protocol.sip.events import Ended, Established, Event, Invited, Sent
from mcu.protocol.sip.flow import Flow as AnyFlow
from mcu.protocol.sip.gate import Gate, Ticket, Verdict
from mcu.protocol.sip.grammar import Malformed
from mcu.protocol.sip.message import Request, Response
from mcu.protocol.sip.transactions import Key

FAILURES: Final = frozenset({403, 404, 604})


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
        self.endpoint = Endpoint(listen, received=self._received, hears=self._hears, gone=closed)
        self._clock, self._happened, self._aims = clock, happened, aims
        self._tickets: dict[Call, Ticket] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._pumping = False

    @property
    def now(self) -> float:
        return self._clock.monotonic()

    async def start(self) -> None:
        """Raises `OSError` where a port cannot be had."""
        await self.endpoint.start()

    async def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
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
        self.agent.receive(_from(message, flow), flow, self.now)
        self.pump()

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
        if isinstance(sent.message, Response) and sent.message.cseq.method != "INVITE":
            self._judge(flow, sent.message.status)
            if sent.message.is_success and sent.message.cseq.method == "REGISTER":
                self.gate.trust(flow.peer.host, self.now)
        if isinstance(sent.message, Response) and isinstance(flow, UdpFlow):
            flow = self._answering(sent.message, flow)
        message = self._aims(sent.message, flow) if isinstance(sent.message, Request) else sent.message
        if not flow.write(bytes(message)) and sent.key is not None:
            self.agent.fault(sent.key, self.now)

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
