"""The application that people and integrators reach: the API, the WebSocket and the pages, given what they need."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

from mcu.api.catalogue import ROUTES
from mcu.api.live import LIVE, Live
from mcu.api.server import Api, make_app
from mcu.app.access import bearer
from mcu.app.middleware import believe_proxies, count_requests
from mcu.app.pages import WebClient
from mcu.auth.guesses import Guesses
from mcu.auth.keys import SigningKey
from mcu.auth.pins import PinHasher
from mcu.auth.relays import Relays
from mcu.auth.sealing import Seal
from mcu.auth.tokens import Tokens
from mcu.booking.door import Door
from mcu.booking.endpoints import Switchboard
from mcu.booking.reach import Reach
from mcu.clock import Clock
from mcu.conference.checks import NetworkChecks
from mcu.conference.conference import Conference
from mcu.config.sections import Turn
from mcu.config.settings import Settings
from mcu.signalling.webrtc import socket
from mcu.storage.database import Database
from mcu.telemetry.metrics import Metrics

WEB_DIRECTORY: Final = Path(__file__).parents[1] / "web"


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What has been started when the application is made."""

    settings: Settings
    clock: Clock
    metrics: Metrics
    key: SigningKey
    database: Database
    pins: PinHasher
    conference: Conference
    checks: NetworkChecks
    switchboard: Switchboard
    reach: Reach


def make_service(parts: Parts) -> web.Application:
    """Everything that is served on the public port."""
    settings, clock = parts.settings, parts.clock
    tokens = Tokens(key=parts.key, clock=clock)
    api = Api(
        store=parts.database,
        bearer=bearer(settings.auth, settings.organisations, parts.key, clock),
        tokens=tokens,
        seal=Seal(parts.key),
        pins=parts.pins,
        clock=clock,
        reach=parts.reach,
        listener=parts.conference,
    )
    app = make_app(api, ROUTES)
    offered = relays(settings.turn, clock)
    app[LIVE] = Live(
        conference=parts.conference,
        door=Door(parts.database, tokens, parts.pins, Guesses(clock)),
        relays=offered,
        checks=parts.checks,
        switchboard=parts.switchboard,
    )
    _add_websocket(app, parts, tokens, offered)
    WebClient.load(WEB_DIRECTORY).add_to(app)
    app.middlewares.insert(0, believe_proxies(settings.server.trusted_proxies))
    app.middlewares.insert(0, count_requests(parts.metrics, clock))
    return app


def relays(turn: Turn, clock: Clock) -> Relays:
    """What browsers are told of the relays in the settings."""
    return Relays(
        turn.urls,
        clock,
        secret=turn.secret.get_secret_value() if turn.secret else None,
        ttl_s=turn.ttl_s,
        username=turn.username,
        credential=turn.credential.get_secret_value() if turn.credential else "",
    )


def _add_websocket(app: web.Application, parts: Parts, tokens: Tokens, offered: Relays) -> None:
    sockets = socket.Sockets(
        parts.conference,
        tokens,
        Seal(parts.key),
        parts.clock,
        offered,
        resume_window_s=parts.settings.media.resume_window_s,
        dropped=parts.metrics.control_dropped,
    )
    app.router.add_get(socket.PATH, sockets.handle)

    async def close(_: web.Application) -> None:
        await sockets.close()

    app.on_shutdown.append(close)
