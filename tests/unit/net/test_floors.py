"""BFCP's sockets: whose floor it is, and who has no business there."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import floor_octets as octets
import pytest
from certificates import make_certificate
from floor_octets import TcpClient
from hall import until

from mcu.clock import SystemClock
from mcu.net.bfcp import connection
from mcu.net.bfcp import server as floors
from mcu.net.bfcp.line import A_SECOND, Client, FloorLine
from mcu.net.bfcp.server import FloorServer, Listen
from mcu.protocol.bfcp.floor import Asked, Ids, Released
from mcu.protocol.sdp.floor import Taken

HOST = "127.0.0.1"
IDS = (1234, 7)
FLOOR_1 = octets.number(2, 1)


@pytest.fixture
async def server() -> AsyncIterator[FloorServer]:
    made = FloorServer(Listen(addresses=[HOST, "::1"]), SystemClock())
    await made.start()
    yield made
    await made.close()


class Call:
    """One with a floor. `told`: what its client asked for."""

    def __init__(self, server: FloorServer, protocol: str = "TCP/BFCP", **how: Any) -> None:
        self.told: list[Asked | Released] = []
        taken = Taken(protocol, **({"address": (HOST, 9)} | how))
        client = Client(hosts=frozenset({HOST}), taken=taken)
        self.line: FloorLine = server.open(Ids(*IDS), client, self.told.append)


async def connected(server: FloorServer) -> TcpClient:
    client = TcpClient(IDS)
    await client.connect(HOST, server.port)
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


async def test_datagrams_are_heard_from_where_the_call_is_by_who_knows_both_numbers(server: FloorServer) -> None:
    Call(server, "UDP/BFCP")
    hello = octets.message(octets.HELLO)
    answer = await asyncio.to_thread(asked, socket.AF_INET, server.port, hello)
    assert answer is not None
    assert octets.told(answer).primitive == octets.HELLO_ACK
    others = [
        (socket.AF_INET, HOST, octets.message(octets.HELLO, ids=(1234, 8))),
        (socket.AF_INET, HOST, octets.message(octets.HELLO, ids=(1235, 7))),
        (socket.AF_INET, HOST, b"\x40\x0b"),
        (socket.AF_INET6, "::1", hello),
    ]
    heard = [asyncio.to_thread(asked, family, server.port, data, host) for family, host, data in others]
    assert await asyncio.gather(*heard) == [None] * 4
    assert server.dropped["of nobody"] == 4


async def test_a_connection_shows_by_its_first_message_whose_it_is(server: FloorServer) -> None:
    call = Call(server)
    client = await connected(server)
    client.ask(octets.REQUEST, FLOOR_1)
    await until(lambda: call.told == [Asked()])
    call.line.grant()
    await until(lambda: client.states() == [octets.PENDING, octets.GRANTED])
    await client.close()
    await until(lambda: call.told == [Asked(), Released()])


@pytest.mark.parametrize("data", [octets.message(11, version=1, ids=(1, 1)), b"\x20" * 12, b"GET / HTTP/1.1\r\n\r\n"])
async def test_a_connection_of_nobody_is_closed_without_a_word(server: FloorServer, data: bytes) -> None:
    Call(server)
    client = await connected(server)
    client.write(data)
    await until(lambda: client.closed)
    assert client.heard == []


async def test_a_connection_that_says_nothing_is_closed(server: FloorServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "FIRST_S", 0.05)
    client = await connected(server)
    await until(lambda: client.closed)


async def test_one_address_has_so_many_connections(server: FloorServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(floors, "CONNECTIONS_OF_ONE", 2)
    clients = [await connected(server) for _ in range(3)]
    await until(lambda: [one.closed for one in clients] == [False, False, True])
    for one in clients:
        await one.close()


async def test_who_connects_again_goes_on_there(server: FloorServer) -> None:
    call = Call(server)
    first = await connected(server)
    first.ask(octets.REQUEST, FLOOR_1)
    await until(lambda: call.told == [Asked()])
    second = await connected(server)
    second.ask(octets.USER_QUERY)
    await until(lambda: first.closed)
    call.line.grant()
    await until(lambda: second.states() == [octets.GRANTED])
    assert call.told == [Asked()]
    await second.close()


async def test_who_says_too_much_is_heard_no_more_for_a_while(server: FloorServer) -> None:
    Call(server)
    client = await connected(server)
    for _ in range(A_SECOND + 1):
        client.ask(octets.HELLO)
    await until(lambda: client.closed)
    assert len(client.heard) <= A_SECOND


async def test_a_call_that_is_over_has_no_floor(server: FloorServer) -> None:
    call = Call(server)
    client = await connected(server)
    client.ask(octets.HELLO)
    await until(lambda: client.heard)
    call.line.close()
    await until(lambda: client.closed)
    assert call.told == []
    again = await connected(server)
    again.ask(octets.HELLO)
    await until(lambda: again.closed)


async def test_with_tls_a_client_knows_us_by_the_fingerprint_and_without_it_is_not_heard(tmp_path: Path) -> None:
    cert, key = make_certificate(tmp_path, "localhost", begins=datetime.now(UTC), days=1)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    server = FloorServer(Listen(addresses=[HOST], tls=context), SystemClock())
    await server.start()
    call = Call(server, "TCP/TLS/BFCP")
    clear, client = await connected(server), TcpClient(IDS)
    clear.ask(octets.REQUEST, FLOOR_1, octets.number(1, 7))
    await until(lambda: clear.closed)
    await client.connect(HOST, server.tls_port, server.fingerprint)
    client.ask(octets.REQUEST, FLOOR_1)
    await until(lambda: client.states() == [octets.PENDING])
    assert call.told == [Asked()]
    await client.close()
    await server.close()
    assert server.fingerprint.startswith("sha-256 ")
    make_certificate(tmp_path, "localhost", begins=datetime.now(UTC), days=2)
    former = server.fingerprint
    context.load_cert_chain(cert, key)
    assert server.fingerprint != former
