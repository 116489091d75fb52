"""SIP's sockets and the gate before them, on this machine's own addresses."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hall import until
from sip_messages import request

from mcu.clock import SystemClock
from mcu.net.sip import flows
from mcu.net.sip.driver import Driver
from mcu.net.sip.endpoint import Listen
from mcu.protocol.sip.events import Asked, Event, Invited
from mcu.protocol.sip.gate import Gate, Limits
from mcu.protocol.sip.message import Request, Response, read
from mcu.protocol.sip.responses import response_to

HERE = "127.0.0.1"


class Server:
    """It answers OPTIONS, and lets calls ring."""

    def __init__(self, limits: Limits, address: str) -> None:
        self.told: list[Event] = []
        self.fails = False
        clock = SystemClock()
        gate, listen = Gate(limits, clock.monotonic()), Listen(addresses=[address], port=0)
        self.lost = asyncio.Event()  # a connection is
        self.driver = Driver(listen, gate, clock, self._happened, lambda _: self.lost.set())

    def _happened(self, event: Event) -> None:
        self.told.append(event)
        if self.fails:
            raise ZeroDivisionError
        if isinstance(event, Asked):
            status = 404 if event.request.method == "MESSAGE" else 200
            self.driver.agent.respond(event.key, response_to(event.request, status, tag="ours"))


@contextlib.asynccontextmanager
async def serving(limits: Limits | None = None, address: str = HERE) -> AsyncIterator[tuple[Server, int]]:
    server = Server(limits or Limits(), address)
    await server.driver.start()
    try:
        yield server, server.driver.endpoint.ports[0]
    finally:
        await server.driver.close()


class Peer:
    """A datagram socket at an address of its own."""

    def __init__(self, port: int, address: str = HERE, to: str = HERE) -> None:
        self._socket = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, 0))
        self._socket.setblocking(False)
        self._socket.connect((to, port))

    def send(self, message: Request) -> None:
        self._socket.send(bytes(message))

    async def answer(self, within: float = 2.0) -> Response:
        data = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self._socket, 65535), within)
        answer = read(data)
        assert isinstance(answer, Response)
        return answer

    async def hears_nothing(self) -> bool:
        try:
            await self.answer(0.1)
        except TimeoutError:
            return True
        return False

    def close(self) -> None:
        self._socket.close()


def ask(number: int, method: str = "OPTIONS", **fields: Any) -> Request:
    return request(method, branch=f"{method}{number}", Call_ID=f"{method}{number}", **fields)


@contextlib.contextmanager
def peers(port: int, *addresses: str):  # type: ignore[no-untyped-def]
    made = [Peer(port, address) for address in addresses]
    try:
        yield made
    finally:
        for peer in made:
            peer.close()


async def test_a_scanner_gets_no_answer_and_neither_does_what_follows_it_from_there() -> None:
    async with serving() as (server, port):
        with peers(port, HERE, "127.0.0.2") as (scanner, telephone):
            scanner.send(ask(1, User_Agent="friendly-scanner"))
            scanner.send(ask(2))
            assert await scanner.hears_nothing()
            telephone.send(ask(3))
            assert (await telephone.answer()).status == 200
        assert server.driver.gate.dropped == {"scanner": 1, "silenced": 1}


async def test_who_guesses_numbers_is_soon_not_answered_any_more() -> None:
    async with serving() as (_, port):
        with peers(port, HERE) as (guesser,):
            for number in range(10):
                guesser.send(ask(number, "MESSAGE"))
                assert (await guesser.answer()).status == 404
            guesser.send(ask(10, "MESSAGE"))
            assert await guesser.hears_nothing()


async def test_calls_above_the_measure_get_503_with_retry_after_and_nothing_of_them_is_kept() -> None:
    limits = Limits(known=("127.0.0.2/32",), calls_per_second=1)
    async with serving(limits) as (server, port):
        with peers(port, HERE, "127.0.0.2") as (stranger, trunk):
            for number in range(3):
                stranger.send(ask(number, "INVITE"))
            answers = [await stranger.answer() for _ in range(3)]
            refused = [answer for answer in answers if answer.status == 503]
            assert [answer.status for answer in answers].count(100) == 1
            assert len(refused) == 2
            assert refused[0].headers.one("Retry-After") == "10"
            assert server.driver.agent.transactions == len(server.driver.agent) == 1
            for number in range(10, 20):
                trunk.send(ask(number, "INVITE"))
            assert {(await trunk.answer()).status for _ in range(10)} == {100}
            assert sum(isinstance(event, Invited) for event in server.told) == 11


async def test_a_call_that_is_refused_may_be_repeated_and_one_that_was_taken_is_repeated_without_being_counted() -> (
    None
):
    async with serving(Limits(calls_per_second=1)) as (server, port):
        with peers(port, HERE) as (stranger,):
            for _ in range(5):
                stranger.send(ask(1, "INVITE"))
                assert (await stranger.answer()).status == 100
            cancel = ask(1, "INVITE")
            stranger.send(Request("CANCEL", cancel.target, headers=cancel.headers.with_("CSeq", "1 CANCEL")))
            assert {(await stranger.answer()).status for _ in range(2)} == {200, 487}
            assert len(server.driver.agent) == 0


async def test_where_an_endpoint_registers_nobody_is_a_stranger() -> None:
    async with serving(Limits(calls_per_second=1)) as (server, port):
        with peers(port, HERE) as (telephone,):
            telephone.send(ask(1, "REGISTER"))
            assert (await telephone.answer()).status == 200
            for number in range(5):
                telephone.send(ask(number, "INVITE"))
                assert (await telephone.answer()).status == 100
            assert server.driver.gate.dropped == {}


@pytest.mark.parametrize("many", [1000])
async def test_a_connection_that_brings_more_than_its_address_may_send_is_closed(many: int) -> None:
    async with serving(Limits(messages_per_second=10)) as (server, port):
        reader, writer = await asyncio.open_connection(HERE, port)
        one = bytes(ask(1, Via="SIP/2.0/TCP phone.example:5060;branch=z9hG4bKone"))
        with contextlib.suppress(ConnectionError):
            writer.write(one * many)
            await asyncio.wait_for(reader.read(), 5)
        writer.close()
        assert server.driver.gate.dropped["too many messages"] == 1


async def test_ipv6_is_served_as_ipv4_is() -> None:
    async with serving(address="::1") as (_, port):
        peer = Peer(port, "::1", "::1")
        peer.send(ask(1))
        answer = await peer.answer()
        peer.close()
        assert answer.status == 200
        assert answer.via.params["received"] == "::1"


def over_tcp(number: int, port: int = 5060) -> bytes:
    """A call whose Contact says this port."""
    return bytes(
        ask(
            number,
            "INVITE",
            Via="SIP/2.0/TCP phone.example:5060;branch=z9hG4bKtcp",
            Contact=f"<sip:anna@{HERE}:{port}>",
        )
    )


async def test_a_connection_by_which_somebody_is_in_a_call_may_be_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flows, "IDLE_S", 0.1)
    async with serving() as (server, port):
        reader, writer = await asyncio.open_connection(HERE, port)
        writer.write(over_tcp(1))
        assert b" 100 " in await reader.readline()
        await asyncio.sleep(0.4)
        (call,) = [event.call for event in server.told if isinstance(event, Invited)]
        call.refuse(486)
        server.driver.pump()
        rest = await asyncio.wait_for(reader.read(), 5)  # and is closed, now that there is none
        assert b" 486 " in rest
        writer.close()


async def test_a_call_whose_connection_was_closed_is_hung_up_by_another() -> None:
    async with serving() as (server, port):
        came: asyncio.Queue[bytes] = asyncio.Queue()
        telephone = await asyncio.start_server(lambda reader, writer: hear(reader, writer, came), HERE, 0)
        reader, writer = await asyncio.open_connection(HERE, port)
        writer.write(over_tcp(1, telephone.sockets[0].getsockname()[1]))
        assert b" 100 " in await reader.readline()
        (call,) = [event.call for event in server.told if isinstance(event, Invited)]
        call.answer(b"")
        server.driver.pump()
        while b" 200 " not in await reader.readline():
            pass
        ack = request("ACK", branch="ack", to_tag=call.tag, Call_ID="INVITE1")
        writer.write(bytes(ack))
        writer.close()
        await writer.wait_closed()
        await asyncio.wait_for(server.lost.wait(), 5)
        assert call.stands
        call.hang_up()
        server.driver.pump()
        assert (await asyncio.wait_for(came.get(), 5)).startswith(b"BYE ")
        telephone.close()
        await telephone.wait_closed()


async def test_a_call_that_was_answered_a_moment_ago_has_its_bye_too_when_the_server_stops() -> None:
    telephone = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    telephone.bind((HERE, 0))
    telephone.setblocking(False)
    async with serving() as (server, port):
        contact = f"<sip:phone@{HERE}:{telephone.getsockname()[1]}>"
        telephone.sendto(bytes(ask(1, "INVITE", Contact=contact)), (HERE, port))
        await until(lambda: bool(server.told))
        (call,) = [event.call for event in server.told if isinstance(event, Invited)]
        call.answer(b"")
        call.hang_up()  # and no ACK comes
        server.driver.pump()
    said = []
    with contextlib.suppress(BlockingIOError):
        while True:
            said.append(telephone.recv(65535).split(b"\r\n")[0])
    telephone.close()
    assert said[-1].startswith(b"BYE ")
    assert said.count(said[-1]) == 1


async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, came: "asyncio.Queue[bytes]") -> None:
    came.put_nowait(await reader.read(100))
    writer.close()


async def test_what_fails_above_keeps_nothing_from_being_repeated() -> None:
    async with serving() as (server, port):
        with peers(port, HERE) as (telephone,):
            telephone.send(ask(1, "INVITE"))
            assert (await telephone.answer()).status == 100
            (call,) = [event.call for event in server.told if isinstance(event, Invited)]
            server.fails = True
            call.refuse(486)
            with pytest.raises(ZeroDivisionError):
                server.driver.pump()
            assert [(await telephone.answer()).status for _ in range(2)] == [486, 486]
