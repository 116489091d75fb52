"""How the floor of a call is asked for behind a handshake, and where the server is the one that connects."""

import asyncio
import hashlib
import socket
import ssl
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import floor_octets as octets
import pytest
from certificates import make_certificate
from floor_calls import HOST, IDS, FloorCall
from hall import until
from openssl_peer import openssl_peer

from mcu.clock import SystemClock
from mcu.net.bfcp import line as lines
from mcu.net.bfcp.server import OF_NOBODY, FloorServer, Listen
from mcu.protocol.bfcp.end import Ids
from mcu.protocol.bfcp.floor import Asked
from mcu.protocol.bfcp.participant import MayShow, TheyShow
from mcu.protocol.sdp.dtls import Association, Fingerprint, Role
from mcu.protocol.sdp.floor import DTLS, TCP, TLS, UDP, Taken, Theirs

FLOOR_1 = octets.number(2, 1)
Files = tuple[Path, Path]


@pytest.fixture
def theirs(tmp_path: Path) -> Files:
    return make_certificate(tmp_path, "system", begins=datetime.now(UTC), days=1)


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind((HOST, 0))
        port: int = one.getsockname()[1]
        return port


def of(certificate: Files, role: Role) -> Association:
    der = ssl.PEM_cert_to_DER_cert(certificate[0].read_text())
    return known(f"sha-256 {hashlib.sha256(der).digest().hex(':').upper()}", role)


def known(fingerprint: str, role: Role) -> Association:
    return Association(frozenset({Fingerprint(*fingerprint.split())}), role, "", None)


def at(port: int) -> str:
    return f"{HOST}:{port}"


async def test_who_shakes_hands_by_dtls_asks_for_the_floor_in_it_and_in_the_clear_is_nobody(
    floor_server: FloorServer, theirs: Files
) -> None:
    elsewhere = (HOST, 9)  # a router has changed the port
    call = FloorCall(floor_server, Taken(DTLS, elsewhere, association=of(theirs, "server")))
    connecting = ("s_client", "-dtls1_2", "-connect", at(floor_server.port))
    async with openssl_peer(IDS, *connecting, certificate=theirs, version=2) as client:
        client.ask(octets.REQUEST, FLOOR_1)
        await until(lambda: call.told == [Asked()])
        call.grant()
        await until(lambda: [one.state for one in client.heard[:2]] == [octets.PENDING, octets.GRANTED])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.sendto(
                octets.message(octets.RELEASE, octets.number(3, 1), transaction=9), (HOST, floor_server.port)
            )
            await until(lambda: floor_server.dropped[OF_NOBODY] == 1)
        assert call.floor.granted
        call.line.close()
        await until(lambda: client.gone)  # it is told that this is over


