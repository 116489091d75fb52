"""What people do at random in a room, for state machines that listen: they join, leave, are lost, hold, mute, speak.

A machine has only to connect legs, and to let a tick pass.
"""

from abc import abstractmethod

import hypothesis.strategies as st
from gate import Stage
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from mcu.ids import LegId
from mcu.media.announce import TickPlan
from mcu.media.life import LegEvent, LegState
from mcu.media.messages import Cause

LEGS = [LegId(f"leg_{letter}") for letter in "abcde"]
ABOUT = st.sampled_from(LEGS)


class Doings(RuleBasedStateMachine):
    """`stage` is the gate, told of everything; nobody speaks to begin with."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage(resume_ticks=20)
        self.connected: set[LegId] = set()
        self.muted: frozenset[LegId] = frozenset()
        self.silent = set(LEGS)

    @abstractmethod
    def connect(self, leg: LegId) -> None: ...

    @abstractmethod
    def disconnect(self, leg: LegId) -> None: ...

    @abstractmethod
    def passes(self, plan: TickPlan) -> None:
        """A tick, mixed, sent and looked at."""

    def may_be_heard(self, plan: TickPlan) -> frozenset[LegId]:
        return plan.inside - self.muted

    def follow_connections(self) -> None:
        """As the room does: who is lost or gone has no connection, whoever comes or returns a new one."""
        away = (LegState.GONE, LegState.RECONNECTING)
        here = {leg for leg in LEGS if self.stage.life.state(leg) not in away}
        for leg in self.connected - here:
            self.disconnect(leg)
        for leg in here - self.connected:
            self.connect(leg)
        self.connected = here

    @initialize(count=st.integers(0, 4), speaking=st.sets(ABOUT))
    def a_few_are_there(self, count: int, speaking: set[LegId]) -> None:
        self.silent -= speaking
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
        self.follow_connections()
        self.stage.happens(LegEvent.RETURNED, leg)

    @rule(leg=ABOUT, event=st.sampled_from([event for event in LegEvent if event is not LegEvent.ANNOUNCED]))
    def anything_at_all(self, leg: LegId, event: LegEvent) -> None:
        self.stage.happens(event, leg, cause=Cause.NETWORK)

    @rule(leg=ABOUT, muted=st.booleans())
    def microphone(self, leg: LegId, muted: bool) -> None:
        self.muted = self.muted | {leg} if muted else self.muted - {leg}

    @rule(leg=ABOUT, held=st.booleans())
    def hold(self, leg: LegId, held: bool) -> None:
        self.stage.happens(LegEvent.HELD if held else LegEvent.RESUMED, leg)

    @rule(leg=ABOUT, silent=st.booleans())
    def speaks_or_listens(self, leg: LegId, silent: bool) -> None:
        (self.silent.add if silent else self.silent.discard)(leg)

    @rule(ticks=st.integers(1, 7))
    def time_passes(self, ticks: int) -> None:
        for _ in range(ticks):
            plan = self.stage.tick()
            self.follow_connections()
            self.passes(plan)
