"""The functions of native/src/wire by ctypes, with structures as in native/include/mcu/*.h."""

import ctypes
import ipaddress
import socket
from collections.abc import Iterator
from typing import Any

from mcu.media import _native

NATIVE = ctypes.CDLL(_native.__file__)
u8, u16, u32, u64, i32, i64 = (
    ctypes.c_uint8,
    ctypes.c_uint16,
    ctypes.c_uint32,
    ctypes.c_uint64,
    ctypes.c_int32,
    ctypes.c_int64,
)
size_t, Bool, Pointer = ctypes.c_size_t, ctypes.c_bool, ctypes.c_void_p
STUN_MAX, RTCP_MAX, RTP_HEADER_MAX, SRTP_TRAILER = 1280, 1200, 96, 32


class Struct(ctypes.Structure):
    """Compared and shown by its fields."""

    def values(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name, *_ in self._fields_}


class Stun(Struct):
    _fields_ = (
        ("data", Pointer),
        ("size", size_t),
        ("method", u16),
        ("kind", ctypes.c_int),  # `class` in C
        ("transaction", u8 * 12),
        ("username", Pointer),
        ("username_size", size_t),
        ("integrity", size_t),
        ("fingerprint", size_t),
        ("priority", u32),
        ("controlling", u64),
        ("controlled", u64),
        ("has_priority", Bool),
        ("has_controlling", Bool),
        ("has_controlled", Bool),
        ("use_candidate", Bool),
        ("unknown", u16),
        ("error_code", u16),
    )


class Extensions(Struct):
    _fields_ = tuple((name, u8) for name in ("mid", "rid", "repaired", "level", "send_time", "sequence"))


class Rtp(Struct):
    _fields_ = (
        ("payload_type", u8),
        ("marker", Bool),
        ("sequence", u16),
        ("timestamp", u32),
        ("ssrc", u32),
        ("payload", Pointer),
        ("payload_size", size_t),
        ("header_size", size_t),
        ("padded", Bool),
        ("mid", Pointer),
        ("mid_size", size_t),
        ("rid", Pointer),
        ("repaired", Pointer),
        ("rid_size", size_t),
        ("repaired_size", size_t),
        ("level", ctypes.c_int),
        ("voice", Bool),
        ("has_send_time", Bool),
        ("has_wide_sequence", Bool),
        ("send_time", u32),
        ("wide_sequence", u16),
    )


class Event(Struct):
    _fields_ = (
        ("kind", ctypes.c_int),
        ("ssrc", u32),
        ("media_ssrc", u32),
        ("ntp", u64),
        ("timestamp", u32),
        ("packets", u32),
        ("bytes", u32),
        ("fraction_lost", u8),
        ("lost", i32),
        ("highest", u32),
        ("jitter", u32),
        ("last_sr", u32),
        ("delay", u32),
        ("pid", u16),
        ("mask", u16),
        ("command", u8),
        ("bits_per_second", u64),
        ("body", Pointer),
        ("body_size", size_t),
        ("overhead", u16),
    )


SENDER, REPORT, NACK, PLI, FIR, REMB, TMMBR, WIDE, BYE = range(9)


class Reader(Struct):
    _fields_ = (("data", Pointer), ("size", size_t), ("at", size_t), ("item", size_t))


class Block(Struct):
    _fields_ = (
        ("ssrc", u32),
        ("highest", u32),
        ("jitter", u32),
        ("last_sr", u32),
        ("delay", u32),
        ("lost", i32),
        ("fraction_lost", u8),
    )


def _declare(name: str, result: Any, *arguments: Any) -> Any:
    function = getattr(NATIVE, name)
    function.restype, function.argtypes = result, arguments
    return function


