"""Drawing on I420 pictures, in C and without the GIL. The manual is native/include/mcu/*.h.

Every function raises ValueError, and draws nothing, for a number out of range, a canvas that is read-only, and
memory that overlaps. Rectangles are clipped to the canvas. A chroma sample belongs to the rectangle that holds the
top left of its four pixels, so tiles that share an edge never colour each other.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias, final

from typing_extensions import Buffer

_Rect: TypeAlias = tuple[int, int, int, int]  # x, y, width, height in luma pixels
_Colour: TypeAlias = tuple[int, int, int]  # Y, U, V, each 0 … 255
_Size: TypeAlias = tuple[int, int]  # width, height

MAX_SIDE: Final[int]
"""The longest side of anything, and the furthest that anything may lie from the origin."""

@final
class I420:
    """A picture over three buffers, which it holds and does not copy.

    Luma is width x height bytes, chroma (width + 1) // 2 x (height + 1) // 2. `strides` are the planes' bytes a row.
    """

    def __new__(cls, y: Buffer, u: Buffer, v: Buffer, strides: tuple[int, int, int], width: int, height: int) -> I420:
        """Raises ValueError where a buffer is too short, a stride shorter than a row, or a size out of range."""

    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def writable(self) -> bool: ...

@final
class Encoder:
    """Encodes I420 pictures of one size, in real time, for one thread at a time: as VP8 by libvpx, or H.264 by x264.

    `content`: text and drawings that change seldom. `slice_max`: bytes of a slice of H.264; 0: a picture is one slice.
    Raises ValueError for a size or a rate that the codec does not take.
    """

    def __new__(
        cls, vp8: bool, width: int, height: int, fps: int, bits_per_second: int, content: bool, slice_max: int
    ) -> Encoder: ...
    def encode(self, picture: I420, timestamp: int, key: bool, /) -> tuple[bytes, bool] | None:
        """The picture and whether it is a key frame; None where it was dropped. `timestamp` in 90 kHz, rising.

        Raises ValueError where the codec fails, after which the encoder is of no use, or for another size.
        """

    def retarget(self, bits_per_second: int, /) -> None:
        """Aim at another rate from the next picture on, without a key frame."""

def letterbox(width: int, height: int, tile: _Rect, /) -> _Rect:
    """Where a picture of this size comes to in the tile: on even coordinates, with even sides, centred."""

def scale_into_tile(canvas: I420, source: I420, tile: _Rect, /) -> _Rect:
    """Scale the source into its letterbox in the tile, the rest black. Returns the visible part of the letterbox."""

def fill(canvas: I420, rect: _Rect, colour: _Colour, /) -> None: ...
def border(canvas: I420, rect: _Rect, thickness: int, colour: _Colour, /) -> None:
    """Draw the outermost `thickness` pixels inside the rectangle."""

def label(
    canvas: I420,
    x: int,
    y: int,
    mask: Buffer,
    size: _Size,
    ink: _Colour,
    plate: _Colour,
    plate_alpha: int,
    /,
) -> None:
    """Blit text with its top left at (x, y). The mask is `size` bytes of opacity; the plate lies under all of it."""

def avatar(
    canvas: I420,
    tile: _Rect,
    background: _Colour,
    disc: _Colour,
    radius: int,
    mask: Buffer,
    size: _Size,
    ink: _Colour,
    /,
) -> None:
    """Fill the tile, draw a disc about its centre, and initials on the centre. Nothing is drawn outside the tile."""

def copy(canvas: I420, source: I420, rect: _Rect, x: int, y: int, /) -> None:
    """Copy a rectangle of the source so that its top left comes to (x, y) of the canvas."""

# -- the media plane (native/include/mcu/plane.h is the manual) --------------------------------------------------------

AUDIO: int
CAMERA: int
SCREEN: int
PROVED: int
MOVED: int
SILENT: int
DTLS: int
PICTURE: int
KEY_WANTED: int
BANDWIDTH: int
REPORT: int
LOSS: int
DIGIT: int
BYE: int
UNSENT: int
LAYER: int
KEY_UNASKED: int
COLLECTED: int

class Event(NamedTuple):
    """`kind` is one of the constants above; what `a`, `b`, `c` are depends on it."""

    kind: int
    leg: int
    a: int
    b: int
    c: int
    width: int
    height: int
    key: bool
    data: bytes

class Talker(NamedTuple):
    room: int
    leg: int
    level: int  # -dBov of its tick

@final
class Plane:
    """The sockets, legs and threads of a worker. Every method is quick; none waits for the network.

    Methods that take a leg, room or sound raise `LookupError` for one that is gone, `ValueError` for any other argument
    that is wrong, and `OverflowError` where the sound thread is too far behind; then nothing has changed.
    """

    def __new__(
        cls,
        addresses: Sequence[str],
        *,
        port: int = 0,
        tcp_port: int = 0,
        ports: tuple[int, int] = (0, 0),
        complexity: int = 5,
        bits_per_second: int = 48_000,
        loss_percent: int = 10,
        silent_s: int = 30,
    ) -> Plane:
        """Binds one UDP port on each address (IPv4 or IPv6, not a wildcard), and one TCP port.

        `tcp_port` 0: the same number, or none where that is taken. `silent_s`: a leg with ports of its own that says
        nothing for so long is told of as SILENT. Raises `OSError`, `ValueError`.
        """

    @property
    def port(self) -> int: ...
    @property
    def tcp_port(self) -> int: ...
    def fileno(self) -> int:
        """Readable while events wait."""

    def close(self) -> None:
        """Ends the threads and the sockets. What is called after it raises `ValueError`."""

    def events(self) -> list[Event]:
        """What happened since the last call, oldest first."""

    def add_webrtc(self, ufrag: str, password: str, remote_ufrag: str, /) -> int: ...
    def restart_ice(self, leg: int, ufrag: str, password: str, remote_ufrag: str, /) -> None: ...
    def add_rtp(self, ipv6: bool = False, /) -> tuple[int, int, int]:
        """(leg, RTP port, RTCP port). Raises `OSError` where the range has no free pair."""

    def add_relay(
        self, one: str, other: str, opened: bool = False, /
    ) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
        """Two legs, as `add_rtp` makes them on these addresses of the plane's: what comes to one goes on by the other.

        As it came, or `opened`: decrypted by the keys of the one, and encrypted by those of the other.

        Raises `OSError` where the range has no free pair, `ValueError` for an address that is not the plane's.
        """

    def set_remote(self, leg: int, address: str, port: int, rtcp_port: int | None = None, /) -> None:
        """`rtcp_port` None: on the same port (RFC 5761)."""

    def use_ice(self, leg: int, muxed: bool, ufrag: str, password: str, remote_ufrag: str, /) -> None:
        """Of a leg with ports of its own: checks say where it is, not `set_remote`; PROVED when that is known."""

    def require_keys(self, leg: int, /) -> None:
        """Nothing of a leg with ports of its own passes in the clear from now on, and it may have DTLS."""

    def set_keys(self, leg: int, profile: str, sending: bytes, receiving: bytes, rtcp: bool = False, /) -> None:
        """`profile` by its IANA name without a prefix: AEAD_AES_256_GCM, AEAD_AES_128_GCM, AES256_CM_SHA1_80 or
        AES128_CM_SHA1_80. Keys: master key, then salt. A direction that has this key already goes on as it was.
        `rtcp`: of RTCP alone, which has an association of its own. Raises `ValueError`."""

    def hold(self, leg: int, held: bool, /) -> None:
        """Of a leg with ports of its own: while it is held it is sent RTCP alone, and is not SILENT however long."""

    def remove(self, leg: int, /) -> None: ...
    def add_stream(
        self,
        leg: int,
        source: int,
        *,
        formats: Sequence[tuple[int, str, int]],
        mid: str = "",
        dtmf: int = 0,
        ssrcs: Sequence[int] = (),
        extensions: Mapping[str, int] = ...,
        sends: bool = True,
        receives: bool = True,
        nack: bool = False,
        pli: bool = False,
        fir: bool = False,
        ssrc: int = 0,
        rtx_ssrc: int = 0,
        cname: str = "",
        pixels_max: int = 16_777_216,
        rids: Sequence[str] = (),
        tmmbr: bool = False,
        tones: bool = False,
    ) -> None:
        """`formats`: (payload type, codec, RTX payload type or 0), the first is what is sent.

        Codecs are "opus", "G722", "PCMA", "PCMU"; "VP8", "H264" (mode 1), "H264/0". `extensions`: ids by "mid", "rid",
        "repaired", "level", "send_time", "sequence". `ssrcs`: what the offer announces, four at most. `rids`: of a
        simulcast's layers, three at most. `tones`: the keys of a telephone that come as tones are told, as those by
        telephone-events (`dtmf`: their payload type) are.
        """

    def send_dtls(self, leg: int, data: Buffer, rtcp: bool = False, /) -> None:
        """To where the leg is; `rtcp`: to where its RTCP is, that has a port of its own."""

    def answer_greeting(self, leg: int, rtcp: bool, number: int, data: Buffer, /) -> None:
        """To where DTLS of this number (`b` of its event) came from. Raises `LookupError` where that is forgotten."""

    def believe(self, leg: int, rtcp: bool, number: int, /) -> None:
        """Whoever is there has proved to be the far end: the leg is there now. Raises as `answer_greeting`."""

    def send_picture(
        self, legs: Sequence[int], source: int, codec: str, data: Buffer, timestamp: int, key: bool, /
    ) -> int:
        """How many of the legs were sent it whole, on their stream of `source`: CAMERA or SCREEN.

        `codec`: "VP8" or "H264" (Annex B); legs of either packetization mode take the same. Of `timestamp` (90 kHz) the
        low 32 bits are sent.
        """

    def choose(self, leg: int, source: int, layer: int, thin: bool = False, /) -> None:
        """Which layer's pictures are handed out; -1, as each source begins: none.

        The former layer goes on until a key frame of the new one has come. `thin`: without the highest temporal layer.
        """

    def want_key(self, leg: int, source: int, /) -> None: ...
    def limit(self, leg: int, bits_per_second: int, /) -> None: ...
    def aim(self, leg: int, bits_per_second: int, /) -> None:
        """There is use for this much in all on the leg's line; 0: for no more than there is."""

    def add_room(self, loudest: int, /) -> int: ...
    def remove_room(self, room: int, /) -> None: ...
    def hear(self, leg: int, room: int, /) -> None:
        """`room` 0: nothing of the leg is decoded."""

    def add_sound(self, primed: bool, /) -> int: ...
    def remove_sound(self, sound: int, /) -> None: ...
    def collect(self, tick: int, at: int, /) -> None:
        """Step one of a tick, not before `at`: microseconds of `time.monotonic`. The event COLLECTED follows."""

    def talkers(self) -> tuple[list[Talker], memoryview]:
        """Who was decoded in the last collected tick, and their samples: int16, a row of 960 for each, read-only.

        A leg that has just lost its place among the loudest is in it once more and fades to nothing.
        """

    def send(self, tick: int, sounds: Sequence[int], samples: Buffer, routes: Sequence[tuple[int, int]], /) -> None:
        """Step two. `samples`: int16, a row of 960 for each of `sounds`; they are copied.

        `routes`: (leg, sound) that change in this tick; sound 0: nothing is sent; -1: silence. Legs and sounds that are
        gone are passed over.
        """

    def skip(self, tick: int, /) -> None:
        """A tick that is let go: time passes for all, and stale sound is dropped."""

    def sent_sequence(self, leg: int, /) -> int:
        """Extended, of the last packet of sound that was sent; -1: none yet."""
    def leg_stats(self, leg: int, /) -> dict[str, Any]:
        """The fields of `struct mcu_leg_stats`; `streams` is a list of dicts, `line` a dict, `drops` one by name."""

    def leg_traffic(self, leg: int, /) -> tuple[int, int, int, int, int, int, float, int, bool]:
        """The fields of `struct mcu_leg_traffic`, as `seams.Traffic` names them: a call that costs little."""

    def stats(self) -> dict[str, Any]:
        """The fields of `struct mcu_plane_stats`."""
