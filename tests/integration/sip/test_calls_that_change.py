"""Calls that stand and are changed: by hold and resume of a real baresip, and by the death of what carries them."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest
from baresip import telephone
from dialled import PIN, enter_directly, press, telephones, uri
from hall import client, hall, hum, inside, loudness, texts, until
from running_server import running_server

from mcu.demo.guest import Guest
from mcu.media.life import LegState

HOST_HZ, PHONE_HZ, LATE_HZ = 900.0, 700.0, 500.0
BACK_S = 5.0  # by when a call is carried again, where no worker is left and a new one has to start first
SETTINGS = {
    "media__addresses": "127.0.0.1",
    "media__rtp_first_port": "48400",
    "media__rtp_last_port": "48499",
    "sip__addresses": "127.0.0.1",
    "sip__port": "0",
}


async def phones_are(host: Guest, *states: LegState) -> None:
    await until(lambda: [entry.state for entry in telephones(host)] == list(states), within=10)


async def hears(host: Guest, hertz: float, *, heard: bool = True) -> None:
    assert host.client is not None
    browser = host.client
    await until(lambda: (loudness(browser.heard(), hertz, 0.5) > 0.2) is heard)


@pytest.mark.policy("S5.3-1", "S5.3-8")
async def test_calls_go_on_after_hold_and_after_the_death_of_their_worker_and_are_hung_up_when_the_server_stops(
    tmp_path: Path,
) -> None:
    with (
        running_server(tmp_path / "server", media__workers="2", **SETTINGS) as server,
        telephone(tmp_path / "phone", hertz=PHONE_HZ) as phone,
        telephone(tmp_path / "late", hertz=LATE_HZ) as late,
    ):
        async with hall(server, guest_pin=PIN) as here:
            host = await here.host(sound=hum(HOST_HZ))
            await inside(host)
            await enter_directly(here, phone, host)
            await hears(host, PHONE_HZ)
            phone.hold()
            await phones_are(host, LegState.HELD)
            await hears(host, PHONE_HZ, heard=False)
            phone.resume()
            await phones_are(host, LegState.IN_ROOM)
            await hears(host, PHONE_HZ)
            assert "Telefon lämnade" not in texts(host)

            late.dial(uri(server, "reception"))
            await until(lambda: "audio: start" in late.log)
            await asyncio.sleep(1)
            seat, dead = telephones(host)[0].leg, host.client
            for pid in server.worker_pids():
                os.kill(pid, signal.SIGKILL)
            killed = time.monotonic()
            await phones_are(host, LegState.RECONNECTING)
            await host.sit(client(hum(HOST_HZ)))
            await phones_are(host, LegState.IN_ROOM)
            print(f"workers killed: the telephone is back after {time.monotonic() - killed:.2f} s")
            assert time.monotonic() - killed <= BACK_S
            assert telephones(host)[0].leg == seat
            await until(lambda: {"Telefon är tillbaka", "Berg är tillbaka"} & set(texts(host)))
            await hears(host, PHONE_HZ)
            await until(lambda: len(server.logged("call_moved")) == 2)
            await press(late, here.number)
            await asyncio.sleep(1)
            await press(late, f"{PIN}#")
            await phones_are(host, LegState.IN_ROOM, LegState.IN_ROOM)
            await hears(host, LATE_HZ)
            assert dead is not None
            await dead.close()
        server.stop()
        await until(lambda: phone.closed and late.closed)
