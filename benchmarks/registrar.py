"""`python -m benchmarks registrar`: what endpoints cost that refresh their registrations, of the control process.

Each has a socket of its own, registers by UDP with its password, and then again at its time, with the nonce that it was
given as long as that holds. What the same server costs with nobody registering is measured before, and taken off.
"""

import argparse
import asyncio
import time
from typing import Any, cast

from benchmarks.contestants import Ours, ours, pin_load
from benchmarks.processes import own_cpu_seconds
from benchmarks.progress import say
from benchmarks.sip import settings
from mcu.demo.server import free_port
from mcu.protocol.sip.digest import Answerer
from mcu.protocol.sip.headers import Headers
from mcu.protocol.sip.message import Request, Response, read
from mcu.protocol.sip.values import parse_credentials

PASSWORD = "a-password-of-some-length"
ANSWER_S = 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--endpoints", type=int, default=500, help="that are registered")
    parser.add_argument("--every", type=float, default=60, help="seconds from one refresh to the next")
    parser.add_argument("--seconds", type=float, default=30, help="how long the control process is weighed")


def run(options: argparse.Namespace) -> dict[str, Any]:
    return asyncio.run(_run(options.endpoints, options.every, options.seconds))


class Phone(asyncio.DatagramProtocol):
    """One endpoint."""

    def __init__(self, name: str) -> None:
        self._name, self._answerer, self._cseq = name, Answerer(name, PASSWORD), 0
        self._answered: asyncio.Future[Response] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._socket = cast("asyncio.DatagramTransport", transport)  # asyncio's own is none by its type
        self._port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: object) -> None:
        message = read(data)
        if isinstance(message, Response) and self._answered is not None and not self._answered.done():
            self._answered.set_result(message)

    async def register(self) -> int:
        """The status of the last answer."""
        response = await self._ask()
        challenges = [parse_credentials(text) for text in response.headers.all("WWW-Authenticate")]
        if response.status == 401 and self._answerer.challenged(challenges):
            response = await self._ask()
        return response.status

    async def _ask(self) -> Response:
        self._cseq += 1
        target = "sip:127.0.0.1"
        who = f"<sip:{self._name}@127.0.0.1>"
        proof = self._answerer.answer("REGISTER", target)
        fields = [
            ("Via", f"SIP/2.0/UDP 127.0.0.1:{self._port};branch=z9hG4bK{self._name}.{self._cseq};rport"),
            ("Max-Forwards", "70"),
            ("From", f"{who};tag={self._name}"),
            ("To", who),
            ("Call-ID", self._name),
            ("CSeq", f"{self._cseq} REGISTER"),
            ("Contact", f"<sip:{self._name}@127.0.0.1:{self._port}>;expires=90"),
            *([("Authorization", proof)] if proof else []),
        ]
        self._answered = asyncio.get_running_loop().create_future()
        self._socket.sendto(bytes(Request("REGISTER", target, headers=Headers(fields))))
        async with asyncio.timeout(ANSWER_S):
            return await self._answered


async def _run(endpoints: int, every: float, seconds: float) -> dict[str, Any]:
    prefix, port = pin_load(), free_port()
    async with ours(prefix, settings(port)) as server:
        for number in range(endpoints):
            await server.add_endpoint(f"e{number}", PASSWORD)
        say(f"{endpoints} endpoints")
        idle = await _weighed(server, seconds / 3)
        phones = [await _phone(port, number) for number in range(endpoints)]
        for phone in phones:
            await phone.register()
        say("all are registered")
        good, used = await _refreshing(server, phones, every, seconds)
    return {
        "endpoints": endpoints,
        "refreshes": len(good),
        "failed": sum(status != 200 for status in good),
        "cpu_percent": round(used - idle, 3),
        "idle_cpu_percent": round(idle, 3),
    }


async def _phone(port: int, number: int) -> Phone:
    loop = asyncio.get_running_loop()
    _, phone = await loop.create_datagram_endpoint(lambda: Phone(f"e{number}"), remote_addr=("127.0.0.1", port))
    return phone


async def _refreshing(server: Ours, phones: list[Phone], every: float, seconds: float) -> tuple[list[int], float]:
    """What became of each refresh, and what they cost, in percent of a core."""
    apart, begun = every / len(phones), time.monotonic()
    asked: list[asyncio.Task[int]] = []

    async def refresh() -> None:
        while True:
            asked.append(asyncio.create_task(phones[len(asked) % len(phones)].register()))
            await asyncio.sleep(max(0, begun + len(asked) * apart - time.monotonic()))

    refreshing = asyncio.create_task(refresh())
    used = await _weighed(server, seconds)
    refreshing.cancel()
    return await asyncio.gather(*asked), used


async def _weighed(server: Ours, seconds: float) -> float:
    before = own_cpu_seconds(server.pid)
    await asyncio.sleep(seconds)
    return 100 * (own_cpu_seconds(server.pid) - before) / seconds
