"""`python -m benchmarks registrations`: what 500 endpoints cost that refresh their registration every 60 s.

They register by SIP over UDP, with digest; each refresh answers the nonce that its endpoint has. Cost is CPU time of
the control process, less what it needs for nothing.
"""

import argparse
import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Any, Final

from benchmarks.contestants import Ours, ours, pin_load
from benchmarks.legs import HERE
from benchmarks.processes import children, cpu_seconds
from benchmarks.progress import say
from benchmarks.sip import settings
from benchmarks.telephones import Switchboard, switchboard
from mcu.demo.server import free_port
from mcu.protocol.sip.agent import Recipient
from mcu.protocol.sip.digest import Answerer
from mcu.protocol.sip.uri import SipUri
from mcu.protocol.sip.values import Address, parse_credentials

PASSWORD: Final = "a-password-of-the-load"
EVERY_S: Final = 60.0
ATTEMPTS: Final = 2  # without an answer to their challenge, and with one


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--endpoints", type=int, default=500, help="that are registered")
    parser.add_argument("--seconds", type=float, default=60, help="how long the server is weighed")


def run(options: argparse.Namespace) -> dict[str, Any]:
    return asyncio.run(_run(options.endpoints, options.seconds))


async def _run(endpoints: int, seconds: float) -> dict[str, Any]:
    prefix, port = pin_load(), free_port()
    async with ours(prefix, settings(port)) as contestant, switchboard(port) as board:
        say(f"{endpoints} endpoints")
        phones = [Phone(board, port, f"endpoint{number}") for number in range(endpoints)]
        for phone in phones:
            await contestant.add_endpoint(phone.name, PASSWORD)
            await phone.register()
        idle = await _weighed(contestant, seconds / 4)
        before = sum(phone.registered for phone in phones)
        say(f"they refresh for {seconds:g} s")
        refreshing = asyncio.create_task(_refresh(phones))
        busy = await _weighed(contestant, seconds)
        refreshing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await refreshing
    refreshes = sum(phone.registered for phone in phones) - before
    return {
        "endpoints": endpoints,
        "refreshes": refreshes,
        "refused": sum(phone.refused for phone in phones),
        "cpu_percent": round(busy - idle, 2),
        "cpu_percent_idle": round(idle, 2),
        "cpu_ms_per_refresh": round(10 * seconds * (busy - idle) / max(1, refreshes), 2),
    }


@dataclass
class Phone:
    """One endpoint. `registered`, `refused`: how often."""

    board: Switchboard
    port: int
    name: str
    registered: int = 0
    refused: int = 0
    answerer: Answerer = field(init=False)

    def __post_init__(self) -> None:
        self.answerer = Answerer(self.name, PASSWORD)

    async def register(self) -> None:
        registrar, user = SipUri(HERE, port=self.port), Address(SipUri(HERE, self.name))
        flow = self.board.driver.endpoint.datagrams_to(HERE, self.port)
        contact = [("Contact", f"<sip:{self.name}@{flow.host}:{flow.port}>"), ("Expires", "120")]
        for _ in range(ATTEMPTS):
            said = self.answerer.answer("REGISTER", str(registrar))
            headers = [*contact, *([("Authorization", said)] if said else [])]
            response = await self.board.ask("REGISTER", Recipient(flow, registrar, user, user, headers))
            if response.is_success:
                self.registered += 1
                return
            challenges = [parse_credentials(text) for text in response.headers.all("WWW-Authenticate")]
            if not self.answerer.challenged(challenges):
                break
        self.refused += 1


async def _refresh(phones: list[Phone]) -> None:
    """Each in its turn, for as long as it is let."""
    loop = asyncio.get_running_loop()
    due, tasks = loop.time(), set()
    while True:
        for phone in phones:
            due += EVERY_S / len(phones)
            await asyncio.sleep(max(0, due - loop.time()))
            tasks.add(task := asyncio.create_task(phone.register()))
            task.add_done_callback(tasks.discard)


async def _weighed(contestant: Ours, seconds: float) -> float:
    """Of a core, in percent, of the control process alone."""
    before = _control(contestant.pid)
    await asyncio.sleep(seconds)
    return 100 * (_control(contestant.pid) - before) / seconds


def _control(pid: int) -> float:
    return cpu_seconds(pid) - sum(cpu_seconds(child) for child in children(pid))
