"""Layouts: geometry as properties, and who sits where as sentences."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcu.errors import Invalid
from mcu.ids import LegId
from mcu.media.messages import Layout, Source, Tile
from mcu.media.picture.layout import CAPACITY, Scene, arrange, resolve, seat


def legs(count: int) -> tuple[LegId, ...]:
    return tuple(LegId(f"leg_{number}") for number in range(count))


def even(smallest: int, largest: int) -> st.SearchStrategy[int]:
    return st.integers(smallest // 2, largest // 2).map(lambda half: half * 2)


def overlap(a: Tile, b: Tile) -> bool:
    return a.x < b.x + b.width and b.x < a.x + a.width and a.y < b.y + b.height and b.y < a.y + a.height


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    seen = legs(draw(st.integers(0, 40)))
    anybody = st.sampled_from(legs(45))
    return Scene(
        seen=seen,
        recent=tuple(draw(st.lists(anybody, unique=True, max_size=10))),
        spotlight=draw(st.none() | anybody),
        sharing=draw(st.sampled_from([None, *seen])),
    )


@given(
    st.sampled_from(Layout), even(160, 1920), even(90, 1920), scenes(), st.lists(st.sampled_from(legs(45)), unique=True)
)
def test_tiles_are_even_inside_the_canvas_and_never_overlap(
    layout: Layout, width: int, height: int, scene: Scene, previous: list[LegId]
) -> None:
    drawn = resolve(layout, scene)
    tiles = arrange(drawn, width, height, seat(drawn, scene, previous), scene.sharing)
    for tile in tiles:
        assert not any(number % 2 for number in (tile.x, tile.y, tile.width, tile.height))
        assert tile.x >= 0
        assert tile.y >= 0
        assert tile.width >= 2
        assert tile.height >= 2
        assert tile.x + tile.width <= width
        assert tile.y + tile.height <= height
    assert not any(overlap(a, b) for a, b in combinations(tiles, 2))


@given(st.sampled_from(Layout), scenes(), st.lists(st.sampled_from(legs(45)), unique=True))
def test_only_who_may_be_seen_gets_a_tile_and_nobody_two_of_a_source(
    layout: Layout, scene: Scene, previous: list[LegId]
) -> None:
    drawn = resolve(layout, scene)
    tiles = arrange(drawn, 1280, 720, seat(drawn, scene, previous), scene.sharing)
    assert {tile.leg for tile in tiles} <= set(scene.seen)
    assert len({(tile.leg, tile.source) for tile in tiles}) == len(tiles)
    assert len(seat(drawn, scene, previous)) == min(len(scene.seen), CAPACITY[drawn])


@pytest.mark.parametrize(
    ("count", "width", "height"),
    [(1, 1280, 720), (2, 640, 360), (4, 640, 360), (9, 426, 240), (16, 320, 180), (25, 256, 144)],
)
def test_a_grid_divides_the_canvas_by_how_many_there_are(count: int, width: int, height: int) -> None:
    tiles = arrange(Layout.GRID, 1280, 720, legs(count))
    assert {(tile.width, tile.height) for tile in tiles} == {(width, height)}
    assert len(tiles) == count


def test_a_grid_of_thirty_shows_the_twentyfive_who_spoke_latest_first() -> None:
    everybody = legs(30)
    shown = seat(Layout.GRID, Scene(seen=everybody, recent=(everybody[29], everybody[27])), ())
    assert len(shown) == 25
    assert {everybody[29], everybody[27]} <= set(shown)


@given(st.permutations(legs(9)))
def test_a_grid_does_not_move_when_others_speak(order: list[LegId]) -> None:
    seats = seat(Layout.GRID, Scene(seen=legs(9)), ())
    for spoken in range(9):
        again = seat(Layout.GRID, Scene(seen=legs(9), recent=tuple(order[:spoken])), seats)
        assert again == seats


def test_a_hidden_leg_that_speaks_takes_one_place_in_a_full_grid_and_no_other_leg_moves() -> None:
    everybody = legs(26)
    before = seat(Layout.GRID, Scene(seen=everybody, recent=everybody[:25]), ())
    after = seat(Layout.GRID, Scene(seen=everybody, recent=(everybody[25], *everybody[:24])), before)
    assert [(old, new) for old, new in zip(before, after, strict=True) if old != new] == [
        (everybody[24], everybody[25])
    ]


def test_a_new_speaker_swaps_places_with_the_large_one() -> None:
    a, b, c, d = everybody = legs(4)
    before = seat(Layout.SPEAKER_WITH_TILES, Scene(seen=everybody, recent=(a,)), ())
    after = seat(Layout.SPEAKER_WITH_TILES, Scene(seen=everybody, recent=(c, a)), before)
    assert (before, after) == ((a, b, c, d), (c, b, a, d))


def test_the_speaker_layout_shows_who_spoke_last_alone() -> None:
    assert seat(Layout.SPEAKER, Scene(seen=legs(5), recent=(legs(5)[3],)), ()) == (legs(5)[3],)


def test_a_spotlight_stays_large_while_others_speak() -> None:
    everybody = legs(12)
    scene = Scene(seen=everybody, recent=(everybody[2], everybody[5]), spotlight=everybody[9])
    assert seat(Layout.SPEAKER_WITH_TILES, scene, everybody)[0] == everybody[9]
    assert resolve(Layout.AUTO, Scene(seen=legs(3), spotlight=everybody[1])) is Layout.SPEAKER_WITH_TILES


def test_a_spotlight_on_a_leg_that_may_not_be_seen_shows_nothing_of_it() -> None:
    assert seat(Layout.SPEAKER, Scene(seen=legs(2), spotlight=LegId("leg_elsewhere")), ()) == legs(1)


def test_a_shared_screen_is_the_largest_tile_and_comes_from_the_screen() -> None:
    everybody = legs(9)
    tiles = arrange(Layout.PRESENTATION_WITH_TILES, 1280, 720, everybody[:5], everybody[7])
    assert (tiles[0].leg, tiles[0].source, tiles[0].width, tiles[0].height) == (everybody[7], Source.SCREEN, 1024, 720)
    assert {tile.source for tile in tiles[1:]} == {Source.CAMERA}


@pytest.mark.parametrize(
    ("count", "sharing", "drawn"),
    [
        (1, False, Layout.GRID),
        (4, False, Layout.GRID),
        (5, False, Layout.SPEAKER_WITH_TILES),
        (3, True, Layout.PRESENTATION_WITH_TILES),
    ],
)
def test_auto_follows_the_count_and_the_share(count: int, sharing: bool, drawn: Layout) -> None:
    assert resolve(Layout.AUTO, Scene(seen=legs(count), sharing=legs(1)[0] if sharing else None)) is drawn


def test_a_presentation_without_a_share_shows_the_speaker() -> None:
    assert resolve(Layout.PRESENTATION_WITH_TILES, Scene(seen=legs(2))) is Layout.SPEAKER_WITH_TILES


@pytest.mark.parametrize(("width", "height"), [(1279, 720), (1280, 719), (64, 36)])
def test_a_canvas_that_cannot_be_divided_is_refused(width: int, height: int) -> None:
    with pytest.raises(Invalid):
        arrange(Layout.GRID, width, height, legs(1))
