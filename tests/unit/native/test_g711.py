"""G.711 in C against the decision values of ITU-T G.711 tables 1 and 2, and against FFmpeg's."""

import ctypes
from collections.abc import Callable

import av
import numpy as np
import numpy.typing as npt
import pytest
from native_sound import library

EVERY = np.arange(-32768, 32768).astype(np.int16)
OCTETS = np.arange(256, dtype=np.uint8)

Integers = npt.NDArray[np.int64]

for law in ("alaw", "mulaw"):
    getattr(library, f"mcu_to_{law}").restype = ctypes.c_uint8


def encoded(law: str, samples: npt.NDArray[np.int16]) -> Integers:
    to = getattr(library, f"mcu_to_{law}")
    return np.array([to(ctypes.c_int16(int(sample))) for sample in samples], np.int64)


def decoded(law: str, octets: npt.NDArray[np.uint8] | Integers) -> Integers:
    samples = np.array((ctypes.c_int16 * 256).in_dll(library, f"mcu_{law}"), np.int64)
    chosen: Integers = samples[octets]
    return chosen


def outputs_alaw() -> tuple[Integers, Integers]:
    """Table 1a: (decision values, output values) of positive samples, a sample of 16 bits being the unit."""
    edges = [2 * step for step in range(17)]
    for width in (2, 4, 8, 16, 32, 64, 128):
        edges += [edges[-1] + width * (step + 1) for step in range(16)]
    decisions = np.array(edges) * 8
    return decisions, (decisions[:-1] + decisions[1:]) // 2


def outputs_mulaw() -> tuple[Integers, Integers]:
    """Table 2a, likewise: the first interval is half as wide, and its output value is 0."""
    edges = [0, *(2 * step + 1 for step in range(16))]
    for width in (4, 8, 16, 32, 64, 128, 256):
        edges += [edges[-1] + width * (step + 1) for step in range(16)]
    decisions = np.array(edges) * 4
    outputs = (decisions[:-1] + decisions[1:]) // 2
    outputs[0] = 0
    return decisions, outputs


def quantised(tables: tuple[Integers, Integers], samples: Integers) -> Integers:
    decisions, outputs = tables
    place: Integers = np.clip(np.searchsorted(decisions, samples, side="right") - 1, 0, len(outputs) - 1)
    result: Integers = outputs[place]
    return result


@pytest.mark.parametrize(("law", "tables"), [("alaw", outputs_alaw()), ("mulaw", outputs_mulaw())])
def test_every_sample_becomes_the_output_value_of_its_interval(law: str, tables: tuple[Integers, Integers]) -> None:
    got = decoded(law, encoded(law, EVERY))
    samples = EVERY.astype(np.int64)
    above = samples >= 0
    assert np.array_equal(got[above], quantised(tables, samples[above]))
    # A value that lies on the decision value of two intervals belongs to either (note 1 of the tables).
    below = -samples[~above]
    either = (got[~above] == -quantised(tables, below)) | (got[~above] == -quantised(tables, below - 1))
    assert either.all()


@pytest.mark.parametrize("law", ["alaw", "mulaw"])
def test_every_octet_is_what_its_own_value_is_encoded_to(law: str) -> None:
    values = decoded(law, OCTETS)
    again = encoded(law, values.astype(np.int16))
    zero = 0x7F if law == "mulaw" else None  # the mu-law's negative zero
    assert [octet for octet, got in zip(OCTETS, again, strict=True) if octet != got] == ([zero] if zero else [])


@pytest.mark.parametrize("law", ["alaw", "mulaw"])
def test_the_signs_and_the_order_of_the_octets_are_those_of_the_tables(law: str) -> None:
    loudest = {"alaw": (0xAA, 0x2A, 0xD5, 0x55), "mulaw": (0x80, 0x00, 0xFF, 0x7E)}[law]
    assert tuple(encoded(law, np.array([32767, -32768, 0, -9], np.int16))) == loudest


def ffmpeg(law: str, work: Callable[[av.AudioCodecContext], list[bytes]], mode: str) -> bytes:
    context: av.AudioCodecContext = av.CodecContext.create(f"pcm_{law}", mode)  # type: ignore[call-overload]
    context.sample_rate, context.layout, context.format = 8000, "mono", "s16"
    return b"".join(work(context))


@pytest.mark.parametrize("law", ["alaw", "mulaw"])
def test_ffmpeg_decodes_each_octet_alike(law: str) -> None:
    def decode(context: av.AudioCodecContext) -> list[bytes]:
        frames = context.decode(av.Packet(OCTETS.tobytes()))
        return [frame.to_ndarray().tobytes() for frame in frames]

    theirs = np.frombuffer(ffmpeg(law, decode, "r"), np.int16)
    assert np.array_equal(theirs, decoded(law, OCTETS))


@pytest.mark.parametrize("law", ["alaw", "mulaw"])
def test_ffmpeg_encodes_each_sample_at_most_one_step_away(law: str) -> None:
    """FFmpeg rounds to the nearest output value, which by the tables lies in the next interval where segments meet."""

    def encode(context: av.AudioCodecContext) -> list[bytes]:
        frame = av.AudioFrame.from_ndarray(EVERY[None, :], "s16", "mono")
        frame.sample_rate = 8000
        return [bytes(packet) for packet in [*context.encode(frame), *context.encode(None)]]

    theirs = np.frombuffer(ffmpeg(law, encode, "w"), np.uint8)
    ours = encoded(law, EVERY)
    values = np.sort(decoded(law, OCTETS))
    steps = np.abs(
        np.searchsorted(values, decoded(law, theirs)) - np.searchsorted(values, decoded(law, ours.astype(np.uint8)))
    )
    assert steps.max() <= 1
    assert (steps == 0).mean() > 0.97
