"""Room systems with picture: real baresip ones, in a real server's meeting, and a browser's person to see them."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from av.video.frame import VideoFrame
from baresip import CAMERA_SIZE, Camera, Telephone, shows, telephone
from certificates import Authority
from dialled import PIN, call, hear_each_other, in_the_room, pick_up, press, telephones, until_seen
from endpoints import address, settings
from hall import hall, hum, inside, loudness, until, until_answer
from linphone import linphone
from pictures import BLUE, GREEN, RED, frame_of
from room_system import content, latest, room_system
from running_server import RunningServer, running_server
from sound import quiet, record, share

from mcu.demo.client import MeetingClient
from mcu.demo.sources import LivePicture
from mcu.media.call_messages import Card
from mcu.media.cards import EVERY_S
from mcu.media.messages import Source
from mcu.media.picture.card import HEIGHT, WIDTH, paint
from mcu.signalling.sip.cards import in_lobby, of_menu
from mcu.signalling.sip.menu import Menu
from mcu.signalling.webrtc.messages import Admit, Screen

HOST_HZ, SYSTEM_HZ = 900.0, 700.0
ALIKE = 1.5  # of 256 steps, on average: by codecs it is 1, and a dot more or less adds another


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[RunningServer]:
    place = tmp_path_factory.mktemp("rooms")
    record(place / "prompts/sv/called.wav", quiet(5))  # soon over
    calls = {"call_domains": "127.0.0.1", "tls_ca": str(authority.path), "prompts": str(place / "prompts")}
    ours = {f"sip__{name}": value for name, value in calls.items()}
    with running_server(place, media__workers="1", media__fps="15", **ours, **settings(place)) as started:
        yield started


@pytest.mark.policy("S5.3-1")
@pytest.mark.parametrize(
    ("picture", "agreed", "sound", "transport"),
    [("h264", "H264/0", "opus/48000/2", "udp"), ("vp8", "VP8", "PCMU/8000/1", "tls")],
)
async def test_a_room_system_that_calls_or_is_called_sees_the_menu_and_once_it_is_in_the_room_all_who_are_there(
    server: RunningServer, authority: Authority, tmp_path: Path, picture: str, agreed: str, sound: str, transport: str
) -> None:
    async with hall(server, guest_pin=PIN) as here:
        host = here.stranger()
        camera = LivePicture(iter(lambda: frame_of(GREEN, 320, 180), None), 10)
        await host.join(
            here.number, "Berg", MeetingClient(sound=hum(HOST_HZ), camera=camera, watch=False), token=here.link("Berg")
        )
        await inside(host)
        how: dict[str, Any] = {"camera": Camera(BLUE, picture), "codec": sound, "transport": transport}
        with telephone(tmp_path / "system", hertz=SYSTEM_HZ, certificate=authority.issue("127.0.0.1"), **how) as system:
            menu = Menu("sv", here.number)
            menu.begin(0)
            menu.not_opened(0)

            async def meet() -> None:
                await in_the_room(host)
                await until_seen(system, GREEN, BLUE)
                await hear_each_other(host, HOST_HZ, system, SYSTEM_HZ, lately=0.5)
                media = await here.get(f"{await here.room()}/participants/{telephones(host)[0].leg}/media")
                pictures = [one for one in media["receiving"] + media["sending"] if one["media"] != "audio"]
                assert {one["codec"] for one in pictures} == {agreed}

            system.dial(f"sip:{here.number}@{address(server, transport)}")
            await until(lambda: system.talks)
            await until_asked(system, menu)
            await press(system, PIN[:2])
            for key in "12":
                menu.key(key, 0)
            await until_asked(system, menu)
            await press(system, f"{PIN[2:]}#")
            await meet()
            system.hang_up()
            await until(lambda: telephones(host) == [])
            await call(here, uri=system.uri)
            await pick_up(system, host)
            await meet()


@pytest.mark.policy("S5.3-1")
async def test_who_waits_in_the_lobby_sees_for_whom_and_nobody_who_is_in_the_meeting(
    server: RunningServer, tmp_path: Path
) -> None:
    async with hall(server, guest_pin=PIN, lobby={"scope": "guests"}) as here:
        host = here.stranger()
        with telephone(tmp_path / "system", hertz=SYSTEM_HZ, camera=Camera(BLUE, "h264")) as system:
            system.dial(f"sip:{here.number}@{address(server)}")
            await until(lambda: system.talks)
            await press(system, f"{PIN}#")
            await until_card(system, in_lobby("host", "sv"))
            camera = LivePicture(iter(lambda: frame_of(GREEN, 320, 180), None), 10)
            await host.join(here.number, "Berg", MeetingClient(camera=camera, watch=False), token=here.link("Berg"))
            await inside(host)
            await until_card(system, in_lobby("admission", "sv"))
            await host.send(Admit(leg=telephones(host)[0].leg))
            await in_the_room(host)
            await until_seen(system, GREEN, BLUE)
            await asyncio.sleep(EVERY_S + 0.5)
            await until_seen(system, GREEN, BLUE)


async def until_asked(system: Telephone, menu: Menu) -> None:
    """Until it sees the card of the voice menu as it is then, and nothing else."""
    await until_card(system, of_menu(menu, ()))


async def until_card(system: Telephone, card: Card) -> None:
    wanted = VideoFrame(WIDTH, HEIGHT, "yuv420p")
    paint(wanted, card)
    async with asyncio.timeout(10):
        while True:
            seen = await asyncio.to_thread(system.sees)
            if seen is not None and abs(luma(seen) - luma(wanted)).mean() < ALIKE:
                return


def luma(frame: VideoFrame) -> npt.NDArray[np.int32]:
    """At a size in which pictures are compared."""
    width, height = CAMERA_SIZE
    return frame.reformat(width, height, "yuv420p").to_ndarray()[:height].astype(np.int32)


async def test_linphone_calls_and_is_called_sends_and_gets_pictures_hears_and_is_heard(
    server: RunningServer, tmp_path: Path
) -> None:
    async with hall(server) as here:
        host = here.stranger()
        berg = MeetingClient(sound=hum(HOST_HZ), watch=False)
        await host.join(here.number, "Berg", berg, token=here.link("Berg"))
        await inside(host)
        with (
            telephone(tmp_path / "system", hertz=500, camera=Camera(BLUE)) as system,
            linphone(tmp_path / "linphone", hertz=SYSTEM_HZ, colour=RED) as phone,
        ):
            system.dial(f"sip:{here.number}@{address(server)}")
            await in_the_room(host)

            async def gets_pictures() -> bool:
                leg = telephones(host)[-1].leg
                media = await here.get(f"{await here.room()}/participants/{leg}/media")
                [went] = [one for one in media["sending"] if one["media"] == "video"]
                return went["codec"] == "VP8" and went["packets"] > 10

            async def meet() -> None:
                await in_the_room(host, 2)
                await until_seen(system, BLUE, RED)
                await until_answer(gets_pictures)
                await until(lambda: loudness(berg.heard(), SYSTEM_HZ, 0.5) > 0.2)  # and so are the others
                await until(lambda: share(phone.heard(), HOST_HZ, 0.5) > 0.2)

            phone.dial(f"sip:{here.number}@{address(server)}")
            await meet()
            phone.hang_up()
            await in_the_room(host)
            await call(here, uri=phone.uri)
            await pick_up(phone, host, 2)
            await meet()


async def test_what_a_room_system_shares_is_a_presentation_and_it_gets_those_of_others(server: RunningServer) -> None:
    async with hall(server) as here, room_system() as system:
        host = here.stranger()
        screen = LivePicture(iter(lambda: frame_of(RED, 640, 480), None), 5)
        await host.join(here.number, "Berg", MeetingClient(screen=screen, content=True), token=here.link("Berg"))
        await inside(host)
        await system.dial(address(server), here.number)
        await in_the_room(host)
        system.show(Source.CAMERA, lambda: frame_of(BLUE, 320, 180))
        await host.send(Screen(on=True))
        await until(lambda: shows(latest(system, Source.SCREEN), [RED]))
        system.show(Source.SCREEN, lambda: frame_of(GREEN, 640, 360))
        await until(lambda: shows(content(host), [GREEN]))
        await until(lambda: shows(latest(system, Source.CAMERA), [BLUE]))
        [leg] = [entry for entry in telephones(host) if entry.screen]
        system.stop(Source.SCREEN)
        await until(lambda: not [entry for entry in telephones(host) if entry.screen])
        assert leg.camera


async def test_a_system_without_feedback_asks_and_is_asked_by_info(server: RunningServer) -> None:
    async with hall(server) as here, room_system(feedback=False) as system:
        host = here.stranger()
        await host.join(here.number, "Berg", MeetingClient(watch=False), token=here.link("Berg"))
        await inside(host)
        await system.dial(address(server), here.number)
        await in_the_room(host)
        system.show(Source.CAMERA, lambda: frame_of(BLUE, 320, 180))
        await until(lambda: system.asked)
        await until(lambda: shows(latest(system, Source.CAMERA), [BLUE]))
        shown = system.pictures[Source.CAMERA][0]
        await asyncio.sleep(0.6)  # key frames are half a second apart
        system.ask_for_picture()
        await until(lambda: system.pictures[Source.CAMERA][0] is not shown)
