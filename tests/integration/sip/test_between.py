"""Calls of registered endpoints: to each other through the server, and into meetings under their own names."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from baresip import free_port, telephone
from dns_server import dns_server
from endpoints import NAMES, address, phone, posted, settings, states
from hall import hall, inside, loudness, texts, until
from running_server import RunningServer, running_server
from sound import share
from typer.testing import CliRunner

from mcu.cli.entry import cli
from mcu.protocol.sip.message import Request, read
from mcu.protocol.sip.responses import response_to
from mcu.signalling.webrtc.messages import Roster

ANNA_HZ, BO_HZ = 700.0, 1100.0
PIN = "135790"
ASKS = Path(__file__).parent / "sipp/asks.xml"
ANSWERED_AT = 24_112  # its second port, which is nobody else's
PCMA = 8


@pytest.fixture(scope="module")
def busy() -> Iterator[socket.socket]:
    """Of a server that answers every call 503."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=refuse_all, args=(bound,))
        thread.start()
        yield bound
        bound.sendto(b"", bound.getsockname())
        thread.join()


def refuse_all(bound: socket.socket) -> None:
    while asked := bound.recvfrom(65_536)[0]:
        request = read(asked)
        if isinstance(request, Request) and request.method == "INVITE":
            bound.sendto(bytes(response_to(request, 503, tag="busy")), ("127.0.0.1", request.via.port or 5060))


@pytest.fixture(scope="module")
def there_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, busy: socket.socket, there_port: int) -> Iterator[RunningServer]:
    directory = tmp_path_factory.mktemp("between")
    records = [
        "host-record=localhost,127.0.0.1",
        "host-record=one.srv.example,127.0.0.1",
        f"srv-host=_sip._udp.srv.example,one.srv.example,{busy.getsockname()[1]},1",
        f"srv-host=_sip._udp.srv.example,one.srv.example,{there_port},2",
    ]
    with (
        dns_server(directory, *records) as dns,
        running_server(
            directory,
            **settings(directory),
            sip__call_domains="localhost,srv.example",
            sip__dns_server=f"127.0.0.1:{dns}",
        ) as started,
    ):
        for number, name in enumerate(NAMES, 701):
            posted(started, name, number=str(number))
        yield started


