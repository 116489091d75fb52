"""Tones, packets and what can be measured of them."""

from collections.abc import Iterable, Sequence

import numpy as np

from mcu.ids import LegId
from mcu.media.audio.input import AudioInput
from mcu.media.audio.level import level_of
from mcu.media.audio.opus import OpusDecoder, OpusEncoder
from mcu.media.seams import SAMPLE_RATE, TICK_SAMPLES, AudioPacket, Samples


def tone(hertz: float, ticks: int, amplitude: float = 6000) -> Samples:
    """A sine that begins at zero."""
    phase = 2 * np.pi * hertz * np.arange(ticks * TICK_SAMPLES) / SAMPLE_RATE
    return np.round(amplitude * np.sin(phase)).astype(np.int16)


def noise(ticks: int, amplitude: float = 3000, seed: int = 1) -> Samples:
    random = np.random.default_rng(seed)
    return np.clip(random.normal(0, amplitude, ticks * TICK_SAMPLES), -32768, 32767).astype(np.int16)


def quiet(ticks: int) -> Samples:
    return np.zeros(ticks * TICK_SAMPLES, np.int16)


def packets(samples: Samples, *, level: int | str | None = "measured") -> list[AudioPacket]:
    """Opus packets of one tick each, on time. `level`: what each says of itself; "measured" is the truth."""
    encoder = OpusEncoder()
    made = []
    for number, frame in enumerate(samples.reshape(-1, TICK_SAMPLES)):
        said = level_of(frame) if level == "measured" else level
        assert not isinstance(said, str)
        made.append(
            AudioPacket(
                sequence=number,
                timestamp=number * TICK_SAMPLES,
                payload=encoder.encode(frame),
                level=said,
                arrived=number * 0.02,
            )
        )
    return made


def played(arrivals: Iterable[Sequence[AudioPacket]], source: AudioInput | None = None) -> list[Samples | None]:
    """What comes out, tick by tick, when these packets come in before each tick."""
    source = source or AudioInput(LegId("leg_a"))
    out = []
    for arriving in arrivals:
        for packet in arriving:
            source.push(packet)
        out.append(source.pop(decode=True))
    return out


def joined(ticks: Iterable[Samples | None]) -> Samples:
    return np.concatenate([np.zeros(TICK_SAMPLES, np.int16) if tick is None else tick for tick in ticks])


def decoded(payloads: Iterable[bytes]) -> Samples:
    """As a browser hears it."""
    decoder = OpusDecoder()
    return np.concatenate([decoder.decode(payload) for payload in payloads])


def strength(samples: Samples, hertz: float) -> float:
    """Amplitude of one frequency in a recording."""
    window = np.hanning(samples.size)
    phase = np.exp(-2j * np.pi * hertz * np.arange(samples.size) / SAMPLE_RATE)
    return float(2 * abs(np.sum(samples * window * phase)) / window.sum())


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
