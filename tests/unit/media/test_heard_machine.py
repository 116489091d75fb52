"""Random joins, leaves, losses, holds and mutes, through the gate, the real sound mixer and the layouts.

Every leg says a tone that nobody else says, and what each is sent is searched for the tones. So this looks at samples
and tiles, where `test_announce_machine.py` looks at what the gate says. The plane is on paper, and decodes whoever is
connected, heard or not: the mixer is to see to that. An encoder remembers the end of the tick before, also that of the
stream that a leg was on before, where a stream is primed: what it remembers is looked at too.
"""

import hypothesis.strategies as st
import numpy as np
import pytest
from doings import ABOUT, LEGS, Doings
from hypothesis import Phase, settings
from hypothesis.stateful import rule
from paper_plane import NOTHING, QUIET, PaperPlane

from mcu.clock import SystemClock
from mcu.ids import LegId
from mcu.media.announce import TickPlan
from mcu.media.audio.mixer import AudioMixer
from mcu.media.audio.outgoing import Outgoing, Said
from mcu.media.messages import Layout, RoomProfile
from mcu.media.picture.classes import ViewKey
from mcu.media.picture.stage import Stage as PictureStage
from mcu.media.picture.view import View
from mcu.media.seams import SAMPLE_RATE, TICK_SAMPLES, Samples, Seen

HERTZ = dict(zip(LEGS, (2_800, 3_500, 4_200, 4_900, 5_600), strict=True))  # above all notes, whole turns in a tick
WORDS_HERTZ = 6_300  # of what the server says to single legs
SAID, HEARD, UNHEARD = 4_000, 3_000, 300  # amplitudes

_at = np.arange(TICK_SAMPLES) / SAMPLE_RATE
PROBES = {leg: np.exp(-2j * np.pi * hertz * _at) for leg, hertz in HERTZ.items()}
TONES = {leg: (SAID * np.sin(2 * np.pi * hertz * _at)).astype(np.int16) for leg, hertz in HERTZ.items()}
WORDS = (SAID * np.sin(2 * np.pi * WORDS_HERTZ * _at)).astype(np.int16)
WORDS_PROBE = np.exp(-2j * np.pi * WORDS_HERTZ * _at)
OVERLAP = 312  # samples: what an Opus packet has of the tick before it


def _amplitudes(samples: Samples) -> dict[LegId, float]:
    windowed = samples * np.hanning(samples.size)
    return {leg: float(abs(np.sum(windowed * PROBES[leg][: samples.size])) * 4 / samples.size) for leg in LEGS}


def _words(samples: Samples) -> float:
    return float(abs(np.sum(samples * np.hanning(samples.size) * WORDS_PROBE)) * 4 / samples.size)


class Encoders:
    """What each stream's encoder was given last, and what each leg was sent last."""

    def __init__(self, plane: PaperPlane) -> None:
        self._plane = plane
        self._given: dict[int, Samples] = {}
        self._sent: dict[int, Samples] = {}

    def remembered(self, tick: int) -> dict[int, Samples]:
        """For each leg that was sent something in this tick: what its stream's encoder was given before it."""
        sent = {leg: told[-1] for leg, told in self._plane.legs.items() if told and told[-1].tick == tick}
        before = {
            leg: self._given.get(one.sound, self._sent.get(leg, QUIET) if self._plane.primed.get(one.sound) else QUIET)
            for leg, one in sent.items()
        }
        self._given = {one.sound: one.samples for one in sent.values() if one.sound > NOTHING}
        self._sent = {leg: one.samples for leg, one in sent.items()}
        return before


class Hearer:
    """One connection's ear: what it may hear in a tick, and what it is sent."""

    def __init__(self) -> None:
        self._may: frozenset[LegId] = frozenset()
        self.found: dict[LegId, float] = {}
        self.words = 0.0

    def hears(self, samples: Samples, before: Samples, may: frozenset[LegId], *, inside: bool) -> None:
        self.found, overlap, self.words = _amplitudes(samples), _amplitudes(before[-OVERLAP:]), _words(samples)
        overlapping = (self._may | may) if inside else may
        self._may = may
        for leg in LEGS:
            assert leg in may or self.found[leg] < UNHEARD, f"{leg} is heard"
            assert leg in overlapping or overlap[leg] < UNHEARD, f"{leg} is heard in the overlap"


