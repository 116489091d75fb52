"""The composed picture, pixel by pixel: what is in it, and that it is painted only where something changed."""

import pytest
from av.video.frame import VideoFrame
from pictures import BLUE, GREEN, RED, colour_at, frame_of, near, planes

from mcu.errors import Invalid
from mcu.media.picture import paint
from mcu.media.picture.canvas import Canvas
from mcu.media.picture.decoder import i420
from mcu.media.picture.layout import Box
from mcu.media.picture.masks import Mark
from mcu.media.picture.paint import Look

LEFT, RIGHT = Box(0, 180, 640, 360), Box(640, 180, 640, 360)
BLACK = (16, 128, 128)


def look(box: Box, frame: VideoFrame | None = None, serial: int = 1, **more: object) -> Look:
    image = i420(frame) if frame is not None else None
    return Look(box=box, image=image, serial=serial if frame is not None else None, **{"label": "", **more})  # type: ignore[arg-type]


def show(canvas: Canvas, *looks: Look) -> list[Look]:
    """Paints, and returns what was painted."""
    changes = canvas.changes(looks)
    if changes is None:
        return []
    canvas.paint(changes)
    return list(changes.tiles)


def test_pictures_land_in_their_tiles_and_nowhere_else() -> None:
    canvas = Canvas(1280, 720)
    show(canvas, look(LEFT, frame_of(RED)), look(RIGHT, frame_of(GREEN)))
    for x, y in ((10, 190), (320, 360), (630, 530)):
        assert colour_at(canvas.frame, x, y) == RED
        assert colour_at(canvas.frame, x + 640, y) == GREEN
    for x, y in ((320, 178), (960, 542), (639, 360), (640, 360)):
        assert colour_at(canvas.frame, x, y) == paint.CANVAS


@pytest.mark.parametrize(
    ("size", "bars", "inside"),
    [((480, 640), [(100, 360), (1180, 360)], (640, 360)), ((1280, 300), [(640, 50), (640, 670)], (640, 360))],
)
def test_a_picture_of_another_shape_is_letterboxed_in_black(
    size: tuple[int, int], bars: list[tuple[int, int]], inside: tuple[int, int]
) -> None:
    canvas = Canvas(1280, 720)
    show(canvas, look(Box(0, 0, 1280, 720), frame_of(BLUE, *size)))
    assert [colour_at(canvas.frame, *bar) for bar in bars] == [BLACK, BLACK]
    assert colour_at(canvas.frame, *inside) == BLUE


def test_the_speaker_has_a_border_and_the_others_have_none() -> None:
    canvas = Canvas(1280, 720)
    show(canvas, look(LEFT, frame_of(RED), speaking=True), look(RIGHT, frame_of(GREEN)))
    width = paint.frame_width(720)
    assert colour_at(canvas.frame, 0, 360) == paint.CANVAS
    assert {colour_at(canvas.frame, x, 360) for x in range(width, 2 * width)} == {paint.SPEAKING}
    assert colour_at(canvas.frame, 2 * width, 360) == RED
    assert colour_at(canvas.frame, 640 + width, 360) == GREEN


def test_a_tile_that_is_alone_fills_the_canvas_without_a_border() -> None:
    canvas = Canvas(1280, 720)
    show(canvas, look(Box(0, 0, 1280, 720), frame_of(RED), speaking=True))
    assert colour_at(canvas.frame, 0, 0) == RED


def test_a_leg_without_a_picture_is_a_disc_with_its_initials() -> None:
    canvas = Canvas(1280, 720)
    show(canvas, look(Box(0, 0, 1280, 720), label="Åsa Öberg", disc=1))
    assert colour_at(canvas.frame, 640, 360 - 150) == paint.DISCS[1]
    assert colour_at(canvas.frame, 20, 20) == paint.AVATAR
    assert (planes(canvas.frame)[0][300:420, 500:780] > 215).sum() > 1000  # the letters


def test_a_name_is_written_in_the_lower_left_corner() -> None:
    canvas = Canvas(1280, 720)
    show(canvas, look(LEFT, frame_of(RED), label="Karin"), look(RIGHT, frame_of(RED)))
    corner = planes(canvas.frame)[0][490:530, 12:100]
    assert (corner > 220).sum() > 50
    assert (corner < 60).sum() > 200
    assert (planes(canvas.frame)[0][490:530, 652:740] == RED[0]).all()


def test_the_muted_mark_shows() -> None:
    canvas = Canvas(1280, 720)
    show(canvas, look(LEFT, frame_of(RED), label="Karin"), look(RIGHT, frame_of(RED), label="Karin", mark=Mark.MUTED))
    luma = planes(canvas.frame)[0]
    assert (luma[180:540, 640:] != luma[180:540, :640]).any()


def test_nothing_is_painted_when_nothing_changed() -> None:
    canvas, frame = Canvas(1280, 720), frame_of(RED)
    show(canvas, look(LEFT, frame), look(RIGHT, frame))
    assert show(canvas, look(LEFT, frame), look(RIGHT, frame)) == []


@pytest.mark.parametrize(
    "other", [{"serial": 2}, {"label": "B"}, {"speaking": True}, {"mark": Mark.MUTED}, {"frame": None}], ids=str
)
def test_only_the_tile_in_which_something_changed_is_painted(other: dict[str, object]) -> None:
    canvas, frame = Canvas(1280, 720), frame_of(RED)
    left = {"frame": frame, "label": "A"}
    show(canvas, look(LEFT, **left), look(RIGHT, frame))  # type: ignore[arg-type]
    painted = show(canvas, look(LEFT, **{**left, **other}), look(RIGHT, frame))  # type: ignore[arg-type]
    assert [tile.box for tile in painted] == [LEFT]


def test_what_left_is_gone_when_the_tiles_move() -> None:
    canvas, moved = Canvas(1280, 720), Box(320, 0, 640, 360)
    show(canvas, look(LEFT, frame_of(RED)), look(RIGHT, frame_of(RED)))
    show(canvas, look(moved, frame_of(GREEN)))
    y, _, v = planes(canvas.frame)
    assert not (y == RED[0]).any()
    assert not (v == RED[2]).any()
    assert colour_at(canvas.frame, 20, 700) == paint.CANVAS


def test_a_canvas_of_odd_sides_is_refused() -> None:
    with pytest.raises(Invalid):
        Canvas(1281, 720)


def test_colours_are_in_video_range() -> None:
    assert near(paint.yuv(255, 255, 255), (235, 128, 128), 1)
    assert near(paint.yuv(255, 0, 0), RED, 2)
