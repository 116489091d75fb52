"""Where the parts of a worker meet: what a transport, the audio mixer and the picture mixer give one another.

The room (`room.py`) joins them and alone knows all three. Packets and codecs of sound are the native plane's
(`mcu.media._native`); nothing above this seam may know how it carries them.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

import msgspec
import numpy as np
import numpy.typing as npt
from typing_extensions import Buffer

from mcu.ids import CallId, LegId
from mcu.media.cost import Pictures
from mcu.media.messages import Cause, Layout, LegMedia, NetworkTrouble, NoticeKind, Personal, Source, Tile

SAMPLE_RATE = 48_000  # Hz
TICK_MS = 20
TICK_SAMPLES = SAMPLE_RATE * TICK_MS // 1000  # 960
VIDEO_CLOCK = 90_000  # Hz

Samples = npt.NDArray[np.int16]  # 1-D: mono at SAMPLE_RATE
VideoCodec = Literal["H264", "VP8", "H264/0"]  # H264/0: each slice fits in a packet (RFC 6184, packetization mode 0)


class FrameLimit(NamedTuple):
    """How large and how many pictures a far end can decode, in macroblocks of 16x16 pixels (H.264, annex A)."""

    macroblocks: int  # of one picture
    macroblocks_per_second: int


class EncodedPicture(msgspec.Struct):
    """One encoded video frame, whole: H.264 as Annex B, VP8 as the bare frame."""

    codec: VideoCodec
    data: bytes
    timestamp: int  # 90 kHz; of those that we make, of the machine's clock, for all rooms and workers
    key: bool
    width: int = 0
    height: int = 0
    wait: float = 0.0  # seconds until it may be shown, for its sender's sound takes longer


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the views need of a picture that a leg sends."""

    width: int  # pixels of the largest tile that it is in; 0: it is in none
    height: int
    bits_per_second: int
    thin: bool = False  # every other picture is enough, where the sender has made it so

    @property
    def hidden(self) -> bool:
        return self.width == 0


class Traffic(NamedTuple):
    """What tells how good a leg's network is: sums since it connected, over all that it sends and is sent."""

    received: int  # packets
    lost: int  # of what it sent
    spoken: int  # packets of sound that came
    made_up_ms: int  # of its sound, which did not come in time
    sent: int
    unreceived: int  # of what it was sent, as it reports
    rtt_ms: float  # < 0: not known
    bits_per_second: int  # that its line carries; 0: not known
    silent: bool  # it answers nothing of what its line is measured by


# -- transport ------------------------------------------------------------------------------------------------------


class TransportListener(Protocol):
    """What a transport tells the room of one leg. Called on the event loop; must not block."""

    def on_connected(self) -> None:
        """ICE and DTLS are up: the leg can send and receive."""

    def on_renewed(self) -> None:
        """It goes on, in other terms: `handle` may be another, and so may the pictures that the leg takes."""

    def on_lost(self, cause: Cause) -> None:
        """The connection is over and will not come back: NETWORK, HANGUP (DTLS close), or FAILED before it was up."""

    def on_picture(self, source: Source, picture: EncodedPicture) -> None:
        """A complete frame, in order. After a gap: nothing until the next key frame, which the transport asks for."""

    def on_key_request(self, source: Source) -> None:
        """The far end sent PLI or FIR for the composed picture (CAMERA), or for content of its own (SCREEN)."""

    def on_bandwidth(self, bits_per_second: int) -> None:
        """What pictures may take of the leg's line now; START_BITRATE of `mcu.media.leg` before the first."""

    def on_audio_report(self, highest_sequence: int, lost: int) -> None:
        """An RTCP receiver report for the sound we send: extended highest sequence received, packets lost so far."""

    def on_picture_loss(self, source: Source, share: float) -> None:
        """What share of the packets that we sent of it was lost lately, by the far end's report; 0 before the first."""

    def on_unsent(self, tick: int) -> None:
        """The sound of this tick did not go out to the leg, though it is routed to a sound that had samples."""


