"""Nothing that can be asked, set or be keeps a notice from anybody (S5.3-3)."""

from collections.abc import Callable
from typing import TypeVar

import pytest
from house import house
from meetings import guest, host, meeting

from mcu.conference.acts import (
    Act,
    Admit,
    CallOut,
    End,
    HangUp,
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
from mcu.conference.policy import _RULES
from mcu.conference.room import RoomSettings
from mcu.conference.roster import Person
from mcu.conference.updates import Noticed, Update
from mcu.errors import McuError
from mcu.ids import CallId, LegId, ParticipantId
from mcu.media.life import LegState
from mcu.media.messages import Layout, NoticeKind, Outcome, RoomProfile
from mcu.storage.database import Database

S = LegState
U = TypeVar("U", bound=Update)
CALL = CallId("call_1")


EVERYTHING: list[Callable[[LegId, LegId], Act]] = [
    *(lambda h, g, m=m: SetMuted(leg=g, muted=m) for m in (True, False)),
    *(lambda h, g, m=m: SetMuted(leg=h, muted=m) for m in (True, False)),
    *(lambda h, g, on=on: SetCamera(leg=g, on=on) for on in (True, False)),
    *(lambda h, g, on=on: SetScreen(leg=g, on=on) for on in (True, False)),
    *(lambda h, g, on=on: SetHand(leg=g, raised=on) for on in (True, False)),
    *(lambda h, g, role=role: SetRole(leg=g, role=role) for role in ("host", "guest")),
    *(lambda h, g, layout=layout: SetRoomLayout(layout=layout) for layout in Layout),
    *(lambda h, g, layout=layout: SetLegLayout(leg=g, layout=layout) for layout in (None, *Layout)),
    *(lambda h, g, on=on: SetRoomPersonal(personal=on) for on in (True, False)),
    *(lambda h, g, on=on: SetLegPersonal(leg=g, personal=on) for on in (None, True, False)),
    *(lambda h, g, on=on: SetLocked(locked=on) for on in (True, False)),
    *(lambda h, g, leg=leg: SetSpotlight(leg=g if leg else None) for leg in (True, False)),
    lambda h, g: Post(leg=g, text="hej"),
    lambda h, g: Tell(leg=g, prompts=("muted",)),
    lambda h, g: MuteGuests(),
    lambda h, g: CallOut(call=CALL, to="sip:cia@far.example", person=guest("Cia")),
    lambda h, g: HangUp(call=CALL),
    lambda h, g: Admit(leg=g),
]


@pytest.mark.policy("S5.3-3")
@pytest.mark.parametrize("newcomer", [host("Ny"), guest("Ny"), guest("Ny", participant=ParticipantId("pt_9"))])
@pytest.mark.parametrize("access", [{}, {"lobby": "guests"}, {"lobby": "all"}, {"wait_for_host": True}])
async def test_whatever_was_asked_before_a_newcomer_is_announced_to_everybody(
    database: Database, newcomer: Person, access: dict[str, str]
) -> None:
    """Every act that leaves people in the room is done first, by each who may; then somebody comes, and then leaves."""
    done = {type(make(LegId("h"), LegId("g"))) for make in EVERYTHING}
    assert done == set(_RULES) - {Remove, End, SetHeld}  # these take a leg out of hearing: they have tests of their own
    async with house(database, meeting(**access)) as here:
        berg = await here.sit(host())
        anna = await here.sit(guest("Anna"))
        if here.line(anna).state is S.WAITING:
            await here.act(berg, Admit(leg=anna))
        for make in EVERYTHING:
            for who in (berg, anna, None):
                try:
                    await here.room.act(who, make(berg, anna))
                except McuError:
                    continue
        await here.act(None, SetLocked(locked=False))
        ny = await here.sit(newcomer)
        if here.line(ny).state is S.WAITING:
            assert [record for record in here.told(NoticeKind.JOINED) if ny in record.legs] == []
            await here.act(None, Admit(leg=ny))
        assert here.line(ny).state is S.IN_ROOM
        await here.act(None, Remove(leg=ny))
        for kind in (NoticeKind.JOINED, NoticeKind.LEFT):
            told = [record for record in here.told(kind) if ny in record.legs]
            assert [record.recipients for record in told] == [{berg: Outcome.RECEIVED, anna: Outcome.RECEIVED}]
            assert all(
                [n.names for n in here.ears[leg].all(Noticed) if n.kind is kind][-1] == ["Ny"] for leg in (berg, anna)
            )


@pytest.mark.policy("S5.3-3")
def test_no_setting_of_a_room_has_a_word_for_silence() -> None:
    """Each is named here: a new one must be looked at before this passes again."""
    assert set(RoomSettings.__dataclass_fields__) == {"profile", "empty_grace_s", "dialler"}
    assert set(RoomProfile.__struct_fields__) == {
        "width",
        "height",
        "fps",
        "layout",
        "loudest",
        "language",
        "resume_window_s",
    }
