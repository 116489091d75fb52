"""Real streams through the C frame assembler: cut, lost, shuffled, asked for again; they come out bit for bit."""

from random import Random
from typing import Any, NamedTuple

import native_video as native
import pytest
from hypothesis import given
from hypothesis import strategies as st
from native_video import H264, MODE0, VP8, Frames

START = b"\x00\x00\x00\x01"
SLICED: dict[str, Any] = {"x264-params": "slice-max-size=1000"}
STREAMS = {
    VP8: native.encoded(VP8, 12),
    H264: native.encoded(H264, 12),
    MODE0: native.encoded(H264, 12, **SLICED),
}
codecs = st.sampled_from([VP8, H264, MODE0])


class Packet(NamedTuple):
    sequence: int
    timestamp: int
    marker: bool
    payload: bytes


def packets_of(codec: int, pictures: list[bytes], first: int = 65_500, most: int = 1100) -> list[Packet]:
    made: list[Packet] = []
    for number, picture in enumerate(pictures):
        payloads = native.cut(codec, picture, most)
        assert payloads
        for at, payload in enumerate(payloads):
            made.append(Packet(first + len(made), 3000 * number, at == len(payloads) - 1, payload))
    return made


def annex_b(codec: int, picture: bytes) -> bytes:
    """As the assembler writes it: every start code of four bytes."""
    if codec == VP8:
        return picture
    units = [unit for unit in picture.replace(b"\x00\x00\x00\x01", b"\x00\x00\x01").split(b"\x00\x00\x01") if unit]
    return b"".join(START + unit for unit in units)


def push(frames: Frames, codec: int, packet: Packet, now: int) -> list[native.Given]:
    frames.push(codec, *packet, now)
    return list(frames.pop())


@pytest.mark.parametrize("codec", [VP8, H264, MODE0])
def test_a_real_stream_comes_out_bit_for_bit_each_picture_at_its_marker(codec: int) -> None:
    frames = Frames()
    for packet in packets_of(codec, STREAMS[codec]):
        given_now = push(frames, codec, packet, packet.timestamp * 11)
        want = annex_b(codec, STREAMS[codec][packet.timestamp // 3000])
        assert [picture.data for picture in given_now] == ([want] if packet.marker else [])
    assert frames.drops == {}
    assert not frames.nacks(10**9)


@given(codecs, st.randoms(use_true_random=False), st.integers(0, 30))
def test_shuffled_and_doubled_packets_come_out_as_sent(codec: int, random: Random, reach: int) -> None:
    packets = packets_of(codec, STREAMS[codec])
    order = [packets[0], *sorted(packets[1:] * 2, key=lambda packet: packet.sequence + random.uniform(0, reach))]
    frames = Frames()
    out = [picture for packet in order for picture in push(frames, codec, packet, 0)]
    assert [picture.data for picture in out] == [annex_b(codec, picture) for picture in STREAMS[codec]]
    assert set(frames.drops) <= {"duplicate", "late"}
    assert sum(frames.drops.values()) == len(packets) - 1


@given(codecs, st.randoms(use_true_random=False), st.floats(0, 0.3))
def test_what_is_asked_for_and_comes_again_leaves_no_gap(codec: int, random: Random, loss: float) -> None:
    packets = {packet.sequence: packet for packet in packets_of(codec, STREAMS[codec])}
    first, last = min(packets), max(packets)
    frames, out, now = Frames(), [], 0
    for sequence, packet in packets.items():
        now += 500
        if sequence in (first, last) or random.random() >= loss:
            out += push(frames, codec, packet, now)
        for missing in frames.nacks(now):
            out += push(frames, codec, packets[missing], now)
    for missing in frames.nacks(now + 10_000):
        out += push(frames, codec, packets[missing], now)
    assert [picture.data for picture in out] == [annex_b(codec, picture) for picture in STREAMS[codec]]
    assert not frames.key_due(now)


@given(codecs, st.randoms(use_true_random=False), st.floats(0.01, 0.5))
def test_without_repair_only_whole_pictures_come_out_and_none_between_a_loss_and_a_key_frame(
    codec: int,
    random: Random,
    loss: float,
) -> None:
    sent = [annex_b(codec, picture) for picture in STREAMS[codec] * 2]
    frames, out, now = Frames(), [], 0
    for packet in packets_of(codec, STREAMS[codec] * 2):
        now += 20_000
        if random.random() >= loss:
            frames.push(codec, *packet, now)
        frames.nacks(now)
        out += list(frames.pop())
    numbers = [picture.timestamp // 3000 for picture in out]
    assert [picture.data for picture in out] == [sent[number] for number in numbers]
    assert numbers == sorted(set(numbers))
    for before, number in zip([-2, *numbers], numbers, strict=False):
        assert number == before + 1 or native.is_key(codec, sent[number])
