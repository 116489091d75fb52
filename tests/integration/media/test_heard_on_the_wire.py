"""As `test_heard_machine.py`, but in packets: random doings in a room of the real plane, with telephones on the line.

Every telephone says a tone that nobody else says, and each packet that it is sent is searched for the tones.
"""

import numpy as np
import pytest
from doings import LEGS, Doings
from hypothesis import settings
from telephones import PORTS, RATE, TICK, Spoken, Telephone, collect

from mcu.clock import SystemClock
from mcu.ids import LegId
from mcu.media._native import UNSENT, Plane
from mcu.media.announce import TickPlan
from mcu.media.audio.mixer import AudioMixer
from mcu.media.audio.outgoing import Outgoing, Said
from mcu.media.seams import TICK_SAMPLES

HERTZ = dict(zip(LEGS, (2_500, 2_750, 3_000, 3_250, 3_500), strict=True))  # above all notes, whole turns in a tick
SAID, HEARD, UNHEARD = 4_000, 2_000, 500  # amplitudes; time is stretched a little, which spreads a tone
SETTLED = 75  # ticks

_at = np.arange(TICK) / RATE
TONES = {leg: (SAID * np.sin(2 * np.pi * hertz * _at)).astype(np.int16) for leg, hertz in HERTZ.items()}
PROBES = {leg: np.hanning(TICK) * np.exp(-2j * np.pi * hertz * _at) for leg, hertz in HERTZ.items()}


def amplitude(samples: Spoken, leg: LegId) -> float:
    return float(abs(samples @ PROBES[leg]) * 4 / TICK)


class Listened:
    """A telephone, whom it may hear in the tick that is under way, and what it heard last."""

    def __init__(self, plane: Plane) -> None:
        self.telephone = Telephone(plane)
        self.may: frozenset[LegId] | None = None  # None: it is to be sent nothing
        self.last: Spoken = np.zeros(TICK, np.int16)

    def listen(self) -> None:
        packets = self.telephone.heard()
        assert len(packets) == (self.may is not None)
        for packet in packets:
            self.last = packet
            for leg in LEGS:
                assert leg in (self.may or ()) or amplitude(packet, leg) < UNHEARD, f"{leg} is heard"


class HeardOnTheWire(Doings):
    """Whatever happens, no packet has anything of who is outside or muted, and none for who is outside of anybody."""

    def __init__(self) -> None:
        super().__init__()
        self.plane = Plane(["127.0.0.1"], ports=PORTS)
        self.mixer = AudioMixer(self.plane, len(LEGS))
        self.out = Outgoing(self.plane, SystemClock())
        self.lines: dict[LegId, Listened] = {}
        self.ended: list[Listened] = []  # the room is done with them, and the plane not yet

    def connect(self, leg: LegId) -> None:
        self.lines[leg] = Listened(self.plane)
        self.mixer.connect(leg, self.lines[leg].telephone.handle)

    def disconnect(self, leg: LegId) -> None:
        self.mixer.disconnect(leg)
        self.ended.append(self.lines.pop(leg))

    def passes(self, plan: TickPlan) -> None:
        for leg in self.lines.keys() - self.silent:
            self.lines[leg].telephone.say(TONES[leg])
        everyone = (*self.lines.values(), *self.ended)
        happened = collect(self.plane, self.stage.number, [line.telephone for line in everyone])
        assert UNSENT not in [event.kind for event in happened]
        for line in everyone:
            line.listen()
            line.may = None
        talkers, samples = self.plane.talkers()
        said = Said(talkers, np.frombuffer(samples, np.int16).reshape(-1, TICK_SAMPLES))
        self.mixer.mix(said, plan.inside, self.muted, plan.cues, {}, self.out)
        self.out.send(self.stage.number)
        for leg, line in self.lines.items():
            line.may = self.may_be_heard(plan) - {leg} if leg in plan.inside else frozenset()

    def teardown(self) -> None:
        """When all is quiet everybody inside hears all the others who may be heard: this looked at something."""
        try:
            self.silent.clear()
            self.time_passes(SETTLED)
            plan = self.stage.plans[-1]
            for leg in plan.inside:
                for other in self.may_be_heard(plan) - {leg}:
                    assert amplitude(self.lines[leg].last, other) > HEARD, f"{leg} does not hear {other}"
        finally:
            for line in (*self.lines.values(), *self.ended):
                line.telephone.close()
            self.plane.close()


HeardOnTheWire.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestNobodyHeardUnannounced = pytest.mark.policy("S5.3-1", "S5.3-4", "S5.3-6", "S5.3-8")(HeardOnTheWire.TestCase)
