"""People who are called into a meeting: real baresip phones that are rung up, a real server, a host in a browser."""

import asyncio
import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from baresip import free_port, telephone
from dialled import call, hear_each_other, in_the_room, press, telephones
from hall import Hall, hall, hum, inside, loudness, texts, until, until_answer
from kamailio import IN_CALLS, kamailio
from running_server import SIP, RunningServer, running_server
from sip_messages import request
from sound import record, share, tone

from mcu.conference.roster import Stage
from mcu.demo.guest import Guest
from mcu.protocol.sip.message import Request, read
from mcu.protocol.sip.responses import response_to
from mcu.signalling.webrtc.messages import Calls

HOST_HZ, PHONE_HZ = 900.0, 700.0
NUMBER = "+46701740605"
LOCKED_HZ = 1500.0  # of the words that the meeting is locked
PROXY = """
listen=udp:127.0.0.1:{port}
request_route {{
    {in_calls}
    if (is_method("INVITE")) record_route();
    $du = "{there}";
    t_relay();
}}
"""
FULL, TRUNK = "127.0.0.2", "127.0.0.3"  # two trunks: the first, and best, says 503


def trunk(name: str, host: str, priority: int) -> dict[str, Any]:
    return {
        "name": name,
        "hosts": [host],
        "prefixes": ["+46"],
        "priority": priority,
        "encryption": "offered",
        "codecs": ["pcma"],
        "caller_id": "+46812345678",
    }


@contextmanager
def full_trunk(directory: Path, port: int) -> Iterator[None]:
    """One that has no lines left."""
    scenario = Path(__file__).parents[2] / "support" / "sipp" / "full_trunk.xml"
    with (directory / "sipp.log").open("wb") as log:
        process = subprocess.Popen(
            ["sipp", "-sf", str(scenario), "-i", FULL, "-p", str(port), "-nostdin"],
            cwd=directory,
            stdout=log,
            stderr=log,
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def trunk_port() -> int:
    """Of the second trunk, at which somebody may answer or nobody."""
    return free_port(TRUNK)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, trunk_port: int) -> Iterator[RunningServer]:
    full_port = free_port(FULL)
    settings = {
        "media__workers": "1",
        **SIP,
        "sip__call_domains": "127.0.0.1",
        "sip__calls_out_max": "5",
        "sip__trunks": json.dumps(
            [trunk("first", f"{FULL}:{full_port}", 1), trunk("second", f"{TRUNK}:{trunk_port}", 2)]
        ),
    }
    directory = tmp_path_factory.mktemp("sip")
    record(directory / "prompts" / "sv" / "meeting-locked.wav", tone(LOCKED_HZ, 100))
    settings["sip__prompts"] = str(directory / "prompts")
    with full_trunk(directory, full_port), running_server(directory, **settings) as started:
        yield started


def stages(person: Guest) -> list[Stage]:
    """What a host has been shown of the only call, in order."""
    shown = [message.called[-1].stage for message in person.messages if isinstance(message, Calls) and message.called]
    return [stage for index, stage in enumerate(shown) if index == 0 or stage is not shown[index - 1]]


async def book(here: Hall, uri: str) -> str:
    """Somebody whom the meeting is to call when a host has come: the participant's id."""
    body = {"name": "Bo Ek", "join": {"kind": "dial_out", "when": "on_host_join", "uri": uri}}
    async with here.api.post(f"/api/v1/meetings/{here.booked['id']}/participants", json=body) as answer:
        assert answer.status == 201, await answer.text()
        return str((await answer.json())["id"])


@pytest.mark.policy("S5.3-1")
async def test_who_is_called_hears_nothing_of_the_room_before_answering_and_is_announced_then(
    server: RunningServer, tmp_path: Path
) -> None:
    """By the booking: when the host has come."""
    async with hall(server) as here:
        with telephone(tmp_path / "phone", hertz=PHONE_HZ) as phone:
            booked = await book(here, uri=phone.uri)
            host = await here.host(sound=hum(HOST_HZ))
            await inside(host)
            await until(lambda: phone.rings)
            await until(lambda: stages(host)[-1:] == [Stage.RINGING])
            assert telephones(host) == []
            await asyncio.sleep(1.2)
            phone.accept()
            await in_the_room(host)
            assert "Bo Ek gick med" in texts(host)
            assert telephones(host)[0].muted is False
            await hear_each_other(host, HOST_HZ, phone, PHONE_HZ, lately=0.5)
            assert stages(host) == [Stage.CALLING, Stage.RINGING, Stage.ANSWERED, Stage.JOINED]
            shown = (await here.get(f"{await here.room()}/calls"))["items"][0]
            assert (shown["participant_id"], shown["state"], shown["leg"]) == (
                booked,
                "joined",
                telephones(host)[0].leg,
            )
            phone.hang_up()
            await until(lambda: "Bo Ek lämnade" in texts(host))


