"""A composed picture that is kept, and painted only where something in it changed.

Owns one I420 frame, which the encoders read as it is. `changes` is asked on the event loop what there is to paint;
`paint` does it on the pool. Nothing else may touch the canvas between the two.
"""

from collections.abc import Sequence
from typing import NamedTuple

from av.video.frame import VideoFrame

from mcu.media.picture import paint
from mcu.media.picture.decoder import i420
from mcu.media.picture.layout import Box, check_canvas


class Changes(NamedTuple):
    """What to paint to come from the present picture to the wanted one."""

    tiles: tuple[paint.Look, ...]
    alone: bool  # there is one tile, and no more
    clear: bool  # the tiles are elsewhere than before


class Canvas:
    """Raises `errors.Invalid` for sides that the layouts cannot divide."""

    def __init__(self, width: int, height: int) -> None:
        check_canvas(width, height)
        self.frame = VideoFrame(width, height, "yuv420p")
        self._image = i420(self.frame)
        self._painted: dict[Box, paint.Look] | None = None  # None: nobody knows what is on it

    def changes(self, looks: Sequence[paint.Look]) -> Changes | None:
        """What differs from what is painted; None: nothing does. What is returned is held to be painted next."""
        wanted = {look.box: look for look in looks}
        painted, self._painted = self._painted, wanted
        clear = painted is None or painted.keys() != wanted.keys()
        tiles = tuple(look for box, look in wanted.items() if painted is None or clear or painted[box] != look)
        if not tiles and not clear:
            return None
        return Changes(tiles, len(wanted) == 1, clear)

    def paint(self, changes: Changes) -> None:
        """On the pool, and before `changes` is asked again."""
        if changes.clear:
            paint.clear(self._image)
        for look in changes.tiles:
            paint.paint(self._image, look, alone=changes.alone)

    def forget(self) -> None:
        """Painting failed: all of it is painted next."""
        self._painted = None
