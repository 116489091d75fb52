"""Who is it that wants to join: by token, by PIN, or not at all."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mcu.auth.guesses import PAIR, Guesses
from mcu.auth.keys import SigningKey
from mcu.auth.pins import Cost, PinHasher
from mcu.auth.tokens import JoinToken, TokenInvalid, Tokens
from mcu.booking.door import Door, NotAdmitted
from mcu.booking.meeting import Access, BookedParticipant, Meeting, Pins
from mcu.booking.pins import Ask, SamePins, settle, settle_personal
from mcu.clock import SystemClock
from mcu.errors import TooMany
from mcu.ids import MeetingId, ParticipantId
from mcu.storage.database import Database
from mcu.storage.migrate import migrate

NOW = datetime.now(UTC)
ME = "192.0.2.1"


@dataclass
class House:
    """A door with meetings behind it, in a real database."""

    door: Door
    tokens: Tokens
    database: Database
    pins: PinHasher

    async def book(self, number: str, host: str | None, guest: str | None, *people: BookedParticipant) -> Meeting:
        wanted = [Ask.REMOVE if pin is None else pin for pin in (host, guest)]
        pins, _ = await settle(self.pins, Pins(), *wanted)
        meeting = Meeting(
            id=MeetingId(f"mtg_{number}"), number=number, title="Möte", created_at=NOW, updated_at=NOW,
            access=Access(pins=pins), participants=people,
        )  # fmt: skip
        async with self.database.writing() as tx:
            await tx.meetings.add(meeting)
        return meeting


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    url = f"sqlite+aiosqlite:///{tmp_path}/mcu.db"
    await migrate(url)
    database, clock = Database(url), SystemClock()
    tokens = Tokens(key=SigningKey(Ed25519PrivateKey.generate()), clock=clock)
    pins = PinHasher(Cost(time=1, memory=8, lanes=1))
    yield House(Door(database, tokens, pins, Guesses(clock)), tokens, database, pins)
    pins.close()
    await database.close()


async def test_each_pin_gives_its_role(house: House) -> None:
    await house.book("111111111", "121212", "343434")
    assert (await house.door.by_pin("111111111", "121212", ME)).role == "host"
    assert (await house.door.by_pin("111111111", "343434", ME)).role == "guest"


async def test_without_a_guest_pin_whoever_has_the_number_is_a_guest_and_the_host_pin_still_counts(
    house: House,
) -> None:
    await house.book("111111111", "121212", None)
    assert (await house.door.by_pin("111111111", None, ME)).role == "guest"
    assert (await house.door.by_pin("111111111", "121212", ME)).role == "host"
    with pytest.raises(NotAdmitted):
        await house.door.by_pin("111111111", "999999", ME)


async def test_a_wrong_number_a_wrong_pin_and_a_missing_pin_are_one_answer(house: House) -> None:
    await house.book("111111111", "121212", "343434")
    await house.book("222222222", None, "343434")
    said = set()
    for number, pin in (
        ("111111111", "999999"),
        ("111111111", None),
        ("222222222", "121212"),
        ("999999999", "121212"),
        ("999999999", None),
    ):
        with pytest.raises(NotAdmitted) as error:
            await house.door.by_pin(number, pin, ME)
        said.add((error.value.detail, error.value.code, error.value.http))
    assert len(said) == 1


async def test_a_personal_pin_says_who_comes_and_costs_the_same_hash(house: House) -> None:
    berg = BookedParticipant(id=ParticipantId("pt_1"), name="Berg", role="host")
    ek = BookedParticipant(id=ParticipantId("pt_2"), name="Ek")
    meeting = await house.book("111111111", "121212", "343434", berg, ek)
    pin, hashed = await settle_personal(house.pins, meeting, berg.id, None)
    assert len(pin) == 8
    with pytest.raises(SamePins):
        await settle_personal(house.pins, meeting, ek.id, "121212")
    berg = replace(berg, pin=hashed)
    with pytest.raises(SamePins):
        await settle_personal(house.pins, replace(meeting, participants=(berg, ek)), ek.id, pin)
    async with house.database.writing() as tx:
        await tx.meetings.replace(replace(meeting, version=2, participants=(berg, ek)))
    entrant = await house.door.by_pin("111111111", pin, ME)
    assert (entrant.role, entrant.participant) == ("host", berg)
    assert (await house.door.by_pin("111111111", "343434", ME)).participant is None


async def test_guesses_are_counted_and_a_personal_link_is_not_one(house: House) -> None:
    person = BookedParticipant(id=ParticipantId("pt_1"), name="Åsa", role="host")
    meeting = await house.book("111111111", "121212", "343434", person)
    for _ in range(PAIR.amount):
        with pytest.raises(NotAdmitted):
            await house.door.by_pin("111111111", "999999", ME)
    with pytest.raises(TooMany):
        await house.door.by_pin("111111111", "121212", ME)
    link = house.tokens.mint(JoinToken(meeting=meeting.id, role="host", participant=person.id))
    assert (await house.door.by_token("111111111", link)).participant == person


async def test_a_link_has_the_role_that_the_person_has_now(house: House) -> None:
    person = BookedParticipant(id=ParticipantId("pt_1"), name="Åsa", role="host")
    meeting = await house.book("111111111", None, None, person)
    link = house.tokens.mint(JoinToken(meeting=meeting.id, role="host", participant=person.id))
    changed = replace(meeting, version=2, participants=(replace(person, role="guest"),))
    async with house.database.writing() as tx:
        await tx.meetings.replace(changed)
    assert (await house.door.by_token("111111111", link)).role == "guest"


async def test_a_link_of_another_meeting_of_nobody_or_out_of_time_does_not_hold(house: House) -> None:
    person = BookedParticipant(id=ParticipantId("pt_1"), name="Åsa")
    meeting = await house.book("111111111", None, None, person)
    await house.book("222222222", None, None)
    mint = house.tokens.mint
    link = JoinToken(meeting=meeting.id, role="guest", participant=person.id)
    withdrawn = replace(link, participant=ParticipantId("pt_2"))
    never = replace(link, meeting=MeetingId("mtg_none"))
    for number, text in (
        ("222222222", mint(link)),
        ("111111111", mint(withdrawn)),
        ("111111111", mint(never)),
        ("111111111", mint(link, life=timedelta(minutes=-1))),
        ("111111111", "nothing"),
    ):
        with pytest.raises(TokenInvalid):
            await house.door.by_token(number, text)
    assert (await house.door.by_token("111111111", mint(link))).participant == person


async def test_pins_are_kept_made_and_removed_as_asked(house: House) -> None:
    first, shown = await settle(house.pins, Pins(), Ask.MAKE, "343434")
    assert (len(shown.host or ""), shown.guest) == (6, "343434")
    same, shown = await settle(house.pins, first, Ask.KEEP, "343434")
    assert (same, shown.host, shown.guest) == (first, None, None)
    fewer, _ = await settle(house.pins, first, Ask.REMOVE, Ask.KEEP)
    assert (fewer.host, fewer.guest) == (None, first.guest)
    with pytest.raises(SamePins):
        await settle(house.pins, first, "343434", Ask.KEEP)


async def test_a_pin_that_is_made_is_never_the_other_one(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    made = iter(["121212", "121212", "565656"])
    monkeypatch.setattr("mcu.booking.pins.new_pin", lambda: next(made))
    _, shown = await settle(house.pins, Pins(), Ask.MAKE, Ask.MAKE)
    assert (shown.host, shown.guest) == ("121212", "565656")
