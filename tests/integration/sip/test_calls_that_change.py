"""Calls that stand and are changed: by hold and resume of a real baresip, by silence, and by death on our side."""

import asyncio
import os
import re
import signal
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from baresip import Telephone, telephone
from dialled import press, telephones, uri
from hall import Hall, client, hall, hum, inside, loudness, texts, until, until_answer
from running_server import SIP, RunningServer, alive, running_server, waited_s
from sound import share

from mcu.demo.guest import Guest
from mcu.media.life import LegState

HOST_HZ, PHONE_HZ, LATE_HZ = 900.0, 700.0, 500.0
BACK_S = 3.0  # by when a call is carried again, also where no worker is left and a new one has to start first
LOST_S = 5
SILENCE_S = 5  # of a phone, which ends its call then
G711 = "PCMU/8000/1"
WORKERS = 2
SETTINGS = {
    "media__workers": str(WORKERS),
    **SIP,
}


async def phones_are(host: Guest, *states: LegState) -> None:
    await until(lambda: [entry.state for entry in telephones(host)] == list(states), within=10)


async def hears(host: Guest, hertz: float, *, heard: bool = True) -> None:
    assert host.client is not None
    browser = host.client
    await until(lambda: (loudness(browser.heard(), hertz, 0.5) > 0.2) is heard)


async def test_a_call_on_hold_is_not_gone_and_one_that_nothing_comes_of_is(tmp_path: Path) -> None:
    with (
        running_server(tmp_path / "server", media__rtp_lost_s=str(LOST_S), **SETTINGS) as server,
        telephone(tmp_path / "phone", hertz=PHONE_HZ) as phone,
        telephone(tmp_path / "other", hertz=LATE_HZ, codec=G711) as other,
    ):
        async with hall(server) as here:
            host = await here.host(sound=hum(HOST_HZ))
            await inside(host)
            for one, hertz in ((phone, PHONE_HZ), (other, LATE_HZ)):
                one.dial(uri(server, here.number))
                await hears(host, hertz)
            phone.hold()
            await phones_are(host, LegState.HELD, LegState.IN_ROOM)
            await hears(host, PHONE_HZ, heard=False)
            other.vanish()
            await phones_are(host, LegState.HELD)
            await until(lambda: "Telefon lämnade" in texts(host))
            phone.resume()
            await phones_are(host, LegState.IN_ROOM)
            await hears(host, PHONE_HZ)
            assert texts(host).count("Telefon lämnade") == 1


class Floor:
    """A room with a browser's person and two telephones, which enter without a PIN."""

    def __init__(self, here: Hall, host: Guest, phones: list[Telephone]) -> None:
        self.here, self.host, self.phones = here, host, phones

    async def fill(self) -> None:
        await inside(self.host)
        for phone in self.phones:
            phone.dial(uri(self.here.server, self.here.number))
        await self.carried()

    async def carried(self) -> None:
        await phones_are(self.host, *(LegState.IN_ROOM for _ in self.phones))

    async def lost(self) -> None:
        await phones_are(self.host, *(LegState.RECONNECTING for _ in self.phones))

    async def hear_each_other(self) -> None:
        """When the browser's person is back too."""
        assert self.host.client is not None
        await self.host.client.close()
        await self.host.sit(client(hum(HOST_HZ)))
        await inside(self.host)
        await hears(self.host, PHONE_HZ)
        await until(lambda: all(share(phone.heard(), HOST_HZ, 0.5) > 0.2 for phone in self.phones))

    async def are_announced_as_back(self) -> None:
        legs = {entry.leg for entry in telephones(self.host)}

        async def announced() -> bool:
            told = [one for one in await self.here.notices() if one["kind"] == "reconnected"]
            return legs <= {leg["leg"] for one in told for leg in one["legs"]}

        await until_answer(announced)

    @property
    def worker(self) -> int:
        """The process that carries it: each has its share of the ports."""
        port = int(re.findall(r"RTCP with remote 127\.0\.0\.1:(\d+)", self.phones[0].log)[-1])
        ports = self.here.server.rtp_ports
        slot = f"w{(port - ports[0]) // (len(ports) // WORKERS)}."
        started = self.here.server.logged("worker_started")
        pid: int = next(line["pid"] for line in reversed(started) if line["worker"].startswith(slot))
        return pid


