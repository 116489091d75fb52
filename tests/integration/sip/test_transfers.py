"""An endpoint leads whom it talks to to another: telephones that know nothing of Replaces, and meet all the same.

Debian's baresip goes on with the keys that its call began with, whatever it is told: seats in meetings are handed over
in the clear here.
"""

import asyncio
import os
import re
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import pytest
from baresip import Telephone
from dialled import call
from endpoints import NAMES, address, phone, posted, settings, states
from hall import hall, hum, inside, loudness, texts, until
from running_server import RunningServer, running_server
from sound import share

ANNA_HZ, BO_HZ, CILLA_HZ, HOST_HZ = 700.0, 1100.0, 1500.0, 3000.0
PIN = "135790"
SECOND = 48_000  # samples
AUTO = ";answermode=auto"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    directory = tmp_path_factory.mktemp("transfers")
    with running_server(directory, **settings(directory), sip__encryption="offered") as started:
        for number, name in enumerate(NAMES, 701):
            posted(started, name, number=str(number))
        yield started


def replacing(who: str, dialog: tuple[str, str, str]) -> str:
    call_id, theirs, own = dialog
    return f"<sip:{who}@127.0.0.1?Replaces={quote(f'{call_id};to-tag={theirs};from-tag={own}', safe='')}>"


def all_are(server: RunningServer, state: str) -> bool:
    return list(states(server).values()) == [state] * 3


async def hears(who: Telephone, hertz: float) -> None:
    await until(lambda: who.plays and share(who.heard(), hertz, 0.5) > 0.8)


@pytest.mark.parametrize(("transport", "encryption"), [("udp", ""), ("tls", "srtp-mand")])
async def test_two_whom_one_talks_to_talk_to_each_other_when_it_transfers_them_and_it_is_out(
    server: RunningServer, tmp_path: Path, transport: str, encryption: str
) -> None:
    with ExitStack() as stack:
        anna, bo, cilla = (
            phone(server, stack, tmp_path, name, transport, hertz=hertz, more=more, traced=True, encryption=encryption)
            for name, hertz, more in (("anna", ANNA_HZ, ""), ("bo", BO_HZ, AUTO), ("cilla", CILLA_HZ, AUTO))
        )
        await until(lambda: all_are(server, "online"))
        anna.dial(f"sip:702@{address(server)}")
        await until(lambda: "Call established" in bo.log)
        anna.dial(f"sip:703@{address(server)}")
        await hears(cilla, ANNA_HZ)
        first, _ = anna.dialogs()
        anna.transfer(replacing("bo", first))
        await hears(cilla, BO_HZ)
        await hears(bo, CILLA_HZ)
        await until(lambda: states(server) == {"anna": "online", "bo": "busy", "cilla": "busy"})
        assert "SIP/2.0 100 Trying" in anna.log.rpartition("REFER sip:")[2]
        if encryption:  # each with the two keys that it had before, also by another worker
            for pid in server.worker_pids():
                os.kill(pid, signal.SIGKILL)
            await until(lambda: server.logged("call_moved"))
            for one, hertz in ((bo, CILLA_HZ), (cilla, BO_HZ)):
                had = len(one.heard())
                await until(lambda one=one, had=had: len(one.heard()) > had + SECOND)  # type: ignore[misc] # mypy mixes
                await hears(one, hertz)
            assert [len(set(re.findall(r"inline:(\S+)", one.log))) for one in (bo, cilla)] == [2, 2]
        cilla.hang_up()
        await until(lambda: bo.closed and all_are(server, "online"))


async def pressed(who: Telephone, pin: str | None) -> None:
    """Where the door asks for one."""
    if pin is not None:
        await asyncio.sleep(0.5)
        await asyncio.to_thread(who.press, f"{pin}#")


