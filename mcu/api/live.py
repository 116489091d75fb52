"""What the routes of running rooms need of the rest of the service, set once by the app under `LIVE`."""

from dataclasses import dataclass

from aiohttp import web

from mcu.api.routes import Call
from mcu.auth.relays import Relays
from mcu.booking.door import Door
from mcu.booking.endpoints import Switchboard
from mcu.conference.checks import NetworkChecks
from mcu.conference.conference import Conference
from mcu.conference.room import Room
from mcu.ids import RoomId


@dataclass(frozen=True, kw_only=True)
class Live:
    conference: Conference
    door: Door
    relays: Relays
    checks: NetworkChecks
    switchboard: Switchboard


LIVE = web.AppKey("live", Live)


def room_of(call: Call[object]) -> Room:
    """The one of the path, where its meeting is for who calls. Raises `NotFound`."""
    room = call.request.app[LIVE].conference.room(RoomId(call.path["room"]))
    call.own(room.meeting)
    return room
