"""Which layer is taken: the smallest that is large enough, of those that come, and nobody flaps."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pictures import ManualClock

from mcu.media._native import CAMERA, LAYER, Event
from mcu.media.seams import Wanted
from mcu.media.transport import layers as size_rules
from mcu.media.transport.incoming import Incoming
from mcu.media.transport.layers import RETURNS_S, Layers

SIZES = [(320, 180), (640, 360), (1280, 720)]


def wanted(width: int, height: int = 0, *, thin: bool = False) -> Wanted:
    return Wanted(width=width, height=height or width * 9 // 16, bits_per_second=width * 1000, thin=thin)


HIDDEN = Wanted(width=0, height=0, bits_per_second=60_000)


def all_coming() -> Layers:
    layers = Layers(3)
    for number, size in enumerate(SIZES):
        layers.heard(number, True, size, 0.0)
    return layers


@pytest.mark.parametrize(("tile", "layer"), [(160, 0), (320, 0), (326, 1), (640, 1), (642, 2), (1280, 2), (1920, 2)])
def test_the_smallest_layer_that_is_at_least_the_tiles_size_is_taken(tile: int, layer: int) -> None:
    assert all_coming().choose(wanted(tile), 0.0) == layer


def test_a_picture_is_fitted_whole_so_one_side_decides() -> None:
    upright = Layers(2)
    upright.heard(0, True, (180, 320), 0.0)
    upright.heard(1, True, (360, 640), 0.0)
    assert upright.choose(wanted(426, 240), 0.0) == 0


def test_a_layer_that_is_nearly_large_enough_is_kept_and_one_that_is_not_is_left() -> None:
    layers = all_coming()
    assert layers.choose(wanted(320), 0.0) == 0
    assert layers.choose(wanted(350), 0.0) == 0
    assert layers.choose(wanted(360), 0.0) == 1
    assert layers.choose(wanted(320), 0.0) == 0


def test_what_is_hidden_is_not_taken_at_all() -> None:
    layers = all_coming()
    assert layers.choose(HIDDEN, 0.0) == -1
    assert Layers(1).choose(HIDDEN, 0.0) == -1
    assert layers.bits_per_second(HIDDEN) == HIDDEN.bits_per_second


def test_a_sender_without_simulcast_is_taken_as_it_comes_and_asked_for_what_the_tile_needs() -> None:
    assert Layers(1).choose(wanted(1280), 0.0) == 0
    assert Layers(1).bits_per_second(wanted(320)) == 320_000


def test_when_a_layer_stops_the_nearest_is_taken_and_when_it_has_come_again_for_a_while_it_is_taken_again() -> None:
    layers = all_coming()
    assert layers.choose(wanted(1280), 0.0) == 2
    assert not layers.heard(2, False, SIZES[2], 10.0)
    assert layers.choose(wanted(1280), 10.0) == 1
    layers.heard(1, False, SIZES[1], 11.0)
    assert layers.choose(wanted(1280), 11.0) == 0
    assert layers.heard(2, True, SIZES[2], 12.0)
    assert layers.choose(wanted(1280), 12.0) == 0
    assert layers.choose(wanted(1280), 12.0 + RETURNS_S) == 2


def test_of_what_comes_again_first_something_is_taken_at_once() -> None:
    layers = all_coming()
    for number in range(3):
        layers.heard(number, False, SIZES[number], 1.0)
    assert layers.choose(wanted(1280), 1.0) == 0
    layers.heard(1, True, SIZES[1], 2.0)
    assert layers.choose(wanted(1280), 2.0) == 1


def test_the_order_of_the_layers_does_not_matter() -> None:
    layers = Layers(3)
    for number, size in enumerate(reversed(SIZES)):
        layers.heard(number, True, size, 0.0)
    assert [layers.choose(wanted(width), 0.0) for width in (160, 640, 1280)] == [2, 1, 0]


def test_lower_layers_have_room_below_the_wanted_one_also_while_that_has_stopped() -> None:
    layers = all_coming()
    assert [layers.bits_per_second(wanted(width)) for width in (320, 640, 1280)] == [320_000, 790_000, 1_930_000]
    layers.heard(2, False, SIZES[2], 1.0)
    assert layers.bits_per_second(wanted(1280)) == 1_930_000


@given(
    st.lists(st.tuples(st.integers(0, 2), st.booleans(), st.sampled_from([(0, 0), *SIZES])), max_size=12),
    st.integers(1, 1920),
)
def test_whatever_comes_a_layer_that_comes_is_taken_where_there_is_one(
    heard: list[tuple[int, bool, tuple[int, int]]], width: int
) -> None:
    layers, comes = Layers(3), set[int]()
    for number, coming, size in heard:
        layers.heard(number, coming, size, 0.0)
        comes = comes | {number} if coming else comes - {number}
        chosen = layers.choose(wanted(width), 0.0)
        assert chosen in comes if comes else 0 <= chosen < 3


class PaperPlane:
    def __init__(self) -> None:
        self.chosen: list[tuple[int, bool]] = []
        self.limits: list[int] = []

    def choose(self, leg: int, source: int, layer: int, thin: bool) -> None:
        assert (leg, source) == (7, CAMERA)
        self.chosen.append((layer, thin))

    def limit(self, leg: int, bits_per_second: int) -> None:
        assert leg == 7
        self.limits.append(bits_per_second)


def layer_event(number: int, comes: bool) -> Event:
    width, height = SIZES[number]
    return Event(LAYER, 7, CAMERA, number, int(comes), width, height, False, b"")


async def test_the_plane_is_told_what_changes_and_of_a_layer_that_returned_when_its_time_has_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(size_rules, "RETURNS_S", 0.01)
    plane, clock = PaperPlane(), ManualClock(0.0)
    anything: Any = plane
    legs = Incoming(anything, 7, {CAMERA: 3}, clock)
    for number in range(3):
        legs.on_layer(layer_event(number, True))
    assert plane.chosen == []  # nobody has asked for anything
    legs.want(CAMERA, wanted(1280))
    legs.want(CAMERA, wanted(1280))
    legs.want(CAMERA, wanted(320, thin=True))
    legs.want(CAMERA, wanted(1280))
    assert plane.chosen == [(2, False), (0, True), (2, False)]
    assert plane.limits == [1_930_000, 320_000, 1_930_000]
    legs.on_layer(layer_event(2, False))
    legs.on_layer(layer_event(2, True))
    assert plane.chosen[3:] == [(1, False)]
    clock.time = 0.0099  # timers may be a little early
    await asyncio.sleep(0.05)
    assert plane.chosen[4:] == [(2, False)]
    legs.end()