text = ctypes.c_char_p
stun_parse = _declare("mcu_stun_parse", ctypes.c_int, Pointer, text, size_t)
stun_verify = _declare("mcu_stun_verify", Bool, Pointer, text, size_t)
stun_success = _declare("mcu_stun_success", size_t, Pointer, Pointer, Pointer, text, size_t)
stun_error = _declare("mcu_stun_error", size_t, Pointer, Pointer, u16, text, size_t)
stun_request = _declare("mcu_stun_request", size_t, Pointer, text, text, size_t, text, size_t, u64, u32, Bool)
rtp_parse = _declare("mcu_rtp_parse", ctypes.c_int, Pointer, text, size_t, Pointer, Bool)
rtp_write = _declare("mcu_rtp_write", size_t, Pointer, Pointer, Pointer)
extend16 = _declare("mcu_extend16", i64, i64, u16)
extend32 = _declare("mcu_extend32", i64, i64, u32)
rtcp_next = _declare("mcu_rtcp_next", ctypes.c_int, Pointer, Pointer)
_into = (Pointer, Pointer, u32)  # where to, how much is there, our SSRC
rtcp_sr = _declare("mcu_rtcp_sr", ctypes.c_int, *_into, u64, u32, u32, u32, Pointer, size_t)
rtcp_rr = _declare("mcu_rtcp_rr", ctypes.c_int, *_into, Pointer, size_t)
rtcp_sdes = _declare("mcu_rtcp_sdes", ctypes.c_int, *_into, text)
rtcp_nack = _declare("mcu_rtcp_nack", ctypes.c_int, *_into, u32, Pointer, size_t)
rtcp_pli = _declare("mcu_rtcp_pli", ctypes.c_int, *_into, u32)
rtcp_fir = _declare("mcu_rtcp_fir", ctypes.c_int, *_into, u32, u8)
rtcp_remb = _declare("mcu_rtcp_remb", ctypes.c_int, *_into, u64, Pointer, size_t)
rtcp_bye = _declare("mcu_rtcp_bye", ctypes.c_int, *_into)
demux = _declare("mcu_demux", ctypes.c_int, text, size_t)
_srtp_new = _declare("mcu_srtp_new", Pointer, ctypes.c_int, text, Bool)
_srtp_free = _declare("mcu_srtp_free", None, Pointer)


def sockaddr(host: str, port: int) -> ctypes.Array[ctypes.c_char]:
    """A sockaddr_in or sockaddr_in6, as Linux has them."""
    address = ipaddress.ip_address(host)
    if address.version == 4:
        raw = socket.AF_INET.to_bytes(2, "little") + port.to_bytes(2, "big") + address.packed + bytes(8)
    else:
        raw = socket.AF_INET6.to_bytes(2, "little") + port.to_bytes(2, "big") + bytes(4) + address.packed + bytes(4)
    return ctypes.create_string_buffer(raw, len(raw))


def rtcp(write: Any, *arguments: Any) -> bytes:
    """What one of the rtcp_ functions writes."""
    out, size = ctypes.create_string_buffer(RTCP_MAX), size_t(0)
    assert write(out, ctypes.byref(size), *arguments) == 0
    return out.raw[: size.value]


def rtcp_events(data: bytes) -> Iterator[Event]:
    """The events of a compound packet. Raises ValueError where the rest of it is malformed."""
    held = ctypes.create_string_buffer(data, len(data)) if data else None
    reader = Reader(data=ctypes.cast(held, Pointer) if held else None, size=len(data))
    while True:
        event = Event()
        found = rtcp_next(ctypes.byref(reader), ctypes.byref(event))
        if found < 0:
            raise ValueError("malformed")
        if found == 0:
            return
        yield event


class Srtp:
    """One direction."""

    def __init__(self, profile: int, key: bytes, *, sending: bool) -> None:
        self._srtp = _srtp_new(profile, key, sending)
        assert self._srtp

    def __del__(self) -> None:
        _srtp_free(self._srtp)

    def _run(self, name: str, data: bytes) -> bytes:
        buffer = ctypes.create_string_buffer(data, len(data) + SRTP_TRAILER)
        size = size_t(len(data))
        function = _declare(name, ctypes.c_int, Pointer, Pointer, Pointer)
        if function(self._srtp, buffer, ctypes.byref(size)):
            raise ValueError("refused")
        return buffer.raw[: size.value]

    def protect(self, data: bytes) -> bytes:
        return self._run("mcu_srtp_protect", data)

    def unprotect(self, data: bytes) -> bytes:
        return self._run("mcu_srtp_unprotect", data)

    def protect_rtcp(self, data: bytes) -> bytes:
        return self._run("mcu_srtp_protect_rtcp", data)

    def unprotect_rtcp(self, data: bytes) -> bytes:
        return self._run("mcu_srtp_unprotect_rtcp", data)
