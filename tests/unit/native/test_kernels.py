"""Every kernel draws, bit for bit, what its plain twin draws: odd sizes, 1x1, clipped, padded, noise and extremes."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import twins
from hypothesis import given
from hypothesis import strategies as st
from twins import Colour, Picture, Rect

from mcu.media import _native

sides = st.integers(1, 40)
places = st.integers(-45, 45)
rects = st.tuples(places, places, st.integers(0, 60), st.integers(0, 60))
samples = st.integers(0, 255)
colours = st.tuples(samples, samples, samples)


@st.composite
def pictures(draw: st.DrawFn) -> Picture:
    return Picture.noise(
        draw(sides),
        draw(sides),
        seed=draw(st.integers(0, 99)),
        padding=draw(st.integers(0, 5)),
        worst=draw(st.booleans()),
    )


@st.composite
def masks(draw: st.DrawFn) -> npt.NDArray[np.uint8]:
    shape = draw(st.tuples(st.integers(0, 30), st.integers(0, 30)))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    if draw(st.booleans()):
        return (rng.integers(0, 2, shape) * 255).astype(np.uint8)
    return rng.integers(0, 256, shape, np.uint8)


def size(mask: npt.NDArray[np.uint8]) -> tuple[int, int]:
    return mask.shape[1], mask.shape[0]


def same(canvas: Picture, ours: Callable[[_native.I420], object], twin: Callable[[Picture], object]) -> None:
    want = canvas.clone()
    twin(want)
    ours(canvas.native())
    assert canvas == want


@given(pictures(), rects, colours)
def test_fill_colours_what_the_rectangle_owns_and_nothing_else(canvas: Picture, rect: Rect, colour: Colour) -> None:
    same(canvas, lambda c: _native.fill(c, rect, colour), lambda c: twins.fill(c, rect, colour))


@given(pictures(), rects, st.integers(0, 40), colours)
def test_border_is_the_rectangle_without_its_inside(
    canvas: Picture, rect: Rect, thickness: int, colour: Colour
) -> None:
    same(
        canvas,
        lambda c: _native.border(c, rect, thickness, colour),
        lambda c: twins.border(c, rect, thickness, colour),
    )


@given(pictures(), places, places, masks(), colours, colours, samples)
def test_label_blends_its_plate_and_then_its_ink(
    canvas: Picture, x: int, y: int, mask: npt.NDArray[np.uint8], ink: Colour, plate: Colour, alpha: int
) -> None:
    same(
        canvas,
        lambda c: _native.label(c, x, y, mask.data, size(mask), ink, plate, alpha),
        lambda c: twins.label(c, x, y, mask, ink, plate, alpha),
    )


@given(pictures(), rects, colours, colours, st.integers(0, 40), masks(), colours)
def test_avatar_is_a_smooth_disc_and_initials_inside_its_tile(
    canvas: Picture,
    tile: Rect,
    background: Colour,
    disc: Colour,
    radius: int,
    mask: npt.NDArray[np.uint8],
    ink: Colour,
) -> None:
    same(
        canvas,
        lambda c: _native.avatar(c, tile, background, disc, radius, mask.data, size(mask), ink),
        lambda c: twins.avatar(c, tile, background, disc, radius, mask, ink),
    )


@given(pictures(), pictures(), rects, places, places)
def test_copy_moves_a_rectangle_between_pictures_of_any_size(
    canvas: Picture, source: Picture, rect: Rect, x: int, y: int
) -> None:
    same(
        canvas,
        lambda c: _native.copy(c, source.native(), rect, x, y),
        lambda c: twins.copy(c, source, rect, x, y),
    )


def test_a_whole_picture_is_copied_to_planes_with_other_strides() -> None:
    source, canvas = Picture.noise(31, 17, padding=3), Picture.noise(31, 17, seed=1, padding=9)
    _native.copy(canvas.native(), source.native(), (0, 0, 31, 17), 0, 0)
    assert all(np.array_equal(a, b) for a, b in zip(canvas.planes, source.planes, strict=True))


@given(st.integers(-9, 9), st.integers(1, 20), st.integers(1, 20), st.booleans())
def test_tiles_that_share_an_edge_look_the_same_in_whatever_order_they_are_drawn(
    x: int, first: int, second: int, across: bool
) -> None:
    a: Rect = (x, 1, first, 15) if across else (1, x, 15, first)
    b: Rect = (x + first, 1, second, 15) if across else (1, x + first, 15, second)
    one, other = Picture.noise(24, 24), Picture.noise(24, 24)
    for canvas, order in ((one, (a, b)), (other, (b, a))):
        for rect in order:
            _native.fill(canvas.native(), rect, (10, 20, 30) if rect == a else (40, 50, 60))
    assert one == other
