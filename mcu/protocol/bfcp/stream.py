"""Messages in a connection, one after the other (RFC 8855, section 6.1)."""

from collections.abc import Iterator

from mcu.protocol.bfcp.message import HEADER, Message, read, read_header


class Stream:
    """Keeps what is not whole yet: at most one message."""

    def __init__(self) -> None:
        self._left = b""

    def feed(self, data: bytes) -> Iterator[Message]:
        """Raises `Malformed`: then it cannot be known where the next message begins."""
        self._left += data
        while len(self._left) >= HEADER.size:
            header = read_header(self._left)
            end = HEADER.size + header.length
            if len(self._left) < end:
                return
            payload, self._left = self._left[HEADER.size : end], self._left[end:]
            yield read(header, payload)
