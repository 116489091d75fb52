"""Listens where SIP comes in, connects where it goes out, and hands whole messages up.

Nothing waits without bound: connections are counted, altogether and by address; one on which no whole message has come
for its `idle_s` is closed, and so is one that brings what is not SIP. Connections are used again for the same address
(and, with TLS, the same name), as long as they live (RFC 5923).
"""

import asyncio
import ssl
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, cast

from mcu.errors import Unavailable
from mcu.net.sip.flows import Peer, StreamFlow, UdpFlow
from mcu.protocol.sip import keepalive
from mcu.protocol.sip.grammar import Malformed
from mcu.protocol.sip.message import Request, Response, read
from mcu.protocol.sip.stream import PONG, Ping, Pong, Stream

CONNECTIONS_MAX: Final = 4000
CONNECTIONS_OF_ONE: Final = 200  # by address: a proxy may have several, a scanner may not have all
FIRST_S: Final = 10.0  # until the first whole message
KEEP_ALIVE: Final = 8  # bytes, at most
CONNECT_S: Final = 4.0  # less than a transaction waits

Flow = UdpFlow | StreamFlow
Received = Callable[[Request | Response, Flow], None]
Hears = Callable[[str, bytes], bool]  # whether what comes from that address is read at all


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """Where to listen. `name`: how peers reach us, in Via and Contact; "": the address of the socket."""

    addresses: Sequence[str]
    port: int = 5060  # of UDP and TCP; 0: any
    tls_port: int = 5061
    tls: ssl.SSLContext | None = None
    trusted: ssl.SSLContext | None = None  # by which the certificates of those we connect to are checked
    name: str = ""


@dataclass(slots=True)
class Counts:
    """What was dropped, by reason, and what there is."""

    malformed: int = 0  # datagrams that are not SIP
    connections: int = 0
    refused: Counter[str] = field(default_factory=Counter)  # connections, by reason


