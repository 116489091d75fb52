"""Requests too large for a datagram: by TCP where the peer takes it, by UDP where it does not, one and the same."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest

from mcu.clock import SystemClock
from mcu.net.sip import large
from mcu.net.sip.driver import Driver
from mcu.net.sip.endpoint import Listen
from mcu.net.sip.flows import StreamFlow
from mcu.protocol.sip.agent import Recipient
from mcu.protocol.sip.call import Call
from mcu.protocol.sip.events import Answered, Event
from mcu.protocol.sip.gate import Gate, Limits
from mcu.protocol.sip.message import Request, read
from mcu.protocol.sip.responses import response_to
from mcu.protocol.sip.stream import Stream
from mcu.protocol.sip.uri import SipUri
from mcu.protocol.sip.values import Address

HERE = "127.0.0.1"
LARGE = b"x" * 1300
WITHIN_S = 5.0


class Peer:
    """Listens by UDP, and by TCP on the same port where it is told to. `came`: by which, and what."""

    def __init__(self) -> None:
        self.came: asyncio.Queue[tuple[str, Request]] = asyncio.Queue()
        self.port = 0
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []

    async def start(self, *, tcp: str) -> None:
        """`tcp`: "answers", "closes" or "is silent"; "": nobody listens."""
        loop, peer = asyncio.get_running_loop(), self

        class Datagrams(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
                request = read(data)
                assert isinstance(request, Request)
                peer.came.put_nowait(("UDP", request))

        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listening.bind((HERE, 0))
        self.port = listening.getsockname()[1]
        self._udp, _ = await loop.create_datagram_endpoint(Datagrams, local_addr=(HERE, self.port))
        if tcp:
            self._tcp = await asyncio.start_server(lambda r, w: self._connected(r, w, tcp), sock=listening)
        else:
            listening.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tcp: str) -> None:
        self._writers.append(writer)
        stream = Stream()
        while data := await reader.read(65_536):
            for one in stream.feed(data):
                assert isinstance(one, Request)
                self.came.put_nowait(("TCP", one))
                if tcp == "answers":
                    status = {"INVITE": 180, "CANCEL": 200}.get(one.method, 200)
                    writer.write(bytes(response_to(one, status, tag="theirs", headers=[("Contact", "<sip:them@x>")])))
                elif tcp == "closes":
                    writer.close()

    async def next(self) -> tuple[str, Request]:
        return await asyncio.wait_for(self.came.get(), WITHIN_S)

    async def close(self) -> None:
        assert self._udp is not None
        self._udp.close()
        if self._tcp is not None:
            self._tcp.close()
            await self._tcp.wait_closed()
        for writer in self._writers:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


class Server:
    def __init__(self) -> None:
        self.told: asyncio.Queue[Event] = asyncio.Queue()
        clock = SystemClock()
        listen = Listen(addresses=[HERE], port=0)
        self.driver = Driver(listen, Gate(Limits(), clock.monotonic()), clock, self.told.put_nowait, lambda _: None)

    def recipient(self, peer: Peer) -> Recipient:
        flow = self.driver.endpoint.datagrams_to(HERE, peer.port)
        return Recipient(
            flow, SipUri(HERE, "them", peer.port), Address(SipUri(HERE, "us")), Address(SipUri(HERE, "them"))
        )

    def ask(self, peer: Peer, body: bytes = LARGE) -> None:
        self.driver.agent.request("MESSAGE", self.recipient(peer), self.driver.now, body)
        self.driver.pump()

    def invite(self, peer: Peer) -> Call:
        call = self.driver.agent.invite(self.recipient(peer), LARGE, self.driver.now)
        self.driver.pump()
        return call

    async def heard(self, status: int) -> None:
        async with asyncio.timeout(WITHIN_S):
            while not isinstance(told := await self.told.get(), Answered) or told.status != status:
                pass


@contextlib.asynccontextmanager
async def two(tcp: str) -> AsyncIterator[tuple[Server, Peer]]:
    server, peer = Server(), Peer()
    await server.driver.start()
    await peer.start(tcp=tcp)
    try:
        yield server, peer
    finally:
        await server.driver.close()
        await peer.close()


async def nothing_comes(peer: Peer, seconds: float) -> bool:
    await asyncio.sleep(seconds)
    return peer.came.empty()


async def test_who_takes_tcp_gets_it_once_by_that_and_what_is_small_by_udp() -> None:
    async with two("answers") as (server, peer):
        server.ask(peer)
        way, request = await peer.next()
        assert (way, request.via.transport, request.body) == ("TCP", "TCP", LARGE)
        await server.heard(200)
        server.ask(peer)
        assert (await peer.next())[0] == "TCP"
        server.ask(peer, b"small")
        way, request = await peer.next()
        assert (way, request.via.transport) == ("UDP", "UDP")


async def test_who_takes_no_tcp_gets_it_by_udp_at_once_and_again_until_it_answers() -> None:
    async with two("") as (server, peer):
        for _ in range(2):
            server.ask(peer)
            way, request = await peer.next()
            assert (way, request.via.transport, request.body) == ("UDP", "UDP", LARGE)
            again = await peer.next()
            assert (again[0], again[1].via.branch) == ("UDP", request.via.branch)
            while not peer.came.empty():
                await peer.next()


@pytest.mark.parametrize("tcp", ["closes", "is silent"])
async def test_who_takes_a_connection_and_says_nothing_gets_the_same_request_by_udp(
    monkeypatch: pytest.MonkeyPatch, tcp: str
) -> None:
    monkeypatch.setattr(large, "HEARD_S", 0.3)
    async with two(tcp) as (server, peer):
        server.ask(peer)
        way, first = await peer.next()
        assert way == "TCP"
        way, second = await peer.next()
        assert (way, second.via.transport, second.via.branch) == ("UDP", "UDP", first.via.branch)
        server.ask(peer)
        while (came := await peer.next())[1].via.branch == first.via.branch:
            assert came[0] == "UDP"
        assert came[0] == "UDP"


async def test_a_call_that_went_by_tcp_is_not_repeated_and_is_taken_back_by_tcp() -> None:
    async with two("answers") as (server, peer):
        call = server.invite(peer)
        way, invite = await peer.next()
        assert way == "TCP"
        assert await nothing_comes(peer, 0.7)
        call.hang_up()
        server.driver.pump()
        way, cancel = await peer.next()
        assert (way, cancel.method, str(cancel.via)) == ("TCP", "CANCEL", str(invite.via))


async def test_what_waits_for_one_connection_goes_by_it_in_order_and_unrepeated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with two("answers") as (server, peer):
        connect, made = server.driver.endpoint.connection_to, []

        async def slowly(host: str, port: int, server_name: str = "") -> StreamFlow:
            await asyncio.sleep(0.7)  # longer than until a request is repeated
            made.append(port)
            return await connect(host, port, server_name)

        monkeypatch.setattr(server.driver.endpoint, "connection_to", slowly)
        for which in range(3):
            server.ask(peer, LARGE + b"%d" % which)
        came = [await peer.next() for _ in range(3)]
        assert [(way, request.body[-1:]) for way, request in came] == [("TCP", b"0"), ("TCP", b"1"), ("TCP", b"2")]
        assert await nothing_comes(peer, 0.7)
        assert len(made) == 1
