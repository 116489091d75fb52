"""Endpoints of our own: real baresip phones that register at a real server, which then knows where each is."""

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from baresip import Telephone, telephone
from certificates import make_certificate
from running_server import RunningServer, get_json, running_server
from typer.testing import CliRunner

from mcu.cli.entry import cli

WITHIN_S = 15.0
PASSWORD = "kanarie-lösenord".replace("ö", "o")
NAMES = {"anna": "Anna Kanariefågel", "bo": "Bo Kanariefågel", "cilla": "Cilla Kanariefågel"}


def until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + WITHIN_S
    while not what():
        assert time.monotonic() < end
        time.sleep(0.05)


def settings(directory: Path) -> dict[str, str]:
    directory.mkdir(parents=True, exist_ok=True)
    cert, key = make_certificate(directory, "localhost", begins=datetime.now(UTC) - timedelta(days=1), days=30)
    return {
        "media__addresses": "127.0.0.1",
        "media__rtp_first_port": "48400",
        "media__rtp_last_port": "48599",
        "sip__addresses": "127.0.0.1",
        "sip__port": "0",
        "sip__tls_port": "0",
        "sip__tls_cert": str(cert),
        "sip__tls_key": str(key),
    }


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    directory = tmp_path_factory.mktemp("register")
    with running_server(directory, **settings(directory)) as started:
        for number, name in enumerate(NAMES, 701):
            posted(started, name, number=str(number))
        yield started


def posted(server: RunningServer, name: str, **said: Any) -> dict[str, Any]:
    """Debian's baresip knows no digest but MD5."""
    body = {"name": name, "display_name": NAMES[name], "password": PASSWORD, "digests": ["MD5"], **said}
    headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}
    url = f"{server.base_url}/api/v1/endpoints"
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers)) as answer:
        made: dict[str, Any] = json.loads(answer.read())
    return made


def states(server: RunningServer) -> dict[str, str]:
    status, listed = get_json(f"{server.base_url}/api/v1/endpoints", server.token)
    assert status == 200
    return {one["name"]: one["state"] for one in listed["items"]}


def contacts(server: RunningServer) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = server.asked("/api/v1/registrations")["items"]
    return items


def phone(
    server: RunningServer, stack: ExitStack, directory: Path, name: str, transport: str, password: str = PASSWORD
) -> Telephone:
    port, tls_port = (server.logged("sip_serving")[0][key] for key in ("port", "tls_port"))
    server_address = f"127.0.0.1:{tls_port if transport == 'tls' else port}"
    flow = f'sipnat=outbound;outbound="sip:{server_address};transport={transport}"'
    parameters = f"auth_user={name};auth_pass={password};regint=60;{flow}"
    account = f"{name}@{server_address}"
    made = telephone(directory / name, hertz=700, transport=transport, account=account, parameters=parameters)
    return stack.enter_context(made)


def test_phones_register_by_each_transport_are_shown_and_leave(server: RunningServer, tmp_path: Path) -> None:
    with ExitStack() as stack:
        for name, transport in (("anna", "udp"), ("bo", "tcp"), ("cilla", "tls")):
            phone(server, stack, tmp_path, name, transport)
        until(lambda: set(states(server).values()) == {"online"})
        assert {one["transport"] for one in contacts(server)} == {"UDP", "TCP", "TLS"}
        assert all(one["instance"].startswith("urn:uuid:") for one in contacts(server))
    until(lambda: set(states(server).values()) == {"offline"})
    assert contacts(server) == []


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
