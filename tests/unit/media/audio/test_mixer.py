"""What each leg is sent: by the sum, by the gate, and on which stream. The plane is on paper: rows come as they go."""

import time
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from paper_plane import NOTHING, SILENCE, PaperPlane
from sound import quiet, strength, tone

from mcu.clock import SystemClock
from mcu.ids import LegId
from mcu.media.audio.mixer import AudioMixer
from mcu.media.audio.outgoing import Outgoing, Said
from mcu.media.audio.sounds import SOUNDS, detect, piece
from mcu.media.messages import NoticeKind
from mcu.media.seams import TICK_SAMPLES, Cue, Samples

LEGS = [LegId(f"leg_{letter}") for letter in "abcdefgh"]
A, B, C, D = LEGS[:4]
HERTZ = dict(zip(LEGS, (450, 700, 1000, 1300, 1700, 2100, 2600, 3100), strict=True))  # whole turns in a tick
NOBODY: frozenset[LegId] = frozenset()


class Table:
    """A room's mixer, legs that say known tones, and what each of them is sent.

    The plane delivers whoever talks, also who should not be heard: the mixer is to see to that.
    """

    def __init__(self, *legs: LegId) -> None:
        self.plane = PaperPlane()
        self.mixer = AudioMixer(self.plane, loudest=5)
        self.out = Outgoing(self.plane, SystemClock())
        self.handles: dict[LegId, int] = {}
        self.says: dict[LegId, Samples] = {leg: tone(HERTZ[leg], 1, 4000) for leg in legs}
        self.levels: list[dict[LegId, int]] = []
        for leg in legs:
            self.connect(leg)

    def connect(self, leg: LegId) -> None:
        self.handles[leg] = self.plane.leg()
        self.mixer.connect(leg, self.handles[leg])

    def run(
        self,
        ticks: int,
        *,
        talking: Sequence[LegId] = (),
        inside: frozenset[LegId] | None = None,
        muted: frozenset[LegId] = NOBODY,
        cues: Mapping[LegId, NoticeKind] | None = None,
        told: Mapping[LegId, Samples] | None = None,
    ) -> "Table":
        inside = frozenset(self.handles) if inside is None else inside
        words = {self.handles[leg]: self.says[leg] for leg in talking}
        for at in range(ticks):
            self.plane.deliver(self.mixer.room, words)
            due = {leg: [Cue(kind, at)] for leg, kind in (cues or {}).items() if at * TICK_SAMPLES < SOUNDS[kind].size}
            self.mix(inside, muted, due, told)
        return self

    def mix(
        self,
        inside: frozenset[LegId],
        muted: frozenset[LegId],
        due: Mapping[LegId, Sequence[Cue]],
        told: Mapping[LegId, Samples] | None = None,
    ) -> None:
        talkers, samples = self.plane.talkers()
        said = Said(talkers, np.frombuffer(samples, np.int16).reshape(-1, TICK_SAMPLES))
        self.levels.append(self.mixer.mix(said, inside, muted, due, told or {}, self.out))
        self.out.send(len(self.levels))

    def heard(self, leg: LegId, last: int | None = None) -> Samples:
        """All that a leg was sent, or of the last ticks."""
        sent = self.plane.legs[self.handles[leg]]
        return np.concatenate([one.samples for one in (sent if last is None else sent[-last:])])

    def hears(self, listener: LegId, talker: LegId) -> float:
        return strength(self.heard(listener, 30), HERTZ[talker])

    def sound(self, leg: LegId) -> int:
        """The stream that a leg is on."""
        return self.plane.routes[self.handles[leg]]


FRAMES = st.dictionaries(
    st.sampled_from(LEGS),
    arrays.arrays(np.int16, TICK_SAMPLES, elements=st.integers(-32768, 32767), fill=st.integers(-32768, 32767)),
    max_size=8,
)


@settings(max_examples=50, deadline=None)
@given(frames=FRAMES)
def test_each_leg_is_given_the_sum_of_all_others_limited_once(frames: dict[LegId, Samples]) -> None:
    table = Table(*LEGS)
    table.says.update(frames)
    table.run(1, talking=list(frames))
    for leg in LEGS:
        others = sum((frame.astype(np.int64) for other, frame in frames.items() if other != leg), quiet(1))
        np.testing.assert_array_equal(table.heard(leg), np.clip(others, -32768, 32767))


def test_loud_voices_are_limited_after_the_notice_is_added() -> None:
    table = Table(A, B, C)
    table.says[A], table.says[B] = quiet(1) + np.int16(30_000), quiet(1) - np.int16(10_000)
    cue = Cue(NoticeKind.JOINED, 3)
    for talking, most in (([A, B], 20_000), ([A], 30_000)):
        table.plane.deliver(table.mixer.room, {table.handles[leg]: table.says[leg] for leg in talking})
        table.mix(frozenset(LEGS), NOBODY, {C: [cue]})
        wanted = np.clip(most + piece(cue).astype(int), -32768, 32767)
        np.testing.assert_array_equal(table.heard(C, 1), wanted)


