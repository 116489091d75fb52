"""The sounds of the notices: made by code, each of notes that no other has, so that each is heard and found in a mix.

A sound can be chosen by changing it here; there is none that is silent (S5.3-3). Each is whole ticks long, at most
600 ms (S5.3-1), begins and ends at zero, and has an RMS of -18 dBFS.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mcu.media.messages import NoticeKind
from mcu.media.seams import SAMPLE_RATE, TICK_SAMPLES, Cue, Samples

_RMS = 32768 * 10 ** (-18 / 20)
_ATTACK_S, _RELEASE_S, _DECAY_S = 0.008, 0.030, 0.25

_Note = tuple[float, int]  # hertz, ticks
_NOTES: dict[NoticeKind, Sequence[_Note]] = {
    NoticeKind.JOINED: [(659.26, 5), (987.77, 8)],  # E5 B5: up; short, for whoever joins waits for it
    NoticeKind.LEFT: [(783.99, 8), (523.25, 12)],  # G5 C5: down
    NoticeKind.RECONNECTED: [(1174.66, 7), (880.00, 7), (1174.66, 12)],  # D6 A5 D6: away and back
    NoticeKind.MISSED: [(440.00, 9), (587.33, 9), (440.00, 10)],  # A4 D5 A4: a question
}

_THINNED = 8  # the notes are below 1.2 kHz: 6 kHz is plenty to find them in

_Complex = npt.NDArray[np.complex128]


def _envelope(length: int) -> npt.NDArray[np.float64]:
    seconds = np.arange(length) / SAMPLE_RATE
    left = (length - 1 - np.arange(length)) / SAMPLE_RATE
    rise = np.sin(np.pi / 2 * np.minimum(seconds / _ATTACK_S, 1)) ** 2
    fall = np.sin(np.pi / 2 * np.minimum(left / _RELEASE_S, 1)) ** 2
    shape: npt.NDArray[np.float64] = rise * fall * np.exp(-seconds / _DECAY_S)
    return shape


def _bell(note: _Note) -> npt.NDArray[np.float64]:
    hertz, ticks = note
    phase = 2 * np.pi * hertz * np.arange(ticks * TICK_SAMPLES) / SAMPLE_RATE
    bell: npt.NDArray[np.float64] = _envelope(phase.size) * (np.sin(phase) + 0.15 * np.sin(2 * phase))
    return bell


def _sound(notes: Sequence[_Note]) -> Samples:
    wave = np.concatenate([_bell(note) for note in notes])
    sound: Samples = np.round(wave * _RMS / np.sqrt(np.mean(wave**2))).astype(np.int16)
    sound.flags.writeable = False
    return sound


SOUNDS: dict[NoticeKind, Samples] = {kind: _sound(notes) for kind, notes in _NOTES.items()}


def piece(cue: Cue) -> Samples:
    """The tick of sound that a cue asks for. Raises `IndexError` beyond the end of the sound."""
    start = cue.offset * TICK_SAMPLES
    if not 0 <= start < SOUNDS[cue.kind].size:
        raise IndexError(f"{cue.kind} has no tick {cue.offset}")
    return SOUNDS[cue.kind][start : start + TICK_SAMPLES]


# -- finding them again ---------------------------------------------------------------------------------------------


def detect(samples: Samples, threshold: float = 0.5) -> list[tuple[NoticeKind, int]]:
    """Which notices sound in a recording at SAMPLE_RATE, and at which sample each begins (within some 10 ms).

    A sound counts when each of its notes is there, at its place, with `threshold` of its full strength: a steady
    tone on one of the notes is no notice.
    """
    found = [(kind, start) for kind in _NOTES for start in _starts(samples, kind, threshold)]
    return sorted(found, key=lambda notice: notice[1])


def _starts(samples: Samples, kind: NoticeKind, threshold: float) -> Iterable[int]:
    strength = _strength(_thinned(samples), kind)
    apart = SOUNDS[kind].size // _THINNED // 2
    while strength.size and strength.max() >= threshold:
        start = int(strength.argmax())
        yield start * _THINNED
        strength[max(0, start - apart) : start + apart] = 0


def _thinned(samples: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Means of _THINNED samples: a low-pass, and the eighth part."""
    whole = samples[: samples.size // _THINNED * _THINNED]
    means: npt.NDArray[Any] = whole.reshape(-1, _THINNED).mean(axis=1)
    return means


def _strength(samples: npt.NDArray[np.float64], kind: NoticeKind) -> npt.NDArray[np.float64]:
    """For each start: how much of the weakest note is there, 1 being all. The phase does not matter."""
    sound = _thinned(SOUNDS[kind])
    if samples.size < sound.size:
        return np.zeros(0)
    weakest = np.full(samples.size - sound.size + 1, np.inf)
    at = 0
    for hertz, ticks in _NOTES[kind]:
        length = ticks * TICK_SAMPLES
        probe = _thinned(_envelope(length) * np.exp(2j * np.pi * hertz * np.arange(length) / SAMPLE_RATE))
        full = abs(np.vdot(probe, sound[at : at + probe.size]))
        there = np.abs(_correlate(samples, probe)) / full
        weakest = np.minimum(weakest, there[at : at + weakest.size])
        at += probe.size
    return weakest


def _correlate(samples: npt.NDArray[np.float64], probe: _Complex) -> _Complex:
    """`sum(samples[t + n] * conj(probe[n]))` for each t, by FFT."""
    size = 1 << (samples.size + probe.size - 1).bit_length()
    spectrum = np.fft.fft(samples, size) * np.conj(np.fft.fft(probe, size))
    result: _Complex = np.fft.ifft(spectrum)[: samples.size]
    return result
