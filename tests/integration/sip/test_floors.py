"""Room systems that wait for the floor before they share (BFCP), and people who see it, in a real server."""

import asyncio
import hashlib
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import floor_octets as bfcp
import pytest
from baresip import shows
from certificates import make_certificate
from dialled import PIN, in_the_room, telephones
from endpoints import address, settings
from floor_octets import TcpClient
from hall import Hall, hall, inside, until
from libre_floor import floor_client, floor_host
from openssl_peer import openssl_peer
from pictures import GREEN, RED, frame_of
from room_system import ACTPASS, content, latest, room_system
from running_server import RunningServer, running_server

from mcu.demo.client import MeetingClient
from mcu.demo.guest import Guest
from mcu.demo.sources import LivePicture
from mcu.media.life import LegState
from mcu.media.messages import Source
from mcu.signalling.webrtc.messages import Admit, Screen

UNUSED_S = 2


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    place = tmp_path_factory.mktemp("floors")
    given = settings(place) | {"sip__call_domains": "127.0.0.1", "sip__floor_unused_s": str(UNUSED_S)}
    with running_server(place, media__workers="1", media__fps="15", **given) as started:
        yield started


async def with_screen(here: Hall) -> Guest:
    """A host by browser who has a red screen to share, and sees what others share."""
    host = here.stranger()
    screen = LivePicture(iter(lambda: frame_of(RED, 640, 480), None), 5)
    await host.join(here.number, "Berg", MeetingClient(screen=screen, content=True), token=here.link("Berg"))
    await inside(host)
    return host


def port(server: RunningServer) -> int:
    """Of the floors."""
    found: int = server.logged("sip_serving")[0]["floor_port"]
    return found


async def test_a_room_system_is_granted_the_floor_and_loses_it_to_a_person_who_shares(server: RunningServer) -> None:
    """It speaks by Debian's libre, over UDP."""
    async with hall(server) as here, room_system(floor="UDP/BFCP") as system:
        host = await with_screen(here)
        await system.dial(address(server), here.number)
        await in_the_room(host)
        ids = {"conference": system.number("confid"), "user": system.number("userid")}
        assert system.theirs.port == port(server)
        with floor_client("127.0.0.1", port(server), **ids) as client:
            client.do("hello", "query", "request")
            await until(lambda: ("FloorRequestStatus", "Granted") in client.heard)
            assert client.heard[0] == ("HelloAck", "-")
            await until(lambda: [entry.screen for entry in telephones(host)] == [True])
            system.show(Source.SCREEN, lambda: frame_of(GREEN, 640, 360))
            await until(lambda: shows(content(host), [GREEN]))
            await host.send(Screen(on=True))
            await until(lambda: ("FloorRequestStatus", "Revoked") in client.heard)
            system.stop(Source.SCREEN)
            await until(lambda: client.heard[-1] == ("FloorStatus", "Granted"))
            await until(lambda: shows(latest(system, Source.SCREEN), [RED]))
            client.heard.clear()
            client.do("request")
            await until(lambda: ("FloorRequestStatus", "Granted") in client.heard)
            client.do("release")
            await until(lambda: client.heard[-2:] == [("FloorRequestStatus", "Released"), ("FloorStatus", "-")])
            await until(lambda: [entry.screen for entry in telephones(host)] == [False])


