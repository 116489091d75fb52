"""A seat survives: after a reload, and after the death of the process that had the media."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsers import ANNA, BO, Browser, Enter, book
from networks import Network
from playwright.sync_api import WebSocketRoute
from running_server import RunningServer, end, launch, running_server

from mcu.media.audio.sounds import detect
from mcu.media.messages import NoticeKind

pytestmark = [pytest.mark.browser, pytest.mark.timeout(100)]
BACK_S = 10  # the page tries again every few seconds, and a browser takes some to gather and prove its addresses

WATCHED = """window.peers = []; RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...given) { super(...given); peers.push(this) } }"""


@pytest.fixture
def two_workers(tmp_path: Path) -> Iterator[RunningServer]:
    with running_server(tmp_path / "server", media__workers="2") as running:
        yield running


def seat_of(guest: Browser) -> str | None:
    return guest.page.locator("room-people li", has_text="(du)").get_attribute("data-leg")


@pytest.mark.policy("S5.3-8")
def test_a_reload_returns_to_the_same_seat_and_is_announced_as_reconnected(house: RunningServer, sit: Enter) -> None:
    meeting, anna, bo = book(house), sit(ANNA), sit(BO)
    anna.join(meeting.link(ANNA.name))
    bo.join(meeting.page)
    anna.wait_for_colours(ANNA, BO)
    seat = seat_of(bo)
    bo.page.reload()
    bo.wait_for_colours(ANNA, BO)
    anna.wait_for_colours(ANNA, BO)
    anna.wait_for_notice(f"{BO.name} är tillbaka")
    anna.wait_for_sound(NoticeKind.RECONNECTED)
    assert seat_of(bo) == seat
    assert anna.page.locator("room-people li").count() == 2
    kinds = [kind for kind, _ in detect(anna.heard())]
    assert kinds.count(NoticeKind.JOINED) == 2  # her own and his first


def test_a_reload_keeps_the_microphone_off_and_the_camera_off(house: RunningServer, sit: Enter) -> None:
    meeting, anna = book(house), sit(ANNA)
    anna.join(meeting.link(ANNA.name))
    anna.press("mute")
    anna.press("camera")
    anna.page.reload()
    anna.page.locator("room-view #mute", has_text="Slå på ljud").wait_for()
    anna.page.locator("room-view #camera", has_text="Slå på kamera").wait_for()
    anna.page.locator("room-people li .unseen", has_text="mikrofonen av, kameran av").wait_for(state="attached")


def cpu_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_when_the_media_worker_dies_everybody_is_back_in_their_seat_in_five_seconds(
    two_workers: RunningServer, sit: Enter
) -> None:
    meeting, anna, bo = book(two_workers), sit(ANNA), sit(BO)
    anna.join(meeting.link(ANNA.name))
    bo.join(meeting.page)
    for one in (anna, bo):
        one.wait_for_colours(ANNA, BO)
    seats = seat_of(anna), seat_of(bo)
    os.kill(max(two_workers.worker_pids(), key=cpu_ticks), signal.SIGKILL)  # the one that has the room
    died = time.monotonic()
    for one in (anna, bo):
        one.page.locator("room-stage .over").wait_for()
    for one in (anna, bo):
        one.page.locator("room-stage .over").wait_for(state="detached")
        one.wait_for_colours(ANNA, BO)
    assert time.monotonic() - died < 5
    assert (seat_of(anna), seat_of(bo)) == seats
    anna.wait_for_notice("tillbaka")


def test_another_network_is_a_new_way_for_the_same_connection_and_nobody_is_told(
    house: RunningServer, sit: Enter
) -> None:
    meeting, anna, bo = book(house), sit(ANNA), sit(BO)
    told, offers = list[str](), list[str]()
    bo.page.on("websocket", lambda ws: ws.on("framereceived", lambda frame: told.append(str(frame))))
    bo.page.on("request", lambda request: offers.append(request.url) if request.url.endswith("/legs") else None)
    anna.join(meeting.link(ANNA.name))
    bo.join(meeting.page)
    for one in (anna, bo):
        one.wait_for_colours(ANNA, BO)
    bo.page.evaluate("dispatchEvent(new Event('online'))")
    bo.page.wait_for_timeout(6000)  # longer than a link is given to mend
    answers = [frame for frame in told if "ice_restarted" in frame]
    assert len(answers) == 1
    assert "ice-ufrag" in answers[0]
    assert len(offers) == 1
    assert bo.page.locator("room-stage .over").count() == 0
    anna.wait_to_hear(BO.tone)
    bo.wait_to_hear(ANNA.tone)
    kinds = [kind for kind, _ in detect(anna.heard())]
    assert NoticeKind.LEFT not in kinds
    assert NoticeKind.RECONNECTED not in kinds


def test_a_network_that_is_cut_and_mended_leads_back_to_the_same_seat_by_itself(
    cable: Network, apart: tuple[Browser, Browser]
) -> None:
    anna, bo = apart
    for one in (anna, bo):
        one.wait_for_colours(ANNA, BO)
    seat = seat_of(bo)
    cable.cut()
    bo.page.locator("room-stage .over").wait_for()
    anna.wait_for_sound(NoticeKind.LEFT)
    cable.mend()
    mended = time.monotonic()
    bo.page.locator("room-stage .over").wait_for(state="detached")
    for one in (bo, anna):
        one.wait_for_colours(ANNA, BO)
    assert time.monotonic() - mended < BACK_S
    assert seat_of(bo) == seat
    anna.wait_for_sound(NoticeKind.RECONNECTED)
    assert anna.page.locator("room-people li").count() == 2


def test_new_credentials_for_a_relay_are_those_of_the_connection_and_of_the_next_one(
    house: RunningServer, sit: Enter
) -> None:
    meeting, anna, sockets = book(house), sit(ANNA), list[WebSocketRoute]()
    anna.context.add_init_script(WATCHED)
    anna.page.route_web_socket("**/api/v1/ws", lambda socket: sockets.append(socket) or socket.connect_to_server())
    anna.join(meeting.link(ANNA.name))
    anna.page.locator("room-people li").wait_for()
    relay = {"urls": ["turn:127.0.0.1:9"], "username": "renewed", "credential": "word"}
    sockets[0].send(json.dumps({"type": "relays", "ice_servers": [relay]}))
    renewed = "() => peers.at(-1)?.getConfiguration().iceServers[0]?.username == 'renewed'"
    anna.page.wait_for_function(renewed)
    anna.page.reload()
    anna.page.wait_for_function(renewed)
    anna.wait_for_colours(ANNA)


def test_who_left_on_purpose_is_asked_anew_after_a_reload(house: RunningServer, sit: Enter) -> None:
    meeting, anna = book(house), sit(ANNA)
    anna.join(meeting.link(ANNA.name))
    anna.press("leave")
    anna.page.locator("over-view h1", has_text="Du har lämnat mötet").wait_for()
    anna.page.reload()
    anna.page.locator("prejoin-view").wait_for()


def test_when_the_whole_server_is_killed_the_page_comes_back_by_itself_once_it_serves_again(
    tmp_path: Path, sit: Enter
) -> None:
    first = launch(tmp_path)
    second: RunningServer | None = None
    try:
        first.wait_until_serving()
        meeting, anna, bo = book(first), sit(ANNA), sit(BO)
        anna.join(meeting.link(ANNA.name))
        bo.join(meeting.page)
        anna.wait_for_colours(ANNA, BO)
        seats = seat_of(anna), seat_of(bo)
        first.kill()
        for one in (anna, bo):
            one.page.locator("room-stage .over").wait_for()
        second = launch(tmp_path, server__port=first.base_url.rpartition(":")[2])
        second.wait_until_serving()
        for one in (anna, bo):
            one.wait_for_colours(ANNA, BO)
            one.page.locator("room-stage .over").wait_for(state="detached")
        assert (seat_of(anna), seat_of(bo)) == seats
        anna.page.locator("room-people li .who", has_text=BO.name).wait_for()
    finally:
        for server in (first, second):
            if server is not None:
                end(server)


def test_a_socket_that_is_refused_makes_the_page_ask_for_its_seat_with_an_offer(
    house: RunningServer, sit: Enter
) -> None:
    """As by a server that was started again before this page noticed that its media is gone."""
    meeting, anna, bo = book(house), sit(ANNA), sit(BO)
    sockets: list[tuple[WebSocketRoute, WebSocketRoute | None]] = []

    def meet(socket: WebSocketRoute) -> None:
        refuse = len(sockets) == 1
        sockets.append((socket, None if refuse else socket.connect_to_server()))
        if refuse:
            socket.on_message(lambda _: socket.send('{"type": "gone", "cause": "refused"}'))

    bo.page.route_web_socket("**/api/v1/ws", meet)
    anna.join(meeting.link(ANNA.name))
    bo.join(meeting.page)
    bo.wait_for_colours(ANNA, BO)
    for end_of_it in sockets[0]:
        assert end_of_it is not None
        end_of_it.close()
    anna.wait_for_notice(f"{BO.name} är tillbaka")
    bo.page.locator("room-stage .over").wait_for(state="detached")
    bo.wait_for_colours(ANNA, BO)
    assert len(sockets) == 3
