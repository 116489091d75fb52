"""What a room is held to cost."""

import itertools

import pytest

from mcu.media import cost
from mcu.media.cost import Pictures
from mcu.media.messages import RoomProfile

PROFILE = RoomProfile()


def test_a_shared_view_costs_the_same_for_one_more_and_another_one_painting_and_an_encoder() -> None:
    shared = [cost.of_room(PROFILE, legs, Pictures(1, 1)) for legs in (1, 2, 3)]
    more = shared[1] - shared[0]
    assert shared[2] - shared[1] == pytest.approx(more)
    assert more < cost.of_view(PROFILE) / 10
    views = [cost.of_room(PROFILE, 3, Pictures(count, count)) for count in (1, 2, 3)]
    assert [b - a for a, b in itertools.pairwise(views)] == pytest.approx([cost.of_view(PROFILE)] * 2)


def test_a_view_that_is_taken_in_another_codec_or_size_is_encoded_once_more() -> None:
    one, two, three = (cost.of_room(PROFILE, 3, Pictures(1, encodes)) for encodes in (1, 2, 3))
    assert two - one == pytest.approx(three - two)
    assert cost.of_view(PROFILE) / 2 < two - one < cost.of_view(PROFILE)


def test_an_empty_room_costs_nothing() -> None:
    assert cost.of_room(PROFILE, 0, Pictures(0, 0)) == 0


def test_a_picture_of_a_quarter_of_the_pixels_costs_a_quarter() -> None:
    assert cost.of_view(RoomProfile(width=640, height=360)) == pytest.approx(cost.of_view(PROFILE) / 4)


def test_a_meeting_of_nine_with_personal_views_costs_some_times_that_with_one_view() -> None:
    assert 4 < cost.of_meeting(9, personal=True) / cost.of_meeting(9, personal=False) < 9
