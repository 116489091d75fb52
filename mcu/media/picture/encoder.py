"""One encoder of composed pictures: H.264 through PyAV or VP8 through libvpx, in real time, on the caller's thread.

Owns the codec's settings. Refuses to decide anything: when to encode, at what rate and when a key frame is due is
told to it (`classes`). The canvas is handed over as it is, without a copy; the encoder is done with it when `encode`
returns, because nothing looks ahead. The GIL is free meanwhile. An encoder is for one thread at a time.

Between key frames a picture of people is predicted in whole macroblocks alone: a tenth less to do, for 0.05 dB of PSNR.
Flat blocks get half of the bits that x264 by itself adds there, and a block of few small coefficients is sent as it
is: a twentieth less to do, for half a dB more (docs/adr/0036, which also says why motion is searched in parts of a
pixel). x264 does without AVX-512: on a core of a Xeon of 2023 whose neighbour is busy, the same pictures take it a
seventh less time with AVX2.
In H.264 for packetization mode 0 each slice fits in an RTP payload (RFC 6184 section 6.2).
H.264 is constrained baseline (42c0xx), so that browsers, SIP and H.323 can share it, with the parameter sets before
each key frame. The rate of either changes in place: FFmpeg's wrapper of x264 compares `bit_rate` with what x264 runs
at before each frame; its wrapper of libvpx does not, which is why libvpx is reached without it (docs/adr/0010).
"""

from fractions import Fraction
from pathlib import Path
from typing import Final, Protocol

import av
from av.video.frame import PictureType, VideoFrame

from mcu.media._native import Vp8Encoder
from mcu.media.picture.decoder import i420
from mcu.media.seams import VIDEO_CLOCK, EncodedPicture, VideoCodec

NEVER: Final = 1 << 30  # frames between key frames: only when asked for
SLICE_MAX: Final = 1100  # bytes: less than the plane puts in a payload
VBV_SECONDS: Final = 0.5  # how far a key frame may run ahead of the rate
CONTENT_VBV_SECONDS: Final = 1.5  # likewise: text that is sharp at once is worth the wait

_X264: Final = {
    "preset": "superfast",
    "profile": "baseline",
    "forced-idr": "1",  # a key frame that is asked for is an IDR picture: a decoder can begin there
    "sc_threshold": "0",  # a change of scene is no reason for a key frame
}
_PEOPLE: Final = ":aq-strength=0.5:no-dct-decimate=1"  # text is sharper without
# Read when this is loaded: behind its walls a worker opens no files. What a processor does not have may not be named.
_INSTRUCTIONS: Final = ":asm=AVX2" if "avx512f" in Path("/proc/cpuinfo").read_text().split() else ""


class Failed(Exception):
    """An encoder refused a picture, and is of no use any more."""


class PictureEncoder:
    """Encodes I420 frames of one size. The first picture is a key frame."""

    def __init__(
        self, codec: VideoCodec, width: int, height: int, fps: int, bits_per_second: int, *, content: bool = False
    ) -> None:
        """`content`: text and drawings that change seldom, and not people."""
        self.codec = codec
        self.width, self.height = width, height
        self.bits_per_second = bits_per_second  # the rate that it aims at
        shape = (width, height, fps, bits_per_second)
        self._encoder: _Encoder = (
            _VpxEncoder(*shape, content=content)
            if codec == "VP8"
            else _X264Encoder(*shape, SLICE_MAX if codec == "H264/0" else 0, content=content)
        )

    def retarget(self, bits_per_second: int) -> None:
        """Aim at another rate from the next picture on, without a key frame."""
        self._encoder.retarget(bits_per_second)
        self.bits_per_second = bits_per_second

    def encode(self, frame: VideoFrame, timestamp: int, *, key: bool) -> EncodedPicture | None:
        """One picture; `timestamp` in 90 kHz, rising. None where the encoder chose to drop it. Raises `Failed`."""
        made = self._encoder.encode(frame, timestamp, key)
        if made is None:
            return None
        data, is_key = made
        return EncodedPicture(
            codec=self.codec, data=data, timestamp=timestamp, key=is_key, width=self.width, height=self.height
        )


class _Encoder(Protocol):
    """One codec's."""

    def encode(self, frame: VideoFrame, timestamp: int, key: bool) -> tuple[bytes, bool] | None:
        """The picture, and whether it is a key frame."""

    def retarget(self, bits_per_second: int) -> None: ...


class _VpxEncoder:
    def __init__(self, width: int, height: int, fps: int, bits_per_second: int, *, content: bool) -> None:
        self._encoder = Vp8Encoder(width, height, fps, bits_per_second, content)
        self.retarget = self._encoder.retarget

    def encode(self, frame: VideoFrame, timestamp: int, key: bool) -> tuple[bytes, bool] | None:
        try:
            return self._encoder.encode(i420(frame), timestamp, key)
        except ValueError as error:
            raise Failed("libvpx") from error


class _X264Encoder:
    def __init__(
        self, width: int, height: int, fps: int, bits_per_second: int, slice_max: int, *, content: bool
    ) -> None:
        context = av.CodecContext.create("libx264", "w")
        context.width, context.height, context.pix_fmt = width, height, "yuv420p"
        context.time_base, context.framerate = Fraction(1, VIDEO_CLOCK), Fraction(fps)
        context.bit_rate = bits_per_second
        context.thread_count = 1
        context.gop_size, context.max_b_frames = NEVER, 0
        bucket = str(int(bits_per_second * (CONTENT_VBV_SECONDS if content else VBV_SECONDS)))
        parameters = f"repeat-headers=1:annexb=1:slice-max-size={slice_max}{_INSTRUCTIONS}{'' if content else _PEOPLE}"
        context.options = {
            **_X264,
            "tune": "stillimage,zerolatency" if content else "zerolatency",
            "partitions": "i4x4" if content else "none",
            "maxrate": str(bits_per_second),
            "bufsize": bucket,
            "x264-params": parameters,
        }
        context.open()
        self._context = context

    def retarget(self, bits_per_second: int) -> None:
        self._context.bit_rate = bits_per_second

    def encode(self, frame: VideoFrame, timestamp: int, key: bool) -> tuple[bytes, bool] | None:
        frame.pts = timestamp
        frame.time_base = Fraction(1, VIDEO_CLOCK)
        frame.pict_type = PictureType.I if key else PictureType.NONE
        try:
            packets = self._context.encode(frame)
        except av.FFmpegError as error:
            raise Failed("x264") from error
        if not packets:
            return None
        return b"".join(bytes(packet) for packet in packets), packets[0].is_keyframe
