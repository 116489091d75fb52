"""What the doctor says of trunks."""

import socket
import threading
from collections.abc import Iterator

import pytest

from mcu.cli.lines import Verdict
from mcu.cli.trunks import trunks
from mcu.clock import SystemClock
from mcu.config.sip import Sip
from mcu.protocol.sip.message import Request, read
from mcu.protocol.sip.responses import response_to
from mcu.signalling.sip import trunk_keeper


@pytest.fixture
def operator() -> Iterator[int]:
    """Answers one OPTIONS; its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))

        def answer() -> None:
            data, peer = sock.recvfrom(4096)
            request = read(data)
            assert isinstance(request, Request)
            assert request.method == "OPTIONS"
            sock.sendto(bytes(response_to(request, 200, tag="t")), peer)

        thread = threading.Thread(target=answer)
        thread.start()
        yield sock.getsockname()[1]
        thread.join()


def sip(*hosts: str, **more: object) -> Sip:
    trunk = {"name": "operator", "hosts": hosts, "prefixes": ["+46"]}
    return Sip.model_validate({"addresses": ["127.0.0.1"], "trunks": [trunk], **more})


def test_a_trunk_that_answers_is_well_and_one_host_that_does_not_is_named(
    operator: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trunk_keeper, "ANSWER_S", 0.5)
    (line,) = trunks(sip(f"127.0.0.1:{operator}", "127.0.0.1:9"), SystemClock())
    assert (line.verdict, line.what) == (Verdict.ADVICE, "trunk operator")
    assert line.text.startswith("127.0.0.1:9: it does not answer")


def test_a_trunk_that_does_not_answer_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trunk_keeper, "ANSWER_S", 0.2)
    (line,) = trunks(sip("127.0.0.1:9"), SystemClock())
    assert line.verdict is Verdict.FAIL


def test_trunks_without_sip_are_of_no_use() -> None:
    (line,) = trunks(sip("127.0.0.1:9", addresses=[]), SystemClock())
    assert line.verdict is Verdict.ADVICE
    assert list(trunks(Sip(), SystemClock())) == []
