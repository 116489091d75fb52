"""A meeting that runs: a real server, its media workers, and people on real WebRTC clients."""

import asyncio
import re
from collections import defaultdict

import pytest
from hall import chimes, client, hall, hum, inside, line, loudness, state, texts, until, until_answer
from running_server import RunningServer

from mcu.demo.guest import JoinError
from mcu.media.life import LegState
from mcu.media.messages import Layout, NoticeKind
from mcu.signalling.webrtc.messages import (
    Admit,
    Chat,
    ChooseLayout,
    EndRoom,
    Gone,
    Hand,
    Hold,
    Lobby,
    Lock,
    Mute,
    MuteGuests,
    NoticeShown,
    Refusal,
    Remove,
    RoomState,
    Say,
)

S, K = LegState, NoticeKind


@pytest.mark.policy("S5.3-1", "S5.3-7")
async def test_the_others_are_told_by_sound_and_in_words_of_who_comes_and_who_leaves(
    live_server: RunningServer,
) -> None:
    async with hall(live_server) as here:
        berg, anna = await here.host(), await here.guest("Anna")
        await inside(berg, anna)
        bo = await here.guest("Bo")
        await inside(bo)
        assert texts(berg)[-2:] == ["Anna gick med", "Bo gick med"]
        assert texts(anna)[-1] == "Bo gick med"
        assert texts(bo) == []
        await bo.leave()
        await until(lambda: texts(berg)[-1:] == ["Bo lämnade"])
        await until_answer(lambda: settled(here.outcomes(K.LEFT, bo)))
        assert await here.outcomes(K.JOINED, bo) == [{"Berg": "received", "Anna": "received"}]
        assert await here.outcomes(K.LEFT, bo) == [{"Berg": "received", "Anna": "received"}]
        assert anna.client is not None
        assert (chimes(anna.client.heard(), K.JOINED), chimes(anna.client.heard(), K.LEFT)) == (2, 1)  # her own too


async def settled(outcomes: "asyncio.Future[list[dict[str, str]]] | object") -> bool:
    found = await outcomes  # type: ignore[misc]
    return bool(found) and not any(one in ("pending", "sent") for notice in found for one in notice.values())


async def test_a_guest_in_the_lobby_hears_nothing_and_comes_in_when_a_host_lets_them(
    live_server: RunningServer,
) -> None:
    async with hall(live_server, lobby={"scope": "guests"}) as here:
        berg = await here.host(sound=hum(440))
        anna = await here.guest("Anna")
        await inside(berg)
        assert (await anna.told(Lobby)).reason in ("host", "admission")
        await until(lambda: state(anna) is S.WAITING and state(berg, anna.leg) is S.WAITING)
        assert line(anna, berg.leg) is None  # she is not told who is there
        await asyncio.sleep(0.5)
        assert anna.client is not None
        assert loudness(anna.client.heard(), 440, 0.4) == 0.0
        await berg.send(Admit(leg=anna.leg))
        await inside(anna)
        await until(lambda: loudness(anna.client.heard(), 440, 0.4) > 0.5)


async def test_guests_wait_for_the_host_and_come_in_when_there_is_one(live_server: RunningServer) -> None:
    async with hall(live_server, wait_for_host=True) as here:
        anna = await here.guest("Anna")
        assert (await anna.told(Lobby)).reason == "host"
        berg = await here.host()
        await inside(berg, anna)


async def test_a_host_turns_off_a_microphone_that_only_its_owner_turns_on_again(live_server: RunningServer) -> None:
    async with hall(live_server) as here:
        berg, anna = await here.host(), await here.guest("Anna", sound=hum(880))
        await inside(berg, anna)
        ears = berg.client
        assert ears is not None
        await until(lambda: loudness(ears.heard(), 880, 0.4) > 0.5)
        await berg.send(Mute(muted=True, leg=anna.leg))
        await until(lambda: line(anna, anna.leg).muted)
        await until(lambda: loudness(ears.heard(), 880, 0.4) == 0.0)
        await berg.send(Mute(muted=False, leg=anna.leg))
        assert (await berg.told(Refusal)).code == "that-person-only"
        await here.patch(f"{await here.room()}/participants/{anna.leg}", 403, muted=False)
        await anna.send(Mute(muted=False))
        await until(lambda: loudness(ears.heard(), 880, 0.4) > 0.5)


async def test_who_is_sent_away_is_told_and_does_not_come_back_into_the_seat(live_server: RunningServer) -> None:
    async with hall(live_server) as here:
        berg, anna = await here.host(), await here.guest("Anna")
        await inside(berg, anna)
        await berg.send(Remove(leg=anna.leg))
        assert (await anna.told(Gone)).cause == "removed"
        await until(lambda: texts(berg)[-1:] == ["Anna lämnade"])
        with pytest.raises(JoinError) as refused:
            await anna.sit(client())
        assert refused.value.status == 401


