"""Random joins, leaves, losses, holds and mutes, through the gate, the real sound mixer and the layouts.

Every leg says a tone that nobody else says, and each payload is searched for the tones. So this looks at samples and
tiles, where `test_announce_machine.py` looks at what the gate says. A lossless codec stands in Opus' place: what a
decoder makes of an Opus stream whose beginning it missed is not silent, and would hide what is to be found.
"""

import hypothesis.strategies as st
import numpy as np
import pytest
from gate import Stage
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from mcu.ids import LegId
from mcu.media.announce import TickPlan
from mcu.media.audio import mixer
from mcu.media.audio.mixer import AudioMixer
from mcu.media.audio.opus import silence
from mcu.media.life import LegEvent, LegState
from mcu.media.messages import Cause, Layout, RoomProfile
from mcu.media.picture.stage import Stage as PictureStage
from mcu.media.picture.view import View
from mcu.media.seams import SAMPLE_RATE, TICK_SAMPLES, Samples, Seen

LEGS = [LegId(f"leg_{letter}") for letter in "abcde"]
HERTZ = dict(zip(LEGS, (2_800, 3_500, 4_200, 4_900, 5_600), strict=True))  # above all notes, whole turns in a tick
SAID, HEARD, UNHEARD = 4_000, 3_000, 300  # amplitudes
ABOUT = st.sampled_from(LEGS)

_at = np.arange(TICK_SAMPLES) / SAMPLE_RATE
PROBES = {leg: np.exp(-2j * np.pi * hertz * _at) for leg, hertz in HERTZ.items()}
TONES = {leg: (SAID * np.sin(2 * np.pi * hertz * _at)).astype(np.int16) for leg, hertz in HERTZ.items()}
OVERLAP = 312  # samples: what an Opus packet has of the tick before it


class Lossless:
    """In the place of `OpusEncoder`. A payload is the end of the tick before, and the tick, as samples."""

    def __init__(self) -> None:
        self._before = np.zeros(OVERLAP, np.int16)

    def encode(self, samples: Samples) -> bytes:
        payload = np.concatenate([self._before, samples]).astype(np.int16).tobytes()
        self._before = samples[-OVERLAP:]
        return payload


def strengths(payload: bytes) -> tuple[dict[LegId, float], dict[LegId, float]]:
    """Amplitude of each leg's tone in the end of the tick before, and in the tick. No window has an edge within."""
    if payload == silence():
        return dict.fromkeys(LEGS, 0.0), dict.fromkeys(LEGS, 0.0)
    samples = np.frombuffer(payload, np.int16)
    return _amplitudes(samples[:OVERLAP]), _amplitudes(samples[OVERLAP:])


def _amplitudes(samples: Samples) -> dict[LegId, float]:
    windowed = samples * np.hanning(samples.size)
    return {leg: float(abs(np.sum(windowed * PROBES[leg][: samples.size])) * 4 / samples.size) for leg in LEGS}


class Says:
    """An input whose packets are always on time: in every tick the same tone, which fits a tick."""

    says_its_level = True

    def __init__(self, tone: Samples) -> None:
        self._tone = tone

    def level(self) -> int:
        return 21

    def pop(self, decode: bool) -> Samples | None:
        return self._tone if decode else None


class Hearer:
    """One leg's ear: what it may hear in a tick, and what is in its payload."""

    def __init__(self) -> None:
        self._may: frozenset[LegId] = frozenset()
        self.found: dict[LegId, float] = {}

    def hears(self, payload: bytes, may: frozenset[LegId], *, inside: bool) -> None:
        before, self.found = strengths(payload)
        overlapping = (self._may | may) if inside else may
        self._may = may
        for leg in LEGS:
            assert leg in may or self.found[leg] < UNHEARD, f"{leg} is heard"
            assert leg in overlapping or before[leg] < UNHEARD, f"{leg} is heard in the overlap"


