"""BFCP's octets, written and read apart from the server's own code; and a client that speaks them by TCP."""

import asyncio
import hashlib
import ssl
import struct
from collections.abc import Sequence
from dataclasses import dataclass

Attribute = tuple[int, bytes]

REQUEST, RELEASE, REQUEST_QUERY, REQUEST_STATUS, USER_QUERY, USER_STATUS, FLOOR_QUERY, FLOOR_STATUS = range(1, 9)
CHAIR, HELLO, HELLO_ACK, ERROR, REQUEST_STATUS_ACK, FLOOR_STATUS_ACK, GOODBYE, GOODBYE_ACK = 9, *range(11, 18)
PENDING, GRANTED, DENIED, CANCELLED, RELEASED, REVOKED = 1, 3, 4, 5, 6, 7


@dataclass(frozen=True)
class Told:
    version: int
    response: bool
    primitive: int
    conference: int
    transaction: int
    user: int
    attributes: list[Attribute]

    @property
    def state(self) -> int:
        """Of the first floor request that it is about: information, overall status, status."""
        overall = inside(dict(self.attributes)[15])[18]
        return inside(overall)[5][0]

    @property
    def request(self) -> int:
        return int.from_bytes(dict(self.attributes)[15][:2])

    @property
    def error(self) -> int:
        return dict(self.attributes)[6][0]


def attribute(kind: int, content: bytes, *, mandatory: bool = True) -> bytes:
    size = 2 + len(content)
    return bytes([kind * 2 + mandatory, size]) + content + bytes((4 - size % 4) % 4)


def number(kind: int, value: int) -> bytes:
    return attribute(kind, struct.pack(">H", value))


def message(
    primitive: int,
    *attributes: bytes,
    version: int = 2,
    ids: tuple[int, int] = (1234, 7),
    transaction: int = 1,
    response: bool = False,
) -> bytes:
    payload = b"".join(attributes)
    first = version * 32 + response * 16
    return struct.pack(">BBHIHH", first, primitive, len(payload) // 4, ids[0], transaction, ids[1]) + payload


def fragments(whole: bytes, *words: int) -> list[bytes]:
    """`words`: how many each has, in order."""
    head, payload, found, at = bytes([whole[0] | 8]) + whole[1:12], whole[12:], [], 0
    for size in words:
        found.append(head + struct.pack(">HH", at, size) + payload[4 * at : 4 * (at + size)])
        at += size
    return found


def told(data: bytes) -> Told:
    first, primitive, words, conference, transaction, user = struct.unpack_from(">BBHIHH", data)
    assert len(data) == 12 + 4 * words
    return Told(first >> 5, bool(first & 16), primitive, conference, transaction, user, split(data[12:]))


def split(payload: bytes) -> list[Attribute]:
    found = []
    while payload:
        size = payload[1]
        found.append((payload[0] >> 1, payload[2:size]))
        payload = payload[size + (4 - size % 4) % 4 :]
    return found


def inside(grouped: bytes) -> dict[int, bytes]:
    """What an attribute has after its own number."""
    return dict(split(grouped[2:]))


class TcpClient:
    """A floor's client over a connection. `heard`: what came of the server."""

    def __init__(self, ids: tuple[int, int]) -> None:
        self.heard: list[Told] = []
        self.closed = False
        self._ids, self._transaction = ids, 0

    async def connect(self, host: str, port: int, fingerprint: str = "") -> None:
        """`fingerprint`: with TLS, to whoever has such a certificate and to nobody else."""
        context = None
        if fingerprint:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        reader, self._writer = await asyncio.open_connection(host, port, ssl=context)
        if fingerprint:
            shown = self._writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            assert fingerprint == f"sha-256 {hashlib.sha256(shown).digest().hex(':').upper()}"
        self._reading = asyncio.create_task(self._read(reader))

    def ask(self, primitive: int, *attributes: bytes) -> None:
        self._transaction += 1
        self._writer.write(message(primitive, *attributes, version=1, ids=self._ids, transaction=self._transaction))

    def write(self, data: bytes) -> None:
        self._writer.write(data)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                head = await reader.readexactly(12)
                self.heard.append(told(head + await reader.readexactly(4 * int.from_bytes(head[2:4]))))
        except (asyncio.IncompleteReadError, ConnectionResetError):
            self.closed = True
            self._writer.close()

    def states(self) -> Sequence[int]:
        """What has become of its requests, in order."""
        return [one.state for one in self.heard if one.primitive == REQUEST_STATUS]

    def requests(self) -> Sequence[int]:
        """Their numbers, one for each state."""
        return [one.request for one in self.heard if one.primitive == REQUEST_STATUS]

    async def close(self) -> None:
        self._writer.close()
        await self._reading
