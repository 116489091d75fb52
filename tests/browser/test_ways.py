"""Debian's Chromium in networks that let little through: each way that is left leads to us, both ways, with sound."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import chromium
import pytest
from call_page import FLAGS, Site, send_room
from networks import Network, network
from playwright.async_api import Page, async_playwright
from relay import SECRET, TurnServer, turn_server
from rtc import until

from mcu.auth.relays import Relays
from mcu.clock import SystemClock

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

WAY = """(async () => {
  const all = [...(await pc.getStats()).values()], one = await pair()
  const [ours, theirs] = [one.localCandidateId, one.remoteCandidateId].map(id => all.find(r => r.id == id))
  return [ours.candidateType, ours.relayProtocol ?? ours.protocol, theirs.protocol, theirs.address]
})()"""


@asynccontextmanager
async def called(
    there: Network, directory: Path, *flags: str, devices: bool = True, **setup: Any
) -> AsyncIterator[tuple[Site, Page]]:
    """A browser in there on a page of ours, with `setup` in its RTCConfiguration. `devices`: it may use them."""
    site = Site(there.here6, there.here)
    runner, url = await site.open()
    try:
        async with async_playwright() as playwright:
            wrapper = there.wrapper(directory, chromium.WHOLE)
            browser = await playwright.chromium.launch(executable_path=wrapper, args=[*FLAGS, *flags])
            page = await browser.new_page()
            if devices:
                await page.context.grant_permissions(["microphone"])  # or it hides its addresses
            await page.goto(url)
            await page.evaluate("(setup) => { window.setup = setup }", setup)
            yield site, page
            await browser.close()
    finally:
        await site.worker.close()
        await runner.cleanup()


async def talk(site: Site, page: Page) -> None:
    """Sound goes both ways, and pictures come."""
    await until(site.ear.connected.is_set, 10)
    heard = len(site.heard)
    await send_room(site, 1.2)
    got = await page.evaluate("received()")
    assert got["audio"]["packetsReceived"] > 30
    assert got["video"]["framesDecoded"] > 6
    assert got["video"]["packetsLost"] == 0
    assert len(site.heard) > heard + 30


async def test_a_browser_whose_network_has_no_udp_comes_by_tcp(tmp_path: Path) -> None:
    with network() as there, there.walled("meta l4proto udp"):
        async with called(there, tmp_path) as (site, page):
            await page.evaluate("go()")
            await talk(site, page)
            ours, theirs = (await page.evaluate(WAY))[1:3]
            assert (ours, theirs in ("tcp", "ssltcp")) == ("tcp", True)


async def test_a_browser_where_only_what_looks_like_tls_passes_comes_by_the_false_greeting(tmp_path: Path) -> None:
    with network() as there, there.walled("meta l4proto udp"):
        async with called(there, tmp_path) as (site, page):
            site.offers = "ssltcp"  # as if what does not begin so were stopped
            await page.evaluate("go()")
            await talk(site, page)
            assert (await page.evaluate(WAY))[1:3] == ["tcp", "ssltcp"]


@pytest.mark.parametrize("dead", ["ipv4", "ipv6"])
async def test_a_browser_with_both_families_comes_by_the_one_that_leads_here(tmp_path: Path, dead: str) -> None:
    with network() as there, there.walled(f"meta nfproto {dead} meta l4proto udp"):
        async with called(there, tmp_path) as (site, page):
            await page.evaluate("go()")
            await talk(site, page)
            alive = there.here if dead == "ipv6" else there.here6
            assert (await page.evaluate(WAY))[1:] == ["udp", "udp", alive]


async def test_a_browser_with_ipv6_alone_comes_by_a_path_as_narrow_as_that_allows(tmp_path: Path) -> None:
    with network() as there, there.ipv6_alone():
        there.shorten(1280)
        async with called(there, tmp_path) as (site, page):
            await page.evaluate("go()")
            await talk(site, page)
            assert await page.evaluate(WAY) == ["host", "udp", "udp", there.here6]


def relayed(server: TurnServer, way: str, ttl_s: int) -> dict[str, Any]:
    """The configuration of a browser that may use nothing but the relay."""
    (relay,) = Relays([server.url(way)], SystemClock(), secret=SECRET, ttl_s=ttl_s).offered()
    entry = {"urls": [*relay.urls], "username": relay.username, "credential": relay.credential}
    return {"iceServers": [entry], "iceTransportPolicy": "relay"}


@pytest.mark.parametrize("way", ["udp", "tcp", "tls"])
async def test_a_browser_that_reaches_only_a_relay_talks_through_it(tmp_path: Path, way: str) -> None:
    with network() as there, turn_server(tmp_path, there.here) as server:
        async with called(there, tmp_path, chromium.trusts(server.certificate), **relayed(server, way, 600)) as (
            site,
            page,
        ):
            await page.evaluate("go()")
            await talk(site, page)
            assert await page.evaluate(WAY) == ["relay", way, "udp", there.here]


async def test_a_browser_with_ipv6_alone_that_may_use_no_device_comes_by_a_relay(tmp_path: Path) -> None:
    with network() as there, turn_server(tmp_path, there.here6) as server, there.ipv6_alone():
        there.block("meta l4proto udp")
        async with called(there, tmp_path, devices=False, **relayed(server, "tcp", 600)) as (site, page):
            await page.evaluate("go()")
            await talk(site, page)
            assert await page.evaluate(WAY) == ["relay", "tcp", "udp", there.here6]


async def test_a_relay_refuses_credentials_whose_time_is_over(tmp_path: Path) -> None:
    with network() as there, turn_server(tmp_path, there.here) as server:
        async with called(there, tmp_path, **relayed(server, "udp", -60)) as (site, page):
            refused = page.evaluate(
                """async () => { const pc = new RTCPeerConnection(window.setup); pc.addTransceiver('audio')
                const said = new Promise((done, late) => {
                    pc.onicecandidateerror = e => done(e.errorCode); setTimeout(late, 30000, 'no error') })
                await pc.setLocalDescription(); return await said }"""
            )
            assert await refused == 401
            assert not site.ear.connected.is_set()
