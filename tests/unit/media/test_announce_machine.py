"""Random joins, leaves, losses, crashes, holds and reports of up to 30 legs, before a witness who sees only outputs."""

import hypothesis.strategies as st
import pytest
from gate import Stage, Witness
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mcu.ids import LegId
from mcu.media.life import LegEvent, LegState
from mcu.media.messages import Cause, Outcome

LEGS = [LegId(f"leg_{number:02}") for number in range(30)]
ABOUT = st.sampled_from(LEGS)
CAUSES = st.sampled_from(list(Cause))


class Gate(RuleBasedStateMachine):
    """Whatever happens, in whatever order, the witness finds nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage(resume_ticks=25)
        self.witness = Witness()

    def _befall(self, leg: LegId, event: LegEvent, cause: Cause | None = None) -> None:
        if self.stage.life.state(leg) is not LegState.GONE:
            self.witness.event(leg, event)
        self.stage.life.happened(leg, event, cause)

    @initialize(count=st.integers(0, 8))
    def a_few_are_there(self, count: int) -> None:
        for leg in LEGS[:count]:
            self.joins(leg)
        self.time_passes(12)

    @rule(leg=ABOUT)
    def joins(self, leg: LegId) -> None:
        if self.stage.life.state(leg) is LegState.GONE and leg not in self.witness.states:
            self.stage.life.add(leg)
            self.witness.states[leg] = LegState.CONNECTING
        self._befall(leg, LegEvent.CONNECTED)
        self._befall(leg, LegEvent.ADMITTED)

    @rule(leg=ABOUT)
    def waits_in_the_lobby(self, leg: LegId) -> None:
        if leg not in self.witness.states:
            self.stage.life.add(leg)
            self.witness.states[leg] = LegState.CONNECTING
            self._befall(leg, LegEvent.CONNECTED)

    @rule(leg=ABOUT, event=st.sampled_from(list(LegEvent)), cause=CAUSES)
    def anything_at_all(self, leg: LegId, event: LegEvent, cause: Cause) -> None:
        if event is not LegEvent.ANNOUNCED:
            self._befall(leg, event, cause)
        else:
            self.stage.life.happened(leg, event)  # nobody from outside opens the gate

    @rule(legs=st.lists(ABOUT, min_size=1, max_size=6), cause=CAUSES)
    def several_are_lost(self, legs: list[LegId], cause: Cause) -> None:
        for leg in legs:
            self._befall(leg, LegEvent.LOST, cause)

    @rule(leg=ABOUT)
    def returns(self, leg: LegId) -> None:
        self._befall(leg, LegEvent.RETURNED)

    @rule(leg=ABOUT)
    def leaves(self, leg: LegId) -> None:
        self._befall(leg, LegEvent.ENDED, Cause.HANGUP)

    @rule(leg=ABOUT, away=st.integers(0, 9))
    def is_held_for_a_while(self, leg: LegId, away: int) -> None:
        self._befall(leg, LegEvent.HELD)
        self.time_passes(away)
        self._befall(leg, LegEvent.RESUMED)

    @rule(data=st.data(), received=st.booleans())
    def rtcp_reports(self, data: st.DataObject, received: bool) -> None:
        sent = [
            (leg, notice)
            for notice, record in self.stage.records.items()
            for leg, outcome in record.recipients.items()
            if outcome is Outcome.SENT
        ]
        if sent:
            leg, notice = data.draw(st.sampled_from(sent))
            self.stage.life.reported(leg, notice, received)

    @precondition(lambda self: self.witness.now > 20)
    @rule()
    def the_worker_dies(self) -> None:
        seats = [leg for leg, state in self.witness.states.items() if state in _SEATED]
        self.stage, self.witness = Stage(resume_ticks=25), Witness.of_new_worker(seats)
        for leg in seats:
            self.stage.life.restore(leg)

    @rule(ticks=st.integers(1, 8))
    def time_passes(self, ticks: int) -> None:
        for _ in range(ticks):
            self.witness.see(self.stage.tick())

    @invariant()
    def both_agree_on_where_everybody_is(self) -> None:
        for leg, state in self.witness.states.items():
            assert self.stage.life.state(leg) is state

    def teardown(self) -> None:
        self.time_passes(60)
        for record in self.stage.records.values():
            assert Outcome.PENDING not in record.recipients.values()


_SEATED = (LegState.ANNOUNCING, LegState.IN_ROOM, LegState.HELD, LegState.RECONNECTING)

Gate.TestCase.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
TestNobodyUnnoticed = pytest.mark.policy("S5.3-1", "S5.3-2", "S5.3-5", "S5.3-6", "S5.3-8")(Gate.TestCase)
