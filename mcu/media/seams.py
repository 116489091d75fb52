"""Where the parts of a worker meet: what a transport, the audio mixer and the picture mixer give one another.

The room (`room.py`) joins them and alone knows all three. The transport is replaced by native code later;
nothing above this seam may know what carries the packets.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from mcu.ids import LegId
from mcu.media.messages import Cause, Layout, LegMedia, NoticeKind, Source, Tile

SAMPLE_RATE = 48_000  # Hz
TICK_MS = 20
TICK_SAMPLES = SAMPLE_RATE * TICK_MS // 1000  # 960
VIDEO_CLOCK = 90_000  # Hz

Samples = npt.NDArray[np.int16]  # 1-D: mono at SAMPLE_RATE
VideoCodec = Literal["H264", "VP8"]


class AudioPacket(msgspec.Struct, frozen=True):
    """One Opus packet from a leg."""

    sequence: int  # extended: never wraps
    timestamp: int  # 48 kHz, extended: never wraps
    payload: bytes
    level: int | None  # RFC 6464: 0 (loudest) … 127 (silence), in -dBov; None where the leg does not send it
    arrived: float  # monotonic seconds


class EncodedPicture(msgspec.Struct):
    """One encoded video frame, whole: H.264 as Annex B, VP8 as the bare frame."""

    codec: VideoCodec
    data: bytes
    timestamp: int  # 90 kHz
    key: bool
    width: int = 0
    height: int = 0
    fragments: list[bytes] | None = None  # RTP payloads, made by the first transport that sends it and shared by all


# -- transport ------------------------------------------------------------------------------------------------------


class TransportListener(Protocol):
    """What a transport tells the room of one leg. Called on the event loop; must not block."""

    def on_connected(self) -> None:
        """ICE and DTLS are up: the leg can send and receive."""

    def on_lost(self, cause: Cause) -> None:
        """The connection is over and will not come back: NETWORK, HANGUP (DTLS close), or FAILED before it was up."""

    def on_audio(self, packet: AudioPacket) -> None: ...

    def on_picture(self, source: Source, picture: EncodedPicture) -> None:
        """A complete frame, in order. After a gap: nothing until the next key frame, which the transport asks for."""

    def on_key_request(self) -> None:
        """The far end sent PLI or FIR for the composed picture."""

    def on_bandwidth(self, bits_per_second: int) -> None:
        """The far end's estimate of what it can receive (REMB)."""

    def on_audio_report(self, highest_sequence: int, lost: int) -> None:
        """An RTCP receiver report for the sound we send: extended highest sequence received, packets lost so far."""


class Transport(Protocol):
    """One leg's packets, both ways."""

    @property
    def video_codec(self) -> VideoCodec | None:
        """What the leg takes of the composed picture; None: sound only."""

    def send_audio(self, payload: bytes, *, level: int) -> int | None:
        """Send one tick of Opus. Returns its extended sequence number, or None when it could not be sent.

        Called every tick, also with silence: the RTP timestamp advances by TICK_SAMPLES a call.
        """

    def skip_audio(self) -> None:
        """Nothing to send in this tick: only time passes."""

    def send_picture(self, picture: EncodedPicture) -> None: ...

    def request_key(self, source: Source) -> None:
        """Ask the leg for a key frame (PLI)."""

    def limit_bitrate(self, source: Source, bits_per_second: int) -> None:
        """Ask the leg to send no more than this (REMB)."""

    def stats(self, leg: LegId) -> LegMedia: ...

    async def close(self) -> None: ...


class TransportFactory(Protocol):
    """Makes transports. `mcu.media.transport.webrtc.WebRtcTransports` is the one there is."""

    async def answer(self, offer: str, listener: TransportListener) -> tuple[Transport, str]:
        """A transport for an SDP offer, and the SDP answer. Connects in the background.

        Raises `errors.Invalid` for an offer that cannot be parsed or has no audio that we know.
        """

    def dropped(self) -> Mapping[str, int]:
        """What its transports dropped, by reason, since the worker started; of those that are gone too."""

    async def close(self) -> None: ...


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
    bits_per_second: int  # what it can receive


class PictureOutputs(Protocol):
    """What the picture mixer asks the room to do. Called on the event loop."""

    def send_picture(self, legs: Sequence[LegId], picture: EncodedPicture) -> None: ...

    def request_key(self, leg: LegId, source: Source) -> None: ...

    def limit_bitrate(self, leg: LegId, source: Source, bits_per_second: int) -> None: ...

    def layout_changed(self, viewers: Sequence[LegId], layout: Layout, tiles: Sequence[Tile]) -> None: ...


class PictureMixer(Protocol):
    """A room's compositor and encoders. `mcu.media.picture.mixer.RoomPictures` is the one there is."""

    def set_seen(self, seen: Sequence[Seen]) -> None: ...

    def set_viewers(self, viewers: Sequence[Viewer]) -> None: ...

    def set_layout(self, layout: Layout) -> None: ...

    def set_speaker(self, leg: LegId | None) -> None: ...

    def set_spotlight(self, leg: LegId | None) -> None: ...

    def on_picture(self, leg: LegId, source: Source, picture: EncodedPicture) -> None:
        """A frame from a leg. Dropped, and counted, when the leg is in no tile or its decoder is behind."""

    def key_requested(self, leg: LegId) -> None: ...

    def dropped(self) -> Mapping[str, int]: ...

    @property
    def encodes(self) -> int: ...

    @property
    def frames_composed(self) -> int: ...

    async def run(self) -> None:
        """Composes and encodes at the room's frame rate until cancelled; then ends its decoders and encoders."""
