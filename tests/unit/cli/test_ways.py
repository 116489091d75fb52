"""What the doctor says of addresses and ports for media."""

import socket
from typing import Any

import pytest

from mcu.cli import ways
from mcu.cli.lines import Line, Verdict
from mcu.config.sections import Media

HERE = ("127.0.0.1",)
PUBLIC = {"addresses": HERE, "public_addresses": ("203.0.113.5",)}


def lines(running: bool = False, /, **values: Any) -> dict[str, Line]:
    wanted = Media.model_validate({"workers": 2, **values})
    return {line.what: line for line in ways.media(wanted, running=running)}


@pytest.fixture(params=[socket.SOCK_DGRAM, socket.SOCK_STREAM], ids=["udp", "tcp"])
def taken(request: pytest.FixtureRequest) -> Any:
    with socket.socket(socket.AF_INET, request.param) as sock:
        sock.bind(("127.0.0.1", 0))
        if request.param == socket.SOCK_STREAM:
            sock.listen()
        yield request.param, sock.getsockname()[1]


def test_an_address_of_another_machine_fails_by_name() -> None:
    line = lines(addresses=("127.0.0.1", "192.0.2.77"))["media"]
    assert line.verdict is Verdict.FAIL
    assert line.text.startswith("192.0.2.77 is not")


def test_loopback_alone_is_advised_against() -> None:
    assert lines(addresses=HERE)["media"].verdict is Verdict.ADVICE
    assert lines(addresses=("127.0.0.1", "::1"))["media"].verdict is Verdict.ADVICE
    assert lines(**PUBLIC)["media"].verdict is Verdict.OK


def test_public_addresses_are_said_as_browsers_are_told_of_them_and_which_family_is_missing() -> None:
    both, alone = (lines(**PUBLIC, only_public_addresses=only)["media"] for only in (False, True))
    assert both.text == "browsers send to IPv4 203.0.113.5, 127.0.0.1; no IPv6"
    assert alone.text == "browsers send to IPv4 203.0.113.5; no IPv6"
    six = lines(addresses=HERE, public_addresses=("2001:db8::5",), only_public_addresses=True)["media"]
    assert six.text == "browsers send to no IPv4; IPv6 2001:db8::5"


def test_a_port_that_is_taken_fails_by_number_and_address(taken: tuple[int, int]) -> None:
    kind, port = taken
    name = "UDP" if kind == socket.SOCK_DGRAM else "TCP"
    values = {"port": port - 1} if name == "UDP" else {"tcp_port": port - 1}  # it is the second worker's
    line = lines(addresses=HERE, **values)[f"media {name}"]
    assert line.verdict is Verdict.FAIL
    assert line.text.startswith(f"{name} port {port} on 127.0.0.1 cannot be had (Address already in use)")
    assert lines(True, addresses=HERE, **values)[f"media {name}"].verdict is Verdict.OK


@pytest.mark.parametrize("taken", [socket.SOCK_STREAM], indirect=True)
def test_a_tcp_port_that_goes_with_udps_and_is_taken_is_advised_on(taken: tuple[int, int]) -> None:
    both = lines(addresses=HERE, workers=1, port=taken[1])
    assert both["media UDP"].text == f"port {taken[1]} on each address"
    assert both["media TCP"].verdict is Verdict.ADVICE
    assert "who cannot send UDP cannot come here" in both["media TCP"].text


def test_ports_are_said_for_a_firewall_and_free_ones_advised_against() -> None:
    said = lines(addresses=HERE, port=45_602)
    assert [said[way].text for way in ("media UDP", "media TCP")] == ["ports 45602 to 45603 on each address"] * 2
    assert lines(addresses=HERE, port=45_602, tcp_port=45_612)["media TCP"].text.startswith("ports 45612 to 45613")
    free = lines(addresses=HERE)
    assert {free["media UDP"].verdict, free["media TCP"].verdict} == {Verdict.ADVICE}
