"""Tones, and what can be measured of them."""

import wave
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from mcu.demo.check import amplitudes
from mcu.demo.sources import encode
from mcu.demo.taps import OpusDecoder
from mcu.media.seams import SAMPLE_RATE, TICK_SAMPLES, Samples

_PIECE = 2 * TICK_SAMPLES


def tone(hertz: float, ticks: int, amplitude: float = 6000) -> Samples:
    """A sine that begins at zero."""
    phase = 2 * np.pi * hertz * np.arange(ticks * TICK_SAMPLES) / SAMPLE_RATE
    return np.round(amplitude * np.sin(phase)).astype(np.int16)


def noise(ticks: int, amplitude: float = 3000, seed: int = 1) -> Samples:
    random = np.random.default_rng(seed)
    return np.clip(random.normal(0, amplitude, ticks * TICK_SAMPLES), -32768, 32767).astype(np.int16)


def quiet(ticks: int) -> Samples:
    return np.zeros(ticks * TICK_SAMPLES, np.int16)


def record(path: Path, samples: Samples, rate: int = SAMPLE_RATE) -> None:
    """As a WAV file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())


def joined(ticks: Iterable[Samples | None]) -> Samples:
    return np.concatenate([np.zeros(TICK_SAMPLES, np.int16) if tick is None else tick for tick in ticks])


def through_opus(samples: Samples) -> Samples:
    """As a browser hears it: encoded and decoded, and late by the codec's 6.5 ms."""
    decoder = OpusDecoder()
    return np.concatenate([decoder.decode(spoken.payload) for spoken in encode(samples)])


def strength(samples: Samples, hertz: float) -> float:
    """The mean amplitude of one frequency (16-bit steps), by pieces of 40 ms: phases may jump between them."""
    found = amplitudes(samples, hertz, _PIECE)
    return float(found.mean()) if found.size else 0.0


def loudest_click(samples: Samples, hertz: float, block: int = 240) -> float:
    """The greatest departure from a steady tone, block by block, as a share of its amplitude.

    The tone is fitted to each block (amplitude and phase are free); what is left over is noise and clicks.
    """
    angle = 2 * np.pi * hertz * np.arange(block) / SAMPLE_RATE
    basis = np.stack([np.sin(angle), np.cos(angle)], axis=1)
    blocks = samples[: samples.size // block * block].reshape(-1, block).astype(float)
    fit, *_ = np.linalg.lstsq(basis, blocks.T, rcond=None)
    left = blocks.T - basis @ fit
    return float(np.abs(left).max() / np.abs(blocks).max())


def share(samples: Samples, hertz: float, seconds: float, rate: int = SAMPLE_RATE) -> float:
    """The share of the last seconds that is at one frequency, 0 … 1."""
    last = samples[-int(seconds * rate) :].astype(np.float64)
    if not last.size or np.mean(last**2) < 100:
        return 0.0
    spectrum = np.abs(np.fft.rfft(last * np.hanning(last.size))) ** 2
    at = round(hertz * last.size / rate)
    return float(spectrum[at - 5 : at + 6].sum() / spectrum.sum())
