"""Order, loss, lateness and pace of a leg's packets."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sound import joined, loudest_click, noise, packets, played, strength, tone

from mcu.ids import LegId
from mcu.media.audio.input import AudioInput
from mcu.media.audio.jitter import DEEPEST, START, JitterBuffer
from mcu.media.audio.level import SILENCE, level_of
from mcu.media.audio.opus import OpusEncoder, Undecodable, duration
from mcu.media.seams import SAMPLE_RATE, TICK_SAMPLES, AudioPacket, Samples

A = LegId("leg_a")
TONE = packets(tone(440, 500))
TALK = packets(noise(400, 3000))


def delay_after(arrivals: list[list[AudioPacket]]) -> int:
    """Samples between the newest that came and what is played."""
    source = AudioInput(A)
    played(arrivals, source)
    return source.depth


def on_time(stream: list[AudioPacket]) -> list[list[AudioPacket]]:
    return [[packet] for packet in stream]


def silent_samples(samples: Samples) -> int:
    """The longest run of next to nothing."""
    longest = run = 0
    for loud in np.abs(samples.astype(int)) > 60:
        run = 0 if loud else run + 1
        longest = max(longest, run)
    return longest


def test_packets_on_time_are_all_played_in_order_at_40_ms() -> None:
    source = AudioInput(A)
    out = joined(played(on_time(TONE), source)[1:])
    assert loudest_click(out[TICK_SAMPLES * 3 :], 440) < 0.05
    assert source.depth + TICK_SAMPLES == START
    assert not source.drops


def test_a_lost_packet_costs_at_most_20_ms_and_no_delay() -> None:
    before, after = delay_after(on_time(TONE[:100])), delay_after(on_time(TONE[:60] + TONE[61:101]))
    arrivals = [[] if packet.sequence == 60 else [packet] for packet in TONE[:100]]
    out = joined(played(arrivals)[3:])
    assert delay_after(arrivals) == before
    assert after >= before
    blocks = np.array([level_of(block) for block in out.reshape(-1, TICK_SAMPLES // 2)])
    assert (blocks > level_of(tone(440, 1)) + 3).sum() <= 2  # 10 ms each


def test_the_delay_is_back_at_once_after_each_of_many_losses() -> None:
    arrivals = [[] if packet.sequence % 13 == 7 else [packet] for packet in TONE[:400]]
    assert delay_after(arrivals[:390]) == delay_after(on_time(TONE[:390]))


def test_a_gap_is_bridged_by_sound_that_fades() -> None:
    arrivals = on_time(TONE[:50]) + [[]] * 10
    out = [0 if tick is None else int(np.abs(tick.astype(int)).max()) for tick in played(arrivals)[50:]]
    assert out[1] > out[2] > out[3] > out[4] == 0


def test_a_gap_begins_and_ends_without_a_click() -> None:
    arrivals = [[] if packet.sequence in (60, 61) else [packet] for packet in TONE[:100]]
    out = joined(played(arrivals)[5:]).astype(int)
    steepest = np.abs(np.diff(tone(440, 5).astype(int))).max()
    assert np.abs(np.diff(out)).max() < 2.5 * steepest


def test_a_stall_of_the_network_is_made_up_for_within_seconds() -> None:
    stalled = on_time(TALK[:60]) + [[]] * 6 + [TALK[60:67]] + on_time(TALK[67:])
    source = AudioInput(A)
    played(stalled, source)
    assert source.depth <= START
    assert source.drops["shortened"] > 0


def test_a_burst_longer_than_200_ms_is_cut_to_200_ms() -> None:
    source = AudioInput(A)
    played([*on_time(TALK[:20]), *[[]] * 20, TALK[20:40]], source)
    assert source.depth <= DEEPEST
    assert source.drops["overflow"] > 0


def test_a_buffer_that_runs_dry_again_and_again_becomes_deeper() -> None:
    bumpy = [TALK[n : n + 4] if n % 4 == 0 else [] for n in range(200)]
    source = AudioInput(A)
    out = played(bumpy, source)
    assert all(tick is not None for tick in out[100:])
    assert not source.drops["late"]


def test_late_and_duplicate_packets_are_counted_and_not_played() -> None:
    source = AudioInput(A)
    played([*on_time(TALK[:30]), [TALK[10], TALK[29]]], source)
    assert source.drops == {"duplicate": 2}
    played([[], [], [TALK[32]], [TALK[33]], [TALK[34]], [TALK[31]]], source)
    assert source.drops["late"] == 1


@pytest.mark.parametrize("payload", [b"", b"\x03", b"\x03\x00", b"\x7b\x3f" + b"\0" * 9])
def test_what_is_no_opus_packet_is_counted_as_malformed(payload: bytes) -> None:
    buffer = JitterBuffer()
    buffer.push(AudioPacket(0, 0, payload, 20, 0.0))
    assert buffer.drops == {"malformed": 1}
    assert buffer.depth() == 0


def test_what_cannot_be_decoded_is_counted_and_bridged_and_the_leg_goes_on() -> None:
    source = AudioInput(A)
    broken = AudioPacket(30, 30 * TICK_SAMPLES, b"\x7f\xff" + b"\xff" * 30, 20, 0.6)
    arrivals = [[broken if n == 30 else packet] for n, packet in enumerate(TONE[:60])]
    out = played(arrivals, source)
    assert source.drops["undecodable"] + source.drops["malformed"] == 1
    assert strength(joined(out[-20:]), 440) > 5000


def test_another_stream_of_the_same_leg_starts_anew() -> None:
    source = AudioInput(A)
    played(on_time(TONE[:50]), source)
    source.restart()
    out = played(on_time(TONE[:20]), source)
    assert strength(joined(out[-10:]), 440) > 5000
    assert not source.drops


@pytest.mark.parametrize("leap", [10**6, -(10**6), 10**9])
def test_a_timestamp_far_off_is_taken_for_another_stream(leap: int) -> None:
    moved = [
        AudioPacket(p.sequence + 1000, p.timestamp + 10**7 + leap, p.payload, p.level, p.arrived) for p in TONE[:50]
    ]
    first = [AudioPacket(p.sequence, p.timestamp + 10**7, p.payload, p.level, p.arrived) for p in TONE[:50]]
    source = AudioInput(A)
    out = played(on_time(first) + on_time(moved), source)
    assert strength(joined(out[-20:]), 440) > 5000


def test_after_a_silence_without_packets_speech_begins_in_full() -> None:
    resumed = [AudioPacket(p.sequence, p.timestamp + 200 * 960, p.payload, p.level, p.arrived) for p in TONE[50:80]]
    source = AudioInput(A)
    out = played(on_time(TONE[:50]) + [[]] * 200 + on_time(resumed), source)
    assert all(tick is None for tick in out[60:250])
    assert strength(joined(out[255:]), 440) > 5000
    assert source.depth <= START


@pytest.mark.parametrize("milliseconds", [10, 20, 40, 60])
def test_packets_of_every_duration_are_played_whole(milliseconds: int) -> None:
    size = SAMPLE_RATE * milliseconds // 1000
    sound = tone(440, 240)
    stream = packets_of(sound, milliseconds)
    arrivals: list[list[AudioPacket]] = [[] for _ in range(240)]
    for packet in stream:
        arrivals[-(-(packet.timestamp + size) // TICK_SAMPLES) - 1].append(packet)
    source = AudioInput(A)
    out = joined(played(arrivals, source))
    assert loudest_click(out[20 * TICK_SAMPLES :], 440) < 0.06
    assert not source.drops
    assert duration(stream[0].payload) == size


def packets_of(sound: Samples, milliseconds: int) -> list[AudioPacket]:
    """As `packets`, of another duration: by an encoder of the test's own."""
    import av

    context = av.CodecContext.create("libopus", "w")
    context.sample_rate, context.layout, context.format = SAMPLE_RATE, "mono", "s16"
    context.options = {"application": "voip", "frame_duration": str(milliseconds)}
    context.open()
    size = SAMPLE_RATE * milliseconds // 1000
    made = []
    for number in range(sound.size // size):
        frame = av.AudioFrame.from_ndarray(sound[number * size : (number + 1) * size].reshape(1, -1), "s16", "mono")
        frame.sample_rate, frame.pts = SAMPLE_RATE, number * size
        made.append(AudioPacket(number, number * size, bytes(context.encode(frame)[0]), 20, 0.0))
    return made


def test_the_level_is_known_without_decoding() -> None:
    source = AudioInput(A)
    for packet in TONE[:3]:
        source.push(packet)
    assert source.pop(decode=False) is None
    assert source.level() == TONE[0].level


def test_a_leg_that_says_no_level_is_as_loud_as_it_was_last_heard() -> None:
    mute = packets(tone(440, 50), level=None)
    source = AudioInput(A)
    played(on_time(mute), source)
    assert abs(source.level() - level_of(tone(440, 1))) <= 1
    assert not source.says_its_level


def test_a_leg_that_sends_nothing_is_silent() -> None:
    source = AudioInput(A)
    assert source.pop(decode=True) is None
    assert source.level() == SILENCE


def test_a_leg_that_is_not_heard_for_a_while_keeps_its_pace_and_fades_in() -> None:
    source = AudioInput(A)
    out: list[Samples | None] = []
    for number, packet in enumerate(TONE[:120]):
        source.push(packet)
        out.append(source.pop(decode=number >= 60))
    assert source.depth == delay_after(on_time(TONE[:120]))
    first = next(tick for tick in out if tick is not None)
    assert abs(int(first[0])) < 300
    assert silent_samples(joined(out[62:])) < 100


@settings(deadline=None)
@given(
    order=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 6)), max_size=120),
    holes=st.sets(st.integers(0, 60)),
)
def test_in_whatever_order_packets_come_nothing_is_played_twice_and_nothing_grows(
    order: list[tuple[int, int]], holes: set[int]
) -> None:
    """Each packet's place is its index in time plus some lateness, and some come never or again."""
    buffer = JitterBuffer()
    arrivals: dict[int, list[int]] = {}
    for number in range(61):
        if number not in holes:
            arrivals.setdefault(number, []).append(number)
    for number, late in order:
        arrivals.setdefault(number + late, []).append(number)
    taken: list[int] = []
    for tick in range(80):
        for number in arrivals.get(tick, ()):
            buffer.push(TALK[number])
        buffer.step(0, quiet=bool(tick % 3))
        due = buffer.due()
        if due is not None and due.packet is not None:
            taken.append(due.packet.sequence)
        assert buffer.depth() <= DEEPEST + TICK_SAMPLES
    assert taken == sorted(set(taken))
    pushed = sum(len(numbers) for numbers in arrivals.values())
    assert pushed == len(taken) + sum(buffer.drops.values()) + waiting(buffer)


def waiting(buffer: JitterBuffer) -> int:
    """Packets that are still in the buffer."""
    count = 0
    for _ in range(400):
        buffer.step(0, quiet=False)
        due = buffer.due()
        count += due is not None and due.packet is not None
    return count


@given(payload=st.binary(max_size=40))
def test_any_bytes_have_a_duration_or_are_undecodable(payload: bytes) -> None:
    try:
        samples = duration(payload)
    except Undecodable:
        return
    assert 0 < samples <= 5760


def test_the_duration_of_what_we_encode_is_a_tick() -> None:
    assert duration(OpusEncoder().encode(tone(440, 1))) == TICK_SAMPLES
