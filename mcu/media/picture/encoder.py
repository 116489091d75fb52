"""One encoder of composed pictures: H.264 by x264 or VP8 by libvpx, in real time, on the caller's thread.

Refuses to decide anything: when to encode, at what rate and when a key frame is due is told to it (`classes`). The
codecs' settings are in native/include/mcu/picture_encoder.h. The canvas is handed over as it is, without a copy; the
encoder is done with it when `encode` returns, because nothing looks ahead. The GIL is free meanwhile. An encoder is for
one thread at a time. The rate of either codec changes in place (docs/adr/0010).

H.264 is constrained baseline (42c0xx), so that browsers, SIP and H.323 can share it, with the parameter sets before
each key frame. For packetization mode 0 each slice fits in an RTP payload (RFC 6184 section 6.2).
"""

from typing import Final

from av.video.frame import VideoFrame

from mcu.media._native import Encoder
from mcu.media.picture.decoder import i420
from mcu.media.seams import EncodedPicture, VideoCodec

SLICE_MAX: Final = 1100  # bytes: less than the plane puts in a payload


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
        slice_max = SLICE_MAX if codec == "H264/0" else 0
        self._encoder = Encoder(codec == "VP8", width, height, fps, bits_per_second, content, slice_max)

    def retarget(self, bits_per_second: int) -> None:
        """Aim at another rate from the next picture on, without a key frame."""
        self._encoder.retarget(bits_per_second)
        self.bits_per_second = bits_per_second

    def encode(self, frame: VideoFrame, timestamp: int, *, key: bool) -> EncodedPicture | None:
        """One picture; `timestamp` in 90 kHz, rising. None where the encoder chose to drop it. Raises `Failed`."""
        try:
            made = self._encoder.encode(i420(frame), timestamp, key)
        except ValueError as error:
            raise Failed(self.codec) from error
        if made is None:
            return None
        data, is_key = made
        return EncodedPicture(
            codec=self.codec, data=data, timestamp=timestamp, key=is_key, width=self.width, height=self.height
        )
