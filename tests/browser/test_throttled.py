"""A Chromium whose line narrows to 256 kbit/s and widens again: its sound goes on, its picture steps down and up."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import chromium
import numpy as np
import pytest
from av.video.frame import VideoFrame
from call_page import FLAGS, Site
from networks import Network, network
from playwright.async_api import Page, async_playwright
from rtc import until

from mcu.demo.sources import tone
from mcu.ids import LegId
from mcu.media.messages import Source
from mcu.media.picture.encoder import PictureEncoder
from mcu.media.picture.rates import LADDER_720P, Rung, use_of

pytestmark = pytest.mark.browser
FPS = 25
NARROW_S, WIDE_AGAIN_S = 15, 15  # seconds


class Room:
    """Pictures of noise, which need all the bits that there are, as a room of one leg encodes and sends them."""

    def __init__(self, site: Site) -> None:
        assert site.ear.transport is not None
        self._site, self._transport = site, site.ear.transport
        codec = self._transport.takes(Source.CAMERA)
        assert codec is not None
        self._loop = asyncio.get_running_loop()
        self.rung = Rung(LADDER_720P, 2_000_000, self._loop.time())
        self._encoders = [PictureEncoder(codec, 320, 180, FPS, rate, content=False) for rate in LADDER_720P]
        noise = np.random.default_rng(1).integers(0, 256, (8, 270, 320), np.uint8)
        self._frames = [VideoFrame.from_ndarray(each, format="yuv420p") for each in noise]
        self._sent, self._asked, self._index = 0, 0, 0
        self._transport.aim(use_of(LADDER_720P))

    async def run(self) -> None:
        began = self._loop.time()
        while True:
            if self._loop.time() - began >= self._sent / FPS:
                self._send()
            await asyncio.sleep(0.005)

    def _send(self) -> None:
        ear = self._site.ear
        if self._sent % (FPS // 2) == 0 and ear.bandwidth:
            self.rung.update(self._loop.time(), ear.bandwidth[-1])
        key = self._sent == 0 or ear.key_requests > self._asked or self.rung.index != self._index
        self._asked, self._index = ear.key_requests, self.rung.index
        encoder = self._encoders[self._index]
        if self._index == len(LADDER_720P) - 1 and encoder.bits_per_second != int(self.rung.limit):
            encoder.retarget(int(self.rung.limit))
        made = encoder.encode(self._frames[self._sent % 8], self._sent * 90_000 // FPS, key=key)
        self._sent += 1
        if made is not None:
            self._site.worker.transports.send_picture([self._transport], Source.CAMERA, made)


@pytest.fixture
async def far(tmp_path: Path) -> AsyncIterator[tuple[Site, Page, Network]]:
    """A page at the other end of a cable."""
    with network() as cable:
        site = Site(cable.here)
        runner, url = await site.open()
        async with async_playwright() as playwright:
            path = cable.wrapper(tmp_path, chromium.WHOLE)
            browser = await playwright.chromium.launch(executable_path=path, args=FLAGS)
            page = await browser.new_page()
            await page.goto(url)
            yield site, page, cable
            await browser.close()
        await site.worker.close()
        await runner.cleanup()


async def test_on_a_line_that_narrows_sound_goes_on_and_the_picture_steps_down_and_up(
    far: tuple[Site, Page, Network],
) -> None:
    site, page, cable = far
    await page.evaluate("go()")
    await until(site.ear.connected.is_set, 5)
    transport = site.ear.transport
    assert transport is not None
    room = Room(site)
    site.worker.studio.seat(transport.handle, tone(880))
    sending = asyncio.create_task(room.run())
    await asyncio.sleep(5)
    assert room.rung.index == 0
    cable.narrow(256, queue_ms=300)
    await asyncio.sleep(3)
    assert room.rung.index == len(LADDER_720P) - 1
    settled = (await page.evaluate("received()"))["audio"]
    await asyncio.sleep(NARROW_S - 3)
    line = transport.stats(LegId("leg_1")).line
    assert line is not None
    assert line.bits_per_second < 300_000
    heard = (await page.evaluate("received()"))["audio"]
    came = {name: heard[name] - settled[name] for name in heard if "Samples" in name or name == "packetsLost"}
    assert came["packetsLost"] <= 6  # of 600
    assert came["silentConcealedSamples"] == 0
    assert came["concealedSamples"] < 0.1 * came["totalSamplesReceived"]
    cable.widen()
    await until(lambda: room.rung.index == 0, WIDE_AGAIN_S)
    sending.cancel()
