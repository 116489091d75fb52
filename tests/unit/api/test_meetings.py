"""Booking over REST, on a real server with a real SQLite database."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from booking_server import Answer, Running, running

from mcu.api.bookings import AT_A_TIME, join_token
from mcu.auth.bearer import Scope
from mcu.auth.tokens import JoinToken

MEETINGS = "/api/v1/meetings"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path, f"sqlite+aiosqlite:///{tmp_path}/mcu.db") as one:
        yield one


async def book(server: Running, **said: Any) -> Answer:
    answer = await server.ask("POST", MEETINGS, {"title": "Teammöte", **said})
    assert answer.status == 201, answer.body
    return answer


def everything_in(directory: Path) -> bytes:
    return b"".join(one.read_bytes() for one in directory.iterdir())


def where(answer: Answer) -> str:
    return f"{MEETINGS}/{answer.body['id']}"


async def test_a_booked_meeting_is_read_back_and_its_pins_are_shown_once(server: Running) -> None:
    booked = await book(
        server,
        start="2026-12-01T09:00:00+01:00",
        end="2026-12-01T09:45:00+01:00",
        time_zone="Europe/Stockholm",
        participants=[{"name": "Dr Berg", "role": "host", "phone": "+46701234567"}],
        metadata={"unit": "VC-N"},
    )
    assert len(booked.body["pins"]["host"]) == len(booked.body["pins"]["guest"]) == 6
    read = await server.ask("GET", booked.response.headers["Location"])
    assert (read.status, read.etag) == (200, '"1"')
    assert "pins" not in read.body
    assert read.body["access"]["host_pin"] == {"set": True}
    assert read.body["start"] == "2026-12-01T09:00:00+01:00"
    assert {**read.body, "pins": booked.body["pins"]} == booked.body
    assert read.body["join"]["web_url"] == f"https://mote.example/j/{read.body['join']['meeting_number']}"


async def test_a_personal_link_is_a_join_token_in_the_fragment_for_those_who_may_book(server: Running) -> None:
    booked = await book(server, participants=[{"name": "Dr Berg", "role": "host"}])
    person = booked.body["participants"][0]
    address, _, token = person["join_url"].partition("#t=")
    assert address == booked.body["join"]["web_url"]
    read = server.api.tokens.read(token, JoinToken)
    assert read == JoinToken(meeting=booked.body["id"], role="host", participant=person["id"])
    reader = await server.ask("GET", where(booked), Authorization=f"Bearer {server.token(Scope.MEETINGS_READ)}")
    assert reader.body["participants"][0]["join_url"] is None


async def test_pins_that_are_given_are_taken_and_null_means_none(server: Running) -> None:
    booked = await book(server, access={"host_pin": "482915", "guest_pin": None})
    assert booked.body["pins"] == {"host": "482915", "guest": None}
    assert booked.body["access"]["guest_pin"] == {"set": False}
    same = await server.ask("POST", MEETINGS, {"title": "x", "access": {"host_pin": "111222", "guest_pin": "111222"}})
    assert (same.status, same.body["code"]) == (422, "pins-equal")


async def test_pins_are_stored_as_hashes_only(server: Running, tmp_path: Path) -> None:
    await book(server, access={"host_pin": "83120947562", "guest_pin": "55019283746"})
    await server.ask("POST", MEETINGS, {"title": "x", "access": {"host_pin": "90817263544"}}, Idempotency_Key="k")
    disk = everything_in(tmp_path)
    assert "Teammöte".encode() in disk
    for pin in (b"83120947562", b"55019283746", b"90817263544"):
        assert pin not in disk


async def test_rotating_gives_new_pins_and_the_old_hash_goes(server: Running) -> None:
    booked = await book(server)
    rotated = await server.ask("POST", f"{where(booked)}/pins/rotate", {"pins": ["guest"]})
    assert rotated.body["pins"]["host"] is None
    assert rotated.body["pins"]["guest"] not in (None, booked.body["pins"]["guest"])
    assert rotated.etag == '"2"'


async def test_a_change_needs_the_version_that_was_read(server: Running) -> None:
    booked = await book(server)
    for method, body in (("PATCH", {"title": "Nytt"}), ("DELETE", None)):
        assert (await server.ask(method, where(booked), body)).status == 428
        assert (await server.ask(method, where(booked), body, If_Match='"7"')).status == 412
        assert (await server.ask(method, where(booked), body, If_Match='W/"1"')).status == 412
    assert (await server.ask("GET", where(booked))).body["title"] == "Teammöte"


async def test_two_who_change_the_same_version_do_not_overwrite_each_other(server: Running) -> None:
    booked = await book(server)
    both = await asyncio.gather(
        *(server.ask("PATCH", where(booked), {"title": f"Nytt {i}"}, If_Match=booked.etag) for i in range(8))
    )
    assert sorted(one.status for one in both) == [200] + [412] * 7


async def test_a_merge_patch_changes_what_it_names_and_null_removes(server: Running) -> None:
    booked = await book(
        server,
        language="en",
        start="2026-12-01T09:00:00Z",
        end="2026-12-01T10:00:00Z",
        organizer={"name": "VC", "email": "a@b.example"},
        metadata={"keep": "1", "drop": "2"},
        access={"wait_for_host": True, "lobby": {"scope": "guests"}},
    )
    changed = await server.ask(
        "PATCH",
        where(booked),
        {
            "language": None,
            "end": "2026-12-01T11:00:00Z",
            "organizer": {"email": None},
            "metadata": {"drop": None, "new": "3"},
            "access": {"locked": True, "guest_pin": None},
        },
        If_Match=booked.etag,
    )
    assert changed.status == 200, changed.body
    assert changed.body["language"] == "sv"
    assert changed.body["end"] == "2026-12-01T11:00:00Z"
    assert changed.body["organizer"] == {"name": "VC", "email": None}
    assert changed.body["metadata"] == {"keep": "1", "new": "3"}
    access = changed.body["access"]
    assert (access["wait_for_host"], access["locked"], access["lobby"]) == (True, True, {"scope": "guests"})
    assert access["host_pin"] == {"set": True}
    assert access["guest_pin"] == {"set": False}
    standing = await server.ask("PATCH", where(booked), {"start": None, "end": None}, If_Match=changed.etag)
    assert standing.body["start"] is None


@pytest.mark.parametrize(
    ("patch", "pointer"),
    [
        ({"title": None}, "/title"),
        ({"guest_pinn": "123456"}, "/guest_pinn"),
        ({"start": None}, ""),
        ({"end": "2020-01-01T00:00:00Z"}, ""),
        ({"time_zone": "Mars/Olympus"}, "/time_zone"),
        ({"access": {"max_participants": 0}}, "/access/max_participants"),
    ],
)
async def test_a_patch_that_makes_no_meeting_changes_nothing(
    server: Running, patch: dict[str, Any], pointer: str
) -> None:
    booked = await book(server, start="2026-12-01T09:00:00Z", end="2026-12-01T10:00:00Z")
    answer = await server.ask("PATCH", where(booked), patch, If_Match=booked.etag)
    assert answer.status == 422
    assert [one["pointer"] for one in answer.body["errors"]] == [pointer]
    assert (await server.ask("GET", where(booked))).etag == booked.etag


async def test_a_cancelled_meeting_is_still_read_and_not_changed_any_more(server: Running) -> None:
    booked = await book(server, participants=[{"name": "Dr Berg"}])
    cancelled = await server.ask("DELETE", where(booked), If_Match=booked.etag)
    assert (cancelled.status, cancelled.body["state"], cancelled.etag) == (200, "cancelled", '"2"')
    assert (await server.ask("GET", where(booked))).body["state"] == "cancelled"
    again = await server.ask("DELETE", where(booked), If_Match=cancelled.etag)
    assert (again.status, again.etag) == (200, '"2"')
    person = f"{where(booked)}/participants/{booked.body['participants'][0]['id']}"
    for method, path, body in (
        ("PATCH", where(booked), {"title": "Nytt"}),
        ("POST", f"{where(booked)}/pins/rotate", {}),
        ("POST", f"{where(booked)}/participants", {"name": "Ny"}),
        ("POST", f"{person}/join-tokens", {}),
        ("PATCH", person, {"name": "Ny"}),
    ):
        answer = await server.ask(method, path, body, If_Match="*")
        assert (answer.status, answer.body["code"]) == (409, "meeting-cancelled"), path


async def test_whoever_runs_rooms_hears_of_each_change_after_it_is_made(server: Running) -> None:
    booked = await book(server)
    assert server.heard.meetings == []
    locked = await server.ask("PATCH", where(booked), {"access": {"locked": True}}, If_Match=booked.etag)
    await server.ask("PATCH", where(booked), {"title": ""}, If_Match=locked.etag)
    await server.ask("DELETE", where(booked), If_Match=locked.etag)
    assert [(one.version, one.access.locked, bool(one.cancelled_at)) for one in server.heard.meetings] == [
        (2, True, False),
        (3, True, True),
    ]


async def test_put_by_own_id_books_once_and_replaces_with_the_version(server: Running) -> None:
    path = f"{MEETINGS}/by-external-id/region-x/88213"
    body = {"title": "Möte", "participants": [{"name": "A", "external_id": "hsa:1"}, {"name": "B"}]}
    first = await server.ask("PUT", path, body)
    assert first.status == 201
    again = await server.ask("PUT", path, body)
    assert (again.status, again.etag, again.body["pins"]) == (200, first.etag, {"host": None, "guest": None})
    assert again.body["participants"] == first.body["participants"]
    other = {"title": "Nytt", "participants": [{"name": "A2", "external_id": "hsa:1"}, {"name": "B"}, {"name": "C"}]}
    assert (await server.ask("PUT", path, other)).status == 428
    replaced = await server.ask("PUT", path, other, If_Match=first.etag)
    assert (replaced.status, replaced.body["title"], replaced.etag) == (200, "Nytt", '"2"')
    ids = [one["id"] for one in replaced.body["participants"]]
    assert ids[:2] == [one["id"] for one in first.body["participants"]]
    assert replaced.body["access"]["host_pin"] == {"set": True}
    assert (await server.ask("GET", path)).body == {key: value for key, value in replaced.body.items() if key != "pins"}
    assert (await server.ask("PUT", f"{MEETINGS}/by-external-id/region-x/1", body, If_Match='"1"')).status == 412
    assert (await server.ask("GET", f"{MEETINGS}/by-external-id/region-x/1")).status == 404


async def test_an_external_id_is_one_meeting_only(server: Running) -> None:
    await book(server, external_id={"source": "a", "value": "1"})
    answer = await server.ask("POST", MEETINGS, {"title": "x", "external_id": {"source": "a", "value": "1"}})
    assert (answer.status, answer.body["code"]) == (409, "taken")


async def test_lists_are_filtered_and_paged(server: Running) -> None:
    booked = [await book(server, title=f"M{i}", external_id={"source": "a", "value": str(i)}) for i in range(5)]
    seen: list[str] = []
    token = ""
    while True:
        page = await server.ask("GET", f"{MEETINGS}?page_size=2{token}")
        seen += [one["id"] for one in page.body["items"]]
        if page.body["next_page_token"] is None:
            break
        token = f"&page_token={page.body['next_page_token']}"
    assert sorted(seen) == sorted(one.body["id"] for one in booked)
    found = await server.ask("GET", f"{MEETINGS}?external_id=a/3")
    assert [one["title"] for one in found.body["items"]] == ["M3"]
    assert (await server.ask("GET", f"{MEETINGS}?state=cancelled")).body["items"] == []
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    assert (await server.ask("GET", f"{MEETINGS}?updated_since={later}")).body["items"] == []


@pytest.mark.parametrize(
    "query", ["page_size=0", "page_size=201", "page_token=x", "page_token=", "from=yesterday", "sort=a", "state=a",
              "page_size=1&page_size=2", "external_id=a"]
)  # fmt: skip
async def test_a_query_that_means_nothing_is_refused(server: Running, query: str) -> None:
    answer = await server.ask("GET", f"{MEETINGS}?{query}")
    assert (answer.status, answer.body["code"]) == (422, "invalid")


async def test_a_participant_is_booked_to_be_called_and_may_be_booked_otherwise(server: Running) -> None:
    booked = await book(server)
    whom = {"name": "Rum 2", "join": {"kind": "dial_out", "when": "at_start", "uri": "sip:rum2@far.example"}}
    added = await server.ask("POST", f"{where(booked)}/participants", whom)
    path = added.response.headers["Location"]
    assert (await server.ask("GET", path)).body["join"] == whom["join"]
    patch = {"join": {"uri": None}}  # then there is nothing to call
    assert (await server.ask("PATCH", path, patch, If_Match='"1"')).status == 422
    changed = await server.ask("PATCH", path, {**patch, "phone": "+46701740605"}, If_Match='"1"')
    assert changed.body["join"] == {"kind": "dial_out", "when": "at_start", "uri": None}
    again = await server.ask("PATCH", path, {"join": None}, If_Match='"2"')
    assert again.body["join"] == {"kind": "link", "when": None, "uri": None}


async def test_participants_are_booked_changed_and_withdrawn(server: Running) -> None:
    booked = await book(server)
    added = await server.ask("POST", f"{where(booked)}/participants", {"name": "Åsa", "role": "host"})
    assert (added.status, added.etag) == (201, '"1"')
    path = added.response.headers["Location"]
    assert (await server.ask("GET", path)).body == added.body
    assert (await server.ask("GET", where(booked))).etag == '"2"'
    assert (await server.ask("PATCH", path, {"role": "guest"})).status == 428
    changed = await server.ask("PATCH", path, {"role": "guest", "email": "a@b.example"}, If_Match='"1"')
    assert (changed.body["role"], changed.body["name"], changed.etag) == ("guest", "Åsa", '"2"')
    assert (await server.ask("PATCH", path, {"name": None}, If_Match='"2"')).status == 422
    listed = await server.ask("GET", f"{where(booked)}/participants")
    assert listed.body == {"items": [changed.body], "next_page_token": None}
    assert (await server.ask("DELETE", path, If_Match='"1"')).status == 412
    assert (await server.ask("DELETE", path, If_Match='"2"')).status == 204
    assert (await server.ask("GET", path)).status == 404


async def test_a_join_token_is_short_lived_and_personal(server: Running) -> None:
    booked = await book(server, participants=[{"name": "Åsa", "role": "host"}])
    person = booked.body["participants"][0]["id"]
    made = await server.ask("POST", f"{where(booked)}/participants/{person}/join-tokens", {"expires_in_seconds": 60})
    assert made.status == 201
    assert made.body["join_url"].endswith(f"#t={made.body['token']}")
    assert server.api.tokens.read(made.body["token"], JoinToken).participant == person
    ends = datetime.fromisoformat(made.body["expires_at"])
    assert timedelta(seconds=50) < ends - datetime.now(UTC) <= timedelta(seconds=60)


async def test_a_meeting_says_by_which_numbers_and_address_a_telephone_reaches_it(server: Running) -> None:
    join = (await book(server)).body["join"]
    assert join["sip_uri"] == f"sip:{join['meeting_number']}@mote.example"
    assert join["phone"] == [{"number": "+46812345678", "country": "SE", "language": "sv", "label": "Stockholm"}]


async def test_a_personal_pin_is_shown_once_and_never_again(server: Running) -> None:
    booked = await book(server, participants=[{"name": "Åsa", "role": "host"}, {"name": "Bo"}])
    person, other = (f"{where(booked)}/participants/{one['id']}" for one in booked.body["participants"])
    assert (await server.ask("GET", person)).body["pin"] == {"set": False}
    made = await server.ask("PUT", f"{person}/pin", {})
    assert (made.status, len(made.body["pin"])) == (200, 8)
    shown = await server.ask("GET", person)
    assert (shown.body["pin"], shown.body["version"]) == ({"set": True}, 2)
    assert made.body["pin"] not in str((await server.ask("GET", where(booked))).body)
    assert (await server.ask("PUT", f"{other}/pin", {"pin": made.body["pin"]})).body["code"] == "pins-equal"
    assert (await server.ask("PUT", f"{other}/pin", {"pin": "123456"})).status == 422  # too short for one of many
    assert (await server.ask("PUT", f"{other}/pin", {"pin": "24680246"})).body == {"pin": "24680246"}
    kept = await server.ask("PATCH", other, {"name": "Bo Ek"}, If_Match="*")
    assert kept.body["pin"] == {"set": True}
    assert (await server.ask("DELETE", f"{other}/pin")).status == 204
    assert (await server.ask("GET", other)).body["pin"] == {"set": False}


async def test_others_are_served_while_the_links_of_a_full_meeting_are_signed(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    booked = await book(server, participants=[{"name": f"P{i}"} for i in range(200)])
    rounds = 0

    async def go_round() -> None:
        nonlocal rounds
        while True:
            rounds += 1
            await asyncio.sleep(0)

    signed_in: Counter[int] = Counter()

    def sign(*what: Any) -> str:
        signed_in[rounds] += 1
        return join_token(*what)

    monkeypatch.setattr("mcu.api.bookings.join_token", sign)
    task = asyncio.create_task(go_round())
    full = await server.ask("GET", where(booked))
    task.cancel()
    assert len({one["join_url"] for one in full.body["participants"]}) == signed_in.total() == 200
    assert max(signed_in.values()) <= AT_A_TIME


async def test_a_list_shows_how_many_are_booked_and_not_who(server: Running) -> None:
    await book(server, participants=[{"name": "A"}, {"name": "B"}])
    (listed,) = (await server.ask("GET", MEETINGS)).body["items"]
    assert listed["participant_count"] == 2
    assert "participants" not in listed


class Integrator:
    """Of one organisation."""

    def __init__(self, server: Running, organisation: str) -> None:
        token = server.token(Scope.MEETINGS_WRITE, organisation=organisation)
        self._server, self._with = server, {"Authorization": f"Bearer {token}"}

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        return await self._server.ask(method, path, body, **self._with, **headers)


@pytest.fixture
async def shared(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path, f"sqlite+aiosqlite:///{tmp_path}/mcu.db", organisations=("norr", "syd")) as one:
        yield one


async def test_what_an_organisation_books_no_other_sees_or_changes(shared: Running) -> None:
    norr, syd = Integrator(shared, "norr"), Integrator(shared, "syd")
    booked = await norr.ask("POST", MEETINGS, {"title": "Rond", "participants": [{"name": "Dr Berg"}]})
    assert booked.body["organisation"] == "norr"
    path = where(booked)
    person = f"{path}/participants/{booked.body['participants'][0]['id']}"
    tried = [
        await syd.ask("GET", path),
        await syd.ask("PATCH", path, {"title": "x"}, If_Match="*"),
        await syd.ask("DELETE", path, If_Match="*"),
        await syd.ask("POST", f"{path}/pins/rotate", {"pins": ["host"]}),
        await syd.ask("GET", f"{path}/participants"),
        await syd.ask("POST", f"{path}/participants", {"name": "Eva"}),
        await syd.ask("GET", person),
        await syd.ask("PATCH", person, {"name": "x"}, If_Match="*"),
        await syd.ask("DELETE", person, If_Match="*"),
        await syd.ask("PUT", f"{person}/pin", {}),
        await syd.ask("POST", f"{person}/join-tokens", {}),
    ]
    assert [one.status for one in tried] == [404] * len(tried), [one.body for one in tried]
    assert (await syd.ask("GET", MEETINGS)).body["items"] == []
    assert [one["id"] for one in (await norr.ask("GET", MEETINGS)).body["items"]] == [booked.body["id"]]
    assert (await shared.ask("GET", path)).body["title"] == "Rond"  # the operator sees all


async def test_each_organisation_has_external_ids_and_idempotency_keys_of_its_own(shared: Running) -> None:
    path = f"{MEETINGS}/by-external-id/journal/1"
    mine = [(who, Integrator(shared, who)) for who in ("norr", "syd")]
    booked = [await one.ask("PUT", path, {"title": who}, Idempotency_Key="k") for who, one in mine]
    assert [(one.status, one.body["title"]) for one in booked] == [(201, "norr"), (201, "syd")]
    read = [await one.ask("GET", path) for _, one in mine]
    assert [(one.body["title"], one.body["external_id"]["source"]) for one in read] == [
        ("norr", "journal"),
        ("syd", "journal"),
    ]
    listed = [await one.ask("GET", f"{MEETINGS}?external_id=journal/1") for _, one in mine]
    assert [[item["title"] for item in one.body["items"]] for one in listed] == [["norr"], ["syd"]]
    assert (await shared.ask("GET", path)).status == 404  # the operator's own, of which there is none
