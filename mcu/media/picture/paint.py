"""How a tile looks: colours, margins, sizes, and the order in which a tile is painted.

Owns the taste. Refuses to know who is shown or why: a `Look` says all there is to paint. Runs on the pool; it paints
with the C kernels only, straight into the canvas.
"""

from dataclasses import dataclass, field
from typing import Final
from zlib import crc32

from mcu.media import _native
from mcu.media.picture.layout import Box
from mcu.media.picture.masks import Mark, initials, initials_mask, label_mask

Colour = tuple[int, int, int]  # Y, U, V


def yuv(red: int, green: int, blue: int) -> Colour:
    """BT.601 in video range, as camera pictures come."""
    return (
        round(16 + 0.257 * red + 0.504 * green + 0.098 * blue),
        round(128 - 0.148 * red - 0.291 * green + 0.439 * blue),
        round(128 + 0.439 * red - 0.368 * green - 0.071 * blue),
    )


CANVAS: Final = yuv(17, 20, 25)
AVATAR: Final = yuv(38, 44, 54)
INK: Final = yuv(243, 245, 247)
PLATE: Final = yuv(10, 12, 16)
PLATE_ALPHA: Final = 168
SPEAKING: Final = yuv(87, 201, 171)
DISCS: Final = tuple(
    yuv(*rgb)
    for rgb in (
        (63, 114, 120),
        (78, 104, 150),
        (116, 90, 138),
        (98, 116, 76),
        (154, 98, 78),
        (88, 108, 124),
        (146, 116, 66),
        (148, 88, 106),
    )
)


@dataclass(frozen=True, kw_only=True)
class Look:
    """All that a tile's pixels depend on. Two equal ones look the same."""

    box: Box
    label: str
    mark: Mark = Mark.NONE
    speaking: bool = False
    disc: int = 0  # which of DISCS
    serial: int | None = None  # of the picture; None: an avatar
    image: _native.I420 | None = field(default=None, compare=False, repr=False)


def disc_of(name: str) -> int:
    """Everybody keeps a colour: the same one in each view, and after a reload."""
    return crc32(name.encode()) % len(DISCS)


def frame_width(canvas_height: int) -> int:
    """The margin inside each tile, and the speaker's border inside that: even, at least 2 pixels."""
    return max(2, canvas_height // 180 & ~1)


def clear(canvas: _native.I420) -> None:
    """An empty canvas."""
    _native.fill(canvas, (0, 0, canvas.width, canvas.height), CANVAS)


def paint(canvas: _native.I420, look: Look, *, alone: bool) -> None:
    """One tile, whole. A tile that is alone on the canvas has no margin round it, and needs no border."""
    frame = frame_width(canvas.height)
    if look.image is not None:
        _native.scale_into_tile(canvas, look.image, look.box)
    else:
        _paint_avatar(canvas, look)
    if not alone:
        _native.border(canvas, look.box, frame, CANVAS)
        if look.speaking:
            x, y, width, height = look.box
            _native.border(canvas, (x + frame, y + frame, width - 2 * frame, height - 2 * frame), frame, SPEAKING)
    _paint_label(canvas, look, 3 * frame)


def _paint_avatar(canvas: _native.I420, look: Look) -> None:
    radius = min(look.box.width, look.box.height) * 27 // 100
    letters = initials_mask(initials(look.label), max(6, radius * 8 // 10))
    size = (letters.width, letters.height)
    _native.avatar(canvas, look.box, AVATAR, DISCS[look.disc], radius, letters.alpha, size, INK)


def _paint_label(canvas: _native.I420, look: Look, margin: int) -> None:
    """In the lower left corner, inside the frame and the border."""
    x, y, width, height = look.box
    mask = label_mask(look.label, look.mark, text_size(height), width - 2 * margin)
    if mask is not None and mask.width + 2 * margin <= width and mask.height + 2 * margin <= height:
        at = (x + margin, y + height - margin - mask.height)
        _native.label(canvas, *at, mask.alpha, (mask.width, mask.height), INK, PLATE, PLATE_ALPHA)


def text_size(tile_height: int) -> int:
    """Pixels of text that can be read in a tile of this height without hiding it."""
    return min(28, max(11, tile_height // 25 + 6))
