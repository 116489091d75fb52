"""Organisations that share a server: whose words are heard, whose encryption holds, whose calls are counted."""

import asyncio
import json
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from baresip import Telephone, free_port, telephone
from dialled import PIN, press, uri
from endpoints import address, phone, posted, states
from hall import Hall, hall, inside, until
from running_server import SIP, RunningServer, every_right, running_server
from sip_messages import request
from sound import record, share, tone
from typer.testing import CliRunner

from mcu.cli.entry import cli
from mcu.protocol.sip.message import Response, read
from mcu.signalling.sip.callers import CALLS

NORR_HZ, ALL_HZ = 1500.0, 1800.0  # of what is said at Norr's number, and at everybody's
TRUNK = "127.0.0.8"
NORRS, SYDS = "127.0.0.21", "127.0.0.22"  # their domains, where their telephones are too: there is no DNS here
VASTS = "127.0.0.23"
NOTHING = b"v=0\r\no=- 1 1 IN IP4 127.0.0.8\r\ns=-\r\nc=IN IP4 127.0.0.8\r\nt=0 0\r\nm=audio 0 RTP/AVP 8\r\n"
AT_ONCE = {"norr": 6, "syd": 7}
IN_ALL = 10


@pytest.fixture(scope="module")
def vasts_port() -> int:
    """Of the call control that one of them has."""
    return free_port(VASTS)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, vasts_port: int) -> Iterator[RunningServer]:
    directory = tmp_path_factory.mktemp("organisations")
    norr, everybodys = directory / "norr", directory / "all"
    record(norr / "sv" / "welcome.wav", tone(NORR_HZ, 100))
    record(everybodys / "sv" / "welcome.wav", tone(ALL_HZ, 100))
    record(everybodys / "sv" / "not-secured.wav", tone(ALL_HZ, 100))
    shared = [
        {"id": "norr", "name": "Region Norr", "prompts": str(norr), "prefixes": ["+4690"], "domains": [NORRS]},
        {"id": "syd", "name": "Region Syd", "encryption": "offered", "prefixes": ["+46401234"], "domains": [SYDS]},
        {
            "id": "vast",
            "name": "Region Väst",
            "encryption": "offered",
            "domains": ["vast.example"],
            "call_control": f"sip:{VASTS}:{vasts_port};transport=udp",
        },
    ]
    settings = {
        "media__workers": "1",
        **SIP,
        "sip__encryption": "offered",
        "sip__prompts": str(everybodys),
        "sip__trunks": json.dumps([{"name": "ours", "hosts": [TRUNK], "prefixes": ["+46"]}]),
        "sip__call_domains": "127.0.0.9",
        "sip__calls_out_max": str(IN_ALL),
        "sip__numbers": json.dumps([{"number": "+4690123456"}, {"number": "syd", "organisation": "syd"}]),
        "organisations": json.dumps([{**one, "calls_out_max": AT_ONCE.get(str(one["id"]), 1)} for one in shared]),
    }
    with running_server(directory / "server", **settings) as started:
        yield started


async def test_at_its_number_an_organisations_own_words_are_heard_and_calls_in_the_clear_are_refused(
    server: RunningServer, tmp_path: Path
) -> None:
    with telephone(tmp_path / "secured", hertz=700) as phone:
        phone.dial(uri(server, "+4690123456"))
        await hears(phone, NORR_HZ)
    with telephone(tmp_path / "clear", hertz=700, encryption="") as phone:
        phone.dial(uri(server, "+4690123456"))
        await until(lambda: phone.closed)
        assert "488" in phone.log
        phone.dial(uri(server, "syd"))  # has no words of its own
        await hears(phone, ALL_HZ)


async def hears(phone: Telephone, hertz: float) -> None:
    await until(lambda: share(phone.heard(), hertz, 0.5) > 0.5)


@pytest.mark.policy("S10")
async def test_a_call_in_the_clear_does_not_come_into_the_meeting_of_one_that_wants_encryption(
    server: RunningServer, tmp_path: Path
) -> None:
    async with (
        hall(server, organisation="norr", guest_pin=PIN) as norr,
        hall(server, organisation="syd", guest_pin=PIN) as syd,
    ):
        with ExitStack() as stack:
            phones = [
                stack.enter_context(telephone(tmp_path / name, hertz=700, encryption="")) for name in ("norr", "syd")
            ]
            for phone, here in zip(phones, (norr, syd), strict=True):
                phone.dial(uri(server, here.number))
            await until(lambda: all("audio: start" in phone.log for phone in phones))
            await asyncio.sleep(1)
            await asyncio.gather(*(press(phone, f"{PIN}#") for phone in phones))
            await hears(phones[0], ALL_HZ)  # why
            await until(lambda: phones[0].closed)
            assert not phones[1].closed
        assert (await norr.get(f"/api/v1/rooms?meeting={norr.booked['id']}"))["items"] == []
        assert len((await syd.get(f"/api/v1/rooms?meeting={syd.booked['id']}"))["items"]) == 1


