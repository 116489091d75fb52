"""Listens where SIP comes in, connects where it goes out, and hands whole messages up.

Nothing waits without bound: connections are counted, altogether and by address; one by which nobody is in a call and on
which no whole message has come for its `idle_s` is closed, and so is one that brings what is not SIP. Connections are
used again for the same address (and, with TLS, the same name), as long as they live: ours, and those of others that say
so and have proved the name (RFC 5923).
"""

import asyncio
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, cast

from mcu.errors import Unavailable
from mcu.net.ports import BACKLOG, Pair, pairs
from mcu.net.sip.connection import Connection
from mcu.net.sip.flows import Peer, StreamFlow, UdpFlow
from mcu.net.sip.tls import unreachable
from mcu.net.sip.websocket import WebSockets
from mcu.net.tls import Door
from mcu.networks import network_of
from mcu.protocol.sip import keepalive
from mcu.protocol.sip.grammar import Malformed
from mcu.protocol.sip.message import Request, Response, read
from mcu.tally import one_less

CONNECTIONS_MAX: Final = 4000
CONNECTIONS_OF_ONE: Final = 200  # by address: a proxy may have several, a scanner may not have all
KEEP_ALIVE: Final = 8  # bytes, at most
CONNECT_S: Final = 4.0  # less than a transaction waits

Flow = UdpFlow | StreamFlow
Received = Callable[[Request | Response, Flow], None]
Hears = Callable[[str, bytes], bool]  # whether what comes from that address is read at all
Uses = Callable[[Flow], bool]  # whether somebody is in a call by it


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """Where to listen. `name`: how peers reach us, in Via and Contact; "": the address of the socket.

    `client`: what we connect with; it verifies certificates, and whose they are is checked here. `None`: no TLS goes
    out. `shows`: whether it shows a certificate of ours, where it is asked for one.
    """

    addresses: Sequence[str]
    port: int = 5060  # of UDP and TCP; 0: any
    tls_port: int = 5061
    tls: ssl.SSLContext | None = None
    client: ssl.SSLContext | None = None
    shows: bool = False
    name: str = ""


@dataclass(slots=True)
class Counts:
    """What was dropped, by reason, and what there is."""

    malformed: int = 0  # datagrams that are not SIP
    connections: int = 0
    refused: Counter[str] = field(default_factory=Counter)  # connections, by reason


