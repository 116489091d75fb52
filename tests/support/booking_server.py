"""The booking API as a server in the test's own process: real database, real keys, real HTTP, no media."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from mcu.api import meetings, participants
from mcu.api.runner import Runner
from mcu.api.server import Api, make_app
from mcu.auth.bearer import Bearer, Scope
from mcu.auth.keys import load_or_create
from mcu.auth.pins import Cost, PinHasher
from mcu.auth.sealing import Seal
from mcu.auth.tokens import Tokens
from mcu.booking.meeting import Meeting
from mcu.booking.reach import OwnNumber, Reach
from mcu.clock import Clock, SystemClock
from mcu.storage.database import Database
from mcu.storage.migrate import migrate

QUICK = Cost(time=1, memory=8, lanes=1)  # the same argon2id, cheap: what it costs is tested by itself
ROUTES = (*meetings.routes, *participants.routes)


@dataclass
class Heard:
    """Whoever is told of changes to bookings, written down."""

    meetings: list[Meeting] = field(default_factory=list)

    async def meeting_changed(self, meeting: Meeting) -> None:
        self.meetings.append(meeting)


REACH = Reach(
    web="https://mote.example",
    sip_domain="mote.example",
    numbers=[
        OwnNumber(number="+46812345678", language="sv", label="Stockholm", country="SE"),
        OwnNumber(number="+4580123456", language="en", meeting="482915370"),
        OwnNumber(number="reception-en", language="en"),
    ],
)


def make_api(
    directory: Path,
    database: Database,
    clock: Clock,
    pins: PinHasher,
    heard: Heard,
    organisations: Collection[str] = (),
) -> Api:
    key = load_or_create(directory / "auth.pem")
    return Api(
        store=database,
        bearer=Bearer(key, clock, organisations=organisations),
        tokens=Tokens(key=key, clock=clock),
        seal=Seal(key),
        pins=pins,
        clock=clock,
        reach=REACH,
        listener=heard,
    )


@dataclass
class Running:
    """A server that runs in this process, and who asks it with all rights."""

    api: Api
    heard: Heard
    url: str
    session: aiohttp.ClientSession
    database: Database

    def token(self, *scopes: Scope, subject: str = "client:test", organisation: str = "") -> str:
        return self.api.bearer.mint(subject, frozenset(scopes), timedelta(hours=1), organisation)

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> "Answer":
        """`headers`: `If_Match` stands for `If-Match`."""
        named = {"Authorization": f"Bearer {self.token(Scope.ADMIN)}"}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        if method == "PATCH":
            named.setdefault("Content-Type", "application/merge-patch+json")
        sent: dict[str, Any] = {"json": body} if body is not None and not isinstance(body, bytes) else {"data": body}
        async with self.session.request(method, self.url + path, headers=named, **sent) as answer:
            text = await answer.text()
            is_json = "json" in answer.content_type
            return Answer(answer.status, await answer.json(content_type=None) if is_json and text else text, answer)


@dataclass
class Answer:
    status: int
    body: Any
    response: aiohttp.ClientResponse

    @property
    def etag(self) -> str:
        return self.response.headers["ETag"]


@asynccontextmanager
async def running(
    directory: Path, url: str, clock: Clock | None = None, organisations: Collection[str] = ()
) -> AsyncIterator[Running]:
    await migrate(url)
    database, heard, pins = Database(url), Heard(), PinHasher(QUICK)
    api = make_api(directory, database, clock or SystemClock(), pins, heard, organisations)
    runner = Runner(make_app(api, ROUTES))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with aiohttp.ClientSession() as session:
        yield Running(api, heard, f"http://127.0.0.1:{port}", session, database)
    await runner.cleanup()
    await database.close()
    pins.close()
