"""Who sits where in a composed picture. Pure: legs and sizes in, tiles out.

Owns the five layouts: who gets a tile (`seat`), in which order, and the rectangle of each tile (`arrange`).
Refuses pixels, names and time; who speaks and who shares is told to it.

Tiles lie on even pixels, inside the canvas, and never overlap. They touch: the gap that people see between them is the
frame which `paint` draws inside each tile. So the pictures are as large as can be, and a grid of 2 or 4 on a side is an
exact half or quarter of the canvas, which is what scales fastest.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from mcu.errors import Invalid
from mcu.ids import LegId
from mcu.media.messages import Layout, Source, Tile

CAPACITY = {
    Layout.SPEAKER: 1,
    Layout.SPEAKER_WITH_TILES: 8,
    Layout.GRID: 25,
    Layout.PRESENTATION_WITH_TILES: 5,  # beside the shared screen
}
WITH_CONTENT = (Layout.AUTO, Layout.PRESENTATION_WITH_TILES)  # that show a screen while one is shared
AUTO_GRID_UP_TO = 4  # legs; more of them are seen better with the speaker large
SMALLEST_CANVAS = (160, 90)  # a 5x5 grid on it still has tiles of 32x18
COLUMN_UP_TO = 4  # small tiles beside the large one; more of them also go below it


class Box(NamedTuple):
    """A rectangle in pixels from the top left of the canvas."""

    x: int
    y: int
    width: int
    height: int


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """What decides who is shown."""

    seen: tuple[LegId, ...] = ()  # who may be shown at all, in order of joining
    recent: tuple[LegId, ...] = ()  # who has spoken, the latest first
    spotlight: LegId | None = None
    sharing: LegId | None = None  # whose screen is shown


def resolve(layout: Layout, scene: Scene) -> Layout:
    """The layout that is drawn for the one that was chosen: never AUTO, and a presentation only while one is shared."""
    if layout in WITH_CONTENT and scene.sharing is not None:
        return Layout.PRESENTATION_WITH_TILES
    if layout is Layout.AUTO and scene.spotlight is None and len(scene.seen) <= AUTO_GRID_UP_TO:
        return Layout.GRID
    if layout in WITH_CONTENT:
        return Layout.SPEAKER_WITH_TILES
    return layout


def seat(layout: Layout, scene: Scene, previous: Sequence[LegId]) -> tuple[LegId, ...]:
    """Who has a tile, in the order of the tiles, with as few moves from `previous` as can be.

    `layout` is a resolved one. Where not all have room: the spotlit leg, then who spoke latest, then who is there
    already. In the speaker layouts the first is large: the spotlit leg, or who spoke last; the former one takes the
    place that the new one leaves. In a grid nobody moves when somebody else speaks.
    """
    present = set(scene.seen)
    ranked = dict.fromkeys(
        leg for leg in (scene.spotlight, *scene.recent, *previous, *scene.seen) if leg is not None and leg in present
    )
    chosen = list(ranked)[: CAPACITY[layout]]
    seats = _keep_places([leg for leg in scene.seen if leg in chosen], previous)
    if layout in (Layout.SPEAKER, Layout.SPEAKER_WITH_TILES):
        _swap_to_front(seats, _large(scene, present))
    return tuple(seats)


def _keep_places(chosen: Sequence[LegId], previous: Sequence[LegId]) -> list[LegId]:
    newcomers = iter([leg for leg in chosen if leg not in previous])
    kept = set(chosen)
    seats = [taker for leg in previous if (taker := leg if leg in kept else next(newcomers, None)) is not None]
    return [*seats, *newcomers]


def _large(scene: Scene, present: set[LegId]) -> LegId | None:
    return next((leg for leg in (scene.spotlight, *scene.recent) if leg in present), None)


def _swap_to_front(seats: list[LegId], large: LegId | None) -> None:
    if large in seats:
        at = seats.index(large)
        seats[0], seats[at] = seats[at], seats[0]


def arrange(
    layout: Layout, width: int, height: int, seats: Sequence[LegId], sharing: LegId | None = None
) -> list[Tile]:
    """The tiles of a resolved layout, large ones first; `seats` as `seat` gave them.

    Raises `Invalid` for a canvas of odd sides, or smaller than SMALLEST_CANVAS.
    """
    check_canvas(width, height)
    if layout is Layout.PRESENTATION_WITH_TILES and sharing is not None:
        slots = [(sharing, Source.SCREEN), *((leg, Source.CAMERA) for leg in seats)]
        boxes = _presentation(width, height, len(seats))
    else:
        slots = [(leg, Source.CAMERA) for leg in seats]
        boxes = _grid(width, height, len(seats)) if layout is Layout.GRID else _speaker(width, height, len(seats))
    return [
        Tile(leg=leg, source=source, x=box.x, y=box.y, width=box.width, height=box.height)
        for (leg, source), box in zip(slots, boxes, strict=True)
    ]


def check_canvas(width: int, height: int) -> None:
    """Raises `Invalid` for a canvas that the layouts cannot divide."""
    if width % 2 or height % 2 or width < SMALLEST_CANVAS[0] or height < SMALLEST_CANVAS[1]:
        smallest = "x".join(map(str, SMALLEST_CANVAS))
        raise Invalid(f"a canvas of {width}x{height} cannot be divided: use even sides of at least {smallest} pixels")


def _even(value: int) -> int:
    return value & ~1


def _grid(width: int, height: int, count: int) -> Iterator[Box]:
    """Equal tiles, as many columns as rows would need; rows that are not full are centred, and so are the rows."""
    side = next(side for side in range(1, 6) if side * side >= count)
    across, down = _even(width // side), _even(height // side)
    rows = -(-count // side)
    top = _even((height - rows * down) // 2)
    for row in range(rows):
        columns = min(side, count - row * side)
        left = _even((width - columns * across) // 2)
        for column in range(columns):
            yield Box(left + column * across, top + row * down, across, down)


def _speaker(width: int, height: int, count: int) -> Iterator[Box]:
    """One large tile, up to four small ones in a column beside it, or up to seven beside and below."""
    if count <= 1:
        return iter([Box(0, 0, width, height)][:count])
    small = Box(0, 0, _even(width // 4), _even(height // 4))
    others = count - 1
    if others > COLUMN_UP_TO:
        return iter(_corner(small, others))
    large = Box(0, _even((height - 3 * small.height) // 2), 3 * small.width, 3 * small.height)
    return iter([large, *_column(small, large.width, height, others)])


def _corner(small: Box, others: int) -> list[Box]:
    column = [Box(3 * small.width, row * small.height, small.width, small.height) for row in range(4)]
    below = [Box(at * small.width, 3 * small.height, small.width, small.height) for at in range(3)]
    return [Box(0, 0, 3 * small.width, 3 * small.height), *[*column, *below][:others]]


def _column(small: Box, x: int, height: int, count: int) -> list[Box]:
    top = _even((height - count * small.height) // 2)
    return [Box(x, top + row * small.height, small.width, small.height) for row in range(count)]


def _presentation(width: int, height: int, others: int) -> Iterator[Box]:
    """The shared screen as large as can be, and a column of people beside it."""
    if not others:
        return iter([Box(0, 0, width, height)])
    small = Box(0, 0, _even(width // 5), _even(height // 5))
    screen = Box(0, 0, width - small.width, height)
    return iter([screen, *_column(small, screen.width, height, others)])
