"""The order in which a domain's servers are tried."""

import random
from collections import Counter

import pytest

from mcu.protocol.sip.locating import ANY, Naptr, Srv, fallback, in_order, services


def test_a_domain_says_which_transports_it_has_and_which_it_likes_best() -> None:
    records = [
        Naptr(20, 1, "s", "SIP+D2U", "_sip._udp.far"),
        Naptr(10, 2, "S", "sip+d2t", "_sip._tcp.far"),
        Naptr(10, 1, "s", "SIPS+D2T", "_sips._tcp.far"),
        Naptr(1, 1, "s", "SIP+D2W", "_sip._ws.far"),  # not ours to use
        Naptr(1, 1, "u", "E2U+sip", "far"),
    ]
    assert services(records, ANY) == [("tls", "_sips._tcp.far"), ("tcp", "_sip._tcp.far"), ("udp", "_sip._udp.far")]
    assert services(records, ["udp"]) == [("udp", "_sip._udp.far")]
    assert services(records[3:], ANY) == []


def test_a_name_with_nothing_but_an_address_is_called_by_udp_where_it_may() -> None:
    assert (fallback(ANY), fallback(["tls"]), fallback(["tcp"])) == ("udp", "tls", "tcp")


def test_servers_come_by_priority_each_once() -> None:
    records = [Srv(20, 0, 5060, "c"), Srv(10, 0, 5060, "a"), Srv(10, 5, 5060, "b"), Srv(30, 65535, 5060, "d")]
    for seed in range(50):
        found = [one.target for one in in_order(records, random.Random(seed).randrange)]
        assert sorted(found[:2]) == ["a", "b"]
        assert found[2:] == ["c", "d"]


@pytest.mark.parametrize(("weights", "share"), [((75, 25), 0.75), ((1, 1), 0.5), ((100, 0), 0.99)])
def test_those_of_one_priority_share_the_calls_by_weight(weights: tuple[int, int], share: float) -> None:
    records = [Srv(1, weight, 5060, name) for name, weight in zip("ab", weights, strict=True)]
    roll = random.Random(1).randrange
    first = Counter(in_order(records, roll)[0].target for _ in range(4000))
    assert first["a"] / 4000 == pytest.approx(share, abs=0.18 if weights == (1, 1) else 0.03)
