"""A room that runs: what is asked of it, and what befalls it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TypeVar

import msgspec
import pytest
from house import Ear, house
from meetings import HandClock, guest, host, meeting
from paper_worker import BAD_OFFER

from mcu.api.rooms import participant_out
from mcu.booking.rules import MeetingLocked
from mcu.booking.store import RoomRun
from mcu.conference.acts import (
    Admit,
    End,
    Post,
    Remove,
    SetCamera,
    SetHand,
    SetHeld,
    SetLegPersonal,
    SetLocked,
    SetMuted,
    SetRole,
    SetRoomPersonal,
    SetScreen,
    Tell,
)
from mcu.conference.policy import CONNECT_S
from mcu.conference.room import Room
from mcu.conference.tickets import SeatGone
from mcu.conference.updates import EndsAt, Noticed, Over, RosterNow, Said, Seated, Told, Update
from mcu.errors import Conflict, Invalid, McuError, MeetingFull, NotFound, Unavailable
from mcu.ids import LegId, ParticipantId
from mcu.media.life import LegState
from mcu.media.messages import (
    CameraLeg,
    Layout,
    LayoutChanged,
    LegTold,
    MuteLeg,
    NoticeKind,
    Personal,
    PersonalLeg,
    SayToLeg,
)
from mcu.storage.database import Database

S = LegState
U = TypeVar("U", bound=Update)


# -- coming in ------------------------------------------------------------------------------------------------------


async def test_a_guest_goes_through_announcing_into_the_room_and_the_others_are_told(database: Database) -> None:
    async with house(database) as here:
        first = await here.sit(host())
        await here.sit(guest("Anna"))
        assert here.states() == {"Berg": S.IN_ROOM, "Anna": S.IN_ROOM}
        assert [told.names for told in here.ears[first].all(Noticed)] == [["Anna"]]


async def test_a_guest_waits_for_the_host_and_then_comes_in_by_itself(database: Database) -> None:
    async with house(database, meeting(wait_for_host=True)) as here:
        await here.sit(guest("Anna"))
        assert here.states() == {"Anna": S.WAITING}
        await here.sit(host())
        await here.settle()
        assert here.states() == {"Anna": S.IN_ROOM, "Berg": S.IN_ROOM}


async def test_a_guest_in_the_lobby_comes_in_when_a_host_says_so(database: Database) -> None:
    async with house(database, meeting(lobby="guests")) as here:
        berg = await here.sit(host())
        anna = await here.sit(guest("Anna"))
        assert here.line(anna).state is S.WAITING
        await here.act(berg, Admit(leg=anna))
        assert here.line(anna).state is S.IN_ROOM


async def test_the_room_fills_and_a_place_becomes_free_when_somebody_leaves(database: Database) -> None:
    async with house(database, meeting(max_participants=2)) as here:
        await here.sit(host())
        anna = await here.sit(guest("Anna"))
        with pytest.raises(MeetingFull):
            await here.knock(guest("Bo"))
        await here.act(anna, Remove(leg=anna))
        assert await here.sit(guest("Bo"))


async def test_two_who_knocked_for_the_last_place_do_not_both_get_it(database: Database) -> None:
    async with house(database, meeting(max_participants=1)) as here:
        anna, bo = await here.knock(guest("Anna")), await here.knock(guest("Bo"))
        await here.connect(anna)
        with pytest.raises(MeetingFull):
            await here.connect(bo)
        assert here.states() == {"Anna": S.IN_ROOM}


async def test_a_locked_room_refuses_the_new_and_lets_the_returning_back(database: Database) -> None:
    async with house(database) as here:
        berg, anna = await here.sit(host()), await here.sit(guest("Anna"))
        await here.act(berg, SetLocked(locked=True))
        with pytest.raises(MeetingLocked):
            await here.knock(guest("Bo"))
        here.workers.now.lose(anna)
        await here.settle()
        assert here.line(anna).state is S.RECONNECTING
        await here.connect(anna)
        assert here.line(anna).state is S.IN_ROOM
        assert len(here.told(NoticeKind.RECONNECTED)) == 1


async def test_an_offer_of_no_use_leaves_no_seat_behind(database: Database) -> None:
    async with house(database) as here:
        leg = await here.knock(guest())
        with pytest.raises(Invalid):
            await here.room.sit(leg, BAD_OFFER, muted=False, elsewhere=False)
        await here.turn()
        assert here.room.lines() == []
        await here.connect(leg)
        assert here.line(leg).state is S.IN_ROOM


async def test_a_leg_whose_media_does_not_come_goes_after_fifteen_seconds(database: Database) -> None:
    async with house(database) as here:
        leg = await here.knock(guest())
        await here.room.sit(leg, "offer", muted=False, elsewhere=False)
        await here.settle()
        assert here.line(leg).state is S.CONNECTING
        await here.pass_(CONNECT_S + 1)
        assert here.room.lines() == []


@pytest.mark.policy("S5.3-1")
async def test_offers_again_and_again_give_a_leg_without_media_no_more_time_and_no_word_of_the_room(
    database: Database,
) -> None:
    async with house(database) as here:
        berg = await here.sit(host())
        leg = await here.knock(guest("Dag"))
        await here.room.sit(leg, "offer", muted=False, elsewhere=False)
        ear = here.ears[leg] = Ear()
        await here.room.attach(leg, ear)
        for _ in range(2):
            await here.act(berg, Post(leg=berg, text="hemligt"))
            await here.pass_(CONNECT_S / 2 + 0.1)
            if leg in [line.leg for line in here.room.lines()]:
                await here.room.sit(leg, "offer", muted=False, elsewhere=False)
        assert here.states() == {"Berg": S.IN_ROOM}
        assert {type(told) for told in ear.told} == {Seated, RosterNow, Over}
        assert {line.name for told in ear.all(RosterNow) for line in told.lines} == {"Dag"}
        for act in (Post(leg=leg, text="hej"), SetHeld(leg=leg, held=True)):
            with pytest.raises(NotFound):
                await here.act(leg, act)


@pytest.mark.policy("S5.3-1")
async def test_nobody_goes_on_hold_before_it_is_announced(database: Database) -> None:
    async with house(database) as here:
        await here.sit(host())
        anna = await here.knock(guest("Anna"))
        await here.room.sit(anna, "offer", muted=False, elsewhere=False)
        here.workers.now.connect(anna)
        await here.settle(1)
        assert here.line(anna).state is S.ANNOUNCING
        with pytest.raises(Conflict):
            await here.room.act(anna, SetHeld(leg=anna, held=True))
        with pytest.raises(Conflict):
            await here.room.act(anna, Post(leg=anna, text="hej"))
        await here.settle()
        assert [record.legs for record in here.told(NoticeKind.JOINED)][-1] == (anna,)
        await here.act(anna, SetHeld(leg=anna, held=True))
        assert here.line(anna).state is S.HELD


async def test_who_offers_when_the_room_closes_is_told_so(database: Database) -> None:
    async with house(database) as here:
        anna = await here.sit(guest("Anna"))
        leg = await here.knock(guest("Bo"))
        here.workers.now.obeys.clear()
        asked = [
            asyncio.create_task(here.room.sit(leg, "offer", muted=False, elsewhere=False)),
            asyncio.create_task(here.room.leg_media(anna)),
        ]
        await here.turn()
        ending = asyncio.create_task(here.room.act(None, End()))
        for task in asked:
            with pytest.raises(Unavailable):
                await asyncio.wait_for(task, 2)
        here.workers.now.obeys.set()
        await ending


async def test_who_is_in_the_room_steers_it_without_a_database_and_the_api_is_told_what_is_not_kept(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    @asynccontextmanager
    async def fails() -> AsyncIterator[None]:
        raise Unavailable("no database")
        yield

    async with house(database) as here:
        berg = await here.sit(host())
        with monkeypatch.context() as outage:
            outage.setattr(database, "writing", fails)
            await here.act(berg, SetLocked(locked=True))
            assert here.room.run_row.locked
            await here.act(berg, SetMuted(leg=berg, muted=True))
            await here.act(None, SetMuted(leg=berg, muted=True))
            with pytest.raises(Unavailable):
                await here.act(None, SetLocked(locked=True))
        async with asyncio.timeout(5):
            while not (await kept(database, here.room)).locked:  # noqa: ASYNC110 - it is written by another task
                await asyncio.sleep(0.05)


async def kept(database: Database, room: Room) -> RoomRun:
    async with database.reading() as tx:
        return await tx.rooms.get(room.id)


async def test_a_restart_of_ice_is_answered_and_nobody_is_told(database: Database) -> None:
    async with house(database) as here:
        await here.sit(host())
        anna = await here.sit(guest("Anna"))
        notices = len(here.told(NoticeKind.RECONNECTED)), len(here.told(NoticeKind.LEFT))
        assert await here.room.restart_ice(anna, "offer 2") == "restarted by offer 2"
        await here.settle()
        assert here.line(anna).state is S.IN_ROOM
        assert (len(here.told(NoticeKind.RECONNECTED)), len(here.told(NoticeKind.LEFT))) == notices
        with pytest.raises(NotFound):
            await here.room.restart_ice(LegId("leg_stranger"), "offer")


async def test_nobody_sits_down_without_a_ticket(database: Database) -> None:
    async with house(database) as here:
        await here.sit(host())
        with pytest.raises(SeatGone):
            await here.connect(LegId("leg_stranger"))


# -- one person, one seat -------------------------------------------------------------------------------------------


async def test_a_personal_link_in_a_second_window_takes_the_seat_over(database: Database) -> None:
    async with house(database) as here:
        anna = guest("Anna", participant=ParticipantId("pt_1"))
        leg = await here.sit(anna)
        first = here.ears[leg]
        assert await here.knock(anna) == leg
        await here.room.sit(leg, "offer", muted=False, elsewhere=True)
        assert first.told[-1] == Over(cause="replaced")
        await here.connect(leg)
        assert len(here.room.lines()) == 1


async def test_the_same_browser_that_connects_again_is_not_told_that_it_was_replaced(database: Database) -> None:
    async with house(database) as here:
        leg = await here.sit(guest())
        ear = here.ears[leg]
        here.workers.now.lose(leg)
        await here.room.sit(leg, "offer", muted=False, elsewhere=False)
        await here.turn()
        assert ear.all(Over) == []


async def test_who_was_sent_away_does_not_come_back_with_the_old_seat(database: Database) -> None:
    async with house(database) as here:
        berg, anna = await here.sit(host()), await here.sit(guest("Anna"))
        await here.act(berg, Remove(leg=anna))
        assert here.ears[anna].told[-1] == Over(cause="removed")
        with pytest.raises(SeatGone):
            await here.connect(anna)


async def test_who_lost_the_network_in_the_lobby_may_wait_again(database: Database) -> None:
    async with house(database, meeting(lobby="guests")) as here:
        leg = await here.sit(guest())
        here.workers.now.lose(leg)
        await here.settle()
        assert here.room.lines() == []
        await here.connect(leg)
        assert here.line(leg).state is S.WAITING


async def test_a_seat_that_ends_while_its_browser_comes_back_is_not_lost_from_the_roster(database: Database) -> None:
    async with house(database, meeting(lobby="guests")) as here:
        leg = await here.sit(guest())
        worker = here.workers.now
        worker.obeys.clear()
        offering = asyncio.create_task(here.room.sit(leg, "offer", muted=False, elsewhere=False))
        await here.turn()
        worker.lose(leg)  # its news and the offer pass each other on the way
        worker.tick()
        await here.turn()
        worker.obeys.set()
        await offering
        worker.connect(leg)
        await here.settle()
        assert here.line(leg).state is S.WAITING


# -- what is asked for ----------------------------------------------------------------------------------------------


async def test_mute_hand_camera_layout_and_chat_reach_who_they_must(database: Database) -> None:
    async with house(database) as here:
        berg, anna = await here.sit(host()), await here.sit(guest("Anna"))
        await here.act(berg, SetMuted(leg=anna, muted=True))
        await here.act(anna, SetHand(leg=anna, raised=True))
        await here.act(anna, SetCamera(leg=anna, on=False))
        await here.act(anna, SetScreen(leg=anna, on=True))
        await here.act(anna, Post(leg=anna, text="hej"))
        line = here.line(anna)
        assert (line.muted, line.hand, line.camera, line.screen) == (True, 1, False, True)
        asked = here.workers.now.asked
        assert MuteLeg(room=here.room.id, leg=anna, muted=True) in asked
        assert CameraLeg(room=here.room.id, leg=anna, camera=False, screen=True) in asked
        assert [said.text for said in here.ears[berg].all(Said)] == ["hej"]


async def test_a_participants_telephone_has_a_seat_of_its_own_beside_their_browser(database: Database) -> None:
    berg = host("Berg", participant=ParticipantId("pt_1"))
    async with house(database) as here:
        browser = await here.sit(berg)
        telephone = await here.sit(msgspec.structs.replace(berg, kind="sip"))
        assert telephone != browser
        assert await here.knock(berg) == browser


async def test_what_is_said_to_a_leg_goes_to_its_worker_and_its_end_to_its_front_end_alone(database: Database) -> None:
    async with house(database) as here:
        berg, anna = await here.sit(host()), await here.sit(guest("Anna"))
        await here.act(anna, Tell(leg=anna, prompts=("muted",)))
        worker = here.workers.now
        assert worker.asked[-1] == SayToLeg(room=here.room.id, leg=anna, prompts=["muted"])
        here.room.on_event(LegTold(room=here.room.id, leg=anna))
        await here.turn()
        assert len(here.ears[anna].all(Told)) == 1
        assert not here.ears[berg].all(Told)


async def test_a_view_of_ones_own_is_as_the_meeting_says_and_as_each_chooses(database: Database) -> None:
    async with house(database, replace(meeting(), personal=True)) as here:
        berg, anna = await here.sit(host()), await here.sit(guest("Anna"))

        def told(leg: LegId) -> list[bool]:
            asked = here.workers.now.asked
            return [one.personal for one in asked if isinstance(one, PersonalLeg) and one.leg == leg]

        assert (told(berg), told(anna)) == ([True], [True])
        await here.act(anna, SetLegPersonal(leg=anna, personal=False))
        await here.act(None, SetRoomPersonal(personal=False))
        await here.act(None, SetLegPersonal(leg=berg, personal=True))
        assert (told(berg), told(anna)) == ([True, False, True], [True, False, False])


async def test_who_sees_the_shared_picture_for_want_of_room_is_shown_so(database: Database) -> None:
    async with house(database) as here:
        berg, anna = await here.sit(host()), await here.sit(guest("Anna"))
        await here.act(anna, SetLegPersonal(leg=anna, personal=True))
        worker = here.workers.now
        told = LayoutChanged(
            room=here.room.id,
            viewers=[anna],
            layout=Layout.GRID,
            width=1280,
            height=720,
            tiles=[],
            personal=Personal.NO_ROOM,
        )
        here.workers.listener.on_event(worker, told)
        await here.act(None, SetRoomPersonal(personal=False))  # after it
        shown = {leg: participant_out(here.room, here.line(leg)) for leg in (anna, berg)}
        assert (shown[anna].personal, shown[anna].view) == (True, "no_room")
        assert shown[berg].view is None


async def test_of_several_acts_all_are_done_or_none(database: Database) -> None:
    async with house(database) as here:
        anna = await here.sit(guest("Anna"))
        await here.act(None, SetMuted(leg=anna, muted=True))
        with pytest.raises(McuError):
            await here.room.act(None, SetLocked(locked=True), SetMuted(leg=anna, muted=False))
        assert not here.room.run_row.locked


async def test_a_role_that_was_given_is_kept_when_the_seat_is_lost_and_taken_again(database: Database) -> None:
    async with house(database) as here:
        anna = await here.sit(guest("Anna"))
        await here.act(None, SetRole(leg=anna, role="host"))
        here.workers.now.lose(anna)
        await here.settle(60 * 50 + 10)
        assert here.room.lines() == []
        await here.connect(anna)
        assert here.line(anna).role == "host"


async def test_a_room_ends_for_all_and_is_written_as_ended(database: Database) -> None:
    async with house(database) as here:
        berg, anna = await here.sit(host()), await here.sit(guest("Anna"))
        name = here.room.id
        await here.room.act(berg, End())
        await here.turn()
        assert here.ears[anna].told[-1] == Over(cause="ended")
        with pytest.raises(NotFound):
            here.conference.room(name)
        async with database.reading() as tx:
            assert (await tx.rooms.get(name)).ended_at is not None


# -- time -----------------------------------------------------------------------------------------------------------


async def test_an_empty_room_closes_after_its_grace_and_not_before(database: Database) -> None:
    async with house(database) as here:
        anna = await here.sit(guest())
        await here.act(anna, Remove(leg=anna))
        await here.pass_(29)
        assert here.room.lines() == []
        room = here.room
        await here.pass_(2)
        await here.closes(room)
        assert here.conference.rooms() == []


async def test_the_end_of_the_meeting_is_told_before_and_then_ends_the_room(database: Database) -> None:
    clock = HandClock()
    booked = replace(meeting(), start=clock.now(), end=clock.now(), close_after_minutes=10)
    async with house(database, booked) as here:
        anna = await here.sit(guest())
        await here.pass_(60)
        assert here.ears[anna].all(EndsAt) == []
        await here.pass_(5 * 60)
        assert here.ears[anna].all(EndsAt) == [EndsAt(at=booked.closes_at)]
        room = here.room
        await here.pass_(5 * 60)
        await here.closes(room)
        assert here.ears[anna].told[-1] == Over(cause="ended")
        assert here.conference.rooms() == []


async def test_a_cancelled_meeting_ends_its_room_half_a_minute_later(database: Database) -> None:
    async with house(database) as here:
        anna = await here.sit(guest())
        await here.conference.meeting_changed(replace(here.booked, cancelled_at=here.clock.now()))
        await here.pass_(1)
        assert len(here.ears[anna].all(EndsAt)) == 1
        assert here.line(anna).state is S.IN_ROOM
        room = here.room
        await here.pass_(31)
        await here.closes(room)
        assert here.ears[anna].told[-1] == Over(cause="ended")


async def test_a_changed_booking_changes_the_room_that_runs(database: Database) -> None:
    async with house(database, meeting(max_participants=1)) as here:
        await here.sit(guest())
        access = replace(here.booked.access, max_participants=5, locked=True)
        await here.conference.meeting_changed(replace(here.booked, access=access, layout="grid"))
        await here.settle()
        assert (here.room.run_row.locked, here.room.run_row.layout) == (True, "grid")
        assert await here.sit(host())


async def test_a_room_with_too_much_to_do_says_so(database: Database) -> None:
    async with house(database) as here:
        anna = await here.sit(guest())
        asked = [here.room.act(anna, SetHand(leg=anna, raised=True)) for _ in range(2000)]
        results = await asyncio.gather(*asked, return_exceptions=True)
        refused = sum(isinstance(result, Unavailable) for result in results)
        assert refused > 0
        assert f'mcu_control_dropped_total{{reason="room_work"}} {refused}.0' in here.metrics.exposition().decode()
        assert here.line(anna).hand == 1
