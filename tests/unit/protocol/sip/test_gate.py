"""The gate: strangers by measure, those who are known as they come."""

import random

import pytest

from mcu.protocol.sip import gate
from mcu.protocol.sip.gate import Gate, Limits, Verdict

STRANGER, TRUNK = "192.0.2.1", "198.51.100.7"
LIMITS = Limits(known=("198.51.100.0/24",), calls_per_second=10, calls_of_one=3, messages_per_second=50)
HELLO = b"OPTIONS sip:100@mcu.example SIP/2.0\r\nUser-Agent: a telephone\r\n\r\n"
SCAN = b"OPTIONS sip:100@mcu.example SIP/2.0\r\nFrom: x\r\nUser-Agent: friendly-scanner\r\n\r\n"


def new(**limits: object) -> Gate:
    return Gate(Limits(**{name: getattr(LIMITS, name) for name in LIMITS.__slots__} | limits), 0.0)


def heard(at: Gate, host: str, *, per_second: float, seconds: float) -> int:
    return sum(at.hears(host, HELLO, number / per_second) for number in range(int(per_second * seconds)))


def verdicts(at: Gate, host: str, *, per_second: float, seconds: float, method: str = "INVITE") -> list[Verdict]:
    return [at.asks(host, method, number / per_second) for number in range(int(per_second * seconds))]


def test_a_strangers_messages_are_heard_up_to_its_measure_and_a_known_address_s_all() -> None:
    here = new()
    assert heard(here, STRANGER, per_second=2000, seconds=10) == pytest.approx(200 + 10 * 50, abs=2)
    assert heard(here, TRUNK, per_second=2000, seconds=10) == 20_000


def test_a_stranger_that_is_quiet_again_is_heard_again() -> None:
    here = new()
    heard(here, STRANGER, per_second=2000, seconds=1)
    assert not here.hears(STRANGER, HELLO, 0.9995)
    assert here.hears(STRANGER, HELLO, 2.0)


def test_a_scanner_is_known_by_its_name_and_is_not_heard_for_minutes_whatever_it_says() -> None:
    here = new()
    assert not here.hears(STRANGER, SCAN, 0.0)
    assert not here.hears(STRANGER, HELLO, gate.SILENCE_S - 1)
    assert here.hears(STRANGER, HELLO, gate.SILENCE_S + 1)
    assert here.hears("192.0.2.2", HELLO, 0.0)
    assert here.hears(TRUNK, SCAN, 0.0)


def test_a_scanners_name_elsewhere_than_in_a_header_that_names_somebody_is_nothing() -> None:
    body = b"INVITE sip:1@mcu.example SIP/2.0\r\nUser-Agent: x\r\n\r\ns=the iwar friendly-scanner film\r\n"
    assert new().hears(STRANGER, body, 0.0)


def test_who_asks_too_often_for_what_is_not_here_is_not_heard_and_who_does_so_now_and_then_is() -> None:
    here = new()
    for at in range(20):
        here.failed(STRANGER, at * gate.FORGIVEN_S)
    assert here.hears(STRANGER, HELLO, 20 * gate.FORGIVEN_S)
    for _ in range(gate.FAILURES):
        here.failed("192.0.2.9", 0.0)
        here.failed(TRUNK, 0.0)
    assert not here.hears("192.0.2.9", HELLO, 1.0)
    assert here.hears(TRUNK, HELLO, 1.0)


def test_calls_of_strangers_above_their_measure_are_refused_while_those_of_trunks_go_on() -> None:
    here = new(calls_of_one=1000)
    one = verdicts(here, STRANGER, per_second=100, seconds=10)
    assert one.count(Verdict.TAKE) == pytest.approx(10 + 10 * 5, abs=2)  # half of all is left to others
    assert Verdict.REFUSE in one
    assert here.asks("192.0.2.2", "INVITE", 10.0) is Verdict.TAKE
    assert set(verdicts(here, TRUNK, per_second=1000, seconds=10)) == {Verdict.TAKE}


def test_no_flood_of_forged_addresses_takes_more_than_what_all_strangers_may_have() -> None:
    here = new()
    hosts = [f"10.{at >> 16}.{at >> 8 & 255}.{at & 255}" for at in range(40_000)]
    found = [here.asks(host, "INVITE", number / 2000) for number, host in enumerate(hosts)]
    assert found.count(Verdict.TAKE) == pytest.approx(40 + 20 * 10, abs=2)
    assert found.count(Verdict.REFUSE) <= gate.REFUSALS_PER_S * 21  # each goes to somebody who has asked nothing
    asked = [here.asks(host, "OPTIONS", 30 + number / 2000) for number, host in enumerate(hosts)]
    assert asked.count(Verdict.TAKE) == pytest.approx(gate.REQUESTS_PER_S * 21, rel=0.02)


