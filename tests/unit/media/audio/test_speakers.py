"""Who has the floor, and who speaks at all."""

import pytest

from mcu.ids import LegId
from mcu.media.audio.speaker import SpeakerDetector

A, B, C = LegId("leg_a"), LegId("leg_b"), LegId("leg_c")
SPEECH = [22, 20, 24, 30, 26, 21, 23, 45, 25, 22]  # -dBov, tick by tick
NOISE = 70


def listen(detector: SpeakerDetector, ticks: int, **speaking: bool) -> SpeakerDetector:
    for at in range(ticks):
        detector.hear({LegId(f"leg_{leg}"): SPEECH[at % 10] if loud else NOISE for leg, loud in speaking.items()})
    return detector


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
    detector.forget(A)
    listen(detector, 1, b=False)
    assert detector.active is None
    assert not detector.speaking


def test_who_is_not_among_the_talkers_is_silent_and_forgotten_after_a_second_but_keeps_the_floor() -> None:
    said, unsaid = listen(SpeakerDetector(), 50, a=True), listen(SpeakerDetector(), 50, a=True)
    for _ in range(51):
        said.hear({A: 127})
        unsaid.hear({})
        assert said.speaking == unsaid.speaking
    assert unsaid.active == A
    assert not unsaid._voices
    assert listen(unsaid, 30, b=True).active == B
