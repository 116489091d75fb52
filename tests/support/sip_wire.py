"""Two SIP agents on a wire with a delay and losses of its own choice, over simulated time."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mcu.protocol.sip.agent import Agent, Recipient
from mcu.protocol.sip.call import Call
from mcu.protocol.sip.digest import Answerer
from mcu.protocol.sip.events import Ended, Established, Event, Invited, Sent
from mcu.protocol.sip.message import Request, Response, read
from mcu.protocol.sip.uri import SipUri
from mcu.protocol.sip.values import Address

OFFER, ANSWER = b"an offer", b"an answer"
ROOM = SipUri("mcu.example", "482915370")


@dataclass(frozen=True)
class Way:
    """Our end of the wire."""

    host: str
    transport: str = "UDP"
    port: int = 5060
    alias: bool = False


class End:
    """One of the two, and what its agent has told."""

    def __init__(self, wire: "Wire", way: Way) -> None:
        self.agent, self.way, self._wire = Agent(), way, wire
        self.told: list[Event] = []
        self.sent: list[Request | Response] = []

    def last(self, kind: type[Event]) -> Event:
        return [event for event in self.told if isinstance(event, kind)][-1]

    def kinds(self) -> list[str]:
        return [type(event).__name__ for event in self.told]

    def methods(self) -> list[str | int]:
        """What it has put on the wire, repeats too."""
        return [one.method if isinstance(one, Request) else one.status for one in self.sent]

    def drain(self) -> None:
        for event in self.agent.take():
            if isinstance(event, Sent):
                self.sent.append(event.message)
                if self._wire.cut and event.key is not None:
                    self.agent.fault(event.key, self._wire.now)
                else:
                    self._wire.carry(self, event)
            else:
                self.told.append(event)

    def invite(self, body: bytes = OFFER, answerer: Answerer | None = None, **headers: str) -> Call:
        fields = [(name.replace("_", "-"), value) for name, value in headers.items()]
        to = Recipient(self.way, ROOM, Address(SipUri(self.way.host, "anna")), Address(ROOM), fields)
        call = self.agent.invite(to, body, self._wire.now, answerer)
        self.drain()
        return call


class Wire:
    """`lost` decides of each message whether it is; None for none."""

    def __init__(self, transport: str = "UDP", delay: float = 0.05) -> None:
        self.now, self.delay = 0.0, delay
        self.lost: Callable[[Request | Response], bool] | None = None
        self.cut = False  # nothing can be put on it
        self.phone, self.server = End(self, Way("phone.example", transport)), End(self, Way("mcu.example", transport))
        self._flying: list[tuple[float, int, End, bytes]] = []
        self._count = 0

    def carry(self, sender: End, sent: Sent) -> None:
        if self.lost is not None and self.lost(sent.message):
            return
        self._count += 1
        receiver = self.server if sender is self.phone else self.phone
        heapq.heappush(self._flying, (self.now + self.delay, self._count, receiver, bytes(sent.message)))

    def run(self, seconds: float = 1.0) -> None:
        """Until nothing happens any more before then."""
        until = self.now + seconds
        for end in (self.phone, self.server):
            end.drain()
        while (at := self._next()) is not None and at <= until:
            self.now = at
            self._step()
        self.now = until
        for end in (self.phone, self.server):
            end.agent.now = until

    def _next(self) -> float | None:
        times = [end.agent.next_timer() for end in (self.phone, self.server)]
        flying = [self._flying[0][0]] if self._flying else []
        return min((one for one in (*times, *flying) if one is not None), default=None)

    def _step(self) -> None:
        while self._flying and self._flying[0][0] <= self.now:
            _, _, receiver, data = heapq.heappop(self._flying)
            receiver.agent.receive(read(data), receiver.way, self.now)
            receiver.drain()
        for end in (self.phone, self.server):
            end.agent.handle_timer(self.now)
            end.drain()


def up(wire: Wire, **headers: Any) -> tuple[Call, Call]:
    """A call that stands: the phone's, the server's."""
    phone = wire.phone.invite(**headers)
    wire.run()
    invited = wire.server.told[-1]
    assert isinstance(invited, Invited)
    server = invited.call
    server.answer(ANSWER)
    wire.run()
    for end in (wire.phone, wire.server):
        assert isinstance(end.told[-1], Established)
        end.told.clear()
        end.sent.clear()
    return phone, server


def invited(end: End) -> Call:
    event = next(event for event in end.told if isinstance(event, Invited))
    return event.call


def ended(end: End) -> list[int]:
    return [event.status for event in end.told if isinstance(event, Ended)]


def quiet(wire: Wire) -> bool:
    """Nothing is left of any call, and nothing is due."""
    wire.run(200)
    return not len(wire.phone.agent) and not len(wire.server.agent) and wire.phone.agent.next_timer() is None