async def test_rooms_of_another_organisation_are_neither_seen_nor_steered(server: RunningServer) -> None:
    async with hall(server, organisation="norr") as norr, hall(server, organisation="syd") as syd:
        await inside(await norr.host())
        room = await norr.room()
        tried = [("GET", ""), ("PATCH", ""), ("POST", "/end"), ("GET", "/participants"), ("GET", "/notices")]
        tried += [("POST", "/dial-out"), ("GET", "/calls")]
        said: dict[str, Any] = {"PATCH": {"locked": True}, "POST": {"name": "Bo", "uri": "sip:bo@127.0.0.9"}}
        for method, part in tried:
            body = None if part == "/end" else said.get(method)
            async with syd.api.request(method, room + part, json=body) as answer:
                assert answer.status == 404, (method, part, await answer.text())
        seen = [{one["id"] for one in (await here.get("/api/v1/rooms"))["items"]} for here in (norr, syd)]
        assert room.rpartition("/")[2] in seen[0] - seen[1]


async def test_endpoints_of_two_organisations_have_the_same_name_and_call_each_other_by_domain_and_whole_number(
    server: RunningServer, tmp_path: Path
) -> None:
    posted(server, "anna", "norr", number="21")
    posted(server, "anna", "syd", number="22")
    with ExitStack() as stack:
        norr = phone(server, stack, tmp_path / "norr", "anna", account=f"anna@{NORRS}")
        syd = phone(
            server, stack, tmp_path / "syd", "anna", account=f"anna@{SYDS}", hertz=1100, more=";answermode=auto"
        )
        await until(lambda: [states(server, one) for one in ("norr", "syd")] == [{"anna": "online"}] * 2)
        norr.dial(f"sip:22@{NORRS}")  # a short number is one's own organisation's
        await until(lambda: "404" in norr.log)
        for called, times in ((f"sip:anna@{SYDS}", 1), (f"sip:+4640123422@{NORRS}", 2)):
            norr.dial(called)
            await until(lambda times=times: norr.log.count("Call established") == times)  # type: ignore[misc]
            await until(lambda: share(norr.heard(), 1100, 0.5) > 0.8)
            assert [states(server, one) for one in ("norr", "syd")] == [{"anna": "busy"}] * 2
            norr.hang_up()
            await until(lambda: [states(server, one) for one in ("norr", "syd")] == [{"anna": "online"}] * 2)
        assert f"sip:anna@{NORRS}" in syd.log
        async with hall(server, organisation="norr") as here:
            await inside(await here.host())
            room = await here.room()
            async with here.api.post(f"{room}/dial-out", json={"name": "Anna", "phone": "+4640123422"}) as answer:
                assert answer.status == 202  # a number of ours, for which no trunk is needed
            await until(lambda: syd.log.count("Call established") == 3)


async def test_an_organisations_own_call_control_is_called_at_its_domain(
    server: RunningServer, tmp_path: Path, vasts_port: int
) -> None:
    """By an endpoint of another, and by a meeting."""
    posted(server, "cilla", "norr")
    with ExitStack() as stack:
        of_vast: dict[str, Any] = {
            "account": f"bo@{VASTS}",
            "parameters": "regint=0;answermode=auto",
            "port": vasts_port,
        }
        bo = stack.enter_context(telephone(tmp_path / "bo", hertz=1100, **of_vast))
        cilla = phone(server, stack, tmp_path, "cilla", account=f"cilla@{NORRS}")
        await until(lambda: states(server, "norr").get("cilla") == "online")
        cilla.dial("sip:bo@vast.example")
        await until(lambda: "Call established" in cilla.log)
        await until(lambda: share(cilla.heard(), 1100, 0.5) > 0.8)
        cilla.hang_up()
        await until(lambda: bo.closed)
        async with hall(server, organisation="norr") as here:
            host = await here.host()
            await inside(host)
            async with here.api.post(
                f"{await here.room()}/dial-out", json={"name": "Bo", "uri": "sip:bo@vast.example"}
            ) as answer:
                assert answer.status == 202
            await until(lambda: bo.log.count("Call established") == 2)


