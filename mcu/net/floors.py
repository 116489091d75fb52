"""BFCP's sockets: a port of UDP and TCP, and one of TLS, for the floors of all calls, which their numbers tell apart.

What does not come from where the call's own signalling or SDP says, or does not know both of its floor's numbers, is
let go without a word. Nothing grows without bound: connections are counted, altogether and by address; one that has not
shown whose it is within `FIRST_S` is closed, and so is one that brings what is no BFCP; of each call so many messages a
second are read.
"""

import asyncio
import secrets
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, cast

from mcu.clock import Clock
from mcu.net.fingerprint import fingerprint_of
from mcu.net.tls import Door
from mcu.networks import network_of
from mcu.protocol.bfcp.floor import Asked, Floor, Ids, Released
from mcu.protocol.bfcp.message import Malformed, Message, read_header
from mcu.protocol.bfcp.stream import Stream

CONNECTIONS_MAX: Final = 1000
CONNECTIONS_OF_ONE: Final = 50  # by address
FIRST_S: Final = 10.0  # until a connection shows whose it is
A_SECOND: Final = 50  # messages of one call
UNREAD_MAX: Final = 64 * 1024  # bytes that a peer leaves unread before its connection ends

Told = Callable[[Asked | Released], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Whose floor it is: from where it may come, and where datagrams go until some have come."""

    hosts: frozenset[str]
    address: tuple[str, int] | None  # None: it connects
    secure: bool = False  # by TLS


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    addresses: Sequence[str]
    port: int = 0  # of UDP and TCP
    tls_port: int = 0
    tls: ssl.SSLContext | None = None


class FloorLine:
    """One call's floor at the sockets. `close` it. What its client asks for is `told`."""

    def __init__(self, server: "FloorServer", ids: Ids, client: Client, told: Told, clock: Clock) -> None:
        self.client = client
        self._floor = Floor(ids, reliable=client.address is None)
        self._server, self._told, self._clock = server, told, clock
        self._address = client.address
        self._connection: _Connection | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._second, self._read = 0.0, 0  # of messages
        self.used = False  # its client has asked for the floor

    @property
    def ids(self) -> Ids:
        return self._floor.ids

    @property
    def reliable(self) -> bool:
        return self._floor.reliable

    @property
    def asks(self) -> bool:
        """It waits to be granted or denied."""
        return self._floor.asks

    @property
    def granted(self) -> bool:
        return self._floor.granted

    def grant(self) -> None:
        self._floor.grant(self._now)
        self._pump()

    def deny(self) -> None:
        self._floor.deny(self._now)
        self._pump()

    def revoke(self) -> None:
        self._floor.revoke(self._now)
        self._pump()

    def others(self, has_it: bool) -> None:
        """See `Floor.others`."""
        self._floor.others(has_it, self._now)
        self._pump()

    def close(self) -> None:
        self._server.forget(self)
        if self._timer is not None:
            self._timer.cancel()
        if self._connection is not None:
            self._connection.close()

    # -- of the sockets -----------------------------------------------------------------------------------------------

    def datagram(self, data: bytes, address: tuple[str, int]) -> None:
        if not self.reliable and self._may_say_more():
            self._address = address  # that of a router in between may change
            self._floor.datagram(data, self._now)
            self._pump()

    def comes_by(self, *, secure: bool) -> bool:
        """Whether its client connects, with TLS or without."""
        return self.reliable and self.client.secure == secure

    def message(self, message: Message, connection: "_Connection") -> None:
        if not self._may_say_more():
            connection.close()
            return
        if connection is not self._connection:
            former, self._connection = self._connection, connection
            if former is not None:
                former.close()
        self._floor.message(message, self._now)
        self._pump()

    def unreadable(self, error: Malformed) -> None:
        self._floor.unreadable(error, self._now)
        self._pump()

    def lost(self, connection: "_Connection") -> None:
        if connection is self._connection:
            self._connection = None
            self._floor.lost()
            self._pump()

    def _may_say_more(self) -> bool:
        if self._now - self._second >= 1:
            self._second, self._read = self._now, 0
        self._read += 1
        return self._read <= A_SECOND

    @property
    def _now(self) -> float:
        return self._clock.monotonic()

    def _pump(self) -> None:
        for one in self._floor.take():
            if not isinstance(one, bytes):
                self.used = True
                self._told(one)
            elif self._connection is not None:
                self._connection.write(one)
            elif self._address is not None:
                self._server.send(one, self._address)
        self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        due = self._floor.next_timer()
        loop = asyncio.get_running_loop()
        self._timer = None if due is None else loop.call_later(max(0.0, due - self._now), self._time_came)

    def _time_came(self) -> None:
        self._floor.handle_timer(self._now)
        self._pump()


class FloorServer:
    """`start` before use, `close` after it. Ports: 0 takes any; that of TLS has nobody where there is no `tls`."""

    def __init__(self, listen: Listen, clock: Clock) -> None:
        self.port, self.tls_port = listen.port, listen.tls_port
        self.tls = listen.tls  # what shows our certificate
        self.dropped = Counter[str]()  # messages and connections, by reason
        self._addresses, self._clock = listen.addresses, clock
        self._lines: dict[Ids, FloorLine] = {}
        self._udp: list[asyncio.DatagramTransport] = []
        self._tcp: list[asyncio.Server] = []
        self._doors: list[Door] = []
        self._connections: dict[_Connection, str] = {}  # and from which network
        self._by_network = Counter[str]()

    async def start(self) -> None:
        """Raises `OSError` where the port cannot be had; then nothing listens."""
        try:
            for address in self._addresses:
                await self._listen(address)
        except OSError:
            await self.close()
            raise

    async def _listen(self, address: str) -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Connection(self), address, self.port)
        self._tcp.append(server)
        self.port = server.sockets[0].getsockname()[1]
        if self.tls is not None:
            self._doors.append(self._door(address, self.tls))
            self.tls_port = self._doors[0].port
        taken = _datagrams(address, self.port)
        udp, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), sock=taken)
        self._udp.append(udp)

    def _door(self, address: str, tls: ssl.SSLContext) -> Door:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listening = socket.create_server((address, self.tls_port), family=family)
        return Door(listening, tls, made=lambda: _Connection(self, secure=True), refused=self._refused)

    def _refused(self, reason: str) -> None:
        self.dropped[reason] += 1

    async def close(self) -> None:
        for server in self._tcp:
            server.close()
        for door in self._doors:
            await door.close()
        for connection in list(self._connections):
            connection.close()
        for udp in self._udp:
            udp.close()
        await asyncio.sleep(0)

    @property
    def fingerprint(self) -> str:
        """By which who connects with TLS knows us; "": there is none."""
        return "" if self.tls is None else fingerprint_of(self.tls)

    def ids(self) -> Ids:
        """For a new floor: numbers that cannot be guessed, of which some systems take no negative ones."""
        return Ids(secrets.randbelow(2**31 - 1) + 1, secrets.randbelow(0xFFFE) + 1)

    def open(self, ids: Ids, client: Client, told: Told) -> FloorLine:
        """`ids`: those that the client was told."""
        line = self._lines[ids] = FloorLine(self, ids, client, told, self._clock)
        return line

    def forget(self, line: FloorLine) -> None:
        if self._lines.get(line.ids) is line:
            del self._lines[line.ids]

    def send(self, data: bytes, address: tuple[str, int]) -> None:
        """Nothing where no socket of that family is open."""
        for udp in self._udp:
            if (":" in udp.get_extra_info("sockname")[0]) == (":" in address[0]):
                udp.sendto(data, address)
                return

    # -- of the sockets -----------------------------------------------------------------------------------------------

    def datagram(self, data: bytes, address: tuple[str, int]) -> None:
        try:
            header = read_header(data)
        except Malformed:
            line = None
        else:
            line = self.line(Ids(header.conference, header.user), address[0])
        if line is None:
            self._refused("of nobody")
        else:
            line.datagram(data, address)

    def line(self, ids: Ids, host: str) -> FloorLine | None:
        """Whose message it is that has these numbers and comes from there."""
        line = self._lines.get(ids)
        return line if line is not None and host in line.client.hosts else None

    def opened(self, connection: "_Connection", host: str) -> bool:
        """Whether it may stay."""
        network = network_of(host)
        if len(self._connections) >= CONNECTIONS_MAX or self._by_network[network] >= CONNECTIONS_OF_ONE:
            self._refused("too many connections")
            return False
        self._connections[connection] = network
        self._by_network[network] += 1
        return True

    def closed(self, connection: "_Connection") -> None:
        network = self._connections.pop(connection, None)
        if network is None:
            return
        self._by_network[network] -= 1
        if not self._by_network[network]:
            del self._by_network[network]


