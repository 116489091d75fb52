"""Two people in two browsers: each sees and hears the other, and is told when the other comes and goes.

They meet once, and what was seen and heard is kept; each test judges one part of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import chromium
import pytest
from browsers import ANNA, BO, LOUD, RATE, SILENT, Colour, Samples, book, browser, first_heard
from playwright.sync_api import Playwright
from running_server import RunningServer
from sound import strength

from mcu.media.audio.sounds import SOUNDS, detect
from mcu.media.messages import NoticeKind

SHORTENED = RATE // 10  # the browser's jitter buffer may play faster to catch up; the sound is 260 ms

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@dataclass(frozen=True)
class Meeting:
    """What Anna (who came first) and Bo saw and heard. `*_met`: while both were in the room; sound at 48 kHz."""

    anna_sees: dict[str, Colour]
    bo_sees: dict[str, Colour]
    anna_hears: Samples
    bo_hears: Samples
    anna_met: Samples
    bo_met: Samples
    bo_click_to_picture_ms: float
    anna_told: list[str]


@pytest.fixture(scope="module")
def met(house: RunningServer, playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Meeting]:
    meeting, place = book(house), tmp_path_factory.mktemp("met")
    anna_sits = browser(playwright, place, ANNA, program=chromium.WHOLE)
    bo_sits = browser(playwright, place, BO, program=chromium.WHOLE)
    with anna_sits as anna, bo_sits as bo:
        anna.join(meeting.link(ANNA.name))
        bo.join(meeting.page)
        anna.wait_for_colours(ANNA, BO)
        bo.wait_for_colours(ANNA, BO)
        anna.wait_to_hear(BO.tone)
        bo.wait_to_hear(ANNA.tone)
        bo.page.wait_for_timeout(1000)
        anna_met, bo_met = anna.heard(seconds=1), bo.heard(seconds=1)
        anna_sees, bo_sees = anna.colours(), bo.colours()
        bo_hears, click_to_picture = bo.heard(), float(bo.page.evaluate("() => ear.clickToPicture()"))
        told = anna.page.locator("room-notices li").all_inner_texts()
        bo.press("leave")
        anna.wait_for_notice("lämnade")
        anna.wait_not_to_hear(BO.tone)
        anna.wait_for_sound(NoticeKind.LEFT)
        told += anna.page.locator("room-notices li").all_inner_texts()
        yield Meeting(anna_sees, bo_sees, anna.heard(), bo_hears, anna_met, bo_met, click_to_picture, sorted(set(told)))


def close(seen: Colour, wanted: Colour) -> bool:
    return all(abs(one - other) < 40 for one, other in zip(seen, wanted, strict=True))


def test_each_sees_the_others_picture_in_the_tile_that_bears_the_others_name(met: Meeting) -> None:
    for seen in (met.anna_sees, met.bo_sees):
        assert seen.keys() == {ANNA.name, BO.name}
        assert close(seen[ANNA.name], ANNA.colour)
        assert close(seen[BO.name], BO.colour)


def test_each_hears_the_others_tone(met: Meeting) -> None:
    assert strength(met.anna_met, BO.tone) > LOUD
    assert strength(met.bo_met, ANNA.tone) > LOUD


def test_nobody_hears_their_own_tone(met: Meeting) -> None:
    assert strength(met.anna_met, ANNA.tone) < SILENT
    assert strength(met.bo_met, BO.tone) < SILENT


def joins(heard: Samples) -> list[int]:
    return [start for kind, start in detect(heard) if kind is NoticeKind.JOINED]


@pytest.mark.policy("S5.3-1")
def test_who_is_there_hears_the_whole_join_sound_before_the_newcomer(met: Meeting) -> None:
    _, joined = joins(met.anna_hears)  # the first was her own
    newcomer = first_heard(met.anna_hears, BO.tone)
    assert newcomer is not None
    assert newcomer >= joined + SOUNDS[NoticeKind.JOINED].size - SHORTENED


@pytest.mark.policy("S5.3-1")
def test_the_newcomer_hears_the_whole_join_sound_before_the_room(met: Meeting) -> None:
    [joined] = joins(met.bo_hears)
    room = first_heard(met.bo_hears, ANNA.tone)
    assert room is not None
    assert room >= joined + SOUNDS[NoticeKind.JOINED].size - SHORTENED


@pytest.mark.policy("S5.3-2")
def test_who_stays_hears_and_reads_that_the_other_left(met: Meeting) -> None:
    kinds = [kind for kind, _ in detect(met.anna_hears)]
    assert kinds == [NoticeKind.JOINED, NoticeKind.JOINED, NoticeKind.LEFT]
    assert any(f"{BO.name} lämnade" in text for text in met.anna_told)


def test_who_left_is_heard_no_more(met: Meeting) -> None:
    assert strength(met.anna_hears[-RATE // 2 :], BO.tone) < SILENT


def test_the_first_picture_comes_within_two_seconds_of_the_click(met: Meeting) -> None:
    assert 0 < met.bo_click_to_picture_ms <= 2000
