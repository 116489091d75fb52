"""What `mcu demo --check` makes of sound and pictures that are right, and of such as are not."""

import numpy as np
import pytest
from sound import joined, quiet, tone
from typer.testing import CliRunner

from mcu.cli.entry import cli
from mcu.demo import show
from mcu.demo.check import (
    WITNESS_HZ,
    Finding,
    absent,
    after_join,
    colour_off,
    first_picture,
    left_in_time,
    strength,
    voices,
)
from mcu.demo.taps import InOrder
from mcu.demo.voice import speech
from mcu.ids import LegId
from mcu.media.audio.sounds import SOUNDS
from mcu.media.messages import NoticeKind, Source, Tile
from mcu.media.seams import TICK_SAMPLES, Samples

JOIN, LEAVE = SOUNDS[NoticeKind.JOINED], SOUNDS[NoticeKind.LEFT]
SAID = tone(WITNESS_HZ, 50, 8_000)


def judged(*pieces: Samples) -> Finding:
    return after_join("the order", joined(pieces), WITNESS_HZ)


def test_a_tone_that_begins_when_the_join_sound_has_been_heard_whole_is_good() -> None:
    finding = judged(quiet(50), JOIN, SAID)
    assert finding.good
    assert finding.found == "sound over at 1260 ms, tone from 1260 ms"


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param((quiet(50), SAID), id="no join sound"),
        pytest.param((quiet(50), JOIN, quiet(50)), id="no tone"),
        pytest.param((SAID, JOIN, SAID), id="tone before the join sound"),
        pytest.param(
            (quiet(50), (JOIN + tone(WITNESS_HZ, JOIN.size // TICK_SAMPLES, 8_000)), SAID), id="tone while it sounds"
        ),
        pytest.param((quiet(50), JOIN[: JOIN.size // 2], SAID), id="half a join sound"),
        pytest.param((quiet(50), LEAVE, SAID), id="another sound"),
    ],
)
def test_a_newcomer_who_is_heard_otherwise_than_after_a_whole_join_sound_is_not_good(
    pieces: tuple[Samples, ...],
) -> None:
    assert not judged(*pieces).good


@pytest.mark.parametrize("ticks", [1, 2])
def test_what_is_there_for_one_tick_was_no_newcomer_and_for_two_it_was(ticks: int) -> None:
    early = JOIN.copy()
    early[6 * TICK_SAMPLES : (6 + ticks) * TICK_SAMPLES] += tone(WITNESS_HZ, ticks, 500)
    assert judged(quiet(50), early, SAID).good is (ticks == 1)


def test_a_tone_of_one_s_own_is_found_in_a_single_tick() -> None:
    voice = speech(2, 118.0, seed=1)
    assert absent("own", voice, WITNESS_HZ).good
    voice = np.clip(voice + joined([quiet(40), tone(WITNESS_HZ, 1, 1_000), quiet(59)]), -32768, 32767).astype(np.int16)
    assert not absent("own", voice, WITNESS_HZ).good


def test_a_click_is_no_tone() -> None:
    clicks = quiet(50)
    clicks[5_000::4_700] = 32_000
    assert absent("own", clicks, WITNESS_HZ).good


def test_the_strength_of_a_tone_is_its_amplitude_tick_by_tick() -> None:
    found = strength(joined([quiet(2), tone(WITNESS_HZ, 2, 8_000)]), WITNESS_HZ)
    assert found == pytest.approx([0, 0, 8_000, 8_000], rel=0.01, abs=1)


def test_a_leave_sound_is_good_only_near_the_leaving() -> None:
    began = 5_000.0
    arrived = [began + 0.02 * tick for tick in range(320)]
    recording = InOrder(joined([quiet(100), LEAVE, quiet(200)]), arrived)
    assert left_in_time(recording, began + 1.98).good
    assert not left_in_time(recording, began + 1.2).good
    assert not left_in_time(InOrder(quiet(320), arrived), began + 2.0).good


def test_voices_are_speech_and_not_silence() -> None:
    assert voices(speech(4, 205.0, seed=2)).good
    assert not voices(quiet(200)).good


def test_a_first_picture_is_good_within_two_seconds() -> None:
    assert first_picture(10.0, 11.9).good
    assert not first_picture(10.0, 12.1).good


def test_the_colour_of_a_tile_is_off_when_another_is_shown_there() -> None:
    image = np.zeros((90, 160, 3), np.uint8)
    image[:, 80:] = (122, 74, 62)
    left, right = (Tile(leg=LegId("a"), source=Source.CAMERA, x=x, y=0, width=80, height=90) for x in (0, 80))
    assert colour_off(image, right, (122, 74, 60)) == 2
    assert colour_off(image, left, (122, 74, 60)) == 122


@pytest.mark.parametrize(("good", "code"), [(True, 0), (False, 1)])
def test_one_finding_that_is_not_good_is_shown_as_such_and_makes_the_exit_code_1(
    good: bool, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    findings = [Finding("the picture", "1280x720", True), Finding("the leave sound", "inf ms", good)]

    async def run_check(console: object, picture: object) -> bool:
        return show.report(console, findings)  # type: ignore[arg-type]

    monkeypatch.setattr(show, "run_check", run_check)
    done = CliRunner().invoke(cli, ["demo", "--check"])
    assert done.exit_code == code
    rows = [line.split("│")[1:3] for line in done.output.splitlines() if "│" in line]
    assert [[cell.strip() for cell in row] for row in rows] == [
        ["ok", "the picture"],
        ["ok" if good else "no", "the leave sound"],
    ]