class Heard(RuleBasedStateMachine):
    """Whatever happens, nobody hears or sees who is outside or muted, and who is outside hears and sees nobody."""

    def __init__(self) -> None:
        super().__init__()
        self._patch = pytest.MonkeyPatch()
        self._patch.setattr(mixer, "OpusEncoder", Lossless)
        self.stage = Stage(resume_ticks=20)
        self.mixer = AudioMixer(len(LEGS))
        self.inputs = {leg: Says(TONES[leg]) for leg in LEGS}
        self.hearers: dict[LegId, Hearer] = {}
        self.muted: set[LegId] = set()
        self.pictures = PictureStage()
        self.views = [View(layout, RoomProfile(width=160, height=90)) for layout in Layout]

    @initialize(count=st.integers(0, 3))
    def a_few_are_there(self, count: int) -> None:
        self.stage.admit(*LEGS[:count])
        self.time_passes(12)

    @rule(leg=ABOUT, admitted=st.booleans())
    def joins_or_waits(self, leg: LegId, admitted: bool) -> None:
        self.stage.life.add(leg)
        self.stage.happens(LegEvent.CONNECTED, leg)
        if admitted:
            self.stage.happens(LegEvent.ADMITTED, leg)

    @rule(leg=ABOUT)
    def reloads_the_page(self, leg: LegId) -> None:
        self.stage.happens(LegEvent.LOST, leg, cause=Cause.NETWORK)
        self.stage.happens(LegEvent.RETURNED, leg)

    @rule(leg=ABOUT, event=st.sampled_from([event for event in LegEvent if event is not LegEvent.ANNOUNCED]))
    def anything_at_all(self, leg: LegId, event: LegEvent) -> None:
        self.stage.happens(event, leg, cause=Cause.NETWORK)

    @rule(leg=ABOUT, muted=st.booleans())
    def microphone(self, leg: LegId, muted: bool) -> None:
        (self.muted.add if muted else self.muted.discard)(leg)

    @rule(speaker=ABOUT, spotlight=st.one_of(st.none(), ABOUT))
    def is_made_large(self, speaker: LegId, spotlight: LegId | None) -> None:
        self.pictures.set_speaker(speaker)
        self.pictures.spotlight = spotlight

    @rule(ticks=st.integers(1, 7))
    def time_passes(self, ticks: int) -> None:
        for _ in range(ticks):
            plan = self.stage.tick()
            self._mix(plan)
            self._show(plan)

    def _mix(self, plan: TickPlan) -> None:
        for leg, state, _ in plan.changes:
            if state is LegState.GONE:
                self.mixer.forget(leg)
                self.hearers.pop(leg, None)
        connected = [leg for leg in LEGS if self.stage.life.state(leg) not in (LegState.GONE, LegState.RECONNECTING)]
        mixed = self.mixer.mix(self.inputs, plan.inside, frozenset(self.muted), plan.cues, connected)  # type: ignore[arg-type]
        said = plan.inside - self.muted
        for leg, payload in mixed.payloads.items():
            may = said - {leg} if leg in plan.inside else frozenset[LegId]()
            self.hearers.setdefault(leg, Hearer()).hears(payload, may, inside=leg in plan.inside)
        assert set(mixed.talkers) <= said
        assert mixed.levels.keys() <= plan.inside

    def _show(self, plan: TickPlan) -> None:
        """As the room does: told who is inside before the tick's sound goes out."""
        self.pictures.set_seen(
            Seen(leg=leg, label=leg, muted=False, camera=True, screen=leg in LEGS[:2]) for leg in sorted(plan.inside)
        )
        for view in self.views:
            view.arrange(self.pictures)
            assert {tile.leg for tile in view.tiles} <= plan.inside, f"{view.layout} shows somebody who is outside"

    def teardown(self) -> None:
        """When all is quiet everybody inside hears all the others who may be heard: this looked at something."""
        try:
            self.time_passes(45)
        finally:
            self._patch.undo()
        plan = self.stage.plans[-1]
        for leg in plan.inside:
            for other in plan.inside - self.muted - {leg}:
                assert self.hearers[leg].found[other] > HEARD, f"{leg} does not hear {other}"


Heard.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestNobodyHeardUnannounced = pytest.mark.policy("S5.3-1", "S5.3-4", "S5.3-6", "S5.3-8")(Heard.TestCase)
