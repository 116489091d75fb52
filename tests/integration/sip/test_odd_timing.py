"""Messages that come late, crossed or by a proxy: sipp's calls at a real server, and Kamailio in front of it.

The proxy takes the telephone-events out of what is offered, as gateways do that have none.
"""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from baresip import telephone
from dialled import PIN, in_the_room, telephones
from hall import hall, inside, until
from kamailio import IN_CALLS, kamailio
from running_server import SIP_OF_ONE_HOST, RunningServer, running_server, wait_for

from benchmarks.sipp import CALL, Called, call
from mcu.demo.server import free_port

SCENARIOS = Path(__file__).parent / "sipp"
CALLS = 10
ANSWERED_AT = 24_100  # the port in no_offer.xml, which is nobody else's
PCMA = 8
PROXY = """
listen=udp:127.0.0.1:{port}
request_route {{
    {in_calls}
    if (is_method("INVITE")) {{
        record_route();
        subst_body('/^a=rtpmap:[0-9]+ telephone-event.*\r\n//g');
    }}
    $du = "sip:127.0.0.1:{server}";
    t_relay();
}}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("odd"), **SIP_OF_ONE_HOST) as started:
        yield started


def port_of(server: RunningServer) -> int:
    port: int = server.logged("sip_serving")[0]["port"]
    return port


def proxy(port: int, server: RunningServer) -> str:
    return PROXY.format(port=port, server=port_of(server), in_calls=IN_CALLS)


async def called(port: int, directory: Path, scenario: str = "") -> Called:
    path = SCENARIOS / f"{scenario}.xml" if scenario else CALL
    return await call(f"127.0.0.1:{port}", "reception", directory, per_second=CALLS, seconds=1, scenario=path)


def no_call_is_left(server: RunningServer) -> None:
    wait_for(lambda: "mcu_sip_calls 0.0" in server.metrics())


@pytest.mark.parametrize("scenario", ["late_ack", "bye_first", "late_cancel", "late_refusal", "no_answer"])
async def test_what_comes_late_or_crossed_is_answered_as_it_should_be_and_leaves_no_call(
    server: RunningServer, tmp_path: Path, scenario: str
) -> None:
    done = await called(port_of(server), tmp_path, scenario)
    assert (done.calls, done.failed) == (CALLS, 0)
    no_call_is_left(server)


async def test_who_leaves_the_offer_to_the_server_hears_it_where_the_answer_says(
    server: RunningServer, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as telephone_of_all:
        telephone_of_all.bind(("127.0.0.1", ANSWERED_AT))
        telephone_of_all.setblocking(False)
        done = await called(port_of(server), tmp_path, "no_offer")
        assert (done.calls, done.failed) == (CALLS, 0)
        no_call_is_left(server)
        assert telephone_of_all.recv(2048)[1] & 0x7F == PCMA


async def test_calls_come_through_a_proxy_that_stays_in_their_way(server: RunningServer, tmp_path: Path) -> None:
    port = free_port()
    with kamailio(tmp_path, proxy(port, server), port):
        done = await called(port, tmp_path)
    assert (done.calls, done.failed) == (CALLS, 0)
    no_call_is_left(server)


async def test_keys_that_come_as_tones_are_keys(server: RunningServer, tmp_path: Path) -> None:
    port = free_port()
    async with hall(server, guest_pin=PIN) as here:
        host = await here.host()
        await inside(host)
        keys = f" {here.number}  {PIN}#    *6 *6"
        with (
            kamailio(tmp_path, proxy(port, server), port),
            telephone(tmp_path / "phone", hertz=700, codec="PCMA/8000/1", sings=keys) as phone,
        ):
            phone.dial(f"sip:reception@127.0.0.1:{port}")
            await in_the_room(host)
            await until(lambda: telephones(host)[0].muted)
            await until(lambda: not telephones(host)[0].muted)
