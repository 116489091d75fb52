"""The network check before a meeting: a browser connects to a media worker, to no room, and sees which ways work."""

from pydantic import BaseModel

from mcu.api.live import LIVE
from mcu.api.routes import SDP, Call, Nothing, Reply, Routes
from mcu.auth.relays import Relay
from mcu.errors import Invalid, TooMany, Unavailable

routes = Routes("Joining")

CHECK_TTL_S = 300


class IceServer(BaseModel):
    """As in WebRTC's `RTCConfiguration`. The credentials end: do not keep them."""

    urls: list[str]
    username: str
    credential: str


class NetworkCheckOut(BaseModel):
    """What to make the peer connection with."""

    ice_servers: list[IceServer]


def ice_servers(relays: list[Relay]) -> list[IceServer]:
    return [IceServer(urls=[*one.urls], username=one.username, credential=one.credential) for one in relays]


@routes.add("GET", "/api/v1/network-check", answer=NetworkCheckOut, problems=(TooMany,))
async def begin_network_check(call: Call[Nothing]) -> Reply:
    """Begin a network check: the relays to try, with credentials for five minutes.

    Make an offer with one line of sound that neither sends nor receives (`inactive`), send it with `POST`, and see
    whether the peer connection becomes `connected`. Try one way at a time: leave in the answer only the candidates of
    `udp`, or only those of `tcp` and `ssltcp`; or set `iceTransportPolicy` to `relay`.
    """
    live = call.request.app[LIVE]
    live.checks.count(call.request.remote or "")
    return Reply(body=NetworkCheckOut(ice_servers=ice_servers(live.relays.offered(CHECK_TTL_S))))


@routes.add(
    "POST",
    "/api/v1/network-check",
    media=SDP,
    answer_media=SDP,
    problems=(Invalid, TooMany, Unavailable),
)
async def check_network(call: Call[str]) -> Reply:
    """Try to connect. The body is an offer as for `POST /api/v1/legs`; so is the answer.

    ICE and DTLS only: what connects is in no room, is heard by nobody, and ends after five seconds.
    """
    live = call.request.app[LIVE]
    live.checks.count(call.request.remote or "")
    return Reply(body=await live.checks.answer(call.body))
