"""The page on dialling in is true: its settings and its commands, as they stand there, make a meeting of three.

The server's and its own ports alone are other ones, and what the page has installed is there already.
"""

import asyncio
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import av
from av.video.frame import VideoFrame
from baresip import played, shows
from dialled import in_the_room, telephones
from hall import inside, loudness, texts, until
from pictures import GREEN, Colour, frame_of
from running_server import ROOT, RunningServer, running_server
from sound import strength

from mcu.demo.client import MeetingClient
from mcu.demo.guest import Guest
from mcu.demo.sources import LivePicture, LiveSound, tone
from mcu.media.seams import SAMPLE_RATE, Samples

PAGE = ROOT / "docs/how-to/dial-in-with-a-phone.md"
STARTS = re.compile(r"^baresip -f (\S+)$", re.MULTILINE)
HOST_HZ, SYSTEM_HZ, PHONE_HZ = 900.0, 500.0, 700.0
YELLOW: Colour = (210, 16, 146)  # of FFmpeg's test picture
LOUD, SILENT = 1000, 100  # amplitudes, of 32767


def blocks(language: str) -> list[str]:
    """Of the page's, in order."""
    found = re.findall(rf"^ *```{language}\n(.*?)^ *```", PAGE.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    return [textwrap.dedent(block) for block in found]


def commands(server: RunningServer) -> str:
    """What the page has typed in a shell, without what is not about this meeting, and without starts of a phone."""
    script = "\n".join(block for block in blocks("sh") if "curl" not in block)
    for written, real in (
        (".venv/bin/mcu meeting create", f"{sys.executable} -m mcu meeting create --url {server.base_url}"),
        (".venv/bin/mcu", f"{sys.executable} -m mcu"),
        ("sudo apt-get install", ": "),
    ):
        assert written in script
        script = script.replace(written, real)
    return f"set -euo pipefail\n{STARTS.sub('', script)}"


def done(server: RunningServer, home: Path) -> str:
    """The commands: what they printed."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "HOME": str(home),
        "MCU_DATA__DIRECTORY": str(server.data_directory),
    }
    ran = subprocess.run(
        ["bash", "-c", commands(server)], cwd=home, env=environment, capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    return ran.stdout


class Phone:
    """As the page starts it, with somebody at its keys. It keeps what it hears."""

    def __init__(self, place: Path, process: "subprocess.Popen[bytes]") -> None:
        self.place, self._process = place, process

    async def dial(self, uri: str, pin: str) -> None:
        self.press(f"d{uri}\n")
        await until(lambda: "Call established" in self.log)
        await asyncio.sleep(0.5)
        for key in f"{pin}#":
            self.press(key)
            await asyncio.sleep(0.25)

    def press(self, keys: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(keys.encode())
        self._process.stdin.flush()

    @property
    def log(self) -> str:
        return (self.place / "log").read_text(errors="replace")


@contextmanager
def phone(home: Path, folder: str) -> Iterator[Phone]:
    place = home / f"started{folder.replace('~/', '-')}"
    place.mkdir()
    command = ["baresip", "-f", folder.replace("~", str(home))]
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=place, stdin=subprocess.PIPE, stdout=log, stderr=log)
    try:
        yield Phone(place, process)
    finally:
        process.communicate(b"q", 20)


async def test_a_browser_a_room_system_and_a_telephone_meet_as_the_page_says(tmp_path: Path) -> None:
    [settings] = blocks("toml")[:1]
    place, home = tmp_path / "server", tmp_path / "home"
    for directory in (place, home):
        directory.mkdir()
    (place / "mcu.toml").write_text(settings)
    folders = STARTS.findall("\n".join(blocks("sh")))
    with running_server(place, sip__port="0", media__fps="15") as server:
        printed = await asyncio.to_thread(done, server, home)
        number, host_pin, guest_pin = (
            re.search(rf"^{what}\s+(\d+)", printed, re.MULTILINE)[1]  # type: ignore[index] # it is there
            for what in ("Number", "PIN, host", "PIN, guest")
        )
        uri = f"sip:{number}@127.0.0.1:{server.logged('sip_serving')[0]['port']}"
        with phone(home, folders[0]) as system, phone(home, folders[1]) as telephone:
            async with Guest(server.base_url) as host:
                await meet(host, number, host_pin)
                await system.dial(uri, guest_pin)
                await in_the_room(host)
                await telephone.dial(uri, guest_pin)
                await in_the_room(host, 2)
                await hear_each_other(host, system, telephone)
                system.press("/snapshot_recv seen.png\n")
                await until(lambda: shows(picture(system.place / "seen.png"), [GREEN, YELLOW]))
                telephone.press("b")
                await until(lambda: told(host) == ["Telefon gick med", "Telefon gick med", "Telefon lämnade"])
                assert len(telephones(host)) == 1


def told(person: Guest) -> list[str]:
    """Of telephones that came and went."""
    return [text for text in texts(person) if "Telefon" in text]


async def meet(host: Guest, number: str, pin: str) -> None:
    """A browser's person, with a camera."""
    camera = LivePicture(iter(lambda: frame_of(GREEN, 320, 180), None), 10)
    berg = MeetingClient(sound=LiveSound(tone(HOST_HZ)), camera=camera, watch=False)
    await host.join(number, "Berg", berg, pin=pin)
    await inside(host)


async def hear_each_other(host: Guest, system: Phone, telephone: Phone) -> None:
    """And not themselves."""
    assert host.client is not None
    heard = host.client.heard
    await until(lambda: min(loudness(heard(), hertz, 0.5) for hertz in (SYSTEM_HZ, PHONE_HZ)) > 0.2)
    for one, rate, channels, own in ((system, 48_000, 2, SYSTEM_HZ), (telephone, 8_000, 1, PHONE_HZ)):
        others = {HOST_HZ, SYSTEM_HZ, PHONE_HZ} - {own}
        await until(partial(hears, partial(played, one.place, rate, channels), others, own))


def hears(heard: Callable[[], Samples], others: set[float], own: float) -> bool:
    lately = heard()[-SAMPLE_RATE // 2 :]
    return min(strength(lately, hertz) for hertz in others) > LOUD and strength(lately, own) < SILENT


def picture(path: Path) -> VideoFrame | None:
    """None: it is not there yet, or not whole."""
    try:
        with av.open(str(path)) as file:
            return next(file.decode(video=0)).reformat(format="yuv420p")
    except (OSError, av.FFmpegError, StopIteration):
        return None
