"""A byte stream cut into messages (RFC 3261, section 18.3), with the keep-alives between them (RFC 5626, 4.4.1).

Over TCP, TLS and the like a message's end is known by its Content-Length alone: a stream in which that cannot be read
has no next message, and is closed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mcu.protocol.sip.grammar import Malformed
from mcu.protocol.sip.message import MAX_BODY, MAX_HEAD, Request, Response, content_length, read, read_fields

PING: Final = b"\r\n\r\n"
PONG: Final = b"\r\n"


@dataclass(frozen=True, slots=True)
class Ping:
    """The peer asks whether the connection lives: `PONG` is the answer."""


@dataclass(frozen=True, slots=True)
class Pong:
    """The peer has answered a `PING`."""


class Stream:
    """Feed it what a connection received; take what is whole. It holds one message at most."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._searched = 0  # no end of a head begins before
        self._whole = 0  # bytes of the message whose head has come; 0: it has not
        self._half_a_ping = False  # the last that came was one CRLF

    def feed(self, data: bytes) -> Iterator[Request | Response | Ping | Pong]:
        """Raises `Malformed` where the stream is lost: close it."""
        self._held += data
        while (found := self._next()) is not None:
            yield found

    def _next(self) -> Request | Response | Ping | Pong | None:
        if self._held.startswith(PONG):
            return self._keep_alive()
        if self._held and not PONG.startswith(self._held):
            self._half_a_ping = False
        if not self._has_head() or len(self._held) < self._whole:
            return None
        message = read(bytes(self._held[: self._whole]))
        self._drop(self._whole)
        return message

    def _has_head(self) -> bool:
        if self._whole:
            return True
        end = self._held.find(b"\r\n\r\n", self._searched)
        if end >= 0:
            self._whole = end + 4 + self._body_size(end)
        elif len(self._held) > MAX_HEAD:
            raise Malformed("the header fields of a message do not end", 513)
        else:
            self._searched = max(0, len(self._held) - 3)
        return end >= 0

    def _keep_alive(self) -> Ping | Pong:
        """Half a ping is taken for a pong, for it may be one; its other half makes it a ping."""
        whole, second = self._held.startswith(PING), self._half_a_ping
        self._drop(len(PING) if whole else len(PONG))
        self._half_a_ping = not whole and not second and PONG.startswith(self._held)
        return Ping() if whole or second else Pong()

    def _body_size(self, end: int) -> int:
        _, _, fields = bytes(self._held[:end]).decode(errors="surrogateescape").partition("\r\n")
        size = content_length(read_fields(fields))
        if size is None:
            raise Malformed("a message on a stream has no Content-Length")
        if size > MAX_BODY:
            raise Malformed("a body is too long", 513)
        return size

    def _drop(self, size: int) -> None:
        del self._held[:size]
        self._searched = self._whole = 0
