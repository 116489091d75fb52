"""Time stretching: the pitch stays, nothing clicks, and what has no pitch is left alone."""

import ctypes

import native_sound as sound
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from native_sound import Samples, library, pointer, tone

from mcu.demo.voice import speech

LEAST, SHORTEST, LONGEST = 1_440, 120, 720


def stretched(function: str, samples: Samples, least_match: float) -> tuple[Samples, float]:
    samples = np.ascontiguousarray(samples)
    out = np.zeros(2 * len(samples), np.int16)
    match = ctypes.c_double()
    count = getattr(library, function)(
        pointer(samples),
        ctypes.c_size_t(len(samples)),
        ctypes.c_double(least_match),
        pointer(out),
        ctypes.byref(match),
    )
    return out[:count].copy(), match.value


BOTH = pytest.mark.parametrize(("function", "sign"), [("mcu_shrink", -1), ("mcu_grow", 1)])


@BOTH
@pytest.mark.parametrize("hertz", [90, 217, 440, 1_000, 3_333])
@pytest.mark.parametrize("count", [1_440, 1_920, 2_880])
def test_a_tone_is_changed_by_a_period_without_a_click(function: str, sign: int, hertz: int, count: int) -> None:
    said = tone(hertz, 0.1)[:count]
    made, match = stretched(function, said, 0.9)
    assert match > 0.98
    assert SHORTEST <= sign * (len(made) - count) <= LONGEST
    assert sound.roughest_step(made) < 1.1 * sound.roughest_step(said) + 4


@BOTH
@pytest.mark.parametrize("hertz", [150.0, 440.0, 1_234.5])
def test_the_pitch_is_what_it_was(function: str, sign: int, hertz: int) -> None:
    """Over a second in which every second 40 ms are changed, sine waves pass through zero as often as before."""
    said = tone(hertz, 2)
    made = []
    for number, start in enumerate(range(0, len(said) - 1_919, 1_920)):
        part = said[start : start + 1_920]
        made.append(stretched(function, part, 0.9)[0] if number % 2 else part)
    got = np.concatenate(made)
    assert sign * (len(got) - len(said)) > 24 * SHORTEST
    crossings = np.count_nonzero(np.diff(np.signbit(got)))
    assert crossings / 2 / (len(got) / sound.RATE) == pytest.approx(hertz, rel=0.01)


@BOTH
@pytest.mark.parametrize("pitch", [110, 210])
def test_voiced_speech_is_stretched_without_a_click(function: str, sign: int, pitch: int) -> None:
    said = speech(3.0, pitch, 3)
    roughest = sound.roughest_step(said)
    changed = 0
    for start in range(0, len(said) - 1_920, 1_920):
        part = said[start : start + 1_920]
        made, _ = stretched(function, part, 0.9)
        changed += len(made) != len(part)
        assert sound.roughest_step(made) <= 1.2 * roughest
    assert changed > 40  # of 74


@BOTH
@given(seed=st.integers(0, 999), count=st.integers(LEAST, 4_000))
@settings(max_examples=40, deadline=None)
def test_hiss_is_left_alone(function: str, sign: int, seed: int, count: int) -> None:
    said = np.random.default_rng(seed).integers(-9_000, 9_000, count).astype(np.int16)
    made, match = stretched(function, said, 0.5)
    assert match < 0.5
    assert np.array_equal(made, said)


@BOTH
def test_what_is_quiet_may_be_changed_at_any_match(function: str, sign: int) -> None:
    quiet = np.random.default_rng(1).integers(-30, 31, 1_920).astype(np.int16)
    made, match = stretched(function, quiet, 1.0)
    assert match == 1
    assert len(made) == 1_920 + sign * LONGEST


@BOTH
@given(
    seed=st.integers(0, 999),
    count=st.integers(0, 4_000),
    hertz=st.floats(20, 8_000),
    loud=st.integers(0, 32_767),
)
@settings(max_examples=80, deadline=None)
def test_the_ends_are_the_sound_s_own(function: str, sign: int, seed: int, count: int, hertz: float, loud: int) -> None:
    said = tone(hertz, 0.1, amplitude=loud)[:count]
    made, _ = stretched(function, said, -2 if seed % 2 else 0.8)
    assert SHORTEST <= sign * (len(made) - count) <= LONGEST or len(made) == count
    if len(made) != count:
        first_blended = 65_536 // LONGEST + 1  # where the longest period leaves nothing else of 30 ms
        assert abs(int(made[0]) - said[0]) <= first_blended
        assert abs(int(made[-1]) - said[-1]) <= first_blended


@BOTH
def test_less_than_30_ms_is_left_alone(function: str, sign: int) -> None:
    said = tone(440, 0.1)[: LEAST - 1]
    made, match = stretched(function, said, 0.0)
    assert match < 0
    assert np.array_equal(made, said)
