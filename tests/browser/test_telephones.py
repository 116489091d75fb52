"""A browser, a room system with picture and a telephone in one meeting: who hears, sees and is told what.

They meet once, and what was heard and seen is kept; each test judges one part of it.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from av.video.frame import VideoFrame
from baresip import Camera, Telephone, shows, telephone
from browsers import ANNA, LOUD, RATE, SILENT, Browser, Colour, Person, Samples, book, browser
from endpoints import address, settings
from playwright.sync_api import Playwright, expect
from running_server import RunningServer, running_server
from sound import strength

from mcu.media.audio.sounds import detect
from mcu.media.messages import NoticeKind
from mcu.media.picture.paint import yuv

PIN = "135790"
PHONE = Person("Telefon", 1800.0)
SYSTEM = Person("Telefon", 3000.0, (40, 160, 60))  # comes last: the tile of that name that is found is its

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@dataclass(frozen=True)
class Meeting:
    """What each heard at 48 kHz in all, and `*_met` in the last second in which all three were in the room."""

    anna: Samples
    phone: Samples
    system: Samples
    anna_met: Samples
    phone_met: Samples
    system_met: Samples
    anna_sees: dict[str, Colour]
    anna_tiles: int
    system_sees: VideoFrame | None
    told: list[str]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    place = tmp_path_factory.mktemp("telephones")
    with running_server(place, media__fps="10", sip__call_domains="127.0.0.1", **settings(place)) as started:
        yield started


@pytest.fixture(scope="module")
def met(server: RunningServer, playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Meeting]:
    meeting, place = book(server, access={"guest_pin": PIN}), tmp_path_factory.mktemp("met")
    uri = f"sip:{meeting.number}@{address(server)}"
    with (
        browser(playwright, place, ANNA) as anna,
        telephone(place / "phone", hertz=PHONE.tone, transport="tcp", codec="PCMA/8000/1") as phone,
        telephone(place / "system", hertz=SYSTEM.tone, camera=Camera(yuv(*SYSTEM.colour))) as system,
    ):
        anna.join(meeting.link(ANNA.name))
        come(phone, uri)
        anna.wait_to_hear(PHONE.tone)
        come(system, uri)
        anna.wait_to_hear(SYSTEM.tone)
        anna.wait_for_colours(ANNA, SYSTEM)
        until(lambda: shows(system.sees(), [yuv(*ANNA.colour), yuv(*SYSTEM.colour)]), anna)
        anna.page.wait_for_timeout(1000)
        last = anna.heard(1), phone.heard()[-RATE:], system.heard()[-RATE:]
        sees, tiles, seen = anna.colours(), anna.page.evaluate("() => ear.tiles()"), system.sees()
        told = anna.page.locator("room-notices li").all_inner_texts()
        phone.hang_up()
        anna.wait_for_sound(NoticeKind.LEFT)
        until(lambda: kinds(system.heard()).count(NoticeKind.LEFT) == 1, anna)
        system_heard = system.heard()
        system.hang_up()
        anna.wait_not_to_hear(SYSTEM.tone)
        until(lambda: kinds(anna.heard()).count(NoticeKind.LEFT) == 2, anna)
        told += anna.page.locator("room-notices li").all_inner_texts()
        yield Meeting(anna.heard(), phone.heard(), system_heard, *last, sees, tiles, seen, told)


def come(phone: Telephone, uri: str) -> None:
    """In by the meeting's own number and its PIN."""
    phone.dial(uri)
    until(lambda: phone.talks)
    time.sleep(1)
    phone.press(f"{PIN}#")


def until(true: Callable[[], bool], page: Browser | None = None) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.1) if page is None else page.page.wait_for_timeout(200)


def kinds(heard: Samples) -> list[NoticeKind]:
    return [kind for kind, _ in detect(heard)]


def near(seen: Colour, wanted: Colour) -> bool:
    return all(abs(one - other) < 40 for one, other in zip(seen, wanted, strict=True))


def test_each_hears_the_two_others(met: Meeting) -> None:
    heard = {ANNA: met.anna_met, PHONE: met.phone_met, SYSTEM: met.system_met}
    strengths = [
        strength(sound, other.tone) for person, sound in heard.items() for other in heard if other is not person
    ]
    assert min(strengths) > LOUD / 2  # two at a time, and 3 kHz is near the end of what a telephone hears


def test_nobody_hears_itself(met: Meeting) -> None:
    assert strength(met.anna_met, ANNA.tone) < SILENT
    assert strength(met.phone_met, PHONE.tone) < SILENT
    assert strength(met.system_met, SYSTEM.tone) < SILENT


def test_both_screens_show_who_has_a_camera(met: Meeting) -> None:
    assert near(met.anna_sees[ANNA.name], ANNA.colour)
    assert near(met.anna_sees[SYSTEM.name], SYSTEM.colour)
    assert met.anna_tiles == 3
    assert shows(met.system_sees, [yuv(*ANNA.colour), yuv(*SYSTEM.colour)])


@pytest.mark.policy("S5.3-1", "S5.3-2")
def test_everybody_hears_each_join_and_leave(met: Meeting) -> None:
    joined, left = NoticeKind.JOINED, NoticeKind.LEFT
    assert kinds(met.anna) == [joined, joined, joined, left, left]
    assert kinds(met.phone) == [joined, joined]
    assert kinds(met.system) == [joined, left]
    assert all(any(what in line for line in met.told) for what in ("Telefon gick med", "Telefon lämnade"))


def test_a_host_calls_somebody_from_the_page_and_sees_what_comes_of_it(
    server: RunningServer, playwright: Playwright, tmp_path: Path
) -> None:
    meeting = book(server)
    with (
        browser(playwright, tmp_path, ANNA) as anna,
        telephone(tmp_path / "phone", hertz=PHONE.tone) as phone,
    ):
        anna.join(meeting.link(ANNA.name))
        page = anna.page
        page.get_by_role("button", name="Ring någon").click()
        dialog = page.locator("room-calls form")
        dialog.locator("[name=to]").fill(phone.uri)
        dialog.locator("[name=name]").fill("Bo Ek")
        dialog.get_by_role("button", name="Ring", exact=True).click()
        called = page.locator("room-calls li")
        expect(called).to_contain_text("det ringer")
        assert called.locator(".who").inner_text().splitlines() == ["Bo Ek", "det ringer"]
        phone.hang_up()
        expect(called).to_contain_text("upptaget")
        page.get_by_role("button", name="Ta bort Bo Ek ur listan").click()
        expect(called).to_have_count(0)
