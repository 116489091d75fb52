"""Runs an agent: what the sockets bring goes in, what it says goes out, and its timers ring.

Responses over UDP go where the request's Via says (RFC 3261, section 18.2.2; RFC 3581); all else goes the way its flow
names. Events go to whoever owns the driver, one by one, in order, on the event loop.
"""

import asyncio
from collections.abc import Callable

from mcu.clock import Clock
from mcu.net.sip.endpoint import Endpoint, Flow, Listen
from mcu.net.sip.flows import UdpFlow
from mcu.protocol.sip.agent import Agent
from mcu.protocol.sip.events import Event, Sent
from mcu.protocol.sip.grammar import Malformed
from mcu.protocol.sip.message import Request, Response
from mcu.protocol.sip.transactions import Key


class Driver:
    """`agent` may be asked at any time; `pump` after that. `closed` is told of each connection that ends."""

    def __init__(
        self, listen: Listen, clock: Clock, happened: Callable[[Event], None], closed: Callable[[Flow], None]
    ) -> None:
        self.agent = Agent()
        self.endpoint = Endpoint(listen, self._received, closed)
        self._clock, self._happened = clock, happened
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

    def _send(self, sent: Sent) -> None:
        flow = sent.flow
        assert isinstance(flow, Flow)
        if isinstance(sent.message, Response) and isinstance(flow, UdpFlow):
            flow = self._answering(sent.message, flow)
        if not flow.write(bytes(sent.message)) and sent.key is not None:
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
