"""A room of the real plane, Opus both ways: what its listeners hear while others come and go in the mix."""

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from sound import loudest_click, strength, tone
from telephones import PORTS, OpusPhone, collect

from mcu.clock import SystemClock
from mcu.ids import LegId
from mcu.media._native import Plane
from mcu.media.audio.mixer import AudioMixer
from mcu.media.audio.outgoing import Outgoing, Said
from mcu.media.seams import TICK_SAMPLES, Samples

A, B, C = LegId("leg_a"), LegId("leg_b"), LegId("leg_c")
HERTZ = {A: 450, B: 700, C: 1000}
NOBODY: frozenset[LegId] = frozenset()
WARM = 30  # ticks until a jitter buffer is filled and a codec has begun
CLICK = 0.2  # of the tone: an encoder that begins anew makes 0.7, and a codec alone 0.1


class Table:
    def __init__(self, plane: Plane) -> None:
        self.plane, self._out, self._tick = plane, Outgoing(plane, SystemClock()), 0
        self.mixer = AudioMixer(plane, loudest=5)
        self.phones = {leg: OpusPhone(plane) for leg in (A, B, C)}
        self.heard: dict[LegId, list[Samples]] = {leg: [] for leg in self.phones}
        for leg, phone in self.phones.items():
            self.mixer.connect(leg, phone.handle)

    def run(self, ticks: int, talking: Sequence[LegId]) -> "Table":
        for _ in range(ticks):
            self._tick += 1
            for leg, phone in self.phones.items():
                phone.say(tone(HERTZ[leg], 1, 6000 if leg in talking else 0))
            collect(self.plane, self._tick, self.phones.values())
            for leg, phone in self.phones.items():
                self.heard[leg] += phone.heard()
            talkers, samples = self.plane.talkers()
            said = Said(talkers, np.frombuffer(samples, np.int16).reshape(-1, TICK_SAMPLES))
            self.mixer.mix(said, frozenset(self.phones), NOBODY, {}, {}, self._out)
            self._out.send(self._tick)
        return self


@pytest.fixture
def table() -> Iterator[Table]:
    plane = Plane(["127.0.0.1"], ports=PORTS)
    table = Table(plane)
    yield table
    for phone in table.phones.values():
        phone.close()
    plane.close()


def test_everyone_hears_everyone_but_itself(table: Table) -> None:
    table.run(80, talking=(A, B, C))
    for listener in HERTZ:
        sound = np.concatenate(table.heard[listener][40:])
        for talker, hertz in HERTZ.items():
            found = strength(sound, hertz)
            assert found < 300 if talker is listener else found > 4500


@pytest.mark.parametrize("talks_after", [40, 53])
def test_a_steady_tone_has_no_click_when_its_listener_starts_and_stops_to_talk(table: Table, talks_after: int) -> None:
    """The listener moves from the shared stream to its own and back again."""
    table.run(talks_after, talking=(A,)).run(20, talking=(A, B)).run(120, talking=(A,))
    heard = np.concatenate(table.heard[B])
    assert loudest_click(heard[WARM * TICK_SAMPLES :], HERTZ[A]) < CLICK


def test_k_talkers_cost_k_encodes_a_tick_and_one_for_all_others(table: Table) -> None:
    table.run(60, talking=(A,))
    before = table.plane.stats()["audio_encodes"]
    table.run(50, talking=(A,))
    assert table.plane.stats()["audio_encodes"] - before == pytest.approx(2 * 50, abs=4)  # it may be a tick behind
