"""The page for those who do not see it, do not use a mouse, see it small, or read another language."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browsers import ANNA, BO, Browser, Enter, Person, book
from company import Company, company
from playwright.sync_api import Page
from running_server import RunningServer

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

AXE = (Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

_ASK = """async (rules) => {
  const { violations } = await axe.run(document, { runOnly: rules, resultTypes: ["violations"] });
  return violations.flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.target.join(" ")}`));
}"""
_WIDER = "() => document.scrollingElement.scrollWidth - innerWidth"

Look = Callable[[Page, str], None]
ENGLISH = Person("Bo Dahl", 3000.0, BO.colour, "en-GB")


def walk(guest: Browser, server: RunningServer, look: Look) -> None:
    """Through every state of the page but the room's, calling `look` in each. Words are not relied on."""
    page = guest.page
    guest.open(f"{server.base_url}/")
    page.locator("booking-page h1").wait_for()
    look(page, "first page")
    guest.open(f"{server.base_url}/#api={server.token}")
    page.locator("booking-form #title").wait_for()
    page.check("booking-form input[value=later]")
    look(page, "booking")
    page.check("booking-form input[value=now]")
    page.fill("booking-form #title", "Rond")
    page.fill("booking-form #name", guest.person.name)
    page.click("booking-form button[type=submit]")
    page.locator("copy-field").first.wait_for()
    look(page, "booked")
    guest.open(f"{server.base_url}/j/100000000")
    guest.ready()
    look(page, "before the meeting")
    guest.knock()
    page.locator("prejoin-view .told.error").wait_for()
    look(page, "refused")
    lobby = book(server, access={"guest_pin": None, "lobby": {"scope": "guests"}})
    guest.open(lobby.page)
    guest.ready()
    guest.knock()
    page.locator("lobby-view h1").wait_for()
    look(page, "lobby")
    page.click("lobby-view p button")
    page.locator("over-view h1").wait_for()
    look(page, "over")


def walk_the_room(host: Browser, look: Look) -> None:
    """Through the room as its host sees it, with somebody in it and somebody in its lobby."""
    page = host.page
    page.locator(".knock").wait_for()
    look(page, "room")
    if page.locator("room-people").count() == 0:
        host.press("people")
    look(page, "people")
    page.locator("room-people section li .icon-button").first.click()
    look(page, "acts")
    page.keyboard.press("Escape")
    page.locator("room-people .host-tools .danger").click()
    look(page, "ending")
    page.keyboard.press("Escape")
    host.press("chat")
    page.fill("room-chat textarea", "Hej")
    page.keyboard.press("Enter")
    page.locator("room-chat li").wait_for()
    look(page, "chat")
    for dialog in ("layout", "settings"):
        host.press(dialog)
        look(page, dialog)
        page.keyboard.press("Escape")
    host.press("hold")
    page.locator("room-stage .over").wait_for()
    look(page, "on hold")


@pytest.fixture
def others(house: RunningServer) -> Iterator[Company]:
    with company(house) as people:
        yield people


def room_with_a_lobby(server: RunningServer, others: Company, sit: Enter, host: Person, **options: Any) -> Browser:
    """The host's browser; Bo is in the room and shares a screen, Cilla waits."""
    participants = [{"name": host.name, "role": "host"}]
    meeting = book(server, participants=participants, access={"guest_pin": None, "lobby": {"scope": "guests"}})
    browser = sit(host, **options)
    browser.join(meeting.link(host.name))
    others.come(meeting.number, "Bo Dahl")
    browser.page.click(".knock .primary")
    others.share("Bo Dahl")
    others.come(meeting.number, "Cilla Ask")
    browser.page.locator(".knock").wait_for()
    browser.page.locator("room-content").wait_for(timeout=30_000)
    return browser


# -- seen by a machine that knows WCAG -------------------------------------------------------------------------------


@pytest.fixture
def found() -> list[str]:
    return []


@pytest.fixture
def examine(found: list[str]) -> Look:
    """What axe finds, and every target of less than 24 pixels."""

    def look(page: Page, state: str) -> None:
        page.wait_for_timeout(300)  # what appears has appeared: half transparent text has half the contrast
        if not page.evaluate("() => 'axe' in window"):
            page.evaluate(AXE)
        found.extend(f"{state}: {one}" for one in page.evaluate(_ASK, RULES))
        found.extend(f"{state}: small: {one}" for one in page.evaluate("() => ear.smallTargets()"))

    return look


SCHEMES = pytest.mark.parametrize(("language", "scheme"), [("sv-SE", "light"), ("en-GB", "dark")])


@SCHEMES
def test_axe_finds_nothing_outside_the_room_and_no_target_is_smaller_than_24_pixels(
    house: RunningServer, sit: Enter, examine: Look, found: list[str], language: str, scheme: str
) -> None:
    person = Person(ANNA.name, language=language)
    walk(sit(person, color_scheme=scheme), house, examine)
    assert found == []


@SCHEMES
def test_axe_finds_nothing_in_the_room_and_no_target_is_smaller_than_24_pixels(
    house: RunningServer, others: Company, sit: Enter, examine: Look, found: list[str], language: str, scheme: str
) -> None:
    host = room_with_a_lobby(house, others, sit, Person(ANNA.name, language=language), color_scheme=scheme)
    walk_the_room(host, examine)
    assert found == []


# -- at 400 % zoom: 1280 x 1024 becomes 320 x 256 (WCAG 1.4.10) --------------------------------------------------------


def test_nothing_is_wider_than_the_page_at_400_percent(house: RunningServer, others: Company, sit: Enter) -> None:
    wider: list[str] = []

    def look(page: Page, state: str) -> None:
        if page.evaluate(_WIDER) > 0:
            wider.append(state)

    walk(sit(ANNA, viewport={"width": 320, "height": 256}), house, look)
    host = room_with_a_lobby(house, others, sit, Person("Dag Fors"), viewport={"width": 320, "height": 256})
    walk_the_room(host, look)
    assert wider == []


# -- without a mouse -------------------------------------------------------------------------------------------------


def tab_to(page: Page, wanted: str) -> None:
    for _ in range(60):
        if page.evaluate("() => ear.focused()") == wanted:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach {wanted}")


def test_one_joins_mutes_chooses_a_layout_and_leaves_by_keyboard_alone(house: RunningServer, sit: Enter) -> None:
    meeting, bo = book(house), sit(BO)
    page = bo.page
    bo.open(meeting.page)
    page.wait_for_function("() => ear.element('self-view video')?.videoWidth > 0")
    tab_to(page, "name")
    page.keyboard.type(BO.name)
    page.keyboard.press("Enter")
    page.wait_for_function("() => ear.pictured()")
    page.keyboard.press("m")
    page.locator("#mute", has_text="Slå på ljud").wait_for()
    tab_to(page, "layout")
    page.keyboard.press("Enter")
    page.locator("modal-dialog#layout-dialog dialog[open]").wait_for()
    for _ in range(12):
        page.keyboard.press("Tab")
        # past its last button the focus goes to the browser's own, and comes back; to nothing else of the page
        assert page.evaluate("() => ear.focused() === 'body' || ear.focusIn('modal-dialog')")
    page.keyboard.press("Escape")
    assert page.evaluate("() => ear.focused()") == "layout"
    tab_to(page, "leave")
    page.keyboard.press("Enter")
    page.locator("over-view").wait_for()


def test_what_has_the_focus_is_seen(house: RunningServer, sit: Enter) -> None:
    bo = sit(BO)
    bo.open(f"{house.base_url}/")
    bo.page.locator("booking-page h1").wait_for()
    for _ in range(6):
        bo.page.keyboard.press("Tab")
        assert bo.page.evaluate("() => ear.outline()") >= 3


def test_the_chat_is_written_in_at_once_and_closing_it_leads_back_to_its_button(
    house: RunningServer, sit: Enter
) -> None:
    meeting, bo = book(house), sit(BO)
    bo.join(meeting.page)
    bo.page.keyboard.press("c")
    bo.page.wait_for_function("() => ear.focused() === 'text'")
    bo.page.keyboard.type("Hm")  # neither letter is a shortcut while one writes
    bo.page.keyboard.press("Shift+Tab")
    bo.page.keyboard.press("Shift+Tab")
    bo.page.keyboard.press("Enter")
    bo.page.wait_for_function("() => ear.focused() === 'chat'")
    bo.page.locator("#mute", has_text="Stäng av ljud").wait_for()


def test_shortcuts_are_turned_off_in_the_settings(house: RunningServer, sit: Enter) -> None:
    meeting, bo = book(house), sit(BO)
    bo.join(meeting.page)
    bo.press("settings")
    bo.page.get_by_label("Använd snabbtangenter").uncheck()
    bo.page.keyboard.press("Escape")
    bo.page.keyboard.press("m")
    bo.page.wait_for_timeout(300)
    bo.page.locator("#mute", has_text="Stäng av ljud").wait_for()


# -- without seeing --------------------------------------------------------------------------------------------------


def test_a_screen_reader_is_told_who_is_in_the_picture_and_who_came(house: RunningServer, sit: Enter) -> None:
    meeting, anna, bo = book(house), sit(ANNA), sit(BO)
    anna.join(meeting.link(ANNA.name))
    bo.join(meeting.page)
    anna.wait_for_notice("Bo Dahl gick med")
    assert anna.page.locator("room-notices [role=status]").inner_text() == "Bo Dahl gick med"
    listed = anna.page.get_by_role("list", name="I bild").get_by_role("listitem")
    listed.filter(has_text=BO.name).wait_for()
    assert listed.count() == 2


def test_a_new_view_begins_at_its_heading(house: RunningServer, sit: Enter) -> None:
    meeting, bo = book(house), sit(BO)
    bo.join(meeting.page)
    assert bo.page.evaluate("() => ear.focused()") == "h1"
    bo.press("leave")
    bo.page.locator("over-view h1").wait_for()
    bo.page.wait_for_function("() => ear.focused() === 'h1'")


# -- in another language ---------------------------------------------------------------------------------------------


def test_the_page_and_the_notices_are_in_the_language_of_the_browser_or_the_one_that_is_chosen(
    house: RunningServer, sit: Enter
) -> None:
    meeting, anna, bo = book(house), sit(ANNA), sit(ENGLISH)
    bo.join(meeting.page)
    assert bo.page.evaluate("() => document.documentElement.lang") == "en"
    bo.page.locator("#leave", has_text="Leave").wait_for()
    anna.join(meeting.link(ANNA.name))
    bo.wait_for_notice("Anna Ek joined")
    bo.page.get_by_role("button", name="Svenska").click()
    anna.press("leave")
    bo.wait_for_notice("Anna Ek lämnade")


def test_the_language_is_changed_by_a_button_and_stays_changed(house: RunningServer, sit: Enter) -> None:
    anna = sit(ANNA)
    anna.open(f"{house.base_url}/")
    anna.page.locator("h1", has_text="Vårdmöten på distans").wait_for()
    anna.page.get_by_role("button", name="English").click()
    anna.page.locator("h1", has_text="Health care meetings at a distance").wait_for()
    anna.page.reload()
    anna.page.locator("h1", has_text="Health care meetings at a distance").wait_for()
    assert anna.page.evaluate("() => document.documentElement.lang") == "en"
