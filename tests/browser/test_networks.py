"""What the page tells each person of their own network: at the door, which way is open; in the room, how good it is."""

import re
from collections.abc import Iterator
from itertools import groupby

import pytest
from browsers import ANNA, BO, LOUD, RATE, Browser, Enter, Samples, book
from networks import Network
from running_server import RunningServer
from sound import strength

from mcu.media.audio.sounds import detect
from mcu.media.messages import NoticeKind

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
ASKED = """const devices = navigator.mediaDevices, open = devices.getUserMedia.bind(devices)
const allowed = new Promise((allow) => { window.allow = allow })
devices.getUserMedia = async (wanted) => { await allowed; return open(wanted) }"""  # until the user has answered
CHECK_S = 3  # seconds: Chromium proves its address anew at least as often


@pytest.fixture
def wall(cable: Network) -> Iterator[Network]:
    """The cable, whose other end may be walled; open again afterwards."""
    with cable.walled():
        yield cable


@pytest.fixture
def narrow(cable: Network) -> Iterator[Network]:
    """The cable, with room for less than a picture; as wide as before afterwards."""
    with cable.throttled(10_000):
        yield cable


@pytest.fixture
def ipv6(cable: Network) -> Iterator[Network]:
    """The cable, whose other end has IPv6 alone; both families afterwards."""
    with cable.ipv6_alone():
        yield cable


@pytest.fixture
def nat(cable: Network) -> Iterator[Network]:
    """The cable, whose other end is behind a NAT."""
    with cable.behind_nat("40000-44999"):
        yield cable


def way(guest: Browser, text: str) -> str:
    told = guest.page.locator("way-check [role=status]", has_text=text)
    told.wait_for()
    return told.inner_text()


def again(guest: Browser) -> None:
    guest.page.click("way-check button")


def test_the_door_tells_which_way_is_open_and_what_is_blocked(
    beside_the_cable: RunningServer, away: RunningServer, wall: Network, sit_away: Enter
) -> None:
    bo = sit_away(BO)
    wall.block("meta l4proto udp")
    bo.open(f"{away.base_url}/j/{book(beside_the_cable).number}")
    blocked = way(bo, "Nätet spärrar den bästa vägen (UDP).")
    found = re.search(r"UDP till port (\d+)", blocked)
    assert found
    port = found.group(1)
    wall.block(f"tcp dport {port}")
    again(bo)
    assert f"UDP till port {port}" in way(bo, "Nätet spärrar mötets ljud och bild.")
    wall.unblock()
    again(bo)
    way(bo, "Nätet släpper fram ljud och bild.")


def test_whose_network_is_narrow_is_told_so_and_what_to_do_and_when_it_is_over(
    narrow: Network, apart: tuple[Browser, Browser]
) -> None:
    _, bo = apart
    told = bo.page.locator("room-network p[role=status]")
    told.filter(has_text="uppkoppling").wait_for()
    narrow.throttle(60)  # the sound alone takes more
    told.filter(has_text="hackigt").wait_for()
    assert re.match(r"(Svag|Dålig) uppkoppling\. ", told.inner_text())
    assert "Flytta närmare wifi-routern" in told.inner_text()
    bo.page.click("room-network button:has-text('Stäng av kameran')")
    bo.page.locator("#camera", has_text="Slå på kamera").wait_for()
    assert bo.page.locator("room-network button").count() == 0
    narrow.throttle(10_000)
    told.filter(has_not_text="hackigt").wait_for(timeout=30_000)


@pytest.mark.usefixtures("ipv6")
def test_whoever_has_ipv6_alone_is_told_that_it_will_do_and_meets_whoever_has_ipv4(
    beside_the_cable: RunningServer, away6: RunningServer, sit: Enter, sit_away: Enter
) -> None:
    meeting, anna, bo = book(beside_the_cable), sit(ANNA), sit_away(BO)
    anna.join(meeting.link(ANNA.name))
    bo.context.add_init_script(ASKED)
    bo.context.grant_permissions(["clipboard-read"])  # and no others yet
    bo.open(f"{away6.base_url}/j/{meeting.number}")
    found = way(bo, "Nätet spärrar mötets ljud och bild.")  # as far as can be told before that
    assert "Tillåt först mikrofonen eller kameran" in found
    bo.context.grant_permissions(["microphone", "camera"])
    bo.page.evaluate("allow()")
    way(bo, "Nätet släpper fram ljud och bild.")
    bo.ready()
    bo.knock()
    for one, other in ((anna, BO), (bo, ANNA)):
        one.wait_for_colours(ANNA, BO)
        one.wait_to_hear(other.tone)


def longest_silence(samples: Samples, tone: float) -> float:
    """Seconds without it, to 50 ms."""
    length = RATE // 20
    heard = [strength(samples[at : at + length], tone) > LOUD for at in range(0, samples.size - length, length)]
    return max((len(list(run)) for there, run in groupby(heard) if not there), default=0) / 20


def test_whose_nat_forgets_them_is_heard_again_from_where_it_puts_them_and_nobody_is_told(
    nat: Network, apart: tuple[Browser, Browser]
) -> None:
    anna, bo = apart
    for one, other in ((anna, BO), (bo, ANNA)):
        one.wait_to_hear(other.tone)
    nat.forget()
    bo.page.wait_for_timeout((CHECK_S + 1) * 1000)
    for one, other in ((anna, BO), (bo, ANNA)):
        assert longest_silence(one.heard(CHECK_S + 3), other.tone) < CHECK_S + 1
        one.wait_to_hear(other.tone)
    assert bo.page.locator("room-stage .over").count() == 0
    told = [kind for kind, _ in detect(anna.heard())]
    assert NoticeKind.LEFT not in told
    assert NoticeKind.RECONNECTED not in told
