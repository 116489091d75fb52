"""How the floor of a call is asked for behind a handshake, and where the server is the one that connects."""

import asyncio
import hashlib
import socket
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import floor_octets as octets
import pytest
from certificates import make_certificate
from hall import until
from openssl_peer import openssl_peer

from mcu.clock import SystemClock
from mcu.net.bfcp import line as lines
from mcu.net.bfcp.line import Client, FloorLine
from mcu.net.bfcp.server import OF_NOBODY, FloorServer, Listen
from mcu.protocol.bfcp.floor import Asked, Ids, Released
from mcu.protocol.sdp.dtls import Association, Fingerprint, Role
from mcu.protocol.sdp.floor import DTLS, TCP, TLS, Taken

HOST = "127.0.0.1"
IDS = (1234, 7)
FLOOR_1 = octets.number(2, 1)
Files = tuple[Path, Path]


@pytest.fixture
async def server() -> AsyncIterator[FloorServer]:
    made = FloorServer(Listen(addresses=[HOST]), SystemClock())
    await made.start()
    yield made
    await made.close()


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
    shown = Fingerprint("sha-256", hashlib.sha256(der).digest().hex(":").upper())
    return Association(frozenset({shown}), role, "", None)


class Call:
    """`told`: what its client asked for."""

    def __init__(self, server: FloorServer, taken: Taken) -> None:
        self.told: list[Asked | Released] = []
        client = Client(hosts=frozenset({HOST}), taken=taken)
        self.line: FloorLine = server.open(Ids(*IDS), client, self.told.append)


def at(port: int) -> str:
    return f"{HOST}:{port}"


async def test_who_shakes_hands_by_dtls_asks_for_the_floor_in_it_and_in_the_clear_is_nobody(
    server: FloorServer, theirs: Files
) -> None:
    call = Call(server, Taken(DTLS, (HOST, 9), association=of(theirs, "server")))  # which a router has changed
    connecting = ("s_client", "-dtls1_2", "-connect", at(server.port))
    async with openssl_peer(IDS, *connecting, certificate=theirs, version=2) as client:
        client.ask(octets.REQUEST, FLOOR_1)
        await until(lambda: call.told == [Asked()])
        call.line.grant()
        await until(lambda: [one.state for one in client.heard[:2]] == [octets.PENDING, octets.GRANTED])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.sendto(octets.message(octets.RELEASE, octets.number(3, 1), transaction=9), (HOST, server.port))
            await until(lambda: server.dropped[OF_NOBODY] == 1)
        assert call.line.granted
        call.line.close()
        await until(lambda: client.gone)  # it is told that this is over


async def test_who_has_another_certificate_than_the_sdp_says_is_not_listened_to(
    server: FloorServer, theirs: Files, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other = make_certificate(tmp_path / "other", "other", begins=datetime.now(UTC), days=1)
    call = Call(server, Taken(DTLS, (HOST, 9), association=of(theirs, "server")))
    connecting = ("s_client", "-dtls1_2", "-connect", at(server.port))
    async with openssl_peer(IDS, *connecting, certificate=other, version=2) as client:
        client.ask(octets.REQUEST, FLOOR_1)
        await asyncio.sleep(0.3)
    assert (call.told, client.heard) == ([], [])


async def test_nobody_shakes_hands_where_no_call_is_from_or_two_calls_might_be_meant(
    server: FloorServer, theirs: Files
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(b"\x16\xfe\xff" + bytes(10), (HOST, server.port))
        await until(lambda: server.dropped[OF_NOBODY] == 1)
        Call(server, Taken(DTLS, (HOST, 9), association=of(theirs, "server")))
        client = Client(hosts=frozenset({HOST}), taken=Taken(DTLS, (HOST, 10), association=of(theirs, "server")))
        server.open(Ids(1235, 8), client, lambda _asked: None)
        stranger.sendto(b"\x16\xfe\xff" + bytes(10), (HOST, server.port))
        await until(lambda: server.dropped[OF_NOBODY] == 2)


async def test_who_waits_for_dtls_is_greeted_once_its_call_is_in_the_room(server: FloorServer, theirs: Files) -> None:
    port = free_port(socket.SOCK_DGRAM)
    call = Call(server, Taken(DTLS, (HOST, port), begins=True, association=of(theirs, "client")))
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
    server: FloorServer, theirs: Files, monkeypatch: pytest.MonkeyPatch, secure: bool
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
    call = Call(server, taken)
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
    server: FloorServer, theirs: Files, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other = make_certificate(tmp_path / "other", "other", begins=datetime.now(UTC), days=1)
    port = free_port(socket.SOCK_STREAM)
    call = Call(server, Taken(TLS, (HOST, port), begins=True, association=of(theirs, "client")))
    waiting = ("s_server", "-accept", str(port), "-naccept", "1")
    async with openssl_peer(IDS, *waiting, certificate=other, version=1) as client:
        await asyncio.sleep(0.2)
        call.line.begin()
        await until(lambda: server.dropped["another certificate"] == 1)
        client.ask(octets.REQUEST, FLOOR_1)
        await asyncio.sleep(0.1)
        assert call.told == []
