"""The C of native/src/sound by ctypes, with numpy arrays in and out: int16, mono, 48 kHz where nothing else is said."""

import ctypes
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from mcu.media import _native

RATE = 48_000  # Hz
TICK = 960  # samples of 20 ms
OPUS, G722, PCMA, PCMU = range(4)

Samples = npt.NDArray[np.int16]

library = ctypes.CDLL(_native.__file__)
for _name in ("mcu_decoder_new", "mcu_encoder_new"):
    getattr(library, _name).restype = ctypes.c_void_p
for _name in ("mcu_drift", "mcu_shrink", "mcu_grow"):
    getattr(library, _name).restype = ctypes.c_size_t


def pointer(array: npt.NDArray[np.generic]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


class Encoder:
    """Opus is tuned as given; others have nothing to choose."""

    def __init__(self, codec: int, *, bits: int = 32_000, loss: int = 5, complexity: int = 5) -> None:
        self._it = ctypes.c_void_p(library.mcu_encoder_new(codec))
        library.mcu_encoder_tune(self._it, bits, loss, complexity)

    def __del__(self) -> None:
        library.mcu_encoder_free(self._it)

    def fresh(self) -> None:
        library.mcu_encoder_fresh(self._it)

    def encode(self, tick: Samples) -> bytes:
        out = (ctypes.c_uint8 * 1275)()
        assert tick.shape == (TICK,)
        size = library.mcu_encode(self._it, pointer(np.ascontiguousarray(tick)), out)
        assert size > 0
        return bytes(out[:size])

    def packets(self, samples: Samples) -> list[bytes]:
        return [self.encode(tick) for tick in ticks(samples)]


class Decoder:
    def __init__(self, codec: int) -> None:
        self._it = ctypes.c_void_p(library.mcu_decoder_new(codec))
        self._out = np.zeros(5760, np.int16)

    def __del__(self) -> None:
        library.mcu_decoder_free(self._it)

    def decode(self, payload: bytes) -> Samples:
        made = library.mcu_decode(self._it, payload, ctypes.c_size_t(len(payload)), pointer(self._out))
        assert made > 0
        return self._out[:made].copy()

    def fec(self, following: bytes, samples: int = TICK) -> Samples:
        """Empty where the packet carries nothing of what is lost."""
        size = ctypes.c_size_t(len(following))
        made = library.mcu_decode_fec(self._it, following, size, samples, pointer(self._out))
        return self._out[:made].copy()

    def conceal(self, samples: int = TICK) -> Samples:
        library.mcu_conceal(self._it, samples, pointer(self._out))
        return self._out[:samples].copy()

    def all(self, packets: list[bytes]) -> Samples:
        return np.concatenate([self.decode(packet) for packet in packets])


def ticks(samples: Samples) -> Iterator[Samples]:
    """The whole ticks in `samples`."""
    for start in range(0, len(samples) - TICK + 1, TICK):
        yield samples[start : start + TICK]


def tone(hertz: float, seconds: float, *, amplitude: float = 8_000, rate: int = RATE) -> Samples:
    return np.round(amplitude * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)).astype(np.int16)


def snr_db(want: npt.NDArray[np.generic], got: npt.NDArray[np.generic]) -> float:
    """Signal to noise of `got`, once it is scaled to be most like `want`."""
    a, b = want.astype(np.float64), got.astype(np.float64)
    gain = float(a @ b) / (float(b @ b) or 1.0)
    error = a - gain * b
    return float(10 * np.log10((a @ a) / max(float(error @ error), 1e-9)))


def delay_of(want: Samples, got: Samples, most: int = 4_800) -> int:
    """By how many samples `got` is later than `want`, 0 … `most`, by correlation."""
    size = 1 << (len(want) + len(got)).bit_length()
    spectrum = np.fft.rfft(got, size) * np.conj(np.fft.rfft(want, size))
    return int(np.argmax(np.fft.irfft(spectrum, size)[: most + 1]))


def aligned(want: Samples, got: Samples) -> tuple[Samples, Samples]:
    """Both without the delay between them, of one length."""
    late = delay_of(want, got)
    length = min(len(want), len(got) - late)
    return want[:length], got[late : late + length]


def roughest_step(samples: Samples) -> int:
    """The largest second difference: a click is one that the sound itself has not."""
    return int(np.abs(np.diff(samples.astype(np.int64), n=2)).max())
