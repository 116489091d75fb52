"""People who are called into a room that runs, and what comes of it."""

from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from mcu.api.fields import Phone, SipAddress, Text
from mcu.api.live import room_of
from mcu.api.routes import Call, Nothing, Reply, Request, Routes
from mcu.auth.bearer import Scope
from mcu.conference.acts import CallOut, HangUp
from mcu.conference.room import Room
from mcu.conference.roster import Called, Person, Stage
from mcu.errors import Conflict, MeetingFull, NotFound, TooMany, Unavailable
from mcu.ids import CallId, new_id

routes = Routes("Calls")

CALLS = "/api/v1/rooms/{room}/calls"
CALL = f"{CALLS}/{{call}}"


class DialOutIn(Request):
    """Whom to call: a SIP address, or a telephone number over a trunk."""

    uri: SipAddress | None = Field(None, description="`sip:` or `sips:`, in a domain that `sip.call_domains` names.")
    phone: Phone | None = Field(None, description="E.164; a trunk must allow its prefix.")
    name: Text = Field(description="As everybody in the room sees and hears it.")
    role: Literal["host", "guest"] = "guest"
    language: Literal["sv", "en"] | None = Field(None, description="Of what is said to them; by default the meeting's.")

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.uri is None) == (self.phone is None):
            raise PydanticCustomError("uri-or-phone", "Input should have either uri or phone")
        return self


class CalledOut(BaseModel):
    """Somebody who is called. What has come of it is shown for two minutes."""

    id: str
    name: str
    role: Literal["host", "guest"]
    state: Stage = Field(
        description="`answered`: and is told what it is about; `joined`: has a seat, `leg`; `failed`: there was no way "
        "there, or no place in the room; `ended`: hung up before that. May grow"
    )
    participant_id: str | None = Field(description="Who was booked to be called")
    leg: str | None


class CalledPage(BaseModel):
    items: list[CalledOut]


@routes.add(
    "POST",
    "/api/v1/rooms/{room}/dial-out",
    body=DialOutIn,
    answer=CalledOut,
    status=202,
    scope=Scope.ROOMS_CONTROL,
    idempotent=True,
    location=True,
    problems=(Conflict, MeetingFull, TooMany, Unavailable),
)
async def dial_out(call: Call[DialOutIn]) -> Reply:
    """Call somebody into a room.

    They hear nothing of it, and are not heard, until they have answered and the others have been told that they are
    there; the lobby is for them as for everybody. A call that a machine answers starts muted.
    """
    room, body = room_of(call), call.body
    language = body.language or room.meeting.language
    person = Person(name=body.name, role=body.role, language=language, kind="sip")
    name = CallId(new_id("call"))
    await room.act(None, CallOut(call=name, to=body.uri or body.phone or "", person=person))
    return Reply(body=_called(room, name), location=f"/api/v1/rooms/{room.id}/calls/{name}")


@routes.add("GET", CALLS, answer=CalledPage, scope=Scope.ROOMS_CONTROL)
async def list_calls(call: Call[Nothing]) -> Reply:
    """Who are called into a room, and what has come of it, oldest first."""
    return Reply(body=CalledPage(items=[_shown(one) for one in room_of(call).called()]))


@routes.add("GET", CALL, answer=CalledOut, scope=Scope.ROOMS_CONTROL)
async def get_call(call: Call[Nothing]) -> Reply:
    """One who is called."""
    return Reply(body=_called(room_of(call), CallId(call.path["call"])))


@routes.add("DELETE", CALL, status=204, scope=Scope.ROOMS_CONTROL)
async def hang_up_call(call: Call[Nothing]) -> Reply:
    """Call somebody no longer. Who has joined stays; one whose call is over is shown no longer."""
    await room_of(call).act(None, HangUp(call=CallId(call.path["call"])))
    return Reply()


def _called(room: Room, name: CallId) -> CalledOut:
    found = next((one for one in room.called() if one.call == name), None)
    if found is None:
        raise NotFound("Nobody is called by that name, or it is long over.")
    return _shown(found)


def _shown(one: Called) -> CalledOut:
    return CalledOut(
        id=one.call, name=one.name, role=one.role, state=one.stage, participant_id=one.participant, leg=one.leg
    )
