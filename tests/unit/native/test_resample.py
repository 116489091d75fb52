"""The resamplers and the correction of drift, by their frequency response and what they do to a sine."""

import ctypes
import itertools

import native_sound as sound
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from native_sound import Samples, library, pointer, tone

TAPS = 32
FACTORS = (3, 6)


class Resampler:
    def __init__(self, factor: int) -> None:
        self.factor = factor
        self._state = np.zeros(6 * TAPS, np.int16)

    def up(self, samples: Samples) -> Samples:
        out = np.zeros(len(samples) * self.factor, np.int16)
        self._call(library.mcu_upsample, samples, out)
        return out

    def down(self, samples: Samples) -> Samples:
        out = np.zeros(len(samples) // self.factor, np.int16)
        self._call(library.mcu_downsample, samples, out)
        return out

    def _call(self, function: "ctypes._NamedFuncPointer", samples: Samples, out: Samples) -> None:
        samples = np.ascontiguousarray(samples)
        function(pointer(self._state), self.factor, pointer(samples), ctypes.c_size_t(len(samples)), pointer(out))


class DriftState(ctypes.Structure):
    _fields_ = [("position", ctypes.c_double), ("history", ctypes.c_int16 * 8)]


class Drift:
    def __init__(self) -> None:
        self._state = DriftState()

    def read(self, samples: Samples, ppm: float, count: int) -> tuple[Samples, int]:
        """(made, how many of `samples` are used up)"""
        out = np.zeros(count, np.int16)
        samples = np.ascontiguousarray(samples)
        assert len(samples) >= count + count // 100 + 8
        size = ctypes.c_size_t(count)
        used = library.mcu_drift(ctypes.byref(self._state), ctypes.c_double(ppm), pointer(samples), pointer(out), size)
        return out, used

    def all(self, samples: Samples, ppms: npt.NDArray[np.float64]) -> Samples:
        """A tick for each of `ppms`."""
        made, at = [], 0
        for ppm in ppms:
            tick, used = self.read(samples[at:], float(ppm), sound.TICK)
            made.append(tick)
            at += used
        return np.concatenate(made)


def taps(factor: int) -> npt.NDArray[np.float64]:
    """The filter, from what becomes of single samples: as upsampling is linear, its response to one is the taps."""
    pulse = np.zeros(2 * TAPS, np.int16)
    pulse[0] = 16_384
    return Resampler(factor).up(pulse)[: factor * TAPS] / 16_384


@pytest.mark.parametrize("factor", FACTORS)
def test_the_passband_is_flat_and_the_stopband_is_60_db_down(factor: int) -> None:
    response = np.abs(np.fft.rfft(taps(factor), 1 << 16)) / factor
    lower_rate = np.linspace(0, factor / 2, len(response))
    passed = 20 * np.log10(response[lower_rate <= 0.45])
    assert np.abs(passed).max() < 0.1
    assert 20 * np.log10(response[lower_rate >= 0.55].max()) < -60


@pytest.mark.parametrize("factor", FACTORS)
def test_the_phase_is_linear_and_the_delay_16_samples_of_the_lower_rate(factor: int) -> None:
    filtered = taps(factor)
    assert np.abs(filtered - filtered[::-1]).max() < 5 / 16_384
    low = tone(300, 1, rate=sound.RATE // factor)
    high = tone(300, 1)
    assert abs(sound.delay_of(high, Resampler(factor).up(low)) - 16 * factor) <= factor // 2


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("hertz", [100, 1_000, 3_400])
def test_a_tone_comes_through_downwards(factor: int, hertz: int) -> None:
    settled = slice(2 * TAPS, None)
    got = Resampler(factor).down(tone(hertz, 1))[settled].astype(np.float64)
    at = 2 * np.pi * hertz * factor / sound.RATE * np.arange(len(got))
    basis = np.stack([np.sin(at), np.cos(at)])
    fit = got @ basis.T @ np.linalg.inv(basis @ basis.T)
    assert np.hypot(*fit) == pytest.approx(8_000, rel=0.01)
    noise = got - fit @ basis
    assert 10 * np.log10((fit @ basis @ basis.T @ fit) / (noise @ noise)) > 60


@pytest.mark.parametrize("factor", FACTORS)
def test_what_the_lower_rate_cannot_hold_does_not_fold_down(factor: int) -> None:
    lower_rate = sound.RATE / factor
    for hertz in (0.56 * lower_rate, 0.8 * lower_rate, 1.02 * lower_rate, 1.4 * lower_rate):
        folded = Resampler(factor).down(tone(hertz, 0.5))[2 * TAPS :].astype(np.float64)
        assert np.sqrt((folded**2).mean()) < 8_000 / np.sqrt(2) / 900  # 60 dB, and the rounding


@pytest.mark.parametrize("factor", FACTORS)
@given(cuts=st.lists(st.integers(0, 700), min_size=1, max_size=6), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_the_sound_is_the_same_however_it_is_cut(factor: int, cuts: list[int], seed: int) -> None:
    samples = np.random.default_rng(seed).integers(-32768, 32768, sum(cuts) * factor).astype(np.int16)
    whole, parts = Resampler(factor), Resampler(factor)
    places = np.cumsum([0, *cuts])
    down = [parts.down(samples[a * factor : b * factor]) for a, b in itertools.pairwise(places)]
    assert np.array_equal(whole.down(samples), np.concatenate(down))
    whole, parts = Resampler(factor), Resampler(factor)
    up = [parts.up(samples[a:b]) for a, b in itertools.pairwise(places)]
    assert np.array_equal(whole.up(samples[: places[-1]]), np.concatenate(up))


@pytest.mark.parametrize("factor", FACTORS)
def test_full_scale_is_limited_and_does_not_wrap(factor: int) -> None:
    square = np.where(np.arange(400) // 20 % 2, 32767, -32768).astype(np.int16)
    got = Resampler(factor).up(square)
    want = np.repeat(square, factor)
    late = got[16 * factor :]
    sure = np.abs(np.convolve(want[: len(late)], np.ones(9 * factor), "same")) > 0.99 * 9 * factor * 32767
    assert (np.sign(late[sure]) == np.sign(want[: len(late)][sure])).all()


@pytest.mark.parametrize("hertz", [440, 1_000, 4_000, 8_000])
@pytest.mark.parametrize("ppm", [300, -300, 20, 5_000])
def test_drift_reads_a_sine_at_its_own_rate_without_noise(hertz: int, ppm: int) -> None:
    got = Drift().all(tone(hertz, 3.1), np.full(150, ppm))[sound.TICK :].astype(np.float64)
    at = 2 * np.pi * hertz * (1 + ppm / 1e6) / sound.RATE * np.arange(len(got))
    basis = np.stack([np.sin(at), np.cos(at)])
    fit = got @ basis.T @ np.linalg.inv(basis @ basis.T)
    noise = got - fit @ basis
    assert 10 * np.log10((got @ got) / (noise @ noise)) > 60


@pytest.mark.parametrize("hertz", [200, 1_000])
def test_a_change_of_ppm_is_no_click(hertz: int) -> None:
    said = tone(hertz, 3.1)
    ppms = np.tile([0, 300, -300, 5_000, -5_000, 0], 25).astype(np.float64)
    got = Drift().all(said, ppms)[100:]
    rounding = 3  # of each of the three samples that a second difference is of, and the table's
    assert sound.roughest_step(got) < 1.02 * sound.roughest_step(said) + rounding


@given(
    ppms=st.lists(st.floats(-5_000, 5_000), min_size=1, max_size=40),
    counts=st.lists(st.integers(0, 2_000), min_size=1, max_size=10),
)
@settings(max_examples=60, deadline=None)
def test_drift_uses_up_what_it_made_times_the_rate(ppms: list[float], counts: list[int]) -> None:
    drift, silence = Drift(), np.zeros(3_000, np.int16)
    used = want = 0.0
    for ppm, count in zip(ppms, counts, strict=False):
        used += drift.read(silence, ppm, count)[1]
        want += count * (1 + ppm / 1e6)
    assert want - 1 - 1e-6 <= used <= want + 1e-6


def test_without_drift_the_sound_is_the_same_5_samples_later() -> None:
    said = np.random.default_rng(1).integers(-32768, 32768, 4_000).astype(np.int16)
    got = Drift().all(said, np.zeros(3))
    assert np.array_equal(got[5:], said[: len(got) - 5])
