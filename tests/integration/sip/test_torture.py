"""The torture messages of RFC 4475 and RFC 5118 at a real server: each gets its status or nothing, and none raises."""

import re
import socket
import time
from collections.abc import Iterator

import pytest
from running_server import SIP_OF_ONE_HOST, RunningServer, running_server
from torture import Torture, messages

from mcu.protocol.sip.message import Response, read

SILENCE_S = 0.3  # in which what is answered at all would be
WITHIN_S = 10.0
FIRST_VIA = re.compile(rb"^((?:via|v) *:(?:[^,;\r]|\r\n )*)", re.IGNORECASE | re.MULTILINE)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    settings = {
        **SIP_OF_ONE_HOST,
        "sip__name": "example.com",
    }
    with running_server(tmp_path_factory.mktemp("torture"), **settings) as started:
        yield started


def asked_to_answer_here(data: bytes) -> bytes:
    """With `rport`: the address of its sender is somebody else's."""
    return data if data.startswith(b"SIP/") else FIRST_VIA.sub(rb"\1;rport", data, count=1)


def answered(server: RunningServer, data: bytes, within_s: float = WITHIN_S) -> Response | None:
    """The final response; None where there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind(("127.0.0.1", 0))
        sender.settimeout(within_s)
        sender.sendto(asked_to_answer_here(data), ("127.0.0.1", server.logged("sip_serving")[0]["port"]))
        until = time.monotonic() + WITHIN_S
        while time.monotonic() < until:
            try:
                answer = read(sender.recv(65536))
            except TimeoutError:
                break
            assert isinstance(answer, Response)
            if not answer.is_provisional:
                return answer
    return None


@pytest.mark.parametrize("torture", messages(), ids=lambda torture: torture.name)
def test_a_torture_message_is_answered_as_it_should_be(server: RunningServer, torture: Torture) -> None:
    answer = answered(server, torture.data, WITHIN_S if torture.statuses else SILENCE_S)
    assert {answer.status} <= torture.statuses if answer is not None else not torture.statuses
    assert not [line for line in server.log_lines() if line["level"] == "error"]


def again(name: str) -> bytes:
    """In a transaction of its own."""
    data = next(one.data for one in messages() if one.name == name)
    return data.replace(b"z9hG4bK", b"z9hG4bK2").replace(b"Call-ID: ", b"Call-ID: 2")


def test_who_asks_what_is_done_here_is_told(server: RunningServer) -> None:
    """RFC 3261, sections 8.2.1 and 11.2."""
    options, message = answered(server, again("semiuri")), answered(server, again("mpart01"))
    assert options is not None
    assert message is not None
    assert all(options.headers.one(name) for name in ("Allow", "Accept", "Accept-Encoding", "Accept-Language"))
    assert "MESSAGE" in options.tokens("Allow")
    assert (message.status, "MESSAGE" in message.tokens("Allow")) == (405, False)
