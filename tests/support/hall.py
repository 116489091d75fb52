"""A real server's meeting and real people in it, for tests: booked over REST, joined by WebRTC clients."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import numpy as np
from running_server import RunningServer, every_right

from mcu.demo.client import MeetingClient
from mcu.demo.guest import Guest
from mcu.demo.sources import LiveSound, SoundSource, tone
from mcu.demo.taps import Heard
from mcu.media.audio.sounds import _NOTES
from mcu.media.life import LegState
from mcu.media.messages import NoticeKind
from mcu.media.seams import SAMPLE_RATE, TICK_SAMPLES
from mcu.signalling.webrtc.messages import Entry, NoticeShown, Roster

HOSTS = ({"name": "Berg", "role": "host"}, {"name": "Ek", "role": "host"})


class Hall:
    """One meeting. `room` is its room's path once somebody has joined."""

    def __init__(self, server: RunningServer, api: aiohttp.ClientSession, booked: dict[str, Any]) -> None:
        self.server, self.api, self.booked = server, api, booked
        self.number: str = booked["join"]["meeting_number"]
        self.people: list[Guest] = []

    async def host(self, name: str = "Berg", sound: SoundSource | None = None) -> Guest:
        """One of `HOSTS`, by a personal link."""
        return await self.enter(name, sound, token=self.link(name))

    def link(self, name: str) -> str:
        """The join token of one who is booked."""
        booked = next(one for one in self.booked["participants"] if one["name"] == name)
        token: str = booked["join_url"].partition("#t=")[2]
        return token

    async def guest(self, name: str, sound: SoundSource | None = None) -> Guest:
        return await self.enter(name, sound)

    async def enter(self, name: str, sound: SoundSource | None = None, **how: str) -> Guest:
        person = self.stranger()
        await person.join(self.number, name, client(sound), **how)
        return person

    def stranger(self) -> Guest:
        """Somebody who has not joined; closed with the rest."""
        person = Guest(self.server.base_url)
        self.people.append(person)
        return person

    async def room(self) -> str:
        """The path of the room that runs."""
        shown = await self.get(f"/api/v1/rooms?meeting={self.booked['id']}")
        return f"/api/v1/rooms/{shown['items'][0]['id']}"

    async def get(self, path: str) -> Any:
        async with self.api.get(path) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def patch(self, path: str, expect: int = 200, **fields: Any) -> Any:
        async with self.api.patch(path, json=fields) as answer:
            assert answer.status == expect, await answer.text()
            return await answer.json(content_type=None)

    async def merge(self, **fields: Any) -> Any:
        """Change the booking."""
        path = f"/api/v1/meetings/{self.booked['id']}"
        async with self.api.get(path) as now:
            headers = {"If-Match": now.headers["ETag"]}
        headers["Content-Type"] = "application/merge-patch+json"
        async with self.api.patch(path, data=json.dumps(fields), headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def notices(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = (await self.get(f"{await self.room()}/notices?page_size=200"))["items"]
        return items

    async def outcomes(self, kind: NoticeKind, about: Guest) -> list[dict[str, str]]:
        """Of each notice of a kind about somebody: what became of it, by the recipient's name."""
        return [
            {one["name"]: one["outcome"] for one in notice["recipients"]}
            for notice in await self.notices()
            if notice["kind"] == kind and about.leg in [leg["leg"] for leg in notice["legs"]]
        ]

    async def close(self) -> None:
        await asyncio.gather(*(person.close() for person in self.people))


@asynccontextmanager
async def hall(server: RunningServer, organisation: str = "", **access: Any) -> AsyncIterator[Hall]:
    """A standing meeting with `HOSTS` and without PINs, unless `access` says otherwise; an organisation's or none's."""
    headers = {"Authorization": f"Bearer {every_right(server.data_directory, organisation)}"}
    async with aiohttp.ClientSession(server.base_url, headers=headers) as api:
        rules = {"host_pin": None, "guest_pin": None, **access}
        body = {"title": "Teammöte", "participants": HOSTS, "access": rules}
        async with api.post("/api/v1/meetings", json=body) as answer:
            assert answer.status == 201, await answer.text()
            opened = Hall(server, api, await answer.json())
        try:
            yield opened
        finally:
            await opened.close()


def client(sound: SoundSource | None = None) -> MeetingClient:
    """Sound alone, unless a test is about pictures."""
    return MeetingClient(sound=sound, codecs=())


def hum(hertz: float) -> SoundSource:
    return LiveSound(tone(hertz))


# -- what somebody knows --------------------------------------------------------------------------------------------


def line(person: Guest, leg: str) -> Entry | None:
    """Somebody's line in the roster that `person` was told last."""
    rosters = [message for message in person.messages if isinstance(message, Roster)]
    return next((entry for entry in rosters[-1].entries if entry.leg == leg), None) if rosters else None


def state(person: Guest, leg: str | None = None) -> LegState | None:
    found = line(person, leg or person.leg)
    return found.state if found is not None else None


def texts(person: Guest) -> list[str]:
    return [message.text for message in person.messages if isinstance(message, NoticeShown)]


async def until(true: Callable[[], object], within: float = 10.0) -> None:
    async with asyncio.timeout(within):
        while not true():  # noqa: ASYNC110 - what another process does sets no event here
            await asyncio.sleep(0.02)


async def until_answer(true: Callable[[], Awaitable[object]], within: float = 10.0) -> None:
    async with asyncio.timeout(within):
        while not await true():  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def inside(*people: Guest) -> None:
    """Until each of them is in the room."""
    await until(lambda: all(state(person) is LegState.IN_ROOM for person in people))


# -- what somebody hears --------------------------------------------------------------------------------------------


def loudness(heard: Heard, hertz: float, last_s: float) -> float:
    """The share of the last seconds' sound that is at one frequency, 0 … 1; 0 for silence."""
    samples = heard.samples[-int(last_s * SAMPLE_RATE) :].astype(np.float64)
    if samples.size == 0 or np.mean(samples**2) < 100:
        return 0.0
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(samples.size))) ** 2
    at = round(hertz * samples.size / SAMPLE_RATE)
    return float(spectrum[max(0, at - 5) : at + 6].sum() / spectrum.sum())


def chimes(heard: Heard, kind: NoticeKind) -> int:
    """How many times the sound of a notice was heard: by a note that it has once, and no other has."""
    notes = [note for note, _ in _NOTES[kind]]
    hertz, ticks = max((note for note in _NOTES[kind] if notes.count(note[0]) == 1), key=lambda note: note[1])
    runs, run = 0, 0
    for start in range(0, heard.samples.size - TICK_SAMPLES, TICK_SAMPLES):
        run = run + 1 if _is_at(heard.samples[start : start + TICK_SAMPLES].astype(np.float64), hertz) else 0
        runs += run == ticks // 2
    return runs


def _is_at(samples: "np.ndarray[Any, np.dtype[np.float64]]", hertz: float) -> bool:
    power = float(np.mean(samples**2))
    if power < 100:
        return False
    turn = np.exp(-2j * np.pi * hertz * np.arange(samples.size) / SAMPLE_RATE)
    return float(2 * np.abs(np.mean(samples * turn)) ** 2 / power) > 0.6
