"""`python -m benchmarks telephones`: what a G.711 leg costs in a meeting, beside Janus in the same run.

Each calls the meeting's number by SIP, over UDP and in the clear, as a gateway of the telephone network does. Whoever
enters is told so, and how to get help, each in a stream of its own. When all have been told, which takes some ten
seconds, the load program carries their sound, A-law that was encoded beforehand. Janus has no SIP of its own and tells
nobody anything: its legs are plain RTP ones of a room of 8 kHz. Cost is CPU time of the server's process tree.
"""

import argparse
import asyncio
import contextlib
import secrets
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benchmarks import janus
from benchmarks.audio import PACKETS_PER_S, share_of_a_core
from benchmarks.contestants import Ours, ours, pin_load
from benchmarks.janus import Janus
from benchmarks.legs import HERE, PHASE, Carry, build, carried_by, write_sound
from benchmarks.progress import say
from benchmarks.sip import settings
from mcu.clock import SystemClock
from mcu.demo.server import free_port
from mcu.demo.sources import Spoken
from mcu.demo.voice import speech
from mcu.net.sip.driver import Driver
from mcu.net.sip.endpoint import Listen
from mcu.protocol.sdp import description
from mcu.protocol.sip.agent import Recipient
from mcu.protocol.sip.call import Call
from mcu.protocol.sip.events import Ended, Established, Event
from mcu.protocol.sip.gate import Gate, Limits
from mcu.protocol.sip.message import Response
from mcu.protocol.sip.uri import SipUri
from mcu.protocol.sip.values import Address

