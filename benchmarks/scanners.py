"""`python -m benchmarks scanners`: a trunk calls while strangers ask for calls, 2,000 times a second for 20 s.

Half of them come from one address, the other half each from an address of its own, as forged ones do. None is ever
acknowledged. The trunk's calls are sipp's, as in `sip`.
"""

import argparse
import asyncio
import secrets
import socket
import struct
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from benchmarks import sipp
from benchmarks.contestants import ours, pin_load
from benchmarks.processes import children, cpu_seconds, resident_mb
from benchmarks.progress import say
from benchmarks.sip import RECEPTION, percentile, settings
from mcu.demo.server import free_port

ROUND_S: Final = 0.005
IP_PKTINFO: Final = 8  # of Linux; Python 3.11 has no name for it
AFTER_S: Final = 1.0
TRUNK_CALLS: Final = 10  # a second
INVITE: Final = (
    "INVITE sip:{number}@{host}:{port} SIP/2.0\r\n"
    "Via: SIP/2.0/UDP {source}:5060;branch=z9hG4bK{number}{salt};rport\r\n"
    "Max-Forwards: 70\r\n"
    "From: <sip:{number}@{source}>;tag={number}\r\n"
    "To: <sip:{number}@{host}>\r\n"
    "Call-ID: {number}-{salt}\r\n"
    "CSeq: 1 INVITE\r\n"
    "Contact: <sip:{number}@{source}:5060>\r\n"
    "User-Agent: PBX\r\n"
    "Content-Type: application/sdp\r\n"
    "Content-Length: {size}\r\n\r\n{body}"
)
BODY: Final = "v=0\r\no=- 1 1 IN IP4 {0}\r\ns=-\r\nc=IN IP4 {0}\r\nt=0 0\r\nm=audio 9000 RTP/AVP 8\r\n"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--per-second", type=int, default=2000, help="calls that strangers ask for")
    parser.add_argument("--seconds", type=float, default=20, help="for how long")
    parser.add_argument(
        "--before", type=float, default=36, help="seconds for which a trunk calls first; its transactions last 32"
    )


def run(options: argparse.Namespace) -> dict[str, Any]:
    return asyncio.run(_run(options.per_second, options.seconds, options.before))


async def _run(per_second: int, seconds: float, before_s: float) -> dict[str, Any]:
    prefix, port = pin_load(), free_port()
    trunk_s = before_s + seconds + AFTER_S
    with tempfile.TemporaryDirectory(prefix="mcu-load-") as folder:
        async with ours(prefix, settings(port)) as contestant:
            target = f"127.0.0.1:{port}"
            calls = asyncio.create_task(
                sipp.call(target, RECEPTION, Path(folder), per_second=TRUNK_CALLS, seconds=trunk_s)
            )
            await asyncio.sleep(before_s / 2)
            processes = [contestant.pid, *children(contestant.pid)]
            before = await _highest(processes, asyncio.create_task(asyncio.sleep(before_s / 2)))
            spent = cpu_seconds(contestant.pid)
            say(f"{per_second} strangers a second for {seconds:g} s")
            asking = asyncio.create_task(asyncio.to_thread(ask, ("127.0.0.1", port), per_second, seconds))
            more, spent = await _highest(processes, asking) - before, cpu_seconds(contestant.pid) - spent
            asked = await asking
            called = await calls
            dropped = await contestant.metric("mcu_sip_dropped_total")
            died = processes != [contestant.pid, *children(contestant.pid)]
    return {
        "asked": asked,
        "dropped": int(dropped),
        "trunk_calls": called.calls,
        "trunk_good_percent": called.good_percent,
        "trunk_setup_p99_ms": percentile(called.setup_ms, 99),
        "resident_more_mb": round(more, 1),
        "cpu_percent": round(100 * spent / seconds, 1),
        "processes_died": int(died),
    }


def ask(target: tuple[str, int], per_second: int, seconds: float) -> int:
    """How many INVITEs were sent, each for a call of its own."""
    sent, salt, began = 0, secrets.token_hex(4), time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        while (passed := time.monotonic() - began) < seconds:
            while sent < passed * per_second:
                source = "127.0.0.2" if sent % 2 else f"127.{1 + sent // 65536}.{sent // 256 % 256}.{sent % 256}"
                out.sendmsg([_invite(target, source, sent, salt)], [_from(source)], 0, target)
                sent += 1
            time.sleep(ROUND_S)
    return sent


def _invite(target: tuple[str, int], source: str, number: int, salt: str) -> bytes:
    body = BODY.format(source)
    host, port = target
    text = INVITE.format(number=number, host=host, port=port, source=source, salt=salt, size=len(body), body=body)
    return text.encode()


def _from(source: str) -> tuple[int, int, bytes]:
    """IP_PKTINFO: any address of 127.0.0.0/8 is this machine's."""
    return socket.IPPROTO_IP, IP_PKTINFO, struct.pack("=i4s4s", 0, socket.inet_aton(source), bytes(4))


async def _highest(processes: list[int], during: asyncio.Task[Any]) -> float:
    """The most memory that they have together until it is done, in MB, each fifth of a second."""
    most = 0.0
    while not during.done():
        most = max(most, sum(map(resident_mb, processes)))
        await asyncio.wait([during], timeout=0.2)
    return most
