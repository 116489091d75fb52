"""What the mixer keeps of a leg ends with it."""

from mcu.ids import LegId
from mcu.media.audio.input import AudioInput
from mcu.media.audio.mixer import AudioMixer
from mcu.media.messages import NoticeKind
from mcu.media.seams import Cue

A, B = LegId("leg_a"), LegId("leg_b")


def test_a_leg_that_is_forgotten_and_here_again_in_the_next_tick_is_mixed_for() -> None:
    mixer = AudioMixer(5)
    inputs = {leg: AudioInput(leg) for leg in (A, B)}
    cues = {A: [Cue(NoticeKind.JOINED, 0)], B: [Cue(NoticeKind.LEFT, 0)]}
    mixer.mix(inputs, frozenset(), frozenset(), cues, [A, B])
    for leg in (A, B):
        mixer.forget(leg)
    mixed = mixer.mix(inputs, frozenset(), frozenset(), cues, [A, B])
    assert set(mixed.payloads) == {A, B}