class Heard(Doings):
    """Whatever happens, nobody hears or sees who is outside or muted, and who is outside hears and sees nobody."""

    def __init__(self) -> None:
        super().__init__()
        self.plane = PaperPlane()
        self.encoders = Encoders(self.plane)
        self.mixer = AudioMixer(self.plane, len(LEGS))
        self.out = Outgoing(self.plane, SystemClock())
        self.handles: dict[LegId, int] = {}
        self.hearers: dict[int, Hearer] = {}
        self.told: set[LegId] = set()
        self.pictures = PictureStage()
        profile = RoomProfile(width=160, height=90)
        self.views = [
            View(ViewKey(layout, without, apart), layout, profile)
            for layout in Layout
            for without in (None, LEGS[0])
            for apart in (False, True)
        ]

    @rule(speaker=ABOUT, spotlight=st.one_of(st.none(), ABOUT))
    def is_made_large(self, speaker: LegId, spotlight: LegId | None) -> None:
        self.pictures.set_speaker(speaker)
        self.pictures.spotlight = spotlight

    @rule(leg=ABOUT, told=st.booleans())
    def is_told_something(self, leg: LegId, told: bool) -> None:
        (self.told.add if told else self.told.discard)(leg)

    def connect(self, leg: LegId) -> None:
        self.handles[leg] = self.plane.leg()
        self.hearers[self.handles[leg]] = Hearer()
        self.mixer.connect(leg, self.handles[leg])

    def disconnect(self, leg: LegId) -> None:
        self.mixer.disconnect(leg)
        del self.handles[leg]

    def passes(self, plan: TickPlan) -> None:
        tick = self.stage.number
        words = {handle: TONES[leg] for leg, handle in self.handles.items() if leg not in self.silent}
        self.plane.deliver(self.mixer.room, words)
        talkers, samples = self.plane.talkers()
        said = Said(talkers, np.frombuffer(samples, np.int16).reshape(-1, TICK_SAMPLES))
        levels = self.mixer.mix(said, plan.inside, self.muted, plan.cues, dict.fromkeys(self.told, WORDS), self.out)
        self.out.send(tick)
        before = self.encoders.remembered(tick)
        speaking = self.may_be_heard(plan) - self.silent
        owners = {handle: leg for leg, handle in self.handles.items()}
        for handle in before:  # a connection that is over is sent nothing
            leg = owners[handle]
            may = speaking - {leg} if leg in plan.inside else frozenset[LegId]()
            sent = self.plane.legs[handle][-1].samples
            self.hearers[handle].hears(sent, before[handle], may, inside=leg in plan.inside)
            assert (self.hearers[handle].words > HEARD) is (leg in self.told), f"{leg}'s words"
        assert owners.keys() == before.keys(), "somebody who is connected is sent nothing"
        assert levels.keys() <= speaking
        self._show(plan)

    def _show(self, plan: TickPlan) -> None:
        """As the room does: told who is inside before the tick's sound goes out."""
        self.pictures.set_seen(
            Seen(leg=leg, label=leg, muted=False, camera=True, screen=leg in LEGS[:2]) for leg in sorted(plan.inside)
        )
        for view in self.views:
            view.arrange(self.pictures)
            assert {tile.leg for tile in view.tiles} <= plan.inside, f"{view.key} shows somebody who is outside"
            assert view.key.without not in {tile.leg for tile in view.tiles}

    def teardown(self) -> None:
        """When nothing is said everybody inside hears all the others who may be heard: this looked at something."""
        self.silent.clear()
        self.told.clear()
        self.time_passes(45)
        plan = self.stage.plans[-1]
        for leg in plan.inside:
            for other in self.may_be_heard(plan) - {leg}:
                assert self.hearers[self.handles[leg]].found[other] > HEARD, f"{leg} does not hear {other}"


# What is found is told as it was found: to look for its shortest form takes five minutes, and a test has two.
AS_FOUND = (Phase.explicit, Phase.reuse, Phase.generate)
Heard.TestCase.settings = settings(max_examples=75, stateful_step_count=25, deadline=None, phases=AS_FOUND)
TestNobodyHeardUnannounced = pytest.mark.policy("S5.3-1", "S5.3-4", "S5.3-6", "S5.3-8")(Heard.TestCase)
