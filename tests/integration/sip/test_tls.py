"""Certificates between a real server and real telephones: who needs no password, and whom the server calls."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from baresip import telephone
from certificates import Authority
from dialled import call
from endpoints import contacts, phone, posted, settings, states
from hall import hall, inside, until
from running_server import RunningServer, running_server

from mcu.conference.roster import Stage
from mcu.signalling.webrtc.messages import Calls


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[RunningServer]:
    directory = tmp_path_factory.mktemp("tls")
    trusts = {"sip__tls_clients_ca": str(authority.path), "sip__tls_ca": str(authority.path)}
    more = {"sip__call_domains": "127.0.0.1"}
    with running_server(directory, **settings(directory), **trusts, **more) as started:
        posted(started, "anna")
        posted(started, "bo")
        yield started


async def test_a_phone_registers_by_its_certificate_without_a_password_and_for_nobody_else(
    server: RunningServer, authority: Authority, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        shown = authority.issue("sip:anna@127.0.0.1")
        phone(server, stack, tmp_path, "anna", "tls", password="none", certificate=shown)
        await until(lambda: states(server)["anna"] == "online")
        assert [one["transport"] for one in contacts(server)] == ["TLS"]
        as_bo = phone(server, stack, tmp_path, "bo", "tls", password="none", certificate=shown)
        await until(lambda: "403" in as_bo.log)
        assert states(server)["bo"] == "offline"


async def test_who_is_called_by_tls_must_prove_the_address(
    server: RunningServer, authority: Authority, tmp_path: Path
) -> None:
    async with hall(server) as here:
        host = await here.host()
        await inside(host)

        def stage() -> Stage:
            return next(m.called[-1].stage for m in reversed(host.messages) if isinstance(m, Calls) and m.called)

        for name, shown in (("127.0.0.1", Stage.RINGING), ("127.0.0.9", Stage.UNREACHABLE)):
            given = {"certificate": authority.issue(name), "transport": "tls"}
            with telephone(tmp_path / name, hertz=700, **given) as called:  # type: ignore[arg-type] # mypy mixes them
                await call(here, uri=called.uri)
                await asyncio.sleep(0.2)
                await until(lambda shown=shown: stage() is shown)  # type: ignore[misc] # as above
    assert [line["code"] for line in server.logged("call_not_placed")] == ["not-proven"]