PCMA: Final = 8  # payload type
TICK: Final = 160  # samples of 20 ms at 8 kHz
WARM_UP_S: Final = 5.0
ANSWER_S: Final = 20.0
TOLD_S: Final = 25.0  # less than after which a telephone that sends nothing is gone
SHARED: Final = 1.2  # packets of sound in a tick: all hear the same
VOICES: Final = 5
OFFER: Final = (
    f"v=0\r\no=- 1 1 IN IP4 {HERE}\r\ns=-\r\nc=IN IP4 {HERE}\r\nt=0 0\r\n"
    "m=audio {port} RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=rtcp-mux\r\n"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--legs", type=int, default=100, help="telephones in the meeting")
    parser.add_argument("--talkers", type=int, default=3, help="how many of them speak all the time")
    parser.add_argument("--seconds", type=float, default=20, help="how long each server is weighed")
    parser.add_argument("--peer", choices=("janus", "none"), default="janus", help="the server to compare with")


def run(options: argparse.Namespace) -> dict[str, Any]:
    return asyncio.run(_run(options))


async def _run(options: argparse.Namespace) -> dict[str, Any]:
    program, prefix, port = build(), pin_load(), free_port()
    say(f"mcu: {options.legs} telephones, {options.talkers} talking")
    async with ours(prefix, settings(port)) as contestant, switchboard(port, contestant.meetings[0]) as board:
        figures = await _weigh(program, contestant, board.dial, options)
    if options.peer == "none" or not janus.installed():
        return figures
    say(f"janus: {options.legs} telephones, {options.talkers} talking")
    async with janus.running(prefix, TICK * PACKETS_PER_S) as peer:

        async def dial(phone: Phone) -> None:
            phone.socket.connect(await peer.join_by_telephone(phone.port))

        theirs = await _weigh(program, peer, dial, options)
    return {
        **figures,
        "peer": {"name": "janus 1.1.2 AudioBridge, 8 kHz, plain RTP", **theirs},
        "ratio": round(figures["cpu_percent_per_leg"] / theirs["cpu_percent_per_leg"], 3),
    }


async def _weigh(
    program: Path,
    server: Ours | Janus,
    dial: Callable[["Phone"], Awaitable[None]],
    options: argparse.Namespace,
) -> dict[str, Any]:
    """What a server costs with so many telephones, and what ours says of them."""
    with tempfile.TemporaryDirectory(prefix="mcu-load-") as folder:
        directory = Path(folder)
        wanted = sounds(directory, options.legs, options.talkers)
        phones = [Phone(carry, PHASE * number) for number, carry in enumerate(wanted)]
        for phone in phones:
            await dial(phone)
        if isinstance(server, Ours):
            await _told(server)
        async with carried_by(program, phones, directory, WARM_UP_S + options.seconds + 0.5, WARM_UP_S) as load:
            await load.begin()
            await asyncio.sleep(WARM_UP_S)
            encoded = await server.encodes()
            seated = {"legs_seated": int(await server.metric("mcu_legs"))} if isinstance(server, Ours) else {}
            share = await share_of_a_core(server.pid, options.seconds)
            later = await server.encodes(after=encoded)
            counted = await load.results()
    return {
        "legs": options.legs,
        "talkers": options.talkers,
        **seated,
        "cpu_percent_per_leg": round(100 * share / options.legs, 4),
        "legs_per_core": round(options.legs / share, 1),
        **({"encodes_per_tick": _per_tick(encoded, later)} if seated else {}),
        "packets_received_percent_least": round(100 * min(1, *(leg["received"] / leg["sent"] for leg in counted)), 1),
        "longest_gap_ms": max(leg["longest_gap_ms"] for leg in counted),
    }


async def _told(contestant: Ours) -> None:
    """Until nobody is told anything any more. Raises `TimeoutError`."""
    async with asyncio.timeout(TOLD_S):
        before = await contestant.encodes()
        while _per_tick(before, later := await contestant.encodes(after=before)) > SHARED:
            before = later


def _per_tick(before: Sequence[float], later: Sequence[float]) -> float:
    """Packets of sound that were encoded in each."""
    encodes, ticks = (now - then for now, then in zip(later, before, strict=True))
    return round(encodes / ticks, 2)


class Phone:
    """One leg in the clear, for the load program."""

    def __init__(self, carry: Carry, phase: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((HERE, 0))
        self.socket.setblocking(False)
        self.socket.set_inheritable(True)
        self._carry, self._phase = carry, phase

    @property
    def port(self) -> int:
        port: int = self.socket.getsockname()[1]
        return port

    def hand_over(self) -> str:
        words = f"ssrc={secrets.randbits(31)} type={PCMA} step={TICK} sound={self._carry.sound} phase={self._phase}"
        return f"{self.socket.fileno()} {words}\n"


class Switchboard:
    """Telephones' signalling, all by one socket."""

    def __init__(self, port: int, number: str) -> None:
        clock = SystemClock()
        gate = Gate(Limits(known=(f"{HERE}/32",)), clock.monotonic())
        self.driver = Driver(Listen(addresses=[HERE], port=0), gate, clock, self._happened, lambda _: None)
        self._port, self._number = port, number
        self._answers: dict[Call, asyncio.Future[bytes]] = {}

    async def dial(self, phone: Phone) -> None:
        """Its sound may be sent from now on. Raises `RuntimeError` for a call that is not taken."""
        flow = self.driver.endpoint.datagrams_to(HERE, self._port)
        to = SipUri(HERE, self._number, self._port)
        call = self.driver.agent.invite(
            Recipient(flow, to, Address(SipUri(HERE, "load")), Address(to)),
            OFFER.format(port=phone.port).encode(),
            self.driver.now,
        )
        answered = self._answers[call] = asyncio.get_running_loop().create_future()
        self.driver.pump()
        answer = description.parse((await asyncio.wait_for(answered, ANSWER_S)).decode())
        phone.socket.connect((answer.address_of(answer.media[0]), answer.media[0].port))

    def hang_up(self) -> None:
        for call in self._answers:
            call.hang_up()
        self.driver.pump()

    def _happened(self, event: Event) -> None:
        match event:
            case Established(call, Response() as response) if not self._answers[call].done():
                self._answers[call].set_result(response.body)
            case Ended(call, status) if not self._answers[call].done():
                self._answers[call].set_exception(RuntimeError(f"a call was refused: {status}"))


@contextlib.asynccontextmanager
async def switchboard(port: int, number: str) -> AsyncIterator[Switchboard]:
    """Calls a number of a server on this machine; hangs up in the end."""
    board = Switchboard(port, number)
    await board.driver.start()
    try:
        yield board
    finally:
        board.hang_up()
        await board.driver.close()


def sounds(directory: Path, legs: int, talkers: int) -> Sequence[Carry]:
    """What each is to send: the first ones speak, the others are silent."""
    quiet = write_sound(directory / "quiet", spoken(np.zeros(48_000, np.int16)))
    voices = [
        write_sound(directory / f"voice{number}", spoken(speech(10, 110 + 25 * number, seed=number)))
        for number in range(min(talkers, VOICES))
    ]
    return [Carry(voices[number % VOICES] if number < talkers else quiet) for number in range(legs)]


def spoken(samples: npt.NDArray[np.int16]) -> list[Spoken]:
    """Sound at 48 kHz as packets of A-law."""
    narrow = samples[: samples.size // 960 * 960].reshape(-1, TICK, 6).mean(axis=2).astype(np.int32)
    return [Spoken(to_alaw(tick), 127) for tick in narrow]


def to_alaw(samples: npt.NDArray[np.int32]) -> bytes:
    """G.711: the sign, the place of the highest bit, and the four bits below it; every other bit is turned."""
    size = np.minimum(np.where(samples < 0, ~samples, samples) >> 3, 4095)
    place = np.maximum(np.floor(np.log2(np.maximum(size, 1))).astype(np.int32) - 4, 0)
    octet = place << 4 | size >> np.maximum(place, 1) & 0x0F
    return bytes(((octet | np.where(samples < 0, 0, 0x80)) ^ 0x55).astype(np.uint8))
