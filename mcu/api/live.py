"""What the routes of running rooms need of the rest of the service, set once by the app under `LIVE`."""

from dataclasses import dataclass

from aiohttp import web

from mcu.booking.door import Door
from mcu.conference.conference import Conference


@dataclass(frozen=True, kw_only=True)
class Live:
    conference: Conference
    door: Door


LIVE = web.AppKey("live", Live)