async def test_what_comes_of_a_call_that_is_not_answered_is_shown(server: RunningServer, tmp_path: Path) -> None:
    async with hall(server) as here:
        host = await here.host()
        await inside(host)
        with telephone(tmp_path / "phone", hertz=PHONE_HZ) as phone:
            await call(here, uri=phone.uri)
            await until(lambda: phone.rings and stages(host) == [Stage.CALLING, Stage.RINGING])
            phone.hang_up()
            await until(lambda: stages(host) == [Stage.CALLING, Stage.RINGING, Stage.BUSY])
            made = await call(here, uri=phone.uri)
            await until(lambda: stages(host)[-1:] == [Stage.RINGING])
            async with here.api.delete(f"{await here.room()}/calls/{made['id']}") as answer:
                assert answer.status == 204
            await until(lambda: stages(host)[-1:] == [Stage.ENDED])
            await until(lambda: phone.closed)
        assert telephones(host) == []


@pytest.mark.policy("S5.3-1")
async def test_who_answers_when_the_meeting_has_been_locked_is_told_so_and_the_host_that_it_failed(
    server: RunningServer, tmp_path: Path
) -> None:
    async with hall(server) as here:
        host = await here.host(sound=hum(HOST_HZ))
        await inside(host)
        with telephone(tmp_path / "phone", hertz=PHONE_HZ) as phone:
            await call(here, uri=phone.uri)
            await until(lambda: phone.rings)
            await here.patch(await here.room(), locked=True)
            phone.accept()
            await until(lambda: phone.closed, within=20)
            heard = phone.heard()
        assert max(share(heard[:at], LOCKED_HZ, 1.0) for at in range(48_000, heard.size, 24_000)) > 0.8
        assert share(heard, HOST_HZ, heard.size / 48_000) < 0.01
        assert stages(host)[-1] is Stage.FAILED
        assert telephones(host) == []


@pytest.mark.policy("S5.3-9")
async def test_who_has_a_machine_answer_is_heard_when_a_key_is_pressed_and_not_before(
    server: RunningServer, tmp_path: Path
) -> None:
    async with hall(server) as here:
        host = await here.host()
        await inside(host)
        with telephone(tmp_path / "phone", hertz=PHONE_HZ, parameters="regint=0;answermode=auto") as phone:
            await call(here, uri=phone.uri)
            await in_the_room(host)
            assert (telephones(host)[0].muted, telephones(host)[0].unattended) == (True, True)
            assert host.client is not None
            heard = host.client.heard
            await asyncio.sleep(1.5)
            assert loudness(heard(), PHONE_HZ, 1.0) < 0.1
            await press(phone, "5")
            await until(lambda: not telephones(host)[0].muted)
            assert telephones(host)[0].unattended is False
            await until(lambda: loudness(heard(), PHONE_HZ, 0.5) > 0.8)


async def test_a_number_goes_by_the_next_trunk_where_the_best_is_full_and_is_in_no_log(
    server: RunningServer, tmp_path: Path, trunk_port: int
) -> None:
    with telephone(
        tmp_path / "phone",
        hertz=PHONE_HZ,
        codec="PCMA/8000/1",
        encryption="",
        account=f"{NUMBER}@{TRUNK}",
        port=trunk_port,
    ) as phone:
        async with hall(server) as here:
            host = await here.host()
            await inside(host)
            await call(here, phone=NUMBER)
            await until(lambda: phone.rings, within=15)
            assert "+46812345678" in phone.log
            phone.accept()
            await in_the_room(host)
    assert [line["trunk"] for line in server.logged("trunk_failed")] == ["first"]
    logged = server.log_path.read_text("utf-8")
    assert not [secret for secret in (NUMBER, NUMBER[1:], "812345678", "Bo Ek") if secret in logged]
    assert 'mcu_sip_trunk_up{trunk="first"} 1.0' in server.metrics()


