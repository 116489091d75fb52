"""What the doctor says of a relay: Debian's coturn takes our credentials, refuses them, or is not there."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from relay import SECRET, TurnServer, turn_server

from mcu.cli import ways
from mcu.cli.lines import Line, Verdict
from mcu.clock import SystemClock
from mcu.config.sections import Turn
from mcu.media.transport import relay_check


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TurnServer]:
    with turn_server(tmp_path_factory.mktemp("relay"), "127.0.0.1") as running:
        yield running


def lines(*urls: str, **credentials: Any) -> list[Line]:
    wanted = Turn.model_validate({"urls": urls, **(credentials or {"secret": SECRET})})
    return list(ways.turn(wanted, SystemClock()))


def by_name(server: TurnServer, way: str) -> str:
    """The certificate is for names."""
    return server.url(way).replace("127.0.0.1", "localhost")


def test_a_relay_that_takes_our_credentials_is_ok_by_each_way(
    server: TurnServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    urls = [by_name(server, "udp"), by_name(server, "tcp"), by_name(server, "tls")]
    assert lines(*urls) == [Line("relay", Verdict.OK, f"{url} takes our credentials") for url in urls]


@pytest.mark.parametrize("credentials", [{"secret": "another"}, {"username": "someone", "credential": "another"}])
def test_wrong_credentials_fail_and_are_not_shown(server: TurnServer, credentials: dict[str, str]) -> None:
    for line in lines(server.url("udp"), server.url("tcp"), **credentials):
        assert line.verdict is Verdict.FAIL
        assert "refuses our credentials" in line.text
        assert "another" not in line.text


def test_a_relay_of_ipv6_that_would_give_ipv4_fails_with_what_to_tell_it(tmp_path: Path) -> None:
    with turn_server(tmp_path, "::1", family="ipv4") as server:
        for line in lines(server.url("udp"), server.url("tcp")):
            assert line.verdict is Verdict.FAIL
            assert "allocation-default-address-family=keep" in line.text


def test_a_certificate_that_does_not_hold_fails(server: TurnServer, monkeypatch: pytest.MonkeyPatch) -> None:
    (unknown,) = lines(by_name(server, "tls"))
    assert "self-signed certificate" in unknown.text
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    (misnamed,) = lines(server.url("tls"))
    assert "IP address mismatch" in misnamed.text
    assert {unknown.verdict, misnamed.verdict} == {Verdict.FAIL}


def test_a_relay_that_is_not_there_fails_in_the_time_that_one_has_to_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_check, "ANSWER_S", 0.5)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent, socket.socket() as refusing:
        silent.bind(("127.0.0.1", 0))
        refusing.bind(("127.0.0.1", 0))
        ports = silent.getsockname()[1], refusing.getsockname()[1]
        found = lines(f"turn:127.0.0.1:{ports[0]}", f"turn:127.0.0.1:{ports[1]}?transport=tcp")
    assert [line.verdict for line in found] == [Verdict.FAIL] * 2
    assert "cannot be reached from here (no answer)" in found[0].text
    assert "cannot be reached from here (Connection refused)" in found[1].text


def test_nothing_is_tried_where_no_relay_is_set() -> None:
    assert list(ways.turn(Turn(), SystemClock())) == []
