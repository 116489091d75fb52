"""Who takes part in the demo: three people made by code, and the meeting that is booked for them.

Each has a colour and a voice of their own, so that a machine can tell who is seen and heard.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp
import numpy as np

from mcu.demo.client import MeetingClient
from mcu.demo.faces import FPS, encoded_loop
from mcu.demo.guest import Guest
from mcu.demo.server import RunningServer
from mcu.demo.sources import PictureLoop, SoundLoop, encode
from mcu.demo.voice import SAMPLE_RATE, Sound, speech
from mcu.errors import Unavailable

HOST = "Disa Holm"  # whoever opens the host's link
TURN_S = 4  # how long each speaks before the next does


@dataclass(frozen=True)
class Person:
    name: str
    colour: tuple[int, int, int]  # RGB, of the background of the picture
    pitch_hz: float


CAST = (
    Person("Anna Åberg", (46, 98, 140), 205.0),
    Person("Björn Ek", (122, 74, 62), 118.0),
    Person("Cecilia Öst", (64, 110, 72), 178.0),
)


@dataclass(frozen=True)
class Booked:
    """A meeting that stands open, with a personal link for each of the cast and for the host."""

    number: str
    web_url: str
    host_url: str
    tokens: Sequence[str]  # join tokens, in the order of CAST
    host_token: str


async def book(server: RunningServer) -> Booked:
    """Book the demo's meeting over REST, as an integrator would. Raises `errors.Unavailable` with the answer."""
    people = [{"name": person.name, "role": "guest"} for person in CAST]
    meeting = {
        "title": "Demo",
        "participants": [*people, {"name": HOST, "role": "host"}],
        "access": {"guest_pin": None},  # the number is enough
    }
    headers = {"Authorization": f"Bearer {server.token}"}
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{server.url}/api/v1/meetings", json=meeting, headers=headers) as answer,
    ):
        if answer.status != 201:
            raise Unavailable(f"the meeting could not be booked: {answer.status} {await answer.text()}")
        booked = await answer.json()
    links = [participant["join_url"] for participant in booked["participants"]]
    tokens = [link.partition("#t=")[2] for link in links]
    return Booked(booked["join"]["meeting_number"], booked["join"]["web_url"], links[-1], tokens[:-1], tokens[-1])


def turn(number: int, of: int) -> Sound:
    """A loop in which person `number` of `of` speaks for one turn and listens for the others."""
    person = CAST[number]
    loop = np.zeros(of * TURN_S * SAMPLE_RATE, np.int16)
    start = number * TURN_S * SAMPLE_RATE
    loop[start : start + TURN_S * SAMPLE_RATE] = speech(TURN_S, person.pitch_hz, seed=number)
    return loop


async def take_part(url: str, number: str, which: int, token: str) -> Guest:
    """Person `which` of the cast joins by its personal link. The caller closes the guest."""
    person = CAST[which]
    sound, picture = await asyncio.gather(
        asyncio.to_thread(lambda: encode(turn(which, len(CAST)))),
        asyncio.to_thread(encoded_loop, person.name, person.colour),
    )
    client = MeetingClient(sound=SoundLoop(sound), camera=PictureLoop(picture, FPS), watch=False, codecs=("H264",))
    guest = Guest(url)
    await guest.join(number, person.name, client, token=token)
    return guest
