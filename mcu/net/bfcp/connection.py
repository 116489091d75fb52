"""One connection of BFCP, over TCP or TLS: a stream, cut into messages."""

import asyncio
import ssl
from typing import Final, Protocol, cast

from mcu.net.bfcp.line import FloorLine
from mcu.net.fingerprint import is_one_of
from mcu.protocol.bfcp.end import Ids
from mcu.protocol.bfcp.message import Malformed, Message
from mcu.protocol.bfcp.stream import Stream

FIRST_S: Final = 10.0  # until a connection shows whose it is
UNREAD_MAX: Final = 64 * 1024  # bytes that a peer leaves unread before its connection ends


class Owner(Protocol):
    def opened(self, connection: "Connection", host: str, /) -> bool: ...
    def closed(self, connection: "Connection", /) -> None: ...
    def refused(self, reason: str, /) -> None: ...
    def line(self, ids: Ids, host: str, /) -> FloorLine | None: ...


class Connection(asyncio.Protocol):
    """A client's, which its first message says; or one of ours, to the other side of `line`. A `Way`."""

    def __init__(self, owner: Owner, *, secure: bool = False, line: FloorLine | None = None) -> None:
        self.over = asyncio.Event()
        self._owner, self._secure = owner, secure
        self._ours, self._line = line, line
        self._stream = Stream()
        self._host = ""
        self._transport: asyncio.Transport | None = None
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._host = transport.get_extra_info("peername")[0]
        if not self._is_who_was_called() or not self._owner.opened(self, self._host):
            self._transport.abort()
        elif self._ours is not None:
            self._ours.reached(self)
        else:
            self._patience = asyncio.get_running_loop().call_later(FIRST_S, self.close)

    def _is_who_was_called(self) -> bool:
        """By the certificate that the SDP of its call names."""
        association = None if self._ours is None else self._ours.peer.taken.association
        if association is None or self._transport is None:
            return True
        secure: ssl.SSLObject = self._transport.get_extra_info("ssl_object")
        shown = secure.getpeercert(binary_form=True)
        if shown is not None and is_one_of(shown, association.fingerprints):
            return True
        self._owner.refused("another certificate")
        return False

    def data_received(self, data: bytes) -> None:
        try:
            for message in self._stream.feed(data):
                self._message(message)
        except Malformed as error:
            if self._line is not None:
                self._line.unreadable(error)
            self.close()

    def _message(self, message: Message) -> None:
        ids = Ids(message.conference, message.user)
        line = self._owner.line(ids, self._host) if self._ours is None else self._ours
        if line is None or line.ids != ids or not self._is_of(line):
            self._owner.refused("of nobody")
            self.close()
            return
        self._line = line
        if self._patience is not None:
            self._patience.cancel()
        if not self._closing:
            line.message(message, self)

    def _is_of(self, line: FloorLine) -> bool:
        taken = line.peer.taken
        expected = taken.reliable and taken.secure == self._secure and taken.begins == (self._ours is not None)
        return expected and self._line in (None, line)

    @property
    def _closing(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    def connection_lost(self, exc: Exception | None) -> None:
        self.over.set()
        if self._patience is not None:
            self._patience.cancel()
        self._owner.closed(self)
        if self._line is not None:
            self._line.lost(self)

    def write(self, data: bytes) -> None:
        if self._transport is None or self._closing:
            return
        if self._transport.get_write_buffer_size() > UNREAD_MAX:
            self._transport.abort()
        else:
            self._transport.write(data)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
