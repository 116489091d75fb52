"""What people do to each other in a room, each by its own button."""

import pytest
from browsers import ANNA, BO, Browser, Enter, book
from running_server import RunningServer

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

Pair = tuple[Browser, Browser]


@pytest.fixture
def pair(house: RunningServer, sit: Enter) -> Pair:
    """Anna, the host, and Bo, a guest, who see each other."""
    meeting, anna, bo = book(house), sit(ANNA), sit(BO)
    anna.join(meeting.link(ANNA.name))
    bo.join(meeting.page)
    for one, other in ((anna, BO), (bo, ANNA)):
        one.wait_for_colours(ANNA, BO)
        one.wait_to_hear(other.tone)
    return anna, bo


def marked(viewer: Browser, name: str, mark: str) -> None:
    """Waits until the roster says so, in words."""
    viewer.roster(name).locator(".unseen", has_text=mark).wait_for(state="attached")


def do(host: Browser, name: str, act: str) -> None:
    """A host's act on somebody, from their line of the roster."""
    host.page.click(f"room-people button[aria-label='Åtgärder för {name}']")
    host.page.click(f"modal-dialog#acts button:has-text('{act}')")


def test_who_speaks_is_marked_and_who_mutes_is_heard_no_more_and_marked_until_they_unmute(pair: Pair) -> None:
    anna, bo = pair
    marked(anna, BO.name, "talar")
    bo.press("mute")
    marked(anna, BO.name, "mikrofonen av")
    anna.roster(BO.name).locator(".unseen", has_text="talar").wait_for(state="detached")
    anna.wait_not_to_hear(BO.tone)
    bo.press("mute")
    anna.roster(BO.name).locator(".unseen", has_text="mikrofonen av").wait_for(state="detached")
    anna.wait_to_hear(BO.tone)


def test_a_host_mutes_a_guest_who_sees_it_and_unmutes(pair: Pair) -> None:
    anna, bo = pair
    do(anna, BO.name, "Stäng av mikrofonen")
    bo.page.locator("#mute", has_text="Slå på ljud").wait_for()
    anna.wait_not_to_hear(BO.tone)
    bo.press("mute")
    anna.wait_to_hear(BO.tone)


def test_a_camera_that_is_off_shows_another_picture_and_comes_back(pair: Pair) -> None:
    anna, bo = pair
    bo.press("camera")
    marked(anna, BO.name, "kameran av")
    anna.page.wait_for_function("(wanted) => !ear.sees(wanted)", arg={BO.name: list(BO.colour)})
    bo.press("camera")
    anna.wait_for_colours(ANNA, BO)


def test_on_hold_one_neither_hears_nor_is_heard_and_sees_that_it_is_so(pair: Pair) -> None:
    anna, bo = pair
    bo.press("hold")
    bo.page.locator("room-stage .over", has_text="Pausat").wait_for()
    anna.roster(BO.name).locator(".who", has_text="pausad").wait_for()
    anna.wait_not_to_hear(BO.tone)
    bo.wait_not_to_hear(ANNA.tone)
    bo.page.click("room-stage .over button")
    bo.page.locator("room-stage .over").wait_for(state="detached")
    anna.wait_to_hear(BO.tone)


def test_a_raised_hand_is_seen_and_the_host_lowers_it(pair: Pair) -> None:
    anna, bo = pair
    bo.press("hand")
    marked(anna, BO.name, "har räckt upp handen som nummer 1")
    do(anna, BO.name, "Ta ner handen")
    bo.page.locator("#hand", has_text="Räck upp handen").wait_for()


def drawn(viewer: Browser, video: str) -> float:
    """How wide what it shows is on the page, without the bars beside it."""
    script = "(e) => Math.min(e.clientWidth, e.clientHeight * e.videoWidth / e.videoHeight)"
    return float(viewer.page.locator(video).evaluate(script))


