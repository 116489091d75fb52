"""Wire formats without sockets, tasks or clocks: bytes in, values and bytes out.

`frame_size` is asked before any decoder sees a picture that somebody sent us.
"""

from mcu.media.seams import VideoCodec
from wire_twins import h264, vp8


def frame_size(codec: VideoCodec, data: bytes) -> tuple[int, int] | None:
    """(width, height) in pixels that an encoded picture makes a decoder allocate; None where it says nothing of it.

    H.264 is Annex B; VP8 is the bare frame. Of a picture with several parameter sets the largest counts.
    """
    return vp8.frame_size(data) if codec == "VP8" else h264.frame_size(data)


def shown_size(codec: VideoCodec, data: bytes) -> tuple[int, int] | None:
    """As `frame_size`, after cropping: what a decoder gives."""
    if codec == "VP8":
        return vp8.frame_size(data)
    size = h264.largest_size(data)
    return size.shown if size is not None else None


def is_key(codec: VideoCodec, data: bytes) -> bool:
    """Whether a decoder can start at this picture."""
    return vp8.is_key(data) if codec == "VP8" else h264.is_key(data)


def payloads(codec: VideoCodec, data: bytes, size: int) -> list[bytes]:
    """RTP payloads of at most `size` bytes for an encoded picture."""
    return vp8.payloads(data, size) if codec == "VP8" else h264.payloads(data, size)
