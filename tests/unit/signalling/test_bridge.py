"""A call between two endpoints, through us: what one side says the other hears, and nothing in the clear."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from bridged import Exchange, Party, caller, endpoint, known, sdp, up

from mcu.errors import Conflict
from mcu.ids import CallId
from mcu.protocol.sip.call import Call
from mcu.protocol.sip.call_state import State
from mcu.protocol.sip.events import Changed, Changing, Ended, Established, Progressed, Within
from mcu.protocol.sip.message import Response
from mcu.signalling.sip import trial
from mcu.signalling.sip.bridge import Bridge, TooFar
from mcu.signalling.sip.reoffer import NotTaken


def test_the_offer_the_ringing_the_answer_and_the_end_are_passed_on_and_who_calls_is_named_by_us() -> None:
    here = Exchange()
    here.call(sdp(b"anna"))
    invite = here.bo.call.invite
    assert invite.body == sdp(b"anna")
    assert (str(invite.from_.uri), invite.from_.name) == ("sip:anna@mcu.example", "Anna")
    here.bo.call.ring(183, sdp(b"early"))
    here.run()
    progressed = here.anna.last(Progressed)
    assert isinstance(progressed, Progressed)
    assert (progressed.response.status, progressed.response.body) == (183, sdp(b"early"))
    here.bo.call.answer(sdp(b"bo"))
    here.run()
    taken = here.anna.last(Established)
    assert isinstance(taken, Established)
    assert taken.message.body == sdp(b"bo")
    here.bo.call.hang_up()
    here.run()
    assert isinstance(here.anna.told[-1], Ended)
    assert (len(here.server), len(here.anna.agent), len(here.bo.agent)) == (0, 0, 0)


def test_a_call_goes_on_by_one_server_less_than_it_may_and_no_further() -> None:
    here = Exchange()
    here.anna.agent.invite(replace(here.to_server("anna"), hops=5), sdp(b"anna"), 0.0)
    here.run()
    assert here.bo.call.invite.max_forwards == 4
    there = Exchange()
    there.anna.agent.invite(replace(there.to_server("anna"), hops=0), sdp(b"anna"), 0.0)
    with pytest.raises(TooFar) as refused:
        there.run()
    assert refused.value.sip == 483


def test_a_caller_who_gives_up_stops_every_device_ringing() -> None:
    here = Exchange(devices=2)
    anna = here.call(sdp(b"anna"))
    for party in (here.bo, here.other):
        party.call.ring()
    here.run()
    anna.hang_up()
    here.run()
    for party in (here.bo, here.other):
        ended = party.told[-1]
        assert isinstance(ended, Ended)
        assert ended.status == 487
    assert len(here.server) == 0


def test_the_first_device_that_answers_is_taken_and_the_others_stop() -> None:
    here = Exchange(devices=2)
    here.call(sdp(b"anna"))
    for party in (here.bo, here.other):
        party.call.ring()
    here.run()
    here.other.call.answer(sdp(b"other"))
    here.run()
    taken = here.anna.last(Established)
    assert isinstance(taken, Established)
    assert taken.message.body == sdp(b"other")
    assert isinstance(here.bo.told[-1], Ended)


@pytest.mark.parametrize(
    ("statuses", "told"), [((486, 480), 486), ((603, 486), 603), ((480, 404), 404), ((302, 302), 480)]
)
def test_of_several_refusals_the_caller_hears_the_one_that_says_most(statuses: tuple[int, int], told: int) -> None:
    here = Exchange(devices=2)
    here.call(sdp(b"anna"))
    for party, status in zip((here.bo, here.other), statuses, strict=True):
        party.call.refuse(status, [("Contact", "<tel:+4690012345>")])
        here.run()
    ended = here.anna.told[-1]
    assert isinstance(ended, Ended)
    assert ended.status == told


def test_a_change_and_its_answer_are_passed_on_both_ways() -> None:
    here, anna, bo = up()
    for first, second, name in ((anna, here.bo, b"hold"), (bo, here.anna, b"resume")):
        first.changes.offer(sdp(name))
        here.run()
        changing = second.last(Changing)
        assert isinstance(changing, Changing)
        assert changing.request.body == sdp(name)
        changing.call.changes.accept(sdp(name + b"ed"))
        here.run()
        changed = (here.anna if first is anna else here.bo).last(Changed)
        assert isinstance(changed, Changed)
        assert changed.message.body == sdp(name + b"ed")


def test_a_change_that_is_refused_leaves_the_call_as_it_was() -> None:
    here, anna, _ = up()
    anna.changes.offer(sdp(b"video"))
    here.run()
    here.bo.call.changes.refuse(488)
    here.run()
    changed = here.anna.last(Changed)
    assert isinstance(changed, Changed)
    assert isinstance(changed.message, Response)
    assert changed.message.status == 488
    assert (len(here.anna.agent), len(here.bo.agent)) == (1, 1)


def in_the_clear_in_the_offer(here: Exchange) -> None:
    here.call(sdp(b"anna", clear=True))


def in_the_clear_in_the_answer(here: Exchange) -> None:
    here.call(sdp(b"anna"))
    here.bo.call.answer(sdp(b"bo", clear=True))
    here.run()


def in_the_clear_early(here: Exchange) -> None:
    here.call(sdp(b"anna"))
    here.bo.call.ring(183, sdp(b"bo", clear=True))
    here.run()


@pytest.mark.parametrize("call", [in_the_clear_in_the_offer, in_the_clear_in_the_answer, in_the_clear_early])
def test_what_is_in_the_clear_ends_the_call(call: Callable[[Exchange], None]) -> None:
    here = Exchange()
    call(here)
    ended = here.anna.told[-1]
    assert isinstance(ended, Ended)
    assert ended.status == 488
    here.run()
    assert len(here.bo.agent) == 0


def test_a_downgrade_of_a_call_that_stands_is_refused() -> None:
    here, anna, _ = up()
    anna.changes.offer(sdp(b"anna", clear=True))
    here.run()
    changed = here.anna.last(Changed)
    assert isinstance(changed, Changed)
    assert isinstance(changed.message, Response)
    assert changed.message.status == 488
    assert not any(isinstance(event, Changing) for event in here.bo.told)


def test_keys_pressed_as_info_come_to_the_other_side() -> None:
    here, anna, _ = up()
    anna.inform("application/dtmf-relay", b"Signal=5")
    here.run()
    within = here.bo.last(Within)
    assert isinstance(within, Within)
    assert (within.request.method, within.request.body) == ("INFO", b"Signal=5")
    assert here.responded == [200]


def test_what_a_room_system_asks_for_as_soon_as_it_has_answered_comes_to_the_other_side() -> None:
    here = Exchange()
    anna = here.call(sdp(b"anna"))
    here.slow = here.anna  # its ACK is still on its way
    here.bo.call.answer(sdp(b"bo"))
    here.run()
    here.bo.call.inform("application/media_control+xml", b"a whole picture")
    here.run()
    here.slow = None
    here.run()
    within = here.anna.last(Within)
    assert isinstance(within, Within)
    assert within.request.body == b"a whole picture"
    assert (anna.state, here.bo.call.state) == (State.UP, State.UP)


def test_an_answer_that_was_given_before_the_call_was_taken_need_not_be_said_again() -> None:
    here = Exchange()
    anna = here.call(sdp(b"anna"))
    here.bo.call.ring(183, sdp(b"bo"))
    here.run()
    here.bo.call.answer(b"")
    here.run()
    taken = here.anna.last(Established)
    assert isinstance(taken, Established)
    assert taken.message.body == sdp(b"bo")
    assert (anna.state, here.bo.call.state) == (State.UP, State.UP)


def test_who_asks_within_a_call_whether_we_live_is_answered() -> None:
    here, anna, _ = up()
    anna.notify("OPTIONS", [], b"")
    here.run()
    assert here.responded == [200]


@pytest.mark.parametrize("taken", [True, False])
async def test_a_call_that_comes_goes_on_with_whom_another_had_or_leaves_that_as_it_was(taken: bool) -> None:
    here, _, bo = up()
    former = here.bridge
    assert former is not None
    with_bo = next(call for call in here.server._calls.values() if call.outgoing)
    here.other.agent.invite(here.to_server("bo1"), sdp(b"other"), 0.0)
    here.run()
    assert here.coming is not None
    here.bridge = made = Bridge(here, CallId("call_2"), here.coming, caller("anna"), encrypted=True)
    joining = asyncio.create_task(made.join(with_bo, endpoint("bo"), here.keys, here.way))
    await asyncio.sleep(0.01)
    here.run()
    changing = here.bo.last(Changing)
    assert isinstance(changing, Changing)
    assert changing.request.body == sdp(b"other")
    if taken:
        bo.changes.accept(sdp(b"bo"))
    else:
        bo.changes.refuse(488)
    here.run()
    if not taken:
        with pytest.raises(NotTaken):
            await joining
        assert former.across(with_bo)
        return
    await joining
    here.run()
    assert here.opened is False
    established = here.other.last(Established)
    assert isinstance(established, Established)
    assert established.message.body == sdp(b"bo")
    assert made.across(here.coming) is with_bo


async def test_of_two_calls_that_stand_the_one_is_asked_for_an_offer_that_the_other_answers() -> None:
    here, anna, bo = up()
    former = here.bridge
    assert former is not None
    with_bo, with_anna = (
        next(call for call in here.server._calls.values() if call.outgoing is outgoing) for outgoing in (True, False)
    )
    here.bridge = made = Bridge(here, CallId("call_2"), with_anna, caller("anna"), encrypted=True)
    joining = asyncio.create_task(made.join(with_bo, endpoint("bo"), here.keys, here.way))
    await asyncio.sleep(0.01)
    here.run()
    asked = here.anna.last(Changing)
    assert isinstance(asked, Changing)
    assert asked.request.body == b""
    anna.changes.accept(sdp(b"anna again"))
    here.run()
    await asyncio.sleep(0.01)
    here.run()
    offered = here.bo.last(Changing)
    assert isinstance(offered, Changing)
    assert offered.request.body == sdp(b"anna again")
    bo.changes.accept(sdp(b"bo again"))
    here.run()
    await joining
    here.run()
    answered = here.anna.last(Changed)
    assert isinstance(answered, Changed)
    assert answered.message.body == sdp(b"bo again")


@pytest.mark.parametrize("keeper", ["anna", "bo", "nobody"])
async def test_where_either_keeps_its_key_media_is_opened_and_who_is_asked_for_it_goes_on_as_it_was(
    keeper: str,
) -> None:
    here, anna, bo = up()
    with_bo, with_anna = (
        next(call for call in here.server._calls.values() if call.outgoing is outgoing) for outgoing in (True, False)
    )
    here.keys = known(sdp(b"anna"), sdp(b"bo"))
    here.bridge = made = Bridge(here, CallId("call_2"), with_anna, caller("anna"), encrypted=True)
    joining = asyncio.create_task(made.join(with_bo, endpoint("bo"), here.keys, here.way))

    async def said(party: Party, call: Call, words: bytes) -> bytes:
        await asyncio.sleep(0.15)
        here.run()
        changing = party.last(Changing)
        assert isinstance(changing, Changing)
        call.changes.accept(words)
        here.run()
        return changing.request.body

    renewed = {name: sdp(name.encode()).replace(b"A" * 40, b"B" * 40) for name in ("anna", "bo")}
    words = renewed if keeper == "nobody" else renewed | {keeper: sdp(keeper.encode())}
    assert await said(here.anna, anna, words["anna"]) == b""
    if keeper != "anna":
        before = with_bo.changes.sdp
        assert await said(here.bo, bo, words["bo"]) == b""
        await asyncio.sleep(0.01)
        here.run()
        told = here.bo.last(Changed)
        assert isinstance(told, Changed)
        assert told.message.body == before
    assert await said(here.bo, bo, words["bo"]) == words["anna"]
    await joining
    assert here.opened is (keeper != "nobody")


@pytest.mark.parametrize(("status", "taken"), [(503, False), (408, False), (486, True), (0, False)])  # 0: nothing
async def test_a_server_that_cannot_take_a_call_is_let_go_of_and_the_caller_hears_nothing_of_it(
    monkeypatch: pytest.MonkeyPatch, status: int, taken: bool
) -> None:
    monkeypatch.setattr(trial, "TRY_S", 0.05)
    here = Exchange(0)
    here.call(sdp(b"anna"))
    bridge = here.bridge
    assert bridge is not None
    here.devices = Exchange().devices
    made: list[Call] = []
    trying = asyncio.create_task(bridge.tries(here.rings(sdp(b"anna"))[0], made.extend))
    await asyncio.sleep(0.01)
    if status:
        here.run()
        here.bo.call.refuse(status)
        here.run()
    assert await trying is taken
    assert bridge.passages == []
    here.run()
    refused = [event for event in here.anna.told if isinstance(event, Ended)]
    assert [event.status for event in refused] == ([status] if taken else [])


def test_who_leads_the_other_away_changes_nothing_of_the_others_call_meanwhile() -> None:
    here, anna, _ = up()
    assert here.bridge is not None
    here.bridge.leaving = next(call for call in here.server._calls.values() if not call.outgoing)
    with pytest.raises(Conflict):
        here.bridge.across(here.bridge.leaving)
    anna.changes.offer(sdp(b"hold"))
    here.run()
    changed = here.anna.last(Changed)
    assert isinstance(changed, Changed)
    assert isinstance(changed.message, Response)
    assert changed.message.status == 488
    assert not any(isinstance(event, Changing) for event in here.bo.told)
    anna.hang_up()
    here.run()
    assert len(here.bo.agent) == 1