class Transport(Protocol):
    """One leg's packets, both ways. Its sound goes by the plane's own methods, with `handle`: see `SoundPlane`."""

    @property
    def handle(self) -> int:
        """What the plane calls the leg. Never used for another. The plane raises `LookupError` for it once closed."""

    def takes(self, source: Source) -> VideoCodec | None:
        """How the leg takes the composed picture (CAMERA), or what is shared as a stream of its own (SCREEN); None: not
        at all."""

    def limit(self, source: Source) -> FrameLimit | None:
        """How large it takes that; None: as large as there is."""

    def handle_of(self, source: Source) -> int:
        """What the plane calls the leg of a picture that it takes: `handle`, unless each m-line is one for itself."""

    def request_key(self, source: Source) -> None:
        """Ask the leg for a key frame (PLI)."""

    def want(self, source: Source, wanted: Wanted) -> None:
        """Take the layer that is nearest, and ask the leg to send no more. Until then nothing of the source is taken.

        What is hidden is not taken.
        """

    def aim(self, bits_per_second: int) -> None:
        """There is use for this much in all on its line: so far it is probed."""

    async def restart(self, offer: str) -> str:
        """New ICE credentials for the same leg (RFC 8839 section 4.4): the answer to an offer of its browser.

        Nothing else is negotiated again. Raises `errors.Invalid` for an offer that is not of this session.
        """

    def stats(self, leg: LegId) -> LegMedia: ...

    def traffic(self) -> Traffic:
        """What tells how good its network is. Raises `errors.Conflict` once it has ended."""

    async def close(self) -> None: ...


class CallTransport(Transport, Protocol):
    """Of a call: it may go from the reception to a room and back. `mcu.media.transport.rtp.RtpTransport` is one."""

    def move(self, listener: TransportListener) -> None:
        """`listener` is told from now on, and that it is connected first of all."""

    def release(self) -> None:
        """As `close`, at once."""


class Calls(Protocol):
    """The calls that are in no room. `mcu.media.reception.Reception` is the one there is."""

    def seat(self, call: CallId, listener: TransportListener) -> CallTransport:
        """The call leaves for a room, and tells `listener` from now on. Raises `NotFound`.

        Until it is `let_in` it sees its card.
        """

    def let_in(self, call: CallId) -> None:
        """It is in the room, and sees that."""

    def take_back(self, call: CallId) -> None:
        """The room is done with it: it hears why in the reception."""


class TransportFactory(Protocol):
    """Makes transports. `mcu.media.transport.webrtc.WebRtcTransports` is the one there is."""

    async def answer(self, offer: str, listener: TransportListener) -> tuple[Transport, str]:
        """A transport for an SDP offer, and the SDP answer. Connects in the background.

        Raises `errors.Invalid` for an offer that cannot be parsed or has no audio that we know.
        """

    def send_picture(self, transports: Sequence[Transport], source: Source, picture: EncodedPicture) -> None:
        """One picture to many legs. Those that were not sent it whole are told `on_key_request`."""

    def take(self) -> None:
        """Whoever has something to be told is, now: pictures wait for each other, for a tick at most."""

    def dropped(self) -> Mapping[str, int]:
        """What its transports dropped, by reason, since the worker started; of those that are gone too."""

    async def close(self) -> None: ...


# -- the sound of a worker's rooms ------------------------------------------------------------------------------------


class Talker(Protocol):
    """Who was decoded in a tick. `mcu.media._native.Talker` is the one there is."""

    @property
    def room(self) -> int: ...

    @property
    def leg(self) -> int:
        """A `Transport.handle`."""

    @property
    def level(self) -> int:
        """-dBov of the samples."""


class SoundPlane(Protocol):
    """What decodes, encodes and sends sound. `mcu.media._native.Plane` is the one there is; its manual is plane.h.

    A tick has two steps: `collect`; then, when the plane's owner is told that it is collected (`on_collected` of
    `mcu.media.transport.engine.Engine`), `talkers` and `send`. Methods that take a leg, room or sound raise
    `LookupError` for one that is gone; `collect`, `send` and `skip` raise `OverflowError` where the sound thread is too
    far behind.
    """

    def add_room(self, loudest: int, /) -> int:
        """A room in which `loudest` legs are decoded at a time."""

    def remove_room(self, room: int, /) -> None: ...

    def hear(self, leg: int, room: int, /) -> None:
        """In which room a leg may be heard; 0: in none, and nothing of it is decoded. Only economy: the caller decides
        in each tick whom it mixes."""

    def add_sound(self, primed: bool, /) -> int:
        """A stream of sound that legs are routed to. `primed`: see plane.h; never for those who are outside."""

    def remove_sound(self, sound: int, /) -> None: ...

    def collect(self, tick: int, at: int, /) -> None:
        """Step one: decode, not before `at`, in microseconds of `Clock.monotonic`."""

    def talkers(self) -> tuple[Sequence[Talker], memoryview]:
        """Who was decoded, by room, and their samples: int16, a row of TICK_SAMPLES each, read-only, valid until the
        next `collect` but one."""

    def send(self, tick: int, sounds: Sequence[int], samples: Buffer, routes: Sequence[tuple[int, int]], /) -> None:
        """Step two: from this tick on these legs hear these sounds; each sound is encoded and sent.

        `samples`: int16, a row of TICK_SAMPLES for each of `sounds`. `routes`: (leg, sound) that change; sound 0:
        nothing is sent and only time passes, -1: silence is sent.
        """

    def skip(self, tick: int, /) -> None:
        """A tick that is let go: time passes for all."""

    def sent_sequence(self, leg: int, /) -> int:
        """Extended sequence number of the last packet of sound that was sent to a leg; -1: none yet."""