async def test_a_locked_room_takes_hosts_and_refuses_guests(live_server: RunningServer) -> None:
    async with hall(live_server) as here:
        berg = await here.host()
        await inside(berg)
        await berg.send(Lock(locked=True))
        await berg.told(RoomState, lambda room: room.locked)
        with pytest.raises(JoinError) as refused:
            await here.guest("Anna")
        assert (refused.value.status, refused.value.problem["code"]) == (403, "meeting-locked")
        await inside(await here.host("Ek"))
        await berg.send(Lock(locked=False))
        await berg.told(RoomState, lambda room: not room.locked, after=len(berg.messages) - 1)
        await inside(await here.guest("Anna"))


async def test_a_full_meeting_takes_nobody_more(live_server: RunningServer) -> None:
    async with hall(live_server, max_participants=2) as here:
        await inside(await here.host(), await here.guest("Anna"))
        with pytest.raises(JoinError) as refused:
            await here.guest("Bo")
        assert (refused.value.status, refused.value.problem["code"]) == (409, "meeting-full")


async def test_a_host_ends_the_meeting_for_everybody(live_server: RunningServer) -> None:
    async with hall(live_server) as here:
        berg, anna = await here.host(), await here.guest("Anna")
        await inside(berg, anna)
        room = await here.room()
        await anna.send(EndRoom())
        assert (await anna.told(Refusal)).code == "hosts-only"
        await berg.send(EndRoom())
        for person in (berg, anna):
            assert (await person.told(Gone)).cause == "ended"
        async with here.api.get(room) as answer:
            assert answer.status == 404
        async with here.api.get(f"{room}/notices") as answer:  # what was told is kept
            assert (answer.status, len((await answer.json())["items"])) == (200, 2)


async def test_a_meeting_is_steered_over_rest(live_server: RunningServer) -> None:
    async with hall(live_server, lobby={"scope": "guests"}) as here:
        berg, anna = await here.host(), await here.guest("Anna")
        await inside(berg)
        room = await here.room()
        seat = f"{room}/participants/{anna.leg}"
        await until(lambda: state(anna) is S.WAITING)
        assert (await here.get(room))["waiting"] == 1
        assert (await here.patch(seat, admitted=True))["state"] in ("waiting", "announcing")
        await inside(anna)
        shown = await here.patch(seat, muted=True, role="host", spotlight=True, layout="grid")
        assert (shown["muted"], shown["role"], shown["spotlight"], shown["layout"]) == (True, "host", True, "grid")
        assert (await here.patch(room, locked=True, layout="speaker"))["locked"]
        told = await anna.told(RoomState, lambda state: state.layout is Layout.SPEAKER)
        assert (told.locked, told.spotlight) == (True, anna.leg)
        await here.patch(room, 422, locked="yes")
        await here.patch(room, 422, silent=True)
        media = await here.get(f"{seat}/media")
        assert media["srtp_profile"].startswith("SRTP_AEAD")
        assert media["line"] is None  # it gets no pictures
        assert [stream["codec"] for stream in media["receiving"]] == ["opus"]
        assert media["receiving"][0]["packets"] > 0
        async with here.api.delete(seat) as answer:
            assert answer.status == 204
        assert (await anna.told(Gone)).cause == "removed"
        async with here.api.post(f"{room}/end") as answer:
            assert answer.status == 204
        assert (await berg.told(Gone)).cause == "ended"


async def test_rooms_are_not_seen_or_steered_without_the_right_to(live_server: RunningServer) -> None:
    async with hall(live_server) as here:
        anna = await here.guest("Anna")
        room = await here.room()
        assert anna.joined is not None
        for token, status in (("", 401), (anna.joined.session_token, 401)):
            async with here.api.get(room, headers={"Authorization": f"Bearer {token}"}) as answer:
                assert answer.status == status


async def test_hands_keep_their_order_and_chat_reaches_those_inside(live_server: RunningServer) -> None:
    async with hall(live_server) as here:
        berg, anna, bo = await here.host(), await here.guest("Anna"), await here.guest("Bo")
        await inside(berg, anna, bo)
        await bo.send(Hand(raised=True))
        await until(lambda: line(berg, bo.leg).hand == 1)
        await anna.send(Hand(raised=True))
        await until(lambda: line(berg, anna.leg).hand == 2)
        await berg.send(Hand(raised=False, leg=bo.leg))
        await until(lambda: line(berg, anna.leg).hand == 1)
        await bo.send(Say(text="hej på er"))
        assert (await anna.told(Chat)).text == "hej på er"
        cia = await here.guest("Cia")
        await inside(cia)
        assert not [message for message in cia.messages if isinstance(message, Chat)]