@pytest.mark.policy("S5.3-1")
@pytest.mark.parametrize("floor", ["TCP/BFCP", "TCP/TLS/BFCP"])
async def test_the_floor_is_the_rooms_to_give_and_nobody_has_it_outside(server: RunningServer, floor: str) -> None:
    """In the menu and the lobby it waits; in the room it is granted, and denied to a guest where hosts alone share."""
    lobby = {"scope": "guests"}
    async with hall(server, guest_pin=PIN, lobby=lobby) as here, room_system(floor=floor) as system:
        host = await with_screen(here)
        await host.send(Screen(on=True))
        await system.dial(address(server), here.number)
        client = TcpClient((system.number("confid"), system.number("userid")))
        await client.connect("127.0.0.1", system.theirs.port, system.theirs.value("fingerprint") or "")
        client.ask(bfcp.FLOOR_QUERY, bfcp.number(2, 1))
        client.ask(bfcp.REQUEST, bfcp.number(2, 1))
        await until(lambda: client.states() == [bfcp.PENDING])
        system.press(f"{PIN}#")
        await until(lambda: [entry.state for entry in telephones(host)] == [LegState.WAITING])
        await asyncio.sleep(0.2)
        assert [one.primitive for one in client.heard] == [bfcp.FLOOR_STATUS, bfcp.REQUEST_STATUS]
        assert [kind for kind, _ in client.heard[0].attributes] == [2]  # the floor, and nothing of whoever has it
        await host.send(Admit(leg=telephones(host)[0].leg))
        await in_the_room(host)
        await until(lambda: client.states() == [bfcp.PENDING, bfcp.GRANTED])
        client.ask(bfcp.RELEASE, bfcp.number(3, client.requests()[-1]))
        await until(lambda: client.states()[-1] == bfcp.RELEASED)
        await here.merge(media={"presentation": "hosts"})
        client.ask(bfcp.REQUEST, bfcp.number(2, 1))
        await until(lambda: client.states()[-2:] == [bfcp.PENDING, bfcp.DENIED])
        await host.send(Screen(on=True))
        await until(lambda: client.heard[-1].primitive == bfcp.FLOOR_STATUS and client.heard[-1].state == bfcp.GRANTED)
        await client.close()


async def test_a_room_system_that_is_called_is_offered_slides_and_their_floor(server: RunningServer) -> None:
    async with hall(server) as here, room_system(floor="UDP/BFCP") as system:
        host = await with_screen(here)
        body = {"name": "Sal 3", "uri": await system.listen()}
        async with here.api.post(f"{await here.room()}/dial-out", json=body) as answer:
            assert answer.status == 202, await answer.text()
        await in_the_room(host)
        ids = {"conference": system.number("confid"), "user": system.number("userid")}
        await host.send(Screen(on=True))
        await until(lambda: shows(latest(system, Source.SCREEN), [RED]))
        with floor_client("127.0.0.1", port(server), **ids) as client:
            client.do("request")
            await until(lambda: ("FloorRequestStatus", "Granted") in client.heard)
            system.show(Source.SCREEN, lambda: frame_of(GREEN, 640, 360))
            await until(lambda: shows(content(host), [GREEN]))


async def test_a_floor_that_is_granted_and_not_used_is_the_rooms_again(server: RunningServer) -> None:
    async with hall(server) as here, room_system(floor="UDP/BFCP") as system:
        host = await with_screen(here)
        await system.dial(address(server), here.number)
        await in_the_room(host)
        ids = {"conference": system.number("confid"), "user": system.number("userid")}
        with floor_client("127.0.0.1", port(server), **ids) as client:
            client.do("query", "request")
            await until(lambda: [entry.screen for entry in telephones(host)] == [True])
            await until(lambda: client.heard[-2:] == [("FloorRequestStatus", "Revoked"), ("FloorStatus", "-")])
            await until(lambda: [entry.screen for entry in telephones(host)] == [False])
            client.do("request")
            await until(lambda: client.heard[-2:] == [("FloorRequestStatus", "Granted"), ("FloorStatus", "Granted")])
            system.show(Source.SCREEN, lambda: frame_of(GREEN, 640, 360))
            await until(lambda: shows(content(host), [GREEN]))
            await asyncio.sleep(UNUSED_S)
            assert client.heard[-1] == ("FloorStatus", "Granted")


