"""Guessing is slow for those who guess, and locks nobody else out."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from mcu.auth.guesses import ADDRESS, BARE, MEETING, PAIR, Guesses, network
from mcu.errors import TooMany


@dataclass
class SetClock:
    at: datetime = datetime(2026, 12, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()


MINE, OTHER = "111111111", "222222222"
ME = "192.0.2.1"


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


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
    assert 1 <= error.value.retry_after <= 300
    await right(guesses, OTHER, ME)
    await right(guesses, MINE, "192.0.2.2")


async def test_an_address_may_not_go_on_from_meeting_to_meeting(guesses: Guesses) -> None:
    for i in range(ADDRESS.amount):
        await wrong(guesses, f"{300000000 + i}", ME)
    with pytest.raises(TooMany):
        await right(guesses, MINE, ME)


async def test_guessing_at_numbers_without_a_pin_is_limited_by_address(guesses: Guesses) -> None:
    for i in range(BARE.amount):
        await wrong(guesses, f"{300000000 + i}", ME, bare=True)
    with pytest.raises(TooMany):
        await wrong(guesses, MINE, ME, bare=True)
    await right(guesses, MINE, ME)


async def test_many_addresses_together_get_one_try_at_a_time_with_a_wait_that_grows(
    guesses: Guesses, clock: SetClock
) -> None:
    await attack(guesses, MINE)
    waits: list[int] = []
    tries = 0
    begun = clock.at
    for i in range(20):
        while True:
            try:
                await wrong(guesses, MINE, f"198.51.100.{i}")
                tries += 1
                break
            except TooMany as error:
                waits.append(error.retry_after)
                clock.at += timedelta(seconds=error.retry_after)
        if clock.at - begun > timedelta(minutes=5):
            break
    assert waits[:5] == [1, 2, 4, 8, 16]
    assert max(waits) == 60
    assert tries < 15


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
    assert sum(let_through) == PAIR.amount


def test_an_ipv6_subscriber_is_one_address() -> None:
    assert network("2001:db8:1:2::1") == network("2001:db8:1:2:ffff::9") != network("2001:db8:1:3::1")
    assert network("::ffff:192.0.2.1") == network("192.0.2.1")
    assert network("fe80::1%eth0") == network("fe80::2")
    assert network("") == network("nonsense")