def test_everyone_hears_everyone_but_itself() -> None:
    table = Table(A, B, C).run(30, talking=(A, B, C))
    for listener in (A, B, C):
        for talker in (A, B, C):
            level = table.hears(listener, talker)
            assert level < 1 if talker is listener else level > 3900


@pytest.mark.policy("S5.3-1")
def test_a_leg_outside_the_gate_hears_silence_and_is_not_heard() -> None:
    table = Table(A, B, C).run(30, talking=(A, B, C), inside=frozenset({A, B}))
    assert not table.heard(C).any()
    assert table.sound(C) == SILENCE
    assert table.hears(A, B) > 3900
    assert table.hears(A, C) < 1


@pytest.mark.policy("S5.3-1")
def test_a_leg_outside_the_gate_hears_a_notice_and_nothing_else() -> None:
    table = Table(A, B, C).run(
        40, talking=(A, B, C), inside=frozenset({A, B}), cues=dict.fromkeys((A, B, C), NoticeKind.JOINED)
    )
    for leg in (A, B, C):
        assert [kind for kind, _ in detect(table.heard(leg))] == [NoticeKind.JOINED]
    joined = SOUNDS[NoticeKind.JOINED]
    np.testing.assert_array_equal(table.heard(C)[: joined.size], joined)
    assert not table.heard(C)[joined.size :].any()


@pytest.mark.policy("S5.3-1")
def test_no_stream_that_is_heard_outside_was_ever_heard_inside_or_is_primed_with_what_was() -> None:
    """An encoder remembers a little of what it was given last."""
    table = Table(A, B, C, D)
    everybody, outside = frozenset(LEGS), {C: NoticeKind.LEFT, D: NoticeKind.MISSED}
    heard_inside: set[int] = set()
    for inside, cues in ((everybody, None), (frozenset({A, B}), outside), (everybody, None), (frozenset({A}), outside)):
        for _ in range(6):
            table.run(1, talking=(A, C), inside=inside, cues=cues)
            for leg in (A, B, C, D):
                if leg in inside:
                    heard_inside.add(table.sound(leg))
                elif table.sound(leg) != SILENCE:
                    assert table.sound(leg) not in heard_inside
                    assert not table.plane.primed[table.sound(leg)]


def test_who_enters_is_on_a_stream_that_has_carried_nothing_of_the_room_before() -> None:
    table = Table(A, B, C)
    table.run(20, talking=[B], inside=frozenset({B, C}))
    room = table.sound(C)
    table.run(1, inside=frozenset({A, B, C}), muted=frozenset({B}))
    assert table.sound(A) not in (room, table.sound(B))
    table.run(1)
    assert table.sound(A) == table.sound(C) == room


def test_many_who_enter_together_share_a_stream_and_those_who_enter_after_them_another() -> None:
    table = Table(*LEGS)
    table.run(5, inside=frozenset({B}))
    first, then = frozenset(LEGS[:4]), frozenset(LEGS)
    table.run(1, inside=first)
    assert len({table.sound(leg) for leg in first - {B}}) == 1
    of_first = table.sound(A)
    table.run(1, inside=then)
    assert {table.sound(leg) for leg in first} == {table.sound(B)}
    assert {table.sound(leg) for leg in then - first}.isdisjoint({table.sound(B), of_first})
    assert len({table.sound(leg) for leg in then - first}) == 1


def test_a_muted_leg_is_not_heard_and_not_decoded() -> None:
    table = Table(A, B).run(30, talking=(A, B), muted=frozenset({B}))
    assert table.hears(A, B) < 1
    assert table.hears(B, A) > 3900
    assert table.plane.heard_in[table.handles[B]] == 0
    assert table.plane.heard_in[table.handles[A]] == table.mixer.room
    assert table.levels[-1].keys() == {A}


@pytest.mark.policy("S5.3-1")
def test_a_leg_is_decoded_only_while_it_is_inside() -> None:
    table = Table(A, B)
    for inside in (frozenset({A}), frozenset({A, B}), frozenset({A})):
        table.run(1, inside=inside)
        assert table.plane.heard_in[table.handles[B]] == (table.mixer.room if B in inside else 0)


@pytest.mark.policy("S5.3-1")
def test_whoever_leaves_the_room_is_not_heard_from_that_tick_on() -> None:
    table = Table(A, B).run(10, talking=(B,)).run(10, talking=(B,), inside=frozenset({A}))
    assert table.heard(A)[: 10 * TICK_SAMPLES].any()
    assert not table.heard(A)[10 * TICK_SAMPLES :].any()


