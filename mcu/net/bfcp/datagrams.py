"""BFCP's datagrams: of a peer in the clear, or of one with whom we have shaken hands (DTLS)."""

import asyncio
from dataclasses import dataclass
from typing import Final, Protocol

from mcu.net.bfcp.line import FloorLine
from mcu.net.certificate import OwnCertificate
from mcu.net.dtls import Association

HANDSHAKE_S: Final = 15.0

Address = tuple[str, int]


class Owner(Protocol):
    @property
    def certificate(self) -> OwnCertificate: ...

    def datagram(self, data: bytes, address: Address, /) -> None: ...
    def send(self, data: bytes, address: Address, /) -> None: ...
    def inside(self, data: bytes, secured: "Secured", /) -> None: ...
    def ended(self, secured: "Secured", /) -> None: ...


class Datagrams(asyncio.DatagramProtocol):
    def __init__(self, owner: Owner) -> None:
        self._owner = owner

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._owner.datagram(data, (addr[0], addr[1]))


@dataclass(frozen=True, slots=True)
class Plain:
    """In the clear, to whoever is there. A `Way`."""

    owner: Owner
    address: Address

    def write(self, data: bytes) -> None:
        self.owner.send(data, self.address)

    def close(self) -> None: ...


class Secured:
    """An association with the other side of a line. A `Way`."""

    def __init__(self, owner: Owner, line: FloorLine, address: Address, *, begins: bool) -> None:
        agreed = line.peer.taken.association
        assert agreed is not None
        self.line, self.address = line, address
        self.over = asyncio.Event()
        self._owner = owner
        self._reached = False
        self._dtls = Association(owner.certificate, agreed.fingerprints, begins=begins)
        loop = asyncio.get_running_loop()
        self._patience = loop.call_later(HANDSHAKE_S, self._too_late)
        self._timer: asyncio.TimerHandle | None = None
        self._pump()

    def receive(self, data: bytes) -> None:
        for said in self._dtls.receive(data):
            self._owner.inside(said, self)
        self._pump()

    def write(self, data: bytes) -> None:
        self._dtls.send(data)
        self._pump()

    def close(self) -> None:
        self._dtls.close()
        self._pump()

    def _too_late(self) -> None:
        if not self._dtls.connected:
            self.close()

    def _pump(self) -> None:
        for datagram in self._dtls.take():
            self._owner.send(datagram, self.address)
        if self._timer is not None:
            self._timer.cancel()
        if self._dtls.connected and not self._reached:
            self._reached = True
            self.line.reached(self)
        if self._dtls.over:
            self._end()
        elif (due := self._dtls.next_timer()) is not None:
            self._timer = asyncio.get_running_loop().call_later(due, self._time_came)

    def _time_came(self) -> None:
        self._dtls.handle_timer()
        self._pump()

    def _end(self) -> None:
        if self.over.is_set():
            return
        self.over.set()
        self._patience.cancel()
        self._owner.ended(self)
        self.line.lost(self)
