"""Into a meeting: PINs, links, the lobby, and what the page says when one does not come in."""

from datetime import UTC, datetime, timedelta

import pytest
from browsers import ANNA, BO, CILLA, Browser, Enter, book
from running_server import RunningServer
from sound import strength

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


def refused(guest: Browser) -> str:
    told = guest.page.locator("prejoin-view .told.error")
    told.wait_for()
    return told.inner_text()


def test_the_token_leaves_the_address_at_once(house: RunningServer, sit: Enter) -> None:
    meeting, anna = book(house), sit(ANNA)
    link = meeting.link(ANNA.name)
    assert "#t=" in link
    anna.open(link)
    anna.page.locator("prejoin-view").wait_for()
    assert anna.page.url == meeting.page
    assert anna.page.evaluate("() => history.length") == 2  # the blank page and this one: none with the token


def test_a_meeting_with_a_pin_asks_for_it_and_takes_it(house: RunningServer, sit: Enter) -> None:
    meeting, bo = book(house, access={"guest_pin": "482913", "host_pin": None}), sit(BO)
    bo.open(meeting.page)
    bo.ready()
    bo.knock()
    assert "Du kom inte in med bara numret" in refused(bo)
    bo.page.wait_for_function("() => ear.focused() === 'pin'")
    bo.page.fill("#pin", "111111")
    bo.knock()
    bo.page.locator("prejoin-view .told.error", has_text="Numret eller PIN-koden stämmer inte").wait_for()
    bo.page.fill("#pin", "482 913")
    bo.knock()
    bo.page.wait_for_function("() => ear.pictured()")


def test_a_guest_waits_in_the_lobby_in_silence_until_the_host_lets_them_in(house: RunningServer, sit: Enter) -> None:
    meeting = book(house, access={"guest_pin": None, "lobby": {"scope": "guests"}})
    anna, bo = sit(ANNA), sit(BO)
    anna.join(meeting.link(ANNA.name))
    bo.open(meeting.page)
    bo.ready()
    bo.knock()
    bo.page.locator("lobby-view", has_text="Värden ser att du är här och släpper in dig.").wait_for()
    anna.page.locator(".knock", has_text="Bo Dahl väntar i lobbyn.").wait_for()
    bo.page.wait_for_timeout(1000)
    assert strength(bo.heard(), ANNA.tone) == 0
    assert anna.colours().keys() == {ANNA.name}
    anna.page.click(".knock button:has-text('Släpp in')")
    bo.wait_for_colours(ANNA, BO)
    anna.wait_for_notice("Bo Dahl gick med")
    bo.wait_to_hear(ANNA.tone)


def test_a_guest_who_waits_for_the_host_comes_in_by_themselves_when_it_comes(house: RunningServer, sit: Enter) -> None:
    meeting = book(house, access={"guest_pin": None, "wait_for_host": True})
    bo = sit(BO)
    bo.open(meeting.page)
    bo.ready()
    bo.knock()
    bo.page.locator("lobby-view", has_text="Värden har inte kommit ännu.").wait_for()
    anna = sit(ANNA)
    anna.join(meeting.link(ANNA.name))
    bo.wait_for_colours(ANNA, BO)


def test_a_full_meeting_says_so_and_what_to_do(house: RunningServer, sit: Enter) -> None:
    meeting = book(house, access={"guest_pin": None, "max_participants": 1})
    anna, bo = sit(ANNA), sit(BO)
    anna.join(meeting.link(ANNA.name))
    bo.open(meeting.page)
    bo.knock()
    told = refused(bo)
    assert "Mötet är fullt." in told
    assert "Be värden om hjälp" in told


def test_a_locked_meeting_says_so(house: RunningServer, sit: Enter) -> None:
    meeting, bo = book(house, access={"guest_pin": None, "locked": True}), sit(BO)
    bo.open(meeting.page)
    bo.knock()
    assert "Mötet är låst." in refused(bo)


