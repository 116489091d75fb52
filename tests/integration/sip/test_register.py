"""Endpoints of our own: real baresip phones that register at a real server, which then knows where each is."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from endpoints import NAMES, PASSWORD, address, contacts, phone, posted, settings, states, until
from running_server import RunningServer, running_server
from typer.testing import CliRunner
from web_phone import web_phone

from mcu.cli.entry import cli
from mcu.protocol.sip.message import Request
from mcu.protocol.sip.responses import response_to


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    directory = tmp_path_factory.mktemp("register")
    with running_server(directory, **settings(directory)) as started:
        for number, name in enumerate(NAMES, 701):
            posted(started, name, number=str(number))
        yield started


def test_phones_register_by_each_transport_are_shown_and_leave(server: RunningServer, tmp_path: Path) -> None:
    with ExitStack() as stack:
        for name, transport in (("anna", "udp"), ("bo", "tcp"), ("cilla", "tls")):
            phone(server, stack, tmp_path, name, transport)
        until(lambda: set(states(server).values()) == {"online"})
        assert {one["transport"] for one in contacts(server)} == {"UDP", "TCP", "TLS"}
        assert all(one["instance"].startswith("urn:uuid:") for one in contacts(server))
    until(lambda: set(states(server).values()) == {"offline"})
    assert contacts(server) == []


async def test_a_browsers_phone_registers_by_websocket_and_is_called_there_until_it_goes(
    server: RunningServer, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        async with web_phone(f"{server.base_url}/sip") as browser:
            answer = await browser.register("anna", "127.0.0.1", PASSWORD)
            assert (answer.status, answer.tokens("Require")) == (200, {"outbound"})
            assert [(one["transport"], one["address"]) for one in contacts(server)] == [("WS", "127.0.0.1")]
            bo = await asyncio.to_thread(phone, server, stack, tmp_path, "bo", "tcp")
            await asyncio.to_thread(until, lambda: states(server)["bo"] == "online")
            bo.dial(f"sip:701@{address(server)}")
            called = await browser.next()
            assert isinstance(called, Request)
            assert (called.method, called.via.transport) == ("INVITE", "WS")
            assert called.contacts[0].uri.transport == "ws"
            await browser.send(response_to(called, 486, tag="busy"))
            await asyncio.to_thread(until, lambda: "486" in bo.log)
        await asyncio.to_thread(until, lambda: states(server)["anna"] == "offline")


def test_a_wrong_password_registers_nobody_and_no_log_has_a_name_or_a_password(
    server: RunningServer, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        wrong = phone(server, stack, tmp_path, "anna", "udp", password="another-password")
        until(lambda: "403" in wrong.log)
        assert states(server)["anna"] == "offline"
    log = server.log_path.read_text("utf-8")
    everything = b"".join(one.read_bytes() for one in server.data_directory.rglob("*") if one.is_file())
    for secret in (PASSWORD, "another-password"):
        assert secret not in log + server.metrics()
        assert secret.encode() not in everything
    for name in ("anna", "Kanarie"):
        assert name not in log


def test_what_was_acknowledged_holds_after_kill_9(tmp_path: Path) -> None:
    given = settings(tmp_path / "server")
    with running_server(tmp_path / "server", **given) as first, ExitStack() as stack:
        posted(first, "anna")
        phone(first, stack, tmp_path, "anna", "udp")
        until(lambda: states(first) == {"anna": "online"})
        port = str(first.logged("sip_serving")[0]["port"])
        first.kill()
        with running_server(tmp_path / "server", **given | {"sip__port": port}) as second:
            assert states(second) == {"anna": "online"}
            assert contacts(second)[0]["transport"] == "UDP"
            stack.close()
            until(lambda: states(second) == {"anna": "offline"})


def test_the_command_adds_lists_and_removes_an_endpoint(server: RunningServer) -> None:
    def mcu(*arguments: str) -> str:
        asked = ["endpoint", *arguments, "--url", server.base_url, "--token", server.token]
        done = CliRunner().invoke(cli, asked, catch_exceptions=False)
        assert done.exit_code == 0
        return done.stdout

    added = mcu("add", "sal-2", "--display-name", "Sal 2", "--number", "720")
    password = next(line.split()[1] for line in added.splitlines() if line.startswith("Password"))
    assert len(password) == 20
    listed = mcu("list")
    assert "sip:sal-2@127.0.0.1" in listed
    assert password not in listed
    mcu("remove", "sal-2")
    assert "sal-2" not in mcu("list")
