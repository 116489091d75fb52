"""Whose request it is, behind proxies that are trusted and others; and that every answer is counted."""

import ipaddress

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from mcu.app.middleware import believe_proxies, client_of, count_requests
from mcu.clock import SystemClock
from mcu.telemetry.metrics import Metrics

TRUSTED = [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("2001:db8:1::/48")]


@pytest.mark.parametrize(
    ("hops", "client"),
    [
        (["192.0.2.1"], "192.0.2.1"),
        (["192.0.2.1", "10.0.0.1"], "192.0.2.1"),
        (["198.51.100.9", "192.0.2.1", "10.0.0.1"], "192.0.2.1"),  # the first is what the client wrote itself
        (["2001:db8:2::1", "2001:db8:1::7"], "2001:db8:2::1"),
        (["10.0.0.1", "10.0.0.2"], None),
        (["192.0.2.1", "unknown"], None),
        ([""], None),
    ],
)
def test_the_client_is_the_nearest_hop_that_is_no_proxy_of_ours(hops: list[str], client: str | None) -> None:
    assert client_of(hops, TRUSTED) == client


async def ask(trusted: tuple[str, ...], headers: dict[str, str]) -> tuple[str, str]:
    async def who(request: web.Request) -> web.Response:
        return web.json_response([request.remote, request.scheme, request.match_info["x"]])

    app = web.Application(middlewares=[believe_proxies(trusted)])
    app.router.add_get("/{x}", who)
    async with TestClient(TestServer(app)) as client:
        remote, scheme, _ = await (await client.get("/y", headers=headers)).json()
        return remote, scheme


FORWARDED = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"}


async def test_a_trusted_proxy_is_believed() -> None:
    assert await ask(("127.0.0.0/8",), FORWARDED) == ("192.0.2.1", "https")


async def test_nobody_else_is_believed() -> None:
    assert await ask((), FORWARDED) == ("127.0.0.1", "http")
    assert await ask(("10.0.0.0/8",), FORWARDED) == ("127.0.0.1", "http")


async def test_every_answer_is_counted_under_the_template_of_its_route() -> None:
    async def fail(_: web.Request) -> web.Response:
        raise web.HTTPConflict

    metrics = Metrics()
    app = web.Application(middlewares=[count_requests(metrics, SystemClock())])
    app.router.add_get("/rooms/{room:room_.*}", fail)
    async with TestClient(TestServer(app)) as client:
        await client.get("/rooms/room_1")
        await client.get("/rooms/room_2")
        await client.get("/nothing")
        await client.request("PROPFIND", "/nothing")
    shown = metrics.exposition().decode()
    assert 'mcu_http_requests_total{method="GET",route="/rooms/{room}",status="409"} 2.0' in shown
    assert 'mcu_http_requests_total{method="GET",route="unknown",status="404"} 1.0' in shown
    assert 'method="other",route="unknown"' in shown
    assert "room_1" not in shown
