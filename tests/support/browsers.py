"""Real browsers with known sound and picture, joining real meetings as people do: by the page's own buttons.

Each is Debian's Chromium, or its engine alone, in a process of its own. Its microphone plays one tone, and its camera
shows one colour.
"""

import base64
import contextlib
import json
import time
import urllib.request
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import chromium
import numpy as np
import numpy.typing as npt
from playwright.sync_api import BrowserContext, Locator, Page, Playwright
from running_server import RunningServer
from sound import strength

from mcu.media.audio.sounds import detect
from mcu.media.messages import NoticeKind

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    chromium.WITHOUT,
)
RATE = 48_000
SIZE = (640, 360)
LOUD, SILENT = 2000, 100  # amplitudes, of 32767
PATIENCE_S, LATELY_S = 30, 20  # to look through all that was ever played takes longer than what is waited for

Samples = npt.NDArray[np.int16]
Colour = tuple[int, int, int]  # R, G, B


@dataclass(frozen=True)
class Person:
    """Who sits at a browser: a name, a tone in hertz, and a colour. `language` is the browser's."""

    name: str
    tone: float = 300.0
    colour: Colour = (200, 60, 60)
    language: str = "sv-SE"


# None of the tones is a note of a notice, or twice one.
ANNA = Person("Anna Ek", 300.0, (200, 60, 60))
BO = Person("Bo Dahl", 3000.0, (50, 90, 210))
CILLA = Person("Cilla Ask", 1800.0, (40, 160, 60))


def write_tone(path: Path, hertz: float) -> None:
    """Two seconds that can be repeated without a click."""
    seconds = np.arange(2 * RATE) / RATE
    samples = np.round(8000 * np.sin(2 * np.pi * hertz * seconds)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())


