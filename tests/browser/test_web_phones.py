"""A telephone in a browser: somebody else's page with JsSIP, in Chromium: WebSocket by TLS (RFC 7118), ICE, DTLS."""

import asyncio
import os
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import chromium
import numpy as np
import pytest
from aiohttp import web
from baresip import shows
from browsers import FLAGS, write_picture, write_tone
from certificates import make_certificate
from dialled import PIN, call, in_the_room, telephones
from endpoints import PASSWORD, posted
from hall import hall, hum, inside, loudness, until, until_answer
from pictures import BLUE, GREEN, frame_of
from playwright.async_api import Page, async_playwright
from running_server import RunningServer, running_server

from mcu.demo.client import MeetingClient
from mcu.demo.guest import Guest
from mcu.demo.sources import LivePicture
from mcu.media.life import LegState
from mcu.media.transport.addresses import host_addresses

HOST_HZ, PHONE_HZ = 3000.0, 2700.0  # above all notes of notices
HOST_COLOUR, PHONE_COLOUR = (0, 255, 0), (0, 0, 255)
HERE = next((one for one in host_addresses() if "." in one and not one.startswith("127.")), "127.0.0.1")
ROOT = Path(__file__).parents[2]
CLEARLY = 10  # dB
UNLIKE = 80  # of 255

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    """That this process takes for a good one, and so do people in it."""
    files = make_certificate(tmp_path_factory.mktemp("tls"), "localhost", begins=datetime.now(UTC), days=1)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SSL_CERT_FILE", str(files[0]))
        patched.setattr(aiohttp.connector, "_SSL_CONTEXT_VERIFIED", ssl.create_default_context())
        yield files


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, certificate: tuple[Path, Path]) -> Iterator[RunningServer]:
    settings = {
        "server__tls_cert": str(certificate[0]),
        "server__tls_key": str(certificate[1]),
        "media__workers": "1",
        "media__addresses": HERE,
        "sip__addresses": "127.0.0.1",
        "sip__port": "0",
        "sip__keys": "dtls",
    }
    with running_server(tmp_path_factory.mktemp("sip"), **settings) as started:
        posted(started, "anna", number="701")
        yield started


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The page's, with JsSIP in it."""
    source = ROOT / "tests/support/jssip_phone.js"
    modules = ROOT / "web/node_modules"
    command: list[str | Path] = [modules / ".bin/esbuild", source, "--bundle", "--format=iife", "--log-level=error"]
    return subprocess.run(
        command, check=True, capture_output=True, env={**os.environ, "NODE_PATH": str(modules)}
    ).stdout


