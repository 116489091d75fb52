"""Who is mixed, and who has the floor."""

import pytest

from mcu.ids import LegId
from mcu.media.audio.loudest import Loudest
from mcu.media.audio.speaker import SpeakerDetector

A, B, C = LegId("leg_a"), LegId("leg_b"), LegId("leg_c")
SPEECH = [22, 20, 24, 30, 26, 21, 23, 45, 25, 22]  # -dBov, tick by tick
NOISE = 70


def listen(detector: SpeakerDetector, ticks: int, **speaking: bool) -> SpeakerDetector:
    for at in range(ticks):
        detector.hear({LegId(f"leg_{leg}"): SPEECH[at % 10] if loud else NOISE for leg, loud in speaking.items()})
    return detector


def test_the_loudest_few_are_chosen_loudest_first() -> None:
    assert Loudest(2).pick({A: 40, B: 20, C: 30}) == [B, C]


def test_a_quiet_room_has_no_talkers() -> None:
    assert Loudest(5).pick({A: 65, B: 127}) == []


def test_a_talker_is_not_cut_between_two_words() -> None:
    loudest = Loudest(5)
    loudest.pick({A: 25})
    assert all(loudest.pick({A: 90}) == [A] for _ in range(30))
    for _ in range(30):
        last = loudest.pick({A: 90})
    assert last == []


def test_two_that_are_equally_loud_do_not_take_turns() -> None:
    loudest = Loudest(1)
    chosen = [loudest.pick({A: 25 + tick % 3, B: 27 - tick % 3})[0] for tick in range(50)]
    assert len(set(chosen)) == 1


def test_a_clearly_louder_one_takes_the_place_at_once() -> None:
    loudest = Loudest(1)
    loudest.pick({A: 40, B: 60})
    assert loudest.pick({A: 40, B: 20}) == [B]


def test_a_leg_that_may_no_longer_be_heard_is_not_chosen_though_it_just_spoke() -> None:
    loudest = Loudest(5)
    loudest.pick({A: 20, B: 30})
    assert loudest.pick({B: 30}) == [B]


def test_nobody_has_the_floor_before_anybody_spoke() -> None:
    detector = listen(SpeakerDetector(), 100, a=False, b=False)
    assert detector.active is None
    assert not detector.speaking


def test_the_first_to_speak_has_the_floor_and_keeps_it_in_silence() -> None:
    detector = listen(SpeakerDetector(), 20, a=True, b=False)
    assert (detector.active, detector.speaking) == (A, {A})
    listen(detector, 100, a=False, b=False)
    assert (detector.active, detector.speaking) == (A, frozenset())


@pytest.mark.parametrize("ticks", [1, 3, 8])
def test_a_cough_does_not_take_the_floor(ticks: int) -> None:
    detector = listen(SpeakerDetector(), 100, a=True, b=False)
    for _ in range(ticks):
        detector.hear({A: 22, B: 5})
    assert listen(detector, 60, a=True, b=False).active == A


def test_the_floor_passes_within_a_second_and_a_half_to_whoever_speaks_next() -> None:
    detector = listen(SpeakerDetector(), 150, a=True, b=False)
    assert listen(detector, 75, a=False, b=True).active == B


def test_the_floor_does_not_move_while_two_speak_at_once() -> None:
    detector = listen(SpeakerDetector(), 100, a=True, b=False)
    assert listen(detector, 300, a=True, b=True).active == A
    assert detector.speaking == {A, B}


def test_a_steady_noise_does_not_keep_the_floor_from_speech() -> None:
    detector = listen(SpeakerDetector(), 20, a=True, b=False)
    for _ in range(200):
        detector.hear({A: 127, B: 127, C: 127})
    for at in range(150):
        detector.hear({A: NOISE, B: SPEECH[at % 10], C: 60})
    assert detector.active == B


def test_whoever_is_gone_has_not_the_floor() -> None:
    detector = listen(SpeakerDetector(), 50, a=True, b=False)
    listen(detector, 1, b=False)
    assert detector.active is None
    assert not detector.speaking
