"""A worker's room: what becomes of legs when connections come, fail and take over. Transport and plane are scripted."""

import asyncio
from pathlib import Path

import pytest
from paper_plane import NOTHING
from room_stage import ENTERING, A, B, Stage
from sound import record, tone

from mcu import errors
from mcu.demo.check import amplitudes
from mcu.ids import LegId, RoomId
from mcu.media import cost
from mcu.media.audio.mixer import AudioMixer
from mcu.media.life import LegState
from mcu.media.messages import (
    AbsentLeg,
    AddLeg,
    Cause,
    CostChanged,
    HoldLeg,
    LegTold,
    MuteLeg,
    NetworkChanged,
    NetworkLevel,
    NetworkTrouble,
    NoticeKind,
    Outcome,
    Personal,
    PersonalLeg,
    RemoveLeg,
    RoomProfile,
    SayToLeg,
    Source,
)
from mcu.media.outlets import Outlets
from mcu.media.prompts import Prompts
from mcu.media.receipts import MOST_LOST
from mcu.media.room import SOUND_TICKS


async def test_a_leg_is_announced_before_it_is_in_the_room(stage: Stage) -> None:
    await stage.join(A)
    assert stage.states(A) == [LegState.CONNECTING, LegState.WAITING, LegState.ANNOUNCING, LegState.IN_ROOM]


async def test_an_offer_that_is_of_no_use_makes_no_seat(stage: Stage) -> None:
    with pytest.raises(errors.Invalid):
        await stage.room.add_leg(AddLeg(room=RoomId("room_1"), leg=A, offer="rubbish", label="a"))
    stage.ticks(2)
    assert stage.room.size == 0
    assert stage.events == []


@pytest.mark.policy("S5.3-1")
async def test_a_leg_to_which_a_piece_of_a_notice_could_not_be_sent_is_not_in_the_room_any_more(stage: Stage) -> None:
    first = await stage.join(A)
    second = await stage.offer(B)
    second.listener.on_connected()
    stage.ticks(3)
    first.listener.on_unsent(stage.number)
    stage.ticks(ENTERING)
    assert stage.states(A)[-1] is LegState.RECONNECTING
    assert stage.states(B)[-1] is LegState.IN_ROOM


@pytest.mark.policy("S5.3-1")
async def test_whoever_was_not_sent_the_last_piece_is_out_in_the_very_tick_in_which_the_newcomer_is_in(
    stage: Stage,
) -> None:
    first, second = await stage.join(A), await stage.offer(B)
    second.listener.on_connected()
    stage.ticks(SOUND_TICKS[NoticeKind.JOINED])
    assert stage.states(B)[-1] is LegState.ANNOUNCING
    first.listener.on_unsent(stage.number)
    stage.ticks(1)
    assert stage.states(B)[-1] is LegState.IN_ROOM
    assert stage.states(A)[-1] is LegState.RECONNECTING
    assert stage.plane.routes.get(first.handle, NOTHING) == NOTHING


async def test_a_tick_without_a_notice_that_could_not_be_sent_costs_nobody_their_place(stage: Stage) -> None:
    first = await stage.join(A)
    stage.ticks(5)
    first.listener.on_unsent(stage.number)
    stage.ticks(2)
    assert stage.states(A)[-1] is LegState.IN_ROOM


