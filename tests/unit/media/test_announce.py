"""The gate, sentence by sentence (policy 5.3)."""

import inspect

import pytest
from gate import SOUND_TICKS, J, L, M, R, Stage

from mcu.ids import LegId, NoticeId
from mcu.media.announce import REPORT_TICKS, RoomLife
from mcu.media.life import LegEvent, LegState
from mcu.media.messages import Cause, NoticeKind, Outcome
from mcu.media.seams import Cue

A, B, C = LegId("leg_a"), LegId("leg_b"), LegId("leg_c")
LEAVE_TICKS = 5  # the 100 ms of S5.3-2


def whole(kind: NoticeKind) -> list[list[tuple[NoticeKind, int]]]:
    return [[(kind, offset)] for offset in range(SOUND_TICKS[kind])]


def room_of(*legs: LegId) -> Stage:
    stage = Stage()
    stage.enter(*legs)
    stage.all_received()
    stage.tick()
    stage.plans.clear()
    return stage


@pytest.mark.policy("S5.3-1")
def test_the_others_hear_all_of_the_join_sound_before_the_newcomer_is_inside() -> None:
    stage = room_of(A)
    stage.admit(B)
    stage.until_quiet()
    entered = next(at for at, plan in enumerate(stage.plans) if B in plan.inside)
    assert stage.heard(A)[:entered] == whole(J)


@pytest.mark.policy("S5.3-1")
def test_a_leg_in_the_lobby_hears_nothing_and_is_not_announced() -> None:
    stage = room_of(A)
    stage.life.add(B)
    stage.happens(LegEvent.CONNECTED, B)
    stage.tick(50)
    assert not any(B in plan.cues or B in plan.inside or plan.cues for plan in stage.plans)


def test_the_first_leg_hears_its_own_sound_and_is_then_inside() -> None:
    stage = Stage()
    stage.admit(A)
    stage.tick(SOUND_TICKS[J])
    assert stage.heard(A) == whole(J)
    assert stage.tick().inside == {A}


@pytest.mark.policy("S5.3-1")
def test_nobody_outside_can_say_that_a_leg_was_announced() -> None:
    stage = room_of(A)
    stage.admit(B)
    stage.happens(LegEvent.ANNOUNCED, B)
    assert stage.tick().inside == {A}


@pytest.mark.policy("S5.3-5")
def test_thirty_legs_at_once_share_one_notice() -> None:
    stage = Stage()
    legs = [LegId(f"leg_{number:02}") for number in range(30)]
    stage.admit(*legs)
    assert stage.until_quiet().inside == set(legs)
    (notice,) = stage.of_kind(J)
    assert set(notice.legs) == set(legs)


@pytest.mark.policy("S5.3-5")
def test_whoever_is_let_in_during_a_join_sound_shares_the_next_one() -> None:
    stage = room_of(A)
    stage.admit(B)
    stage.tick(2)
    stage.admit(C)
    stage.tick()
    stage.admit(LegId("leg_d"))
    stage.until_quiet()
    assert [notice.legs for notice in stage.of_kind(J)] == [(A,), (B,), (C, "leg_d")]
    assert stage.heard(A)[: 2 * SOUND_TICKS[J]] == whole(J) * 2


@pytest.mark.policy("S5.3-2")
@pytest.mark.parametrize("cause", list(Cause))
@pytest.mark.parametrize("event", [LegEvent.ENDED, LegEvent.LOST])
def test_a_leave_is_heard_within_a_tenth_of_a_second_whatever_the_cause(event: LegEvent, cause: Cause) -> None:
    stage = room_of(A, B)
    stage.happens(event, B, cause=cause)
    stage.tick(LEAVE_TICKS)
    assert [(L, 0)] in stage.heard(A)
    (notice,) = stage.of_kind(L)
    assert (notice.legs, notice.cause) == ((B,), cause)


