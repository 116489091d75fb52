"""Those whom a room calls: by whose wish, whom, when, and what is shown of it."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from house import House, house
from meetings import NOW, guest, host, meeting, roster, seat

from mcu.booking.meeting import BookedParticipant, DialOut, DialWhen, Meeting
from mcu.booking.rules import MeetingLocked
from mcu.conference.acts import CallOut, HangUp, SetLocked
from mcu.conference.invitations import MAX_CALLED, SHOWN_S
from mcu.conference.policy import HostsOnly, to_call
from mcu.conference.room import Room
from mcu.conference.roster import Called, Person, Stage
from mcu.conference.updates import CallsNow
from mcu.errors import NotFound, TooMany, Unavailable
from mcu.ids import CallId, LegId, ParticipantId, new_id
from mcu.media.life import LegState
from mcu.storage.database import Database

FAR = "sip:cia@far.example"


class PaperDialler:
    """Calls whom it is told to, and waits."""

    def __init__(self) -> None:
        self.calls: list[CallOut] = []
        self.hung_up: list[CallId] = []
        self.refuses: Exception | None = None

    def call(self, out: CallOut, room: Room) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.calls.append(out)

    def hang_up(self, call: CallId) -> None:
        self.hung_up.append(call)


def out(person: Person | None = None) -> CallOut:
    return CallOut(call=CallId(new_id("call")), to=FAR, person=person or guest("Cia", kind="sip"))


def with_dialler(here: House) -> PaperDialler:
    dialler = PaperDialler()
    here.conference.call_with(dialler)
    return dialler


def shown(here: House, leg: LegId) -> list[Called]:
    updates = here.ears[leg].all(CallsNow)
    return updates[-1].called if updates else []


async def test_a_host_and_the_api_call_and_a_guest_does_not(database: Database) -> None:
    async with house(database) as here:
        dialler = with_dialler(here)
        berg, anna = await here.sit(host()), await here.sit(guest())
        await here.act(berg, out())
        await here.act(None, out())
        with pytest.raises(HostsOnly):
            await here.act(anna, out())
        assert len(dialler.calls) == 2


async def test_hosts_see_what_comes_of_a_call_and_nobody_else_does(database: Database) -> None:
    async with house(database) as here:
        with_dialler(here)
        berg, anna = await here.sit(host()), await here.sit(guest())
        made = out()
        await here.act(berg, made)
        for stage in (Stage.RINGING, Stage.BUSY):
            here.room.call_came_to(made.call, stage)
            await here.turn()
        stages = [update.called[0].stage for update in here.ears[berg].all(CallsNow) if update.called]
        assert stages == [Stage.CALLING, Stage.RINGING, Stage.BUSY]
        assert here.ears[anna].all(CallsNow) == []
        assert [line.name for line in here.room.lines()] == ["Berg", "Anna"]  # who is called is not in the room


async def test_what_came_of_a_call_is_shown_for_a_while_or_until_a_host_has_seen_it(database: Database) -> None:
    async with house(database) as here:
        with_dialler(here)
        berg = await here.sit(host())
        first, second = out(), out()
        for made in (first, second):
            await here.act(berg, made)
            here.room.call_came_to(made.call, Stage.NO_ANSWER)
        await here.act(berg, HangUp(call=first.call))
        assert [one.call for one in shown(here, berg)] == [second.call]
        await here.pass_(1)
        await here.pass_(SHOWN_S + 1)
        assert shown(here, berg) == []
        with pytest.raises(NotFound):
            await here.act(berg, HangUp(call=second.call))


async def test_nobody_is_called_who_could_not_come_in(database: Database) -> None:
    async with house(database) as here:
        dialler = with_dialler(here)
        berg = await here.sit(host())
        await here.act(berg, SetLocked(locked=True))
        with pytest.raises(MeetingLocked):
            await here.act(berg, out())
        assert dialler.calls == []


async def test_what_the_dialler_refuses_is_told_and_not_shown(database: Database) -> None:
    async with house(database) as here:
        berg = await here.sit(host())
        with pytest.raises(Unavailable):
            await here.act(berg, out())  # there is no SIP
        with_dialler(here).refuses = TooMany("Enough.")
        with pytest.raises(TooMany):
            await here.act(berg, out())
        assert shown(here, berg) == []


async def test_a_room_calls_only_so_many_at_a_time(database: Database) -> None:
    async with house(database) as here:
        dialler = with_dialler(here)
        await here.sit(host())
        results = await asyncio.gather(*(here.room.act(None, out()) for _ in range(80)), return_exceptions=True)
        assert sum(result is None for result in results) == len(dialler.calls) == MAX_CALLED


async def test_a_room_that_ends_calls_nobody_any_more(database: Database) -> None:
    async with house(database) as here:
        dialler = with_dialler(here)
        await here.sit(host())
        ringing, over = out(), out()
        await here.act(None, ringing)
        await here.act(None, over)
        here.room.call_came_to(over.call, Stage.BUSY)
        await here.turn()
    assert dialler.hung_up == [ringing.call]


async def test_a_room_in_which_nobody_is_waits_for_whom_it_calls(database: Database) -> None:
    async with house(database) as here:
        with_dialler(here)
        room, _ = await here.conference.join(here.booked, host())
        made = out()
        await here.act(None, made)
        await here.pass_(40)
        assert not room.ended
        room.call_came_to(made.call, Stage.NO_ANSWER)
        await here.turn()
        await here.pass_(40)
        assert room.ended


# -- by the booking -------------------------------------------------------------------------------------------------


def booked(when: DialWhen, start: bool = False) -> tuple[Meeting, BookedParticipant]:
    cia = BookedParticipant(id=ParticipantId(new_id("pt")), name="Cia", dial_out=DialOut(when=when, uri=FAR))
    begins = NOW + timedelta(minutes=10) if start else None
    ends = NOW + timedelta(minutes=70) if start else None
    return replace(meeting(), participants=(cia,), start=begins, end=ends), cia


async def test_the_booking_has_somebody_called_once_when_the_host_is_there(database: Database) -> None:
    one, cia = booked("on_host_join")
    async with house(database, one) as here:
        dialler = with_dialler(here)
        await here.sit(guest())
        await here.pass_(1)
        assert dialler.calls == []
        await here.sit(host())
        for _ in range(3):
            await here.pass_(1)
        assert [(call.to, call.person.participant) for call in dialler.calls] == [(FAR, cia.id)]


async def test_a_booked_call_that_is_refused_is_shown_as_failed(database: Database) -> None:
    one, cia = booked("on_host_join")
    async with house(database, one) as here:
        with_dialler(here).refuses = Unavailable("no")
        berg = await here.sit(host())
        await here.pass_(1)
        assert [(call.participant, call.stage) for call in shown(here, berg)] == [(cia.id, Stage.FAILED)]


def test_at_the_start_is_not_before_it_and_not_into_an_empty_room() -> None:
    one, cia = booked("at_start", start=True)
    there, empty = roster(seat("leg_a", guest())), roster(seat("leg_a", guest(), LegState.WAITING))
    later = NOW + timedelta(minutes=10)
    assert to_call(there, one, NOW, ()) == []
    assert to_call(empty, one, later, ()) == []
    assert to_call(there, one, later, ()) == [cia]
    assert to_call(there, one, later, {cia.id}) == []


def test_nobody_is_called_who_sits_there_already() -> None:
    one, cia = booked("at_start")
    there = roster(seat("leg_a", guest("Cia", participant=cia.id)))
    assert to_call(there, one, NOW, ()) == []
