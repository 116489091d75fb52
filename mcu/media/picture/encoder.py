"""One encoder of composed pictures: H.264 or VP8 through PyAV, in real time, on the caller's thread.

Owns the codec's settings. Refuses to decide anything: when to encode, at what rate and when a key frame is due is
told to it (`classes`). The canvas is handed over as it is, without a copy; the encoder is done with it when `encode`
returns, because nothing looks ahead. PyAV releases the GIL meanwhile. An encoder is for one thread at a time.

H.264 is constrained baseline (42c0xx), so that browsers, SIP and H.323 can share it, with the parameter sets before
each key frame. The rate of x264 changes in place: FFmpeg's wrapper compares `bit_rate` with what x264 runs at before
each frame. Its libvpx wrapper does not, so a VP8 encoder keeps the rate it was made with (docs/adr/0010).
"""

from fractions import Fraction
from typing import Final, cast

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame

from mcu.media.seams import VIDEO_CLOCK, EncodedPicture, VideoCodec

NEVER: Final = 1 << 30  # frames between key frames: only when asked for
VBV_SECONDS: Final = 0.5  # how far a key frame may run ahead of the rate
RATE_CHANGES_IN_PLACE: Final[frozenset[VideoCodec]] = frozenset({"H264"})

_WRAPPER: Final[dict[VideoCodec, str]] = {"H264": "libx264", "VP8": "libvpx"}
_OPTIONS: Final[dict[VideoCodec, dict[str, str]]] = {
    "H264": {
        "preset": "superfast",
        "tune": "zerolatency",
        "profile": "baseline",
        "forced-idr": "1",  # a key frame that is asked for is an IDR picture: a decoder can begin there
        "sc_threshold": "0",  # a change of scene is no reason for a key frame
        "x264-params": "repeat-headers=1:annexb=1",
    },
    "VP8": {
        "deadline": "realtime",
        "cpu-used": "-14",
        "lag-in-frames": "0",
        "auto-alt-ref": "0",
        "error-resilient": "1",
        "noise-sensitivity": "0",  # the denoiser costs more than it gives on a composed picture
        "static-thresh": "100",
        "undershoot-pct": "95",
        "overshoot-pct": "15",
        "max-intra-rate": "300",
        "qmin": "2",
        "qmax": "60",
    },
}


class PictureEncoder:
    """Encodes I420 frames of one size. The first picture is a key frame."""

    def __init__(self, codec: VideoCodec, width: int, height: int, fps: int, bits_per_second: int) -> None:
        self.codec = codec
        self.width, self.height = width, height
        self._context = _open(codec, width, height, fps, bits_per_second)

    @property
    def bits_per_second(self) -> int:
        """The rate that the encoder aims at."""
        return int(self._context.bit_rate or 0)

    def retarget(self, bits_per_second: int) -> None:
        """Aim at another rate from the next picture on. Raises `ValueError` for a codec that cannot."""
        if self.codec not in RATE_CHANGES_IN_PLACE:
            raise ValueError(f"the rate of a {self.codec} encoder does not change")
        self._context.bit_rate = bits_per_second

    def encode(self, frame: VideoFrame, timestamp: int, *, key: bool) -> EncodedPicture | None:
        """One picture; `timestamp` in 90 kHz, rising. None where the encoder chose to drop it.

        Raises `av.error.FFmpegError`, after which the encoder is of no use.
        """
        frame.pts = timestamp
        frame.time_base = Fraction(1, VIDEO_CLOCK)
        frame.pict_type = PictureType.I if key else PictureType.NONE
        packets = self._context.encode(frame)
        if not packets:
            return None
        return EncodedPicture(
            codec=self.codec,
            data=b"".join(bytes(packet) for packet in packets),
            timestamp=timestamp,
            key=packets[0].is_keyframe,
            width=self.width,
            height=self.height,
        )


def _open(codec: VideoCodec, width: int, height: int, fps: int, bits_per_second: int) -> VideoCodecContext:
    context = cast(VideoCodecContext, av.CodecContext.create(_WRAPPER[codec], "w"))
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base, context.framerate = Fraction(1, VIDEO_CLOCK), Fraction(fps)
    context.bit_rate = bits_per_second
    context.thread_count = 1
    context.gop_size, context.max_b_frames = NEVER, 0
    context.options = {
        **_OPTIONS[codec],
        "maxrate": str(bits_per_second),
        "bufsize": str(int(bits_per_second * VBV_SECONDS)),
    }
    context.open()
    return context