@pytest.mark.policy("S5.3-2")
def test_whoever_is_gone_is_neither_heard_nor_hears_from_the_next_tick() -> None:
    stage = room_of(A, B)
    stage.happens(LegEvent.LOST, B)
    plan = stage.tick()
    assert plan.inside == {A}
    assert B not in plan.cues


@pytest.mark.policy("S5.3-2")
def test_a_leg_that_leaves_while_its_join_sound_plays_is_heard_to_leave() -> None:
    stage = room_of(A)
    stage.admit(B)
    stage.tick(2)
    stage.happens(LegEvent.ENDED, B, cause=Cause.HANGUP)
    stage.until_quiet()
    assert [notice.legs for notice in stage.of_kind(L)] == [(B,)]


def test_a_leg_that_leaves_before_anybody_was_told_of_it_leaves_in_silence() -> None:
    stage = room_of(A)
    stage.admit(B)
    stage.tick()
    stage.admit(C)
    stage.happens(LegEvent.ENDED, C)
    stage.until_quiet()
    assert not stage.of_kind(L)
    assert not any(C in notice.legs for notice in stage.of_kind(J))


def test_leaves_that_are_close_share_one_notice_for_each_cause() -> None:
    stage = room_of(A, B, C, LegId("leg_d"))
    stage.happens(LegEvent.ENDED, B, cause=Cause.HANGUP)
    stage.tick()
    stage.happens(LegEvent.ENDED, C, cause=Cause.HANGUP)
    stage.happens(LegEvent.LOST, "leg_d", cause=Cause.NETWORK)
    stage.until_quiet()
    assert {(notice.legs, notice.cause) for notice in stage.of_kind(L)} == {
        ((B, C), Cause.HANGUP),
        (("leg_d",), Cause.NETWORK),
    }
    assert max(len(heard) for heard in stage.heard(A)) == 1  # one sound, however many notices


@pytest.mark.policy("S5.3-8")
def test_a_leg_that_comes_back_is_announced_as_reconnected_and_only_then_inside() -> None:
    stage = room_of(A, B)
    stage.happens(LegEvent.LOST, B)
    stage.until_quiet()
    stage.plans.clear()
    stage.happens(LegEvent.RETURNED, B)
    stage.until_quiet()
    entered = next(at for at, plan in enumerate(stage.plans) if B in plan.inside)
    assert stage.heard(A)[:entered] == whole(R)


@pytest.mark.policy("S5.3-8")
def test_a_leg_that_is_back_at_once_is_reconnected_without_having_left() -> None:
    stage = room_of(A, B)
    stage.happens(LegEvent.LOST, B)
    stage.tick()
    stage.happens(LegEvent.RETURNED, B)
    stage.until_quiet()
    assert not stage.of_kind(L)
    assert [notice.legs for notice in stage.of_kind(R)] == [(B,)]


def test_a_leg_that_was_lost_before_anybody_was_told_of_it_comes_back_as_joined() -> None:
    stage = room_of(A)
    stage.admit(B)
    stage.tick()
    stage.admit(C)
    stage.happens(LegEvent.LOST, C)
    stage.until_quiet()
    stage.happens(LegEvent.RETURNED, C)
    stage.until_quiet()
    assert [notice.legs for notice in stage.of_kind(J)][-1] == (C,)
    assert not stage.of_kind(R)


def test_a_seat_is_given_up_after_the_resume_window_without_a_second_sound() -> None:
    stage = room_of(A, B)
    stage.happens(LegEvent.LOST, B, cause=Cause.NETWORK)
    stage.until_quiet()
    stage.tick(100)
    gone = [change for plan in stage.plans for change in plan.changes if change[1] is LegState.GONE]
    assert gone == [(B, LegState.GONE, Cause.NETWORK)]
    assert len(stage.of_kind(L)) == 1
    assert stage.life.state(B) is LegState.GONE


