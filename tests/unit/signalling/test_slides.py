"""A call's floor as its SDP changes: who asks goes on, and what the media's worker does not know is not told to it."""

import asyncio
import socket

import floor_octets as octets
import pytest
from fingerprints import FINGERPRINT
from hall import until

from mcu.net.bfcp.line import News
from mcu.net.bfcp.server import FloorServer
from mcu.protocol.bfcp.floor import Asked
from mcu.protocol.bfcp.message import Code
from mcu.protocol.sdp import exchange
from mcu.protocol.sdp.description import Media, Origin, parse
from mcu.protocol.sdp.exchange import Kind, Ours, Ports
from mcu.protocol.sdp.keying import Encryption
from mcu.signalling.sip.slides import Slides, Unused

HOST = "127.0.0.1"
UNUSED_S = 30.0
OURS = Ours(
    address=HOST,
    ports={kind: Ports(40_000 + 2 * at, 40_001 + 2 * at) for at, kind in enumerate(Kind)},
    encryption=Encryption.OFFERED,
    fingerprint=FINGERPRINT,
    origin=Origin(1, 1, HOST),
)
LINE = "m=application 9 UDP/BFCP *\r\na=floorctrl:c-only\r\n"


def line(said: str) -> Media:
    [found] = [media for media in parse(said).media if media.kind == "application"]
    return found


def ask(floor_server: FloorServer, said: str, transaction: int, within: float = 5.0) -> octets.Told:
    """What is answered to a request for the floor, by the numbers that our SDP has told. Raises `TimeoutError`."""
    ids = int(line(said).value("confid") or 0), int(line(said).value("userid") or 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(within)
        client.sendto(
            octets.message(octets.REQUEST, octets.number(2, 1), ids=ids, transaction=transaction),
            (HOST, floor_server.port),
        )
        return octets.told(client.recv(2048))


def media_answer(offer: str) -> str:
    """As a worker, or another's media, answers: the floor's line is refused."""
    return str(exchange.answer(parse(offer), OURS)[0])


async def test_who_asks_goes_on_when_the_call_moves_to_another_worker(floor_server: FloorServer) -> None:
    told: list[News | Unused] = []
    slides = Slides(floor_server, told.append, UNUSED_S)
    theirs = str(exchange.offer(OURS).description) + LINE
    said = slides.answer(theirs, media_answer(theirs), HOST)
    assert (await asyncio.to_thread(ask, floor_server, said, 1)).state == octets.PENDING
    await until(lambda: slides.used)
    again = slides.offer(str(exchange.offer_again(parse(said), OURS).description))
    assert line(again).attributes[:4] == line(said).attributes[:4]
    accepted = media_answer(again).replace("m=application 0 UDP/BFCP *\r\n", LINE)
    assert slides.accept(accepted, HOST) == str(parse(accepted))
    assert (await asyncio.to_thread(ask, floor_server, again, 2)).error == Code.TOO_MANY_REQUESTS
    assert told == [Asked()]
    slides.close()


async def test_an_answer_to_our_offer_comes_to_the_worker_without_the_line_that_it_has_not_made(
    floor_server: FloorServer,
) -> None:
    slides = Slides(floor_server, lambda _asked: None, UNUSED_S)
    offered = exchange.offer(OURS)
    offer = slides.offer(str(offered.description))
    answer = media_answer(offer).replace("m=application 0 UDP/BFCP *\r\n", LINE)
    streams = exchange.accepted(offered, parse(slides.accept(answer, HOST)), OURS)
    assert [stream.kind for stream in streams] == list(Kind)
    assert (await asyncio.to_thread(ask, floor_server, offer, 1)).state == octets.PENDING
    slides.close()


async def test_a_change_that_drops_the_line_ends_the_floor(floor_server: FloorServer) -> None:
    slides = Slides(floor_server, lambda _asked: None, UNUSED_S)
    theirs = str(exchange.offer(OURS).description) + LINE
    said = slides.answer(theirs, media_answer(theirs), HOST)
    await asyncio.to_thread(ask, floor_server, said, 1)
    without = theirs.replace("m=application 9", "m=application 0")
    assert line(slides.answer(without, media_answer(without), HOST)).port == 0
    assert not slides.used
    with pytest.raises(TimeoutError):
        await asyncio.to_thread(ask, floor_server, said, 2, 0.3)
