"""What one leg shares, as a picture of its own: as large as it is sent, up to 1080p, sharp, and seldom.

Only what changed is encoded, at a rate of pictures that follows the class, so that each has the bits to be read.
"""

from collections.abc import Callable
from typing import Final

from mcu.ids import LegId
from mcu.media.messages import Source, Tile
from mcu.media.picture.canvas import Canvas
from mcu.media.picture.classes import ClassKey, EncodingClass, ViewKey
from mcu.media.picture.job import Job, ShotOf
from mcu.media.picture.layout import SMALLEST_CANVAS, Box
from mcu.media.picture.pace import Turn
from mcu.media.picture.paint import Look
from mcu.media.picture.stage import Stage

LARGEST: Final = (1920, 1080)
RATES: Final = (2_500_000, 1_200_000, 500_000)  # bits per second, the best class first
FPS: Final = (10, 6, 3)  # of each class


class Content:
    """A `job.Viewed`."""

    crowded: Final = False

    def __init__(self, key: ViewKey, sharing: LegId) -> None:
        """`sharing`: that of `key`."""
        self.key = key
        self.tiles: tuple[Tile, ...] = (
            Tile(leg=sharing, source=Source.SCREEN, x=0, y=0, width=LARGEST[0], height=LARGEST[1]),
        )
        self.classes: dict[ClassKey, EncodingClass] = {}
        self._leg = sharing
        self._turns: dict[ClassKey, Turn] = {}
        self._canvas: Canvas | None = None

    def arrange(self, stage: Stage) -> None:
        """It has one place."""

    def encoding_class(self, key: ClassKey, bits_per_second: int, now: float) -> EncodingClass:
        if key not in self.classes:
            self.classes[key] = EncodingClass(key, FPS[key.rung], bits_per_second, now)
            self._turns[key] = Turn(1 / FPS[key.rung])
        return self.classes[key]

    def job(
        self, stage: Stage, shot_of: ShotOf, received: Callable[[ClassKey], bool], now: float, timestamp: int
    ) -> Job | None:
        shot = shot_of(self._leg, Source.SCREEN)
        if shot is None:
            return None
        due = [(cls, cls.gate.due(now)) for cls in self.classes.values() if cls.is_free(now)]
        encodes = [
            (cls, key) for cls, key in due if key or (received(cls.key) and self._turns[cls.key].due(now, shot.serial))
        ]
        if not encodes:
            return None
        for cls, _ in encodes:
            self._turns[cls.key].taken(now, shot.serial)
            cls.taken(now)
        canvas = self._canvas_of(shot.image.width, shot.image.height)
        look = Look(
            box=Box(0, 0, canvas.frame.width, canvas.frame.height), label="", serial=shot.serial, image=shot.image
        )
        return Job(canvas, canvas.changes([look]), encodes, timestamp, frozenset({(self._leg, Source.SCREEN)}))

    def failed(self) -> None:
        if self._canvas is not None:
            self._canvas.forget()
        for cls in self.classes.values():
            cls.gate.refused()

    def _canvas_of(self, width: int, height: int) -> Canvas:
        size = fitting(width, height)
        if self._canvas is None or (self._canvas.frame.width, self._canvas.frame.height) != size:
            self._canvas = Canvas(*size)
        return self._canvas


def fitting(width: int, height: int) -> tuple[int, int]:
    """The size in which a picture is encoded: its own; smaller where it is larger than LARGEST, with even sides."""
    scale = min(1.0, LARGEST[0] / width, LARGEST[1] / height)
    return max(SMALLEST_CANVAS[0], round(width * scale) & ~1), max(SMALLEST_CANVAS[1], round(height * scale) & ~1)
