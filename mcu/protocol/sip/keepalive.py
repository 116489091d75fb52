"""Keep-alives of flows over UDP: a STUN Binding request is answered with whom it came from (RFC 5626, 4.4.2)."""

import ipaddress
import struct
from typing import Final

_COOKIE: Final = 0x2112A442
_REQUEST, _SUCCESS = 0x0001, 0x0101
_XOR_MAPPED: Final = 0x0020
_HEADER: Final = struct.Struct("!HHI12s")


def answer(data: bytes, host: str, port: int) -> bytes | None:
    """The answer to a Binding request that came from there (RFC 8489, sections 6 and 14.2); None: it is none."""
    if len(data) < _HEADER.size:
        return None
    kind, length, cookie, transaction = _HEADER.unpack_from(data)
    if (kind, cookie) != (_REQUEST, _COOKIE) or length != len(data) - _HEADER.size:
        return None
    address = ipaddress.ip_address(host.partition("%")[0]).packed
    mask = struct.pack("!I", _COOKIE) + transaction
    hidden = bytes(a ^ b for a, b in zip(address, mask, strict=False))
    family = 1 if len(address) == 4 else 2
    value = struct.pack("!BBH", 0, family, port ^ (_COOKIE >> 16)) + hidden
    attribute = struct.pack("!HH", _XOR_MAPPED, len(value)) + value
    return _HEADER.pack(_SUCCESS, len(attribute), _COOKIE, transaction) + attribute
