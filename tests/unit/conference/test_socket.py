"""The WebSocket, without a server around it: what is told when time has passed."""

import asyncio

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from house import house

from mcu.auth.keys import SigningKey
from mcu.auth.relays import Relays
from mcu.auth.sealing import Seal
from mcu.auth.tokens import SessionToken, Tokens
from mcu.clock import SystemClock
from mcu.conference.roster import Person
from mcu.signalling.webrtc.socket import PATH, Sockets
from mcu.storage.database import Database

TTL_S = 1


async def test_who_is_in_a_meeting_is_given_credentials_for_the_relays_before_the_last_ones_end(
    database: Database,
) -> None:
    key, clock = SigningKey(Ed25519PrivateKey.generate()), SystemClock()
    tokens, relays = Tokens(key=key, clock=clock), Relays(["turn:turn.example"], clock, secret="shared", ttl_s=TTL_S)
    async with house(database) as here:
        leg = await here.sit(Person(name="Bo", role="host", language="sv"))
        sockets = Sockets(
            here.conference, tokens, Seal(key), clock, relays, resume_window_s=60, dropped=lambda _reason: None
        )
        app = web.Application()
        app.router.add_get(PATH, sockets.handle)
        async with TestClient(TestServer(app)) as client, client.ws_connect(PATH) as ws, asyncio.timeout(10):
            token = SessionToken(leg=leg, room=here.room.id, meeting=here.booked.id)
            await ws.send_json({"type": "hello", "token": tokens.mint(token)})
            assert (await ws.receive_json())["type"] == "welcome"
            began, names = asyncio.get_running_loop().time(), list[str]()
            while len(names) < 2:
                told = await ws.receive_json()
                if told["type"] == "relays":
                    names += [server["username"] for server in told["ice_servers"]]
            assert asyncio.get_running_loop().time() - began < TTL_S
    assert names[0] != names[1]
