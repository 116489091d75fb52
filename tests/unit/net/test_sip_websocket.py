"""SIP over WebSocket at a real web server: what is one message, what keeps it alive, and what ends it."""

import contextlib
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import WSMsgType, web
from sip_messages import request
from web_phone import WebPhone, web_phone

from mcu.clock import SystemClock
from mcu.net.sip import endpoint, websocket
from mcu.net.sip.driver import Driver
from mcu.net.sip.endpoint import Listen
from mcu.net.sip.flows import StreamFlow
from mcu.protocol.sip.agent import Recipient
from mcu.protocol.sip.events import Asked, Event
from mcu.protocol.sip.gate import Gate, Limits
from mcu.protocol.sip.message import Request
from mcu.protocol.sip.responses import response_to
from mcu.protocol.sip.uri import SipUri
from mcu.protocol.sip.values import Address

BIG = 80_000  # bytes


class Server:
    """It answers OPTIONS, at `url`."""

    def __init__(self, limits: Limits) -> None:
        self.flows: list[StreamFlow] = []
        self.lost: list[object] = []
        self.url = ""
        clock = SystemClock()
        gate, listen = Gate(limits, clock.monotonic()), Listen(addresses=["127.0.0.1"], port=0, name="mcu.example")
        self.driver = Driver(listen, gate, clock, self._happened, self.lost.append)

    def _happened(self, event: Event) -> None:
        if isinstance(event, Asked):
            assert isinstance(event.flow, StreamFlow)
            self.flows.append(event.flow)
            self.driver.agent.respond(event.key, response_to(event.request, 200, tag="ours"))


@contextlib.asynccontextmanager
async def serving(limits: Limits | None = None) -> AsyncIterator[Server]:
    server = Server(limits or Limits())
    await server.driver.start()
    app = web.Application()
    app.router.add_get("/sip", server.driver.endpoint.web_sockets.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/sip"
    try:
        yield server
    finally:
        await server.driver.close()
        await runner.cleanup()


async def ended(phone: WebPhone) -> bool:
    """Whether the server ends it, after what it may still say."""
    while True:
        message = await phone.ws.receive(timeout=5)
        if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.CLOSING):
            return True


async def test_a_request_is_answered_and_requests_of_ours_go_by_the_same_connection() -> None:
    async with serving() as server, web_phone(server.url) as phone:
        answer = await phone.ask("OPTIONS")
        assert (answer.status, answer.via.params["received"]) == (200, "127.0.0.1")
        (flow,) = server.flows
        assert (flow.transport, flow.host) == ("WS", "mcu.example")
        anna = SipUri("phone.invalid", "anna")
        to = Recipient(flow, anna, Address(SipUri("mcu.example")), Address(anna))
        server.driver.agent.request("OPTIONS", to, server.driver.now)
        server.driver.pump()
        asked = await phone.next()
        assert isinstance(asked, Request)
        assert (asked.method, asked.via.transport, asked.via.host) == ("OPTIONS", "WS", "mcu.example")
    assert server.lost == [flow]
    assert server.driver.endpoint.counts.connections == 0


async def test_a_message_may_be_binary_and_keep_alives_are_answered() -> None:
    async with serving() as server, web_phone(server.url, autoping=False) as phone:
        await phone.ws.send_bytes(bytes(request("OPTIONS", Subject="\udcff")))
        answer = await phone.ws.receive(timeout=5)
        assert answer.type in (WSMsgType.TEXT, WSMsgType.BINARY)
        await phone.ws.send_str("\r\n\r\n")
        assert await phone.ws.receive_str(timeout=5) == "\r\n"
        await phone.ws.ping(b"there?")
        assert (await phone.ws.receive(timeout=5)).type is WSMsgType.PONG


@pytest.mark.parametrize("said", ["hello", "OPTIONS sip:a SIP/2.0\r\n" + "x" * BIG, "x" * 2 * BIG])
async def test_what_is_not_sip_or_is_too_long_ends_the_connection(said: str) -> None:
    async with serving() as server, web_phone(server.url) as phone:
        await phone.ws.send_str(said)
        assert await ended(phone)


async def test_who_does_not_ask_for_sip_gets_no_connection() -> None:
    async with serving() as server, aiohttp.ClientSession() as session:
        for protocols in ([], ["chat"]):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(server.url, protocols=protocols)
            assert refused.value.status == 400
        async with session.get(server.url) as answer:
            assert answer.status == 400


async def test_an_address_has_so_many_connections_and_so_many_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "CONNECTIONS_OF_ONE", 1)
    async with serving(Limits(messages_per_second=1)) as server, web_phone(server.url) as phone:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with web_phone(server.url):
                pass
        assert refused.value.status == 503
        assert server.driver.endpoint.counts.refused == {"too many of one address": 1}
        for _ in range(5):
            await phone.ws.ping()
        assert await ended(phone)
        assert server.driver.gate.dropped == {"too many messages": 1}


async def test_who_says_nothing_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "FIRST_S", 0.2)
    async with serving() as server, web_phone(server.url) as phone:
        assert await ended(phone)
        assert server.driver.endpoint.counts.connections <= 1


async def test_who_does_not_read_what_is_sent_loses_the_connection() -> None:
    async with serving() as server, web_phone(server.url) as phone:
        await phone.ask("OPTIONS")
        (flow,) = server.flows
        written = 0
        while flow.write(b"x" * BIG):
            written += 1
        assert written < 10
        assert await ended(phone)
