"""How a telephone comes into a meeting: through the voice menu, by number and PIN."""

import asyncio

from baresip import Telephone
from hall import Hall, loudness, until
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


async def in_the_room(host: Guest) -> None:
    await until(lambda: [entry.state for entry in telephones(host)] == [LegState.IN_ROOM], within=20)


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


async def hear_each_other(host: Guest, host_hz: float, phone: Telephone, phone_hz: float, *, lately: float) -> None:
    """For the last `lately` seconds: the host's hum, and the telephone's tone."""
    assert host.client is not None
    heard = host.client.heard
    await until(lambda: loudness(heard(), phone_hz, lately) > 0.8)
    await until(lambda: share(phone.heard(), host_hz, lately) > 0.8)
