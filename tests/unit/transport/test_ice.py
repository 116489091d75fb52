"""The door of a leg: bounds on what waits and who is known, and what becomes of an address that is not ours."""

import asyncio
import socket
from collections import Counter
from pathlib import Path

import pytest
from aioice import stun
from rtc import Ear, until

from mcu.clock import SystemClock
from mcu.errors import Unavailable
from mcu.media.transport import ice
from mcu.media.transport.drops import Drops
from mcu.media.transport.ice import ADDRESSES_MAX, RECORDS_MAX, Agent, Records
from mcu.media.transport.webrtc import WebRtcTransports

OFFER = (Path(__file__).parents[2] / "wire" / "chromium-156.sdp").read_text()


def agent_for(*addresses: str) -> Agent:
    agent = Agent(addresses, Drops(Counter()), SystemClock())
    agent.remote_username, agent.remote_password = "them", "p" * 22
    return agent


def check(agent: Agent, password: str) -> bytes:
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    request.attributes["USERNAME"] = f"{agent.local_username}:them"
    request.attributes["PRIORITY"] = 1
    request.attributes["ICE-CONTROLLING"] = 7
    request.add_message_integrity(password.encode())
    return bytes(request)


async def test_handshake_datagrams_wait_in_a_bounded_queue_and_end_with_the_leg() -> None:
    drop = Drops(Counter())
    records = Records(drop)
    for number in range(RECORDS_MAX + 5):
        records.put(bytes([number]))
    assert drop.leg["dtls_backlog"] == 5
    assert await records.get() == b"\x00"
    records.end()
    rest = [await records.get() for _ in range(RECORDS_MAX - 1)]
    assert rest == [bytes([number]) for number in range(1, RECORDS_MAX)]
    with pytest.raises(ConnectionError):
        await records.get()


async def test_the_ends_mark_finds_room_in_a_full_queue() -> None:
    records = Records(Drops(Counter()))
    for _ in range(RECORDS_MAX):
        records.put(b"x")
    records.end()


async def test_only_who_knows_the_password_becomes_known() -> None:
    agent = agent_for("127.0.0.1")
    await agent.gather_candidates()
    connecting = asyncio.create_task(agent.connect())
    await asyncio.sleep(0)
    to = ("127.0.0.1", agent.local_candidates[0].port)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as liar,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as leg,
    ):
        liar.sendto(check(agent, "wrong" * 5), to)
        leg.sendto(check(agent, agent.local_password), to)
        await until(lambda: agent.checked, 2)
        await asyncio.sleep(0.05)
        assert list(agent.checked) == [("127.0.0.1", leg.getsockname()[1])]
    await agent.close()
    with pytest.raises(ConnectionError):
        await connecting


async def test_a_leg_with_many_addresses_keeps_the_newest() -> None:
    agent = agent_for("127.0.0.1")
    await agent.gather_candidates()
    connecting = asyncio.create_task(agent.connect())
    await asyncio.sleep(0)
    door = agent._protocols[0]
    for port in range(1, ADDRESSES_MAX + 20):
        door.datagram_received(check(agent, agent.local_password), ("127.0.0.1", port))
    assert list(agent.checked) == [("127.0.0.1", port) for port in range(20, ADDRESSES_MAX + 20)]
    assert len(agent.remote_candidates) == len(agent._check_list) == ADDRESSES_MAX
    await agent.close()
    await asyncio.gather(connecting, return_exceptions=True)


async def test_an_address_that_this_machine_does_not_have_is_left_out() -> None:
    agent = agent_for("203.0.113.7", "127.0.0.1")
    await agent.gather_candidates()
    assert [candidate.host for candidate in agent.local_candidates] == ["127.0.0.1"]
    assert agent.drop.leg["address_not_bound"] == 1
    await agent.close()


async def test_without_any_address_there_is_no_answer_and_nothing_is_left_open() -> None:
    transports = WebRtcTransports(["203.0.113.7"])
    with pytest.raises(Unavailable):
        await transports.answer(OFFER, Ear())
    assert len(asyncio.all_tasks()) == 1


def test_loopback_is_used_where_there_is_no_other_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ice, "get_host_addresses", lambda use_ipv4, use_ipv6: [])
    assert ice.host_addresses() == ["127.0.0.1"]


async def test_a_full_socket_drops_and_counts() -> None:
    agent = agent_for("127.0.0.1")
    await agent.gather_candidates()
    door = agent._protocols[0]
    assert not agent.send_now(b"early")
    agent.send_to(door, ("127.0.0.1", 9))
    assert agent.send_now(b"x")
    door.pause_writing()
    assert not agent.send_now(b"x")
    door.resume_writing()
    assert agent.send_now(b"x")
    assert agent.drop.leg["send_blocked"] == 2
    await agent.close()


async def test_no_address_of_the_offer_is_ever_sent_to() -> None:
    transports, ear = WebRtcTransports(["127.0.0.1"]), Ear()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as victim:
        victim.bind(("127.0.0.1", 0))
        victim.setblocking(False)
        candidate = f"a=candidate:1 1 udp 2122194687 127.0.0.1 {victim.getsockname()[1]} typ host\r\na=mid:0"
        transport, _ = await transports.answer(OFFER.replace("a=mid:0", candidate), ear)
        await asyncio.sleep(0.3)
        with pytest.raises(BlockingIOError):
            victim.recv(100)
        await transport.close()