# -- announcing (pure) ----------------------------------------------------------------------------------------------


class Cue(msgspec.Struct, frozen=True):
    """A piece of a notice's sound: tick number `offset` of the sound of `kind`."""

    kind: NoticeKind
    offset: int


class Gate(Protocol):
    """Who may hear and be heard in this tick. Read by both mixers; nothing else decides it."""

    @property
    def inside(self) -> frozenset[LegId]:
        """The legs that hear the room, are heard, and are seen."""

    @property
    def cues(self) -> Mapping[LegId, Sequence[Cue]]:
        """Sound of notices due in this tick, for each leg that is to hear some."""


# -- picture mixer --------------------------------------------------------------------------------------------------


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A leg that may be shown, in order of joining."""

    leg: LegId
    label: str
    muted: bool
    camera: bool  # False: an avatar
    screen: bool


class Viewer(msgspec.Struct, frozen=True, kw_only=True):
    """A leg that takes the composed picture."""

    leg: LegId
    codec: VideoCodec
    layout: Layout | None  # its own choice, or the room's
    bits_per_second: int  # what it can receive, of all pictures
    content: VideoCodec | None = None  # how it takes what others share as its own picture; None: in the composed one
    personal: Personal = Personal.SHARED
    limit: FrameLimit | None = None  # of the composed picture; None: it takes what there is
    content_limit: FrameLimit | None = None


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What a leg sees."""

    layout: Layout
    tiles: tuple[Tile, ...]
    content: LegId | None  # whose screen it gets as a picture of its own
    personal: Personal


class PictureOutputs(Protocol):
    """What the picture mixer asks the room to do. Called on the event loop."""

    def send_picture(self, legs: Sequence[LegId], source: Source, picture: EncodedPicture) -> None: ...

    def take(self) -> None:
        """Have `on_picture` called for those that have come."""

    def aim(self, leg: LegId, bits_per_second: int) -> None: ...

    def picture_loss(self, leg: LegId, source: Source) -> float:
        """What share of a picture's packets the leg lost, by its last report."""

    def has_room(self) -> bool:
        """Whether the worker has room for one more encoder."""

    def request_key(self, leg: LegId, source: Source) -> None: ...

    def want(self, leg: LegId, source: Source, wanted: Wanted) -> None: ...

    def layout_changed(self, viewers: Sequence[LegId], shown: Shown) -> None: ...


class PictureMixer(Protocol):
    """A room's compositor and encoders. `mcu.media.picture.mixer.RoomPictures` is the one there is."""

    def set_seen(self, seen: Sequence[Seen]) -> None: ...

    def set_viewers(self, viewers: Sequence[Viewer]) -> None: ...

    def set_bandwidth(self, leg: LegId, bits_per_second: int) -> None:
        """What a viewer can receive now."""

    def set_layout(self, layout: Layout) -> None: ...

    def set_speaker(self, leg: LegId | None) -> None: ...

    def set_spotlight(self, leg: LegId | None) -> None: ...

    def on_picture(self, leg: LegId, source: Source, picture: EncodedPicture) -> None:
        """A frame from a leg. Dropped, and counted, when the leg is in no tile or its decoder is behind."""

    def key_requested(self, leg: LegId, source: Source) -> None: ...

    @property
    def made(self) -> Pictures:
        """What is made in a frame when all that legs ask for is there."""

    def trouble(self, leg: LegId) -> NetworkTrouble:
        """What the leg's network does to its composed picture: NARROW, STOPPED or NONE."""

    def dropped(self) -> Mapping[str, int]: ...

    @property
    def encodes(self) -> int: ...

    @property
    def frames_composed(self) -> int: ...

    async def run(self) -> None:
        """Composes and encodes at the room's frame rate until cancelled; then ends its decoders and encoders."""
