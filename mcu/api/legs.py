"""A browser's leg, in the shape of WHIP (RFC 9725): an SDP offer is answered with 201, its answer and a `Location`.

ICE candidates come with the offer and with the answer. There is no `PATCH` that we know, so each is answered with 422.
"""

from mcu.api.live import LIVE
from mcu.api.routes import SDP, Call, Nothing, Reply, Routes
from mcu.api.server import API
from mcu.auth.tokens import ReconnectToken, SessionToken, TokenInvalid
from mcu.booking.rules import MeetingLocked, MeetingOver
from mcu.conference.acts import Remove
from mcu.conference.room import Room
from mcu.conference.tickets import SeatGone, opened, read_seat_token
from mcu.errors import Invalid, MeetingFull, NotFound, Unauthenticated
from mcu.ids import LegId

routes = Routes("Legs")

MUTED = "X-Mcu-Muted"


@routes.add(
    "POST",
    "/api/v1/legs",
    media=SDP,
    answer_media=SDP,
    status=201,
    session=True,
    etag=True,
    location=True,
    problems=(TokenInvalid, SeatGone, MeetingLocked, MeetingOver, MeetingFull, Invalid),
    request_headers={MUTED: "`true`: the microphone is off from the beginning. `false`: as it was."},
)
async def create_leg(call: Call[str]) -> Reply:
    """Connect, or connect again.

    The body is the offer, with all ICE candidates; the answer has ours. With the session token the seat is taken, and
    whoever sat there by the same personal link is told that it is `replaced`. With the reconnect token it is taken
    again, and announced as reconnected; as joined, if it had been given up or the server was started again.
    """
    token = _token(call)
    room = _room(call, token)
    elsewhere = isinstance(token, SessionToken)
    person = opened(call.request.app[API].seal, token)
    answer, offers = await room.sit(token.leg, call.body, muted=_muted(call), elsewhere=elsewhere, person=person)
    return Reply(body=answer, etag=offers, location=f"/api/v1/legs/{token.leg}")


@routes.add("DELETE", "/api/v1/legs/{leg}", status=204, session=True, problems=(TokenInvalid, SeatGone))
async def delete_leg(call: Call[Nothing]) -> Reply:
    """Leave. The seat is given up, and the others are told."""
    token = _own(call)
    await _room(call, token).act(token.leg, Remove(leg=token.leg))
    return Reply()


@routes.add("PATCH", "/api/v1/legs/{leg}", status=422, session=True, problems=(TokenInvalid, Invalid))
async def patch_leg(call: Call[Nothing]) -> Reply:
    """Not supported: neither trickled candidates nor an ICE restart.

    Send a whole new offer with the reconnect token instead (RFC 9725 section 4.3).
    """
    _own(call)
    raise Invalid("Send a new offer to /api/v1/legs with the reconnect token instead.")


def _token(call: Call[object] | Call[str] | Call[Nothing]) -> SessionToken | ReconnectToken:
    if call.token is None:
        raise Unauthenticated("Send the session token, or the reconnect token.")
    return read_seat_token(call.request.app[API].tokens, call.token)


def _own(call: Call[Nothing]) -> SessionToken | ReconnectToken:
    token = _token(call)
    if token.leg != LegId(call.path["leg"]):
        raise NotFound("The token is for another leg.")
    return token


def _room(call: Call[str] | Call[Nothing], token: SessionToken | ReconnectToken) -> Room:
    try:
        return call.request.app[LIVE].conference.room(token.room)
    except NotFound as error:
        raise SeatGone("The room has ended: join again.") from error


def _muted(call: Call[str]) -> bool:
    said = call.request.headers.get(MUTED, "false")
    if said not in ("true", "false"):
        raise Invalid(f"{MUTED} is true or false.")
    return said == "true"
