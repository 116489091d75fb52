"""The WebSocket when a browser misbehaves: it alone pays."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from hall import Hall, hall, inside, until
from running_server import RunningServer

from mcu.signalling.webrtc.messages import Gone, Hand, IceRestarted, NoticeShown, Refusal, RestartIce, Roster
from mcu.signalling.webrtc.socket import BURST, MAX_MESSAGE


@asynccontextmanager
async def socket(here: Hall) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with here.api.ws_connect("/api/v1/ws") as opened:
        yield opened


async def said(opened: aiohttp.ClientWebSocketResponse) -> list[Any]:
    """All that is told until it is closed."""
    return [frame.json() async for frame in opened if frame.type is aiohttp.WSMsgType.TEXT]


@pytest.mark.parametrize(
    "first",
    [
        "",
        "{}",
        "[1]",
        '{"type":"mute","muted":true}',
        '{"type":"hello","token":"not a token"}',
        '{"type":"hello"}',
        '{"type":"hello","token":"x","silent":true}',
    ],
)
async def test_who_does_not_say_hello_with_a_token_is_told_nothing(live_server: RunningServer, first: str) -> None:
    async with hall(live_server) as here, socket(here) as opened:
        await opened.send_str(first)
        assert await asyncio.wait_for(said(opened), 5) == [{"type": "gone", "cause": "refused"}]


async def test_an_api_token_or_a_join_token_is_no_hello(live_server: RunningServer) -> None:
    async with hall(live_server) as here:
        for token in (live_server.token, here.link("Berg")):
            async with socket(here) as opened:
                await opened.send_json({"type": "hello", "token": token})
                assert await said(opened) == [{"type": "gone", "cause": "refused"}]


async def test_who_says_nothing_is_closed_after_five_seconds(live_server: RunningServer) -> None:
    async with hall(live_server) as here, socket(here) as opened:
        assert await asyncio.wait_for(said(opened), 8) == [{"type": "gone", "cause": "refused"}]


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        "null",
        '{"type":"no such thing"}',
        '{"type":"mute"}',
        '{"type":"mute","muted":"yes"}',
        '{"type":"mute","muted":true,"silent":true}',
        '{"type":"layout","layout":"spiral"}',
        '{"type":"chat","text":""}',
        '{"type":"hello","token":"again"}',
    ],
)
async def test_what_means_nothing_is_refused_and_changes_nothing(live_server: RunningServer, text: str) -> None:
    async with hall(live_server) as here:
        anna = await here.guest("Anna")
        await inside(anna)
        assert anna._socket is not None
        await anna._socket.send_str(text)
        assert (await anna.told(Refusal)).code == "invalid"
        await anna.send(Hand(raised=True))
        await anna.told(Roster, lambda roster: roster.entries[0].hand == 1)


async def test_a_flood_is_refused_and_the_others_do_not_notice(live_server: RunningServer) -> None:
    async with hall(live_server) as here:
        berg, anna = await here.host(), await here.guest("Anna")
        await inside(berg, anna)
        for number in range(int(BURST) * 10):
            await anna.send(Hand(raised=bool(number % 2)))
        assert (await anna.told(Refusal, lambda refusal: refusal.code == "too-many-requests")).text
        await berg.send(Hand(raised=True))
        await berg.told(
            Roster, lambda roster: any(one.leg == berg.leg and one.hand for one in roster.entries), within=2
        )


async def test_a_message_that_is_too_long_closes_the_socket_and_not_the_leg(live_server: RunningServer) -> None:
    async with hall(live_server) as here:
        berg, anna = await here.host(), await here.guest("Anna")
        await inside(berg, anna)
        assert anna._socket is not None
        closed = anna._socket
        await closed.send_str("x" * (MAX_MESSAGE + 1))
        await until(lambda: closed.closed)
        await asyncio.sleep(0.5)
        shown = await here.get(f"{await here.room()}/participants/{anna.leg}")
        assert shown["state"] == "in_room"
        assert (await anna.hello()).leg == anna.leg


async def test_a_restart_of_ice_is_answered_on_the_socket_and_nobody_is_told(live_server: RunningServer) -> None:
    async with hall(live_server) as here:
        berg, anna = await here.host(), await here.guest("Anna")
        await inside(berg, anna)
        assert anna.client is not None
        offer = anna.client._peer.localDescription.sdp
        told = len(berg.messages)
        await anna.send(RestartIce(offer=re.sub(r"a=ice-ufrag:\S+", "a=ice-ufrag:other", offer)))
        answer = (await anna.told(IceRestarted)).answer
        assert answer is not None
        before = anna.client._peer.remoteDescription.sdp
        assert re.findall(r"a=ice-ufrag:(\S+)", answer)[0] not in before
        assert re.findall(r"a=candidate:.*", answer) == re.findall(r"a=candidate:.*", before)
        for useless in ("hello", offer):
            after = len(anna.messages)
            await anna.send(RestartIce(offer=useless))
            assert (await anna.told(IceRestarted, after=after)).answer is None
        await asyncio.sleep(0.5)
        assert not [message for message in list(berg.messages)[told:] if isinstance(message, NoticeShown)]


async def test_a_second_socket_of_the_same_seat_closes_the_first(live_server: RunningServer) -> None:
    async with hall(live_server) as here:
        anna = await here.guest("Anna")
        await inside(anna)
        async with socket(here) as second:
            await second.send_json({"type": "hello", "token": anna.reconnect_token})
            assert (await second.receive_json())["type"] == "welcome"
            assert (await anna.told(Gone)).cause == "replaced"
