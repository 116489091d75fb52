"""Guessing is slow for those who guess, and locks nobody else out."""

import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest
from set_clock import SetClock

from mcu.auth.guesses import ADDRESS, BARE, MEETING, PAIR, SIDE_BY_SIDE, TRUNK, Guesses, Pace
from mcu.errors import TooMany
from mcu.networks import network_of

MINE, OTHER = "111111111", "222222222"
ME = "192.0.2.1"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    """The counts' own clock is the same: `limits` reads `time.time`."""
    one = SetClock()
    monkeypatch.setattr("limits.storage.memory.time.time", lambda: one.at.timestamp())
    return one


@pytest.fixture
def guesses(clock: SetClock) -> Guesses:
    return Guesses(clock)


async def wrong(guesses: Guesses, number: str, address: str, *, bare: bool = False) -> None:
    async with guesses.attempt(number, address, bare=bare):
        guesses.failed(number, address, bare=bare)


async def right(guesses: Guesses, number: str, address: str) -> None:
    async with guesses.attempt(number, address):
        guesses.succeeded(number, address)


async def attack(guesses: Guesses, number: str, times: int = MEETING.amount + 1) -> None:
    """From as many addresses as it takes."""
    for i in range(times):
        try:
            await wrong(guesses, number, f"203.0.{i // 250}.{i % 250}")
        except TooMany:
            continue


async def test_an_address_may_guess_a_few_times_at_a_meeting(guesses: Guesses) -> None:
    for _ in range(PAIR.amount):
        await wrong(guesses, MINE, ME)
    with pytest.raises(TooMany) as error:
        await wrong(guesses, MINE, ME)
    assert error.value.retry_after == PAIR.every_s
    await right(guesses, OTHER, ME)
    await right(guesses, MINE, "192.0.2.2")


async def test_an_address_may_not_go_on_from_meeting_to_meeting(guesses: Guesses) -> None:
    for i in range(ADDRESS.amount):
        await wrong(guesses, f"{300000000 + i}", ME)
    with pytest.raises(TooMany):
        await right(guesses, MINE, ME)


@pytest.mark.parametrize(("number", "pace"), [(MINE, PAIR), (OTHER, ADDRESS)])
async def test_what_others_at_ones_address_got_wrong_costs_half_a_minute_at_most(
    guesses: Guesses, clock: SetClock, number: str, pace: Pace
) -> None:
    """A right PIN uses nothing up: when there is an attempt to be had, all who know theirs come in."""
    if number == MINE:
        await right(guesses, number, ME)  # also where somebody has come in before
    for i in range(200):
        with suppress(TooMany):
            await wrong(guesses, number if number == MINE else f"{300000000 + i}", ME)
    with pytest.raises(TooMany) as error:
        await right(guesses, number, ME)
    assert error.value.retry_after <= pace.every_s <= 30
    clock.at += timedelta(seconds=error.value.retry_after)
    for _ in range(50):
        await right(guesses, number, ME)


async def test_one_address_where_somebody_has_come_in_makes_two_guesses_a_minute(
    guesses: Guesses, clock: SetClock
) -> None:
    """Also one who knows a right PIN, the guests', and looks for another, the hosts'."""
    await right(guesses, MINE, ME)
    ends, done = clock.at + timedelta(days=1), 0
    while clock.at < ends:
        try:
            await wrong(guesses, MINE, ME)
            await right(guesses, MINE, ME)
            done += 1
        except TooMany as error:
            clock.at += timedelta(seconds=error.retry_after)
    assert done <= PAIR.amount + 24 * 3600 / PAIR.every_s


async def test_many_of_one_address_who_come_at_once_do_not_stand_in_one_line(guesses: Guesses) -> None:
    now, most = 0, 0

    async def come() -> None:
        nonlocal now, most
        async with guesses.attempt(MINE, ME):
            now += 1
            most = max(most, now)
            await asyncio.sleep(0)
            now -= 1
            guesses.succeeded(MINE, ME)

    await asyncio.gather(*(come() for _ in range(100)))
    assert most == SIDE_BY_SIDE


async def test_guessing_at_numbers_without_a_pin_is_limited_by_address(guesses: Guesses) -> None:
    for i in range(BARE.amount):
        await wrong(guesses, f"{300000000 + i}", ME, bare=True)
    with pytest.raises(TooMany):
        await wrong(guesses, MINE, ME, bare=True)
    await right(guesses, MINE, ME)


@pytest.mark.parametrize("by_trunk", [True, False])
async def test_who_is_asked_for_the_pin_and_has_it_uses_nothing_up(guesses: Guesses, by_trunk: bool) -> None:
    """As all do who call: a whole region's meetings begin at nine."""
    for i in range(2 * TRUNK.amount):
        caller = str(i) if by_trunk else ""
        async with guesses.attempt(MINE, ME, caller, bare=True):
            guesses.failed(MINE, ME, caller, bare=True)
        async with guesses.attempt(MINE, ME, caller):
            guesses.succeeded(MINE, ME, caller)


