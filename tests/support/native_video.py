"""`mcu/{payload,frames}.h` by ctypes, and real streams of pictures for them."""

import ctypes
from collections.abc import Iterator
from ctypes import POINTER, Structure, byref, c_bool, c_int, c_int64, c_size_t, c_uint8, c_uint16, c_uint32, c_uint64
from fractions import Fraction
from typing import NamedTuple

import av
import numpy as np

from mcu.media import _native

VP8, H264, MODE0 = range(3)
DROPS = ["duplicate", "late", "malformed", "too_far", "too_large", "incomplete", "no_key"]
_library = ctypes.CDLL(_native.__file__)


class Seen(Structure):
    _fields_ = [
        ("begins", c_bool),
        ("key", c_bool),
        ("picture_id", c_int),
        ("temporal", c_int),
        ("layer_sync", c_bool),
    ]


class Size(Structure):
    _fields_ = [("coded_width", c_uint32), ("coded_height", c_uint32), ("width", c_uint32), ("height", c_uint32)]


class _Piece(Structure):
    _fields_ = [
        ("prefix", c_uint8 * 4),
        ("prefix_size", c_uint8),
        ("aggregate", c_bool),
        ("at", c_size_t),
        ("size", c_size_t),
    ]


class _Picture(Structure):
    _fields_ = [
        ("codec", c_int),
        ("data", c_size_t),
        ("size", c_size_t),
        ("timestamp", c_uint32),
        ("key", c_bool),
        ("width", c_uint32),
        ("height", c_uint32),
        ("temporal", c_int),
        ("layer_sync", c_bool),
    ]


_library.mcu_piece_write.restype = _library.mcu_frames_nacks.restype = c_size_t
_library.mcu_picture_key.restype = _library.mcu_frames_key_due.restype = c_bool
_library.mcu_frames_new.restype = ctypes.c_void_p
_library.mcu_frames_drops.restype = POINTER(c_uint64)
_library.mcu_frames_wake.restype = c_int64


def look(codec: int, payload: bytes) -> Seen | None:
    """None: malformed."""
    seen = Seen()
    return None if _library.mcu_payload_look(codec, payload, c_size_t(len(payload)), byref(seen)) else seen


def append(codec: int, payload: bytes, first: bool, room: int = 1 << 16) -> bytes | None:
    """What a payload adds; None: malformed, or no room."""
    out, used = ctypes.create_string_buffer(room), c_size_t(0)
    arguments = codec, payload, c_size_t(len(payload)), first, out, c_size_t(room), byref(used)
    if _library.mcu_payload_append(*arguments):
        assert used.value == 0
        return None
    return out.raw[: used.value]


def joined(codec: int, payloads: list[bytes]) -> bytes:
    pieces = [append(codec, payload, not number) for number, payload in enumerate(payloads)]
    return b"".join(piece for piece in pieces if piece is not None)


def size_of(codec: int, picture: bytes) -> Size | int:
    """0: it claims none; -1: one that cannot be read."""
    size = Size()
    claims: int = _library.mcu_picture_size(codec, picture, c_size_t(len(picture)), byref(size))
    return size if claims == 1 else claims


def is_key(codec: int, picture: bytes) -> bool:
    return bool(_library.mcu_picture_key(codec, picture, c_size_t(len(picture))))


def cut(codec: int, picture: bytes, most: int, picture_id: int = 0, room: int = 4096) -> list[bytes] | None:
    """The payloads of a picture; None: it cannot be cut, or there are more than `room`."""
    pieces, kept = (_Piece * room)(), ctypes.create_string_buffer(picture, len(picture))
    arguments = codec, kept, c_size_t(len(picture)), c_size_t(most), c_uint16(picture_id), pieces, c_size_t(room)
    count: int = _library.mcu_payload_cut(*arguments)
    if count < 0:
        return None
    return [_written(piece, most) for piece in pieces[:count]]


def _written(piece: _Piece, most: int) -> bytes:
    out = ctypes.create_string_buffer(most)
    size = _library.mcu_piece_write(byref(piece), out)
    assert size <= most
    return out.raw[:size]


class Given(NamedTuple):
    """A picture that came out."""

    codec: int
    data: bytes
    timestamp: int
    key: bool
    size: tuple[int, int]
    temporal: int


class Frames:
    """A stream that is received. `rtt` in us."""

    def __init__(self, pixels_max: int = 1920 * 1088, rtt: int = 20_000) -> None:
        self._frames = ctypes.c_void_p(_library.mcu_frames_new(c_uint32(pixels_max)))
        self._rtt = rtt

    def __del__(self) -> None:
        _library.mcu_frames_free(self._frames)

    def push(self, codec: int, sequence: int, timestamp: int, marker: bool, payload: bytes, now: int) -> None:
        numbers = c_int64(sequence), c_uint32(timestamp & 0xFFFFFFFF), marker
        _library.mcu_frames_push(self._frames, codec, *numbers, payload, c_size_t(len(payload)), c_int64(now))

    def pop(self) -> Iterator[Given]:
        picture = _Picture()
        while _library.mcu_frames_pop(self._frames, byref(picture)):
            data = ctypes.string_at(picture.data, picture.size)
            size = picture.width, picture.height
            yield Given(picture.codec, data, picture.timestamp, picture.key, size, picture.temporal)

    def nacks(self, now: int, room: int = 1024) -> list[int]:
        missing = (c_int64 * room)()
        count = _library.mcu_frames_nacks(self._frames, c_int64(now), c_int64(self._rtt), missing, c_size_t(room))
        return list(missing[:count])

    def key_due(self, now: int) -> bool:
        return bool(_library.mcu_frames_key_due(self._frames, c_int64(now), c_int64(self._rtt)))

    def wake(self) -> int:
        return int(_library.mcu_frames_wake(self._frames))

    @property
    def drops(self) -> dict[str, int]:
        counted = _library.mcu_frames_drops(self._frames)
        return {name: counted[number] for number, name in enumerate(DROPS) if counted[number]}


def encoded(codec: int, count: int, width: int = 160, height: int = 96, **options: str) -> list[bytes]:
    """Pictures of a real encoder: noise that moves, so that they are long; the first one is a key frame."""
    context = av.CodecContext.create("libvpx" if codec == VP8 else "libx264", "w")
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base, context.framerate, context.bit_rate = Fraction(1, 30), Fraction(30), 1_000_000
    fast = {"deadline": "realtime", "cpu-used": "8"} if codec == VP8 else {"preset": "ultrafast", "tune": "zerolatency"}
    context.options = {**fast, **options}
    rng = np.random.default_rng(1)
    made: list[bytes] = []
    for number in range(count):
        frame = av.VideoFrame.from_ndarray(rng.integers(0, 256, (height * 3 // 2, width), np.uint8), format="yuv420p")
        frame.pts = number
        made += [bytes(packet) for packet in context.encode(frame)]
    return made + [bytes(packet) for packet in context.encode(None)]
