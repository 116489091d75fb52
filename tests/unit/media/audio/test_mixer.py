"""What each leg hears: by the sum, by the gate, and through real Opus."""

import time
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sound import decoded, loudest_click, packets, quiet, strength, tone

from mcu.ids import LegId
from mcu.media.audio.input import AudioInput
from mcu.media.audio.mixer import AudioMixer, MixedTick, limited, mix_minus
from mcu.media.audio.sounds import SOUNDS, detect, piece
from mcu.media.messages import NoticeKind
from mcu.media.seams import TICK_SAMPLES, AudioPacket, Cue, Samples

LEGS = [LegId(f"leg_{letter}") for letter in "abcdefgh"]
A, B, C, D = LEGS[:4]
HERTZ = dict(zip(LEGS, (440, 700, 1000, 1300, 1700, 2100, 2600, 3100), strict=True))
NOBODY: frozenset[LegId] = frozenset()


class Table:
    """A room's mixer, legs that say known tones, and what each of them is sent."""

    def __init__(self, *legs: LegId, loudest: int = 5, ticks: int = 150) -> None:
        self.legs = list(legs)
        self.mixer = AudioMixer(loudest)
        self.inputs = {leg: AudioInput(leg) for leg in legs}
        self.says: dict[LegId, list[AudioPacket]] = {leg: packets(tone(HERTZ[leg], ticks, 4000)) for leg in legs}
        self.silence = packets(quiet(ticks))
        self.sent: dict[LegId, list[bytes]] = {leg: [] for leg in legs}
        self.ticks: list[MixedTick] = []

    def run(
        self,
        ticks: int,
        *,
        talking: Sequence[LegId] = (),
        inside: frozenset[LegId] | None = None,
        muted: frozenset[LegId] = NOBODY,
        cues: Mapping[LegId, NoticeKind] | None = None,
    ) -> "Table":
        for at in range(ticks):
            number = len(self.ticks)
            for leg in self.legs:
                self.inputs[leg].push((self.says[leg] if leg in talking else self.silence)[number])
            due = {leg: [Cue(kind, at)] for leg, kind in (cues or {}).items() if at * TICK_SAMPLES < SOUNDS[kind].size}
            everyone = frozenset(self.legs) if inside is None else inside
            mixed = self.mixer.mix(self.inputs, everyone, muted, due, self.legs)
            self.ticks.append(mixed)
            for leg in self.legs:
                self.sent[leg].append(mixed.payloads[leg])
        return self

    def heard(self, leg: LegId, last: int | None = None) -> Samples:
        """As that leg's browser decodes it; of the last ticks if told."""
        sound = decoded(self.sent[leg])
        return sound if last is None else sound[-last * TICK_SAMPLES :]

    def hears(self, listener: LegId, talker: LegId) -> float:
        return strength(self.heard(listener, 30), HERTZ[talker])


FRAMES = st.dictionaries(
    st.sampled_from(LEGS),
    arrays.arrays(np.int16, TICK_SAMPLES, elements=st.integers(-32768, 32767), fill=st.integers(-32768, 32767)),
    max_size=8,
)


@settings(max_examples=50, deadline=None)
@given(frames=FRAMES)
def test_each_leg_is_given_the_sum_of_all_others_limited_once(frames: dict[LegId, Samples]) -> None:
    total, without = mix_minus(frames)
    for leg in frames:
        others = sum((frame.astype(np.int64) for other, frame in frames.items() if other != leg), np.int64(0))
        np.testing.assert_array_equal(limited(without[leg], ()), np.clip(others, -32768, 32767) + quiet(1))
    everybody = sum((frame.astype(np.int64) for frame in frames.values()), np.int64(0))
    np.testing.assert_array_equal(limited(total, ()), np.clip(everybody, -32768, 32767) + quiet(1))


def test_loud_voices_are_limited_after_the_notice_is_added() -> None:
    total = np.full(TICK_SAMPLES, 60000, np.int32)
    cue = Cue(NoticeKind.JOINED, 3)
    np.testing.assert_array_equal(limited(total - 40000, [cue]), 20000 + piece(cue))
    assert set(limited(total, [cue])) == {32767}


def test_everyone_hears_everyone_but_itself() -> None:
    table = Table(A, B, C).run(80, talking=(A, B, C))
    for listener in (A, B, C):
        for talker in (A, B, C):
            level = table.hears(listener, talker)
            assert level < 100 if talker is listener else level > 3000


@pytest.mark.policy("S5.3-1")
def test_a_leg_outside_the_gate_hears_silence_and_is_not_heard() -> None:
    table = Table(A, B, C).run(60, talking=(A, B, C), inside=frozenset({A, B}))
    assert np.abs(table.heard(C)).max() <= 1  # Opus rounds
    assert table.hears(A, B) > 3000
    assert table.hears(A, C) < 100


