"""What one leg says, through networks that lose, hurry and delay: gaps, delay, clicks and what is made up.

The delay of the stats is from when the fastest packets come until they are played; a packet's own 20 ms are not in it.
A click has a second difference of thousands, the tone that is heard here one of 28 (of 330 in G.711 octets).
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from ear import (
    RATE,
    TICK,
    TICK_US,
    Codec,
    Heard,
    Hearing,
    Network,
    Packet,
    heard,
    lag_ms,
    longest_gap_ms,
    opus_packets,
    packets,
    roughest,
    strengths,
    tone,
    voice,
)

SECOND = 50  # ticks
CLICK = 500
LOUD = 1000  # the tone has an amplitude of 8000
CLEAN_MS = 22.5


def clean(_: Packet) -> list[int]:
    return [1_000]


def lossy(share: float, seed: int = 1) -> Network:
    random = np.random.default_rng(seed)
    return lambda packet: [] if random.random() < share else [1_000]


def jittery(milliseconds: int, seed: int = 1) -> Network:
    random = np.random.default_rng(seed)
    return lambda packet: [1_000 + int(random.uniform(0, milliseconds * 1000))]


def without(*sequences: int) -> Network:
    return lambda packet: [] if packet.sequence in sequences else [1_000]


def sounding(out: Heard, first: int = SECOND, last: int = -3) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    """What was heard from tick `first` on."""
    return out.samples[first * TICK : last * TICK]


# -- a network that does nothing to the packets --


@pytest.mark.parametrize("phase", [0, 4_000, 9_000, 14_000, 19_000])
def test_on_a_clean_network_sound_waits_for_little_more_than_a_tick(phase: int) -> None:
    said = voice(20 * SECOND)
    out = heard(packets(said), clean, ticks=20 * SECOND, phase=phase)
    assert max(out.targets) <= 40
    assert out.targets[2 * SECOND :] == [CLEAN_MS] * (18 * SECOND)
    assert max(out.delays[2 * SECOND :]) < 33
    assert max(out.delays[10 * SECOND :]) < 25
    # 20 ms are the packet's own, 6.5 the encoder's, 1 the network's
    assert lag_ms(said, out.samples, 15 * RATE) + phase / 1000 == pytest.approx(CLEAN_MS + 27.5, abs=2)
    assert not out.stats.concealed


def test_sound_begins_within_40_ms_of_its_first_packet() -> None:
    out = heard(packets(tone(SECOND)), clean, ticks=SECOND)
    first = next(at for at, tick in enumerate(out.ticks) if tick is not None)
    assert first * TICK_US + 7_000 - 21_000 <= 40_000


@pytest.mark.parametrize("codec", Codec)
def test_a_tone_comes_out_of_every_codec_without_a_click(codec: Codec) -> None:
    said = tone(10 * SECOND)
    out = heard(packets(said, codec), clean, ticks=10 * SECOND, hearing=Hearing(codec))
    assert roughest(sounding(out)) < CLICK
    assert longest_gap_ms(sounding(out), LOUD) < 1
    assert 7_500 < np.abs(sounding(out)).max() < 8_800


@pytest.mark.parametrize("milliseconds", [2.5, 5, 10, 20, 40, 60, 120])
def test_packets_may_be_of_any_length(milliseconds: float) -> None:
    out = heard(opus_packets(tone(12 * SECOND), milliseconds), clean, ticks=12 * SECOND - 6)
    assert not out.stats.concealed
    assert out.targets[-1] == CLEAN_MS
    assert roughest(sounding(out)) < CLICK
    assert longest_gap_ms(sounding(out), LOUD) < 1


def test_ticks_that_are_late_are_not_heard() -> None:
    random = np.random.default_rng(1)
    late = random.exponential(2_000, 20 * SECOND)
    out = heard(packets(tone(20 * SECOND)), clean, ticks=20 * SECOND, late=lambda tick: int(late[tick]))
    assert not out.stats.concealed
    assert max(out.delays[5 * SECOND :]) < 27
    assert roughest(sounding(out)) < CLICK


def test_a_packet_that_comes_twice_is_heard_once() -> None:
    out = heard(packets(tone(5 * SECOND)), lambda packet: [1_000, 3_000], ticks=5 * SECOND)
    assert out.stats.duplicate == 5 * SECOND - 1
    assert roughest(sounding(out)) < CLICK


# -- loss --


@pytest.mark.parametrize("codec", Codec)
@pytest.mark.parametrize("phase", [0, 8_000, 15_000])
def test_a_lost_packet_leaves_no_gap_no_click_and_no_delay(codec: Codec, phase: int) -> None:
    sent = packets(tone(10 * SECOND), codec)
    out = heard(sent, without(5 * SECOND), ticks=10 * SECOND, phase=phase, hearing=Hearing(codec))
    assert longest_gap_ms(sounding(out), LOUD) <= 20
    assert roughest(sounding(out)) < CLICK
    assert out.stats.concealed == TICK
    assert out.delays[6 * SECOND] <= out.delays[5 * SECOND - 1]


@pytest.mark.parametrize("codec", Codec)
@pytest.mark.parametrize("late_us", [0, 1_500])
def test_of_single_losses_a_steady_tone_is_neither_weaker_nor_stronger(codec: Codec, late_us: int) -> None:
    random = np.random.default_rng(1)
    late = random.exponential(late_us, 10 * SECOND) if late_us else np.zeros(10 * SECOND)
    sent = packets(tone(10 * SECOND), codec)
    lost = without(*range(2 * SECOND, 10 * SECOND, 23))
    out = heard(sent, lost, ticks=10 * SECOND, late=lambda tick: int(late[tick]), hearing=Hearing(codec))
    strong = strengths(sounding(out))
    assert strong.min() > 0.7
    assert strong.max() < 1.3


@pytest.mark.parametrize("phase", [0, 8_000, 15_000])
def test_a_burst_of_100_ms_is_bridged_and_leaves_no_delay(phase: int) -> None:
    sent = packets(tone(10 * SECOND))
    out = heard(sent, without(*range(250, 255)), ticks=10 * SECOND, phase=phase)
    assert longest_gap_ms(sounding(out), LOUD) <= 100
    assert roughest(sounding(out)) < CLICK
    assert out.stats.concealed == 5 * TICK
    assert out.delays[6 * SECOND] <= out.delays[5 * SECOND - 1]


@pytest.mark.parametrize("codec", Codec)
def test_of_a_tenth_that_is_lost_no_more_is_made_up_than_was_lost(codec: Codec) -> None:
    ticks = 40 * SECOND
    lost: list[int] = []
    network = lossy(0.1)

    def counting(packet: Packet) -> list[int]:
        delays = list(network(packet))
        lost.extend([] if delays else [packet.sequence])
        return delays

    out = heard(packets(voice(ticks), codec), counting, ticks=ticks, hearing=Hearing(codec))
    assert out.stats.concealed + out.stats.recovered <= 1.02 * len(lost) * TICK
    assert out.stats.concealed <= 0.12 * ticks * TICK
    assert max(out.delays[10 * SECOND :]) < 25


@pytest.mark.parametrize("percent", [5, 10])
def test_most_of_what_is_lost_is_in_the_next_packet_where_the_sender_puts_it_there(percent: int) -> None:
    ticks = 40 * SECOND
    out = heard(packets(voice(ticks), loss=10), lossy(percent / 100), ticks=ticks)
    assert out.stats.recovered > 1.5 * out.stats.concealed
    assert out.stats.concealed < 0.05 * ticks * TICK
    assert max(out.delays) < 50  # a packet more, to wait for the next one


def test_waiting_for_the_next_packet_ends_when_nothing_is_lost_any_more() -> None:
    network = lossy(0.1)
    sent = packets(voice(40 * SECOND), loss=10)
    out = heard(sent, lambda p: network(p) if p.sequence < 15 * SECOND else [1_000], ticks=40 * SECOND)
    assert out.delays[15 * SECOND] > 40
    assert out.delays[-1] < 25


# -- delay --


def test_packets_that_overtake_each_other_are_put_in_order() -> None:
    sent = packets(tone(10 * SECOND))
    out = heard(sent, lambda p: [26_000 if p.sequence % 10 == 3 else 1_000], ticks=10 * SECOND)
    assert not out.stats.concealed
    assert not out.stats.late
    assert max(out.delays) < CLEAN_MS + 30
    assert roughest(sounding(out)) < CLICK


def test_the_delay_follows_jitter_of_60_ms_within_seconds_and_comes_down_again() -> None:
    shaky = jittery(120)
    sent = packets(tone(60 * SECOND))
    out = heard(sent, lambda p: shaky(p) if 10 * SECOND <= p.sequence < 30 * SECOND else [1_000], ticks=60 * SECOND)
    made_up = np.diff(out.concealed)
    assert made_up[: 10 * SECOND - 1].sum() == 0
    assert made_up[10 * SECOND : 12 * SECOND].sum() < 0.3 * 2 * RATE
    assert made_up[12 * SECOND : 30 * SECOND].sum() < 0.02 * 18 * RATE
    assert 130 < out.delays[25 * SECOND] < 150
    assert out.delays[41 * SECOND] < 40
    assert out.delays[45 * SECOND] < 27
    assert roughest(sounding(out)) < CLICK


def test_a_network_that_grows_faster_is_noticed_and_the_sound_shortened_without_a_click() -> None:
    sent = packets(tone(20 * SECOND))
    out = heard(sent, lambda p: [81_000 if p.sequence < 5 * SECOND else 1_000], ticks=20 * SECOND)
    assert not out.stats.concealed
    assert out.stats.shrunk > 70 * 48
    assert out.delays[-1] < 27
    assert roughest(sounding(out, first=60)) < CLICK
    assert longest_gap_ms(sounding(out, first=60), LOUD) < 2


@pytest.mark.parametrize("milliseconds", [150, 1_000, 5_000])
def test_packets_that_come_all_at_once_after_a_pause_leave_no_lasting_delay(milliseconds: int) -> None:
    stalled = milliseconds // 20
    sent = packets(tone(20 * SECOND + stalled))
    out = heard(
        sent,
        lambda p: [1_000 + max(0, 5 * SECOND + stalled - p.sequence) * TICK_US * (p.sequence >= 5 * SECOND)],
        ticks=20 * SECOND + stalled,
    )
    assert out.delays[-1] < 27
    assert max(out.delays[5 * SECOND + stalled + 2 :]) <= 200
    assert roughest(sounding(out)) < CLICK
    assert longest_gap_ms(sounding(out, first=5 * SECOND + stalled + 5), LOUD) < 20


@pytest.mark.parametrize("ppm", [-300, 300])
def test_a_clock_that_is_wrong_is_not_heard(ppm: int) -> None:
    second = [packet.payload for packet in packets(tone(2 * SECOND), Codec.PCMU)[SECOND:]]
    ticks = 600 * SECOND
    sent = (
        Packet(n, n * 160, second[n % SECOND], int((n + 1) * TICK_US * (1 - ppm / 1e6)), Codec.PCMU)
        for n in range(int(ticks * (1 - abs(ppm) / 1e6)) - 10)
    )
    out = heard(sent, jittery(3), ticks=ticks - 300, hearing=Hearing(Codec.PCMU))
    assert not out.stats.concealed
    assert not any((out.stats.late, out.stats.overflow, out.stats.stretched))
    assert out.stats.shrunk < 20 * 48  # at the beginning
    assert np.ptp(out.delays[60 * SECOND :]) < 3
    assert out.drift[-1] == pytest.approx(ppm, abs=20)
    assert roughest(sounding(out)) < CLICK
    assert longest_gap_ms(sounding(out), LOUD) < 1


# -- silence --


def with_pauses(sent: list[Packet]) -> list[Packet]:
    """Opus DTX: of each 3 s the last is silence: a packet of one byte, and another each 400 ms."""
    kept = []
    for packet in sent:
        at = packet.sequence % 150
        if at < 100:
            kept.append(packet)
        elif at % 20 == 0:
            kept.append(replace(packet, payload=packet.payload[:1]))
    return [replace(packet, sequence=sequence) for sequence, packet in enumerate(kept)]


def test_silence_that_is_not_sent_is_no_loss_and_leaves_no_delay() -> None:
    out = heard(with_pauses(packets(voice(30 * SECOND))), jittery(4), ticks=30 * SECOND)
    assert not out.stats.concealed
    assert not out.stats.late
    assert max(out.delays[2 * SECOND :]) < CLEAN_MS + 9
    assert sum(tick is None for tick in out.ticks) > 8 * SECOND * 0.5
    said = voice(30 * SECOND)
    for at in range(3, 27, 3):  # each piece of speech is where the first was
        assert lag_ms(said, out.samples, at * RATE + RATE // 2) == pytest.approx(
            lag_ms(said, out.samples, 24 * RATE + RATE // 2), abs=10
        )


@pytest.mark.parametrize("time_passes", [True, False])
def test_after_a_minute_without_packets_a_leg_is_heard_at_once(time_passes: bool) -> None:
    pause = 60 * RATE
    sent = [
        packet
        if packet.sequence < 5 * SECOND
        else replace(packet, timestamp=packet.timestamp + pause * time_passes, sent=packet.sent + 60_000_000)
        for packet in packets(tone(10 * SECOND))
    ]
    out = heard(sent, clean, ticks=70 * SECOND)
    quiet = out.ticks[5 * SECOND + 10 : 65 * SECOND - 1]
    assert all(tick is None for tick in quiet)
    assert out.ticks[65 * SECOND + 3] is not None
    assert out.delays[66 * SECOND] <= 40
    assert out.stats.concealed < 6000
    assert roughest(sounding(out)) < CLICK


# -- streams that change --


@pytest.mark.parametrize("jump_ms", [-1_000_000, -1_000, -250, 250, 1_000, 1_000_000])
def test_after_its_time_has_jumped_a_stream_is_heard_within_half_a_second(jump_ms: int) -> None:
    sent = [
        replace(packet, timestamp=packet.timestamp + jump_ms * 48 * (packet.sequence >= 5 * SECOND))
        for packet in packets(tone(10 * SECOND))
    ]
    out = heard(sent, clean, ticks=10 * SECOND)
    assert longest_gap_ms(sounding(out), LOUD) < 500
    assert longest_gap_ms(sounding(out, first=5 * SECOND + 30), LOUD) < 1
    assert out.delays[7 * SECOND] < 33
    assert roughest(sounding(out)) < CLICK


def test_after_a_restart_another_stream_is_heard_as_the_first_was() -> None:
    hearing = Hearing()
    heard(packets(voice(5 * SECOND)), jittery(100), ticks=5 * SECOND, hearing=hearing)
    hearing.restart()
    later = 5 * SECOND * TICK_US
    second = [
        replace(packet, sequence=packet.sequence + 40_000, timestamp=packet.timestamp + 123_456_789)
        for packet in packets(tone(5 * SECOND))
    ]
    out = heard(second, lambda p: [1_000 + later], ticks=5 * SECOND, phase=7_000 + later, hearing=hearing)
    assert out.delays[3] <= 40
    assert out.delays[-1] < 27
    assert roughest(sounding(out)) < CLICK


@pytest.mark.parametrize("before", Codec)
@pytest.mark.parametrize("after", Codec)
def test_a_codec_may_change_in_the_middle(before: Codec, after: Codec) -> None:
    first, second = packets(tone(6 * SECOND), before), packets(tone(6 * SECOND), after)
    out = heard(first[: 3 * SECOND] + second[3 * SECOND :], clean, ticks=6 * SECOND, hearing=Hearing(before))
    assert longest_gap_ms(sounding(out), LOUD) < 50
    assert roughest(sounding(out)) < CLICK
    assert out.delays[-1] < 33


# -- legs that are not heard --


def test_a_leg_that_was_not_heard_has_the_delay_of_one_that_was() -> None:
    """Its packets are skipped; when it is heard, the last few come after all, and its decoder starts warm."""
    sent = packets(tone(12 * SECOND), loss=5, bits=40_000)
    hearing, listening = Hearing(), 8 * SECOND + 1
    random = np.random.default_rng(2)
    out = []
    for tick in range(12 * SECOND):
        now = tick * TICK_US + 7_000
        if tick:
            packet, came = sent[tick - 1], tick * TICK_US + int(random.uniform(0, 5_000))
            if tick < listening:
                hearing.skipped(packet, came)
            else:
                hearing.push(packet, came)
        if tick == listening:
            for packet in sent[tick - 4 : tick - 1]:
                hearing.push(packet, now)
        out.append(hearing.tick(now, decode=tick >= listening))
        if tick == listening - 1:
            assert hearing.stats.delay / 48 < 30
    assert all(tick is None for tick in out[:listening])
    woken = np.concatenate([tick for tick in out[listening : listening + 10] if tick is not None])
    assert woken.size == 10 * TICK
    assert np.abs(woken[:240]).max() > LOUD  # it fades in over 5 ms …
    assert np.abs(woken[240:TICK]).max() > 7_000  # … and is as loud as it is
    assert roughest(woken) < CLICK
    assert not hearing.stats.concealed
    assert not hearing.stats.late


def test_who_is_heard_again_fades_in() -> None:
    hearing = Hearing()
    sent = packets(tone(4 * SECOND), loss=5, bits=40_000)
    for tick in range(1, 4 * SECOND):
        hearing.push(sent[tick - 1], tick * TICK_US)
        decode = tick not in range(100, 120)
        samples = hearing.tick(tick * TICK_US + 7_000, decode=decode)
        assert (samples is None) == (tick < 2 or not decode)
        if tick == 120:
            assert samples is not None
            assert np.abs(samples[:60]).max() < 2_800
            assert np.abs(samples[300:]).max() > 7_000


NETWORKS: list[Callable[[], Network]] = [lambda: lossy(0.2), lambda: jittery(250), lambda: jittery(40)]


@pytest.mark.parametrize("network", NETWORKS)
def test_the_same_packets_at_the_same_times_make_the_same_sound(network: Callable[[], Network]) -> None:
    sent = packets(voice(5 * SECOND))
    first, second = (heard(sent, network(), ticks=5 * SECOND) for _ in range(2))
    assert np.array_equal(first.samples, second.samples)