def write_picture(path: Path, colour: Colour, size: tuple[int, int] = SIZE) -> None:
    """A second of YUV4MPEG2 (BT.601, limited range) in one colour, with a stripe that moves: a still is not enough."""
    width, height = size
    red, green, blue = colour
    luma = round(16 + (65.481 * red + 128.553 * green + 24.966 * blue) / 255)
    u = round(128 + (-37.797 * red - 74.203 * green + 112 * blue) / 255)
    v = round(128 + (112 * red - 93.786 * green - 18.214 * blue) / 255)
    chroma = bytes([u]) * (width * height // 4) + bytes([v]) * (width * height // 4)
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F10:1 Ip A1:1 C420jpeg\n".encode())
        for frame in range(10):
            plane = np.full((height, width), luma, np.uint8)
            plane[:20, frame * 60 : frame * 60 + 20] = 235
            file.write(b"FRAME\n" + plane.tobytes() + chroma)


# -- meetings -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Booked:
    """A meeting as the API answered it."""

    server: RunningServer
    answer: dict[str, Any] = field(repr=False)

    @property
    def number(self) -> str:
        return str(self.answer["join"]["meeting_number"])

    @property
    def page(self) -> str:
        return f"{self.server.base_url}/j/{self.number}"

    def link(self, name: str) -> str:
        """The personal link of somebody booked."""
        url: str = next(one["join_url"] for one in self.answer["participants"] if one["name"] == name)
        return self.server.base_url + url[url.index("/j/") :]


def book(server: RunningServer, **fields: Any) -> Booked:
    """A meeting that stands open, with Anna as its host and no PIN for guests unless told otherwise."""
    host = {"name": ANNA.name, "role": "host"}
    meeting = {"title": "Vårdplanering", "participants": [host], "access": {"guest_pin": None}} | fields
    request = urllib.request.Request(
        f"{server.base_url}/api/v1/meetings",
        json.dumps(meeting).encode(),
        {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return Booked(server, json.load(answer))


# -- browsers -------------------------------------------------------------------------------------------------------

_EAR = (Path(__file__).parent / "ear.js").read_text("utf-8")


class Browser:
    """One person's browser. `page` is its only tab."""

    def __init__(self, person: Person, context: BrowserContext) -> None:
        self.person, self.context = person, context
        self.page: Page = context.pages[0]
        self.page.set_default_timeout(30_000)  # two browsers and a server at a time share two cores
        self.problems: list[str] = []
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        context.add_init_script(_EAR)

    # -- what a person does

    def open(self, address: str) -> None:
        self.page.goto(address)

    def ready(self) -> None:
        """The devices are open, and sound is sent as it is: a pure tone would be taken for noise."""
        self.page.wait_for_function("() => ear.element('self-view video')?.videoWidth > 0")
        self.page.locator("device-picker input[type=checkbox]").uncheck()

    def join(self, address: str) -> None:
        """To the page, and in; waits until the picture has come."""
        self.open(address)
        self.ready()
        self.knock()
        self.page.wait_for_function("() => ear.pictured()")

    def knock(self) -> None:
        self.page.fill("#name", self.person.name)
        self.page.click("prejoin-view button[type=submit]")

    def press(self, control: str) -> None:
        """A button of the room, by its id."""
        self.page.click(f"room-view .controls #{control}")

    def roster(self, name: str) -> Locator:
        return self.page.locator("room-people li", has_text=name)

    # -- what a person hears and sees

    def heard(self, seconds: float = 0) -> Samples:
        """What has been played, 48 kHz: the last of it, or all since the page was loaded."""
        return np.frombuffer(base64.b64decode(self.page.evaluate("(n) => ear.samples(n)", int(seconds * RATE))), "<i2")

    def wait_to_hear(self, tone: float) -> None:
        self._wait_until(lambda: strength(self.heard(0.5), tone) > LOUD, f"{tone} Hz is not heard")

    def wait_not_to_hear(self, tone: float) -> None:
        self._wait_until(lambda: strength(self.heard(0.5), tone) < SILENT, f"{tone} Hz is still heard")

    def wait_for_sound(self, kind: NoticeKind) -> None:
        """Until the sound of such a notice is the last that was played, of LATELY_S."""
        self._wait_until(lambda: [one for one, _ in detect(self.heard(LATELY_S))][-1:] == [kind], f"no sound of {kind}")

    def _wait_until(self, true: Callable[[], bool], problem: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not true():
            if time.monotonic() > deadline:
                raise AssertionError(problem)
            self.page.wait_for_timeout(300)

    def colours(self) -> dict[str, Colour]:
        """The colour in the middle of each person's tile, as it is shown."""
        return {name: tuple(colour) for name, colour in self.page.evaluate("() => ear.colours()").items()}

    def wait_for_colours(self, *people: Person) -> None:
        """Until each of them is seen in their own tile."""
        wanted = {one.name: list(one.colour) for one in people}
        self.page.wait_for_function("(wanted) => ear.sees(wanted)", arg=wanted)

    def wait_for_notice(self, text: str) -> None:
        self.page.locator("room-notices li", has_text=text).first.wait_for()


Enter = Callable[..., Browser]  # the fixture `sit`: a person, and options of the browser


@contextlib.contextmanager
def browser(
    playwright: Playwright,
    directory: Path,
    person: Person,
    flags: tuple[str, ...] = (),
    program: Path = chromium.ENGINE,
    size: tuple[int, int] = SIZE,
    **options: Any,
) -> Iterator[Browser]:
    """A browser of `person`, whose camera has this size; closed at the end.

    That fails where the page had an error of its own.
    """
    place = directory / person.name.replace(" ", "-")
    place.mkdir(parents=True, exist_ok=True)
    sound, picture = place / "tone.wav", place / "picture.y4m"
    write_tone(sound, person.tone)
    write_picture(picture, person.colour, size)
    devices = (f"--use-file-for-fake-audio-capture={sound}", f"--use-file-for-fake-video-capture={picture}")
    context = playwright.chromium.launch_persistent_context(
        place / "profile",
        executable_path=program,
        args=[*FLAGS, *devices, *flags],
        locale=person.language,
        **({"viewport": {"width": 1280, "height": 800}} | options),
    )
    try:
        guest = Browser(person, context)
        yield guest
        assert guest.problems == []
    finally:
        context.close()


# -- what is in a sound ---------------------------------------------------------------------------------------------


def first_heard(samples: Samples, hertz: float, amplitude: float = 500.0) -> int | None:
    """The sample at which a tone is first there, within 10 ms; `None` if it never is. It fills a quarter of a piece."""
    step, length = RATE // 100, RATE // 25
    for start in range(0, samples.size - length, step):
        if strength(samples[start : start + length], hertz) > amplitude:
            return start + 3 * length // 4
    return None