@pytest.mark.policy("S5.3-6")
async def test_who_was_on_hold_is_told_what_was_missed_before_hearing_the_room(live_server: RunningServer) -> None:
    async with hall(live_server) as here:
        berg, anna = await here.host(), await here.guest("Anna")
        await inside(berg, anna)
        await anna.send(Hold(held=True))
        await until(lambda: state(berg, anna.leg) is S.HELD)
        bo = await here.guest("Bo")
        await inside(bo)
        cia = await here.guest("Cia")
        await inside(cia)
        await bo.leave()
        await until(lambda: texts(berg)[-1:] == ["Bo lämnade"])
        shown = await berg.told(NoticeShown, lambda notice: bool(notice.untold))
        assert {(one.name, one.outcome) for one in shown.untold} == {("Anna", "not_sent")}
        await anna.send(Hold(held=False))
        await inside(anna)
        summary = await anna.told(NoticeShown, lambda notice: notice.kind is K.MISSED)
        assert summary.text == "Medan du var borta: två gick med, en lämnade"
        assert anna.client is not None
        assert chimes(anna.client.heard(), K.MISSED) == 1


@pytest.mark.policy("S5.3-8")
async def test_who_lost_the_network_comes_back_into_the_same_seat_and_is_announced(live_server: RunningServer) -> None:
    async with hall(live_server) as here:
        berg, anna = await here.host(), await here.guest("Anna")
        await inside(berg, anna)
        before = anna.leg
        first, second = anna.client, client()
        assert first is not None
        first.vanish()
        await anna.come_back(second)
        await until(lambda: texts(berg)[-1:] == ["Anna är tillbaka"])
        await inside(anna)
        assert anna.leg == before
        assert [entry["id"] for entry in (await here.get(f"{await here.room()}/participants"))["items"]] == [
            berg.leg,
            anna.leg,
        ]
        await first.close()


async def test_a_personal_link_in_a_second_window_takes_the_seat_from_the_first(live_server: RunningServer) -> None:
    async with hall(live_server) as here:
        first, second = await here.host(), here.stranger()
        await inside(first)
        await second.join(here.number, "Berg", client(), token=here.link("Berg"))
        assert (await first.told(Gone)).cause == "replaced"
        await inside(second)
        assert (first.leg, second.joined.role) == (second.leg, "host")


@pytest.mark.policy("S5.3-3")
async def test_after_everything_that_can_be_asked_a_newcomer_is_heard_by_all(live_server: RunningServer) -> None:
    """A sample, with real sound, of what `test_no_silence.py` tries in full."""
    async with hall(live_server) as here:
        berg, anna = await here.host(), await here.guest("Anna")
        await inside(berg, anna)
        room = await here.room()
        for message in (
            Mute(muted=True),
            Hand(raised=True),
            ChooseLayout(layout=Layout.GRID),
            ChooseLayout(layout=Layout.SPEAKER, room=True),
            MuteGuests(),
            Say(text="tyst"),
        ):
            await berg.send(message)
            await anna.send(message)
        await here.patch(room, layout="grid", mute_guests=True, spotlight=anna.leg)
        await here.patch(f"{room}/participants/{anna.leg}", role="host", muted=True, layout="speaker", hand=False)
        bo = await here.enter("Bo", language="en")
        await inside(bo)
        await here.patch(f"{room}/participants/{bo.leg}", role="host")
        async with here.api.delete(f"{room}/participants/{bo.leg}"):
            pass
        await until(lambda: texts(anna)[-1:] == ["Bo lämnade"] and texts(berg)[-1:] == ["Bo lämnade"])
        await until_answer(lambda: settled(here.outcomes(K.LEFT, bo)))
        for kind in (K.JOINED, K.LEFT):
            assert await here.outcomes(kind, bo) == [{"Berg": "received", "Anna": "received"}]
        for person, joins in ((berg, 3), (anna, 2)):  # each hears its own, too
            assert person.client is not None
            heard = person.client.heard()
            assert (chimes(heard, K.JOINED), chimes(heard, K.LEFT)) == (joins, 1)


async def test_what_goes_over_the_network_is_shown_of_a_seat_and_of_a_worker(live_server: RunningServer) -> None:
    async with hall(live_server) as here:
        berg, anna = await here.host(), await here.guest("Anna")
        await inside(berg, anna)
        await asyncio.sleep(3)  # a report each way, and the worker's
        media = await here.get(f"{await here.room()}/participants/{anna.leg}/media")
        received, sent = media["receiving"][0], media["sending"][0]
        assert min(received["packets"], sent["packets"]) > 100
        assert 0 < received["delay_ms"] < 500
        assert media["rtt_ms"] is not None
        counted = defaultdict[str, float](float)  # of all workers

        async def all_shown() -> bool:
            text = await asyncio.to_thread(live_server.metrics)
            counted.clear()
            for line in text.splitlines():
                if line.startswith("mcu_"):
                    counted[re.sub(r',?worker="[^"]*"', "", line.rpartition(" ")[0])] += float(line.rpartition(" ")[2])
            return all(counted[f'mcu_network_packets_total{{direction="{way}"}}'] > 200 for way in ("in", "out"))

        await until_answer(all_shown)
        assert counted['mcu_network_bytes_total{direction="in"}'] > 10_000
        assert counted["mcu_rtt_seconds{}"] > 0
        assert counted["mcu_audio_encodes_total{}"] > 100
