"""The camera in several sizes: a browser sends them, and the server takes the one that the tile needs."""

import pytest
from browsers import ANNA, BO, Booked, Enter, book
from running_server import RunningServer, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


def taken(meeting: Booked, leg: str) -> list[tuple[str, int]]:
    """The name and the height of each size of somebody's camera of which pictures are taken."""
    server = meeting.server
    rooms = server.asked("/api/v1/rooms?page_size=200")["items"]
    room = next(one["id"] for one in rooms if one["meeting_id"] == meeting.answer["id"])
    streams = server.asked(f"/api/v1/rooms/{room}/participants/{leg}/media")["receiving"]
    return [(one["layer"], one["height"]) for one in streams if one["media"] == "camera" and one["chosen"]]


def test_the_size_that_the_tile_needs_is_taken_and_another_when_more_people_come(
    house: RunningServer, sit: Enter
) -> None:
    meeting, anna = book(house), sit(ANNA, size=(1280, 720))
    anna.join(meeting.link(ANNA.name))
    leg = anna.page.locator("room-people li").get_attribute("data-leg")
    wait_for(lambda: taken(meeting, str(leg)) == [("f", 720)], 20)
    sit(BO).join(meeting.page)
    wait_for(lambda: taken(meeting, str(leg)) == [("h", 360)], 20)
    anna.wait_for_colours(ANNA, BO)
