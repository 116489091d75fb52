"""Calls that are changed and refreshed over a simulated wire, with losses (RFC 3261 section 14, 3311, 4028)."""

import pytest
from sip_wire import ANSWER, Wire, ended, invited, quiet, up

from mcu.errors import Conflict
from mcu.protocol.sip import session_timer
from mcu.protocol.sip.call_state import State
from mcu.protocol.sip.events import Changed, Changing
from mcu.protocol.sip.message import Response
from mcu.protocol.sip.session_timer import LEAST


def test_a_change_is_offered_answered_and_acknowledged_by_either_side() -> None:
    for turn in (0, 1):
        wire = Wire()
        calls = up(wire)
        ends = (wire.phone, wire.server)
        calls[turn].changes.offer(b"hold")
        wire.run()
        changing = ends[1 - turn].told[-1]
        assert isinstance(changing, Changing)
        assert changing.request.body == b"hold"
        changing.call.changes.accept(b"held")
        wire.run()
        changed = ends[turn].told[-1]
        assert isinstance(changed, Changed)
        assert changed.message.body == b"held"
        assert calls[0].state is calls[1].state is State.UP


def test_a_change_that_is_refused_leaves_the_call_as_it_was() -> None:
    wire = Wire()
    phone, server = up(wire)
    phone.changes.offer(b"other")
    wire.run()
    server.changes.refuse(488)
    wire.run()
    changed = wire.phone.told[-1]
    assert isinstance(changed, Changed)
    assert isinstance(changed.message, Response)
    assert (changed.message.status, phone.state) == (488, State.UP)


def test_two_changes_that_cross_are_both_refused_and_tried_again_one_by_one() -> None:
    wire = Wire()
    phone, server = up(wire)
    phone.changes.offer(b"from the phone")
    server.changes.offer(b"from the server")
    wire.run(0.3)
    assert 491 in wire.phone.methods()
    assert 491 in wire.server.methods()
    for _ in range(20):
        wire.run(0.5)
        for end in (wire.phone, wire.server):
            if end.told and isinstance(changing := end.told[-1], Changing):
                end.told.pop()
                changing.call.changes.accept(b"yes")
    wire.run(5)
    answers = [[e.message.body for e in end.told if isinstance(e, Changed)] for end in (wire.phone, wire.server)]
    assert b"yes" in answers[0]
    assert b"yes" in answers[1]


def test_only_one_change_of_ours_is_on_its_way() -> None:
    wire = Wire()
    phone, _ = up(wire)
    phone.changes.offer(b"one")
    with pytest.raises(Conflict):
        phone.changes.offer(b"two")
    with pytest.raises(Conflict):
        phone.answer(b"again")
    with pytest.raises(Conflict):
        phone.changes.accept(b"nothing was asked")


def test_a_change_to_a_call_that_the_other_side_has_forgotten_ends_it() -> None:
    wire = Wire()
    phone, server = up(wire)
    wire.server.agent.over(server)
    phone.changes.offer(b"hello?")
    wire.run()
    assert ended(wire.phone) == [200]


def test_the_session_is_refreshed_at_half_its_time_without_a_word_to_anybody() -> None:
    wire = Wire()
    up(wire)
    wire.run(901)
    assert wire.phone.methods() == ["UPDATE"]
    assert wire.phone.told == wire.server.told == []
    wire.run(2000)
    assert len(wire.phone.methods()) >= 3
    assert (len(wire.phone.agent), len(wire.server.agent)) == (1, 1)


def test_a_call_whose_other_end_has_vanished_is_over_when_its_time_is() -> None:
    wire = Wire()
    up(wire)
    wire.lost = lambda _: True
    wire.run(1800)
    assert (ended(wire.phone), ended(wire.server)) == ([200], [408])
    assert quiet(wire)


def test_who_wants_to_be_asked_too_often_is_told_how_often_we_do() -> None:
    wire = Wire()
    invite = wire.phone.invite().invite
    wire.phone.drain()
    brief = invite.with_(invite.headers.with_("Session-Expires", "20").with_("Call-ID", "other"))
    wire.server.agent.receive(brief, wire.server.way, 0)
    wire.server.drain()
    refusal = wire.server.sent[-1]
    assert isinstance(refusal, Response)
    assert (refusal.status, refusal.headers.one("Min-SE")) == (422, str(LEAST))


def test_who_will_not_be_asked_so_often_is_asked_less() -> None:
    wire = Wire()
    wire.phone.invite()
    wire.run()
    invited(wire.server).refuse(422, [("Min-SE", "3600")])
    wire.server.told.clear()
    wire.run()
    second = invited(wire.server)
    assert second.invite.headers.one("Session-Expires") == "3600"
    second.answer(ANSWER)
    wire.run()
    assert wire.phone.kinds()[-1] == "Established"


def test_a_refresh_that_is_refused_is_tried_again_until_it_is_taken() -> None:
    wire = Wire()
    phone, server = up(wire)
    server.dialog.remote_cseq = 1_000  # so that it refuses what is of before, with 500
    wire.run(930)
    assert 500 in wire.server.methods()
    server.dialog.remote_cseq = 0
    wire.run(1800)
    assert (phone.state, server.state) == (State.UP, State.UP)


def test_a_call_whose_connection_is_gone_is_over_when_its_session_is() -> None:
    wire = Wire("TCP")
    phone, _ = up(wire)
    wire.cut = True
    wire.run(1700)
    assert phone.state is State.UP
    wire.run(100)
    assert ended(wire.phone) == [408]


def test_a_change_that_nobody_has_answered_when_the_call_ends_is_refused_and_not_answered_later() -> None:
    wire = Wire()
    phone, server = up(wire)
    phone.changes.offer(b"something else")
    wire.run(0.2)
    phone.hang_up()
    wire.run(1)
    assert wire.server.methods() == [100, 200, 487]
    with pytest.raises(Conflict):
        server.changes.accept(ANSWER)
    assert quiet(wire)


def test_a_session_with_whom_knows_nothing_of_timers_is_refreshed_again_and_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session_timer, "asking", lambda *_: [])
    monkeypatch.setattr(session_timer, "answering", lambda *_: [])
    wire = Wire()
    up(wire)
    wire.run(2 * session_timer.WANTED)
    assert wire.server.methods().count("UPDATE") >= 3
