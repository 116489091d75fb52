"""Certificates and handshakes of SIP's connections, between two of our own on this machine's addresses."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from certificates import Authority
from sip_messages import request

from mcu.app.sockets import check_clients, client_context, tls_context
from mcu.net.sip import tls
from mcu.net.sip.endpoint import Endpoint, Flow, Listen
from mcu.net.sip.flows import StreamFlow
from mcu.protocol.sip.flow import via
from mcu.protocol.sip.message import Request, Response

HERE, NAME = "127.0.0.1", "trunk.example"
Files = tuple[Path, Path]


class End:
    """One that listens, and what has come to it."""

    def __init__(self, shows: Files | None, *, trusts: Path | None = None, asks: Path | None = None) -> None:
        context = tls_context(*shows) if shows else None
        if context is not None and asks is not None:
            check_clients(context, asks)
        client = client_context(trusts, *(shows or (None, None)))
        listen = Listen(addresses=[HERE], port=0, tls_port=0, tls=context, client=client, shows=shows is not None)
        self.came: list[tuple[Request | Response, StreamFlow]] = []
        self.endpoint = Endpoint(
            listen, received=self._received, hears=lambda *_: True, uses=lambda _: False, gone=lambda _: None
        )

    def _received(self, message: Request | Response, flow: Flow) -> None:
        assert isinstance(flow, StreamFlow)
        self.came.append((message, flow))

    async def asks(self, other: "End", name: str = NAME) -> StreamFlow:
        """Over TLS: the flow by which it asked."""
        flow = await self.endpoint.connection_to(HERE, other.endpoint.ports[1], name)
        flow.write(bytes(request("OPTIONS", Via=via(flow), Content_Length="0")))
        return flow

    async def asked(self) -> StreamFlow:
        """The flow of the first that has come."""
        await until(lambda: bool(self.came))
        return self.came[0][1]


@contextlib.asynccontextmanager
async def listening(*ends: End) -> AsyncIterator[None]:
    for end in ends:
        await end.endpoint.start()
    try:
        yield
    finally:
        for end in ends:
            await end.endpoint.close()


async def until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not what():  # noqa: ASYNC110 - of sockets
            await asyncio.sleep(0.01)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.mark.parametrize(
    ("names", "days", "why"),
    [
        (["other.example", "sip:anna@trunk.example"], 30, "its certificate is for other.example, and not for trunk"),
        (["*.example"], 30, "its certificate is for nobody"),
        (["sip:other.example", NAME], 30, "its certificate is for other.example"),  # a URI goes before DNS names
        ([NAME], -1, "its certificate has expired"),
    ],
)
async def test_who_cannot_prove_the_name_that_is_called_is_told_apart_by_why(
    authority: Authority, names: list[str], days: int, why: str
) -> None:
    server, client = End(authority.issue(*names, days=days)), End(None, trusts=authority.path)
    async with listening(server, client):
        with pytest.raises(tls.NotProven) as refused:
            await client.asks(server)
        assert refused.value.detail.startswith(why)
        assert client.endpoint.counts.connections == 0
    assert server.came == []


async def test_a_certificate_of_nobody_that_is_trusted_proves_nothing(authority: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "stranger")
    server, client = End(stranger.issue(NAME)), End(None, trusts=authority.path)
    async with listening(server, client):
        with pytest.raises(tls.NotProven, match="an authority that is not trusted"):
            await client.asks(server)
    selfsigned, itself = End((stranger.path, tmp_path / "stranger-key.pem")), End(None, trusts=authority.path)
    async with listening(selfsigned, itself):
        with pytest.raises(tls.NotProven, match="self-signed"):
            await itself.asks(selfsigned)


@pytest.mark.parametrize("names", [[NAME], ["sip:trunk.example", "other.example"], [HERE]])
async def test_who_proves_the_name_is_talked_to_by_one_connection_for_each_name(
    authority: Authority, names: list[str]
) -> None:
    server, client = End(authority.issue(*names)), End(None, trusts=authority.path)
    name = HERE if names == [HERE] else NAME
    async with listening(server, client):
        first, again = await client.asks(server, name), await client.asks(server, name)
        assert first is again
        await until(lambda: len(server.came) == 2)
        assert "alias" not in server.came[0][0].via.params  # who has shown nothing is led back to by nothing


async def test_a_connection_leads_back_where_both_have_proved_their_names(authority: Authority) -> None:
    server = End(authority.issue(NAME), trusts=authority.path, asks=authority.path)
    client = End(authority.issue("proxy.example"), trusts=authority.path)
    async with listening(server, client):
        await client.asks(server)
        flow = await server.asked()
        assert await server.asks(client, "proxy.example") is flow
        await client.asked()
        assert server.endpoint.counts.connections == client.endpoint.counts.connections == 1
        with pytest.raises(tls.NotProven, match=r"is for proxy\.example, and not for other"):
            await server.asks(client, "other.example")


async def test_who_shows_a_certificate_of_our_own_authority_is_known_and_any_other_is_refused(
    authority: Authority, tmp_path: Path
) -> None:
    server = End(authority.issue(NAME), asks=authority.path)
    anna = End(authority.issue("sip:anna@mcu.example"), trusts=authority.path)
    stranger = End(Authority(tmp_path, "stranger").issue("sip:anna@mcu.example"), trusts=authority.path)
    nobody = End(None, trusts=authority.path)
    async with listening(server, anna, stranger, nobody):
        await anna.asks(server)
        assert (await server.asked()).shown.is_users("anna", "mcu.example")
        server.came.clear()
        await nobody.asks(server)
        assert not (await server.asked()).shown.users
        server.came.clear()
        with contextlib.suppress(tls.NotProven):  # in TLS 1.3 they are told when they think it done
            await stranger.asks(server)
        await until(lambda: server.endpoint.counts.refused["no handshake"] == 1)
        assert server.came == []