async def test_no_stranger_and_no_answer_that_leads_elsewhere_reaches_a_trunk(
    server: RunningServer, trunk_port: int
) -> None:
    ours = ("127.0.0.1", server.logged("sip_serving")[0]["port"])
    elsewhere = f"<sip:{NUMBER}@{TRUNK}:{trunk_port}>"
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as operator,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger,
    ):
        operator.bind((TRUNK, trunk_port))
        stranger.bind(("127.0.0.1", 0))
        for one in (operator, stranger):
            one.settimeout(5)
        for method in ("INVITE", "REFER"):
            asked = request(method, branch=method, Refer_To=elsewhere, Call_ID=method)
            asked = replace(asked, target=f"sip:{NUMBER}@127.0.0.1")
            stranger.sendto(bytes(asked), ours)
        async with hall(server) as here:
            host = await here.host()
            await inside(host)
            await call(here, uri=f"sip:bo@127.0.0.1:{stranger.getsockname()[1]}")
            invite = await asyncio.to_thread(asked_of, stranger)
            moved = response_to(invite, 302, tag="t", headers=[("Contact", elsewhere)])
            stranger.sendto(bytes(moved), ours)
            await until(lambda: stages(host)[-1:] == [Stage.REFUSED])
        operator.setblocking(False)
        assert all(one.method == "OPTIONS" for one in asked_so_far(operator))


def asked_of(sock: socket.socket) -> Request:
    """The next request that comes."""
    while True:
        message = read(sock.recv(65_536))
        if isinstance(message, Request):
            return message


def asked_so_far(sock: socket.socket) -> Iterator[Request]:
    with suppress(BlockingIOError):
        while True:
            yield asked_of(sock)


@pytest.mark.parametrize(
    ("whom", "status", "code"),
    [
        ({"phone": "+4520123456"}, 403, "destination-not-allowed"),  # no trunk has that prefix
        ({"phone": "+46900123456"}, 403, "destination-not-allowed"),  # premium rate
        ({"uri": f"sip:{NUMBER}@{TRUNK}:5062"}, 403, "destination-not-allowed"),  # past the guard
        ({"uri": "sip:bo@elsewhere.example"}, 403, "destination-not-allowed"),
        ({"uri": "sip:127.0.0.1"}, 422, "invalid"),  # nobody there
        ({"uri": "sip:bo@127.0.0.1", "phone": NUMBER}, 422, "invalid"),
    ],
)
async def test_nobody_is_called_where_the_settings_do_not_let_them(
    server: RunningServer, whom: dict[str, str], status: int, code: str
) -> None:
    async with hall(server) as here:
        await inside(await here.host())
        async with here.api.post(f"{await here.room()}/dial-out", json={"name": "Bo Ek", **whom}) as answer:
            problem = await answer.json()
            assert (answer.status, problem["code"]) == (status, code)
            assert not [value for value in whom.values() if value in json.dumps(problem)]
        assert (await here.get(f"{await here.room()}/calls"))["items"] == []


async def test_fifty_calls_asked_for_at_once_are_as_many_as_may_be(server: RunningServer) -> None:
    async with hall(server) as here:
        await inside(await here.host())
        room = await here.room()
        body = {"name": "Bo Ek", "uri": "sip:bo@127.0.0.1:9"}  # where nobody answers

        async def asked() -> int:
            async with here.api.post(f"{room}/dial-out", json=body) as answer:
                return answer.status

        statuses = await asyncio.gather(*(asked() for _ in range(50)))
        assert (statuses.count(202), statuses.count(429)) == (5, 45)
        for shown in (await here.get(f"{room}/calls"))["items"]:
            async with here.api.delete(f"{room}/calls/{shown['id']}") as answer:
                assert answer.status == 204
        await until_answer(lambda: all_over(here, room))
        assert await asked() == 202


async def all_over(here: Hall, room: str) -> bool:
    shown = (await here.get(f"{room}/calls"))["items"]
    return all(one["state"] not in ("calling", "ringing", "answered") for one in shown)


@pytest.mark.parametrize("by", ["TCP", "UDP"])
async def test_an_invite_too_large_for_a_datagram_goes_by_tcp_or_by_udp_where_nobody_listens_for_that(
    server: RunningServer, tmp_path: Path, by: str
) -> None:
    """Baresip has both at its port, and the proxy that is before it UDP alone."""
    ours, port = server.logged("sip_serving")[0]["port"], free_port()
    async with hall(server) as here:
        host = await here.host()
        await inside(host)
        with ExitStack() as stack:
            phone = stack.enter_context(telephone(tmp_path / "phone", hertz=PHONE_HZ, traced=True))
            there = phone.uri.partition(";")[0]
            if by == "UDP":
                stack.enter_context(kamailio(tmp_path, PROXY.format(port=port, there=there, in_calls=IN_CALLS), port))
                there = f"sip:anna@127.0.0.1:{port}"
            await call(here, uri=there)
            await until(lambda: phone.rings)
            assert f"Via: SIP/2.0/{by} 127.0.0.1:{ours};" in phone.log
            phone.accept()
            await in_the_room(host)
            phone.hang_up()
            await until(lambda: "Bo Ek lämnade" in texts(host))