async def test_the_right_pin_of_one_meeting_makes_up_for_no_asking_at_others(guesses: Guesses) -> None:
    await wrong(guesses, MINE, ME, bare=True)
    for i in range(BARE.amount - 1):
        await wrong(guesses, f"{300000000 + i}", ME, bare=True)
        await right(guesses, MINE, ME)
    await wrong(guesses, OTHER, ME, bare=True)
    with pytest.raises(TooMany):
        await wrong(guesses, OTHER, ME, bare=True)


async def guesses_let_through(guesses: Guesses, clock: SetClock, within: timedelta) -> int:
    """Of somebody who has as many addresses as it takes and comes back as soon as told."""
    ends, done = clock.at + within, 0
    while clock.at < ends:
        try:
            await wrong(guesses, MINE, f"198.51.{done // 250}.{done % 250}")
            done += 1
        except TooMany as error:
            clock.at += timedelta(seconds=error.retry_after)
    return done


async def test_many_addresses_together_get_about_one_guess_a_minute_for_as_long_as_they_go_on(
    guesses: Guesses, clock: SetClock
) -> None:
    assert await guesses_let_through(guesses, clock, timedelta(minutes=10)) < 40
    assert await guesses_let_through(guesses, clock, timedelta(hours=5)) <= 301


async def test_an_attack_is_forgotten_an_hour_after_it_ended(guesses: Guesses, clock: SetClock) -> None:
    await guesses_let_through(guesses, clock, timedelta(hours=1))
    await right(guesses, MINE, "198.51.100.1")
    with pytest.raises(TooMany):
        await right(guesses, MINE, "198.51.100.2")
    clock.at += timedelta(hours=1, seconds=1)
    for i in range(5):
        await right(guesses, MINE, f"192.0.2.{i}")


async def test_when_people_come_in_the_wait_for_the_next_newcomer_is_a_second(
    guesses: Guesses, clock: SetClock
) -> None:
    await guesses_let_through(guesses, clock, timedelta(minutes=30))
    clock.at += timedelta(seconds=60)
    for i in range(10):
        await right(guesses, MINE, f"192.0.2.{i}")
        with pytest.raises(TooMany) as error:
            await right(guesses, MINE, f"192.0.2.{i + 100}")
        clock.at += timedelta(seconds=error.value.retry_after)
        if i:
            assert error.value.retry_after == 1


async def test_who_has_come_in_before_from_an_address_is_not_held_up_by_an_attack(guesses: Guesses) -> None:
    await right(guesses, MINE, ME)
    await attack(guesses, MINE, 200)
    for _ in range(5):
        await right(guesses, MINE, ME)


async def test_an_attack_on_one_meeting_does_not_hold_up_another(guesses: Guesses) -> None:
    await attack(guesses, MINE, 200)
    await right(guesses, OTHER, ME)


async def test_a_newcomer_gets_in_during_an_attack_after_a_minute_at_most(guesses: Guesses, clock: SetClock) -> None:
    await attack(guesses, MINE, 200)
    clock.at += timedelta(seconds=60)
    await right(guesses, MINE, ME)


async def test_guesses_at_the_same_time_are_counted_one_after_the_other(guesses: Guesses) -> None:
    async def slow() -> bool:
        try:
            async with guesses.attempt(MINE, ME):
                await asyncio.sleep(0)
                guesses.failed(MINE, ME)
        except TooMany:
            return False
        return True

    let_through = await asyncio.gather(*(slow() for _ in range(50)))
    assert PAIR.amount <= sum(let_through) < PAIR.amount + SIDE_BY_SIDE


def test_an_ipv6_subscriber_is_one_address() -> None:
    assert network_of("2001:db8:1:2::1") == network_of("2001:db8:1:2:ffff::9") != network_of("2001:db8:1:3::1")
    assert network_of("::ffff:192.0.2.1") == network_of("192.0.2.1")
    assert network_of("fe80::1%eth0") == network_of("fe80::2")
    assert network_of("") == network_of("nonsense")


async def test_callers_over_a_trunk_are_slowed_each_by_themselves_and_all_together(
    guesses: Guesses,
) -> None:
    async def tries(caller: str, number: str = MINE, *, bare: bool = False) -> None:
        async with guesses.attempt(number, ME, caller, bare=bare):
            guesses.failed(number, ME, caller, bare=bare)

    for _ in range(PAIR.amount):
        await tries("anna")
    with pytest.raises(TooMany):
        await tries("anna")
    await tries("bo")  # who has the same address
    await right(guesses, MINE, ME)  # as has somebody who is no caller
    for i in range(TRUNK.amount - PAIR.amount - 1):
        await tries(f"made up {i}", f"{i:09}", bare=True)
    with pytest.raises(TooMany):
        await tries("another")
    await right(guesses, MINE, ME)