async def test_a_floor_is_asked_for_behind_a_handshake(server: RunningServer, tmp_path: Path) -> None:
    """By OpenSSL's own DTLS."""
    shown = make_certificate(tmp_path, "system", begins=datetime.now(UTC), days=1)
    der = ssl.PEM_cert_to_DER_cert(shown[0].read_text())
    own = {**ACTPASS, "fingerprint": f"sha-256 {hashlib.sha256(der).digest().hex(':').upper()}"}
    async with hall(server) as here, room_system(floor="UDP/TLS/BFCP", own=own) as system:
        host = await with_screen(here)
        await system.dial(address(server), here.number)
        await in_the_room(host)
        assert system.theirs.value("setup") == "passive"
        command = ("s_client", "-dtls1_2", "-connect", f"127.0.0.1:{system.theirs.port}")
        ids = (system.number("confid"), system.number("userid"))
        async with openssl_peer(ids, *command, certificate=shown, version=2) as client:
            client.ask(bfcp.REQUEST, bfcp.number(2, 1))
            await until(lambda: [entry.screen for entry in telephones(host)] == [True])
            await until(lambda: [one.state for one in client.heard][:2] == [bfcp.PENDING, bfcp.GRANTED])


async def test_a_room_system_that_waits_to_be_connected_to_is_once_it_is_in_the_room(server: RunningServer) -> None:
    came = asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]]()
    waiting = await asyncio.start_server(lambda *both: came.put_nowait(both), "127.0.0.1", 0)
    theirs = waiting.sockets[0].getsockname()[1]
    async with (
        hall(server, guest_pin=PIN) as here,
        room_system(floor="TCP/BFCP", own={"setup": "passive"}, port=theirs) as system,
    ):
        host = await with_screen(here)
        await system.dial(address(server), here.number)
        await asyncio.sleep(0.3)
        assert came.empty()  # nothing goes to whom the door has not let in
        system.press(f"{PIN}#")
        await in_the_room(host)
        _, writer = await came.get()
        ids = (system.number("confid"), system.number("userid"))
        writer.write(bfcp.message(bfcp.REQUEST, bfcp.number(2, 1), version=1, ids=ids))
        await until(lambda: [entry.screen for entry in telephones(host)] == [True])
        writer.close()
        await until(lambda: [entry.screen for entry in telephones(host)] == [False])
        waiting.close()


async def test_a_room_system_with_a_floor_of_its_own_is_asked_before_it_is_shown_and_shares_when_it_has_it(
    server: RunningServer,
) -> None:
    """That is Debian's libre's. Until it has granted the floor what is shared is in its one picture."""
    with floor_host("127.0.0.1", conference=77, user=3) as theirs:
        own = {"floorctrl": "s-only", "confid": "77", "userid": "3", "floorid": "5 mstrm:1"}
        async with hall(server) as here, room_system(floor="UDP/BFCP", own=own, port=theirs.port) as system:
            host = await with_screen(here)
            await system.dial(address(server), here.number)
            await in_the_room(host)
            assert (system.theirs.value("floorctrl"), system.theirs.value("confid")) == ("c-only", None)
            await until(lambda: theirs.heard == [("FloorQuery", "-")])
            await host.send(Screen(on=True))
            await until(lambda: theirs.heard[1:] == [("FloorRequest", "-")])
            await until(lambda: shows(latest(system, Source.CAMERA), [RED]))
            assert system.pictures[Source.SCREEN] == []
            theirs.do("grant")
            await until(lambda: shows(latest(system, Source.SCREEN), [RED]))
            theirs.do("revoke", "take")
            system.show(Source.SCREEN, lambda: frame_of(GREEN, 640, 360))
            await until(lambda: shows(content(host), [GREEN]))
            await host.send(Screen(on=True))
            await until(lambda: theirs.heard[2:] == [("FloorRequest", "-")])
            theirs.do("free", "grant")
            await until(lambda: shows(latest(system, Source.SCREEN), [RED]))
            await host.send(Screen(on=False))
            await until(lambda: theirs.heard[3:] == [("FloorRelease", "-")])
