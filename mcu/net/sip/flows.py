"""The two kinds of ways to a peer: a datagram socket and an address, or a connection."""

import asyncio
from dataclasses import dataclass
from typing import Final, Protocol

from mcu.protocol.sip.certificate import Identities

UNREAD_MAX: Final = 256 * 1024  # bytes that a peer leaves unread before its connection ends
DATAGRAM_MAX: Final = 65_000
IDLE_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class Peer:
    """An address as the socket below gives it, IPv6 without brackets."""

    host: str
    port: int


class UdpFlow:
    """Equal where it is the same socket and the same peer: a request and its answer go the same way."""

    transport: Final = "UDP"
    alias: Final = False

    def __init__(self, socket: asyncio.DatagramTransport, host: str, port: int, peer: Peer) -> None:
        self.host, self.port, self.peer = host, port, peer
        self._socket = socket

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UdpFlow) and (self._socket, self.peer) == (other._socket, other.peer)

    def __hash__(self) -> int:
        return hash((id(self._socket), self.peer))

    def to(self, port: int) -> "UdpFlow":
        """The same host by another port."""
        return (
            self if port == self.peer.port else UdpFlow(self._socket, self.host, self.port, Peer(self.peer.host, port))
        )

    def write(self, data: bytes) -> bool:
        """Whether it could be sent."""
        if self._socket.is_closing() or len(data) > DATAGRAM_MAX:
            return False
        self._socket.sendto(data, (self.peer.host, self.peer.port))
        return True


class Wire(Protocol):
    """A connection that is written to: an `asyncio.Transport`, or what stands for one."""

    def write(self, data: bytes) -> None: ...
    def is_closing(self) -> bool: ...
    def get_write_buffer_size(self) -> int: ...
    def close(self) -> None: ...
    def abort(self) -> None: ...


class StreamFlow:
    """One connection, theirs or ours. It is its own and no other's.

    `idle_s`: how long it may bring nothing before it is closed, from what it brings next. `shown`: who the certificate
    of the other side says it is. `alias`: see `protocol.sip.flow.Flow`.
    """

    def __init__(
        self,
        connection: Wire,
        transport: str,
        host: str,
        port: int,
        peer: Peer,
        *,
        shown: Identities,
        alias: bool,
    ) -> None:
        self.transport, self.host, self.port, self.peer = transport, host, port, peer
        self.shown, self.alias = shown, alias
        self.idle_s = IDLE_S
        self._connection = connection

    def write(self, data: bytes) -> bool:
        """Whether it could be sent; a peer that does not read loses its connection."""
        if self._connection.is_closing():
            return False
        if self._connection.get_write_buffer_size() > UNREAD_MAX:
            self._connection.abort()
            return False
        self._connection.write(data)
        return True

    def close(self) -> None:
        self._connection.close()