async def test_one_phone_calls_another_by_number_and_each_hears_the_other(
    server: RunningServer, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        anna = phone(server, stack, tmp_path, "anna", hertz=ANNA_HZ)
        bo = phone(server, stack, tmp_path, "bo", "tls", hertz=BO_HZ, more=";answermode=auto")
        await until(lambda: [states(server)[name] for name in ("anna", "bo")] == ["online"] * 2)
        anna.dial(f"sip:702@{address(server)}")
        await until(lambda: [states(server)[name] for name in ("anna", "bo")] == ["busy"] * 2)
        await until(lambda: "Call established" in anna.log and "Call established" in bo.log)
        await asyncio.sleep(1.5)
        assert share(anna.heard(), BO_HZ, 0.5) > 0.8
        assert share(bo.heard(), ANNA_HZ, 0.5) > 0.8
        assert "sip:anna@127.0.0.1" in bo.log
        bo.hang_up()
        await until(lambda: anna.closed)
        await until(lambda: [states(server)[name] for name in ("anna", "bo")] == ["online"] * 2)
    log = server.log_path.read_text("utf-8")
    assert server.logged("call_bridged")
    assert "anna" not in log
    assert "Kanarie" not in log


async def test_who_is_not_registered_is_not_reached_and_who_is_unknown_is_not_found(
    server: RunningServer, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        anna = phone(server, stack, tmp_path, "anna")
        await until(lambda: states(server)["anna"] == "online")
        anna.dial(f"sip:cilla@{address(server)}")
        await until(lambda: "480" in anna.log)
        anna.dial(f"sip:799@{address(server)}")
        await until(lambda: "404" in anna.log)
        assert states(server)["anna"] == "online"


async def test_an_endpoint_is_in_a_meeting_by_its_own_name_and_nobody_else_is(
    server: RunningServer, tmp_path: Path
) -> None:
    async with hall(server, guest_pin=PIN) as here:
        host = await here.host()
        await inside(host)
        with ExitStack() as stack:
            anna = phone(server, stack, tmp_path, "anna")
            await until(lambda: states(server)["anna"] == "online")
            anna.dial(f"sip:{here.number}@{address(server)}")
            await until(lambda: anna.talks)
            await asyncio.sleep(1)
            await asyncio.to_thread(anna.press, f"{PIN}#")
            await until(lambda: f"{NAMES['anna']} gick med" in texts(host))
            shown = [message for message in host.messages if isinstance(message, Roster)][-1]
            assert NAMES["anna"] in [entry.name for entry in shown.entries if entry.kind == "sip"]
        with telephone(tmp_path / "liar", hertz=700, account=f"anna@{address(server)}") as liar:
            liar.dial(f"sip:{here.number}@{address(server)}")
            await until(lambda: liar.closed)
            assert "403 Forbidden" in liar.log


async def test_a_call_is_transferred_into_a_meeting_where_its_person_enters_the_pin_and_to_nowhere_else(
    server: RunningServer, tmp_path: Path
) -> None:
    async with hall(server, guest_pin=PIN) as here:
        host = await here.host()
        await inside(host)
        with ExitStack() as stack:
            anna = phone(server, stack, tmp_path, "anna")
            bo = phone(server, stack, tmp_path, "bo", hertz=BO_HZ, more=";answermode=auto;call_transfer=yes")
            await until(lambda: [states(server)[name] for name in ("anna", "bo")] == ["online"] * 2)
            anna.dial(f"sip:702@{address(server)}")
            await until(lambda: "Call established" in anna.log)
            anna.transfer("sip:+46900123456@127.0.0.1")
            await until(lambda: "transfer failed: 403" in anna.log)
            await until(lambda: [states(server)[name] for name in ("anna", "bo")] == ["online"] * 2)
            anna.dial(f"sip:702@{address(server)}")
            await until(lambda: anna.log.count("Call established") == 2)
            anna.transfer(f"sip:{here.number}@127.0.0.1")
            await until(lambda: states(server) | {"cilla": ""} == {"anna": "online", "bo": "busy", "cilla": ""})
            await until(lambda: bo.log.count("Call established") == 3 and bo.hung_up == 2)  # two were of anna
            await asyncio.sleep(0.5)
            assert f"{NAMES['bo']} gick med" not in texts(host)
            await asyncio.to_thread(bo.press, f"{PIN}#")
            await until(lambda: f"{NAMES['bo']} gick med" in texts(host))
            assert host.client is not None
            await until(lambda: loudness(host.client.heard(), BO_HZ, 0.5) > 0.8)
            await until(lambda: [states(server)[name] for name in ("anna", "bo")] == ["online", "busy"])


async def test_an_endpoint_calls_into_another_domain_that_is_allowed_and_into_no_other(
    server: RunningServer, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        anna = phone(server, stack, tmp_path, "anna")
        there = stack.enter_context(telephone(tmp_path / "there", hertz=BO_HZ, parameters="regint=0;answermode=auto"))
        await until(lambda: states(server)["anna"] == "online")
        anna.dial(there.uri.partition(";")[0].replace("127.0.0.1", "localhost"))
        await until(lambda: anna.talks and there.talks)
        await asyncio.sleep(1)
        assert share(anna.heard(), BO_HZ, 0.5) > 0.8
        anna.hang_up()
        await until(lambda: there.closed)
        anna.dial("sip:anna@elsewhere.example")
        await until(lambda: "403" in anna.log)


async def test_of_another_domains_servers_the_next_is_called_where_one_cannot_take_the_call(
    server: RunningServer, tmp_path: Path, there_port: int
) -> None:
    with ExitStack() as stack:
        anna = phone(server, stack, tmp_path, "anna")
        await until(lambda: states(server)["anna"] == "online")
        given = {"parameters": "regint=0;answermode=auto", "port": there_port}
        there = stack.enter_context(telephone(tmp_path / "there", hertz=BO_HZ, **given))  # type: ignore[arg-type] # mypy mixes them
        await until(lambda: "baresip is ready" in there.log)
        anna.dial("sip:anna@srv.example")
        await until(lambda: anna.talks and there.talks)
        await until(lambda: share(anna.heard(), BO_HZ, 0.5) > 0.8)
        anna.hang_up()
        await until(lambda: there.closed and states(server)["anna"] == "online")


async def test_a_meeting_calls_an_endpoint_where_it_has_registered(server: RunningServer, tmp_path: Path) -> None:
    async with hall(server) as here:
        host = await here.host()
        await inside(host)
        with ExitStack() as stack:
            phone(server, stack, tmp_path, "bo", "tcp", more=";answermode=auto")
            await until(lambda: states(server)["bo"] == "online")
            body = {"name": "Bo Ek", "uri": "sip:bo@127.0.0.1"}
            async with here.api.post(f"{await here.room()}/dial-out", json=body) as answer:
                assert answer.status == 202, await answer.text()
            await until(lambda: "Bo Ek gick med" in texts(host), within=20)
        async with here.api.post(
            f"{await here.room()}/dial-out", json={**body, "uri": "sip:cilla@127.0.0.1"}
        ) as answer:
            assert answer.status == 409


def test_the_dial_plan_explains_itself(server: RunningServer) -> None:
    def said(*arguments: str) -> str:
        asked = ["dial-test", *arguments, "--url", server.base_url, "--token", server.token]
        return CliRunner().invoke(cli, asked, catch_exceptions=False).stdout

    assert said("702").endswith("→ endpoint\n")
    assert said("702", "--stranger").endswith("→ reception\n")
    assert said("sip:482915370@127.0.0.1").endswith("→ meeting\n")
    assert "4. No endpoint has that number" in said("799")


async def test_who_asks_for_an_offer_in_a_call_is_sent_the_other_sides_and_that_side_the_answer(
    server: RunningServer, tmp_path: Path
) -> None:
    port = free_port()
    words = ("sipp", "-sf", ASKS, "-i", "127.0.0.1", "-p", port, "-m", 1, "-nostdin", "-timeout", 30)
    with ExitStack() as stack:
        answered = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        answered.bind(("127.0.0.1", ANSWERED_AT))
        answered.setblocking(False)
        anna = phone(server, stack, tmp_path, "anna", codec="PCMA/8000/1")
        await until(lambda: states(server)["anna"] == "online")
        asks = await asyncio.create_subprocess_exec(*map(str, words), cwd=tmp_path, stdout=asyncio.subprocess.DEVNULL)
        anna.dial(f"sip:asks@localhost:{port}")
        assert await asks.wait() == 0
        await until(lambda: anna.closed)
        assert answered.recv(2048)[1] & 0x7F == PCMA