def _datagrams(address: str, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        if ":" in address:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # as connections' sockets: IPv4 has its own
        made.bind((address, port))
        made.setblocking(False)
    except OSError:
        made.close()
        raise
    return made


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: FloorServer) -> None:
        self._server = server

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._server.datagram(data, (addr[0], addr[1]))


class _Connection(asyncio.Protocol):
    """A client's, which its first message says."""

    def __init__(self, server: FloorServer, *, secure: bool = False) -> None:
        self._server, self._secure = server, secure
        self._stream = Stream()
        self._line: FloorLine | None = None
        self._host = ""
        self._transport: asyncio.Transport | None = None
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._host = transport.get_extra_info("peername")[0]
        if self._server.opened(self, self._host):
            self._patience = asyncio.get_running_loop().call_later(FIRST_S, self.close)
        else:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        try:
            for message in self._stream.feed(data):
                self._message(message)
        except Malformed as error:
            if self._line is not None:
                self._line.unreadable(error)
            self.close()

    def _message(self, message: Message) -> None:
        line = self._server.line(Ids(message.conference, message.user), self._host)
        if line is None or not line.comes_by(secure=self._secure) or self._line not in (None, line):
            self._server.dropped["of nobody"] += 1
            self.close()
            return
        self._line = line
        if self._patience is not None:
            self._patience.cancel()
        if not self.closing:
            line.message(message, self)

    @property
    def closing(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._patience is not None:
            self._patience.cancel()
        self._server.closed(self)
        if self._line is not None:
            self._line.lost(self)

    def write(self, data: bytes) -> None:
        if self._transport is None or self.closing:
            return
        if self._transport.get_write_buffer_size() > UNREAD_MAX:
            self._transport.abort()
        else:
            self._transport.write(data)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
