"""Requests that are too large for a datagram (RFC 3261, section 18.1.1): by TCP to the same address, if it can be.

Where nobody takes a connection, or who takes it says nothing by it, they go by UDP all the same, and so does what
follows for a while. Of a request that goes by TCP the transaction is told, which does not repeat it then.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from mcu.clock import Clock
from mcu.errors import Unavailable
from mcu.net.sip.endpoint import Endpoint, Flow
from mcu.net.sip.flows import Peer, StreamFlow, UdpFlow
from mcu.protocol.sip.message import Request, Response
from mcu.protocol.sip.transactions import Key
from mcu.tally import remember

LARGEST: Final = 1300  # bytes, of what goes by UDP where the path's MTU is not known
CONNECT_S: Final = 1.0
HEARD_S: Final = 4.0  # in which who has taken the connection has to say something
REFUSED_S: Final = 600.0
REFUSED_MAX: Final = 1000  # peers, of which it is known that they take no TCP


@dataclass(frozen=True, slots=True)
class Large:
    """A request as it goes by UDP. `key`: of its transaction; None: an ACK, which has none."""

    request: Request
    flow: UdpFlow
    key: Key | None


class LargeRequests:
    """`goes` is told which way the request of a transaction goes, or (False) that it does not; `pump` after that."""

    def __init__(
        self,
        endpoint: Endpoint,
        clock: Clock,
        goes: Callable[[Key, Request, Flow, bool], None],
        pump: Callable[[], None],
    ) -> None:
        self._endpoint, self._clock, self._goes, self._pump = endpoint, clock, goes, pump
        self._refused: OrderedDict[Peer, float] = OrderedDict()  # until when
        self._connecting: dict[Peer, list[Large]] = {}  # what waits for it
        self._unheard: dict[StreamFlow, list[Large]] = {}  # of connections that have brought nothing
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, message: Request | Response, flow: Flow, key: Key | None) -> bool:
        """Whether this sends what is larger than `LARGEST`."""
        if not isinstance(message, Request) or not isinstance(flow, UdpFlow):
            return False
        peer, large = flow.peer, Large(message, flow, key)
        if self._refused.get(peer, 0.0) > self._clock.monotonic():
            return False
        if (known := self._endpoint.connected_to(peer.host, peer.port)) is not None and self._streamed(large, known):
            return True
        waiting = self._connecting.get(peer)
        if waiting is None:
            self._connecting[peer] = [large]
            task = asyncio.create_task(self._connect(peer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif key is None or key not in [one.key for one in waiting]:
            waiting.append(large)
        return True

    def heard(self, flow: Flow) -> None:
        """Something has come by it."""
        if isinstance(flow, StreamFlow):
            self._unheard.pop(flow, None)

    def closed(self, flow: Flow) -> None:
        """What went by a connection that has brought nothing goes by UDP."""
        waiting = self._unheard.pop(flow, None) if isinstance(flow, StreamFlow) else None
        if waiting is not None:
            self._refused_by(flow.peer, waiting)

    def close(self) -> None:
        self._unheard.clear()
        for task in self._tasks:
            task.cancel()

    async def _connect(self, peer: Peer) -> None:
        try:
            async with asyncio.timeout(CONNECT_S):
                flow = await self._endpoint.connection_to(peer.host, peer.port)
        except (TimeoutError, Unavailable):
            self._refused_by(peer, self._connecting.pop(peer))
            return
        self._unheard[flow] = []
        for one in self._connecting.pop(peer):
            if not self._streamed(one, flow):
                self._datagram(one)
        self._pump()
        await asyncio.sleep(HEARD_S)
        if flow in self._unheard:
            self.closed(flow)
            flow.close()

    def _streamed(self, large: Large, flow: StreamFlow) -> bool:
        """Whether it could be sent. What its Via says is where it goes."""
        via, *others = large.request.vias
        vias = replace(via, transport=flow.transport), *others
        request = large.request.with_(large.request.headers.with_("Via", *map(str, vias)))
        if not flow.write(bytes(request)):
            return False
        if flow in self._unheard:
            self._unheard[flow].append(large)
        if large.key is not None:
            self._goes(large.key, request, flow, True)
        return True

    def _datagram(self, large: Large) -> None:
        sent = large.flow.write(bytes(large.request))
        if large.key is not None:
            self._goes(large.key, large.request, large.flow, sent)

    def _refused_by(self, peer: Peer, waiting: Iterable[Large]) -> None:
        remember(self._refused, peer, self._clock.monotonic() + REFUSED_S, REFUSED_MAX)
        for one in waiting:
            self._datagram(one)
        self._pump()
