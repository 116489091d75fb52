"""The stores, on real SQLite and real PostgreSQL."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import aiosqlite
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from mcu.booking.endpoints import Endpoint
from mcu.booking.meeting import (
    Access,
    BookedParticipant,
    DialOut,
    ExternalId,
    Meeting,
    MeetingState,
    Organizer,
    Pins,
    new_number,
)
from mcu.booking.store import (
    MeetingFilter,
    PageRequest,
    RoomRun,
    Stale,
    StoredBinding,
    StoredNotice,
    StoredReply,
    Taken,
)
from mcu.errors import NotFound, Unavailable
from mcu.ids import EndpointId, MeetingId, NoticeId, ParticipantId, RoomId, new_id
from mcu.storage.database import Database
from mcu.storage.migrate import DatabaseNewer, migrate, newest
from mcu.storage.tables import metadata

NOW = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)


def meeting(**changed: object) -> Meeting:
    values: dict[str, object] = {
        "id": MeetingId(new_id("mtg")),
        "number": new_number(),
        "title": "Möte",
        "created_at": NOW,
        "updated_at": NOW,
        **changed,
    }
    return Meeting(**values)  # type: ignore[arg-type]


def person(name: str = "Ada", dial_out: DialOut | None = None) -> BookedParticipant:
    return BookedParticipant(id=ParticipantId(new_id("pt")), name=name, dial_out=dial_out)


async def stored(database: Database, *meetings: Meeting) -> None:
    async with database.writing() as tx:
        for one in meetings:
            await tx.meetings.add(one)


async def shown(database: Database, wanted: MeetingFilter, size: int = 50, after: str = "") -> list[Meeting]:
    async with database.reading() as tx:
        return list((await tx.meetings.page(wanted, PageRequest(size=size, after=after))).items)


async def test_what_is_written_of_a_meeting_is_read_back(database: Database) -> None:
    written = meeting(
        external_id=ExternalId(source="journal", value="88213"),
        start=NOW,
        end=NOW + timedelta(microseconds=1),
        time_zone="Europe/Stockholm",
        organizer=Organizer(name="Vårdcentral", email=None),
        participants=(person("Åsa"), person("Bo", DialOut(when="at_start", uri="sip:bo@far.example"))),
        access=Access(pins=Pins(salt=b"s" * 16, host=b"h", guest=None), lobby="guests", locked=True),
        metadata={"unit": "VC-N"},
        cancelled_at=NOW,
    )
    await stored(database, written)
    async with database.reading() as tx:
        assert await tx.meetings.get(written.id) == written
        assert await tx.meetings.by_number(written.number) == written
        assert await tx.meetings.by_external_id(ExternalId(source="journal", value="88213"), "") == written


async def test_a_meeting_is_not_written_over_by_someone_who_read_an_older_version(database: Database) -> None:
    first = meeting(participants=(person(),))
    await stored(database, first)
    second = replace(first, version=2, title="Nytt", participants=())
    async with database.writing() as tx:
        await tx.meetings.replace(second)
    with pytest.raises(Stale):
        async with database.writing() as tx:
            await tx.meetings.replace(second)
    async with database.reading() as tx:
        assert await tx.meetings.get(first.id) == second


@pytest.mark.parametrize("same", ["id", "number", "external_id"])
async def test_what_is_unique_of_a_meeting_is_taken_once(database: Database, same: str) -> None:
    first = meeting(external_id=ExternalId(source="a", value="1"))
    await stored(database, first)
    with pytest.raises(Taken):
        await stored(database, meeting(**{same: getattr(first, same)}))
    assert await shown(database, MeetingFilter(now=NOW)) == [first]


async def test_an_error_undoes_the_whole_transaction(database: Database) -> None:
    async def add_and_fail() -> None:
        async with database.writing() as tx:
            await tx.meetings.add(meeting())
            await tx.rooms.get(RoomId("room_none"))

    with pytest.raises(NotFound):
        await add_and_fail()
    assert await shown(database, MeetingFilter(now=NOW)) == []


async def test_pages_give_every_meeting_once_in_order(database: Database) -> None:
    all_of_them = [meeting() for _ in range(7)]
    await stored(database, *all_of_them)
    seen: list[Meeting] = []
    after = ""
    while True:
        async with database.reading() as tx:
            page = await tx.meetings.page(MeetingFilter(now=NOW), PageRequest(size=3, after=after))
        seen += page.items
        if not (after := page.last):
            break
    assert [one.id for one in seen] == sorted(one.id for one in all_of_them)


async def test_filters_take_what_they_say(database: Database) -> None:
    hour = timedelta(hours=1)
    early, late, standing = (
        meeting(start=NOW, end=NOW + hour, updated_at=NOW - hour),
        meeting(start=NOW + 5 * hour, end=NOW + 6 * hour, external_id=ExternalId(source="a", value="1")),
        meeting(),
    )
    await stored(database, early, late, standing)

    async def ids(**conditions: object) -> set[str]:
        wanted = MeetingFilter(now=NOW, **conditions)  # type: ignore[arg-type]
        return {one.id for one in await shown(database, wanted)}

    assert await ids(begins_before=NOW + hour) == {early.id, standing.id}
    assert await ids(ends_after=NOW + hour) == {late.id, standing.id}
    assert await ids(external_id=ExternalId(source="a", value="1")) == {late.id}
    assert await ids(updated_since=NOW) == {late.id, standing.id}


async def test_states_are_the_same_in_sql_as_in_the_booking(database: Database) -> None:
    hour = timedelta(hours=1)
    everything: list[Meeting] = []
    runs: list[RoomRun] = []
    for begins, cancelled, room in product((None, -5, -1, 0, 3), (None, NOW), (None, "ended", "running")):
        start = None if begins is None else NOW + begins * hour
        one = meeting(start=start, end=start and start + hour, cancelled_at=cancelled)
        everything.append(one)
        if room:
            ended = NOW if room == "ended" else None
            runs.append(RoomRun(id=RoomId(new_id("room")), meeting=one.id, started_at=NOW, ended_at=ended))
    await stored(database, *everything)
    async with database.writing() as tx:
        for run in runs:
            await tx.rooms.open(run)
    read = await shown(database, MeetingFilter(now=NOW))
    for state in MeetingState:
        wanted = await shown(database, MeetingFilter(now=NOW, states=frozenset({state})))
        assert {one.id for one in wanted} == {one.id for one in read if one.state(NOW) is state}, state
        assert wanted, f"no example of {state}"


async def test_a_meeting_has_one_room_that_runs(database: Database) -> None:
    one = meeting()
    await stored(database, one)
    first = RoomRun(id=RoomId(new_id("room")), meeting=one.id, started_at=NOW, layout="grid")
    again = RoomRun(id=RoomId(new_id("room")), meeting=one.id, started_at=NOW)
    async with database.writing() as tx:
        await tx.rooms.open(first)
    with pytest.raises(Taken):
        async with database.writing() as tx:
            await tx.rooms.open(again)
    async with database.writing() as tx:
        assert await tx.rooms.running() == [first]
        assert (await tx.meetings.get(one.id)).room == first.id
        ended = RoomRun(id=first.id, meeting=one.id, started_at=NOW, ended_at=NOW, locked=True)
        await tx.rooms.update(ended)
        await tx.rooms.open(again)
        assert await tx.rooms.get(first.id) == ended
        page = await tx.rooms.page(one.id, PageRequest())
    assert list(page.items) == sorted([ended, again], key=lambda run: run.id)


async def test_a_notice_is_kept_as_it_last_was(database: Database) -> None:
    one = meeting()
    await stored(database, one)
    run = RoomRun(id=RoomId(new_id("room")), meeting=one.id, started_at=NOW)

    def notice(name: str, record: bytes) -> StoredNotice:
        return StoredNotice(id=NoticeId(name), room=run.id, at=NOW, record=record)

    async with database.writing() as tx:
        await tx.rooms.open(run)
        await tx.notices.save([notice("ntc_1", b'{"a":1}'), notice("ntc_2", b"{}")])
        await tx.notices.save([notice("ntc_1", b'{"a":2}')])
        page = await tx.notices.page(run.id, PageRequest())
    assert list(page.items) == [notice("ntc_1", b'{"a":2}'), notice("ntc_2", b"{}")]


async def test_a_reply_is_kept_for_its_time_and_its_key_is_taken_meanwhile(database: Database) -> None:
    reply = StoredReply(key="k", fingerprint=b"f", at=NOW, status=201, headers={"ETag": '"1"'}, body=b"{}")
    day = timedelta(hours=24)
    async with database.writing() as tx:
        await tx.replies.add(reply, NOW - day)
        assert await tx.replies.get("k", NOW - day) == reply
        assert await tx.replies.get("k", NOW + timedelta(seconds=1)) is None
    with pytest.raises(Taken):
        async with database.writing() as tx:
            await tx.replies.add(reply, NOW - day)
    async with database.writing() as tx:
        await tx.replies.add(reply, NOW + timedelta(seconds=1))


async def test_writers_at_the_same_time_all_get_their_turn(database: Database) -> None:
    await asyncio.gather(*(stored(database, meeting()) for _ in range(20)))
    assert len(await shown(database, MeetingFilter(now=NOW))) == 20


async def test_migrating_makes_the_tables_that_the_program_uses(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_endpoints_are_kept_with_where_they_are_reached_and_both_go_together(database: Database) -> None:
    anna = Endpoint(
        id=EndpointId(new_id("ep")),
        name="anna",
        number="701",
        display_name="Anna",
        language="sv",
        secret=b"s",
        created_at=NOW,
    )
    bound = StoredBinding(
        endpoint=anna.id,
        contact="<sip:anna@192.0.2.7>",
        host="192.0.2.7",
        port=5060,
        call_id="c1",
        path=[],
        granted_s=60,
        kept_until=NOW,
    )
    async with database.writing() as tx:
        await tx.endpoints.add(anna)
        await tx.endpoints.keep(anna.id, [bound, replace(bound, port=5061)])
        await tx.endpoints.keep(anna.id, [replace(bound, port=5062), bound])
    with pytest.raises(Taken):
        async with database.writing() as tx:
            await tx.endpoints.add(replace(anna, id=EndpointId(new_id("ep")), number=None))
    namesake = replace(anna, id=EndpointId(new_id("ep")), organisation="norr")  # each organisation has its own
    async with database.writing() as tx:
        await tx.endpoints.add(namesake)
    async with database.reading() as tx:
        assert (await tx.endpoints.page(PageRequest(), "norr")).items == [namesake]
    with pytest.raises(NotFound):
        async with database.writing() as tx:
            await tx.endpoints.remove(namesake.id, "syd")
    async with database.writing() as tx:
        await tx.endpoints.remove(namesake.id, "norr")
    async with database.reading() as tx:
        assert await tx.endpoints.all() == (await tx.endpoints.page(PageRequest())).items == [anna]
        assert await tx.endpoints.bindings() == [replace(bound, port=5062), bound]
    async with database.writing() as tx:
        await tx.endpoints.remove(anna.id)
    with pytest.raises(NotFound):
        async with database.writing() as tx:
            await tx.endpoints.keep(anna.id, [bound])
    async with database.reading() as tx:
        assert not await tx.endpoints.bindings()


ROWS = {  # what a database of a revision, and of all later ones, may hold
    "0001": (
        "INSERT INTO meetings (id, number, version, title, language, time_zone, open_before_minutes,"
        " close_after_minutes, layout, pin_salt, wait_for_host, lobby, max_participants, locked, metadata, created_by,"
        " created_at, updated_at, external_source, external_value) VALUES ('mtg_1', '111111111', 1, 'M', 'sv', 'UTC',"
        " 1, 1, 'auto', :octets, false, 'none', 5, false, '{}', 'x', 1, 1, 'journal', '88213')",
        "INSERT INTO participants (id, meeting, position, version, name, role) VALUES"
        " ('pt_1', 'mtg_1', 0, 1, 'A', 'host')",
        "INSERT INTO rooms (id, meeting, started_at, locked, layout) VALUES ('room_1', 'mtg_1', 1, false, 'auto')",
        "INSERT INTO notices (id, room, at, record) VALUES ('ntc_1', 'room_1', 1, '{}')",
    ),
    "0003": (
        "INSERT INTO endpoints (id, name, number, display_name, language, secret, created_at) VALUES"
        " ('ep_1', 'anna', '701', 'Anna', 'sv', :octets, 1), ('ep_2', 'bo', NULL, 'Bo', 'sv', :octets, 1)",
        "INSERT INTO bindings VALUES ('ep_1', 0, '<sip:anna@192.0.2.7>', '192.0.2.7', 5060, 'c1', '[]', 60, 9)",
    ),
}


@pytest.mark.parametrize("revision", ["0001", "0002", "0003", "0004", "0005", "0006"])
async def test_what_a_database_of_an_earlier_version_holds_is_all_there_in_this_one(
    database_url: str, monkeypatch: pytest.MonkeyPatch, revision: str
) -> None:
    upgrade = command.upgrade
    with monkeypatch.context() as former:
        former.setattr(command, "upgrade", lambda config, _: upgrade(config, revision))
        await migrate(database_url)
    database = Database(database_url)
    rows = [row for since, some in ROWS.items() if since <= revision for row in some]
    async with database.engine.connect() as connection:
        for row in rows:
            await connection.execute(text(row), {"octets": b"s"} if ":octets" in row else {})
        await connection.commit()
    await migrate(database_url)
    async with database.reading() as tx:
        kept = await tx.meetings.by_number("111111111")
        assert kept is not None
        assert (kept.organisation, kept.external_id) == ("", ExternalId(source="journal", value="88213"))
        assert (len(kept.participants), kept.room) == (1, "room_1")
        assert len((await tx.notices.page(RoomId("room_1"), PageRequest())).items) == 1
        known = revision >= "0003"
        assert [(one.name, one.organisation) for one in await tx.endpoints.all()] == [("anna", ""), ("bo", "")] * known
        assert [(one.endpoint, one.port) for one in await tx.endpoints.bindings()] == [("ep_1", 5060)] * known
    async with database.writing() as tx:
        if known:
            await tx.endpoints.remove(EndpointId("ep_1"))
        assert not await tx.endpoints.bindings()
    await database.close()


async def test_a_database_of_a_newer_version_is_left_alone_and_what_to_do_is_said(database_url: str) -> None:
    await migrate(database_url)
    database = Database(database_url)
    async with database.engine.connect() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        await connection.commit()
    with pytest.raises(DatabaseNewer, match="restore the backup"):
        await migrate(database_url)
    await database.close()


async def test_migrating_again_and_by_several_at_once_changes_nothing(database_url: str) -> None:
    assert await asyncio.gather(*(migrate(database_url) for _ in range(3))) == [newest()] * 3
    database = Database(database_url)
    await stored(database, meeting())
    await migrate(database_url)
    assert len(await shown(database, MeetingFilter(now=NOW))) == 1
    await database.close()


async def test_a_new_sqlite_database_waits_for_whoever_is_writing_to_it(tmp_path: Path) -> None:
    """SQLite itself says "database is locked" at once: it does not wait before it turns the write-ahead log on."""
    async with aiosqlite.connect(tmp_path / "x.db", isolation_level=None) as other:
        await other.execute("BEGIN IMMEDIATE")
        migrating = asyncio.create_task(migrate(f"sqlite+aiosqlite:///{tmp_path}/x.db"))
        await asyncio.sleep(0.5)
        assert not migrating.done()
        await other.execute("COMMIT")
        assert await migrating == newest()


async def test_sqlite_syncs_its_log_at_each_commit(tmp_path: object) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/x.db")
    async with database.engine.connect() as connection:
        for pragma, value in (("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)):
            assert (await connection.execute(text(f"PRAGMA {pragma}"))).scalar() == value
    await database.close()


async def test_a_database_that_is_not_there_is_unavailable_and_says_no_secret() -> None:
    database = Database("postgresql+asyncpg://mcu:secret-word@127.0.0.1:1/none")
    with pytest.raises(Unavailable) as error:
        async with database.reading() as tx:
            await tx.meetings.by_number("123456789")
    assert "secret-word" not in str(error.value)
    await database.close()
