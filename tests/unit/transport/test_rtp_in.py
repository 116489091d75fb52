"""Video coming in: any order and loss of packets gives whole frames in order, and after a hole only a key frame."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcu.media.seams import EncodedPicture
from mcu.media.transport.drops import Drops
from mcu.media.transport.rtp_in import (
    KEY_EVERY_S,
    KEY_GRACE_S,
    NACK_EVERY_S,
    REPAIR_S,
    WINDOW,
    Assembler,
    ReceivedStream,
    VideoIn,
)
from mcu.protocol import vp8
from mcu.protocol.rtp import Packet

PIXELS = 1920 * 1080


def frame(number: int, key: bool, size: int = 3000, width: int = 320) -> bytes:
    head = b"\x10\x02\x00\x9d\x01\x2a" + width.to_bytes(2, "little") + b"\xb4\x00" if key else b"\x11"
    return head + number.to_bytes(4, "big") + bytes(size)


def packets_of(number: int, key: bool, sequence: int, **size: int) -> list[Packet]:
    payloads = vp8.payloads(frame(number, key, **size), 1000)
    return [
        Packet(at == len(payloads) - 1, 96, sequence + at & 0xFFFF, number * 3000, 1, b"", 0, payload)
        for at, payload in enumerate(payloads)
    ]


def stream_of(frames: int, keys: frozenset[int] = frozenset({0}), start: int = 65530) -> list[Packet]:
    made: list[Packet] = []
    for number in range(frames):
        made += packets_of(number, number in keys, start + len(made))
    return made


class Receiver:
    def __init__(self) -> None:
        self.drop = Drops(Counter())
        self.video = VideoIn(ReceivedStream(1, 90_000), "VP8", PIXELS, self.drop)
        self.pictures: list[EncodedPicture] = []
        self.now = 0.0

    def give(self, *packets: Packet) -> "Receiver":
        for packet in packets:
            self.pictures += self.video.receive(packet, self.now)
        return self

    def poll(self, later: float) -> tuple[list[int], bool]:
        self.now += later
        ready, lost, key = self.video.poll(self.now, rtt=0.0)
        self.pictures += ready
        return lost, key

    @property
    def numbers(self) -> list[int]:
        numbers = (picture.data[10:14] if picture.key else picture.data[1:5] for picture in self.pictures)
        return [int.from_bytes(number, "big") for number in numbers]


def test_a_frame_is_given_at_its_marker() -> None:
    receiver, packets = Receiver(), stream_of(1)
    assert receiver.give(*packets[:-1]).numbers == []
    assert receiver.give(packets[-1]).numbers == [0]


def test_a_frame_whose_marker_never_comes_is_given_with_the_next() -> None:
    receiver, packets = Receiver(), [packet._replace(marker=False) for packet in stream_of(2)]
    assert receiver.give(*packets).numbers == [0]


@given(st.permutations(range(20)), st.sets(st.integers(0, 19)))
def test_packets_in_any_order_and_twice_give_each_frame_once(order: list[int], again: set[int]) -> None:
    receiver, packets = Receiver(), stream_of(6)
    receiver.give(packets[0])
    for at in order:
        receiver.give(*[packets[at + 1]] * (2 if at in again else 1))
    receiver.give(*packets)
    assert receiver.numbers == list(range(6))


@given(st.sets(st.integers(1, 60), max_size=30), st.sets(st.integers(1, 19), max_size=4))
def test_whatever_is_lost_for_good_only_whole_frames_come_and_after_a_hole_from_a_key_frame(
    lost: set[int], keys: set[int]
) -> None:
    receiver, packets = Receiver(), stream_of(20, frozenset({0, *keys}))
    for at, packet in enumerate(packets):
        if at not in lost:
            receiver.give(packet)
    receiver.poll(REPAIR_S + 0.01)
    numbers = receiver.numbers
    assert numbers == sorted(set(numbers))
    for before, after, picture in zip(numbers, numbers[1:], receiver.pictures[1:], strict=False):
        assert after == before + 1 or picture.key
    for picture in receiver.pictures:
        number = numbers[receiver.pictures.index(picture)]
        assert picture.data == frame(number, picture.key)


def test_a_missing_packet_is_asked_for_until_it_comes() -> None:
    receiver, packets = Receiver(), stream_of(3)
    receiver.give(*packets[:5], *packets[6:8])
    assert receiver.poll(0.01) == ([packets[5].sequence], False)
    assert receiver.poll(0.01) == ([], False)
    assert receiver.poll(NACK_EVERY_S) == ([packets[5].sequence], False)
    assert receiver.video.busy
    receiver.give(packets[5], *packets[8:])
    assert receiver.numbers == [0, 1, 2]
    assert receiver.poll(NACK_EVERY_S) == ([], False)
    assert not receiver.video.busy


def test_a_hole_that_stays_is_given_up_and_a_key_frame_asked_for_until_one_comes() -> None:
    receiver, packets = Receiver(), stream_of(6, frozenset({0, 5}))
    receiver.give(*packets[:5], *packets[6:20])
    receiver.poll(0.01)
    assert receiver.poll(REPAIR_S) == ([], True)
    assert receiver.poll(0.1) == ([], False)
    assert receiver.poll(KEY_EVERY_S) == ([], True)
    receiver.give(*packets[20:])
    assert receiver.numbers == [0, 5]
    assert receiver.poll(KEY_EVERY_S) == ([], False)
    assert receiver.drop.leg["video_unrepaired"] == 1


def test_a_stream_that_does_not_begin_with_a_key_frame_is_asked_for_one_after_a_while() -> None:
    receiver = Receiver().give(*stream_of(2, frozenset()))
    assert receiver.poll(0.01) == ([], False)
    assert receiver.poll(KEY_GRACE_S) == ([], True)
    assert receiver.numbers == []
    assert receiver.drop.leg["frame_before_key"] == 2


def test_a_key_frame_that_the_room_wants_is_asked_for_at_once_and_not_twice_in_a_row() -> None:
    receiver = Receiver().give(*stream_of(1))
    receiver.now = 1.0
    receiver.video.ask_key()
    assert receiver.poll(0) == ([], True)
    receiver.video.ask_key()
    assert receiver.poll(0.01) == ([], False)
    assert receiver.poll(KEY_EVERY_S) == ([], True)


def test_the_window_is_bounded() -> None:
    receiver, packets = Receiver(), stream_of(600)
    receiver.give(packets[0], *packets[2:])
    assert receiver.drop.leg["video_unrepaired"] == 1
    assert len(receiver.video._waiting) + len(receiver.video._missing) <= WINDOW


def test_a_sender_that_begins_anew_is_followed() -> None:
    receiver = Receiver().give(*stream_of(2), *stream_of(2, start=20_000))
    assert receiver.numbers == [0, 1, 0, 1]
    assert receiver.video.stream.lost == 0


def test_a_frame_over_the_limit_is_dropped_and_a_key_frame_asked_for() -> None:
    receiver = Receiver().give(*packets_of(0, True, 0, width=16_200))
    assert receiver.numbers == []
    assert receiver.drop.leg["frame_oversize"] == 1
    assert receiver.poll(KEY_GRACE_S + 0.01) == ([], True)


def test_a_frame_of_endless_packets_is_dropped_when_it_is_too_long() -> None:
    assembler, drop = Assembler("VP8", PIXELS, drops := Drops(Counter())), b"\x10" + frame(0, True, 60_000)
    for number in range(80):
        payload = drop if number == 0 else b"\x00" + bytes(60_000)
        assert list(assembler.add(Packet(False, 96, number, 0, 1, b"", 0, payload), 0)) == []
    assert drops.leg["frame_too_long"] == 1
    assert assembler._length <= 4 << 20


@pytest.mark.parametrize("payload", [b"\x90", b"\x00abc"])
def test_a_malformed_packet_spoils_its_frame_and_no_more_than_up_to_the_next_key_frame(payload: bytes) -> None:
    receiver, packets = Receiver(), stream_of(3, frozenset({0, 2}))
    receiver.give(*packets[:4], packets[4]._replace(payload=payload), *packets[5:])
    assert receiver.numbers == [0, 2]


def test_padding_moves_the_numbers_on_and_nothing_else() -> None:
    receiver = Receiver().give(*packets_of(0, True, 0))
    receiver.give(Packet(False, 96, 4, 0, 1, b"", 0, b""), *packets_of(1, False, 5))
    assert receiver.numbers == [0, 1]


def test_h264_without_its_parameter_set_is_not_given() -> None:
    drop = Drops(Counter())
    assembler = Assembler("H264", PIXELS, drop)
    assert list(assembler.add(Packet(True, 96, 0, 0, 1, b"", 0, b"\x65\x88\x84"), 0)) == []
    assert drop.leg["frame_without_size"] == 1


# -- statistics (RFC 3550) ------------------------------------------------------------------------------------------


def sound(sequence: int, timestamp: int) -> Packet:
    return Packet(False, 111, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, 9, b"", 0, b"opus")


def test_loss_is_counted_over_all_and_since_the_last_report() -> None:
    stream = ReceivedStream(9, 48_000)
    for number in range(100):
        if number % 10 != 5:
            stream.receive(sound(65_500 + number, number * 960), number * 0.02)
    assert (stream.expected, stream.lost) == (100, 10)
    assert stream.report() == int(0.1 * 256)
    for number in range(100, 200):
        stream.receive(sound(65_500 + number, number * 960), number * 0.02)
    assert stream.report() == 0
    assert stream.lost == 10


def test_jitter_is_nothing_for_an_even_stream_and_follows_an_uneven_one() -> None:
    even, uneven = ReceivedStream(9, 48_000), ReceivedStream(9, 48_000)
    for number in range(300):
        even.receive(sound(number, number * 960), number * 0.02)
        uneven.receive(sound(number, number * 960), number * 0.02 + 0.01 * (number % 2))
    assert even.jitter < 1
    assert uneven.jitter == pytest.approx(480, rel=0.05)


def test_numbers_and_timestamps_do_not_wrap() -> None:
    stream = ReceivedStream(9, 48_000)
    taken = [stream.receive(sound(65_534 + n, 0xFFFFFFFF - 960 + n * 960), 0.0) for n in range(4)]
    assert [sequence - taken[0][0] for sequence, _ in taken] == [0, 1, 2, 3]
    assert [timestamp - taken[0][1] for _, timestamp in taken] == [0, 960, 1920, 2880]
