"""The scaler: geometry and bars bit for bit, scaled samples against averages of our own."""

import ctypes

import numpy as np
import pytest
import twins
from hypothesis import given, settings
from hypothesis import strategies as st
from twins import Picture, Rect

from mcu.media import _native

LIBYUV = ctypes.CDLL("libyuv.so.0")
BILINEAR, BOX = 2, 3  # libyuv's FilterMode

sides = st.integers(1, 64)
places = st.integers(-40, 70)
tiles = st.tuples(places, places, st.integers(0, 80), st.integers(0, 80))


@given(
    st.integers(1, 5000), st.integers(1, 5000), st.tuples(places, places, st.integers(0, 2000), st.integers(0, 2000))
)
def test_the_letterbox_is_the_largest_even_rectangle_of_the_pictures_shape(width: int, height: int, tile: Rect) -> None:
    assert _native.letterbox(width, height, tile) == twins.letterbox(width, height, tile)


def off_canvas(source: Picture, width: int, height: int) -> Picture:
    """What libyuv itself makes of the source's planes, somewhere else than on a canvas."""
    scaled = Picture.noise(width, height)
    shrinks = width < source.width or height < source.height
    for have, to in zip(source.planes, scaled.memory, strict=True):
        have = np.ascontiguousarray(have)
        LIBYUV.ScalePlane(
            ctypes.c_void_p(have.ctypes.data),
            have.shape[1],
            have.shape[1],
            have.shape[0],
            ctypes.c_void_p(to.ctypes.data),
            to.shape[1],
            to.shape[1],
            to.shape[0],
            BOX if shrinks else BILINEAR,
        )
    return scaled


@settings(max_examples=300)
@given(sides, sides, sides, sides, tiles, st.integers(0, 3), st.booleans())
def test_a_picture_lands_in_its_letterbox_with_black_around_it_and_nothing_outside_the_tile(
    width: int, height: int, source_width: int, source_height: int, tile: Rect, padding: int, worst: bool
) -> None:
    canvas = Picture.noise(width, height, padding=padding)
    source = Picture.noise(source_width, source_height, seed=1, padding=padding, worst=worst)
    box = twins.letterbox(source_width, source_height, tile)
    want = canvas.clone()
    twins.fill(want, tile, twins.BLACK)
    if box[2]:
        twins.copy(want, off_canvas(source, box[2], box[3]), (0, 0, box[2], box[3]), box[0], box[1])
    drawn = _native.scale_into_tile(canvas.native(), source.native(), tile)
    assert canvas == want
    left, top = max(box[0], 0), max(box[1], 0)
    right, bottom = min(box[0] + box[2], width), min(box[1] + box[3], height)
    assert drawn == ((left, top, right - left, bottom - top) if right > left and bottom > top else (0, 0, 0, 0))


def scaled_plane(source: Picture, width: int, height: int) -> Picture:
    canvas = Picture.noise(width, height, seed=3)
    assert _native.scale_into_tile(canvas.native(), source.native(), (0, 0, width, height))[2:] == (width, height)
    return canvas


def smooth(width: int, height: int) -> Picture:
    """A picture without edges, on which every honest filter agrees."""
    picture = Picture.noise(width, height)
    for plane in picture.planes:
        y, x = np.mgrid[0 : plane.shape[0], 0 : plane.shape[1]]
        plane[:] = 128 + 100 * np.sin(x * 6 / plane.shape[1]) * np.cos(y * 5 / plane.shape[0])
    return picture


@pytest.mark.parametrize("times", [2, 3, 4, 5, 8])
@pytest.mark.parametrize("worst", [False, True])
def test_shrinking_by_a_whole_number_is_the_mean_of_each_square(times: int, worst: bool) -> None:
    source = Picture.noise(32 * times, 18 * times, worst=worst)
    for got, have in zip(scaled_plane(source, 32, 18).planes, source.planes, strict=True):
        want = twins.area_average(have, got.shape[1], got.shape[0])
        assert np.abs(got - want).max() <= 1.5


@pytest.mark.parametrize(("width", "height"), [(426, 240), (256, 144), (1000, 562), (398, 224)])
def test_shrinking_by_any_ratio_keeps_the_picture(width: int, height: int) -> None:
    source = smooth(1280, 720)
    for got, have in zip(scaled_plane(source, width, height).planes, source.planes, strict=True):
        assert np.abs(got - twins.area_average(have, got.shape[1], got.shape[0])).max() <= 4


@pytest.mark.parametrize(("width", "height"), [(640, 360), (1280, 720), (482, 272)])
def test_enlarging_is_smooth_and_keeps_the_picture(width: int, height: int) -> None:
    source = smooth(320, 180)
    for got, have in zip(scaled_plane(source, width, height).planes, source.planes, strict=True):
        y = np.clip((np.arange(got.shape[0]) + 0.5) * have.shape[0] / got.shape[0] - 0.5, 0, None).astype(int)
        x = np.clip((np.arange(got.shape[1]) + 0.5) * have.shape[1] / got.shape[1] - 0.5, 0, None).astype(int)
        assert np.abs(got.astype(int) - have[np.ix_(y, x)]).max() <= 12


def test_a_picture_of_the_tiles_size_is_copied_unchanged() -> None:
    source = Picture.noise(48, 26, padding=5)
    canvas = scaled_plane(source, 48, 26)
    assert all(np.array_equal(a, b) for a, b in zip(canvas.planes, source.planes, strict=True))


@given(sides, sides)
def test_one_grey_pixel_fills_any_tile_with_its_grey(width: int, height: int) -> None:
    source = Picture.noise(1, 1)
    width, height = 2 * width, 2 * height
    side = min(width, height)
    canvas = Picture.noise(width, height, seed=1)
    x, y, w, h = _native.scale_into_tile(canvas.native(), source.native(), (0, 0, width, height))
    assert (w, h) == (side, side)
    assert (canvas.planes[0][y : y + h, x : x + w] == source.planes[0][0, 0]).all()
