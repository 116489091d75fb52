"""In what size and how often pictures go to those who take only small ones."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mcu.media.picture.sizes import allows, fps_within, within
from mcu.media.seams import FrameLimit

LEVELS = {  # of H.264, table A-1: what 720p at 30 pictures a second comes to
    "3.1": (FrameLimit(3600, 108_000), (1280, 720), 30),
    "3.0": (FrameLimit(1620, 40_500), (852, 480), 25),
    "2.2": (FrameLimit(1620, 20_250), (640, 360), 22),
    "1.3": (FrameLimit(396, 11_880), (320, 180), 30),
    "1.2": (FrameLimit(396, 6_000), (320, 180), 25),
    "1": (FrameLimit(99, 1_485), (160, 90), 24),
}


@pytest.mark.parametrize(("limit", "size", "fps"), LEVELS.values(), ids=LEVELS)
def test_each_level_gets_the_largest_picture_that_it_takes_often_enough(
    limit: FrameLimit, size: tuple[int, int], fps: int
) -> None:
    assert within(limit, 1280, 720, 30) == size
    assert int(fps_within(limit, *size, 30)) == fps


@example(135, 3_130, (1920, 1080))  # whose quotient, times its divisor, is more than it was
@given(st.integers(40, 10_000), st.integers(1_000, 250_000), st.sampled_from([(1280, 720), (1920, 1080), (640, 360)]))
def test_nobody_is_sent_more_than_they_take(blocks: int, rate: int, canvas: tuple[int, int]) -> None:
    limit = FrameLimit(blocks, rate)
    size = within(limit, *canvas, 30)
    assert size[0] % 2 == size[1] % 2 == 0
    assert allows(limit, *size, fps_within(limit, *size, 30))


def test_a_slow_room_is_not_made_smaller_for_the_sake_of_a_rate_that_it_has_not() -> None:
    assert within(FrameLimit(3600, 36_000), 1280, 720, 10) == (1280, 720)