class Waits:
    """For a core: of the test, the server and the worker of it that waits longest."""

    def __init__(self, server: RunningServer) -> None:
        self._server = server
        self._before = {pid: waited_s(pid) for pid in (os.getpid(), server.pid, *server.worker_pids())}

    def since(self) -> float:
        workers = max(self._of(pid) for pid in self._server.worker_pids())
        return self._of(os.getpid()) + self._of(self._server.pid) + workers

    def _of(self, pid: int) -> float:
        return waited_s(pid) - self._before.get(pid, 0.0)


async def come_back_in_time(floors: list[Floor], how: signal.Signals, *workers: int) -> None:
    """These die or hang: each telephone is in its seat again, and announced, before any browser is.

    How long it takes is without what those by whom it is done, and seen, one after another, wait for a core.
    """
    waits = Waits(floors[0].here.server)
    seats = [[entry.leg for entry in telephones(floor.host)] for floor in floors]
    for pid in workers:
        os.kill(pid, how)
    begun = time.monotonic()
    await asyncio.gather(*(floor.lost() for floor in floors))
    known = time.monotonic() - begun
    await asyncio.gather(*(floor.carried() for floor in floors))
    took, waited = time.monotonic() - begun, waits.since()
    print(f"{how.name}: known after {known:.2f} s, carried again after {took:.2f} s, of which waits {waited:.2f} s")
    assert took - waited <= BACK_S
    assert seats == [[entry.leg for entry in telephones(floor.host)] for floor in floors]
    await asyncio.gather(*(floor.are_announced_as_back() for floor in floors))


@pytest.mark.policy("S5.3-1", "S5.3-8")
async def test_calls_go_on_with_another_worker_within_three_seconds_and_none_outlives_the_server(
    tmp_path: Path,
) -> None:
    with running_server(tmp_path / "server", **SETTINGS) as server, ExitStack() as stack:
        kinds: list[dict[str, Any]] = [{}, {"transport": "tcp"}, {"settings": f"rtp_timeout {SILENCE_S}\n"}, {}]
        phones = [
            stack.enter_context(telephone(tmp_path / str(number), hertz=PHONE_HZ, codec=G711, **how))
            for number, how in enumerate(kinds)
        ]
        late = stack.enter_context(telephone(tmp_path / "late", hertz=LATE_HZ))
        async with hall(server) as one, hall(server) as other:
            floors = [Floor(one, await one.host(), phones[:2]), Floor(other, await other.host(), phones[2:])]
            await asyncio.gather(*(floor.fill() for floor in floors))
            late.dial(uri(server, "reception"))
            await until(lambda: late.talks)
            await come_back_in_time(floors, signal.SIGKILL, *server.worker_pids())
            await until(lambda: len(server.logged("call_moved")) == 5)
            await asyncio.gather(*(floor.hear_each_other() for floor in floors))
            await come_back_in_time(floors[:1], signal.SIGSTOP, floors[0].worker)
            await floors[0].hear_each_other()
            await press(late, one.number)
            await phones_are(floors[0].host, *[LegState.IN_ROOM] * 3)
            workers = server.worker_pids()
            server.kill()
            await until(lambda: not any(alive(pid) for pid in workers), within=1)
            port = str(server.logged("sip_serving")[0]["port"])
            again = stack.enter_context(running_server(tmp_path / "server", **SETTINGS | {"sip__port": port}))
            for phone in (phones[0], phones[3]):
                phone.hold()
            for phone in (phones[1], late):
                phone.hang_up()
            async with Guest(again.base_url) as host:
                await host.join(one.number, "Berg", client(), token=one.link("Berg"))
                await inside(host)
                assert telephones(host) == []
                await until(lambda: all(phone.closed for phone in [*phones, late]))
                for phone in phones[:2]:
                    phone.dial(uri(again, one.number))
                await phones_are(host, *[LegState.IN_ROOM] * 2)
                assert await asyncio.to_thread(again.stop) == 0
                await until(lambda: all(phone.hung_up == 1 for phone in phones[:2]))