@pytest.mark.policy("S5.3-1")
def test_whoever_is_put_outside_hears_nothing_from_that_tick_on() -> None:
    table = Table(A, B, C).run(10, talking=(A, B)).run(10, talking=(A, B), inside=frozenset({A}))
    for leg in (B, C):
        assert table.heard(leg)[: 10 * TICK_SAMPLES].any()
        assert not table.heard(leg)[10 * TICK_SAMPLES :].any()


@pytest.mark.policy("S5.3-1")
def test_whoever_is_disconnected_is_sent_nothing_more_though_its_transport_lives_on() -> None:
    table = Table(A, B).run(5, talking=(A,))
    old = table.handles[B]
    table.connect(B)
    table.run(5, talking=(A,))
    assert len(table.plane.legs[old]) == 5
    assert table.plane.routes[old] == NOTHING
    assert table.hears(B, A) > 3900


def test_what_another_room_s_leg_says_is_not_mixed() -> None:
    table = Table(A)
    stranger = table.plane.leg()
    table.plane.deliver(table.mixer.room, {stranger: tone(700, 1)})
    table.mix(frozenset({A}), NOBODY, {})
    assert not table.heard(A).any()


@pytest.mark.parametrize("talkers", [0, 1, 2, 3])
def test_k_talkers_cost_k_streams_and_one_for_all_others(talkers: int) -> None:
    table = Table(*LEGS).run(40, talking=LEGS[:talkers])
    assert len({table.sound(leg) for leg in LEGS[:talkers]}) == talkers
    assert len({table.sound(leg) for leg in LEGS[talkers:]}) == 1
    assert len(table.plane.sounds) == talkers + 1


def test_a_stream_that_nobody_hears_is_neither_mixed_nor_kept() -> None:
    """Two who both talk: nobody is left to hear what is for those who do not."""
    table = Table(A, B).run(5).run(5, talking=(A, B))
    assert set(table.plane.sounds) == {table.sound(A), table.sound(B)}
    assert set(table.plane.mixed[-1]) == {table.sound(A), table.sound(B)}


def test_a_notice_that_all_hear_costs_no_stream_more() -> None:
    table = Table(*LEGS).run(20, talking=(A,)).run(10, talking=(A,), cues=dict.fromkeys(LEGS, NoticeKind.LEFT))
    assert len(table.plane.sounds) == 2


def test_who_hears_what_nobody_else_hears_has_a_stream_of_its_own_for_that_time() -> None:
    table = Table(A, B, C, D).run(3).run(10, inside=frozenset({A, B}), cues={B: NoticeKind.MISSED})
    assert table.sound(A) != table.sound(B)
    np.testing.assert_array_equal(table.heard(B, 10), SOUNDS[NoticeKind.MISSED][: 10 * TICK_SAMPLES])
    assert not table.heard(A).any()
    table.run(2, inside=frozenset({A, B}))
    assert table.sound(A) == table.sound(B)


def test_thirty_at_the_door_share_one_stream() -> None:
    table = Table(*LEGS).run(3, inside=NOBODY, cues=dict.fromkeys(LEGS, NoticeKind.JOINED))
    assert len({table.sound(leg) for leg in LEGS}) == 1
    table.run(2, inside=NOBODY)
    assert {table.sound(leg) for leg in LEGS} == {SILENCE}
    assert not table.plane.sounds


def test_a_listener_keeps_its_own_stream_a_little_after_it_has_spoken_and_streams_of_the_room_are_primed() -> None:
    table = Table(A, B).run(5, talking=(A,))
    shared = table.sound(B)
    table.run(5, talking=(A, B))
    own = table.sound(B)
    assert own != shared
    table.run(9, talking=(A,))
    assert table.sound(B) == own
    table.run(3, talking=(A,))
    assert table.sound(B) not in (own, shared)
    assert all(table.plane.primed[sound] for sound in (shared, own, table.sound(B)))
    assert strength(table.heard(B), HERTZ[A]) == pytest.approx(4000, rel=0.01)


def test_a_stream_lasts_one_tick_longer_than_it_is_heard_so_that_the_next_can_go_on_from_it() -> None:
    table = Table(A, B).run(3, talking=(A,))
    old = table.sound(B)
    table.run(1, talking=(A, B))
    assert old in table.plane.sounds
    table.run(1, talking=(A, B))
    assert old not in table.plane.sounds


def test_only_what_changes_is_told() -> None:
    table = Table(*LEGS).run(20, talking=(A, B))
    told = table.plane.told
    table.run(50, talking=(A, B))
    assert table.plane.told == told
    table.run(1, talking=(A, B, C))
    assert table.plane.told == told + 1


