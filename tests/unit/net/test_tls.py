"""A port of TLS at which handshakes begin that never end, and who comes in all the same."""

import asyncio
import contextlib
import socket
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from certificates import make_certificate
from hall import until

from mcu.net import tls
from mcu.net.tls import NONE, TOO_MANY, Door

BEGUN = b"\x16\x03\x01\x02"  # as a ClientHello begins


class Greeting(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(b"welcome")
        transport.close()


class House:
    """A door, and those who stand in it."""

    def __init__(self, context: ssl.SSLContext, stack: contextlib.ExitStack) -> None:
        self.refused = Counter[str]()
        listening = socket.create_server(("0.0.0.0", 0), backlog=256)
        self.door = Door(listening, context, made=Greeting, refused=lambda reason: self.refused.update([reason]))
        self._stack = stack

    def half_open(self, address: str) -> socket.socket:
        made = socket.create_connection(("127.0.0.1", self.door.port), source_address=(address, 0))
        self._stack.callback(made.close)
        made.setblocking(False)
        made.send(BEGUN)
        return made

    async def welcomes(self, address: str) -> bool:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        at: dict[str, Any] = {"ssl": context, "local_addr": (address, 0)}
        reader, writer = await asyncio.open_connection("127.0.0.1", self.door.port, **at)
        said = await reader.read()
        writer.close()
        return said == b"welcome"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*make_certificate(tmp_path, "localhost", begins=datetime.now(UTC), days=1))
    with contextlib.ExitStack() as stack:
        made = House(context, stack)
        yield made
        await made.door.close()


def is_closed(one: socket.socket) -> bool:
    try:
        return one.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


async def test_who_begins_most_handshakes_and_ends_none_loses_the_first_of_them(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "HANDSHAKES", 7)
    other = house.half_open("127.0.0.3")
    await until(lambda: house.door.handshakes == 1)
    many = [house.half_open("127.0.0.2") for _ in range(9)]
    await until(lambda: house.refused[TOO_MANY] == 3)
    await until(lambda: [is_closed(one) for one in many] == [True] * 3 + [False] * 6)
    assert await house.welcomes("127.0.0.2")
    assert await house.welcomes("127.0.0.4")
    assert not is_closed(other)
    assert house.door.handshakes <= 7


async def test_a_handshake_that_does_not_end_is_ended(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls, "HANDSHAKE_S", 0.2)
    one = house.half_open("127.0.0.2")
    await until(lambda: house.door.handshakes == 1)
    await until(lambda: is_closed(one))
    assert (house.door.handshakes, house.refused[NONE]) == (0, 1)


async def test_who_stands_in_a_door_that_is_closed_is_sent_away(house: House) -> None:
    one = house.half_open("127.0.0.2")
    await until(lambda: house.door.handshakes == 1)
    await house.door.close()
    await until(lambda: is_closed(one))
