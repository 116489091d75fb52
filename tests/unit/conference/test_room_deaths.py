"""A room whose worker dies, or whose process does: what is kept, and who comes back as what."""

import asyncio
from dataclasses import replace
from typing import TypeVar

import msgspec
import pytest
from house import house
from meetings import HandClock, guest, host, meeting

from mcu.booking.rules import MeetingLocked
from mcu.booking.store import PageRequest
from mcu.conference.acts import (
    Admit,
    Remove,
    SetHeld,
    SetLocked,
    SetMuted,
    SetRoomLayout,
)
from mcu.conference.tickets import SeatGone
from mcu.conference.updates import MediaLost, Over, RosterNow, Update
from mcu.ids import LegId, ParticipantId
from mcu.media.life import LegState
from mcu.media.messages import AddLeg, Layout, NoticeKind, NoticeRecord, OpenRoom, Outcome, RemoveLeg
from mcu.storage.database import Database

S = LegState
U = TypeVar("U", bound=Update)


# -- when the worker dies -------------------------------------------------------------------------------------------


async def test_a_room_whose_worker_dies_keeps_every_seat_and_calls_its_browsers_back(database: Database) -> None:
    async with house(database, meeting(lobby="guests")) as here:
        berg = await here.sit(host())
        anna, bo = await here.sit(guest("Anna")), await here.sit(guest("Bo"))
        await here.act(berg, Admit(leg=anna))
        await here.act(berg, SetMuted(leg=anna, muted=True))
        await here.act(berg, SetRoomLayout(layout=Layout.GRID))
        here.workers.kill()
        await here.turn()
        assert all(ear.told[-1:] and ear.all(MediaLost) for ear in here.ears.values())
        opened = [command for command in here.workers.now.asked if isinstance(command, OpenRoom)]
        assert len(opened) == 1
        assert opened[0].profile.layout is Layout.GRID
        assert {seat.leg: seat.muted for seat in opened[0].absent} == {berg: False, anna: True}
        for leg in (berg, anna, bo):
            await here.connect(leg)
        assert here.states() == {"Berg": S.IN_ROOM, "Anna": S.IN_ROOM, "Bo": S.WAITING}
        assert {leg for record in here.told(NoticeKind.RECONNECTED) for leg in record.legs} == {berg, anna}
        assert here.told(NoticeKind.JOINED) == []


async def test_who_was_about_to_come_in_when_the_worker_died_is_announced_as_joined(database: Database) -> None:
    async with house(database) as here:
        berg = await here.sit(host())
        anna = await here.knock(guest("Anna"))
        await here.room.sit(anna, "offer", muted=False, elsewhere=False)
        here.workers.now.connect(anna)
        await here.settle(3)
        assert here.line(anna).state is S.ANNOUNCING
        here.workers.kill()
        await here.turn()
        await here.connect(berg)
        await here.connect(anna)
        assert [record.legs for record in here.told(NoticeKind.JOINED)] == [(anna,)]


async def test_an_offer_that_comes_while_no_worker_lives_waits_for_the_next(database: Database) -> None:
    async with house(database) as here:
        anna = await here.sit(guest())
        here.workers.none = True
        here.workers.kill()
        await here.turn()
        offering = asyncio.create_task(here.room.sit(anna, "new offer", muted=False, elsewhere=False))
        await here.turn()
        assert not offering.done()
        here.workers.none = False
        assert (await asyncio.wait_for(offering, 2))[0] == "answer to new offer"


async def test_a_worker_that_dies_while_it_takes_the_room_over_costs_nothing(database: Database) -> None:
    async with house(database) as here:
        anna = await here.sit(guest())
        here.workers.kill()
        await here.turn()
        here.workers.kill()
        await here.turn()
        await here.connect(anna)
        assert here.line(anna).state is S.IN_ROOM


async def test_who_was_in_the_room_for_a_moment_only_is_still_known_as_one_who_was(database: Database) -> None:
    """In the room, and lost, before the room looks: it comes back as reconnected."""
    async with house(database) as here:
        await here.sit(host())
        anna = await here.knock(guest("Anna"))
        await here.room.sit(anna, "offer", muted=False, elsewhere=False)
        await here.turn()
        worker = here.workers.now
        worker.connect(anna)
        worker.tick(60)
        worker.lose(anna)
        worker.tick(1)
        await here.turn()
        assert here.line(anna).state is S.RECONNECTING
        here.workers.kill()
        await here.turn()
        await here.connect(anna)
        assert [record.legs for record in here.told(NoticeKind.RECONNECTED)] == [(anna,)]
        assert here.told(NoticeKind.JOINED) == []


async def test_who_was_on_hold_when_the_worker_died_is_on_hold_when_it_comes_back(database: Database) -> None:
    async with house(database) as here:
        anna = await here.sit(guest("Anna"))
        await here.act(anna, SetHeld(leg=anna, held=True))
        here.workers.kill()
        await here.turn()
        await here.connect(anna)
        assert here.line(anna).state is S.HELD
        await here.act(anna, SetHeld(leg=anna, held=False))
        assert here.line(anna).state is S.IN_ROOM


