"""What the page tells each person of their own network: at the door, which way is open; in the room, how good it is."""

import os
import re
from collections.abc import Iterator

import pytest
from browsers import ANNA, BO, Browser, Enter, book
from networks import Network
from running_server import RunningServer

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(240),
    pytest.mark.skipif(os.geteuid() != 0, reason="a network namespace needs root"),
]


@pytest.fixture
def wall(cable: Network) -> Iterator[Network]:
    """The cable, whose other end may be walled; open again afterwards."""
    cable.block()
    yield cable
    cable.unblock()


@pytest.fixture
def narrow(cable: Network) -> Iterator[Network]:
    """The cable, with room for less than a picture; as wide as before afterwards."""
    cable.throttle(10_000)
    yield cable
    cable.unthrottle()


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
    wall.block()
    again(bo)
    way(bo, "Nätet släpper fram ljud och bild.")


def test_whose_network_is_narrow_is_told_so_and_what_to_do_and_when_it_is_over(
    beside_the_cable: RunningServer, away: RunningServer, narrow: Network, sit: Enter, sit_away: Enter
) -> None:
    meeting, anna, bo = book(beside_the_cable), sit(ANNA), sit_away(BO)
    anna.join(meeting.link(ANNA.name))
    bo.join(f"{away.base_url}/j/{meeting.number}")
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
