"""What the pool does for one picture and one frame, and what makes such jobs: a view of people, or content."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from mcu.ids import LegId
from mcu.media.messages import Source, Tile
from mcu.media.picture.canvas import Canvas, Changes
from mcu.media.picture.classes import ClassKey, EncodingClass, ViewKey
from mcu.media.picture.decoder import Shot
from mcu.media.picture.stage import Stage
from mcu.media.seams import EncodedPicture

ShotOf = Callable[[LegId, Source], Shot | None]


class Job(msgspec.Struct):
    """One picture's, for one frame."""

    canvas: Canvas
    changes: Changes | None
    encodes: list[tuple[EncodingClass, bool]]  # and whether a key frame is due
    timestamp: int  # 90 kHz
    shows: frozenset[tuple[LegId, Source]]  # what is in it

    def run(self) -> list[tuple[EncodingClass, EncodedPicture | None]]:
        """On the pool: paint, then encode for each class in turn; a worker has one core."""
        if self.changes is not None:
            self.canvas.paint(self.changes)
        text = any(source is Source.SCREEN for _, source in self.shows)
        return [(cls, cls.encode(self.canvas.frame, self.timestamp, key=key, text=text)) for cls, key in self.encodes]


class Viewed(Protocol):
    """One picture that legs see. `job` is called on the event loop; the job is done on the pool meanwhile."""

    key: ViewKey
    tiles: tuple[Tile, ...]  # what is decoded for it
    classes: dict[ClassKey, EncodingClass]

    @property
    def crowded(self) -> bool:
        """Tiles are so many and small that every other picture is enough: nobody's signing is followed there."""

    def arrange(self, stage: Stage) -> None:
        """Somebody may have to be placed elsewhere."""

    def encoding_class(self, key: ClassKey, bits_per_second: int, now: float) -> EncodingClass:
        """The class of this key, made where there is none."""

    def job(
        self, stage: Stage, shot_of: ShotOf, received: Callable[[ClassKey], bool], now: float, timestamp: int
    ) -> Job | None:
        """What to do for the frame that is due; None: nothing. `received`: whether anybody gets a class now."""

    def failed(self) -> None:
        """A job came to nothing: paint all of it again, and let nobody build on what was not sent."""