class Endpoint:
    """All of SIP's sockets of one process."""

    def __init__(self, listen: Listen, *, received: Received, hears: Hears, gone: Callable[[Flow], None]) -> None:
        self.counts = Counts()
        self._listen, self._received, self._gone = listen, received, gone
        self.hears = hears
        self._udp: list[tuple[asyncio.DatagramTransport, str, int]] = []
        self._servers: list[asyncio.Server] = []
        self._connections: dict[StreamFlow, _Connection] = {}
        self._by_address: Counter[str] = Counter()
        self._going: dict[tuple[str, str, int, str], StreamFlow] = {}  # transport, host, port, name

    async def start(self) -> None:
        """Raises `OSError` where a port cannot be had; then nothing listens."""
        try:
            for address in self._listen.addresses:
                await self._open(address)
        except OSError:
            await self.close()
            raise

    async def _open(self, address: str) -> None:
        loop, listen = asyncio.get_running_loop(), self._listen
        tcp = await loop.create_server(lambda: _Connection(self, "TCP"), address, listen.port)
        self._servers.append(tcp)
        port = tcp.sockets[0].getsockname()[1]
        udp, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), local_addr=(address, port))
        self._udp.append((udp, self._named(address), port))
        if listen.tls is not None:
            server = await loop.create_server(
                lambda: _Connection(self, "TLS"),
                address,
                listen.tls_port,
                ssl=listen.tls,
                ssl_handshake_timeout=FIRST_S,
            )
            self._servers.append(server)

    @property
    def ports(self) -> tuple[int, int]:
        """Of UDP and TCP, and of TLS (0: there is none), on the first address."""
        tls = self._servers[1].sockets[0].getsockname()[1] if self._listen.tls is not None else 0
        return self._udp[0][2], tls

    async def close(self) -> None:
        for server in self._servers:
            server.close()
        for flow in list(self._connections):
            flow.close()
        for socket, _, _ in self._udp:
            socket.close()
        await asyncio.sleep(0)

    def _named(self, address: str) -> str:
        return self._listen.name or (f"[{address}]" if ":" in address else address)

    # -- out -----------------------------------------------------------------------------------------------------------

    def datagrams_to(self, host: str, port: int) -> UdpFlow:
        """By the socket of that family. Raises `Unavailable` where none listens."""
        for socket, name, own in self._udp:
            if (":" in socket.get_extra_info("sockname")[0]) == (":" in host):
                return UdpFlow(socket, name, own, Peer(host, port))
        raise Unavailable("There is no SIP socket of that address family: see sip.addresses in the configuration.")

    async def connection_to(self, host: str, port: int, server_name: str = "") -> StreamFlow:
        """One that lives, or a new one; TLS where a name is given, which the certificate must be for.

        Raises `Unavailable` where nobody answers, or who answers cannot prove the name.
        """
        transport = "TLS" if server_name else "TCP"
        key = (transport, host, port, server_name)
        if (known := self._going.get(key)) is not None and known in self._connections:
            return known
        secure = self._listen.trusted or ssl.create_default_context() if server_name else None
        try:
            async with asyncio.timeout(CONNECT_S):
                _, made = await asyncio.get_running_loop().create_connection(
                    lambda: _Connection(self, transport, ours=True),
                    host,
                    port,
                    ssl=secure,
                    server_hostname=server_name or None,
                )
        except (OSError, TimeoutError) as error:
            raise Unavailable("The other side's SIP server cannot be reached, or cannot prove its name.") from error
        if made.flow is None:
            raise Unavailable("There are too many SIP connections.")
        self._going[key] = made.flow
        return made.flow

    # -- in ------------------------------------------------------------------------------------------------------------

    def datagram(self, socket: asyncio.DatagramTransport, data: bytes, peer: Peer) -> None:
        if len(data) <= KEEP_ALIVE and not data.strip(b"\r\n\x00"):
            return  # of many telephones; that of RFC 5626 is STUN
        if not self.hears(peer.host, data):
            return
        if (pong := keepalive.answer(data, peer.host, peer.port)) is not None:
            socket.sendto(pong, (peer.host, peer.port))
            return
        try:
            message = read(data)
        except Malformed:
            self.counts.malformed += 1
            return
        name, port = next((name, port) for known, name, port in self._udp if known is socket)
        self._received(message, UdpFlow(socket, name, port, peer))

    def message(self, message: Request | Response, flow: StreamFlow) -> None:
        self._received(message, flow)

    def opened(self, connection: "_Connection", flow: StreamFlow, *, ours: bool) -> bool:
        """Whether it may stay."""
        if len(self._connections) >= CONNECTIONS_MAX:
            self.counts.refused["too many"] += 1
            return False
        if not ours and self._by_address[flow.peer.host] >= CONNECTIONS_OF_ONE:
            self.counts.refused["too many of one address"] += 1
            return False
        if not ours and not self.hears(flow.peer.host, b""):
            return False
        self._connections[flow] = connection
        self._by_address[flow.peer.host] += 1
        self.counts.connections = len(self._connections)
        return True

    def closed(self, flow: StreamFlow) -> None:
        if self._connections.pop(flow, None) is not None:
            self._gone(flow)
            self._by_address[flow.peer.host] -= 1
            if not self._by_address[flow.peer.host]:
                del self._by_address[flow.peer.host]
        for key in [key for key, known in self._going.items() if known is flow]:
            del self._going[key]
        self.counts.connections = len(self._connections)

    def own(self, transport: str, address: str, port: int) -> tuple[str, int]:
        """How peers reach us: not by the port that a connection of ours happens to have."""
        listening = (
            self._udp[0][2]
            if transport == "TCP"
            else self._servers[1].sockets[0].getsockname()[1]
            if self._listen.tls
            else port
        )
        return self._named(address), listening


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._socket: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._socket = cast("asyncio.DatagramTransport", transport)  # asyncio's own is none by its type

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        assert self._socket is not None
        self._endpoint.datagram(self._socket, data, Peer(addr[0], addr[1]))


class _Connection(asyncio.Protocol):
    """A stream, cut into messages. `ours`: we connected."""

    def __init__(self, endpoint: Endpoint, transport: str, *, ours: bool = False) -> None:
        self.flow: StreamFlow | None = None
        self._endpoint, self._name, self._ours = endpoint, transport, ours
        self._stream = Stream()
        self._idle: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast("asyncio.Transport", transport)
        here, there = transport.get_extra_info("sockname"), transport.get_extra_info("peername")
        host, port = self._endpoint.own(self._name, here[0], here[1])
        flow = StreamFlow(transport, self._name, host, port, Peer(there[0], there[1]))
        if not self._endpoint.opened(self, flow, ours=self._ours):
            transport.abort()
            return
        self.flow = flow
        self._wait(FIRST_S)

    def data_received(self, data: bytes) -> None:
        if self.flow is None:
            return
        try:
            for one in self._stream.feed(data):
                if not self._ours and not self._endpoint.hears(self.flow.peer.host, data):
                    self.flow.close()  # it could not be told otherwise to send less
                    return
                if isinstance(one, Ping):
                    self.flow.write(PONG)
                elif not isinstance(one, Pong):
                    self._endpoint.message(one, self.flow)
                self._wait(self.flow.idle_s)
        except Malformed:
            self._endpoint.counts.refused["not SIP"] += 1
            self.flow.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._idle is not None:
            self._idle.cancel()
        if self.flow is not None:
            self._endpoint.closed(self.flow)

    def _wait(self, seconds: float) -> None:
        if self._idle is not None:
            self._idle.cancel()
        assert self.flow is not None
        self._idle = asyncio.get_running_loop().call_later(seconds, self.flow.close)
