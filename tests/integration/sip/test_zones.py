"""Calls between telephones of networks kept apart: their media goes through the server, or there is no call."""

import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from baresip import Camera, Telephone, shows
from endpoints import NAMES, address, phone, posted, settings, states
from hall import until
from passers import passing
from running_server import RunningServer, running_server
from sound import share
from typer.testing import CliRunner

from mcu.cli.entry import cli

ANNA_HZ, BO_HZ = 700.0, 1100.0
SERVER, CARE, INTERNET, LABORATORY = "127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"
ZONES = [
    {"name": "care", "networks": ["127.0.0.2/32"], "reaches": ["internet"], "address": SERVER},
    {"name": "internet", "networks": ["127.0.0.0/8"], "reaches": ["care"]},
    {"name": "laboratory", "networks": ["127.0.0.4/32"], "direct": False},
]
RED, BLUE = (81, 90, 240), (41, 240, 110)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    directory = tmp_path_factory.mktemp("zones")
    zones = {"sip__zones": json.dumps(ZONES), "media__workers": "2"}
    with running_server(directory, **settings(directory), **zones) as started:
        for number, name in enumerate(NAMES, 701):
            posted(started, name, number=str(number))
        yield started


def ways(server: RunningServer, seen: Counter[tuple[int, int]]) -> tuple[int, int]:
    """How many packets telephones sent to the server, and how many of the same telephones to each other."""
    ports = server.rtp_ports
    to_server = {(source, to): count for (source, to), count in seen.items() if to in ports and source not in ports}
    theirs = {source for source, _ in to_server}
    straight = sum(count for (source, to), count in seen.items() if source in theirs and to in theirs)
    return sum(to_server.values()), straight


async def both_hear(anna: Telephone, bo: Telephone) -> None:
    await until(lambda: all("Call established" in one.log and one.plays for one in (anna, bo)))
    await until(lambda: share(anna.heard(), BO_HZ, 0.5) > 0.8 and share(bo.heard(), ANNA_HZ, 0.5) > 0.8)


async def test_between_zones_sound_and_picture_go_through_the_server_and_no_packet_straight(
    server: RunningServer, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        anna = phone(server, stack, tmp_path, "anna", hertz=ANNA_HZ, at=CARE, camera=Camera(RED))
        more = ";answermode=auto"
        bo = phone(server, stack, tmp_path, "bo", hertz=BO_HZ, at=INTERNET, more=more, camera=Camera(BLUE))
        await until(lambda: [states(server)[name] for name in ("anna", "bo")] == ["online"] * 2)
        with passing() as seen:
            anna.dial(f"sip:702@{address(server)}")
            await both_hear(anna, bo)
            assert shows(await asyncio.to_thread(anna.sees), [BLUE])
            assert shows(await asyncio.to_thread(bo.sees), [RED])
        through, straight = ways(server, seen)
        assert through > 100
        assert straight == 0
        assert f"c=IN IP4 {CARE}" not in bo.log
        bo.hang_up()
        await until(lambda: anna.closed)


async def test_within_a_zone_media_goes_straight_but_where_the_settings_say_otherwise(
    server: RunningServer, tmp_path: Path
) -> None:
    for home, goes_straight in ((CARE, True), (LABORATORY, False)):
        with ExitStack() as stack:
            anna = phone(server, stack, tmp_path / home, "anna", hertz=ANNA_HZ, at=home)
            bo = phone(server, stack, tmp_path / home, "bo", hertz=BO_HZ, at=home, more=";answermode=auto")
            await until(lambda: [states(server)[name] for name in ("anna", "bo")] == ["online"] * 2)
            with passing() as seen:
                anna.dial(f"sip:702@{address(server)}")
                await both_hear(anna, bo)
            through, _ = ways(server, seen)
            assert (through == 0) if goes_straight else (through > 100)


async def test_who_is_in_a_zone_that_is_not_reached_is_refused_with_the_reason_and_the_plan_says_so(
    server: RunningServer, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        anna = phone(server, stack, tmp_path, "anna", at=CARE)
        bo = phone(server, stack, tmp_path, "bo", at=LABORATORY)
        await until(lambda: [states(server)[name] for name in ("anna", "bo")] == ["online"] * 2)
        anna.dial(f"sip:702@{address(server)}")
        await until(lambda: "403 The network of whoever is called is not reached from this one" in anna.log)
        assert not bo.rings

        def said(dialled: str) -> str:
            asked = ["dial-test", dialled, "--url", server.base_url, "--token", server.token]
            return " ".join(CliRunner().invoke(cli, asked, catch_exceptions=False).stdout.split())

        through = "from laboratory media goes through this server"
        assert (
            f"Registered in the zone laboratory: from care refused, from internet refused, {through}."
            in await asyncio.to_thread(said, "702")
        )
        assert "Registered nowhere now" in await asyncio.to_thread(said, "703")


async def test_a_call_whose_worker_dies_goes_on_through_another(server: RunningServer, tmp_path: Path) -> None:
    with ExitStack() as stack:
        anna = phone(server, stack, tmp_path, "anna", hertz=ANNA_HZ, at=CARE)
        bo = phone(server, stack, tmp_path, "bo", hertz=BO_HZ, at=INTERNET, more=";answermode=auto")
        await until(lambda: [states(server)[name] for name in ("anna", "bo")] == ["online"] * 2)
        anna.dial(f"sip:702@{address(server)}")
        await both_hear(anna, bo)
        moved = len(server.logged("call_moved"))
        for pid in server.worker_pids():
            os.kill(pid, signal.SIGKILL)
        await until(lambda: len(server.logged("call_moved")) > moved)
        before = [len(one.heard()) for one in (anna, bo)]
        await until(lambda: all(len(one.heard()) > had + 48_000 for one, had in zip((anna, bo), before, strict=True)))
        await both_hear(anna, bo)
        assert not anna.closed