def test_a_tick_that_was_not_sent_is_made_good_by_the_next() -> None:
    table = Table(A, B, C).run(2, talking=(A,))
    table.mixer.disconnect(C)
    table.plane.behind = True
    with pytest.raises(OverflowError):
        table.run(1, talking=(A, B))
    table.mixer.start_over()
    table.plane.behind = False
    table.run(2, talking=(A, B))
    assert table.plane.routes[table.handles[C]] == NOTHING
    assert strength(table.heard(A, 2), HERTZ[B]) > 3900
    assert strength(table.heard(B, 2), HERTZ[A]) > 3900
    assert set(table.plane.sounds) == {table.sound(A), table.sound(B)}


def test_who_enters_in_a_tick_that_was_not_sent_enters_in_the_next() -> None:
    table = Table(A, B, C).run(5, talking=(B,), inside=frozenset({B, C}))
    table.plane.behind = True
    with pytest.raises(OverflowError):
        table.run(1)
    table.mixer.start_over()
    table.plane.behind = False
    table.run(1)
    assert table.sound(A) != table.sound(C)
    table.run(1)
    assert table.sound(A) == table.sound(C)


def test_a_leg_that_is_gone_and_here_again_in_the_next_tick_is_mixed_for() -> None:
    table = Table(A, B).run(2, inside=NOBODY, cues={A: NoticeKind.JOINED, B: NoticeKind.LEFT})
    for leg in (A, B):
        table.mixer.disconnect(leg)
        table.connect(leg)
    table.run(2, inside=NOBODY, cues={A: NoticeKind.JOINED, B: NoticeKind.LEFT})
    for leg, kind in ((A, NoticeKind.JOINED), (B, NoticeKind.LEFT)):
        np.testing.assert_array_equal(table.heard(leg), SOUNDS[kind][: 2 * TICK_SAMPLES])


def test_a_leg_whose_transport_has_just_ended_does_not_stop_the_room() -> None:
    table = Table(A, B, C).run(3, talking=(A,))
    table.plane.remove(table.handles[C])
    table.run(3, talking=(A,), muted=frozenset({C})).run(1, talking=(A,), inside=frozenset({A, B}))
    assert strength(table.heard(B, 4), HERTZ[A]) > 3900


def test_a_room_that_is_over_leaves_nothing_in_the_plane() -> None:
    table = Table(A, B, C).run(30, talking=(A, B)).run(1, talking=(A,), cues={C: NoticeKind.LEFT})
    table.mixer.close()
    assert not table.plane.sounds
    assert not table.plane.rooms
    assert set(table.plane.heard_in.values()) == {NOTHING}


def test_what_is_said_to_one_leg_is_heard_by_it_alone_over_a_softer_room() -> None:
    table = Table(A, B, C)
    words = tone(3000, 1, 5000)
    table.run(30, talking=[A], told={B: words})
    assert strength(table.heard(B, 10), 3000) > 4900
    assert strength(table.heard(B, 10), HERTZ[A]) == pytest.approx(1000, rel=0.05)
    for other in (A, C):
        assert strength(table.heard(other), 3000) < 1
    table.run(30, talking=[A])
    assert table.sound(B) == table.sound(C)
    assert table.hears(B, A) > 3900


@pytest.mark.policy("S5.3-1")
def test_who_waits_outside_may_be_told_something_and_hears_nothing_of_the_room_in_it() -> None:
    table = Table(A, B, C)
    inside = frozenset({A, C})
    table.run(30, talking=[A], inside=inside, told={B: tone(3000, 1, 5000)})
    assert strength(table.heard(B), 3000) > 4900
    assert strength(table.heard(B), HERTZ[A]) < 1
    table.run(1, talking=[A], inside=inside)
    assert table.sound(B) == SILENCE


def test_the_levels_are_those_of_the_legs_that_are_mixed() -> None:
    table = Table(A, B, C).run(2, talking=(A, B, C), inside=frozenset({A, B}), muted=frozenset({B}))
    assert table.levels[-1] == {A: 21}


def test_a_hundred_legs_of_whom_three_talk_are_mixed_in_far_less_than_a_tick() -> None:
    legs = [LegId(f"leg_{number}") for number in range(100)]
    table = Table()
    for number, leg in enumerate(legs):
        table.says[leg] = tone(100 + 50 * number, 1)
        table.connect(leg)
    inside = frozenset(legs)
    table.run(2, talking=legs[:3], inside=inside)
    talkers, samples = table.plane.talkers()
    said = Said(talkers, np.frombuffer(samples, np.int16).reshape(-1, TICK_SAMPLES))
    best = float("inf")
    for _ in range(50):
        began = time.perf_counter()
        table.mixer.mix(said, inside, NOBODY, {}, {}, table.out)
        best = min(best, time.perf_counter() - began)
        table.out.back_to((0, 0))
    print(f"{best * 1e6:.0f} µs")
    assert best < 0.000_5
