"""Words on a picture of their own: what a room system sees where there are no people to see.

Painted with the rooms' own kernels and letters. Nothing in it moves, so it is not encoded again and again: two key
frames, one after the other, are all that there is of it, and are sent in turns.
"""

from typing import Final

from av.video.frame import VideoFrame

from mcu.media import _native
from mcu.media.call_messages import Card
from mcu.media.picture import sizes
from mcu.media.picture.decoder import i420
from mcu.media.picture.encoder import Failed, PictureEncoder
from mcu.media.picture.masks import Mark, label_mask
from mcu.media.picture.paint import AVATAR, CANVAS, INK, SPEAKING, Colour, clear
from mcu.media.seams import VIDEO_CLOCK, EncodedPicture, FrameLimit, VideoCodec

WIDTH, HEIGHT = 1280, 720
FPS: Final = 1
BITS_PER_SECOND: Final = 400_000
PLATE: Final = 255  # opaque
# In shares of the height: how tall letters are, and where the middle of their line is.
TITLE, NOTE, TYPED, KEYS = (0.08, 0.14), (0.045, 0.26), (0.11, 0.43), (0.05, 0.64)
EACH_KEY: Final = 0.115
KEY_AT: Final = 0.36  # of the width


def paint(frame: VideoFrame, card: Card) -> None:
    """All of it."""
    image = i420(frame)
    clear(image)
    for text, (size, middle), ink in (
        (card.title, TITLE, INK),
        (card.note, NOTE, SPEAKING),
        (card.typed, TYPED, INK),
    ):
        _write(image, text, size, middle, ink)
    size, middle = KEYS
    for at, (key, meaning) in enumerate(card.keys):
        _key(image, key, meaning, size, middle + at * EACH_KEY)


def _write(image: _native.I420, text: str, size: float, middle: float, ink: Colour) -> None:
    """In the middle of a line."""
    mask = label_mask(text, Mark.NONE, _pixels(image, size), image.width)
    if mask is not None:
        at = (image.width - mask.width) // 2 & ~1, _top(image, middle, mask.height)
        _native.label(image, *at, mask.alpha, (mask.width, mask.height), ink, CANVAS, 0)


def _key(image: _native.I420, key: str, meaning: str, size: float, middle: float) -> None:
    """As on a telephone, and what it does."""
    pixels, left = _pixels(image, size), int(image.width * KEY_AT) & ~1
    cap = label_mask(key, Mark.NONE, pixels, image.width)
    words = label_mask(meaning, Mark.NONE, pixels, image.width - left)
    if cap is not None:
        at = left - cap.width, _top(image, middle, cap.height)
        _native.label(image, *at, cap.alpha, (cap.width, cap.height), INK, AVATAR, PLATE)
    if words is not None:
        at = left, _top(image, middle, words.height)
        _native.label(image, *at, words.alpha, (words.width, words.height), INK, CANVAS, 0)


def _pixels(image: _native.I420, share: float) -> int:
    return max(6, round(image.height * share))


def _top(image: _native.I420, middle: float, height: int) -> int:
    return max(0, round(image.height * middle) - height // 2) & ~1


def encoded(card: Card, codec: VideoCodec, limit: FrameLimit | None) -> tuple[EncodedPicture, EncodedPicture]:
    """Two key frames of it: of two in a row in H.264 the ids differ (clause 7.4.3). Raises `encoder.Failed`.

    The encoder's first of all is left out: libvpx makes it coarse.
    """
    width, height = (WIDTH, HEIGHT) if limit is None else sizes.within(limit, WIDTH, HEIGHT, FPS)
    frame = VideoFrame(width, height, "yuv420p")
    paint(frame, card)
    encoder = PictureEncoder(codec, width, height, FPS, BITS_PER_SECOND, content=True)
    made = [encoder.encode(frame, at * VIDEO_CLOCK, key=True) for at in range(3)]
    first, second = made[1:]
    if first is None or second is None:
        raise Failed("nothing")
    return first, second
