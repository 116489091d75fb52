"""The way in for a browser: a number with a PIN, or a personal link, becomes a session with a ticket for a seat.

It never says whether a number is a meeting's: a wrong number, a wrong PIN and a missing PIN are one answer.
"""

import unicodedata
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from mcu.api.live import LIVE
from mcu.api.network import IceServer, ice_servers
from mcu.api.problems import field_error
from mcu.api.routes import Call, Reply, Request, Routes
from mcu.api.server import API
from mcu.auth.tokens import SessionToken, TokenInvalid
from mcu.booking.door import Entrant, NotAdmitted
from mcu.booking.rules import MeetingLocked, MeetingOver, NotOpen
from mcu.conference.roster import Person
from mcu.errors import MeetingFull, TooMany

routes = Routes("Joining")


def _printable(name: str) -> str:
    """A name is shown to others, in lists and in pictures: it holds nothing that moves or hides text."""
    if any(unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn") for character in name):
        raise ValueError("must be printable")
    return name


Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80), AfterValidator(_printable)]


class JoinIn(Request):
    """Who joins, and by what right. With neither `pin` nor `token`: as a guest, where guests need no PIN."""

    name: Name | None = Field(default=None, description="As others see it. Left out: the name in the personal link.")
    pin: Annotated[str, StringConstraints(pattern="^[0-9]{4,20}$")] | None = None
    token: Annotated[str, StringConstraints(min_length=1, max_length=4096)] | None = Field(
        default=None, description="The join token of a personal link"
    )
    language: Literal["sv", "en"] | None = Field(default=None, description="Of notices; left out: the meeting's")


class JoinOut(BaseModel):
    """The session. Send the token with `POST /api/v1/legs`, and then in the WebSocket's `hello`."""

    session_token: str
    leg: str = Field(description="The seat")
    role: Literal["host", "guest"]
    title: str
    language: Literal["sv", "en"]
    ice_servers: list[IceServer] = Field(description="Relays, for a browser that cannot reach the server otherwise")


@routes.add(
    "POST",
    "/api/v1/join/{number}",
    body=JoinIn,
    answer=JoinOut,
    problems=(NotAdmitted, TokenInvalid, TooMany, NotOpen, MeetingOver, MeetingLocked, MeetingFull),
)
async def join(call: Call[JoinIn]) -> Reply:
    """Join a meeting.

    A wrong number and a wrong PIN are the same answer, `number-or-pin-wrong`; it is also that of a missing PIN, so
    ask for one then. Guesses are limited. Whoever joins again by the same personal link gets the same seat.
    """
    live, api = call.request.app[LIVE], call.request.app[API]
    entrant = await _entrant(call)
    person = _person(call.body, entrant)
    room, leg = await live.conference.join(entrant.meeting, person)
    token = SessionToken(leg=leg, room=room.id, meeting=entrant.meeting.id)
    return Reply(
        body=JoinOut(
            session_token=api.tokens.mint(token),
            leg=leg,
            role=entrant.role,
            title=entrant.meeting.title,
            language=person.language,
            ice_servers=ice_servers(live.relays.offered()),
        )
    )


async def _entrant(call: Call[JoinIn]) -> Entrant:
    door, body, number = call.request.app[LIVE].door, call.body, call.path["number"]
    if body.token is not None and body.pin is not None:
        raise field_error("/pin", "Send a PIN or a token, not both.", "one-of")
    if body.token is not None:
        return await door.by_token(number, body.token)
    return await door.by_pin(number, body.pin, call.request.remote or "")


def _person(body: JoinIn, entrant: Entrant) -> Person:
    booked = entrant.participant
    name = body.name or (booked.name if booked is not None else None)
    if name is None:
        raise field_error("/name", "A name is needed without a personal link.", "missing")
    return Person(
        name=name,
        role=entrant.role,
        language=body.language or entrant.meeting.language,
        participant=booked.id if booked is not None else None,
    )