@pytest.mark.policy("S5.3-1")
async def test_nobody_enters_by_a_sound_that_a_defect_kept_from_being_mixed(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.join(A)
    newcomer = await stage.offer(B)
    newcomer.listener.on_connected()
    stage.ticks(1)

    def defect(*_: object) -> None:
        raise ValueError("a defect")

    with monkeypatch.context() as broken:
        broken.setattr(AudioMixer, "mix", defect)
        with pytest.raises(ValueError, match="a defect"):
            stage.ticks(1)
    stage.ticks(2)
    assert stage.states(A)[-1] is LegState.RECONNECTING
    assert LegState.IN_ROOM not in stage.states(B)


@pytest.mark.policy("S5.3-1")
async def test_nobody_enters_by_a_sound_that_the_plane_did_not_take(stage: Stage) -> None:
    await stage.join(A)
    newcomer = await stage.offer(B)
    newcomer.listener.on_connected()
    stage.ticks(2)
    stage.room.not_sent(stage.number)
    stage.ticks(1)
    assert stage.states(A)[-1] is LegState.RECONNECTING
    assert LegState.IN_ROOM not in stage.states(B)


@pytest.mark.policy("S5.3-7")
async def test_a_notice_is_received_when_a_report_covers_its_last_packet(stage: Stage) -> None:
    first, second = await stage.join(A), await stage.offer(B)
    second.listener.on_connected()
    stage.ticks(SOUND_TICKS[NoticeKind.JOINED])
    last = stage.plane.sent_sequence(first.handle)
    stage.ticks(5)
    for highest, outcome in ((last - 1, Outcome.SENT), (last, Outcome.RECEIVED)):
        first.listener.on_audio_report(highest, 0)
        stage.ticks(1)
        assert stage.notices(NoticeKind.JOINED)[-1].record.recipients[A] is outcome


async def test_a_transport_that_ends_in_the_tick_in_which_a_notice_does_holds_nobody_up(stage: Stage) -> None:
    first, second = await stage.join(A), await stage.offer(B)
    second.listener.on_connected()
    stage.ticks(SOUND_TICKS[NoticeKind.JOINED])
    stage.plane.remove(first.handle)
    stage.ticks(1)
    assert stage.states(B)[-1] is LegState.IN_ROOM


@pytest.mark.policy("S5.3-7")
async def test_a_notice_of_which_much_was_lost_was_not_received(stage: Stage) -> None:
    first, second = await stage.join(A), await stage.offer(B)
    first.listener.on_audio_report(stage.plane.sent_sequence(first.handle), 2)
    second.listener.on_connected()
    stage.ticks(ENTERING)
    first.listener.on_audio_report(stage.plane.sent_sequence(first.handle), 2 + MOST_LOST + 1)
    stage.ticks(1)
    assert stage.notices(NoticeKind.JOINED)[-1].record.recipients[A] is Outcome.NOT_RECEIVED


@pytest.mark.policy("S5.3-8")
async def test_a_new_connection_takes_the_seat_when_it_is_up_and_is_announced_as_reconnected(stage: Stage) -> None:
    old = await stage.join(A)
    await stage.join(B)
    new = await stage.offer(A)
    stage.ticks(2)
    assert stage.states(A)[-1] is LegState.IN_ROOM
    assert not old.closed
    new.listener.on_connected()
    await asyncio.sleep(0)
    stage.ticks(ENTERING)
    assert old.closed
    assert stage.states(A)[-3:] == [LegState.RECONNECTING, LegState.ANNOUNCING, LegState.IN_ROOM]
    assert B in stage.notices(NoticeKind.RECONNECTED)[0].record.recipients
    assert not stage.notices(NoticeKind.LEFT)


async def test_a_connection_that_was_replaced_says_nothing_any_more(stage: Stage) -> None:
    old = await stage.join(A)
    new = await stage.offer(A)
    new.listener.on_connected()
    stage.ticks(ENTERING)
    old.listener.on_lost(Cause.NETWORK)
    stage.ticks(2)
    assert stage.states(A)[-1] is LegState.IN_ROOM


async def test_a_take_over_that_fails_leaves_the_seat_as_it_was(stage: Stage) -> None:
    await stage.join(A)
    new = await stage.offer(A)
    new.listener.on_lost(Cause.FAILED)
    stage.ticks(2)
    assert stage.states(A)[-1] is LegState.IN_ROOM


async def test_a_seat_given_up_while_its_offer_is_answered_is_a_new_seat(stage: Stage) -> None:
    first = await stage.join(A)
    first.listener.on_lost(Cause.NETWORK)
    stage.transports.before_answer.clear()
    offering = asyncio.create_task(stage.offer(A))
    await asyncio.sleep(0)
    stage.ticks(60)
    assert stage.states(A)[-1] is LegState.GONE
    stage.transports.before_answer.set()
    (await offering).listener.on_connected()
    stage.ticks(ENTERING)
    assert stage.states(A)[-1] is LegState.IN_ROOM
    assert stage.room.size == 1


async def test_whoever_is_muted_or_comes_back_muted_is_not_heard(stage: Stage) -> None:
    speaker, listener = await stage.join(A), await stage.join(B)

    def heard() -> bool:
        stage.ticks(1)
        return stage.hears(listener, 1000)

    stage.plane.deliver(stage.room.sound_room, {speaker.handle: tone(1000, 1)})
    assert heard()
    stage.room.obey(MuteLeg(room=RoomId("room_1"), leg=A, muted=True))
    assert not heard()
    stage.room.obey(MuteLeg(room=RoomId("room_1"), leg=A, muted=False))
    assert heard()
    again = await stage.join(A, muted=True)
    stage.plane.deliver(stage.room.sound_room, {again.handle: tone(1000, 1)})
    assert not heard()
    stage.room.obey(MuteLeg(room=RoomId("room_1"), leg=A, muted=False))
    assert heard()


@pytest.mark.policy("S5.3-1")
async def test_whoever_waits_hears_silence_and_is_not_heard(stage: Stage) -> None:
    inside = await stage.join(A)
    await stage.room.add_leg(AddLeg(room=RoomId("room_1"), leg=B, offer="offer", label="b"))
    waiting = stage.transports.made[-1]
    waiting.listener.on_connected()
    words = {inside.handle: tone(1000, 1), waiting.handle: tone(3000, 1)}
    stage.plane.deliver(stage.room.sound_room, words)
    stage.ticks(60)
    assert stage.states(B)[-1] is LegState.WAITING
    assert not any(sent.samples.any() for sent in stage.plane.legs[waiting.handle])
    assert len(stage.plane.legs[waiting.handle]) == 60
    assert not any(amplitudes(sent.samples, 3000)[0] > 100 for sent in stage.plane.legs[inside.handle])


async def test_a_room_is_woken_by_its_first_leg_and_idle_when_all_is_told_of_the_last(stage: Stage) -> None:
    assert stage.room.idle
    await stage.join(A)
    assert stage.woken == 1
    stage.room.obey(RemoveLeg(room=RoomId("room_1"), leg=A, cause=Cause.REMOVED))
    assert not stage.room.idle
    stage.ticks(ENTERING + 5)
    assert stage.states(A)[-1] is LegState.GONE
    assert stage.notices(NoticeKind.LEFT)
    assert stage.room.idle
    before = len(stage.events)
    stage.ticks(5)
    assert len(stage.events) == before


async def test_a_seat_kept_from_a_dead_worker_wakes_the_room(stage: Stage) -> None:
    stage.room.restore(AbsentLeg(leg=A, label="a"))
    assert stage.woken == 1
    assert not stage.room.idle


@pytest.mark.policy("S5.3-6")
async def test_a_leg_on_hold_that_loses_its_connection_comes_back_on_hold(stage: Stage) -> None:
    await stage.join(A)
    await stage.join(B)
    stage.room.obey(HoldLeg(room=RoomId("room_1"), leg=A, held=True))
    (await stage.offer(A)).listener.on_connected()
    stage.ticks(ENTERING)
    assert stage.states(A)[-1] is LegState.HELD


async def test_seats_of_a_dead_worker_are_kept_with_their_mute_and_hold(stage: Stage) -> None:
    stage.room.restore(AbsentLeg(leg=A, label="a", muted=True, held=True))
    stage.ticks(1)
    assert stage.states(A) == [LegState.RECONNECTING]
    (await stage.offer(A)).listener.on_connected()
    stage.ticks(ENTERING)
    assert stage.states(A)[-1] is LegState.HELD


async def test_the_end_of_the_room_ends_every_leg_and_closes_its_connection(stage: Stage) -> None:
    transport = await stage.join(A)
    await stage.close()
    assert stage.states(A)[-1] is LegState.GONE
    assert transport.closed
    assert not stage.plane.sounds
    assert not stage.plane.rooms


async def test_a_command_for_a_leg_that_is_not_here_is_refused(stage: Stage) -> None:
    with pytest.raises(errors.NotFound):
        stage.room.obey(MuteLeg(room=RoomId("room_1"), leg=A, muted=True))


async def test_a_view_of_ones_own_is_had_where_there_is_room_for_it_and_said_where_there_is_none(stage: Stage) -> None:
    for leg in (A, B):
        transport = await stage.offer(leg)
        transport.video = "H264"
        transport.listener.on_connected()
    stage.ticks(2 * ENTERING)
    alone, price = stage.room.cores, cost.of_view(RoomProfile())
    stage.room_for = alone + 1.5 * price
    for leg in (A, B):
        stage.room.obey(PersonalLeg(room=RoomId("room_1"), leg=leg, personal=True))
    assert stage.room.cores == pytest.approx(alone + price)
    assert [event.cores for event in stage.events if isinstance(event, CostChanged)][-1] == stage.room.cores
    assert await stage.sees(A) == (Personal.PERSONAL, [B])
    assert await stage.sees(B) == (Personal.NO_ROOM, [A, B])
    stage.room.obey(PersonalLeg(room=RoomId("room_1"), leg=A, personal=False))
    assert await stage.sees(A) == (Personal.SHARED, [A, B])
    stage.room.obey(MuteLeg(room=RoomId("room_1"), leg=A, muted=True))  # whatever happens, it is asked for again
    assert await stage.sees(B) == (Personal.PERSONAL, [A])


async def test_what_a_full_room_costs_is_not_added_up_for_each_who_is_refused(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    everybody = [A, B, LegId("leg_c")]
    for leg in everybody:
        transport = await stage.offer(leg)
        transport.video = "H264"
        transport.listener.on_connected()
    stage.ticks(2 * ENTERING)
    stage.room_for = stage.room.cores
    for leg in everybody:
        stage.room.obey(PersonalLeg(room=RoomId("room_1"), leg=leg, personal=True))
    times, of_room = [0], cost.of_room

    def counted(profile: RoomProfile, legs: int, pictures: cost.Pictures) -> float:
        times[0] += 1
        return of_room(profile, legs, pictures)

    monkeypatch.setattr(cost, "of_room", counted)
    stage.room.obey(MuteLeg(room=RoomId("room_1"), leg=A, muted=True))
    assert times[0] == 2  # before it is seen who has room, and after
    assert await stage.sees(B) == (Personal.NO_ROOM, everybody)


async def test_what_a_leg_loses_of_its_picture_is_that_of_the_connection_it_has_now(stage: Stage) -> None:
    first = await stage.join(A)
    outlets = Outlets(RoomId("room_1"), RoomProfile(), stage.room, stage.transports, stage)
    assert outlets.picture_loss(A, Source.CAMERA) == 0
    first.listener.on_picture_loss(Source.CAMERA, 0.25)
    assert outlets.picture_loss(A, Source.CAMERA) == 0.25
    assert outlets.picture_loss(A, Source.SCREEN) == 0
    await stage.join(A)
    assert outlets.picture_loss(A, Source.CAMERA) == 0


async def test_for_another_encoder_there_is_room_as_for_another_view(stage: Stage) -> None:
    await stage.join(A)
    outlets = Outlets(RoomId("room_1"), RoomProfile(), stage.room, stage.transports, stage)
    assert outlets.has_room()
    stage.room_for = stage.room.cores + 0.5 * cost.of_view(RoomProfile())
    assert not outlets.has_room()


async def test_what_a_legs_network_is_like_is_told_when_enough_was_seen_and_then_when_it_changes(stage: Stage) -> None:
    first = await stage.join(A)
    await stage.offer(B)  # not connected: nothing is seen of it
    for _ in range(5):
        await stage.room.judge_networks()
    first.rtt_ms = 500.0
    for _ in range(5):
        await stage.room.judge_networks()
    told = [event for event in stage.events if isinstance(event, NetworkChanged)]
    assert [(event.leg, event.level, event.trouble) for event in told] == [
        (A, NetworkLevel.GOOD, NetworkTrouble.NONE),
        (A, NetworkLevel.WEAK, NetworkTrouble.DELAY),
    ]


@pytest.mark.policy("S5.3-2")
async def test_words_to_a_leg_wait_while_a_notice_sounds_to_it_and_are_told_when_they_are_over(
    stage: Stage, tmp_path: Path
) -> None:
    record(tmp_path / "sv" / "muted.wav", tone(3000, 5, 8000))
    transport = await stage.join(A)
    await stage.offer(B)
    stage.transports.made[-1].listener.on_connected()
    prompts = Prompts([tmp_path])
    await stage.room.say(SayToLeg(room=RoomId("room_1"), leg=A, prompts=["muted"]), prompts)
    stage.ticks(3)
    assert not stage.hears(transport, 3000)  # B is being announced
    stage.ticks(SOUND_TICKS[NoticeKind.JOINED])
    assert stage.hears(transport, 3000)
    assert LegTold(room=RoomId("room_1"), leg=A) not in stage.events
    stage.ticks(20)
    assert not stage.hears(transport, 3000)
    assert stage.events.count(LegTold(room=RoomId("room_1"), leg=A)) == 1
    with pytest.raises(errors.NotFound):
        await stage.room.say(SayToLeg(room=RoomId("room_1"), leg=A, prompts=["unheard-of"]), prompts)
