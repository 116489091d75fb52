"""SIP over WebSocket (RFC 7118): browsers, and whoever is behind a proxy that lets nothing else through.

A connection of the web server that speaks the subprotocol `sip` is one of SIP's: counted with them, measured by the
same gate, and closed when nothing comes. Each WebSocket message is one of SIP, or a keep-alive (RFC 5626, 3.5.1).
"""

import asyncio
from collections import deque
from contextlib import suppress
from typing import Final

from aiohttp import WSMsgType, web

from mcu.net.sip.connection import FIRST_S, Owner
from mcu.net.sip.flows import Peer, StreamFlow
from mcu.protocol.sip.certificate import Identities
from mcu.protocol.sip.grammar import Malformed
from mcu.protocol.sip.message import MAX_BODY, MAX_HEAD, read
from mcu.protocol.sip.stream import PING, PONG

SUBPROTOCOL: Final = "sip"
HEARTBEAT_S: Final = 25.0  # by pings of ours, to which every browser answers by itself
CLOSE_S: Final = 2.0  # for their goodbye


class WebSockets:
    """Those of one endpoint."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """A request of the web server's for `/sip`."""
        ws = web.WebSocketResponse(
            protocols=[SUBPROTOCOL],
            heartbeat=HEARTBEAT_S,
            timeout=CLOSE_S,
            autoping=False,
            max_msg_size=MAX_HEAD + MAX_BODY,
            compress=False,
            decode_text=False,
        )
        if ws.can_prepare(request).protocol != SUBPROTOCOL:
            raise web.HTTPBadRequest(text="This is SIP over WebSocket: ask for the subprotocol sip (RFC 7118).")
        wire = _Wire(ws, request.transport)
        flow = self._flow(wire, request)
        if not self._owner.opened(flow, ours=False):
            raise web.HTTPServiceUnavailable
        try:
            await ws.prepare(request)
            await self._serve(ws, wire, flow)
        finally:
            self._owner.closed(flow)
        return ws

    def _flow(self, wire: "_Wire", request: web.Request) -> StreamFlow:
        """`request.remote`: of the browser, where a proxy in front is believed."""
        assert request.transport is not None
        here, there = request.transport.get_extra_info("sockname"), request.transport.get_extra_info("peername")
        transport = "WSS" if request.secure else "WS"
        host, port = self._owner.own(transport, here[0], here[1])
        peer = Peer(request.remote or there[0], there[1])
        return StreamFlow(wire, transport, host, port, peer, shown=Identities(), alias=False)

    async def _serve(self, ws: "web.WebSocketResponse[bool]", wire: "_Wire", flow: StreamFlow) -> None:
        writing = asyncio.create_task(wire.run())
        try:
            await self._listen(ws, flow)
        except Malformed:
            self._owner.malformed()
        except (TimeoutError, ConnectionError):
            pass  # nothing came any more, or nothing goes
        finally:
            flow.close()
            await writing

    async def _listen(self, ws: "web.WebSocketResponse[bool]", flow: StreamFlow) -> None:
        """Until either side closes. Raises `Malformed`, and `TimeoutError` where nothing of theirs comes for long.

        Who is in a call by it need say nothing.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + FIRST_S
        while True:
            try:
                message = await ws.receive(timeout=max(0.001, until - loop.time()))
            except TimeoutError:
                if not self._owner.in_use(flow):
                    raise
                until = loop.time() + flow.idle_s
                continue
            if message.type is WSMsgType.PONG:
                continue  # it answers us, and says nothing itself
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.PING):
                return
            if not self._owner.hears(flow.peer.host, message.data):
                return
            if message.type is WSMsgType.PING:
                await ws.pong(message.data)
            else:
                self._take(message.data, flow)
            until = loop.time() + flow.idle_s

    def _take(self, data: bytes, flow: StreamFlow) -> None:
        if data == PING:
            flow.write(PONG)
        elif data != PONG:
            self._owner.message(read(data), flow)


class _Wire:
    """What a flow writes to: messages wait here until they are sent."""

    def __init__(self, ws: "web.WebSocketResponse[bool]", transport: asyncio.Transport | None) -> None:
        self._ws, self._transport = ws, transport
        self._waiting: deque[bytes] = deque()
        self._size, self._some, self._closing = 0, asyncio.Event(), False

    def write(self, data: bytes) -> None:
        self._waiting.append(data)
        self._size += len(data)
        self._some.set()

    def is_closing(self) -> bool:
        return self._closing

    def get_write_buffer_size(self) -> int:
        return self._size

    def close(self) -> None:
        """When what waits has been sent."""
        self._closing = True
        self._some.set()

    def abort(self) -> None:
        self._closing = True
        if self._transport is not None:
            self._transport.abort()

    async def run(self) -> None:
        """Sends, and says goodbye in the end."""
        with suppress(ConnectionError):
            while self._waiting or not self._closing:
                while self._waiting:
                    await self._send(self._waiting.popleft())
                self._some.clear()
                if not self._closing:
                    await self._some.wait()
        await self._ws.close()

    async def _send(self, data: bytes) -> None:
        """As text where it is some, for that is what most read (RFC 7118, section 5.1)."""
        self._size -= len(data)
        try:
            text = data.decode()
        except UnicodeDecodeError:
            await self._ws.send_bytes(data)
        else:
            await self._ws.send_str(text)
