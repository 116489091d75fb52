"""Trunks that are asked and registered at, over loopback."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest
from hall import until

from mcu.clock import SystemClock
from mcu.net.sip.driver import Driver
from mcu.net.sip.endpoint import Listen
from mcu.net.sip.names import Names, Place
from mcu.protocol.sip.digest import Challenger, ha1
from mcu.protocol.sip.events import Answered, Asked, Event
from mcu.protocol.sip.gate import Gate, Limits
from mcu.protocol.sip.responses import response_to
from mcu.protocol.sip.values import parse_credentials
from mcu.signalling.sip import trunk_keeper
from mcu.signalling.sip.roads import Roads
from mcu.signalling.sip.trunk_keeper import TrunkKeeper
from mcu.signalling.sip.trunks import Host, Trunk, Trunks

USER, PASSWORD, REALM = "4711", "hemligt", "operator.example"


def driver(happened: Callable[[Event], None]) -> Driver:
    clock = SystemClock()
    gate = Gate(Limits(), clock.monotonic(), lambda _host: True)
    return Driver(Listen(addresses=("127.0.0.1",), port=0), gate, clock, happened, lambda _flow: None)


class Operator:
    """A trunk's other end, which wants to know who registers."""

    def __init__(self) -> None:
        self.expires: list[str | None] = []
        self.busy = False
        self._challenger = Challenger(REALM)
        self.driver = driver(self._happened)

    def _happened(self, event: Event) -> None:
        if not isinstance(event, Asked):
            return
        request = event.request
        text = request.headers.one("Authorization")
        if request.method == "OPTIONS":
            response = response_to(request, 503 if self.busy else 404, tag="t")
        elif text is None:
            asked = [("WWW-Authenticate", one) for one in self._challenger.challenges(1.0)]
            response = response_to(request, 401, tag="t", headers=asked)
        else:
            known = self._challenger.holds(
                parse_credentials(text), ha1("SHA-256", USER, REALM, PASSWORD), request.method
            )
            self.expires += [request.headers.one("Expires")] if known else []
            response = response_to(request, 200 if known else 403, tag="t")
        self.driver.respond(event.key, response)


@asynccontextmanager
async def kept(operator: Operator) -> AsyncIterator[Trunks]:
    await operator.driver.start()
    port = operator.driver.endpoint.ports[0]
    trunk = Trunk(
        name="operator",
        hosts=(Host("127.0.0.1", port),),
        transport="udp",
        registers=True,
        domain=REALM,
        user=USER,
        password=PASSWORD,
        caller_id="",
        priority=1,
        prefixes=("+46",),
        dear=False,
        codecs=(),
        encrypted=True,
        by_dtls=False,
        verifies=False,
        calls_max=1,
    )
    trunks = Trunks([trunk])
    ours = driver(lambda event: told(event))

    def told(event: Event) -> None:
        if isinstance(event, Answered):
            keeper.answered(event)

    keeper = TrunkKeeper(Roads(trunks, ours, Names()), ours)
    await ours.start()
    keeper.start()
    try:
        health = trunks.health["operator"]
        await until(lambda: None not in (health.answers, health.registered))
        yield trunks
    finally:
        await keeper.stop()
        await ours.close()
        await operator.driver.close()


async def test_a_trunk_is_registered_at_with_its_password_and_left_at_the_end() -> None:
    operator = Operator()
    async with kept(operator) as trunks:
        health = trunks.health["operator"]
        assert (health.registered, health.answers, health.up) == (True, True, True)
    assert operator.expires == ["600", "0"]


async def test_a_trunk_that_says_it_cannot_is_down() -> None:
    operator = Operator()
    operator.busy = True
    async with kept(operator) as trunks:
        assert (trunks.health["operator"].answers, trunks.health["operator"].up) == (False, False)


async def test_a_trunk_is_kept_though_keeping_it_has_failed_for_a_reason_that_nobody_thought_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    find, failures = Roads.to_trunk, iter([ZeroDivisionError] * 2)

    async def fails(roads: Roads, trunk: Trunk, host: Host) -> Sequence[Place]:
        if (failure := next(failures, None)) is not None:
            raise failure
        return await find(roads, trunk, host)

    monkeypatch.setattr(Roads, "to_trunk", fails)
    monkeypatch.setattr(trunk_keeper, "AGAIN_S", 0.01)
    async with kept(Operator()) as trunks:
        assert trunks.health["operator"].up