@asynccontextmanager
async def elsewhere(script: bytes) -> AsyncIterator[str]:
    """The address of a page that is not of our server."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(body=b"<!doctype html><script>" + script + b"</script>", content_type="text/html")

    app = web.Application()
    app.router.add_get("/", page)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def phone_in_a_browser(
    server: RunningServer, certificate: tuple[Path, Path], script: bytes, directory: Path
) -> AsyncIterator[Page]:
    """Registered."""
    write_tone(directory / "tone.wav", PHONE_HZ)
    write_picture(directory / "picture.y4m", PHONE_COLOUR)
    flags = [
        *FLAGS,
        chromium.trusts(certificate[0]),
        f"--use-file-for-fake-video-capture={directory / 'picture.y4m'}",
        f"--use-file-for-fake-audio-capture={directory / 'tone.wav'}",
        "--autoplay-policy=no-user-gesture-required",
    ]
    async with (
        elsewhere(script) as address,
        async_playwright() as playwright,
        await playwright.chromium.launch(executable_path=chromium.ENGINE, args=flags) as browser,
    ):
        page = await browser.new_page()
        await page.goto(address)
        assert server.base_url.startswith("https://")
        socket = server.base_url.replace("http", "ws", 1) + "/sip"
        await page.evaluate("(said) => phone.register(...said)", [socket, "sip:anna@127.0.0.1", PASSWORD])
        await says(page, "registered")
        yield page


async def says(page: Page, what: str) -> None:
    try:
        await page.wait_for_function("(what) => phone.said.includes(what)", arg=what, timeout=10_000)
    except Exception as error:
        raise AssertionError(await page.evaluate("phone.said")) from error


async def hear_each_other(page: Page, host: Guest) -> None:
    assert host.client is not None
    heard = host.client.heard
    await until(lambda: loudness(heard(), PHONE_HZ, 0.5) > 0.8)
    await page.wait_for_function(f"phone.hears({HOST_HZ}) > {CLEARLY}", timeout=10_000)


async def sees(page: Page, *wanted: tuple[int, int, int]) -> bool:
    """Whether each of these colours, or what a decoder makes of it, is on its screen."""
    shown = await page.evaluate("phone.colours()")
    return all(any(max(map(abs, np.subtract(one, colour))) < UNLIKE for one in shown) for colour in wanted)


async def test_it_registers_calls_a_meeting_by_its_number_and_is_called_and_hears_and_is_heard(
    server: RunningServer, certificate: tuple[Path, Path], script: bytes, tmp_path: Path
) -> None:
    async with hall(server, guest_pin=PIN) as here, phone_in_a_browser(server, certificate, script, tmp_path) as page:
        host = await here.host(sound=hum(HOST_HZ))
        await inside(host)
        await page.evaluate("(uri) => phone.call(uri)", f"sip:{here.number}@127.0.0.1")
        await says(page, "confirmed")
        await asyncio.sleep(1)
        await page.evaluate("(keys) => phone.press(keys)", f"{PIN}#")
        await in_the_room(host)
        await hear_each_other(page, host)
        await page.evaluate("phone.press('*6', 'INFO')")
        await until(lambda: telephones(host)[0].muted)
        await page.evaluate("phone.hangUp()")
        await until(lambda: telephones(host) == [])
        await page.evaluate("phone.said.length = 0")
        await call(here, uri="sip:701@127.0.0.1")
        await says(page, "rings")
        await asyncio.sleep(1.2)  # faster than that no person answers
        await page.evaluate("phone.answer()")
        await says(page, "confirmed")
        await in_the_room(host)
        await hear_each_other(page, host)


@pytest.mark.parametrize("codec", ["H264", "VP8"])
async def test_with_a_camera_it_sees_and_is_seen_goes_on_hold_comes_back_and_is_called(
    server: RunningServer, certificate: tuple[Path, Path], script: bytes, tmp_path: Path, codec: str
) -> None:
    async with hall(server, guest_pin=PIN) as here, phone_in_a_browser(server, certificate, script, tmp_path) as page:
        host, camera = here.stranger(), LivePicture(iter(lambda: frame_of(GREEN, 320, 180), None), 10)
        berg = MeetingClient(sound=hum(HOST_HZ), camera=camera)
        await host.join(here.number, "Berg", berg, token=here.link("Berg"))
        await inside(host)

        async def meet(codec: str) -> None:
            await in_the_room(host)
            await hear_each_other(page, host)
            await until_answer(lambda: sees(page, HOST_COLOUR, PHONE_COLOUR))
            await until(lambda: shows(berg.picture, [GREEN, BLUE]))
            media = await here.get(f"{await here.room()}/participants/{telephones(host)[0].leg}/media")
            pictures = [one for one in media["receiving"] + media["sending"] if one["media"] != "audio"]
            assert {one["codec"] for one in pictures} == {codec}

        await page.evaluate("(how) => phone.call(...how)", [f"sip:{here.number}@127.0.0.1", codec])
        await says(page, "confirmed")
        await asyncio.sleep(1)
        await page.evaluate("(keys) => phone.press(keys, 'INFO')", f"{PIN}#")
        await meet(codec)
        await page.evaluate("phone.hold(true)")
        await until(lambda: telephones(host)[0].state is LegState.HELD)
        await page.evaluate("phone.hold(false)")
        await meet(codec)
        await page.evaluate("phone.hangUp()")
        await until(lambda: telephones(host) == [])
        await page.evaluate("phone.said.length = 0")
        await call(here, uri="sip:701@127.0.0.1")
        await says(page, "rings")
        await asyncio.sleep(1.2)
        await page.evaluate("phone.answer()")
        await says(page, "confirmed")
        await meet("H264")
