"""A trunk that is a real proxy: by TLS and SRV records, with registration, digest, and servers that fail."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from baresip import Telephone, free_port, telephone
from certificates import Authority
from dialled import in_the_room, telephones
from dns_server import dns_server
from hall import Hall, hall, inside, loudness, texts, until
from kamailio import IN_CALLS, kamailio
from running_server import RunningServer, running_server, wait_for

HERE, MUTE, NAME, USER, PASSWORD = "127.0.0.1", "127.0.0.6", "operator.example", "4711", "kanarie-losenord"
HZ = 700.0
OPERATOR = """
enable_tls=yes
listen=udp:127.0.0.1:{ours}
listen=udp:127.0.0.6:{mute}
listen=tls:127.0.0.1:{full}
listen=tls:127.0.0.1:{good}
loadmodule "tls.so"
loadmodule "auth.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
modparam("tls", "tls_method", "TLSv1.2+")
modparam("tls", "certificate", "{certificate}")
modparam("tls", "private_key", "{key}")
modparam("tls", "ca_list", "{authority}")
modparam("tls", "verify_certificate", 1)
modparam("tls", "require_certificate", 1)
request_route {{
    {in_calls}
    if (is_method("OPTIONS")) {{ sl_send_reply("200", "OK"); exit; }}
    if ($Rp == {mute}) exit;
    if ($Rp == {full}) {{ sl_send_reply("503", "No lines left"); exit; }}
    if (is_method("REGISTER")) {{
        if (!pv_www_authenticate("{name}", "{password}", "0")) {{ www_challenge("{name}", "1"); exit; }}
        save("location");
        exit;
    }}
    record_route();
    if ($Rp == {good}) {{
        if (!pv_proxy_authenticate("{name}", "{password}", "0")) {{ proxy_challenge("{name}", "1"); exit; }}
        consume_credentials();
        $ru = "sip:bo@127.0.0.1:{phone}";
    }} else if (!lookup("location")) {{ sl_send_reply("404", "Nobody"); exit; }}
    t_relay();
}}
"""


@pytest.fixture(scope="module")
def ports() -> dict[str, int]:
    """Of the operator: for phones, one that never answers calls, one that has no lines, and a good one. Of a phone."""
    return {name: free_port() for name in ("ours", "mute", "full", "good", "phone")}


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory, ports: dict[str, int]) -> Iterator[Authority]:
    directory = tmp_path_factory.mktemp("operator")
    authority = Authority(directory)
    certificate, key = authority.issue(NAME)
    files = {"certificate": certificate, "key": key, "authority": authority.path}
    script = OPERATOR.format(**ports, **files, name=NAME, password=PASSWORD, in_calls=IN_CALLS)
    with kamailio(directory, script, ports["ours"]):
        yield authority


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, operator: Authority, ports: dict[str, int]
) -> Iterator[RunningServer]:
    directory = tmp_path_factory.mktemp("sip")
    certificate, key = operator.issue("mcu.example")
    records = [
        f"srv-host=_sips._tcp.{NAME},one.{NAME},{ports['full']},1",
        f"srv-host=_sips._tcp.{NAME},two.{NAME},{ports['good']},2",
        f"host-record=one.{NAME},{HERE}",
        f"host-record=two.{NAME},{HERE}",
    ]
    trunk = {"encryption": "offered", "codecs": ["pcma"]}
    mute: dict[str, Any] = {"name": "mute", "hosts": [f"{MUTE}:{ports['mute']}"], "prefixes": ["+47"], "priority": 1}
    good = {"name": "operator", "hosts": [NAME], "transport": "tls", "prefixes": ["+46", "+47"], "priority": 2}
    registers = {"registers": True, "user": USER, "password": PASSWORD}
    with dns_server(directory, *records) as dns:
        settings = {
            "media__addresses": HERE,
            "sip__addresses": HERE,
            "sip__person_s": "0.2",
            "sip__port": "0",
            "sip__tls_port": "0",
            "sip__tls_cert": str(certificate),
            "sip__tls_key": str(key),
            "sip__tls_ca": str(operator.path),
            "sip__dns_server": f"{HERE}:{dns}",
            "sip__trunks": json.dumps([mute | trunk, good | trunk | registers]),
        }
        with running_server(directory, **settings) as started:
            yield started


@pytest.fixture
def phone(tmp_path: Path, ports: dict[str, int]) -> Iterator[Telephone]:
    """One of the operator's."""
    plain = {"codec": "PCMA/8000/1", "encryption": ""}
    with telephone(tmp_path / "phone", hertz=HZ, account=f"bo@{HERE}", port=ports["phone"], **plain) as started:  # type: ignore[arg-type] # mypy mixes them
        yield started


async def call(here: Hall, number: str) -> None:
    async with here.api.post(f"{await here.room()}/dial-out", json={"name": "Bo Ek", "phone": number}) as answer:
        assert answer.status == 202, await answer.text()


async def test_a_call_goes_to_the_next_server_that_the_name_has_and_proves_who_we_are(
    server: RunningServer, phone: Telephone
) -> None:
    wait_for(lambda: server.logged("trunk_registered"))
    async with hall(server) as here:
        host = await here.host()
        await inside(host)
        await call(here, "+46701740605")
        await until(lambda: phone.rings)
        await asyncio.sleep(0.3)  # faster than that nobody is
        phone.accept()
        await in_the_room(host)
        assert host.client is not None
        heard = host.client.heard
        await until(lambda: loudness(heard(), HZ, 0.5) > 0.8)
        phone.hang_up()
        await until(lambda: "Bo Ek lämnade" in texts(host))
    assert server.logged("trunk_failed") == []  # not the trunk has, but one of its servers


async def test_a_trunk_that_says_nothing_to_a_call_is_followed_by_the_next(
    server: RunningServer, phone: Telephone
) -> None:
    async with hall(server) as here:
        host = await here.host()
        await inside(host)
        await call(here, "+4721234567")
        await until(lambda: phone.rings, within=15)
        phone.hang_up()
        await asyncio.sleep(0.5)
        assert telephones(host) == []
    assert [line["trunk"] for line in server.logged("trunk_failed")] == ["mute"]


async def test_who_calls_our_user_there_comes_to_us(
    server: RunningServer, phone: Telephone, ports: dict[str, int]
) -> None:
    wait_for(lambda: server.logged("trunk_registered"))
    phone.dial(f"sip:{USER}@{HERE}:{ports['ours']}")
    await until(lambda: "audio: start" in phone.log)  # the voice menu
    assert server.logged("call_came")[-1]["trunk"] == "operator"
