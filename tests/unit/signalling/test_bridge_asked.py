"""A re-INVITE without an offer, between two telephones: the other one offers, and the ACK has the answer."""

import pytest
from bridged import Exchange, Party, sdp, up

from mcu.protocol.sip.call import Call
from mcu.protocol.sip.call_state import State
from mcu.protocol.sip.events import Changed, Changing, Ended
from mcu.protocol.sip.message import Response


def asked(party: Party) -> Call:
    """Whose telephone has been asked for an offer, by us."""
    changing = party.last(Changing)
    assert isinstance(changing, Changing)
    assert changing.request.method == "INVITE"
    assert changing.request.body == b""
    return changing.call


def told(party: Party) -> Response:
    """What it was last told of a change of its own."""
    changed = party.last(Changed)
    assert isinstance(changed, Changed)
    assert isinstance(changed.message, Response)
    return changed.message


def offered(here: Exchange, anna: Call) -> None:
    """Anna has asked, and Bo has offered; nobody has answered yet."""
    anna.changes.ask()
    here.run()
    asked(here.bo).changes.accept(sdp(b"bo again"))
    here.run()
    assert told(here.anna).body == sdp(b"bo again")


@pytest.mark.parametrize("by_anna", [True, False])
def test_the_other_side_is_asked_and_the_answer_in_the_ack_comes_to_it(by_anna: bool) -> None:
    here, anna, bo = up()
    one, first, second = (anna, here.anna, here.bo) if by_anna else (bo, here.bo, here.anna)
    one.changes.ask()
    here.run()
    asked(second).changes.accept(sdp(b"an offer"))
    here.run()
    assert told(first).body == sdp(b"an offer")
    assert not any(isinstance(event, Changed) for event in second.told)
    one.changes.acknowledge(sdp(b"an answer"))
    here.run()
    answered = second.last(Changed)
    assert isinstance(answered, Changed)
    assert answered.message.body == sdp(b"an answer")
    assert here.bridge is not None
    said = {here.bridge.said(call) for call in here.server._calls.values()}
    assert said == {sdp(b"an offer"), sdp(b"an answer")}
    one.changes.offer(sdp(b"hold"))
    here.run()
    changing = second.last(Changing)
    assert isinstance(changing, Changing)
    assert changing.request.body == sdp(b"hold")


def test_what_the_other_side_refuses_is_refused_and_both_go_on() -> None:
    here, anna, _ = up()
    anna.changes.ask()
    here.run()
    asked(here.bo).changes.refuse(488)
    here.run()
    assert told(here.anna).status == 488
    anna.changes.offer(sdp(b"hold"))
    here.run()
    assert here.bo.last(Changing).call.state is State.UP


def test_two_that_ask_each_other_at_once_ask_again_one_after_the_other() -> None:
    here, anna, bo = up()
    anna.changes.ask()
    bo.changes.ask()
    for tenth in range(100):
        for call, party in ((anna, here.anna), (bo, here.bo)):
            party.agent.handle_timer(tenth / 10)
            if call.changes.asked is not None:
                call.changes.accept(sdp(b"an offer"))
            call.changes.acknowledge(sdp(b"an answer"))
        here.server.handle_timer(tenth / 10)
        here.run()
    for party in (here.anna, here.bo):
        bodies = [event.message.body for event in party.told if isinstance(event, Changed)]
        assert sorted(bodies) == [sdp(b"an answer"), sdp(b"an offer")]


@pytest.mark.parametrize("answer", [b"", sdp(b"anna", clear=True)])
def test_an_ack_without_an_answer_or_with_one_in_the_clear_ends_both_calls_and_leaves_no_offer_open(
    answer: bytes,
) -> None:
    here, anna, _ = up()
    offered(here, anna)
    anna.changes.acknowledge(answer)
    here.run()
    acknowledged = here.bo.last(Changed)
    assert isinstance(acknowledged, Changed)
    assert acknowledged.message.body == sdp(b"anna")  # as they had it
    for party in (here.anna, here.bo):
        assert isinstance(party.told[-1], Ended)
    assert len(here.server) == 0


def test_whose_ack_never_comes_ends_the_call_of_the_other_side_which_is_acknowledged() -> None:
    here, anna, _ = up()
    offered(here, anna)
    here.slow = here.anna
    for second in range(1, 40):
        here.server.handle_timer(float(second))
        here.run()
    acknowledged = here.bo.last(Changed)
    assert isinstance(acknowledged, Changed)
    assert acknowledged.message.body == sdp(b"anna")
    assert isinstance(here.bo.told[-1], Ended)
    assert len(here.server) == 0


def test_an_offer_in_the_clear_ends_the_call() -> None:
    here, anna, _ = up()
    anna.changes.ask()
    here.run()
    asked(here.bo).changes.accept(sdp(b"bo", clear=True))
    here.run()
    for party in (here.anna, here.bo):
        assert any(isinstance(event, Ended) for event in party.told)
