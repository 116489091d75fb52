"""BFCP's ports: one of UDP and TCP, and one of TLS, for the floors of all calls, which their numbers tell apart; those
of floors that are not ours are told apart by where they are, too.

What does not come from where the call's own signalling or SDP says, or does not know both of its floor's numbers, is
let go without a word. Nothing grows without bound: connections are counted, altogether and by address; one that has not
shown whose it is within `connection.FIRST_S` is closed, and so is one that brings what is no BFCP; a line has at most
one association and one more that begins; of each call so many messages a second are read.
"""

import asyncio
import secrets
import socket
import ssl
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from mcu.clock import Clock
from mcu.net.bfcp.connection import Connection
from mcu.net.bfcp.datagrams import Address, Datagrams, Plain, Secured
from mcu.net.bfcp.line import FloorLine, Peer, Told
from mcu.net.certificate import OwnCertificate
from mcu.net.dtls import FIRST_OCTETS
from mcu.net.fingerprint import fingerprint_of
from mcu.net.ports import Pair, pairs
from mcu.net.tls import Door
from mcu.networks import network_of
from mcu.protocol.bfcp.end import Ids
from mcu.protocol.bfcp.floor import Floor
from mcu.protocol.bfcp.message import Malformed, read_header
from mcu.protocol.bfcp.participant import Participant
from mcu.tally import one_less

CONNECTIONS_MAX: Final = 1000
CONNECTIONS_OF_ONE: Final = 50  # by address
CONNECT_S: Final = 4.0
OF_NOBODY: Final = "of nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    addresses: Sequence[str]
    port: int = 0  # of UDP and TCP
    tls_port: int = 0
    tls: ssl.SSLContext | None = None