def test_a_meeting_of_tomorrow_says_that_it_is_not_open_yet(house: RunningServer, sit: Enter) -> None:
    start = datetime.now(UTC) + timedelta(days=1)
    times = {"start": start.isoformat(), "end": (start + timedelta(hours=1)).isoformat()}
    meeting, bo = book(house, **times), sit(BO)
    bo.open(meeting.page)
    bo.knock()
    assert "Mötet har inte öppnat ännu." in refused(bo)


# From the first moment of it: the sound is short, and the page may be done with it before the test asks.
_LISTEN_TO_WHAT_PLAYS = """() => {
  const { play } = HTMLMediaElement.prototype;
  HTMLMediaElement.prototype.play = function () {
    const context = new AudioContext(), ear = context.createAnalyser();
    const samples = new Float32Array((ear.fftSize = 32768));  // 0.7 s: a page that is held up misses nothing
    context.createMediaStreamSource(this.srcObject).connect(ear);
    const listen = () => {
      ear.getFloatTimeDomainData(samples);
      if (Math.max(...samples) > 0.05) globalThis.soundedOn = this.sinkId;
      else setTimeout(listen, 20);
    };
    listen();
    return play.call(this);
  };
}"""


def test_microphone_and_loudspeaker_are_chosen_and_tried_before_the_meeting(house: RunningServer, sit: Enter) -> None:
    bo = sit(BO)
    bo.open(book(house).page)
    bo.ready()
    heard = bo.page.locator("device-picker .good", has_text="Mikrofonen hör dig.")
    heard.wait_for()
    bo.page.wait_for_function("() => Number(ear.element('level-meter .bar').getAttribute('aria-valuenow')) > 35")

    microphones = bo.page.locator("device-picker #microphone option").evaluate_all("all => all.map((one) => one.value)")
    assert len(microphones) > 1
    bo.page.select_option("device-picker #microphone", microphones[-1])
    bo.page.wait_for_function(
        "(wanted) => ear.element('level-meter').track?.getSettings().deviceId === wanted", arg=microphones[-1]
    )
    heard.wait_for()

    bo.page.click("self-view button:has-text('Stäng av mikrofonen')")
    bo.page.wait_for_function("() => ear.element('level-meter .bar').getAttribute('aria-valuenow') === '0'")

    speakers = bo.page.locator("device-picker #speaker option").evaluate_all("all => all.map((one) => one.value)")
    bo.page.select_option("device-picker #speaker", speakers[-1])
    bo.page.evaluate(_LISTEN_TO_WHAT_PLAYS)
    bo.page.click("device-picker button:has-text('Prova ljudet')")
    assert bo.page.wait_for_function("() => globalThis.soundedOn").json_value() == speakers[-1] != "default"


def test_who_refuses_the_devices_is_told_so_and_takes_part_without_them(house: RunningServer, sit: Enter) -> None:
    meeting = book(house)
    cilla = sit(CILLA, flags=("--use-fake-ui-for-media-stream=deny",))
    cilla.open(meeting.page)
    told = cilla.page.locator("device-picker .told", has_text="Webbläsaren får inte använda den.")
    told.nth(1).wait_for()  # both: the microphone and the camera
    cilla.knock()
    cilla.page.wait_for_function("() => ear.pictured()")
    cilla.page.locator("room-people li", has_text=CILLA.name).wait_for()


def test_a_meeting_is_booked_on_the_first_page_and_entered_as_its_host(house: RunningServer, sit: Enter) -> None:
    anna = sit(ANNA)
    anna.open(f"{house.base_url}/#api={house.token}")
    anna.page.fill("booking-form #title", "Rond på avdelning 4")
    anna.page.fill("booking-form #name", ANNA.name)
    assert anna.page.url == f"{house.base_url}/"
    anna.page.click("booking-form button[type=submit]")
    anna.page.locator("booking-form h2", has_text="”Rond på avdelning 4” är bokat").wait_for()
    anna.page.locator(".meetings li", has_text="Rond på avdelning 4").wait_for()
    anna.page.click("booking-form a:has-text('Gå in i mötet')")
    anna.ready()
    anna.knock()
    anna.page.wait_for_function("() => ear.pictured()")
    anna.page.locator("room-people li", has_text="värd").wait_for()
    assert anna.page.title() == "Rond på avdelning 4 – Möte"
