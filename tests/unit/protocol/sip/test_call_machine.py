"""Calls in any order of what both sides may do, over a wire that loses, repeats and reorders: they end, wholly.

Whatever a call can be asked for at a wrong moment is `Conflict`; nothing else is raised.
"""

import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sip_wire import ANSWER, OFFER, End, Wire

from mcu.errors import Conflict
from mcu.protocol.sip.call import Call
from mcu.protocol.sip.call_state import State
from mcu.protocol.sip.events import Changing, Ended, Established, Invited, Sent, Within
from mcu.protocol.sip.responses import response_to

LONGEST_S = 4000.0  # after which nothing of any call may be left: a session timer is half an hour
CALLS = 8  # of one run


class Weather(Wire):
    """Each message has its own delay, or several, or is lost."""

    def __init__(self, transport: str, seed: int, loss: float, twice: float) -> None:
        super().__init__(transport)
        self.dice, self.loss, self.twice = random.Random(seed), loss, twice

    def carry(self, sender: End, sent: Sent) -> None:
        if self.dice.random() < self.loss:
            return
        for _ in range(2 if self.dice.random() < self.twice else 1):
            self.delay = self.dice.choice((0.01, 0.05, 0.3, 1.2))
            super().carry(sender, sent)


class Calls(RuleBasedStateMachine):
    """Both ends call, and do with their calls what they like."""

    sides: ClassVar = st.sampled_from(["phone", "server"])

    @initialize(
        transport=st.sampled_from(["UDP", "TCP"]),
        seed=st.integers(0, 2**32),
        loss=st.sampled_from([0.0, 0.1, 0.4]),
        twice=st.sampled_from([0.0, 0.3]),
    )
    def begin(self, transport: str, seed: int, loss: float, twice: float) -> None:
        reliable = transport != "UDP"
        self.wire = Weather(transport, seed, 0.0 if reliable else loss, 0.0 if reliable else twice)
        self.calls: dict[str, list[Call]] = {"phone": [], "server": []}
        self.ended: list[Call] = []

    def _end(self, side: str) -> End:
        return self.wire.phone if side == "phone" else self.wire.server

    def _pick(self, side: str, number: int) -> Call | None:
        calls = self.calls[side]
        return calls[number % len(calls)] if calls else None

    def _try(self, side: str, number: int, what: Callable[[Call], object]) -> None:
        call = self._pick(side, number)
        if call is not None:
            with suppress(Conflict):
                what(call)
            self._end(side).drain()
            self._read()

    def _read(self) -> None:
        """What each was told: calls that came are kept, changes are answered, or not, by their body."""
        for side in ("phone", "server"):
            end = self._end(side)
            told, end.told = end.told, []
            for event in told:
                match event:
                    case Invited(call):
                        self.calls[side].append(call)
                    case Ended(call):
                        assert call not in self.ended, "a call ends once"
                        self.ended.append(call)
                    case Established(call):
                        assert call not in self.ended
                    case Changing(call, _) if self.wire.dice.random() < 0.7:
                        with suppress(Conflict):
                            call.changes.accept(ANSWER)
                    case Changing(call, _) if self.wire.dice.random() < 0.7:
                        call.changes.refuse(488)
                    case Within(_, request, key):
                        end.agent.respond(key, response_to(request, 200))
                    case _:
                        pass
            end.drain()

    @rule(side=sides, reliably=st.booleans(), offers=st.booleans())
    def calls_the_other(self, side: str, reliably: bool, offers: bool) -> None:
        if len(self.calls["phone"]) + len(self.calls["server"]) < CALLS:
            headers: dict[str, Any] = {"Require": "100rel"} if reliably else {}
            self.calls[side].append(self._end(side).invite(OFFER if offers else b"", **headers))
            self._read()

    @rule(seconds=st.sampled_from([0.02, 0.3, 2.0, 40.0, 1000.0]))
    def time_passes(self, seconds: float) -> None:
        until = self.wire.now + seconds
        while self.wire.now < until:
            self.wire.run(min(0.5 if seconds < 100 else 50.0, until - self.wire.now))
            self._read()

    @rule(side=sides, number=st.integers(0, 7), body=st.sampled_from([b"", ANSWER]))
    def rings(self, side: str, number: int, body: bytes) -> None:
        self._try(side, number, lambda call: call.ring(183 if body else 180, body))

    @rule(side=sides, number=st.integers(0, 7))
    def answers(self, side: str, number: int) -> None:
        self._try(side, number, lambda call: call.answer(ANSWER))

    @rule(side=sides, number=st.integers(0, 7))
    def refuses(self, side: str, number: int) -> None:
        self._try(side, number, lambda call: call.refuse(486))

    @rule(side=sides, number=st.integers(0, 7))
    def hangs_up(self, side: str, number: int) -> None:
        self._try(side, number, lambda call: call.hang_up())

    @rule(side=sides, number=st.integers(0, 7), body=st.sampled_from([b"", OFFER]))
    def changes(self, side: str, number: int, body: bytes) -> None:
        self._try(side, number, lambda call: call.changes.offer(body))

    @rule(side=sides, number=st.integers(0, 7))
    def acknowledges_what_was_offered(self, side: str, number: int) -> None:
        self._try(side, number, lambda call: call.changes.acknowledge(ANSWER))

    @rule(side=sides, number=st.integers(0, 7))
    def informs(self, side: str, number: int) -> None:
        self._try(side, number, lambda call: call.inform("application/dtmf", b"5"))

    @invariant()
    def what_has_ended_stays_so(self) -> None:
        assert all(call.state is State.ENDED for call in getattr(self, "ended", []))

    def teardown(self) -> None:
        """Both are cut off: every call is over when its session is, and nothing of it is kept or due."""
        if not hasattr(self, "wire"):
            return
        self.wire.loss = 1.0
        for _ in range(40):
            for call in [*self.calls["phone"], *self.calls["server"]]:
                if call.state is State.INVITED:
                    call.hang_up()  # nobody else would: it rings until somebody does something
            self.wire.run(LONGEST_S / 40)
            self._read()
        assert all(call.state is State.ENDED for calls in self.calls.values() for call in calls)
        assert sorted(map(id, self.ended)) == sorted(map(id, [*self.calls["phone"], *self.calls["server"]]))
        for end in (self.wire.phone, self.wire.server):
            assert (len(end.agent), end.agent.transactions, end.agent.next_timer()) == (0, 0, None)


TestCalls = Calls.TestCase
TestCalls.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
