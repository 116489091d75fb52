"""One connection, over TCP or TLS: a stream, cut into messages."""

import asyncio
from typing import Final, Protocol, cast

from mcu.net.sip import tls
from mcu.net.sip.flows import Peer, StreamFlow
from mcu.protocol.sip.grammar import Malformed
from mcu.protocol.sip.message import Request, Response
from mcu.protocol.sip.stream import PONG, Ping, Pong, Stream

FIRST_S: Final = 10.0  # until the first whole message


class Owner(Protocol):
    """What it belongs to."""

    def hears(self, host: str, data: bytes, /) -> bool: ...
    def opened(self, flow: StreamFlow, *, ours: bool) -> bool: ...
    def closed(self, flow: StreamFlow) -> None: ...
    def in_use(self, flow: StreamFlow) -> bool: ...
    def message(self, message: Request | Response, flow: StreamFlow) -> None: ...
    def malformed(self) -> None: ...
    def own(self, transport: str, address: str, port: int) -> tuple[str, int]: ...
    def alias(self, transport: str, *, ours: bool) -> bool: ...


class Connection(asyncio.Protocol):
    """`called`: the name by which we connected, "" for none; `None`: they did. `failure`: why there is no `flow`."""

    def __init__(self, owner: Owner, transport: str, *, called: str | None = None) -> None:
        self.flow: StreamFlow | None = None
        self.failure: tls.NotProven | None = None
        self._owner, self._name, self._called, self._ours = owner, transport, called, called is not None
        self._stream = Stream()
        self._idle: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast("asyncio.Transport", transport)
        flow = self._flow(transport)
        if self._called:
            try:
                tls.check(flow.shown, self._called)
            except tls.NotProven as error:
                self.failure = error
        if self.failure is not None or not self._owner.opened(flow, ours=self._ours):
            transport.abort()
            return
        self.flow = flow
        self._wait(FIRST_S)

    def _flow(self, transport: asyncio.Transport) -> StreamFlow:
        here, there = transport.get_extra_info("sockname"), transport.get_extra_info("peername")
        host, port = self._owner.own(self._name, here[0], here[1])
        return StreamFlow(
            transport,
            self._name,
            host,
            port,
            Peer(there[0], there[1]),
            shown=tls.shown_by(transport),
            alias=self._owner.alias(self._name, ours=self._ours),
        )

    def data_received(self, data: bytes) -> None:
        if self.flow is None:
            return
        try:
            for one in self._stream.feed(data):
                if not self._ours and not self._owner.hears(self.flow.peer.host, data):
                    self.flow.close()  # it could not be told otherwise to send less
                    return
                if isinstance(one, Ping):
                    self.flow.write(PONG)
                elif not isinstance(one, Pong):
                    self._owner.message(one, self.flow)
                self._wait(self.flow.idle_s)
        except Malformed:
            self._owner.malformed()
            self.flow.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._idle is not None:
            self._idle.cancel()
        if self.flow is not None:
            self._owner.closed(self.flow)

    def _wait(self, seconds: float) -> None:
        if self._idle is not None:
            self._idle.cancel()
        assert self.flow is not None
        self._idle = asyncio.get_running_loop().call_later(seconds, self._was_idle)

    def _was_idle(self) -> None:
        """Who is in a call by it may have nothing to say for as long as that lasts."""
        assert self.flow is not None
        if self._owner.in_use(self.flow):
            self._wait(self.flow.idle_s)
        else:
            self.flow.close()