class FloorServer:
    """`start` before use, `close` after it. Ports: 0 takes any; that of TLS has nobody where there is no `tls`."""

    def __init__(self, listen: Listen, clock: Clock) -> None:
        self.port, self.tls_port = listen.port, listen.tls_port
        self.tls = listen.tls  # what shows our certificate
        self.dropped = Counter[str]()  # messages and connections, by reason
        self._addresses, self._clock = listen.addresses, clock
        self._lines: dict[Ids, FloorLine] = {}  # of floors that are ours
        self._theirs: dict[tuple[Ids, Address], FloorLine] = {}
        self._by_dtls: defaultdict[str, list[FloorLine]] = defaultdict(list)  # those that shake hands, by their hosts
        self._associations: dict[Address, Secured] = {}
        self._udp: list[asyncio.DatagramTransport] = []
        self._tcp: list[asyncio.Server] = []
        self._doors: list[Door] = []
        self._connections: dict[Connection, str] = {}  # and from which network
        self._by_network = Counter[str]()

    async def start(self) -> None:
        """Raises `OSError` where the port cannot be had; then nothing listens."""
        taken = pairs(self._addresses, self.port)
        self.port = taken[0].udp.getsockname()[1]
        try:
            for address, pair in zip(self._addresses, taken, strict=True):
                await self._listen(address, pair)
        except OSError:
            await self.close()
            for pair in taken:
                pair.close()
            raise

    async def _listen(self, address: str, pair: Pair) -> None:
        loop = asyncio.get_running_loop()
        self._tcp.append(await loop.create_server(lambda: Connection(self), sock=pair.tcp))
        if self.tls is not None:
            self._doors.append(self._door(address, self.tls))
            self.tls_port = self._doors[0].port
        udp, _ = await loop.create_datagram_endpoint(lambda: Datagrams(self), sock=pair.udp)
        self._udp.append(udp)

    def _door(self, address: str, tls: ssl.SSLContext) -> Door:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listening = socket.create_server((address, self.tls_port), family=family)
        return Door(listening, tls, made=lambda: Connection(self, secure=True), refused=self.refused)

    async def close(self) -> None:
        for server in self._tcp:
            server.close()
        for door in self._doors:
            await door.close()
        for line in (*self._lines.values(), *self._theirs.values()):
            line.close()
        for connection in list(self._connections):
            connection.close()
        for udp in self._udp:
            udp.close()
        await asyncio.sleep(0)

    @property
    def fingerprint(self) -> str:
        """By which who connects with TLS knows us; "": there is none."""
        return "" if self.tls is None else fingerprint_of(self.tls)

    @cached_property
    def certificate(self) -> OwnCertificate:
        """Shown by DTLS, and to those to whom we connect."""
        return OwnCertificate()

    def ids(self) -> Ids:
        """For a new floor: numbers that cannot be guessed, of which some systems take no negative ones."""
        return Ids(secrets.randbelow(2**31 - 1) + 1, secrets.randbelow(0xFFFE) + 1)

    def open(self, end: Floor | Participant, peer: Peer, told: Told) -> FloorLine:
        """`end`: ours, by numbers that the other side knows."""
        line, taken = FloorLine(self, end, peer, told, self._clock), peer.taken
        if taken.theirs is None:
            self._lines[end.ids] = line
        else:
            self._theirs |= {(end.ids, (host, taken.address[1])): line for host in peer.hosts}
        if taken.secure and not taken.reliable:
            for host in peer.hosts:
                self._by_dtls[host].append(line)
        return line

    def forget(self, line: FloorLine) -> None:
        if self._lines.get(line.ids) is line:
            del self._lines[line.ids]
        for host in line.peer.hosts:
            place = line.ids, (host, line.peer.taken.address[1])
            if self._theirs.get(place) is line:
                del self._theirs[place]
        for host in line.peer.hosts & self._by_dtls.keys():
            self._by_dtls[host] = [one for one in self._by_dtls[host] if one is not line]
            if not self._by_dtls[host]:
                del self._by_dtls[host]
        for secured in self._of(line):
            secured.close()

    def send(self, data: bytes, address: Address) -> None:
        """Nothing where no socket of that family is open."""
        for udp in self._udp:
            if (":" in udp.get_extra_info("sockname")[0]) == (":" in address[0]):
                udp.sendto(data, address)
                return

    def plain(self, line: FloorLine) -> Plain:
        return Plain(self, line.peer.taken.address)

    async def reach(self, line: FloorLine) -> None:
        if line.peer.taken.reliable:
            await self._connect(line)
        else:
            await self._greet(line)

    async def _greet(self, line: FloorLine) -> None:
        address = line.peer.taken.address
        if address not in self._associations:  # which may be another call's
            await self._associate(line, address, begins=True).over.wait()

    async def _connect(self, line: FloorLine) -> None:
        taken = line.peer.taken
        made = Connection(self, secure=taken.secure, line=line)
        context = self.certificate.to_connect if taken.secure else None
        try:
            async with asyncio.timeout(CONNECT_S):
                await asyncio.get_running_loop().create_connection(lambda: made, *taken.address, ssl=context)
        except OSError:
            self.refused("not reached")
            return
        try:
            await made.over.wait()
        finally:
            made.close()

    # -- of the sockets -----------------------------------------------------------------------------------------------

    def refused(self, reason: str) -> None:
        self.dropped[reason] += 1

    def datagram(self, data: bytes, address: Address) -> None:
        if data and data[0] in FIRST_OCTETS:
            secured = self._associations.get(address) or self._begun(address)
            if secured is None:
                self.refused(OF_NOBODY)
            else:
                secured.receive(data)
            return
        ids = _ids(data)
        line = None if ids is None else self._theirs.get((ids, address)) or self.line(ids, address[0])
        if line is None or line.peer.taken.reliable or line.peer.taken.secure:
            self.refused(OF_NOBODY)
        else:
            line.datagram(data, Plain(self, address))

    def inside(self, data: bytes, secured: Secured) -> None:
        """What was said in an association."""
        if _ids(data) == secured.line.ids:
            secured.line.datagram(data, secured)
        else:
            self.refused(OF_NOBODY)

    def ended(self, secured: Secured) -> None:
        if self._associations.get(secured.address) is secured:
            del self._associations[secured.address]

    def _begun(self, address: Address) -> Secured | None:
        """Who shakes hands from there: the line whose SDP says so, or the only one of that host, behind a router."""
        lines = [line for line in self._by_dtls.get(address[0], []) if not line.peer.taken.begins]
        found = [line for line in lines if line.peer.taken.address == address] or lines
        if len(found) != 1 or not found[0].may_say_more():
            return None
        return self._associate(found[0], address, begins=False)

    def _associate(self, line: FloorLine, address: Address, *, begins: bool) -> Secured:
        """One that has begun before it, and by which nothing has been said, is given up."""
        for former in self._of(line):
            if former is not line.way:
                former.close()
        made = self._associations[address] = Secured(self, line, address, begins=begins)
        return made

    def _of(self, line: FloorLine) -> list[Secured]:
        return [one for one in self._associations.values() if one.line is line]

    def line(self, ids: Ids, host: str) -> FloorLine | None:
        """Whose message it is that has these numbers of ours and comes from there."""
        line = self._lines.get(ids)
        return line if line is not None and host in line.peer.hosts else None

    def opened(self, connection: Connection, host: str) -> bool:
        """Whether it may stay."""
        network = network_of(host)
        if len(self._connections) >= CONNECTIONS_MAX or self._by_network[network] >= CONNECTIONS_OF_ONE:
            self.refused("too many connections")
            return False
        self._connections[connection] = network
        self._by_network[network] += 1
        return True

    def closed(self, connection: Connection) -> None:
        network = self._connections.pop(connection, None)
        if network is not None:
            one_less(self._by_network, network)


def _ids(data: bytes) -> Ids | None:
    try:
        header = read_header(data)
    except Malformed:
        return None
    return Ids(header.conference, header.user)
