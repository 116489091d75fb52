"""Callers over a trunk are told apart by their numbers, which are not kept."""

from typing import Any

import pytest
from sip_messages import request

from mcu.clock import SystemClock
from mcu.errors import TooMany
from mcu.protocol.sip.message import Request
from mcu.signalling.sip.callers import CALLS, NAMELESS, Callers

NUMBER = "+46701234567"


class Stopped(SystemClock):
    at = 0.0

    def monotonic(self) -> float:
        return self.at


def of(user: str, **more: Any) -> Request:
    return request(From=f"<sip:{user}@trunk.example>;tag=1", **more)


def test_a_caller_who_calls_too_often_is_held_and_no_other() -> None:
    clock = Stopped()
    callers = Callers(clock)
    names = {callers.called("one", of(NUMBER)) for _ in range(CALLS.amount)}
    assert len(names) == 1
    for again in (of(NUMBER), of("+46700000000", P_Asserted_Identity=f"<tel:{NUMBER}>")):
        with pytest.raises(TooMany) as held:
            callers.called("one", again)
        assert held.value.retry_after == CALLS.every_s
        assert NUMBER not in str(held.value)
    others = {callers.called("one", of("0701234567")), callers.called("two", of(NUMBER))}
    assert len(names | others) == 3
    clock.at += CALLS.every_s
    assert callers.called("one", of(NUMBER)) in names
    assert not any(NUMBER[3:] in name for name in names)
    assert callers.called("one", of("0701234567")) != Callers(clock).called("one", of("0701234567"))


def test_who_hides_the_number_shares_a_measure_with_all_who_do_over_that_trunk() -> None:
    callers = Callers(Stopped())
    for i in range(NAMELESS.amount):
        assert not callers.called("one", of("Anonymous") if i % 2 else request(From="<sip:trunk.example>;tag=1"))
    with pytest.raises(TooMany):
        callers.called("one", of("anonymous"))
    assert not callers.called("two", of("anonymous"))
    assert callers.called("one", of(NUMBER))
