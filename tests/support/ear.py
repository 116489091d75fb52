"""The native plane's hearing by ctypes, and networks that packets come through, all of it from one seed."""

import ctypes
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from mcu.media import _native

RATE, TICK, TICK_US = 48_000, 960, 20_000
Samples = npt.NDArray[np.int16]

native = ctypes.CDLL(_native.__file__)
libopus = ctypes.CDLL("libopus.so.0")


class Codec(IntEnum):
    OPUS = 0
    G722 = 1
    PCMA = 2
    PCMU = 3


class Stats(ctypes.Structure):
    """`struct mcu_hearing_stats`."""

    _fields_ = [
        ("late", ctypes.c_uint64),
        ("duplicate", ctypes.c_uint64),
        ("malformed", ctypes.c_uint64),
        ("overflow", ctypes.c_uint64),
        ("concealed", ctypes.c_uint64),
        ("recovered", ctypes.c_uint64),
        ("stretched", ctypes.c_uint64),
        ("shrunk", ctypes.c_uint64),
        ("delay", ctypes.c_uint32),
        ("target", ctypes.c_uint32),
        ("drift_ppm", ctypes.c_double),
    ]


for name, result, arguments in [
    ("hearing_new", ctypes.c_void_p, "i"),
    ("hearing_free", None, "p"),
    ("hearing_restart", None, "pi"),
    ("hearing_push", None, "piqqszq"),
    ("hearing_skipped", None, "piqqq"),
    ("hearing_tick", ctypes.c_int, "pbqp"),
    ("hearing_stats", ctypes.POINTER(Stats), "p"),
    ("encoder_new", ctypes.c_void_p, "i"),
    ("encoder_free", None, "p"),
    ("encoder_tune", None, "piii"),
    ("encode", ctypes.c_int, "ppp"),
    ("codec_clock", ctypes.c_uint32, "i"),
]:
    function = getattr(native, f"mcu_{name}")
    function.restype = result
    function.argtypes = [
        {
            "p": ctypes.c_void_p,
            "i": ctypes.c_int,
            "q": ctypes.c_int64,
            "s": ctypes.c_char_p,
            "z": ctypes.c_size_t,
            "b": ctypes.c_bool,
        }[kind]
        for kind in arguments
    ]


class Hearing:
    """One leg's `struct mcu_hearing`. Times are microseconds."""

    def __init__(self, codec: Codec = Codec.OPUS) -> None:
        self._object = native.mcu_hearing_new(codec)
        self._out = np.zeros(TICK, np.int16)
        assert self._object

    def __del__(self) -> None:
        native.mcu_hearing_free(self._object)

    def push(self, packet: "Packet", now: int) -> None:
        native.mcu_hearing_push(
            self._object, packet.codec, packet.sequence, packet.timestamp, packet.payload, len(packet.payload), now
        )

    def skipped(self, packet: "Packet", now: int) -> None:
        native.mcu_hearing_skipped(self._object, packet.codec, packet.sequence, packet.timestamp, now)

    def restart(self, codec: Codec = Codec.OPUS) -> None:
        native.mcu_hearing_restart(self._object, codec)

    def tick(self, now: int, *, decode: bool = True) -> Samples | None:
        """A tick's samples. None: there is nothing to hear."""
        if native.mcu_hearing_tick(self._object, decode, now, self._out.ctypes.data):
            assert not self._out.any()
            return None
        return self._out.copy()

    @property
    def stats(self) -> Stats:
        copy = Stats()
        ctypes.pointer(copy)[0] = native.mcu_hearing_stats(self._object)[0]
        return copy


@dataclass(frozen=True)
class Packet:
    """What a sender sends: `timestamp` in the codec's clock, `sent` in microseconds."""

    sequence: int
    timestamp: int
    payload: bytes
    sent: int
    codec: Codec = Codec.OPUS


def packets(samples: Samples, codec: Codec = Codec.OPUS, *, loss: int = 0, bits: int = 32_000) -> list[Packet]:
    """A packet for each tick of sound, sent when its last sample has been said. `loss`: percent that FEC is for."""
    encoder = native.mcu_encoder_new(codec)
    native.mcu_encoder_tune(encoder, bits, loss, 5)
    step = TICK * native.mcu_codec_clock(codec) // RATE
    out = ctypes.create_string_buffer(1275)
    made = []
    for number, frame in enumerate(np.ascontiguousarray(samples).reshape(-1, TICK)):
        size = native.mcu_encode(encoder, frame.ctypes.data, out)
        made.append(Packet(number, number * step, out.raw[:size], (number + 1) * TICK_US, codec))
    native.mcu_encoder_free(encoder)
    return made


