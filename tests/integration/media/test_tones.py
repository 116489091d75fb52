"""Keys that come as tones in the sound, at a real plane: of telephones that tell of them in no other way."""

from collections.abc import Iterator

import numpy as np
import pytest
from telephones import PORTS, RATE, TICK, Spoken, Telephone, collect

from mcu.media._native import DIGIT, Plane

LOW, HIGH = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
KEYS = "123A456B789C*0#D"


@pytest.fixture
def plane() -> Iterator[Plane]:
    plane = Plane(["127.0.0.1"], ports=PORTS)
    yield plane
    plane.close()


def press(key: str) -> list[Spoken]:
    """100 ms, and as long a pause."""
    at = np.arange(5 * TICK) / RATE
    row, column = divmod(KEYS.index(key), 4)
    tones = 4000 * (np.sin(2 * np.pi * LOW[row] * at) + np.sin(2 * np.pi * HIGH[column] * at))
    return [*tones.astype(np.int16).reshape(5, TICK), *np.zeros((5, TICK), np.int16)]


def test_a_telephone_without_telephone_events_presses_by_tones_and_is_heard_in_no_room_for_that(plane: Plane) -> None:
    pressing, other = Telephone(plane, tones=True), Telephone(plane)
    digits: list[tuple[int, str]] = []
    ticks = [tick for key in "*69#" for tick in press(key)]
    for number, samples in enumerate(ticks, 1):
        pressing.say(samples)
        other.say(samples)
        happened = collect(plane, number, [pressing, other])
        assert not plane.talkers()[0]
        plane.skip(number)
        digits += [(event.leg, chr(event.a)) for event in happened if event.kind == DIGIT]
    assert digits == [(pressing.handle, key) for key in "*69#"]
    for phone in (pressing, other):
        phone.close()