@pytest.mark.policy("S5.3-6")
@pytest.mark.parametrize(
    ("away", "back"), [(LegEvent.HELD, LegEvent.RESUMED), (LegEvent.LOST, LegEvent.RETURNED)], ids=["held", "lost"]
)
def test_whoever_was_away_hears_a_summary_before_it_hears_the_room(away: LegEvent, back: LegEvent) -> None:
    stage = room_of(A, B)
    stage.happens(away, B)
    stage.until_quiet()
    stage.enter(C, LegId("leg_d"))
    stage.happens(LegEvent.ENDED, C)
    stage.until_quiet()
    stage.plans.clear()
    stage.happens(back, B)
    stage.until_quiet()
    entered = next(at for at, plan in enumerate(stage.plans) if B in plan.inside)
    heard = [cue for cues in stage.heard(B)[:entered] for cue in cues if cue[0] is M]
    assert heard == [(M, offset) for offset in range(SOUND_TICKS[M])]
    (summary,) = stage.of_kind(M)
    assert (summary.legs, summary.missed) == ((B,), {J: 2, L: 1})


@pytest.mark.policy("S5.3-6")
def test_a_summary_that_was_cut_short_is_owed_again() -> None:
    stage = room_of(A, B)
    stage.happens(LegEvent.HELD, B)
    stage.enter(C)
    stage.happens(LegEvent.RESUMED, B)
    stage.tick(2)
    stage.happens(LegEvent.HELD, B)
    stage.until_quiet()
    stage.happens(LegEvent.RESUMED, B)
    stage.until_quiet()
    assert [summary.missed for summary in stage.of_kind(M)] == [{J: 1}, {J: 1}]
    assert [summary.recipients[B] for summary in stage.of_kind(M)] == [Outcome.NOT_SENT, Outcome.SENT]


def test_a_leg_that_missed_nothing_is_back_from_hold_in_the_next_tick() -> None:
    stage = room_of(A, B)
    stage.happens(LegEvent.HELD, B)
    assert stage.tick().inside == {A}
    stage.happens(LegEvent.RESUMED, B)
    assert stage.tick().inside == {A, B}


@pytest.mark.policy("S5.3-1")
def test_a_leg_that_resumes_while_a_join_sound_plays_is_told_of_it_before_both_can_hear_each_other() -> None:
    stage = room_of(A, B)
    stage.happens(LegEvent.HELD, B)
    stage.admit(C)
    stage.tick(2)
    stage.happens(LegEvent.RESUMED, B)
    while B not in stage.tick().inside:
        pass
    assert [summary.missed for summary in stage.of_kind(M)] == [{J: 1}]


@pytest.mark.policy("S5.3-8")
def test_after_a_crash_every_seat_comes_back_as_reconnected() -> None:
    stage = Stage()
    for leg in (A, B, C):
        stage.life.restore(leg)
    stage.tick()
    stage.happens(LegEvent.RETURNED, A, B)
    assert stage.until_quiet().inside == {A, B}
    (notice,) = stage.of_kind(R)
    assert set(notice.legs) == {A, B}


@pytest.mark.policy("S5.3-2", "S5.3-6")
def test_whoever_comes_back_after_a_crash_is_told_how_many_are_still_away() -> None:
    stage = Stage()
    for leg in (A, B, C):
        stage.life.restore(leg)
    stage.happens(LegEvent.RETURNED, A)
    stage.until_quiet()
    assert [summary.missed for summary in stage.of_kind(M)] == [{L: 2}]


@pytest.mark.policy("S5.3-2", "S5.3-6")
def test_a_seat_that_times_out_after_a_crash_is_not_forgotten_by_those_who_come_later() -> None:
    stage = Stage()
    for leg in (A, B):
        stage.life.restore(leg)
    stage.tick()
    stage.happens(LegEvent.ENDED, B, cause=Cause.HANGUP)
    stage.happens(LegEvent.RETURNED, A)
    stage.until_quiet()
    assert [summary.missed for summary in stage.of_kind(M)] == [{L: 1}]


