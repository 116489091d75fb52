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


def run(rung: Rung, start: float, seconds: int, estimate: int, sent: float) -> int:
    for second in range(seconds):
        rung.update(start + second, estimate, sent)
    return rung.index


def test_a_leg_whose_network_is_full_goes_down() -> None:
    assert run(Rung(RATES, 2_500_000, 0.0), 1, 3, 700_000, 1_900_000) == 2


def test_one_odd_report_moves_nobody() -> None:
    rung = Rung(RATES, 2_500_000, 0.0)
    assert rung.update(1.0, 300_000, 1_900_000) == 0
    assert rung.update(2.0, 2_500_000, 1_900_000) == 0


def test_a_low_estimate_while_little_is_sent_is_no_reason_to_go_down() -> None:
    assert run(Rung(RATES, 2_500_000, 0.0), 1, 60, 150_000, 100_000) == 0


def test_a_leg_goes_up_when_there_has_been_room_for_five_seconds() -> None:
    rung = Rung(RATES, 1_500_000, 0.0)
    assert run(rung, 1, 5, 2_400_000, 900_000) == 1
    assert run(rung, 6, 2, 2_400_000, 900_000) == 0


def test_an_estimate_that_cannot_grow_by_itself_is_tried_and_a_failed_try_is_not_soon_repeated() -> None:
    rung = Rung(RATES, 300_000, 0.0)
    assert run(rung, 1, 8, 600_000, 400_000) == 2
    assert run(rung, 9, 3, 600_000, 400_000) == 1  # tried after ten seconds
    assert run(rung, 12, 3, 500_000, 950_000) == 2  # and it did not hold
    assert run(rung, 16, 14, 600_000, 400_000) == 2  # so the next try waits longer
    assert run(rung, 30, 8, 600_000, 400_000) == 1


@given(st.lists(st.tuples(st.integers(0, 5_000_000), st.floats(0, 3_000_000)), max_size=200))
def test_whatever_is_reported_a_leg_stands_on_a_rung_and_within_its_limits(reports: list[tuple[int, float]]) -> None:
    rung = Rung(RATES, 1_000_000, 0.0)
    for second, (estimate, sent) in enumerate(reports):
        assert rung.update(float(second), estimate, sent) in (0, 1, 2)
        assert rates.LOWEST_SHARE * RATES[-1] - 1 <= rung.limit <= RATES[-1]


def test_a_full_network_in_the_lowest_class_lowers_its_limit_which_grows_back() -> None:
    rung = Rung(RATES, 300_000, 0.0)
    run(rung, 1, 3, 250_000, 400_000)
    assert rung.limit == pytest.approx(225_000)
    run(rung, 4, 20, 600_000, 225_000)
    assert rung.limit == RATES[-1]


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