async def test_from_an_organisations_own_call_control_endpoints_are_called_and_from_elsewhere_not(
    server: RunningServer, tmp_path: Path, vasts_port: int
) -> None:
    posted(server, "cilla", "syd")
    there = address(server)
    with ExitStack() as stack:
        more = f'regint=0;outbound="sip:{there};transport=udp"'
        bo = stack.enter_context(
            telephone(tmp_path / "bo", hertz=1100, account=f"bo@{VASTS}", parameters=more, port=vasts_port)
        )
        cilla = phone(server, stack, tmp_path, "cilla", account=f"cilla@{SYDS}", more=";answermode=auto")
        await until(lambda: states(server, "syd").get("cilla") == "online")
        bo.dial(f"sip:cilla@{SYDS}")
        await until(lambda: "Call established: sip:anonymous@vast.example" in cilla.log)
        await until(lambda: share(bo.heard(), 700, 0.5) > 0.8 and share(cilla.heard(), 1100, 0.5) > 0.8)
        bo.hang_up()
        await until(lambda: cilla.closed)
        for nobodys in ("+46701234567", "+46311234567"):  # of a trunk; of nobody
            bo.dial(f"sip:{nobodys}@{SYDS}")
        await until(lambda: bo.log.count("404") == 2)
        as_bo: dict[str, Any] = {"account": "bo@vast.example", "at": "127.0.0.24", "parameters": more, "encryption": ""}
        liar = stack.enter_context(telephone(tmp_path / "liar", hertz=1300, **as_bo))
        liar.dial(f"sip:cilla@{SYDS}")
        await hears(liar, ALL_HZ)  # the voice menu
        assert cilla.log.count("Call established") == 1


def test_where_a_call_of_an_organisations_endpoint_goes_is_explained(server: RunningServer) -> None:
    posted(server, "bo", "syd", number="23")
    assert "The number or the name of an endpoint of Region Syd." in explained(server, f"sip:bo@{SYDS}")
    assert "A number of Region Syd: an endpoint of theirs." in explained(server, "+4640123423")
    said = "The domain is of Region Väst, which has a call control of its own: it is called there."
    assert said in explained(server, "sip:bo@vast.example")
    assert "No endpoint has that number or name: refused." in explained(server, "23")
    assert explained(server, f"sip:bo@{SYDS}", "vast")[0] == "The call control of Region Väst calls."


def explained(server: RunningServer, dialled: str, organisation: str = "norr") -> list[str]:
    """The steps that `mcu dial-test` prints for it."""
    told = CliRunner().invoke(
        cli,
        ["dial-test", dialled, "--json"],
        env={"MCU_URL": server.base_url, "MCU_TOKEN": every_right(server.data_directory, organisation)},
    )
    assert told.exit_code == 0, told.output
    steps: list[str] = json.loads(told.stdout)["steps"]
    return steps


def test_who_calls_too_often_over_a_trunk_is_told_so_and_others_call_on(server: RunningServer) -> None:
    """Calls that offer nothing to be heard: they are refused for that, until they are too many."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trunk:
        trunk.bind((TRUNK, 0))
        trunk.connect(("127.0.0.1", server.logged("sip_serving")[0]["port"]))
        trunk.settimeout(10)
        statuses = [called_by(trunk, "+46701234567", i) for i in range(CALLS.amount + 1)]
        assert statuses == [488] * CALLS.amount + [480]
        assert called_by(trunk, "+46701234568", 0) == 488
    assert "+4670123456" not in server.log_path.read_text("utf-8")


def called_by(trunk: socket.socket, number: str, which: int) -> int:
    """What the call of this number is answered."""
    name = f"{number[-2:]}-{which}"
    via = f"SIP/2.0/UDP {TRUNK}:{trunk.getsockname()[1]};branch=z9hG4bK{name}"
    invite = request(Via=via, From=f"<sip:{number}@{TRUNK}>;tag=1", Call_ID=name, Content_Type="application/sdp")
    trunk.send(bytes(replace(invite, body=NOTHING)))
    while True:
        said = read(trunk.recv(65_536))
        if isinstance(said, Response) and said.call_id == name and said.status >= 200:
            to = said.headers.one("To") or ""
            trunk.send(bytes(request("ACK", Via=via, From=f"<sip:{number}@{TRUNK}>;tag=1", To=to, Call_ID=name)))
            return said.status


async def test_caps_of_each_organisation_and_of_all_hold_under_fifty_requests_at_a_time(server: RunningServer) -> None:
    """The last here: nobody answers those who are called, and they are called for a while."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.9", 0))
        whom = f"sip:bo@127.0.0.9:{silent.getsockname()[1]}"
        async with AsyncExitStack() as stack:
            halls = {name: await stack.enter_async_context(hall(server, organisation=name)) for name in AT_ONCE}
            for one in halls.values():
                await inside(await one.host())
            assert await asked(halls["norr"], whom) == {202: AT_ONCE["norr"], 429: 50 - AT_ONCE["norr"]}
            left = IN_ALL - AT_ONCE["norr"]
            assert await asked(halls["syd"], whom) == {202: left, 429: 50 - left}  # fewer than it may


async def asked(here: Hall, whom: str) -> Counter[int]:
    path = f"{await here.room()}/dial-out"

    async def one() -> int:
        async with here.api.post(path, json={"name": "Bo", "uri": whom}) as answer:
            return answer.status

    return Counter(await asyncio.gather(*(one() for _ in range(50))))
