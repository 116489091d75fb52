"""Messages in datagrams: whole, or cut into fragments (RFC 8855, section 6.2.3)."""

import struct
from typing import Final

from mcu.protocol.bfcp.message import HEADER, WORD, Code, Header, Malformed, Message, read, read_header

FRAGMENT: Final = struct.Struct("!HH")  # offset and length, in words
PIECES_MAX: Final = 32


class Assembly:
    """Of one peer's datagrams. One message may be in pieces at a time: the next one takes its place."""

    def __init__(self) -> None:
        self._header: Header | None = None
        self._pieces: dict[int, bytes] = {}  # by offset, in octets

    def feed(self, data: bytes) -> Message | None:
        """The message that is whole now, if one is. Raises `Malformed`."""
        header = read_header(data)
        if not header.fragment:
            return read(header, data[HEADER.size :])
        offset, piece = _piece(header, data)
        if header != self._header:
            self._header, self._pieces = header, {}
        self._pieces[offset] = piece
        if len(self._pieces) > PIECES_MAX:
            self._header, self._pieces = None, {}
            raise Malformed(Code.UNABLE_TO_PARSE, header)
        payload = self._whole(header.length)
        if payload is None:
            return None
        self._header, self._pieces = None, {}
        return read(header, payload)

    def _whole(self, length: int) -> bytes | None:
        payload = b""
        while len(payload) < length:
            piece = self._pieces.get(len(payload))
            if not piece:
                return None
            payload += piece
        return payload


def _piece(header: Header, data: bytes) -> tuple[int, bytes]:
    start = HEADER.size + FRAGMENT.size
    if len(data) < start:
        raise Malformed(Code.INCORRECT_LENGTH, header)
    offset, length = (words * WORD for words in FRAGMENT.unpack_from(data, HEADER.size))
    if len(data) != start + length or offset + length > header.length:
        raise Malformed(Code.INCORRECT_LENGTH, header)
    return offset, data[start:]