def test_a_shared_screen_is_seen_large_beside_the_people_until_it_is_stopped(pair: Pair) -> None:
    anna, bo = pair
    bo.page.set_viewport_size({"width": 2880, "height": 1620})  # as is his screen: larger than the server decodes
    bo.press("screen")
    bo.page.locator("#screen", has_text="Sluta dela").wait_for()
    bo.page.set_viewport_size({"width": 1280, "height": 800})
    anna.page.locator("room-content figcaption", has_text=f"{BO.name}: delad skärm").wait_for()
    anna.page.wait_for_function("() => ear.element('room-content video')?.videoWidth > 0")
    for size in (
        (1440, 900),
        (1920, 1000),
        (390, 844),
    ):  # it is as wide as it can be on each, but for a place beside it
        anna.page.set_viewport_size({"width": size[0], "height": size[1]})
        assert drawn(anna, "room-content video") > 0.55 * size[0]
    anna.page.set_viewport_size({"width": 1280, "height": 800})
    assert drawn(anna, "room-content video") > 2 * drawn(anna, "room-stage video")
    anna.wait_for_colours(ANNA, BO)
    assert bo.page.locator("room-content").count() == 0
    anna.press("screen")  # who shares next takes over
    bo.page.locator("room-content figcaption", has_text=f"{ANNA.name}: delad skärm").wait_for()
    bo.page.locator("#screen", has_text="Dela skärm").wait_for()
    anna.press("screen")
    bo.page.locator("room-content").wait_for(state="detached")


def test_one_sees_the_others_without_oneself_where_one_asks_for_it(pair: Pair) -> None:
    anna, bo = pair
    bo.press("layout")
    without = bo.page.get_by_label("Visa bilden utan mig själv")
    without.check()
    bo.page.wait_for_function("() => ear.tiles() === 1")
    bo.wait_for_colours(ANNA)
    assert anna.page.evaluate("() => ear.tiles()") == 2
    without.uncheck()
    bo.page.wait_for_function("() => ear.tiles() === 2")


def test_written_words_reach_the_other_and_are_counted_until_they_are_read(pair: Pair) -> None:
    anna, bo = pair
    bo.press("chat")
    bo.page.fill("room-chat textarea", "Hej <b>Anna</b>")
    bo.page.keyboard.press("Enter")
    anna.page.locator("#chat .count", has_text="1").wait_for()
    anna.press("chat")
    assert anna.page.locator("room-chat li .text").inner_text() == "Hej <b>Anna</b>"
    anna.page.locator("#chat .count").wait_for(state="detached")


def test_one_chooses_a_layout_for_oneself_and_a_host_for_everybody(pair: Pair) -> None:
    anna, bo = pair
    bo.press("layout")
    bo.page.get_by_label("Bara den som talar").check()
    bo.page.wait_for_function("() => ear.tiles() === 1")
    assert anna.page.evaluate("() => ear.tiles()") == 2
    bo.page.get_by_label("Som mötet").check()
    bo.page.wait_for_function("() => ear.tiles() === 2")
    anna.press("layout")
    anna.page.locator("fieldset", has_text="För alla").get_by_label("Bara den som talar").check()
    bo.page.wait_for_function("() => ear.tiles() === 1")


def test_a_host_removes_a_guest_who_is_told(pair: Pair) -> None:
    anna, bo = pair
    do(anna, BO.name, "Ta bort ur mötet")
    bo.page.locator("over-view h1", has_text="Du har tagits bort från mötet").wait_for()
    anna.wait_for_notice("Bo Dahl lämnade")


def test_a_host_locks_the_meeting_and_everybody_sees_it(pair: Pair) -> None:
    anna, bo = pair
    anna.page.get_by_label("Lås mötet").check()
    bo.page.locator(".badge", has_text="Låst").wait_for()


def test_a_host_mutes_all_guests_and_not_the_host(pair: Pair) -> None:
    anna, bo = pair
    anna.page.click("room-people button:has-text('Stäng av gästernas mikrofoner')")
    bo.page.locator("#mute", has_text="Slå på ljud").wait_for()
    anna.page.locator("#mute", has_text="Stäng av ljud").wait_for()


def test_a_host_ends_the_meeting_for_everybody_after_being_asked(pair: Pair) -> None:
    anna, _ = pair
    anna.page.click("room-people button:has-text('Avsluta för alla')")
    anna.page.click("modal-dialog#end button:has-text('Avsluta')")
    for one in pair:
        one.page.locator("over-view h1", has_text="Mötet är slut").wait_for()