@pytest.mark.policy("S5.3-1")
def test_a_leg_outside_the_gate_hears_a_notice_and_nothing_else() -> None:
    table = Table(A, B, C).run(
        60, talking=(A, B, C), inside=frozenset({A, B}), cues=dict.fromkeys((A, B, C), NoticeKind.JOINED)
    )
    for leg in (A, B, C):
        assert [kind for kind, _ in detect(table.heard(leg))] == [NoticeKind.JOINED]
    during = slice(6 * TICK_SAMPLES, 24 * TICK_SAMPLES)
    assert strength(table.heard(A)[during], HERTZ[B]) > 1000
    assert strength(table.heard(C)[during], HERTZ[B]) < 200
    assert np.abs(table.heard(C)[30 * TICK_SAMPLES :]).max() <= 1


def test_a_muted_leg_is_not_heard_and_not_decoded() -> None:
    table = Table(A, B).run(60, talking=(A, B), muted=frozenset({B}))
    assert table.hears(A, B) < 100
    assert table.inputs[B]._decoder is None
    assert table.hears(B, A) > 3000


def test_whoever_leaves_the_room_is_not_heard_from_that_tick_on() -> None:
    table = Table(A, B).run(40, talking=(B,))
    before = len(table.ticks)
    table.run(40, talking=(B,), inside=frozenset({A}))
    after = table.heard(A)[(before + 1) * TICK_SAMPLES :]
    assert np.abs(after[TICK_SAMPLES:].astype(int)).max() < 50


@pytest.mark.parametrize("talkers", [0, 1, 2, 3])
def test_k_talkers_cost_k_encodes_and_one_for_all_others(talkers: int) -> None:
    table = Table(*LEGS).run(40, talking=LEGS[:talkers])
    assert {tick.encodes for tick in table.ticks[-10:]} == {talkers + 1}
    listeners = {table.sent[leg][-1] for leg in LEGS[talkers:]}
    assert len(listeners) == 1


def test_a_notice_that_all_hear_costs_no_encode_more() -> None:
    table = Table(*LEGS).run(20, talking=(A,)).run(10, talking=(A,), cues=dict.fromkeys(LEGS, NoticeKind.LEFT))
    assert {tick.encodes for tick in table.ticks[-5:]} == {2}


def test_thirty_at_the_door_share_one_encode() -> None:
    legs = [LegId(f"leg_{number}") for number in range(30)]
    mixer = AudioMixer(5)
    inputs = {leg: AudioInput(leg) for leg in legs}
    due = {leg: [Cue(NoticeKind.JOINED, 0)] for leg in legs}
    assert mixer.mix(inputs, NOBODY, NOBODY, due, legs).encodes == 1
    assert mixer.mix(inputs, NOBODY, NOBODY, {}, legs).encodes == 0


def test_only_the_loudest_are_heard() -> None:
    table = Table(A, B, C, D, loudest=2)
    for leg, amplitude in zip((A, B, C, D), (8000, 6000, 400, 300), strict=True):
        table.says[leg] = packets(tone(HERTZ[leg], 80, amplitude))
    table.run(60, talking=(A, B, C, D))
    assert set(table.ticks[-1].talkers) == {A, B}
    assert table.hears(D, A) > 5000
    assert table.hears(D, C) < 30


def test_legs_that_say_no_level_are_chosen_by_what_is_decoded() -> None:
    table = Table(A, B)
    table.says[A] = packets(tone(HERTZ[A], 80, 4000), level=None)
    table.silence = packets(quiet(80), level=None)
    table.run(60, talking=(A,))
    assert table.hears(B, A) > 3000
    assert table.ticks[-1].talkers == [A]


@pytest.mark.parametrize("talks_after", [20, 33])
def test_a_steady_tone_has_no_click_when_its_listener_starts_and_stops_to_talk(talks_after: int) -> None:
    """The listener moves from the shared encoder to its own and back again."""
    table = Table(A, B, ticks=250).run(talks_after, talking=(A,)).run(20, talking=(A, B)).run(100, talking=(A,))
    own = [tick.encodes for tick in table.ticks]
    assert max(own[talks_after:]) >= 2
    heard = table.heard(B)
    steady = loudest_click(heard[8 * TICK_SAMPLES : talks_after * TICK_SAMPLES], HERTZ[A])
    moved = loudest_click(heard[8 * TICK_SAMPLES :], HERTZ[A])
    assert moved < max(0.08, 2 * steady)


def test_the_level_sent_is_that_of_the_mix() -> None:
    tick = Table(A, B).run(40, talking=(A,)).ticks[-1]
    assert tick.sent_levels[A] > 80
    assert 15 < tick.sent_levels[B] < 25
    assert 15 < tick.levels[A] < 25


def test_a_leg_that_is_gone_leaves_nothing_behind() -> None:
    table = Table(A, B).run(30, talking=(A, B))
    for leg in (A, B):
        table.mixer.forget(leg)
    mixer = table.mixer
    assert not set(mixer._encoders) & {A, B}
    assert not mixer._recent
    mixer.close()
    assert not mixer._encoders


def test_fifty_legs_are_mixed_in_far_less_than_a_tick() -> None:
    """Without codecs: 50 frames summed, 50 times subtracted and limited."""
    frames = {LegId(f"leg_{n}"): tone(100 + n, 1) for n in range(50)}
    best = float("inf")
    for _ in range(20):
        began = time.perf_counter()
        _, without = mix_minus(frames)
        for leg in frames:
            limited(without[leg], ())
        best = min(best, time.perf_counter() - began)
    assert best < 0.002
