"""ICE for one leg: aioice's agent behind a door that lets in only who has proved itself.

Owns the leg's sockets, the set of addresses that passed a connectivity check, which of them we send to, and the
knowledge that the network is gone. The candidates in an offer are not used: the browser checks towards us, and we
answer to where its checks came from (peer-reflexive, RFC 8445 section 7.3.1.3), so no offer can make this server send
to an address that did not ask for it, and names under `.local` need not be resolved.
Refuses media and DTLS from any other address before anything is done with them.
"""

import asyncio
import socket
import struct
from collections.abc import Callable, Sequence
from typing import cast

from aioice import Candidate, Connection, stun
from aioice.candidate import candidate_foundation, candidate_priority
from aioice.ice import CandidatePair, StunProtocol, get_host_addresses
from aiortc import RTCIceGatherer

from mcu.clock import Clock
from mcu.media.transport.drops import Drops

Address = tuple[str, int]

ADDRESSES_MAX = 16  # a leg's: more than its interfaces and its NAT's moods
RECORDS_MAX = 64  # DTLS datagrams that wait to be read
RECEIVE_BUFFER = 512 * 1024  # bytes; a key frame of every tile while the loop is busy
PROBE_S = 0.5  # between looks at whether the leg is still there
PROBE_AFTER = 2  # looks without a packet before we ask (RFC 7675)
LOST_AFTER = 8  # looks without a packet or an answer before the network is taken for gone: 4 to 4.5 s
CONSENT_EVERY = 10  # looks between checks of a leg that talks: 5 s, RFC 7675 section 5.1
_MALFORMED = (ValueError, KeyError, IndexError, AssertionError, OverflowError, struct.error)


def host_addresses() -> list[str]:
    """Every address of this machine; loopback where there is no other."""
    return get_host_addresses(use_ipv4=True, use_ipv6=True) or ["127.0.0.1"]


class Door(StunProtocol):
    """One socket. Sorts datagrams by their first byte (RFC 7983): STUN, DTLS, SRTP."""

    receiver: "Agent"
    full = False  # the socket's send buffer

    def datagram_received(self, data: bytes | str, addr: tuple[object, ...]) -> None:
        packet, first = cast(bytes, data), cast(bytes, data)[0] if data else 255
        address = (cast(str, addr[0]), cast(int, addr[1]))
        agent = self.receiver
        if first < 4:
            self._stun(packet, address)
        elif address not in agent.checked:
            agent.stranger = (self, address)
            agent.drop("unchecked_address")
        elif 127 < first < 192:
            agent.on_media(packet, self, address)
        elif 19 < first < 64:
            agent.records.put(packet)
        else:
            agent.drop("unknown_datagram")

    def _stun(self, packet: bytes, address: Address) -> None:
        try:
            super().datagram_received(packet, address)
        except _MALFORMED:
            self.receiver.drop("stun_malformed")

    def pause_writing(self) -> None:
        self.full = True

    def resume_writing(self) -> None:
        self.full = False


class Records:
    """DTLS datagrams between the socket and aiortc. Bounded; the newest is dropped, DTLS sends it again."""

    def __init__(self, drop: Drops) -> None:
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue(RECORDS_MAX)
        self._drop = drop

    def put(self, record: bytes) -> None:
        if self._queue.full():
            self._drop("dtls_backlog")
        else:
            self._queue.put_nowait(record)

    async def get(self) -> bytes:
        """The next. Raises `ConnectionError` when there will be no more."""
        record = await self._queue.get()
        if record is None:
            raise ConnectionError
        return record

    def end(self) -> None:
        while self._queue.full():
            self._queue.get_nowait()
        self._queue.put_nowait(None)


