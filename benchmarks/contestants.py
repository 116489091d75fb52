"""The servers that a benchmark compares: started for the run, joined with SDP, weighed by their process trees."""

import asyncio
import contextlib
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import aiohttp
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from benchmarks import janus
from mcu.demo.server import RunningServer, running_server
from mcu.media.messages import Layout

SERVER_CORE, LOAD_CORE = 1, 0
COUNTED_S, ASK_S = 10.0, 0.1
JANUS = "janus 1.1.2 AudioBridge, 48 kHz, WebRTC"  # as the figures name it


def pin_load() -> list[str]:
    """Keep this process, the load, on one core; returns the command prefix that puts a server on the other."""
    if len(os.sched_getaffinity(0)) < 2 and os.cpu_count() == 1:
        return []
    os.sched_setaffinity(0, {LOAD_CORE})
    return ["taskset", "-c", str(SERVER_CORE)]


def on_the_servers_core() -> None:
    """The calling thread alone; the others stay where they are."""
    if (os.cpu_count() or 1) > SERVER_CORE:
        os.sched_setaffinity(0, {SERVER_CORE})


class Contestant(Protocol):
    """A server that runs."""

    name: str

    @property
    def pid(self) -> int:
        """Of the process whose tree is weighed."""

    async def join(self, offer: str) -> str:
        """Join the one room with a browser's SDP offer; returns the answer."""

    async def encodes(self, after: Sequence[float] = ()) -> Sequence[float]:
        """Packets of sound encoded so far, and ticks, of which there are more than in `after`, what this said before;
        zeros where it does not say."""


Start = Callable[[list[str]], contextlib.AbstractAsyncContextManager[Contestant]]


@dataclass
class Ours:
    """`mcu serve` with one worker, and meetings booked over REST, into which legs go in turns."""

    server: RunningServer
    meetings: list[str]  # their numbers
    http: aiohttp.ClientSession
    name: str = "mcu"
    legs: list[str] = field(default_factory=list)  # their ids, in order of joining

    @property
    def pid(self) -> int:
        return self.server.pid

    async def join(self, offer: str) -> str:
        body, meeting = {"name": f"Leg {len(self.legs) + 1}"}, self.meetings[len(self.legs) % len(self.meetings)]
        async with self.http.post(f"{self.server.url}/api/v1/join/{meeting}", json=body) as answer:
            joined = await _ok(answer)
        token = joined["session_token"]
        self.legs.append(joined["leg"])
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
        async with self.http.post(f"{self.server.url}/api/v1/legs", data=offer, headers=headers) as answer:
            if not answer.ok:
                raise RuntimeError(f"the leg was refused: {answer.status} {await answer.text()}")
            return await answer.text()

    async def add_endpoint(self, name: str, password: str) -> None:
        """One that may register."""
        headers = {"Authorization": f"Bearer {self.server.token}"}
        body = {"name": name, "display_name": name, "password": password}
        async with self.http.post(f"{self.server.url}/api/v1/endpoints", json=body, headers=headers) as answer:
            await _ok(answer)

    async def metric(self, name: str, **labels: str) -> float:
        """A metric, summed over its other labels."""
        return summed(await self._samples(), name, **labels)

    async def counted(self, *names: str, after: Sequence[float] = ()) -> list[float]:
        """Metrics of the worker, all at one time, and last its ticks, of which there are more than in `after`, what
        this said before. The worker tells them once a second. Raises `TimeoutError` where nobody is in a room."""
        async with asyncio.timeout(COUNTED_S):
            while True:
                samples = await self._samples()
                found = [summed(samples, name) for name in (*names, "mcu_ticks_total")]
                if not after or found[-1] > after[-1]:
                    return found
                await asyncio.sleep(ASK_S)

    async def _samples(self) -> list[Sample]:
        async with self.http.get(f"{self.server.operations_url}/metrics") as answer:
            families = text_string_to_metric_families(await answer.text())
        return [sample for family in families for sample in family.samples]

    async def encodes(self, after: Sequence[float] = ()) -> Sequence[float]:
        return await self.counted("mcu_audio_encodes_total", after=after)

    async def media(self, number: int) -> dict[str, Any]:
        """What the server counts of the leg that joined as `number`, from 0 on."""
        meeting = self.meetings[number % len(self.meetings)]
        headers = {"Authorization": f"Bearer {self.server.token}"}
        rooms = f"{self.server.url}/api/v1/rooms"
        async with self.http.get(rooms, headers=headers) as answer:
            room = next(one["id"] for one in (await _ok(answer))["items"] if one["meeting_number"] == meeting)
        async with self.http.get(f"{rooms}/{room}/participants/{self.legs[number]}/media", headers=headers) as answer:
            return await _ok(answer)


def summed(samples: Iterable[Sample], name: str, **labels: str) -> float:
    """Of one metric, those that have these labels."""
    return sum(one.value for one in samples if one.name == name and labels.items() <= one.labels.items())


async def _ok(answer: aiohttp.ClientResponse) -> dict[str, Any]:
    if not answer.ok:
        raise RuntimeError(f"{answer.method} {answer.url.path}: {answer.status} {await answer.text()}")
    body: dict[str, Any] = await answer.json()
    return body


@contextlib.asynccontextmanager
async def ours(
    prefix: list[str],
    settings: dict[str, str] | None = None,
    meetings: int = 1,
    *,
    personal: bool = False,
    layout: Layout = Layout.AUTO,
) -> AsyncIterator[Ours]:
    """Our server with open meetings for up to 200 legs each. `personal`: each leg gets a picture without itself."""
    with tempfile.TemporaryDirectory(prefix="mcu-benchmark-") as folder:
        environment = {"MCU_MEDIA__WORKERS": "1", **(settings or {})}
        async with (
            running_server(Path(folder), environment, command=prefix) as server,
            aiohttp.ClientSession() as http,
        ):
            headers = {"Authorization": f"Bearer {server.token}"}
            access = {"guest_pin": None, "max_participants": 200}
            booking = {"title": "Benchmark", "access": access, "media": {"personal": personal, "layout": layout}}
            numbers = []
            for _ in range(meetings):
                async with http.post(f"{server.url}/api/v1/meetings", json=booking, headers=headers) as answer:
                    numbers.append((await _ok(answer))["join"]["meeting_number"])
            yield Ours(server, numbers, http)


@contextlib.asynccontextmanager
async def janus_audiobridge(prefix: list[str]) -> AsyncIterator[Contestant]:
    """Janus's AudioBridge with one room of 48 kHz."""
    async with janus.running(prefix, 48_000) as peer:
        yield peer


def starts(peer: str) -> dict[str, Start]:
    """How each server of a comparison is started: ours, and `peer` where it is one that is installed here."""
    if peer == "janus" and janus.installed():
        return {"mcu": ours, "janus": janus_audiobridge}
    return {"mcu": ours}
