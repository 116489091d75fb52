"""One composed picture, which all who look at the same share: its tiles, its canvas, its encoding classes.

Owns where everybody is in it. `job` says, on the event loop, what has to be done for the next frame; the job is done on
the pool, and the view is left alone meanwhile.
"""

from collections.abc import Callable, Iterable
from typing import Final

from mcu.ids import LegId
from mcu.media.messages import Layout, RoomProfile, Source, Tile
from mcu.media.picture.canvas import Canvas
from mcu.media.picture.classes import ClassKey, EncodingClass, ViewKey
from mcu.media.picture.job import Job, ShotOf, Viewed
from mcu.media.picture.layout import Box, arrange, resolve, seat
from mcu.media.picture.masks import Mark
from mcu.media.picture.pace import Turn
from mcu.media.picture.paint import Look, disc_of
from mcu.media.picture.stage import Stage
from mcu.media.seams import Seen

CROWDED: Final = 9  # tiles of a grid; in a smaller one there are 20 pictures a second and more (EN 301 549)
STALE_S: Final = 3.0  # a camera picture older than this gives way to an avatar; a screen may stand still for hours


class View:
    """A `job.Viewed`. Raises `errors.Invalid` for a profile whose canvas the layouts cannot divide."""

    def __init__(self, key: ViewKey, layout: Layout, profile: RoomProfile) -> None:
        """`layout`: that of `key`."""
        self.key = key
        self.drawn = self._layout = layout  # what AUTO comes to
        self.tiles: tuple[Tile, ...] = ()
        self.classes: dict[ClassKey, EncodingClass] = {}
        self._canvas = Canvas(profile.width, profile.height)
        self._profile = profile
        self._seats: tuple[LegId, ...] = ()
        self._turn = Turn()
        self._number = 0  # of what is on the canvas

    def arrange(self, stage: Stage) -> None:
        """Give everybody their tile."""
        scene = stage.scene(self.key.without, content=not self.key.content_apart)
        self.drawn = resolve(self._layout, scene)
        self._seats = seat(self.drawn, scene, self._seats)
        self.tiles = tuple(arrange(self.drawn, self._profile.width, self._profile.height, self._seats, scene.sharing))

    @property
    def crowded(self) -> bool:
        return self.drawn is Layout.GRID and len(self.tiles) > CROWDED

    def encoding_class(self, key: ClassKey, bits_per_second: int, now: float) -> EncodingClass:
        """The class of this key, made where there is none."""
        if key not in self.classes:
            self.classes[key] = EncodingClass(key, self._profile.fps, bits_per_second, now)
        return self.classes[key]

    def job(
        self, stage: Stage, shot_of: ShotOf, received: Callable[[ClassKey], bool], now: float, timestamp: int
    ) -> Job | None:
        """What to do for the frame that is due; None where nothing changed and nobody needs a key frame."""
        changes = self._canvas.changes([self._look(tile, stage, shot_of, now) for tile in self.tiles])
        self._number += changes is not None
        turn = self._turn.due(now, self._number)
        due = [(cls, cls.gate.due(now)) for cls in self.classes.values() if cls.is_free(now)]
        encodes = [(cls, key) for cls, key in due if key or (turn and received(cls.key))]
        for cls, _ in encodes:
            cls.taken(now)
        if turn:
            self._turn.taken(now, self._number)
        if changes is None and not encodes:
            return None
        shows = frozenset((tile.leg, tile.source) for tile in self.tiles)
        return Job(self._canvas, changes, encodes, timestamp, shows)

    def failed(self) -> None:
        """A job came to nothing: paint all of it again, and let nobody build on what was not sent."""
        self._canvas.forget()
        for cls in self.classes.values():
            cls.gate.refused()

    def _look(self, tile: Tile, stage: Stage, shot_of: ShotOf, now: float) -> Look:
        seen = stage.seen[tile.leg]
        shot = shot_of(tile.leg, tile.source)
        if shot is not None and tile.source is Source.CAMERA and now - shot.at > STALE_S:
            shot = None
        return Look(
            box=Box(tile.x, tile.y, tile.width, tile.height),
            label=seen.label,
            mark=_mark(seen, tile.source),
            speaking=tile.source is Source.CAMERA and stage.speaker == tile.leg,
            disc=disc_of(tile.leg),
            serial=shot.serial if shot is not None else None,
            image=shot.image if shot is not None else None,
        )


def _mark(seen: Seen, source: Source) -> Mark:
    if source is Source.SCREEN:
        return Mark.SCREEN
    return Mark.MUTED if seen.muted else Mark.NONE


def tiles_by_picture(views: Iterable[Viewed]) -> dict[tuple[LegId, Source], list[Tile]]:
    """Every tile that a leg's picture is in, over all views."""
    found: dict[tuple[LegId, Source], list[Tile]] = {}
    for view in views:
        for tile in view.tiles:
            found.setdefault((tile.leg, tile.source), []).append(tile)
    return found
