"""What a worker is told of addresses and ports, and what browsers are told of them."""

import itertools
import os
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcu.app.media import worker_options
from mcu.config.sections import Media
from mcu.media.transport.addresses import bound_addresses, candidates
from mcu.media.transport.options import MediaOptions, options_from


def test_options_survive_the_command_line() -> None:
    options = MediaOptions(addresses=("::1", "127.0.0.1"), port=4000, public=("203.0.113.5",), rtp_ports=(5000, 5999))
    assert options_from(options.as_argument()) == options
    with pytest.raises(ValueError, match="object"):
        options_from("[]")


def test_public_addresses_are_offered_before_our_own_or_alone() -> None:
    for only, offered in ((False, ["203.0.113.5", "10.0.0.5"]), (True, ["203.0.113.5"])):
        made = candidates(MediaOptions(public=("203.0.113.5",), only_public=only), ["10.0.0.5"], 4000, 0)
        assert [candidate.ip for candidate in made] == offered
        assert {(candidate.port, candidate.protocol, candidate.type) for candidate in made} == {(4000, "udp", "host")}
        assert sorted(made, key=lambda candidate: -candidate.priority) == made


def test_each_foundation_is_one_address() -> None:
    made = candidates(MediaOptions(), ["10.0.0.5", "::1", "10.0.0.5"], 4000, 0)
    assert len(made) == len({candidate.foundation for candidate in made}) == 2


def test_tcp_is_offered_after_udp_and_the_false_greeting_last_on_every_address() -> None:
    made = candidates(MediaOptions(), ["10.0.0.5", "2001:db8::5"], 4000, 4443)
    assert [(one.protocol, one.port, one.tcpType) for one in made] == [
        *[("udp", 4000, None)] * 2,
        *[("tcp", 4443, "passive")] * 2,
        *[("ssltcp", 4443, None)] * 2,
    ]
    assert sorted(made, key=lambda one: -one.priority) == made
    assert len({one.priority for one in made}) == len({one.foundation for one in made}) == 6
    # RFC 6544 section 4.2: type preference, then 2^13 * 4 for passive, and another preference for each
    assert made[2].priority == (90 << 24) + ((4 * 2**13 + 8191) << 8) + 255


def test_addresses_that_were_asked_for_are_bound_and_of_the_others_those_that_can_be() -> None:
    assert bound_addresses(["192.0.2.1"]) == ["192.0.2.1"]
    for address in bound_addresses([]):
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((address, 0))


@given(st.integers(1, 8), st.integers(1025, 60_000), st.integers(0, 5000))
def test_each_worker_has_ports_of_its_own_in_whole_pairs(workers: int, first: int, more: int) -> None:
    last = first + 2 * workers + more
    media = Media(workers=workers, port=4000, rtp_first_port=first, rtp_last_port=min(last, 65535))
    told = worker_options(media)
    assert [options.port for options in told] == list(range(4000, 4000 + workers))
    ranges = [options.rtp_ports for options in told]
    for low, high in ranges:
        assert (low % 2, high % 2) == (0, 1)
        assert first <= low < high <= last
    assert all(before[1] < after[0] for before, after in itertools.pairwise(ranges))


def test_free_ports_are_free_for_every_worker() -> None:
    assert [options.port for options in worker_options(Media(workers=3))] == [0, 0, 0]
    assert [options.rtp_ports for options in worker_options(Media(workers=2))] == [(0, 0)] * 2


def test_each_worker_has_a_tcp_port_of_its_own() -> None:
    assert [options.tcp_port for options in worker_options(Media(workers=3, tcp_port=4443))] == [4443, 4444, 4445]
    assert [options.tcp_port for options in worker_options(Media(workers=2))] == [0, 0]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"port": 65_535, "workers": 2}, "room for a port for each worker"),
        ({"tcp_port": 65_535, "workers": 2}, "room for a port for each worker"),
        ({"only_public_addresses": True}, "needs public_addresses"),
        ({"rtp_first_port": 5000, "rtp_last_port": 5003, "workers": 2}, "two ports"),
        ({"rtp_first_port": 5000}, "two ports"),
    ],
)
def test_ports_and_addresses_that_cannot_be_are_refused(values: dict[str, int], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Media.model_validate(values)


def test_workers_share_the_machines_cores_unless_they_are_told_otherwise() -> None:
    shares = [options.cores for options in worker_options(Media(workers=4))]
    assert shares == [len(os.sched_getaffinity(0)) / 4] * 4
    assert [options.cores for options in worker_options(Media(workers=1, worker_cores=8))] == [8]
