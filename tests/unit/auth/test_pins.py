"""PINs: hashed dear, checked at the same cost whatever the answer, and never beyond what the machine bears."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from argon2.low_level import Type

from mcu.auth import pins
from mcu.auth.pins import Cost, PinHasher, new_pin, new_salt
from mcu.errors import Unavailable

QUICK = Cost(time=1, memory=8, lanes=1)


@pytest.fixture
def hasher() -> Iterator[PinHasher]:
    one = PinHasher(QUICK)
    yield one
    one.close()


async def test_a_pin_is_found_among_the_hashes_of_its_salt(hasher: PinHasher) -> None:
    salt = new_salt()
    host, guest = await hasher.hash("111111", salt), await hasher.hash("222222", salt)
    assert await hasher.which("111111", salt, (host, guest)) == 0
    assert await hasher.which("222222", salt, (host, guest)) == 1
    assert await hasher.which("222222", salt, (host, None)) is None
    assert await hasher.which("333333", salt, (host, guest)) is None
    assert await hasher.which("111111", new_salt(), (host, guest)) is None
    assert await hasher.which("", b"", ()) is None


async def test_a_check_is_one_hash_whether_there_is_a_meeting_a_pin_or_a_match(
    hasher: PinHasher, monkeypatch: pytest.MonkeyPatch
) -> None:
    salt = new_salt()
    host, guest = await hasher.hash("111111", salt), await hasher.hash("222222", salt)
    hashed: list[object] = []
    monkeypatch.setattr(pins, "hash_secret_raw", lambda *all_of_it: hashed.append(all_of_it[2:]) or b"x" * 32)
    for pin, its_salt, hashes in (
        ("111111", salt, (host, guest)),
        ("333333", salt, (host, guest)),
        ("333333", salt, (None, None)),
        ("333333", b"", ()),
        ("", b"", ()),
    ):
        await hasher.which(pin, its_salt, hashes)
    assert len(hashed) == 5
    assert len(set(hashed)) == 1


async def test_hashing_is_off_the_event_loop_and_costs_what_rfc_9106_says(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[object, ...]] = []

    def spy(*arguments: object) -> bytes:
        seen.append((threading.current_thread() is threading.main_thread(), *arguments[2:]))
        return b"x" * 32

    monkeypatch.setattr(pins, "hash_secret_raw", spy)
    hasher = PinHasher()
    await hasher.hash("111111", new_salt())
    hasher.close()
    assert seen == [(False, 3, 65536, 4, 32, Type.ID)]


async def test_a_flood_of_checks_is_refused_beyond_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()
    monkeypatch.setattr(pins, "hash_secret_raw", lambda *_: go.wait(20) and b"x" * 32)
    hasher = PinHasher(QUICK)
    waiting = [asyncio.create_task(hasher.hash("1", new_salt())) for _ in range(pins.MAX_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await hasher.hash("1", new_salt())
    go.set()
    await asyncio.gather(*waiting)
    await hasher.hash("1", new_salt())
    hasher.close()


def test_a_new_pin_is_six_digits_and_another_each_time() -> None:
    made = {new_pin() for _ in range(200)}
    assert all(len(pin) == 6 and pin.isdecimal() for pin in made)
    assert len(made) > 190
