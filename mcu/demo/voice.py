"""Speech-like sound made by code: syllables with a pitch, vowels' formants and pauses. Nobody's voice.

Additive synthesis: the harmonics of a gliding pitch, each as loud as the vowel's resonances make it (Klatt 1980 for the
formant model). It has what matters to a mixer: talk spurts, gaps between words, and 20 dB between loud and soft.
"""

import numpy as np
import numpy.typing as npt

SAMPLE_RATE = 48_000  # Hz
VOWELS_HZ = ((730, 1090, 2440), (270, 2290, 3010), (570, 840, 2410), (530, 1840, 2480), (300, 870, 2240))  # a i o e u
BANDWIDTH_HZ = 90.0
TOP_HZ = 4_000  # harmonics above are left out
PEAK = 9_000  # of 32767: about -20 dBFS RMS while it talks
SYLLABLE_S = 0.19
REST_S = 0.11
WORDS_BEFORE_BREATH = 5

Sound = npt.NDArray[np.int16]


def speech(seconds: float, pitch_hz: float, seed: int) -> Sound:
    """`seconds` of one voice, mono int16 at 48 kHz, shape (n,). The same arguments give the same sound."""
    random = np.random.default_rng(seed)
    sound = np.zeros(int(seconds * SAMPLE_RATE), np.float64)
    at, words = 0.05, 0
    while at + 1.0 < seconds:
        for _ in range(random.integers(1, 4)):
            syllable = _syllable(pitch_hz * random.uniform(0.88, 1.15), random)
            start = int(at * SAMPLE_RATE)
            end = min(start + len(syllable), len(sound))
            sound[start:end] += syllable[: end - start]
            at += SYLLABLE_S
        words += 1
        at += REST_S if words % WORDS_BEFORE_BREATH else 4 * REST_S
    loudest = float(np.abs(sound).max()) or 1.0
    spoken: Sound = (sound / loudest * PEAK).astype(np.int16)
    return spoken


def _syllable(pitch_hz: float, random: np.random.Generator) -> npt.NDArray[np.float64]:
    length = int(SYLLABLE_S * 1.1 * SAMPLE_RATE)
    glide = np.linspace(1.06, 0.94, length) * pitch_hz
    phase = 2 * np.pi * np.cumsum(glide) / SAMPLE_RATE
    formants = VOWELS_HZ[random.integers(len(VOWELS_HZ))]
    sound = np.zeros(length)
    for harmonic in range(1, int(TOP_HZ / pitch_hz)):
        sound += _resonance(harmonic * pitch_hz, formants) / harmonic * np.sin(harmonic * phase)
    return sound * np.hanning(length) ** 0.5 * random.uniform(0.5, 1.0)


def _resonance(hertz: float, formants: tuple[int, int, int]) -> float:
    return float(sum(1 / (1 + ((hertz - formant) / BANDWIDTH_HZ) ** 2) for formant in formants)) + 0.02
