"""The check before a meeting: a connection to no room, by each way, for anybody, and not without end."""

import re
import time
from collections.abc import Iterator

import aiohttp
import pytest
from running_server import RunningServer, running_server

from mcu.conference.checks import CHECK
from mcu.demo.client import MeetingClient
from mcu.media.probe import PROBE_S

CHECK_URL = "/api/v1/network-check"
TURN = {"turn__urls": "turn:turn.example?transport=udp,turns:turn.example:443", "turn__secret": "shared-with-the-relay"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("check"), **TURN) as running:
        yield running


async def offered(api: aiohttp.ClientSession, client: MeetingClient) -> str:
    """Connects `client` by a check; the answer."""
    answers = []

    async def exchange(offer: str) -> str:
        async with api.post(CHECK_URL, data=offer, headers={"Content-Type": "application/sdp"}) as answer:
            assert (answer.status, answer.content_type) == (200, "application/sdp")
            answers.append(await answer.text())
        return answers[0]

    await client.connect(exchange)
    return answers[0]


async def test_a_check_connects_to_nobody_and_ends_by_itself(server: RunningServer) -> None:
    client = MeetingClient(codecs=())
    async with aiohttp.ClientSession(server.base_url) as api:
        answer = await offered(api, client)
        began = time.monotonic()
        assert set(re.findall(r"a=candidate:\w+ 1 (\w+) ", answer)) == {"udp", "tcp", "ssltcp"}
        async with api.get("/api/v1/rooms", headers={"Authorization": f"Bearer {server.token}"}) as rooms:
            assert (await rooms.json())["items"] == []
        await client.ended()
    assert PROBE_S - 1 < time.monotonic() - began < PROBE_S + 3
    assert client.packets_received() == 0
    await client.close()


async def test_a_check_is_told_of_relays_with_credentials_for_minutes(server: RunningServer) -> None:
    async with aiohttp.ClientSession(server.base_url) as api, api.get(CHECK_URL) as answer:
        (relay,) = (await answer.json())["ice_servers"]
    assert relay["urls"] == TURN["turn__urls"].split(",")
    assert 200 < int(relay["username"].partition(":")[0]) - time.time() <= 300
    assert TURN["turn__secret"] not in server.log_path.read_text() + str(relay)


async def test_whoever_joins_is_told_of_relays_for_the_whole_meeting(server: RunningServer) -> None:
    rights = {"Authorization": f"Bearer {server.token}"}
    meeting = {"title": "Möte", "access": {"guest_pin": None}}
    async with aiohttp.ClientSession(server.base_url) as api:
        async with api.post("/api/v1/meetings", json=meeting, headers=rights) as booked:
            number = (await booked.json())["join"]["meeting_number"]
        async with api.post(f"/api/v1/join/{number}", json={"name": "Anna"}) as joined:
            (relay,) = (await joined.json())["ice_servers"]
    assert 86_000 < int(relay["username"].partition(":")[0]) - time.time() <= 86_400


async def test_what_is_no_offer_is_refused_and_checks_without_end_are_slowed(server: RunningServer) -> None:
    async with aiohttp.ClientSession(server.base_url) as api:
        async with api.post(CHECK_URL, data="v=0", headers={"Content-Type": "application/sdp"}) as answer:
            assert answer.status == 422
        statuses = []
        for _ in range(CHECK.amount + 50):
            async with api.get(CHECK_URL) as answer:
                statuses.append(answer.status)
                if answer.status == 429:
                    assert int(answer.headers["Retry-After"]) >= 1
                    assert (await answer.json(content_type=None))["code"] == "too-many-requests"
                    break
        assert statuses[-1] == 429
        assert len(statuses) > CHECK.amount / 2
