"""BFCP's sockets: whose floor it is, and who has no business there."""

import asyncio
import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path

import floor_octets as octets
import pytest
from certificates import make_certificate
from floor_calls import HOST, IDS, FloorCall
from floor_octets import TcpClient
from hall import until

from mcu.clock import SystemClock
from mcu.net.bfcp import connection
from mcu.net.bfcp import server as floors
from mcu.net.bfcp.line import A_SECOND
from mcu.net.bfcp.server import FloorServer, Listen
from mcu.protocol.bfcp.floor import Asked, Released
from mcu.protocol.sdp.floor import Taken

FLOOR_1 = octets.number(2, 1)


def called(floor_server: FloorServer, protocol: str = "TCP/BFCP") -> FloorCall:
    return FloorCall(floor_server, Taken(protocol, (HOST, 9)))


async def connected(floor_server: FloorServer) -> TcpClient:
    client = TcpClient(IDS)
    await client.connect(HOST, floor_server.port)
    return client


def asked(family: int, port: int, data: bytes, host: str = HOST) -> bytes | None:
    """What a datagram is answered; None: nothing within a moment."""
    with socket.socket(family, socket.SOCK_DGRAM) as one:
        one.settimeout(0.3)
        one.sendto(data, (host, port))
        try:
            return one.recv(2048)
        except TimeoutError:
            return None


async def test_datagrams_are_heard_from_where_the_call_is_by_who_knows_both_numbers(floor_server: FloorServer) -> None:
    called(floor_server, "UDP/BFCP")
    hello = octets.message(octets.HELLO)
    answer = await asyncio.to_thread(asked, socket.AF_INET, floor_server.port, hello)
    assert answer is not None
    assert octets.told(answer).primitive == octets.HELLO_ACK
    others = [
        (socket.AF_INET, HOST, octets.message(octets.HELLO, ids=(1234, 8))),
        (socket.AF_INET, HOST, octets.message(octets.HELLO, ids=(1235, 7))),
        (socket.AF_INET, HOST, b"\x40\x0b"),
        (socket.AF_INET6, "::1", hello),
    ]
    heard = [asyncio.to_thread(asked, family, floor_server.port, data, host) for family, host, data in others]
    assert await asyncio.gather(*heard) == [None] * 4
    assert floor_server.dropped["of nobody"] == 4


async def test_a_connection_shows_by_its_first_message_whose_it_is(floor_server: FloorServer) -> None:
    call = called(floor_server)
    client = await connected(floor_server)
    client.ask(octets.REQUEST, FLOOR_1)
    await until(lambda: call.told == [Asked()])
    call.grant()
    await until(lambda: client.states() == [octets.PENDING, octets.GRANTED])
    await client.close()
    await until(lambda: call.told == [Asked(), Released()])


@pytest.mark.parametrize("data", [octets.message(11, version=1, ids=(1, 1)), b"\x20" * 12, b"GET / HTTP/1.1\r\n\r\n"])
async def test_a_connection_of_nobody_is_closed_without_a_word(floor_server: FloorServer, data: bytes) -> None:
    called(floor_server)
    client = await connected(floor_server)
    client.write(data)
    await until(lambda: client.closed)
    assert client.heard == []


async def test_a_connection_that_says_nothing_is_closed(
    floor_server: FloorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "FIRST_S", 0.05)
    client = await connected(floor_server)
    await until(lambda: client.closed)


async def test_one_address_has_so_many_connections(floor_server: FloorServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(floors, "CONNECTIONS_OF_ONE", 2)
    clients = [await connected(floor_server) for _ in range(3)]
    await until(lambda: [one.closed for one in clients] == [False, False, True])
    for one in clients:
        await one.close()


async def test_who_connects_again_goes_on_there(floor_server: FloorServer) -> None:
    call = called(floor_server)
    first = await connected(floor_server)
    first.ask(octets.REQUEST, FLOOR_1)
    await until(lambda: call.told == [Asked()])
    second = await connected(floor_server)
    second.ask(octets.USER_QUERY)
    await until(lambda: first.closed)
    call.grant()
    await until(lambda: second.states() == [octets.GRANTED])
    assert call.told == [Asked()]
    await second.close()


async def test_who_says_too_much_is_heard_no_more_for_a_while(floor_server: FloorServer) -> None:
    called(floor_server)
    client = await connected(floor_server)
    for _ in range(A_SECOND + 1):
        client.ask(octets.HELLO)
    await until(lambda: client.closed)
    assert len(client.heard) <= A_SECOND


async def test_a_call_that_is_over_has_no_floor(floor_server: FloorServer) -> None:
    call = called(floor_server)
    client = await connected(floor_server)
    client.ask(octets.HELLO)
    await until(lambda: client.heard)
    call.line.close()
    await until(lambda: client.closed)
    assert call.told == []
    again = await connected(floor_server)
    again.ask(octets.HELLO)
    await until(lambda: again.closed)


async def test_with_tls_a_client_knows_us_by_the_fingerprint_and_without_it_is_not_heard(tmp_path: Path) -> None:
    cert, key = make_certificate(tmp_path, "localhost", begins=datetime.now(UTC), days=1)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    floor_server = FloorServer(Listen(addresses=[HOST], tls=context), SystemClock())
    await floor_server.start()
    call = called(floor_server, "TCP/TLS/BFCP")
    clear, client = await connected(floor_server), TcpClient(IDS)
    clear.ask(octets.REQUEST, FLOOR_1, octets.number(1, 7))
    await until(lambda: clear.closed)
    await client.connect(HOST, floor_server.tls_port, floor_server.fingerprint)
    client.ask(octets.REQUEST, FLOOR_1)
    await until(lambda: client.states() == [octets.PENDING])
    assert call.told == [Asked()]
    await client.close()
    await floor_server.close()
    assert floor_server.fingerprint.startswith("sha-256 ")
    make_certificate(tmp_path, "localhost", begins=datetime.now(UTC), days=2)
    former = floor_server.fingerprint
    context.load_cert_chain(cert, key)
    assert floor_server.fingerprint != former