class Agent(Connection):
    """aioice's agent with our sockets, our bounds, and our idea of when a leg is lost."""

    def __init__(self, addresses: Sequence[str], drop: Drops, clock: Clock) -> None:
        super().__init__(ice_controlling=False)
        self.drop = drop
        self.records = Records(drop)
        self.checked: dict[Address, Door] = {}  # addresses that proved that they know our password, oldest first
        self.on_media: Callable[[bytes, Door, Address], None] = self._too_early
        self.on_lost: Callable[[], None] = lambda: None
        self.heard = False  # anything that proved to be the leg's since the last look
        self.stranger: tuple[Door, Address] | None = None  # who last sent without having been checked
        self.rtt: float | None = None  # seconds, of the last answered check
        self._addresses = addresses
        self._clock = clock
        self._probes: set[asyncio.Task[None]] = set()
        self._door: Door | None = None  # what we send through
        self._remote: Address = ("", 0)

    # -- what aioice does otherwise -------------------------------------------------------------------------------

    async def gather_candidates(self) -> None:
        """Binds a socket on each address. An address that this machine does not have is left out."""
        for address in self._addresses:
            await self._bind(address)
        self._local_candidates_end = True

    async def _bind(self, address: str) -> None:
        sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            sock.bind((address, 0))
        except OSError:
            sock.close()
            self.drop("address_not_bound")
            return
        host, port = sock.getsockname()[:2]
        sock.setblocking(False)
        loop = asyncio.get_running_loop()
        _, door = await loop.create_datagram_endpoint(lambda: Door(self), sock=sock)
        door.local_candidate = Candidate(
            foundation=candidate_foundation("host", "udp", host),
            component=1,
            transport="udp",
            priority=candidate_priority(1, "host", local_pref=65535 - len(self._protocols)),
            host=host,
            port=port,
            type="host",
        )
        self._protocols.append(door)
        self._local_candidates.append(door.local_candidate)

    async def connect(self) -> None:
        """Until a pair is nominated by the browser. aioice's own gives up at once when the offer names no address."""
        for check in self._early_checks:
            self.check_incoming(*check)
        self._early_checks.clear()
        self._early_checks_done = True
        await self._check_list_state.get()
        if not self._nominated:
            raise ConnectionError("closed before it was connected")
        self._query_consent_task = asyncio.create_task(self.query_consent())

    def data_received(self, data: bytes, component: int) -> None:
        """What looked like STUN and is not. aioice would queue it as media."""
        self.drop("stun_malformed")

    def check_incoming(self, message: stun.Message, addr: Address, protocol: StunProtocol) -> None:
        """A check that carries our password: from now on the address is the leg's."""
        self._prove(cast(Door, protocol), addr)
        super().check_incoming(message, addr, protocol)

    def _prove(self, door: Door, address: Address) -> None:
        self.heard = True
        if address not in self.checked and len(self.checked) >= ADDRESSES_MAX:
            self._forget_oldest()
        self.checked[address] = door

    def _forget_oldest(self) -> None:
        oldest = next(address for address in self.checked if address != self._remote)
        del self.checked[oldest]
        self._remote_candidates = [c for c in self._remote_candidates if (c.host, c.port) != oldest]
        for pair in [pair for pair in self._check_list if pair.remote_addr == oldest]:
            self._check_list.remove(pair)
            if pair.task:
                pair.task.cancel()

    def check_complete(self, pair: CandidatePair) -> None:
        super().check_complete(pair)
        if self._nominated.get(1) is pair:
            self.send_to(cast(Door, pair.protocol), pair.remote_addr)

    async def query_consent(self) -> None:
        """Looks twice a second whether the leg is there; asks when it is silent (RFC 7675); then gives it up.

        Looks are counted, not seconds: a loop that stood still for a while has not lost every leg that it has.
        """
        silent, looks = 0, 0
        while silent < LOST_AFTER:
            await asyncio.sleep(PROBE_S)
            silent, looks = (0 if self.heard else silent + 1), looks + 1
            self.heard = False
            if silent >= PROBE_AFTER or looks % CONSENT_EVERY == 0:
                self._probe(self._door, self._remote)
            if silent and self.stranger is not None:  # a NAT may have given the leg another port
                self._probe(*self.stranger)
            self.stranger = None
        self.on_lost()

    def _probe(self, door: Door | None, address: Address) -> None:
        pair = self._nominated.get(1)
        if pair is not None and door is not None:
            request = self.build_request(pair, nominate=False)
            task = asyncio.create_task(self._ask(door, request, address))
            self._probes.add(task)
            task.add_done_callback(self._probes.discard)

    async def _ask(self, door: Door, request: stun.Message, address: Address) -> None:
        asked = self._clock.monotonic()
        try:
            _, who = await door.request(
                request, address, integrity_key=str(self.remote_password).encode(), retransmissions=1
            )
        except stun.TransactionError:
            return
        if who != address:
            return
        self._prove(door, address)
        self.rtt = self._clock.monotonic() - asked

    # -- what the rest of the transport uses ----------------------------------------------------------------------

    def send_to(self, door: Door, address: Address) -> None:
        """Where everything goes from now on: nominated, or (after a NAT changed its mind) where SRTP comes from."""
        self._door, self._remote = door, address

    def is_remote(self, address: Address) -> bool:
        return address == self._remote

    def send_now(self, datagram: bytes) -> bool:
        """Hands a datagram to the socket. False, and counted, where it does not take it."""
        door = self._door
        if door is None or door.full:
            self.drop("send_blocked")
            return False
        door.transport.sendto(datagram, self._remote)
        return True

    async def send(self, data: bytes) -> None:
        """For aiortc's handshake."""
        self.send_now(data)

    async def recv(self) -> bytes:
        """For aiortc's handshake: the next DTLS datagram. Raises `ConnectionError` at the end."""
        return await self.records.get()

    def _too_early(self, _packet: bytes, _door: Door, _address: Address) -> None:
        self.drop("before_keys")

    async def close(self) -> None:
        """Ends every task and socket."""
        self.records.end()
        for probe in list(self._probes):
            probe.cancel()
        self._door = None
        await super().close()


class Gatherer(RTCIceGatherer):
    """aiortc's gatherer, over our agent: no STUN or TURN server is ever asked."""

    def __init__(self, agent: Agent) -> None:
        super().__init__(iceServers=[])
        self._connection = agent
