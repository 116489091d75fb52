"""Messages, read and written octet by octet (RFC 8855, section 5). What is not known is kept, and may be asked for."""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

HEADER: Final = struct.Struct("!BBHIHH")  # version and flags, primitive, length in words, conference, transaction, user
WORD: Final = 4
PAYLOAD_MAX: Final = 2048  # octets; nothing that a floor's client has to say is longer
RELIABLE, UNRELIABLE = 1, 2  # versions: over TCP, over UDP
RESPONSE: Final = 0x10
FRAGMENT: Final = 0x08


class Primitive(IntEnum):
    FLOOR_REQUEST = 1
    FLOOR_RELEASE = 2
    FLOOR_REQUEST_QUERY = 3
    FLOOR_REQUEST_STATUS = 4
    USER_QUERY = 5
    USER_STATUS = 6
    FLOOR_QUERY = 7
    FLOOR_STATUS = 8
    CHAIR_ACTION = 9
    CHAIR_ACTION_ACK = 10
    HELLO = 11
    HELLO_ACK = 12
    ERROR = 13
    FLOOR_REQUEST_STATUS_ACK = 14
    FLOOR_STATUS_ACK = 15
    GOODBYE = 16
    GOODBYE_ACK = 17


class Type(IntEnum):
    """Of attributes."""

    BENEFICIARY_ID = 1
    FLOOR_ID = 2
    FLOOR_REQUEST_ID = 3
    PRIORITY = 4
    REQUEST_STATUS = 5
    ERROR_CODE = 6
    ERROR_INFO = 7
    PARTICIPANT_PROVIDED_INFO = 8
    STATUS_INFO = 9
    SUPPORTED_ATTRIBUTES = 10
    SUPPORTED_PRIMITIVES = 11
    USER_DISPLAY_NAME = 12
    USER_URI = 13
    BENEFICIARY_INFORMATION = 14
    FLOOR_REQUEST_INFORMATION = 15
    REQUESTED_BY_INFORMATION = 16
    FLOOR_REQUEST_STATUS = 17
    OVERALL_REQUEST_STATUS = 18


class Code(IntEnum):
    """Of errors (section 5.2.6)."""

    UNKNOWN_PRIMITIVE = 3
    UNKNOWN_MANDATORY_ATTRIBUTE = 4
    UNAUTHORIZED_OPERATION = 5
    INVALID_FLOOR = 6
    REQUEST_DOES_NOT_EXIST = 7
    TOO_MANY_REQUESTS = 8
    UNABLE_TO_PARSE = 10
    UNSUPPORTED_VERSION = 12
    INCORRECT_LENGTH = 13


class Malformed(Exception):
    """What came is no message. `header` and `code`: it can be answered so."""

    def __init__(self, code: Code, header: "Header | None" = None, details: bytes = b"") -> None:
        super().__init__(code.name)
        self.code, self.header, self.details = code, header, details


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    version: int
    response: bool  # "transaction responder", R
    fragment: bool  # F: an offset and a length follow, in words
    primitive: int
    length: int  # octets after the header; of all fragments together
    conference: int
    transaction: int
    user: int


@dataclass(frozen=True, slots=True)
class Attribute:
    type: int
    content: bytes
    mandatory: bool = False

    def __bytes__(self) -> bytes:
        """With its padding, which its length does not count."""
        head = bytes([self.type << 1 | self.mandatory, 2 + len(self.content)])
        return head + self.content + bytes(-(2 + len(self.content)) % WORD)

    @property
    def number(self) -> int:
        """Raises `Malformed`."""
        if len(self.content) != 2:
            raise Malformed(Code.UNABLE_TO_PARSE)
        return int.from_bytes(self.content)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    version: int
    primitive: int
    conference: int
    transaction: int
    user: int
    response: bool = False
    attributes: tuple[Attribute, ...] = ()

    def numbers(self, kind: Type) -> list[int]:
        """What each attribute of that type says. Raises `Malformed` where one is no number."""
        return [one.number for one in self.attributes if one.type == kind]

    def __bytes__(self) -> bytes:
        payload = b"".join(map(bytes, self.attributes))
        first = self.version << 5 | self.response * RESPONSE
        return (
            HEADER.pack(first, self.primitive, len(payload) // WORD, self.conference, self.transaction, self.user)
            + payload
        )


def read_header(data: bytes) -> Header:
    """Raises `Malformed`: it is too short for one, or announces more than `PAYLOAD_MAX`."""
    if len(data) < HEADER.size:
        raise Malformed(Code.INCORRECT_LENGTH)
    first, primitive, words, conference, transaction, user = HEADER.unpack_from(data)
    header = Header(
        version=first >> 5,
        response=bool(first & RESPONSE),
        fragment=bool(first & FRAGMENT),
        primitive=primitive,
        length=words * WORD,
        conference=conference,
        transaction=transaction,
        user=user,
    )
    if header.length > PAYLOAD_MAX:
        raise Malformed(Code.INCORRECT_LENGTH, header)
    return header


def read(header: Header, payload: bytes) -> Message:
    """The whole message. Raises `Malformed`."""
    if len(payload) != header.length:
        raise Malformed(Code.INCORRECT_LENGTH, header)
    return Message(
        version=header.version,
        primitive=header.primitive,
        conference=header.conference,
        transaction=header.transaction,
        user=header.user,
        response=header.response,
        attributes=_attributes(payload, header),
    )


def inside(group: Attribute) -> tuple[int, tuple[Attribute, ...]]:
    """Of a grouped attribute: its own number, and what follows it. Raises `Malformed`."""
    if len(group.content) < 2:
        raise Malformed(Code.UNABLE_TO_PARSE)
    return int.from_bytes(group.content[:2]), _attributes(group.content[2:])


def _attributes(payload: bytes, header: Header | None = None) -> tuple[Attribute, ...]:
    found: list[Attribute] = []
    at = 0
    while at < len(payload):
        size = payload[at + 1] if at + 1 < len(payload) else 0
        if size < 2 or at + size > len(payload):
            raise Malformed(Code.UNABLE_TO_PARSE, header)
        found.append(Attribute(payload[at] >> 1, payload[at + 2 : at + size], bool(payload[at] & 1)))
        at += size + -size % WORD
    return tuple(found)


def number(kind: Type, value: int) -> Attribute:
    return Attribute(kind, value.to_bytes(2))


def grouped(kind: Type, value: int, *inside: Attribute) -> Attribute:
    """An attribute of attributes, after a number of its own."""
    return Attribute(kind, value.to_bytes(2) + b"".join(map(bytes, inside)))