def test_calls_that_could_not_even_be_refused_are_dropped_unread_but_not_those_of_who_is_in_a_call() -> None:
    here, invite = new(), HELLO.replace(b"OPTIONS", b"INVITE")
    here.began(STRANGER, 0.0)
    while here.asks("192.0.2.2", "INVITE", 0.0) is not Verdict.DROP:
        pass
    assert not here.hears("192.0.2.3", invite, 0.0)
    assert here.hears("192.0.2.3", HELLO, 0.0)
    assert here.hears(STRANGER, invite, 0.0)
    assert here.hears(TRUNK, invite, 0.0)
    assert here.hears("192.0.2.3", invite, 0.1)


def test_what_is_kept_of_addresses_is_bounded_and_those_in_calls_are_kept() -> None:
    here = new(calls_of_one=1)
    ticket = here.began(STRANGER, 0.0)
    chance = random.Random(1)
    for at in range(3 * gate.ADDRESSES):
        here.hears(f"2001:db8:{chance.randrange(65536):x}:{chance.randrange(65536):x}::1", HELLO, at / 1000)
    assert len(here._addresses) == gate.ADDRESSES
    assert here.asks(STRANGER, "INVITE", 100.0) is Verdict.REFUSE
    ticket.over()
    assert here.asks(STRANGER, "INVITE", 200.0) is Verdict.TAKE


def test_a_call_that_is_over_makes_room_for_one_more() -> None:
    here = new(calls_of_one=2)
    first, _ = (here.began(STRANGER, 0.0) for _ in range(2))
    first.over()
    assert here.asks(STRANGER, "INVITE", 100.0) is Verdict.TAKE
    here.began(STRANGER, 100.0)
    assert here.asks(STRANGER, "INVITE", 200.0) is Verdict.REFUSE


def test_an_ipv6_network_of_one_customer_is_one_address_and_a_mapped_one_is_its_ipv4() -> None:
    here = new(calls_of_one=1)
    here.began("2001:db8::1", 0.0)
    assert here.asks("2001:db8::2%eth0", "INVITE", 0.0) is Verdict.REFUSE
    assert here.asks("2001:db8:0:1::1", "INVITE", 0.0) is Verdict.TAKE
    here.began(STRANGER, 0.0)
    assert here.asks(f"::ffff:{STRANGER}", "INVITE", 0.0) is Verdict.REFUSE
    assert here.asks("::ffff:192.0.2.2", "INVITE", 0.0) is Verdict.TAKE
    assert here.is_known(f"::ffff:{TRUNK}", 0.0)


def test_calls_that_nobody_acknowledges_are_few_and_those_that_stand_do_not_count() -> None:
    here = new(calls_of_one=1000, calls_per_second=1000)
    tickets = [here.began(f"192.0.2.{at}", 0.0) for at in range(gate.UNPROVED)]
    assert here.asks("203.0.113.1", "INVITE", 0.0) is Verdict.REFUSE
    tickets[0].proved()
    tickets[1].over()
    assert here.asks("203.0.113.1", "INVITE", 0.0) is Verdict.TAKE
    here.began("203.0.113.2", 0.0)
    tickets[0].over()
    assert here.asks("203.0.113.1", "INVITE", 0.0) is Verdict.TAKE


def test_an_address_that_has_proved_itself_is_known_for_a_while() -> None:
    here = new()
    here.trust(STRANGER, 0.0)
    assert here.is_known(STRANGER, gate.TRUSTED_S - 1)
    assert not here.is_known(STRANGER, gate.TRUSTED_S + 1)


def test_what_is_dropped_is_counted_by_reason() -> None:
    here = new()
    here.hears(STRANGER, SCAN, 0.0)
    here.hears(STRANGER, HELLO, 0.0)
    heard(here, "192.0.2.2", per_second=1000, seconds=1)
    verdicts(here, "192.0.2.3", per_second=1000, seconds=1)
    assert set(here.dropped) == {"scanner", "silenced", "too many messages", "too many calls", "too many requests"}


def test_who_has_registered_long_ago_is_forgotten() -> None:
    here = Gate(Limits(), 0.0)
    for day in range(10):
        here.trust(f"192.0.2.{day}", day * 86_400.0)
    assert here.is_known("192.0.2.9", 9 * 86_400.0)
    assert len(here._trusted) == 1
