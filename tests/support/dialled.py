"""How a telephone comes into a meeting: through the voice menu, by number and PIN, or called by the meeting."""

import asyncio
from typing import Any

from baresip import Telephone, shows
from hall import Hall, loudness, until
from linphone import Linphone
from pictures import Colour
from running_server import RunningServer
from sound import share

from mcu.demo.guest import Guest
from mcu.media.life import LegState
from mcu.signalling.webrtc.messages import Entry, Roster

PIN = "135790"


def uri(server: RunningServer, user: str) -> str:
    return f"sip:{user}@127.0.0.1:{server.logged('sip_serving')[0]['port']}"


def telephones(person: Guest) -> list[Entry]:
    rosters = [message for message in person.messages if isinstance(message, Roster)]
    return [entry for entry in rosters[-1].entries if entry.kind == "sip"] if rosters else []


async def in_the_room(host: Guest, telephones_there: int = 1) -> None:
    there = [LegState.IN_ROOM] * telephones_there
    await until(lambda: [entry.state for entry in telephones(host)] == there, within=20)


async def press(phone: Telephone, keys: str) -> None:
    await asyncio.to_thread(phone.press, keys)


async def enter(here: Hall, phone: Telephone, host: Guest, *, number: str = "reception", pin: str = PIN) -> None:
    """Through the menu: what is pressed while it speaks counts. `number`: by which it is reached."""
    phone.dial(uri(here.server, number))
    await until(lambda: phone.talks)
    await asyncio.sleep(0.5)
    await press(phone, here.number)
    await asyncio.sleep(2)
    await press(phone, f"{pin}#")
    await in_the_room(host)


async def enter_directly(here: Hall, phone: Telephone, host: Guest) -> None:
    """By the meeting's own number: the PIN alone is asked for."""
    phone.dial(uri(here.server, here.number))
    await until(lambda: phone.talks)
    await asyncio.sleep(0.5)
    await press(phone, f"{PIN}#")
    await in_the_room(host)


async def call(here: Hall, **whom: str) -> dict[str, Any]:
    """The meeting calls somebody: a `uri`, or a `phone` number."""
    body = {"name": "Bo Ek", **whom}
    async with here.api.post(f"{await here.room()}/dial-out", json=body) as answer:
        assert answer.status == 202, await answer.text()
        made: dict[str, Any] = await answer.json()
        return made


async def pick_up(phone: Telephone | Linphone, host: Guest, telephones_there: int = 1) -> None:
    """As a person does, whom nobody takes for a machine that answers at once."""
    await until(lambda: phone.rings)
    await asyncio.sleep(1.2)
    phone.accept()
    await in_the_room(host, telephones_there)


async def hear_each_other(host: Guest, host_hz: float, phone: Telephone, phone_hz: float, *, lately: float) -> None:
    """For the last `lately` seconds: the host's hum, and the telephone's tone."""
    assert host.client is not None
    heard = host.client.heard
    await until(lambda: loudness(heard(), phone_hz, lately) > 0.8)
    await until(lambda: share(phone.heard(), host_hz, lately) > 0.8)


async def until_seen(system: Telephone, *colours: Colour) -> None:
    """Until each of these fills a tile of what it sees."""
    async with asyncio.timeout(10):
        while not shows(await asyncio.to_thread(system.sees), colours):
            pass
