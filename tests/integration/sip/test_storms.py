"""A telephone that changes its call without pause, beside one that talks: the first is bounded, the second goes on."""

import asyncio
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from baresip import telephone
from dialled import in_the_room, telephones, uri
from hall import hall, hum, inside, loudness, until, until_answer
from running_server import SIP_OF_ONE_HOST, RunningServer, children, running_server
from sound import share
from storm import Storm, storm

from mcu.media.life import LegState

HOST_HZ, PHONE_HZ = 900.0, 700.0
STORM_S, GROWTH_KB = 5, 20_000
TAKEN, LATER = (200, False), (500, True)  # which says when to try again (RFC 3261, section 14.2)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("storms"), **SIP_OF_ONE_HOST) as started:
        yield started


def kilobytes(server: RunningServer) -> int:
    """What it and its workers have in memory."""
    pages = [Path(f"/proc/{pid}/statm").read_text().split()[1] for pid in (server.pid, *children(server.pid))]
    return sum(map(int, pages)) * 4


async def takes(wild: Storm, direction: str) -> bool:
    return await asyncio.to_thread(wild.change, direction) == TAKEN


async def test_re_invites_without_a_pause_are_answered_take_no_memory_and_end_neither_another_call_nor_their_own(
    server: RunningServer, tmp_path: Path
) -> None:
    where = "127.0.0.1", server.logged("sip_serving")[0]["port"]
    async with hall(server) as here:
        host = await here.host(sound=hum(HOST_HZ))
        await inside(host)
        assert host.client is not None
        heard = host.client.heard
        with (
            telephone(tmp_path / "phone", hertz=PHONE_HZ, codec="PCMA/8000/1") as phone,
            storm(where, here.number) as wild,
        ):
            phone.dial(uri(server, here.number))
            await in_the_room(host)
            assert await asyncio.to_thread(wild.change, "sendrecv") == TAKEN
            await in_the_room(host, 2)
            await until(lambda: loudness(heard(), PHONE_HZ, 0.5) > 0.8)
            before = kilobytes(server)
            answers = await asyncio.to_thread(wild.rage, STORM_S)
            await until(lambda: loudness(heard(), PHONE_HZ, 0.5) > 0.8 and share(phone.heard(), HOST_HZ, 0.5) > 0.8)
            assert set(answers) == {TAKEN, LATER}
            assert kilobytes(server) - before < GROWTH_KB
            for direction, state in (("sendonly", LegState.HELD), ("sendrecv", LegState.IN_ROOM)):
                await until_answer(partial(takes, wild, direction))
                await until(lambda state=state: telephones(host)[-1].state is state)  # type: ignore[misc] # bound
            assert await asyncio.to_thread(wild.is_sent_sound)
            assert await asyncio.to_thread(wild.hang_up) == 200
            await in_the_room(host)
