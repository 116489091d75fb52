"""Debian's Chromium against our transport: its own offer, with names under .local for its addresses, must connect."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import av
import chromium
import numpy as np
import pytest
from call_page import FLAGS, Site, send_room
from playwright.async_api import Page, async_playwright
from rtc import bars, until

from mcu.ids import LegId
from mcu.media.messages import Cause, Source
from mcu.media.picture.encoder import PictureEncoder
from mcu.media.seams import EncodedPicture, Wanted

pytestmark = pytest.mark.browser


@pytest.fixture
async def site() -> AsyncIterator[tuple[Site, Page]]:
    site = Site()
    runner, url = await site.open()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium.WHOLE, args=FLAGS)
        page = await browser.new_page()
        await page.goto(url)
        yield site, page
        await browser.close()
    await site.worker.close()
    await runner.cleanup()


async def test_chromium_connects_and_is_seen_and_heard_both_ways(site: tuple[Site, Page]) -> None:
    server, page = site
    await page.evaluate("go()")
    await until(server.ear.connected.is_set, 2)
    assert ".local" in server.offer
    assert "m=application 0 " in server.answer
    await send_room(server, 4)

    got = await page.evaluate("received()")
    assert got["audio"]["packetsLost"] == got["video"]["packetsLost"] == 0
    assert got["audio"]["packetsReceived"] > 100
    assert got["video"]["framesDecoded"] > 40
    assert (got["video"]["frameWidth"], got["video"]["frameHeight"]) == (640, 360)
    assert abs(await page.evaluate("hertz()") - 880) < 15

    stats = server.ear.transport.stats(LegId("leg_1")) if server.ear.transport else None
    assert stats is not None
    assert stats.srtp_profile == "SRTP_AEAD_AES_256_GCM"
    assert set(stats.dropped) <= {"late", "skipped"}
    assert {stream.media for stream in stats.receiving} == {"audio", "camera", "screen"}
    assert len(server.ear.of(Source.CAMERA)) > 20
    assert len(server.ear.of(Source.SCREEN)) > 5
    assert len(server.heard) > 100
    said = np.concatenate(server.heard[20:]).astype(float)
    assert abs(np.argmax(np.abs(np.fft.rfft(said))) * 48_000 / len(said) - 440) < 5
    assert decodes(server.ear.of(Source.CAMERA)) > 20


def decodes(pictures: list[EncodedPicture]) -> int:
    """How many of the frames a decoder takes."""
    decoder = av.CodecContext.create("h264" if pictures[0].codec == "H264" else "libvpx", "r")
    decoder.thread_count = 1
    return sum(len(decoder.decode(av.Packet(picture.data))) for picture in pictures)


def is_sent(site: Site, size: tuple[int, int]) -> bool:
    """Whether the latest key frame of the camera has it."""
    return next(((p.width, p.height) for p in reversed(site.ear.of(Source.CAMERA)) if p.key), None) == size


async def test_of_a_simulcast_the_layer_comes_that_the_tile_needs_and_another_when_that_changes(
    site: tuple[Site, Page],
) -> None:
    server, page = site
    await page.evaluate("go('layers')")
    await until(server.ear.connected.is_set, 2)
    assert "a=simulcast:recv by4;by2;by1" in server.answer
    transport = server.ear.transport
    assert transport is not None
    for width, height in ((320, 180), (640, 360), (320, 180)):
        transport.want(Source.CAMERA, Wanted(width=width, height=height, bits_per_second=2_500_000))
        await until(partial(is_sent, server, (width, height)), 10)
    layers = [stream for stream in transport.stats(LegId("leg_1")).receiving if stream.media == "camera"]
    assert [(stream.layer, stream.chosen) for stream in layers] == [("by4", True), ("by2", False), ("by1", False)]
    await until(lambda: transport.stats(LegId("leg_1")).dropped["skipped"] > 10, 5)

    transport.want(Source.CAMERA, Wanted(width=0, height=0, bits_per_second=60_000))
    await asyncio.sleep(0.3)
    before = len(server.ear.of(Source.CAMERA))
    await asyncio.sleep(0.5)
    assert len(server.ear.of(Source.CAMERA)) == before
    assert decodes(server.ear.of(Source.CAMERA)) > before * 9 // 10


async def test_h264_in_packetization_mode_0_is_seen_both_ways(site: tuple[Site, Page]) -> None:
    server, page = site
    await page.evaluate("go(0)")
    await until(server.ear.connected.is_set, 2)
    assert server.ear.transport is not None
    assert server.ear.transport.takes(Source.CAMERA) == "H264/0"
    encoder, frames = PictureEncoder("H264/0", 640, 360, 15, 1_000_000), bars(640, 360)
    for number in range(45):
        picture = encoder.encode(next(frames), number * 6000, key=number % 15 == 0)
        assert picture is not None
        server.worker.transports.send_picture([server.ear.transport], Source.CAMERA, picture)
        await asyncio.sleep(1 / 15)
    got = await page.evaluate("received()")
    assert got["video"]["framesDecoded"] > 30
    assert got["video"]["packetsLost"] == 0
    assert decodes(server.ear.of(Source.CAMERA)) > 20


async def test_a_microphone_that_is_taken_away_and_put_back_is_no_hang_up(site: tuple[Site, Page]) -> None:
    server, page = site
    await page.evaluate("go()")
    await until(server.ear.connected.is_set, 2)
    await send_room(server, 1)
    await page.evaluate("window.mic = pc.getSenders()[0].track, pc.getSenders()[0].replaceTrack(null)")
    await send_room(server, 2)
    heard = len(server.heard)
    await page.evaluate("pc.getSenders()[0].replaceTrack(mic)")
    room = asyncio.create_task(send_room(server, 10))
    await until(lambda: len(server.heard) > heard + 50, 10)
    room.cancel()
    assert server.ear.lost == []


async def test_closing_the_peer_connection_is_a_hang_up_at_once(site: tuple[Site, Page]) -> None:
    server, page = site
    await page.evaluate("go()")
    await until(server.ear.connected.is_set, 2)
    await page.evaluate("pc.close()")
    await until(lambda: server.ear.lost, 1)
    assert server.ear.lost == [Cause.HANGUP]


async def test_an_ice_restart_keeps_the_call_and_its_keys(site: tuple[Site, Page]) -> None:
    server, page = site
    await page.evaluate("go()")
    await until(server.ear.connected.is_set, 2)
    before = await page.evaluate("pair()")
    await page.evaluate("restart()")
    await send_room(server, 3)
    after = await page.evaluate("pair()")
    assert after["id"] != before["id"]
    assert after["state"] == "succeeded"
    heard = len(server.heard)
    await send_room(server, 1)
    assert len(server.heard) > heard + 40
    assert server.ear.lost == []
    assert await page.evaluate("pc.connectionState") == "connected"