def opus_packets(samples: Samples, milliseconds: float) -> list[Packet]:
    """Opus in packets of 2.5 … 120 ms, by libopus itself."""
    error, step = ctypes.c_int(), int(milliseconds * 48)
    libopus.opus_encoder_create.restype = ctypes.c_void_p
    encoder = ctypes.c_void_p(libopus.opus_encoder_create(RATE, 1, 2048, ctypes.byref(error)))  # VOIP
    out = ctypes.create_string_buffer(1275)
    made = []
    for number in range(samples.size // step):
        frame = np.ascontiguousarray(samples[number * step : (number + 1) * step])
        size = libopus.opus_encode(encoder, ctypes.c_void_p(frame.ctypes.data), step, out, len(out))
        assert size > 0
        made.append(Packet(number, number * step, out.raw[:size], int((number + 1) * milliseconds * 1000)))
    libopus.opus_encoder_destroy(encoder)
    return made


Network = Callable[[Packet], Iterable[int]]  # after how many microseconds a packet comes: once, not at all, or twice


@dataclass(repr=False)
class Heard:
    """What came out, and how it was heard tick by tick."""

    ticks: list[Samples | None] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)  # ms, as the stats say
    targets: list[float] = field(default_factory=list)
    concealed: list[int] = field(default_factory=list)  # samples so far
    drift: list[float] = field(default_factory=list)
    stats: Stats = field(default_factory=Stats)

    @property
    def samples(self) -> Samples:
        return np.concatenate([np.zeros(TICK, np.int16) if tick is None else tick for tick in self.ticks])


def heard(
    sent: Iterable[Packet],
    network: Network,
    *,
    ticks: int,
    phase: int = 7_000,
    late: Callable[[int], int] = lambda tick: 0,
    hearing: Hearing | None = None,
) -> Heard:
    """Sound through a network. Ticks are each 20 ms from `phase` us on, tick n by late(n) us later."""
    hearing = hearing or Hearing()
    arrivals = sorted(
        ((packet.sent + delay, number, packet) for number, packet in enumerate(sent) for delay in network(packet)),
        key=lambda arrival: arrival[:2],
    )
    out, at = Heard(), 0
    for tick in range(ticks):
        now = tick * TICK_US + phase + late(tick)
        while at < len(arrivals) and arrivals[at][0] <= now:
            hearing.push(arrivals[at][2], arrivals[at][0])
            at += 1
        out.ticks.append(hearing.tick(now))
        stats = hearing.stats
        out.delays.append(stats.delay / 48)
        out.targets.append(stats.target / 48)
        out.concealed.append(stats.concealed)
        out.drift.append(stats.drift_ppm)
    out.stats = hearing.stats
    return out


# -- sounds, and what can be measured of them --


def tone(ticks: int, hertz: float = 440, amplitude: float = 8000) -> Samples:
    phase = 2 * np.pi * hertz * np.arange(ticks * TICK) / RATE
    return np.round(amplitude * np.sin(phase)).astype(np.int16)


def voice(ticks: int, seed: int = 1) -> Samples:
    """Something like speech: syllables of harmonics under three formants, with pauses, over a little noise."""
    random = np.random.default_rng(seed)
    count = ticks * TICK
    out = random.normal(0, 8, count)
    at = 0
    while at < count:
        length = int(random.uniform(0.12, 0.35) * RATE)
        time = np.arange(min(length, count - at)) / RATE
        low = random.uniform(90, 210)
        pitch = low * (1 + 0.15 * np.sin(2 * np.pi * random.uniform(1, 4) * time))
        phase = 2 * np.pi * np.cumsum(pitch) / RATE
        formants = [random.uniform(300, 800), random.uniform(900, 2200), random.uniform(2300, 3200)]
        syllable = np.zeros(time.size)
        for harmonic in range(1, int(4000 / low)):
            gain = sum(1 / (1 + ((harmonic * low - formant) / 120) ** 2) for formant in formants)
            syllable += gain * np.sin(harmonic * phase)
        envelope = np.minimum(1, np.minimum(time, time[-1] - time) / 0.03)
        out[at : at + time.size] += 5000 * envelope * syllable / (np.abs(syllable).max() + 1e-9)
        at += length + int(random.choice([0.01, 0.05, 0.4], p=[0.6, 0.3, 0.1]) * RATE)
    return np.clip(out, -32768, 32767).astype(np.int16)


def longest_gap_ms(samples: Samples, below: int) -> float:
    """The longest time for which nothing is louder than `below`."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > below)
    return float(np.diff(loud).max()) / 48 if loud.size > 1 else float(samples.size) / 48


def roughest(samples: Samples) -> int:
    """The largest second difference: a click has a large one, a low tone a small one."""
    return int(np.abs(np.diff(samples.astype(np.int32), 2)).max())


def strengths(samples: Samples, hertz: float = 440) -> npt.NDArray[np.float64]:
    """How strong a tone is in each two periods of it, against what it usually is; from 1 ms to the next."""
    window = round(2 * RATE / hertz)
    turned = samples * np.exp(-2j * np.pi * hertz * np.arange(samples.size) / RATE)
    sums = np.concatenate([[0], np.cumsum(turned)])
    strong = np.abs(sums[window:] - sums[:-window])[:: RATE // 1000]
    against: npt.NDArray[np.float64] = strong / np.median(strong)
    return against


def lag_ms(source: Samples, out: Samples, at: int, window: int = RATE, most: int = 30_000) -> float:
    """By how much what is heard at sample `at` of `out` lags behind what was said."""
    piece = out[at : at + window].astype(np.float64)
    first = max(0, at - most)
    said = source[first : at + window].astype(np.float64)
    size = 1 << (said.size + piece.size).bit_length()
    match = np.fft.irfft(np.fft.rfft(said, size) * np.conj(np.fft.rfft(piece, size)), size)
    return (at - first - int(np.argmax(match[: said.size - piece.size + 1]))) / 48