async def test_who_has_another_certificate_than_the_sdp_says_is_not_listened_to(
    floor_server: FloorServer, theirs: Files, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other = make_certificate(tmp_path / "other", "other", begins=datetime.now(UTC), days=1)
    call = FloorCall(floor_server, Taken(DTLS, (HOST, 9), association=of(theirs, "server")))
    connecting = ("s_client", "-dtls1_2", "-connect", at(floor_server.port))
    async with openssl_peer(IDS, *connecting, certificate=other, version=2) as client:
        client.ask(octets.REQUEST, FLOOR_1)
        await asyncio.sleep(0.3)
    assert (call.told, client.heard) == ([], [])


async def test_nobody_shakes_hands_where_no_call_is_from_or_two_calls_might_be_meant(
    floor_server: FloorServer, theirs: Files
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(b"\x16\xfe\xff" + bytes(10), (HOST, floor_server.port))
        await until(lambda: floor_server.dropped[OF_NOBODY] == 1)
        FloorCall(floor_server, Taken(DTLS, (HOST, 9), association=of(theirs, "server")))
        FloorCall(floor_server, Taken(DTLS, (HOST, 10), association=of(theirs, "server")), (1235, 8))
        stranger.sendto(b"\x16\xfe\xff" + bytes(10), (HOST, floor_server.port))
        await until(lambda: floor_server.dropped[OF_NOBODY] == 2)


async def test_who_waits_for_dtls_is_greeted_once_its_call_is_in_the_room(
    floor_server: FloorServer, theirs: Files
) -> None:
    port = free_port(socket.SOCK_DGRAM)
    call = FloorCall(floor_server, Taken(DTLS, (HOST, port), begins=True, association=of(theirs, "client")))
    waiting = ("s_server", "-dtls1_2", "-accept", str(port), "-Verify", "1", "-naccept", "1")
    async with openssl_peer(IDS, *waiting, certificate=theirs, version=2) as client:
        await asyncio.sleep(0.2)
        call.line.begin()
        await asyncio.sleep(0.5)
        client.ask(octets.REQUEST, FLOOR_1)
        await until(lambda: call.told == [Asked()])
        await until(lambda: [one.state for one in client.heard] == [octets.PENDING])


@pytest.mark.parametrize("secure", [False, True])
async def test_who_waits_to_be_connected_to_is_and_again_when_that_ends(
    floor_server: FloorServer, theirs: Files, monkeypatch: pytest.MonkeyPatch, secure: bool
) -> None:
    monkeypatch.setattr(lines, "AGAIN_S", (0.05, 0.05))
    came: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*theirs)
    waiting = await asyncio.start_server(
        lambda reader, writer: came.append((reader, writer)), HOST, 0, ssl=context if secure else None
    )
    port = waiting.sockets[0].getsockname()[1]
    association = of(theirs, "client") if secure else None
    taken = Taken(TLS if secure else TCP, (HOST, port), begins=True, association=association)
    call = FloorCall(floor_server, taken)
    await asyncio.sleep(0.1)
    assert came == []  # until its call is in the room
    call.line.begin()
    await until(lambda: len(came) == 1)
    came[0][1].close()
    await until(lambda: len(came) == 2)
    reader, writer = came[1]
    writer.write(octets.message(octets.REQUEST, FLOOR_1, version=1))
    head = await reader.readexactly(12)
    assert octets.told(head + await reader.readexactly(4 * int.from_bytes(head[2:4]))).state == octets.PENDING
    assert call.told == [Asked()]
    call.line.close()
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()
    waiting.close()


async def test_who_is_connected_to_and_shows_another_certificate_is_told_nothing(
    floor_server: FloorServer, theirs: Files, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other = make_certificate(tmp_path / "other", "other", begins=datetime.now(UTC), days=1)
    port = free_port(socket.SOCK_STREAM)
    call = FloorCall(floor_server, Taken(TLS, (HOST, port), begins=True, association=of(theirs, "client")))
    waiting = ("s_server", "-accept", str(port), "-naccept", "1")
    async with openssl_peer(IDS, *waiting, certificate=other, version=1) as client:
        await asyncio.sleep(0.2)
        call.line.begin()
        await until(lambda: floor_server.dropped["another certificate"] == 1)
        client.ask(octets.REQUEST, FLOOR_1)
        await asyncio.sleep(0.1)
        assert call.told == []


def shows(call: FloorCall) -> list[bool]:
    """Whether it might, as it was told."""
    return [one.on for one in call.told if isinstance(one, MayShow)]


@pytest.mark.parametrize("protocol", [UDP, DTLS, TCP, TLS])
async def test_a_floor_of_theirs_is_asked_for_by_every_way(
    floor_server: FloorServer, theirs: Files, protocol: str
) -> None:
    """Theirs is at another of our own: libre, which is Debian's, speaks UDP alone (`test_floors`)."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*theirs)
    other = FloorServer(Listen(addresses=[HOST], tls=context), SystemClock())
    await other.start()
    secure, reliable = protocol in (DTLS, TLS), protocol in (TCP, TLS)
    port = other.tls_port if protocol == TLS else other.port
    shown = other.fingerprint if reliable else other.certificate.fingerprint
    greeted = known(floor_server.certificate.fingerprint, "server") if protocol == DTLS else None
    far = FloorCall(other, Taken(protocol, (HOST, floor_server.port), association=greeted), (4321, 9))
    at_theirs = Theirs(Ids(4321, 9), 1)
    met = known(shown, "client") if secure else None
    taken = Taken(protocol, (HOST, port), at_theirs, begins=secure or reliable, association=met)
    call = FloorCall(floor_server, taken)
    call.line.do(partial(call.participant.wants, True))
    await asyncio.sleep(0.1)
    assert far.told == []  # until it is in the room
    call.line.begin()
    await until(lambda: far.told == [Asked()])
    far.grant()
    await until(lambda: shows(call) == [True])
    far.line.do(partial(far.floor.others, True))
    await until(lambda: TheyShow(True) in call.told)
    far.line.close()
    call.line.do(partial(call.participant.wants, False))
    if reliable or secure:  # they know that it has ended
        await until(lambda: call.told[-2:] == [MayShow(False), TheyShow(False)])
    call.line.close()
    await other.close()