@pytest.mark.policy("S5.3-7")
def test_a_notice_is_recorded_with_what_became_of_it_for_each_recipient() -> None:
    stage = room_of(A, B)
    stage.happens(LegEvent.HELD, B)
    stage.admit(C)
    plan = stage.tick()
    (record,) = plan.records
    assert record.recipients == {A: Outcome.PENDING, B: Outcome.NOT_SENT}
    assert (record.tick, record.wall_ms) == (stage.number, 1_000_000 + 20 * stage.number)
    plan = stage.tick(SOUND_TICKS[J] - 1)
    assert plan.finished == [(record.notice, {A})]
    stage.life.reported(A, record.notice, received=True)
    assert stage.tick().records[0].recipients == {A: Outcome.RECEIVED, B: Outcome.NOT_SENT}


@pytest.mark.policy("S5.3-7")
def test_a_recipient_without_a_report_in_time_did_not_receive_the_notice_and_is_owed_it() -> None:
    stage = room_of(A)
    stage.enter(B)
    notice = stage.of_kind(J)[-1].notice
    stage.tick(SOUND_TICKS[J] + REPORT_TICKS)
    assert stage.records[notice].recipients == {A: Outcome.NOT_RECEIVED}
    stage.happens(LegEvent.HELD, A)
    stage.tick()
    stage.happens(LegEvent.RESUMED, A)
    stage.until_quiet()
    assert [summary.missed for summary in stage.of_kind(M)] == [{J: 1}]


@pytest.mark.policy("S5.3-7")
def test_what_was_sent_just_before_a_leg_was_lost_counts_as_not_received() -> None:
    stage = room_of(A)
    stage.enter(B)
    stage.happens(LegEvent.LOST, A)
    stage.until_quiet()
    assert stage.of_kind(J)[-1].recipients == {A: Outcome.NOT_RECEIVED}


def test_a_report_on_an_unknown_notice_or_a_second_one_changes_nothing() -> None:
    stage = room_of(A)
    stage.enter(B)
    notice = stage.of_kind(J)[-1].notice
    stage.life.reported(A, notice, received=True)
    stage.life.reported(A, notice, received=False)
    stage.life.reported(A, NoticeId("ntc_none"), received=False)
    assert stage.tick().records[0].recipients == {A: Outcome.RECEIVED}


def test_no_piece_of_a_sound_is_lost_when_the_mixer_skips_ticks() -> None:
    stage = room_of(A)
    stage.admit(B)
    stage.tick(2)
    stage.number += 7
    stage.until_quiet()
    assert stage.heard(A)[: SOUND_TICKS[J]] == whole(J)


def test_an_unknown_leg_and_a_meaningless_event_change_nothing() -> None:
    stage = room_of(A)
    stage.happens(LegEvent.ENDED, B)
    stage.happens(LegEvent.RETURNED, A)
    stage.happens(LegEvent.ADMITTED, A)
    stage.life.add(A)
    stage.life.restore(A)
    plan = stage.tick()
    assert (plan.inside, plan.changes, plan.records) == ({A}, [], [])


def test_two_sounds_of_different_kinds_are_heard_on_top_of_each_other() -> None:
    stage = room_of(A, B)
    stage.admit(C)
    stage.happens(LegEvent.ENDED, B)
    stage.tick(3)
    assert set(stage.plans[-1].cues[A]) == {Cue(J, 2), Cue(L, 0)}


@pytest.mark.policy("S5.3-3")
def test_the_gate_takes_nothing_by_which_a_notice_could_be_left_out() -> None:
    assert set(inspect.signature(RoomLife).parameters) == {"sound_ticks", "resume_ticks", "new_notice_id"}
    for method in (RoomLife.add, RoomLife.restore):
        assert list(inspect.signature(method).parameters) == ["self", "leg"]
