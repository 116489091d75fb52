"""Drawing on I420 pictures, in C and without the GIL. The manual is native/include/mcu/*.h.

Every function raises ValueError, and draws nothing, for a number out of range, a canvas that is read-only, and
memory that overlaps. Rectangles are clipped to the canvas. A chroma sample belongs to the rectangle that holds the
top left of its four pixels, so tiles that share an edge never colour each other.
"""

from typing import Final, TypeAlias, final

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
class Vp8Encoder:
    """Encodes I420 pictures of one size as VP8 by libvpx, in real time, for one thread at a time.

    Raises ValueError for a size or a rate that libvpx does not take.
    """

    def __new__(cls, width: int, height: int, fps: int, bits_per_second: int) -> Vp8Encoder: ...
    def encode(self, picture: I420, timestamp: int, key: bool, /) -> tuple[bytes, bool] | None:
        """The frame and whether it is a key frame; None where it was dropped. `timestamp` in 90 kHz, rising.

        Raises ValueError where libvpx fails, after which the encoder is of no use, or for another size.
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
