"""Messages that come late, crossed or by a proxy: sipp's calls at a real server, and Kamailio in front of it."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from running_server import RunningServer, running_server, wait_for

from benchmarks.sipp import CALL, Called, call
from mcu.demo.server import free_port

SCENARIOS = Path(__file__).parent / "sipp"
CALLS = 10
KAMAILIO = """
debug=1
log_stderror=yes
children=1
tcp_children=1
listen=udp:127.0.0.1:{port}
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "siputils.so"
loadmodule "textops.so"
request_route {{
    if (has_totag()) {{
        if (loose_route()) {{ t_relay(); }}
        else if (is_method("ACK") && t_check_trans()) {{ t_relay(); }}
        exit;
    }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) t_relay(); exit; }}
    if (is_method("INVITE")) record_route();
    $du = "sip:127.0.0.1:{server}";
    t_relay();
}}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    settings = {
        "media__addresses": "127.0.0.1",
        "media__rtp_first_port": "48700",
        "media__rtp_last_port": "48899",
        "sip__addresses": "127.0.0.1",
        "sip__port": "0",
        "sip__encryption": "offered",
        "sip__known": "127.0.0.1",
    }
    with running_server(tmp_path_factory.mktemp("odd"), **settings) as started:
        yield started


def port_of(server: RunningServer) -> int:
    port: int = server.logged("sip_serving")[0]["port"]
    return port


async def called(port: int, directory: Path, scenario: str = "") -> Called:
    path = SCENARIOS / f"{scenario}.xml" if scenario else CALL
    return await call(f"127.0.0.1:{port}", "reception", directory, per_second=CALLS, seconds=1, scenario=path)


def no_call_is_left(server: RunningServer) -> None:
    wait_for(lambda: "mcu_sip_calls 0.0" in server.metrics())


@pytest.mark.parametrize("scenario", ["late_ack", "bye_first", "late_cancel", "late_refusal"])
async def test_what_comes_late_or_crossed_is_answered_as_it_should_be_and_leaves_no_call(
    server: RunningServer, tmp_path: Path, scenario: str
) -> None:
    done = await called(port_of(server), tmp_path, scenario)
    assert (done.calls, done.failed) == (CALLS, 0)
    no_call_is_left(server)


async def test_calls_come_through_a_proxy_that_stays_in_their_way(server: RunningServer, tmp_path: Path) -> None:
    port = free_port()
    with kamailio(tmp_path, port, port_of(server)):
        done = await called(port, tmp_path)
    assert (done.calls, done.failed) == (CALLS, 0)
    no_call_is_left(server)


@contextlib.contextmanager
def kamailio(directory: Path, port: int, server: int) -> Iterator[None]:
    """A proxy with Record-Route before the server."""
    config = directory / "kamailio.cfg"
    config.write_text(KAMAILIO.format(port=port, server=server))
    log = directory / "kamailio.log"
    words = ["kamailio", "-DD", "-E", "-f", str(config), "-Y", str(directory), "-m", "16", "-M", "4"]
    with log.open("wb") as writer:
        process = subprocess.Popen(words, stdout=writer, stderr=writer)
    try:
        wait_for(lambda: f":{port:04X}" in Path("/proc/net/udp").read_text())
        yield
    finally:
        process.terminate()
        process.wait(20)
