"""Key frames coalesced, subscriptions, rates and pace: all with time as an argument."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcu.ids import LegId
from mcu.media.messages import Layout, Source, Tile
from mcu.media.picture import rates
from mcu.media.picture.classes import ClassKey, KeyGate, Subscriptions, ViewKey
from mcu.media.picture.pace import Pace
from mcu.media.picture.rates import HIDDEN, Meter, Rung, ladder, wanted_of
from mcu.media.seams import Wanted

A, B = LegId("leg_a"), LegId("leg_b")
VIEW = ViewKey(Layout.AUTO)
BEST, GOOD = ClassKey(VIEW, "H264", 0), ClassKey(VIEW, "H264", 1)
RATES = ladder(1280, 720)


def granted(requests: list[float], until: float) -> list[float]:
    """When key frames go out for these requests, at 30 frames a second."""
    gate, times = KeyGate(), []
    for number in range(round(until * 30)):
        now = number / 30
        while requests and requests[0] <= now:
            gate.request()
            requests = requests[1:]
        if gate.due(now):
            gate.granted(now)
            times.append(now)
    return times


def test_the_first_key_frame_is_granted_at_once_and_a_storm_gets_two_a_second() -> None:
    assert granted([number / 100 for number in range(150)], 2.0) == pytest.approx([0, 0.5, 1.0, 1.5])


@given(st.lists(st.floats(0, 5), max_size=60).map(sorted))
def test_key_frames_are_never_closer_than_half_a_second_and_no_request_waits_longer(requests: list[float]) -> None:
    times = granted(requests, 6.0)
    assert all(later - earlier >= 0.5 - 1e-9 for earlier, later in itertools.pairwise(times))
    assert all(any(request <= time <= request + 0.5 + 2 / 30 for time in times) for request in requests)


def test_a_key_frame_that_was_thrown_away_is_due_again_at_once() -> None:
    gate = KeyGate()
    gate.request()
    gate.granted(1.0)
    gate.refused()
    assert gate.due(1.01)


def test_a_leg_gets_a_class_from_its_next_key_frame_and_keeps_the_former_until_then() -> None:
    subscriptions = Subscriptions()
    assert subscriptions.want(A, BEST)
    assert subscriptions.receivers(BEST) == []
    subscriptions.key_frame(BEST)
    assert subscriptions.receivers(BEST) == [A]
    assert subscriptions.want(A, GOOD)
    assert not subscriptions.want(A, GOOD)
    assert (subscriptions.receivers(BEST), subscriptions.used()) == ([A], {BEST, GOOD})
    subscriptions.key_frame(GOOD)
    assert (subscriptions.receivers(BEST), subscriptions.receivers(GOOD)) == ([], [A])
    assert subscriptions.used() == {GOOD}


def test_a_leg_that_changes_its_mind_stays_where_it_is() -> None:
    subscriptions = Subscriptions()
    subscriptions.want(A, BEST)
    subscriptions.key_frame(BEST)
    subscriptions.want(A, GOOD)
    assert not subscriptions.want(A, BEST)
    subscriptions.key_frame(GOOD)
    assert subscriptions.receivers(BEST) == [A]


def test_a_leg_that_left_gets_nothing() -> None:
    subscriptions = Subscriptions()
    for leg in (A, B):
        subscriptions.want(leg, BEST)
    subscriptions.drop(A)
    subscriptions.key_frame(BEST)
    assert subscriptions.receivers(BEST) == [B]


def test_a_view_has_three_classes_and_they_follow_its_size() -> None:
    assert RATES == (2_000_000, 1_000_000, 400_000)
    assert all(small < large for small, large in zip(ladder(640, 360), RATES, strict=True))


@pytest.mark.parametrize(("estimate", "index"), [(5_000_000, 0), (1_900_000, 1), (900_000, 2), (100_000, 2)])
def test_a_leg_begins_on_the_best_rung_that_it_can_receive(estimate: int, index: int) -> None:
    assert Rung(RATES, estimate, 0.0).index == index


def run(rung: Rung, start: float, seconds: float, line: int) -> int:
    """Half a second at a time, as the mixer does."""
    for step in range(round(2 * seconds)):
        rung.update(start + step / 2, line)
    return rung.index


def test_a_leg_whose_line_narrows_goes_down_at_once_and_as_far_as_it_must() -> None:
    assert Rung(RATES, 2_500_000, 0.0).update(0.5, 1_700_000) == 1
    assert Rung(RATES, 2_500_000, 0.0).update(0.5, 180_000) == 2


def test_a_line_that_is_a_little_below_its_rung_moves_nobody() -> None:
    assert run(Rung(RATES, 2_000_000, 0.0), 1, 60, 1_850_000) == 0


def test_a_leg_goes_up_when_there_has_been_room_for_a_second_and_not_sooner() -> None:
    rung = Rung(RATES, 300_000, 0.0)
    assert run(rung, 1, 1, 2_400_000) == 2
    assert run(rung, 2, 1, 2_400_000) == 0  # to the best that there is room for


def test_a_line_that_has_just_room_for_the_next_rung_is_not_tried() -> None:
    assert run(Rung(RATES, 500_000, 0.0), 1, 60, 1_100_000) == 2


def test_a_leg_that_soon_had_to_come_down_waits_longer_before_it_goes_up_again() -> None:
    rung, now, waits = Rung(RATES, 500_000, 0.0), 0.0, []
    for _ in range(5):
        begun = now
        while rung.update(now, 1_300_000) != 1:
            now += 0.5
        waits.append(now - begun)
        rung.update(now := now + 1, 500_000)
        now += 0.5
    assert waits[:3] == [1.0, 2.0, 4.0]
    assert waits[-1] == rates.ROOM_AGAIN_FOR_S


@given(st.lists(st.integers(0, 5_000_000), max_size=200))
def test_whatever_a_line_does_a_leg_stands_on_a_rung_and_within_its_limits(lines: list[int]) -> None:
    rung = Rung(RATES, 1_000_000, 0.0)
    for second, line in enumerate(lines):
        assert rung.update(float(second), line) in (0, 1, 2)
        assert rates.LOWEST_SHARE * RATES[-1] - 1 <= rung.limit <= RATES[-1]


def test_a_thin_line_lowers_the_limit_of_the_lowest_class_at_once_and_it_grows_back() -> None:
    rung = Rung(RATES, 300_000, 0.0)
    rung.update(0.5, 250_000)
    assert rung.limit == pytest.approx(225_000)
    run(rung, 1, 3, 420_000)
    assert 225_000 < rung.limit < 330_000
    run(rung, 4, 20, 450_000)
    assert rung.limit == RATES[-1]


def test_there_is_use_for_more_than_the_best_rungs_of_all_pictures_need() -> None:
    assert rates.use_of(RATES, (1_000_000,)) > 1.15 * 3_000_000


def test_a_meter_measures_what_is_sent_and_forgets_it() -> None:
    meter = Meter(0.0)
    for number in range(300):
        meter.add(number / 30, 4000)
    assert meter.rate(10.0) == pytest.approx(960_000, rel=0.05)
    assert meter.rate(40.0) < 10


def tile(width: int, source: Source = Source.CAMERA) -> Tile:
    return Tile(leg=A, source=source, x=0, y=0, width=width, height=width * 9 // 16)


def test_senders_are_asked_for_what_their_largest_tile_needs() -> None:
    assert wanted_of([tile(320), tile(960)]) == Wanted(width=960, height=540, bits_per_second=1_200_000)
    assert wanted_of([tile(320)], thin=True) == Wanted(width=320, height=180, bits_per_second=300_000, thin=True)
    assert wanted_of([tile(320, Source.SCREEN)]).bits_per_second == 2_500_000
    assert wanted_of([]) == HIDDEN
    assert HIDDEN.hidden


def test_frames_are_steady_and_missed_ones_are_left_out_without_a_burst() -> None:
    pace = Pace(10)
    pace.begin(5.0)
    assert pace.next(5.0) == pytest.approx(5.0)
    assert pace.next(5.02) == pytest.approx(5.1)
    assert pace.next(5.47) == pytest.approx(5.4)
    assert (pace.skipped, pace.late) == (2, 0)
    pace.started(5.47)
    assert pace.late == 1
    assert pace.next(5.48) == pytest.approx(5.5)
