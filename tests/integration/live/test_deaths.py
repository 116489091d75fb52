"""What dies and what lives on: a media worker that is killed, and the control process itself."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest
from hall import client, hall, inside, line, state, texts, until
from running_server import RunningServer, end, launch, running_server

from mcu.demo.guest import Guest, JoinError
from mcu.media.life import LegState
from mcu.media.messages import NoticeKind
from mcu.signalling.webrtc.messages import NoticeShown, Reconnect, Roster

SEEN_S = 1.0  # by when the death of a worker is known
BACK_S = 5.0  # by when everybody is back


@pytest.mark.policy("S5.3-8")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSEGV], ids=["killed", "a decoder crashed"])
async def test_a_room_whose_worker_is_killed_is_back_within_five_seconds_and_others_notice_nothing(
    tmp_path: Path, how: signal.Signals
) -> None:
    with running_server(tmp_path, media__workers="2") as server:
        async with hall(server) as struck, hall(server) as spared:
            ours = [await struck.host(), await struck.guest("Anna")]
            theirs = [await spared.host("Ek"), await spared.guest("Bo")]
            await inside(*ours, *theirs)
            quiet = [len(person.messages) for person in theirs]
            packets = [person.client.packets_received() for person in theirs if person.client is not None]

            killed = time.monotonic()
            os.kill(worker_of(server, ours[0]), how)
            await asyncio.gather(*(person.told(Reconnect, within=SEEN_S) for person in ours))
            seen = time.monotonic() - killed
            dead = [person.client for person in ours]
            await asyncio.gather(*(person.sit(client()) for person in ours))
            await asyncio.gather(*(back(person) for person in ours))
            took = time.monotonic() - killed
            print(f"worker killed: seen after {seen:.2f} s, both back after {took:.2f} s")

            assert seen <= SEEN_S
            assert took <= BACK_S
            await until(lambda: {"Anna är tillbaka", "Berg är tillbaka"} & {t for one in ours for t in texts(one)})
            room = [notice["kind"] for notice in await struck.notices()]
            assert room.count("joined") == 2
            assert room.count("reconnected") >= 1
            for person, before in zip(theirs, quiet, strict=True):
                assert not any(isinstance(one, (NoticeShown, Reconnect)) for one in list(person.messages)[before:])
            for person, before in zip(theirs, packets, strict=True):
                assert person.client is not None
                assert person.client.packets_received() - before >= (time.monotonic() - killed) * 50 * 0.9
            await asyncio.gather(*(one.close() for one in dead if one is not None))


async def back(person: Guest) -> None:
    """Until `person` is in the room again, by a roster that was told after it was asked to come back."""
    asked = next(number for number, message in enumerate(person.messages) if isinstance(message, Reconnect))
    await person.told(
        Roster,
        lambda roster: any(one.leg == person.leg and one.state is LegState.IN_ROOM for one in roster.entries),
        after=asked,
    )


def worker_of(server: RunningServer, person: Guest) -> int:
    """The process that sends to `person`: the worker whose UDP socket is the far end of its connection."""
    assert person.client is not None
    transport = person.client._peer.getTransceivers()[0].sender.transport.transport
    _, pair = next(iter(transport._connection._nominated.items()))
    port = pair.remote_addr[1]
    inode = next(
        fields[9]
        for table in ("udp", "udp6")
        for fields in (row.split() for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:])
        if int(fields[1].rpartition(":")[2], 16) == port
    )
    return next(pid for pid in server.worker_pids() if f"socket:[{inode}]" in open_files(pid))


def open_files(pid: int) -> set[str]:
    return {os.readlink(file) for file in Path(f"/proc/{pid}/fd").iterdir()}


async def test_a_lock_that_was_acknowledged_holds_when_the_control_process_is_killed(tmp_path: Path) -> None:
    first = launch(tmp_path)
    second: RunningServer | None = None
    try:
        first.wait_until_serving()
        async with hall(first) as here:
            berg = await here.host()
            await inside(berg)
            room = await here.room()
            await here.patch(room, locked=True, layout="grid")
            first.kill()
            second = launch(tmp_path)
            await asyncio.to_thread(second.wait_until_serving)
            async with Guest(second.base_url) as anna:
                with pytest.raises(JoinError) as refused:
                    await anna.ask(here.number, "Anna")
                assert refused.value.problem["code"] == "meeting-locked"
            async with Guest(second.base_url) as again:
                await again.join(here.number, "Berg", client(), token=here.link("Berg"))
                await until(lambda: state(again) is LegState.IN_ROOM)
    finally:
        for server in (first, second):
            if server is not None:
                end(server)


async def test_people_come_back_by_themselves_when_the_control_process_is_killed(tmp_path: Path) -> None:
    """With the reconnect token alone: nobody is asked for a name or a PIN again."""
    first = launch(tmp_path)
    second: RunningServer | None = None
    try:
        first.wait_until_serving()
        async with hall(first) as here:
            berg, anna = await here.host(), await here.guest("Anna")
            await inside(berg, anna)
            first.kill()
            second = launch(tmp_path)
            await asyncio.to_thread(second.wait_until_serving)
            async with Guest(second.base_url) as new_berg, Guest(second.base_url) as new_anna:
                for old, new in ((berg, new_berg), (anna, new_anna)):
                    new.joined, new.reconnect_token = old.joined, old.reconnect_token
                    await new.come_back(client())
                await inside(new_berg, new_anna)
                seen = line(new_berg, anna.leg)
                assert seen is not None
                assert seen.name == "Anna"
                assert "Anna" not in (anna.reconnect_token or "")
                await new_berg.told(NoticeShown, lambda notice: notice.text == "Anna gick med")
    finally:
        for server in (first, second):
            if server is not None:
                end(server)


@pytest.mark.policy("S5.3-2")
async def test_who_vanishes_is_said_to_have_left_and_the_seat_ends_when_nobody_comes_back(tmp_path: Path) -> None:
    with running_server(tmp_path, media__resume_window_s="5") as server:
        async with hall(server) as here:
            berg, anna = await here.host(), await here.guest("Anna")
            await inside(berg, anna)
            assert anna.client is not None
            anna.client.vanish()
            left = await berg.told(NoticeShown, lambda notice: notice.kind is NoticeKind.LEFT, within=30)
            assert left.text == "Anna lämnade"
            await until(lambda: state(berg, anna.leg) is LegState.RECONNECTING)
            await until(lambda: state(berg, anna.leg) is None, within=10)
            assert texts(berg).count("Anna lämnade") == 1
