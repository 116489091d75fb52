"""Keeps the trunks: registers where they want that, and asks each every now and then whether it is there (OPTIONS)."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Final

import structlog

from mcu.errors import McuError
from mcu.net.sip.driver import Driver
from mcu.net.sip.endpoint import Flow
from mcu.net.sip.names import Place
from mcu.protocol.sip.agent import Recipient
from mcu.protocol.sip.events import Answered
from mcu.protocol.sip.message import Request, Response
from mcu.protocol.sip.registration import AGAIN_S, Registration
from mcu.protocol.sip.transactions import Key
from mcu.protocol.sip.uri import SipUri
from mcu.protocol.sip.values import Address
from mcu.signalling.sip.roads import Roads
from mcu.signalling.sip.trunks import Health, Host, Trunk
from mcu.signalling.sip.ways import OWN_USER

log = structlog.get_logger(__name__)

PROBE_S: Final = 30.0
ANSWER_S: Final = 10.0  # after which a trunk is taken for dead, whatever SIP's own patience is
LEAVE_S: Final = 2.0  # for all to be told that we register no more
_DEAD: Final = frozenset({408, 503})


class TrunkKeeper:
    """`start` it, and `stop` it; `answered` is to be told of every such event."""

    def __init__(self, roads: Roads, driver: Driver) -> None:
        self._roads, self._driver = roads, driver
        self._waiting: dict[Key, asyncio.Future[Response | None]] = {}
        self._registered: dict[str, tuple[Registration, Flow]] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        for trunk in self._roads.trunks.all:
            self._tasks.append(asyncio.create_task(self._keep(self._probe, trunk)))
            if trunk.registers:
                self._tasks.append(asyncio.create_task(self._keep(self._register, trunk)))

    async def _keep(self, how: Callable[[Trunk], Coroutine[None, None, None]], trunk: Trunk) -> None:
        while True:
            try:
                await how(trunk)
            except Exception:  # a trunk that nobody looks after any more would seem as it was for ever
                log.exception("trunk_not_kept", trunk=trunk.name)
                await asyncio.sleep(AGAIN_S)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        leaving = [self._ask(one.request(flow, ends=True), flow) for one, flow in self._registered.values()]
        try:
            async with asyncio.timeout(LEAVE_S):
                await asyncio.gather(*leaving, return_exceptions=True)
        except TimeoutError:
            pass  # they forget us by themselves

    def answered(self, event: Answered) -> None:
        future = self._waiting.pop(event.key, None)
        if future is not None and not future.done():
            future.set_result(event.response)

    # -- is it there? -------------------------------------------------------------------------------------------------

    async def _probe(self, trunk: Trunk) -> None:
        health = self._roads.trunks.health[trunk.name]
        while True:
            before = health.answers, health.reason
            reasons = [await self.missing(trunk, host) for host in trunk.hosts]
            health.answers, health.reason = "" in reasons, next(filter(None, reasons), "")
            if (health.answers, health.reason) != before:
                self._say(trunk, health)
            await asyncio.sleep(PROBE_S)

    def _say(self, trunk: Trunk, health: Health) -> None:
        """`reason`: of the first of its hosts that is not there, which others may stand in for."""
        if health.answers:
            log.info("trunk_answers", trunk=trunk.name, but=health.reason or None)
        else:
            log.warning("trunk_silent", trunk=trunk.name, reason=health.reason)

    async def missing(self, trunk: Trunk, host: Host) -> str:
        """Why it is not there; "": one of its servers is, whatever it answers but that it cannot."""
        reason = ""
        try:
            for place in await self._roads.to_trunk(trunk, host):
                if not (reason := await self._missing_at(trunk, place)):
                    break
        except McuError as error:
            return error.detail
        return reason

    async def _missing_at(self, trunk: Trunk, place: Place) -> str:
        try:
            flow = await self._roads.flow(place)
        except McuError as error:
            return error.detail
        target = SipUri(trunk.domain)
        to = Recipient(flow, target, Address(SipUri(flow.host, OWN_USER)), Address(target))
        response = await self._answer(lambda: self._driver.agent.request("OPTIONS", to, self._driver.now))
        if response is None:
            return "it does not answer"
        return f"it answers that it cannot ({response.status})" if response.status in _DEAD else ""

    # -- registering --------------------------------------------------------------------------------------------------

    async def _register(self, trunk: Trunk) -> None:
        registration = Registration(trunk.domain, trunk.user, trunk.password)
        health = self._roads.trunks.health[trunk.name]
        while True:
            due = await self._register_once(trunk, registration)
            if health.registered is not registration.registered and due:
                log.info("trunk_registered" if registration.registered else "trunk_not_registered", trunk=trunk.name)
            if due:
                health.registered = bool(registration.registered)
            await asyncio.sleep(due)

    async def _register_once(self, trunk: Trunk, registration: Registration) -> float:
        """At the first server that answers: seconds to the next."""
        due = AGAIN_S
        for place in await self._places(trunk):
            try:
                flow = await self._roads.flow(place)
            except McuError:
                due = registration.answered(None)
                continue
            due = registration.answered(await self._ask(registration.request(flow), flow))
            if registration.registered:
                self._registered[trunk.name] = (registration, flow)
            if registration.registered or not due:
                break
        return due

    async def _places(self, trunk: Trunk) -> list[Place]:
        found: list[Place] = []
        for host in trunk.hosts:
            with suppress(McuError):
                found += await self._roads.to_trunk(trunk, host)
        return found

    # -- asking -------------------------------------------------------------------------------------------------------

    async def _ask(self, request: Request, flow: Flow) -> Response | None:
        return await self._answer(lambda: self._driver.agent.send(request, flow, self._driver.now))

    async def _answer(self, send: Callable[[], Key]) -> Response | None:
        """`None`: nothing in time."""
        key = send()
        future = self._waiting[key] = asyncio.get_running_loop().create_future()
        self._driver.pump()
        try:
            async with asyncio.timeout(ANSWER_S):
                response: Response | None = await future
                return response
        except TimeoutError:
            return None
        finally:
            self._waiting.pop(key, None)