class Endpoint:
    """All of SIP's sockets of one process."""

    def __init__(
        self, listen: Listen, *, received: Received, hears: Hears, uses: Uses, gone: Callable[[Flow], None]
    ) -> None:
        self.counts = Counts()
        self._listen, self._received, self._gone = listen, received, gone
        self.hears, self.in_use = hears, uses
        self._udp: list[tuple[asyncio.DatagramTransport, str, int]] = []
        self._servers: list[asyncio.Server] = []
        self._doors: list[Door] = []
        self._connections: set[StreamFlow] = set()
        self._by_address: Counter[str] = Counter()
        self.web_sockets = WebSockets(self)
        self._going: dict[tuple[str, str, int, str], StreamFlow] = {}  # transport, host, port, name

    async def start(self) -> None:
        """Raises `OSError` where a port cannot be had; then nothing listens."""
        taken = pairs(self._listen.addresses, self._listen.port)
        try:
            for address, pair in zip(self._listen.addresses, taken, strict=True):
                await self._open(address, pair)
        except OSError:
            await self.close()
            for pair in taken:
                pair.close()
            raise

    async def _open(self, address: str, pair: Pair) -> None:
        loop, tls = asyncio.get_running_loop(), self._listen.tls
        tcp = await loop.create_server(lambda: Connection(self, "TCP"), sock=pair.tcp, backlog=BACKLOG)
        self._servers.append(tcp)
        udp, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), sock=pair.udp)
        self._udp.append((udp, self._named(address), pair.udp.getsockname()[1]))
        if tls is not None:
            self._doors.append(self._door(address, tls))

    def _door(self, address: str, context: ssl.SSLContext) -> Door:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listening = socket.create_server((address, self._listen.tls_port), family=family, backlog=BACKLOG)
        return Door(
            listening,
            context,
            made=lambda: Connection(self, "TLS"),
            refused=self._refused,
            hears=lambda host: self.hears(host, b""),
        )

    def _refused(self, reason: str) -> None:
        self.counts.refused[reason] += 1

    @property
    def ports(self) -> tuple[int, int]:
        """Of UDP and TCP, and of TLS (0: there is none), on the first address."""
        return self._udp[0][2], self._doors[0].port if self._doors else 0

    @property
    def handshakes(self) -> int:
        """Of those who connect with TLS, that are not over."""
        return sum(door.handshakes for door in self._doors)

    async def close(self) -> None:
        for server in self._servers:
            server.close()
        for door in self._doors:
            await door.close()
        for flow in list(self._connections):
            flow.close()
        for datagrams, _, _ in self._udp:
            datagrams.close()
        self._udp.clear()
        await asyncio.sleep(0)

    def _named(self, address: str) -> str:
        return self._listen.name or (f"[{address}]" if ":" in address else address)

    # -- out -----------------------------------------------------------------------------------------------------------

    def datagrams_to(self, host: str, port: int) -> UdpFlow:
        """By the socket of that family. Raises `Unavailable` where none listens."""
        for datagrams, name, own in self._udp:
            if (":" in datagrams.get_extra_info("sockname")[0]) == (":" in host):
                return UdpFlow(datagrams, name, own, Peer(host, port))
        raise Unavailable("There is no SIP socket of that address family: see sip.addresses in the configuration.")

    async def connection_to(self, host: str, port: int, server_name: str = "") -> StreamFlow:
        """One that lives, or a new one; TLS where a name is given, which the certificate must be for.

        Raises `Unavailable` where nobody answers, `NotProven` where who answers cannot prove the name.
        """
        if (known := self.connected_to(host, port, server_name)) is not None:
            return known
        transport = _transport(server_name)
        made = Connection(self, transport, called=server_name)
        secure, name = (self._client(), server_name) if server_name else (None, None)
        try:
            async with asyncio.timeout(CONNECT_S):
                await asyncio.get_running_loop().create_connection(
                    lambda: made, host, port, ssl=secure, server_hostname=name
                )
        except OSError as error:
            raise unreachable(error) from error
        if made.flow is None:
            raise made.failure or Unavailable("there are too many SIP connections")
        self._going[transport, host, port, server_name] = made.flow
        return made.flow

    def connected_to(self, host: str, port: int, server_name: str = "") -> StreamFlow | None:
        """What `connection_to` has, where it lives."""
        known = self._going.get((_transport(server_name), host, port, server_name))
        return known if known in self._connections else None

    def _client(self) -> ssl.SSLContext:
        if self._listen.client is None:
            raise Unavailable("no TLS goes out")
        return self._listen.client

    # -- in ------------------------------------------------------------------------------------------------------------

    def datagram(self, datagrams: asyncio.DatagramTransport, data: bytes, peer: Peer) -> None:
        if len(data) <= KEEP_ALIVE and not data.strip(b"\r\n\x00"):
            return  # of many telephones; that of RFC 5626 is STUN
        if not self.hears(peer.host, data):
            return
        if (pong := keepalive.answer(data, peer.host, peer.port)) is not None:
            datagrams.sendto(pong, (peer.host, peer.port))
            return
        try:
            message = read(data)
        except Malformed:
            self.counts.malformed += 1
            return
        name, port = next((name, port) for known, name, port in self._udp if known is datagrams)
        self._received(message, UdpFlow(datagrams, name, port, peer))

    def message(self, message: Request | Response, flow: StreamFlow) -> None:
        if flow.shown.domains and isinstance(message, Request):
            self._note_alias(message, flow)
        self._received(message, flow)

    def _note_alias(self, request: Request, flow: StreamFlow) -> None:
        """A connection of theirs leads to them as well where they say so, and have proved a name (RFC 5923, 8.1)."""
        try:
            via = request.via
        except Malformed:
            return
        if "alias" in via.params:
            for domain in flow.shown.domains:
                self._going["TLS", flow.peer.host, via.sent_by[1], domain] = flow

    def opened(self, flow: StreamFlow, *, ours: bool) -> bool:
        """Whether it may stay."""
        address = network_of(flow.peer.host)
        if not self._udp:
            return False  # we have not begun, or have ended
        if len(self._connections) >= CONNECTIONS_MAX:
            self.counts.refused["too many"] += 1
            return False
        if not ours and self._by_address[address] >= CONNECTIONS_OF_ONE:
            self.counts.refused["too many of one address"] += 1
            return False
        if not ours and not self.hears(flow.peer.host, b""):
            return False
        self._connections.add(flow)
        self._by_address[address] += 1
        self.counts.connections = len(self._connections)
        return True

    def closed(self, flow: StreamFlow) -> None:
        self._connections.remove(flow)
        self._gone(flow)
        one_less(self._by_address, network_of(flow.peer.host))
        for key in [key for key, known in self._going.items() if known is flow]:
            del self._going[key]
        self.counts.connections = len(self._connections)

    def malformed(self) -> None:
        """A connection has brought what is not SIP."""
        self.counts.refused["not SIP"] += 1

    def alias(self, transport: str, *, ours: bool) -> bool:
        """Whether who is at the other end may send its own requests by it: it has been shown who we are."""
        return ours and transport == "TLS" and self._listen.shows

    def own(self, transport: str, address: str, port: int) -> tuple[str, int]:
        """How peers reach us: not by the port that a connection of ours happens to have."""
        listening = {"TCP": self._udp[0][2], "TLS": self._doors[0].port if self._doors else port}
        return self._named(address), listening.get(transport, port)


def _transport(server_name: str) -> str:
    return "TLS" if server_name else "TCP"


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._socket: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._socket = cast("asyncio.DatagramTransport", transport)  # asyncio's own is none by its type

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        assert self._socket is not None
        self._endpoint.datagram(self._socket, data, Peer(addr[0], addr[1]))
