"""Room systems with picture: real baresip ones, in a real server's meeting, and a browser's person to see them."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from baresip import Camera, Telephone, shows, telephone
from dialled import PIN, in_the_room, press, telephones, uri
from hall import hall, inside, until
from pictures import BLUE, GREEN, Colour, frame_of
from running_server import RunningServer, running_server

from mcu.demo.client import MeetingClient
from mcu.demo.sources import LivePicture


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    settings = {
        "media__workers": "1",
        "media__addresses": "127.0.0.1",
        "media__fps": "15",
        "media__rtp_first_port": "48400",
        "media__rtp_last_port": "48499",
        "sip__addresses": "127.0.0.1",
        "sip__port": "0",
    }
    with running_server(tmp_path_factory.mktemp("rooms"), **settings) as started:
        yield started


@pytest.mark.policy("S5.3-1")
@pytest.mark.parametrize(("codec", "agreed"), [("h264", "H264/0"), ("vp8", "VP8")])
async def test_a_room_system_sees_nothing_before_it_is_in_the_room_and_then_all_who_are_there(
    server: RunningServer, tmp_path: Path, codec: str, agreed: str
) -> None:
    async with hall(server, guest_pin=PIN) as here:
        host = here.stranger()
        camera = LivePicture(iter(lambda: frame_of(GREEN, 320, 180), None), 10)
        await host.join(here.number, "Berg", MeetingClient(camera=camera, watch=False), token=here.link("Berg"))
        await inside(host)
        with telephone(tmp_path / "system", hertz=700, camera=Camera(BLUE, codec)) as system:
            system.dial(uri(server, here.number))
            await until(lambda: "audio: start" in system.log)
            assert await asyncio.to_thread(system.sees, 1.0) is None
            await press(system, f"{PIN}#")
            await in_the_room(host)
            await until_seen(system, GREEN, BLUE)
            media = await here.get(f"{await here.room()}/participants/{telephones(host)[0].leg}/media")
            assert {one["codec"] for one in media["receiving"] + media["sending"] if one["media"] != "audio"} == {
                agreed
            }


async def until_seen(system: Telephone, *colours: Colour) -> None:
    """Until each of these fills a tile of what it sees."""
    async with asyncio.timeout(10):
        while not shows(await asyncio.to_thread(system.sees), colours):
            pass
