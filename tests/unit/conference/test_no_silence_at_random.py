"""Settings of rooms, rules of access, people and acts, drawn at random: none keeps a notice from anybody (S5.3-3)."""

import dataclasses
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

import hypothesis.strategies as st
import msgspec
import pytest
from house import House, house
from hypothesis import HealthCheck, given, settings
from meetings import guest, host, meeting

from mcu.booking.meeting import Access, Pins
from mcu.conference.acts import (
    Act,
    Admit,
    MuteGuests,
    Post,
    Remove,
    SetCamera,
    SetHand,
    SetHeld,
    SetLegLayout,
    SetLegPersonal,
    SetLocked,
    SetMuted,
    SetRole,
    SetRoomLayout,
    SetRoomPersonal,
    SetScreen,
    SetSpotlight,
    Tell,
)
from mcu.conference.roster import Kind, Person
from mcu.errors import McuError
from mcu.ids import LegId, ParticipantId
from mcu.media.life import LegState
from mcu.media.messages import Layout, NoticeKind, Outcome, RoomProfile
from mcu.storage.database import Database
from mcu.storage.migrate import migrate

HERE = st.sampled_from([LegId("host"), LegId("guest")])  # their legs, when the acts are done
ON, LAYOUT = st.booleans(), st.sampled_from(Layout)
LANGUAGE = st.sampled_from(["sv", "en"])

PROFILES: dict[str, st.SearchStrategy[Any]] = {
    "width": st.sampled_from([640, 1280, 1920]),
    "height": st.sampled_from([360, 720, 1080]),
    "fps": st.integers(1, 60),
    "layout": LAYOUT,
    "loudest": st.integers(1, 20),
    "language": LANGUAGE,
    "resume_window_s": st.floats(1, 600),
}
ACCESS: dict[str, st.SearchStrategy[Any]] = {
    "pins": st.just(Pins()),  # asked for at the door, before there is a leg
    "wait_for_host": ON,
    "lobby": st.sampled_from(["none", "guests", "all"]),
    "max_participants": st.integers(3, 500),
    "locked": ON,
}
PERSON: dict[str, st.SearchStrategy[Any]] = {
    "name": st.text(min_size=1, max_size=20),
    "role": st.sampled_from(["host", "guest"]),
    "language": LANGUAGE,
    "participant": st.one_of(st.none(), st.just(ParticipantId("pt_9"))),
    "kind": st.sampled_from(get_args(Kind)),
}
ACTS = st.one_of(
    st.builds(SetMuted, leg=HERE, muted=ON),
    st.builds(SetCamera, leg=HERE, on=ON),
    st.builds(SetScreen, leg=HERE, on=ON),
    st.builds(SetHand, leg=HERE, raised=ON),
    st.builds(SetHeld, leg=HERE, held=ON),
    st.builds(SetRole, leg=HERE, role=st.sampled_from(["host", "guest"])),
    st.builds(SetRoomLayout, layout=LAYOUT),
    st.builds(SetLegLayout, leg=HERE, layout=st.one_of(st.none(), LAYOUT)),
    st.builds(SetRoomPersonal, personal=ON),
    st.builds(SetLegPersonal, leg=HERE, personal=st.one_of(st.none(), ON)),
    st.builds(SetLocked, locked=ON),
    st.builds(SetSpotlight, leg=st.one_of(st.none(), HERE)),
    st.builds(Post, leg=HERE, text=st.just("hej")),
    st.builds(Tell, leg=HERE, prompts=st.just(("muted",))),
    st.builds(Admit, leg=HERE),
    st.just(MuteGuests()),
)


def test_every_field_is_drawn() -> None:
    assert PROFILES.keys() == set(RoomProfile.__struct_fields__)
    assert ACCESS.keys() == {field.name for field in dataclasses.fields(Access)}
    assert PERSON.keys() == set(Person.__struct_fields__)


@pytest.mark.policy("S5.3-3")
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    profile=st.fixed_dictionaries(PROFILES),
    access=st.fixed_dictionaries(ACCESS),
    person=st.fixed_dictionaries(PERSON),
    acts=st.lists(st.tuples(st.one_of(st.none(), HERE), ACTS), max_size=12),
)
async def test_whoever_comes_and_goes_is_told_to_exactly_those_who_are_in_the_room(
    empty: Path,
    profile: dict[str, Any],
    access: dict[str, Any],
    person: dict[str, Any],
    acts: list[tuple[LegId | None, Act]],
) -> None:
    async with (
        database(empty) as its_own,
        house(its_own, meeting(**access), profile=RoomProfile(**profile)) as here,
    ):
        legs = {LegId("host"): await here.sit(host())}
        await here.act(None, SetLocked(locked=False))
        legs[LegId("guest")] = await enter(here, guest())
        for who, act in acts:
            await attempt(here, legs.get(who) if who else None, really(act, legs))
        await here.act(None, SetLocked(locked=False))
        hearing = {line.leg for line in here.room.lines() if line.state is LegState.IN_ROOM}
        newcomer = await enter(here, Person(**person))
        assert told(here, NoticeKind.JOINED, newcomer) == [hearing]
        await here.act(None, Remove(leg=newcomer))
        assert told(here, NoticeKind.LEFT, newcomer) == [hearing]


@pytest.fixture
async def empty(tmp_path: Path) -> Path:
    """A database's file, with its tables."""
    await migrate(f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}")
    return tmp_path / "empty.db"


@asynccontextmanager
async def database(empty: Path) -> AsyncIterator[Database]:
    """One of an example's own: the rooms of another example are not opened again in it."""
    with TemporaryDirectory(dir=empty.parent) as folder:
        made = Database(f"sqlite+aiosqlite:///{shutil.copy(empty, folder)}")
        try:
            yield made
        finally:
            await made.close()


def really(act: Act, legs: dict[LegId, LegId]) -> Act:
    """About the legs that there are."""
    leg = getattr(act, "leg", None)
    return msgspec.structs.replace(act, leg=legs[leg]) if leg is not None else act


async def enter(here: House, person: Person) -> LegId:
    """Comes, and is let in by an integrator if it must wait. Nobody is told before that."""
    leg = await here.sit(person)
    if here.line(leg).state is LegState.WAITING:
        assert told(here, NoticeKind.JOINED, leg) == []
        await here.act(None, Admit(leg=leg))
    assert here.line(leg).state is LegState.IN_ROOM
    return leg


async def attempt(here: House, who: LegId | None, act: Act) -> None:
    """Does it, if `who` may."""
    try:
        await here.act(who, act)
    except McuError:
        await here.settle()


def told(here: House, kind: NoticeKind, about: LegId) -> list[set[LegId]]:
    """Of each notice of a kind about a leg: who got it, whole."""
    return [
        {leg for leg, outcome in record.recipients.items() if outcome is Outcome.RECEIVED}
        for record in here.told(kind)
        if about in record.legs
    ]
