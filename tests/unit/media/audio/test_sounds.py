"""The sounds of the notices."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sound import noise, quiet, through_opus, tone

from mcu.demo.sources import level
from mcu.media.audio.sounds import SOUNDS, detect, piece
from mcu.media.messages import NoticeKind
from mcu.media.seams import TICK_MS, TICK_SAMPLES, Cue, Samples

KINDS = list(NoticeKind)


@pytest.mark.policy("S5.3-3")
def test_every_kind_of_notice_has_a_sound_that_is_heard() -> None:
    assert set(SOUNDS) == set(NoticeKind)
    assert {level(sound) for sound in SOUNDS.values()} == {18}


@pytest.mark.policy("S5.3-1")
@pytest.mark.parametrize("kind", KINDS)
def test_a_sound_is_whole_ticks_and_at_most_600_ms(kind: NoticeKind) -> None:
    assert SOUNDS[kind].size % TICK_SAMPLES == 0
    assert SOUNDS[kind].size // TICK_SAMPLES * TICK_MS <= 600


@pytest.mark.parametrize("kind", KINDS)
def test_a_sound_begins_and_ends_at_zero_without_a_click(kind: NoticeKind) -> None:
    sound = SOUNDS[kind].astype(int)
    assert sound[0] == 0
    assert abs(sound[-1]) <= 1
    assert np.abs(np.diff(sound, n=2)).max() < 0.06 * np.abs(sound).max()


@pytest.mark.parametrize("kind", KINDS)
def test_the_pieces_of_a_sound_make_the_whole(kind: NoticeKind) -> None:
    count = SOUNDS[kind].size // TICK_SAMPLES
    np.testing.assert_array_equal(np.concatenate([piece(Cue(kind, at)) for at in range(count)]), SOUNDS[kind])
    for beyond in (-1, count):
        with pytest.raises(IndexError):
            piece(Cue(kind, beyond))


@pytest.mark.parametrize("kind", KINDS)
def test_each_sound_is_found_where_it_is_and_none_other(kind: NoticeKind) -> None:
    recording = np.concatenate([quiet(20), SOUNDS[kind], quiet(20)])
    assert detect(recording) == [(kind, 20 * TICK_SAMPLES)]


@pytest.mark.parametrize("kind", KINDS)
def test_each_sound_is_found_in_what_a_browser_decodes_under_speech_like_noise_and_a_tone(kind: NoticeKind) -> None:
    mixed = np.concatenate([quiet(15), SOUNDS[kind], quiet(15)])
    mixed = mixed + noise(mixed.size // TICK_SAMPLES, 800) + tone(350, mixed.size // TICK_SAMPLES, 3000)
    ((found, start),) = detect(through_opus(mixed.astype(np.int16)))
    assert found is kind
    assert abs(start - 15 * TICK_SAMPLES) < 20 * 48


def test_all_sounds_at_once_are_all_found() -> None:
    mixed = np.zeros(60 * TICK_SAMPLES, np.int32)
    for kind in KINDS:
        mixed[4800 : 4800 + SOUNDS[kind].size] += SOUNDS[kind]
    found = detect(np.clip(mixed, -32768, 32767).astype(np.int16))
    assert {kind for kind, _ in found} == set(KINDS)
    assert len(found) == len(KINDS)


@settings(max_examples=15, deadline=None)
@given(hertz=st.floats(80, 4000), amplitude=st.floats(100, 20000))
def test_no_steady_tone_is_taken_for_a_notice(hertz: float, amplitude: float) -> None:
    def humming(ticks: int) -> Samples:
        return tone(hertz, ticks, amplitude)

    assert detect(humming(40)) == []