@pytest.mark.policy("S5.3-1", "S5.3-2")
@pytest.mark.parametrize(("by", "pin"), [("the call", PIN), ("the seat", None)])
async def test_whom_one_talks_to_takes_its_seat_in_a_meeting_by_the_door_and_is_announced_and_the_one_leaves(
    server: RunningServer, tmp_path: Path, by: str, pin: str | None
) -> None:
    async with hall(server, guest_pin=pin) as here:
        host = await here.host(sound=hum(HOST_HZ))
        await inside(host)
        with ExitStack() as stack:
            anna = phone(server, stack, tmp_path, "anna", hertz=ANNA_HZ, traced=True, encryption="")
            bo = phone(server, stack, tmp_path, "bo", hertz=BO_HZ, more=";answermode=auto", encryption="")
            await until(lambda: [states(server)[name] for name in ("anna", "bo")] == ["online"] * 2)
            if by == "the seat":
                anna.dial(f"sip:702@{address(server)}")
                await hears(bo, ANNA_HZ)
            anna.dial(f"sip:{here.number}@{address(server)}")
            await until(lambda: len(anna.dialogs()) == (2 if by == "the seat" else 1))
            await pressed(anna, pin)
            await until(lambda: f"{NAMES['anna']} gick med" in texts(host))
            if by == "the call":
                anna.dial(f"sip:702@{address(server)}")
                await hears(bo, ANNA_HZ)
            anna.transfer(replacing("anna", anna.dialogs()[0]))
            await until(lambda: "a=inactive" in anna.log)
            await pressed(bo, pin)
            await until(lambda: f"{NAMES['bo']} gick med" in texts(host))
            await until(lambda: f"{NAMES['anna']} lämnade" in texts(host))
            await until(lambda: [states(server)[name] for name in ("anna", "bo")] == ["online", "busy"])
            await until(lambda: "SIP/2.0 200 OK" in anna.log.rpartition("NOTIFY sip:")[2].partition("sipfrag")[2][:80])
            assert host.client is not None
            await until(lambda: loudness(host.client.heard(), BO_HZ, 0.5) > 0.8)
            await hears(bo, HOST_HZ)
            bo.hang_up()
            await until(lambda: f"{NAMES['bo']} lämnade" in texts(host))


@pytest.mark.parametrize("by", ["the call", "the seat"])
async def test_whom_the_meeting_has_called_hands_its_seat_to_whom_it_talks_to(
    server: RunningServer, tmp_path: Path, by: str
) -> None:
    async with hall(server, guest_pin=PIN) as here:
        host = await here.host()
        await inside(host)
        with ExitStack() as stack:
            anna = phone(server, stack, tmp_path, "anna", hertz=ANNA_HZ, traced=True, encryption="")
            bo = phone(server, stack, tmp_path, "bo", hertz=BO_HZ, more=AUTO, encryption="")
            await until(lambda: [states(server)[name] for name in ("anna", "bo")] == ["online"] * 2)
            if by == "the seat":
                anna.dial(f"sip:702@{address(server)}")
                await hears(bo, ANNA_HZ)
            await call(here, uri="sip:anna@127.0.0.1")
            await until(lambda: anna.rings)
            anna.accept()
            await until(lambda: "Bo Ek gick med" in texts(host), within=20)
            if by == "the call":
                anna.dial(f"sip:702@{address(server)}")
                await hears(bo, ANNA_HZ)
                call_id, own, theirs = anna.dialogs()[0]  # of a call that came
                anna.transfer(replacing("anna", (call_id, theirs, own)))
            else:
                anna.transfer(replacing("bo", anna.dialogs()[0]))
            await until(lambda: "a=inactive" in anna.log)
            await pressed(bo, PIN)
            await until(lambda: f"{NAMES['bo']} gick med" in texts(host))
            await until(lambda: "Bo Ek lämnade" in texts(host))
            await until(lambda: [states(server)[name] for name in ("anna", "bo")] == ["online", "busy"])
            assert host.client is not None
            await until(lambda: loudness(host.client.heard(), BO_HZ, 0.5) > 0.8)
            bo.hang_up()
            await until(lambda: f"{NAMES['bo']} lämnade" in texts(host))


async def test_one_endpoint_is_led_to_another_which_it_calls_itself_and_to_no_call_of_nobodys(
    server: RunningServer, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        anna = phone(server, stack, tmp_path, "anna", hertz=ANNA_HZ)
        phone(server, stack, tmp_path, "bo", hertz=BO_HZ, more=";answermode=auto;call_transfer=yes")
        cilla = phone(server, stack, tmp_path, "cilla", hertz=CILLA_HZ, more=";answermode=auto")
        await until(lambda: all_are(server, "online"))
        anna.dial(f"sip:702@{address(server)}")
        await until(lambda: "Call established" in anna.log)
        anna.transfer(replacing("cilla", ("of nobody", "a", "b")))
        await until(lambda: "transfer failed: 404" in anna.log and all_are(server, "online"))
        anna.dial(f"sip:702@{address(server)}")
        await until(lambda: anna.log.count("Call established") == 2)
        anna.transfer("sip:703@127.0.0.1")
        await hears(cilla, BO_HZ)
        await until(lambda: states(server) == {"anna": "online", "bo": "busy", "cilla": "busy"})