async def test_a_room_that_no_worker_takes_ends_when_its_seats_would(database: Database) -> None:
    async with house(database) as here:
        anna = await here.sit(guest())
        here.workers.none = True
        here.workers.kill()
        await here.turn()
        here.clock.pass_(61)
        await asyncio.wait_for(here.room.closed.wait(), 2)
        assert here.ears[anna].told[-1] == Over(cause="ended")


async def test_who_was_on_hold_when_the_network_went_is_not_heard_when_it_comes_back(database: Database) -> None:
    async with house(database) as here:
        await here.sit(host())
        anna = await here.sit(guest("Anna"))
        await here.act(anna, SetHeld(leg=anna, held=True))
        here.workers.now.lose(anna)
        await here.settle()
        ear = await here.connect(anna)
        assert here.line(anna).state is S.HELD
        assert len(ear.all(RosterNow)[-1].lines) == 1  # it was announced as gone: it reads no more than it hears
        await here.act(anna, SetHeld(leg=anna, held=False))
        assert here.line(anna).state is S.IN_ROOM
        assert len(ear.all(RosterNow)[-1].lines) == 2


@pytest.mark.policy("S5.3-4")
async def test_media_without_a_seat_on_the_roster_is_ended(database: Database) -> None:
    async with house(database) as here:
        anna = await here.sit(guest())
        room = here.room
        stray = AddLeg(room=room.id, leg=LegId("leg_stray"), offer="offer", label="", admitted=True)
        await here.workers.now.ask(stray)
        here.workers.now.connect(LegId("leg_stray"))
        await here.settle()
        assert any(isinstance(asked, RemoveLeg) and asked.leg == "leg_stray" for asked in here.workers.now.asked)
        assert list(here.workers.now.rooms[room.id].admitted) == [anna]


# -- what is kept ---------------------------------------------------------------------------------------------------


async def test_a_lock_and_a_layout_that_were_acknowledged_hold_after_a_crash(database: Database) -> None:
    async with house(database) as here:
        await here.sit(host())
        await here.room.act(None, SetLocked(locked=True), SetRoomLayout(layout=Layout.GRID))
        name, booked = here.room.id, here.booked
    async with house(database, booked, fresh=False) as again:
        assert again.room.id == name
        assert (again.room.run_row.locked, again.room.run_row.layout) == (True, "grid")
        with pytest.raises(MeetingLocked):
            await again.knock(guest())


async def test_who_had_a_seat_when_the_process_was_killed_comes_back_with_what_its_token_holds(
    database: Database,
) -> None:
    anna, berg = guest("Anna"), host()
    async with house(database) as here:
        seats = [await here.sit(anna), await here.sit(berg)]
        with pytest.raises(SeatGone):  # in a room that has not forgotten anybody, the ticket alone counts
            await here.room.sit(LegId("leg_x"), "offer", muted=False, elsewhere=False, person=anna)
        booked = here.booked
    async with house(database, booked, fresh=False) as again:
        for leg, person in zip(seats, (anna, berg), strict=True):
            await again.room.sit(leg, "offer", muted=False, elsewhere=False, person=person)
            again.workers.now.connect(leg)
            await again.settle()
        assert again.states() == {"Anna": S.IN_ROOM, "Berg": S.IN_ROOM}
        assert {leg for record in again.told(NoticeKind.JOINED) for leg in record.legs} == set(seats)
        await again.act(seats[1], Remove(leg=seats[0]))
        with pytest.raises(SeatGone):
            await again.room.sit(seats[0], "offer", muted=False, elsewhere=False, person=anna)
        uninvited = guest("Bo", participant=ParticipantId("pt_gone"))
        with pytest.raises(SeatGone):
            await again.room.sit(LegId("leg_b"), "offer", muted=False, elsewhere=False, person=uninvited)


async def test_a_room_of_a_meeting_that_was_cancelled_meanwhile_is_not_opened_again(database: Database) -> None:
    async with house(database) as here:
        await here.sit(host())
        name, booked = here.room.id, here.booked
    async with database.writing() as tx:
        now = await tx.meetings.get(booked.id)
        await tx.meetings.replace(replace(now, version=now.version + 1, cancelled_at=HandClock().now()))
    async with house(database, booked, fresh=False) as again:
        assert again.conference.rooms() == []
    async with database.reading() as tx:
        assert (await tx.rooms.get(name)).ended_at is not None


@pytest.mark.policy("S5.3-7")
async def test_every_notice_is_on_disk_with_what_became_of_it(database: Database) -> None:
    async with house(database) as here:
        berg, anna = await here.sit(host()), await here.sit(guest("Anna"))
        await here.act(anna, Remove(leg=anna))
        await here.settle()
        name = here.room.id
    async with database.reading() as tx:
        page = await tx.notices.page(name, PageRequest(size=50))
    records = [msgspec.json.decode(stored.record, type=NoticeRecord) for stored in page.items]
    about_anna = [(record.kind, record.recipients) for record in records if anna in record.legs]
    assert about_anna == [
        (NoticeKind.JOINED, {berg: Outcome.RECEIVED}),
        (NoticeKind.LEFT, {berg: Outcome.RECEIVED}),
    ]
