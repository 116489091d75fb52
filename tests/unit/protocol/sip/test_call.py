"""Calls between two agents over a simulated wire: set up and ended, with losses (RFC 3261, 3262)."""

import gc
import random
import weakref

import pytest
from sip_messages import request
from sip_wire import ANSWER, OFFER, Wire, ended, invited, quiet, up

from mcu.errors import Conflict
from mcu.protocol.sip.agent import Agent
from mcu.protocol.sip.call import Call
from mcu.protocol.sip.call_state import TRANSITIONS, State
from mcu.protocol.sip.digest import Answerer, Challenger
from mcu.protocol.sip.events import Changed, Changing, Ended, Established, Invited, Progressed, Sent, Within
from mcu.protocol.sip.headers import Headers
from mcu.protocol.sip.message import Request, Response
from mcu.protocol.sip.responses import response_to
from mcu.protocol.sip.session_timer import LEAST
from mcu.protocol.sip.timers import SLACK


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
def test_a_call_rings_stands_and_is_hung_up(transport: str) -> None:
    wire = Wire(transport)
    phone = wire.phone.invite()
    wire.run()
    server = invited(wire.server)
    assert server.invite.body == OFFER
    server.ring()
    wire.run()
    server.answer(ANSWER)
    wire.run()
    assert wire.phone.kinds() == ["Progressed", "Established"]
    assert wire.server.kinds() == ["Invited", "Established"]
    established = wire.phone.told[-1]
    assert isinstance(established, Established)
    assert established.message.body == ANSWER
    assert (phone.state, server.state) == (State.UP, State.UP)
    phone.hang_up()
    wire.run()
    assert (ended(wire.phone), ended(wire.server)) == ([200], [200])
    assert wire.phone.methods() == ["INVITE", "ACK", "BYE"]
    assert wire.server.methods() == [100, 180, 200, 200]
    assert quiet(wire)


def test_the_server_may_hang_up_too() -> None:
    wire = Wire()
    _, server = up(wire)
    server.hang_up()
    wire.run()
    assert (ended(wire.phone), ended(wire.server)) == ([200], [200])
    assert quiet(wire)


def test_a_call_that_is_refused_says_why() -> None:
    wire = Wire()
    wire.phone.invite()
    wire.run()
    invited(wire.server).refuse(486)
    wire.run()
    assert (ended(wire.phone), ended(wire.server)) == ([486], [486])
    assert quiet(wire)


def test_a_call_is_taken_back_before_it_is_answered() -> None:
    wire = Wire()
    phone = wire.phone.invite()
    wire.run()
    phone.hang_up()
    wire.run()
    assert wire.phone.methods() == ["INVITE", "CANCEL", "ACK"]
    assert (ended(wire.phone), ended(wire.server)) == ([487], [487])
    assert quiet(wire)


def test_a_call_to_which_nothing_was_said_is_taken_back_only_when_something_is() -> None:
    wire = Wire(delay=0.2)
    phone = wire.phone.invite()
    phone.hang_up()
    wire.phone.drain()
    assert wire.phone.methods() == ["INVITE"]
    wire.run(2)
    assert "CANCEL" in wire.phone.methods()
    assert ended(wire.server) == [487]


def test_a_2xx_that_crosses_a_cancel_is_acknowledged_and_hung_up() -> None:
    wire = Wire()
    phone = wire.phone.invite()
    wire.run()
    invited(wire.server).answer(ANSWER)
    wire.server.drain()
    phone.hang_up()
    wire.run(5)
    assert set(wire.phone.methods()[-3:]) >= {"ACK", "BYE"}
    assert (ended(wire.phone), ended(wire.server)) == ([487], [200])
    assert quiet(wire)


@pytest.mark.parametrize("seed", range(12))
def test_with_a_third_of_all_datagrams_lost_a_call_stands_and_ends(seed: int) -> None:
    wire, dice = Wire(), random.Random(seed)
    wire.lost = lambda _: dice.random() < 0.33
    phone = wire.phone.invite()
    wire.run(8)
    server = invited(wire.server)
    server.answer(ANSWER)
    wire.run(12)
    assert (phone.state, server.state) == (State.UP, State.UP)
    phone.hang_up()
    wire.run(35)
    assert ended(wire.server) == [200]
    assert quiet(wire)


def test_an_answer_that_is_never_acknowledged_ends_the_call_with_bye() -> None:
    wire = Wire()
    wire.lost = lambda message: isinstance(message, Request) and message.method == "ACK"
    wire.phone.invite()
    wire.run()
    invited(wire.server).answer(ANSWER)
    wire.run(33)
    assert ended(wire.server) == [408]
    assert ended(wire.phone) == [200]
    assert "BYE" in wire.server.methods()


def test_nobody_answers_and_the_call_is_over_after_32_s() -> None:
    wire = Wire()
    wire.lost = lambda _: True
    wire.phone.invite()
    wire.run(40)
    assert ended(wire.phone) == [408]
    assert quiet(wire)


def test_early_media_is_told_reliably_where_the_caller_knows_how() -> None:
    wire = Wire()
    wire.phone.invite()
    wire.run()
    first = [True]

    def lost(message: Request | Response) -> bool:
        drop = isinstance(message, Response) and message.status == 183 and first.pop() if first else False
        return bool(drop)

    wire.lost = lost
    invited(wire.server).ring(183, ANSWER)
    wire.run(2)
    progressed = wire.phone.told[-1]
    assert isinstance(progressed, Progressed)
    assert progressed.response.body == ANSWER
    assert wire.server.methods().count(183) == 2
    assert "PRACK" in wire.phone.methods()
    invited(wire.server).answer(b"")
    wire.run()
    assert wire.phone.kinds()[-1] == "Established"


def test_each_reliable_response_of_each_fork_is_acknowledged_with_a_number_of_its_own() -> None:
    """And so is what comes after them: the numbers of a dialog never go back (RFC 3261, section 12.2.1.1)."""
    wire = Wire()
    phone = wire.phone.invite()
    wire.run()
    invite = invited(wire.server).invite
    for fork, rseq in (("one", 7), ("two", 30), ("one", 8), ("two", 31)):
        headers = [("Contact", f"<sip:{fork}@mcu.example>"), ("Require", "100rel"), ("RSeq", str(rseq))]
        ringing = response_to(invite, 183, tag=fork, headers=headers, body=ANSWER)
        wire.phone.agent.receive(ringing, wire.phone.way, wire.now)
    taken = response_to(invite, 200, tag="one", headers=[("Contact", "<sip:one@mcu.example>")])
    wire.phone.agent.receive(taken, wire.phone.way, wire.now)
    phone.hang_up()
    wire.phone.drain()
    sent = [(one.method, one.to.tag, one.cseq.number) for one in wire.phone.sent[1:] if isinstance(one, Request)]
    assert sent == [
        ("PRACK", "one", 2),
        ("PRACK", "two", 2),
        ("PRACK", "one", 3),
        ("PRACK", "two", 3),
        ("ACK", "one", 1),
        ("BYE", "one", 4),
    ]


def test_a_call_that_forks_without_end_keeps_only_the_first() -> None:
    wire = Wire()
    wire.phone.invite()
    wire.run()
    invite = invited(wire.server).invite
    for number in range(100):
        headers = [("Contact", "<sip:fork@mcu.example>")]
        wire.phone.agent.receive(response_to(invite, 180, tag=f"t{number}", headers=headers), wire.phone.way, wire.now)
    wire.phone.drain()
    assert wire.phone.kinds().count("Progressed") == 16


def test_early_media_that_nobody_acknowledges_ends_the_call() -> None:
    wire = Wire()
    wire.phone.invite()
    wire.run()
    wire.lost = lambda message: isinstance(message, Request) and message.method == "PRACK"
    invited(wire.server).ring(183, ANSWER)
    wire.run(40)
    assert (ended(wire.server), ended(wire.phone)) == ([408], [504])


def test_a_password_is_given_where_it_is_asked_for_and_the_call_goes_on() -> None:
    wire, challenger = Wire(), Challenger("mcu.example")
    wire.phone.invite(answerer=Answerer("rum2", "secret"))
    wire.run()
    first = invited(wire.server)
    first.refuse(401, [("WWW-Authenticate", text) for text in challenger.challenges(0)])
    wire.server.told.clear()
    wire.run()
    second = invited(wire.server)
    assert second.invite.headers.one("Authorization") is not None
    assert (second.invite.call_id, second.invite.cseq.number) == (first.invite.call_id, 2)
    second.refuse(401, [("WWW-Authenticate", text) for text in challenger.challenges(1)])
    wire.run()
    assert ended(wire.phone) == [401]


def test_the_answers_of_two_forks_make_one_call_and_the_other_is_hung_up() -> None:
    wire = Wire()
    phone = wire.phone.invite()
    wire.run()
    server = invited(wire.server)
    server.answer(ANSWER)
    wire.run()
    other = response_to(server.invite, 200, tag="fork", headers=[("Contact", "<sip:fork@198.51.100.9>")])
    wire.phone.agent.receive(other, wire.phone.way, wire.now)
    wire.phone.drain()
    assert wire.phone.methods()[-2:] == ["ACK", "BYE"]
    assert wire.phone.sent[-1].to.tag == "fork"
    assert phone.state is State.UP


def test_what_comes_within_a_call_is_told_and_answered() -> None:
    wire = Wire()
    phone, _ = up(wire)
    phone.inform("application/dtmf-relay", b"Signal=5")
    wire.run(0.2)
    within = wire.server.told[-1]
    assert isinstance(within, Within)
    assert within.request.body == b"Signal=5"
    wire.server.agent.respond(within.key, response_to(within.request, 200))
    wire.run()
    assert wire.server.methods() == [200]


def test_a_request_of_no_call_is_answered_481_and_one_that_is_not_known_405() -> None:
    wire = Wire()
    phone, server = up(wire)
    assert phone.dialog is not None
    wire.server.agent.over(server)
    phone.inform("text/plain", b"x")
    wire.run(0.2)
    assert wire.server.methods() == [481]


def test_nobody_can_ask_for_what_is_not_done_here() -> None:
    wire = Wire()
    wire.phone.invite(Require="x-unheard-of")
    wire.run()
    assert ended(wire.phone) == [420]
    refusal = wire.phone.last(Ended)
    assert isinstance(refusal, Ended)
    assert refusal.message is not None
    assert refusal.message.headers.one("Unsupported") == "x-unheard-of"


def test_over_the_bound_of_calls_the_next_is_told_when_to_try_again() -> None:
    wire = Wire()
    wire.server.agent._most = 0
    wire.phone.invite()
    wire.run()
    assert ended(wire.phone) == [503]
    assert not [event for event in wire.server.told if isinstance(event, Invited)]


def test_a_malformed_request_is_answered_and_a_malformed_response_is_counted() -> None:
    wire = Wire()
    good = wire.phone.invite().invite
    wire.phone.sent.clear()
    bad = Request("OPTIONS", "nobody:knows", headers=Headers(good.headers).with_("CSeq", "1 OPTIONS"))
    wire.server.agent.receive(bad, wire.server.way, 0)
    wire.server.agent.receive(Response(99, "", headers=good.headers), wire.server.way, 0)
    wire.server.drain()
    assert wire.server.methods() == [416]
    assert wire.server.agent.dropped == 1


def test_what_a_call_may_do_in_each_state_is_a_table_that_ends() -> None:
    assert TRANSITIONS[State.ENDED] == {}
    assert all(State.ENDED in after.values() for state, after in TRANSITIONS.items() if state is not State.ENDED)
    assert LEAST == 90


def test_who_is_asked_for_an_offer_gets_its_answer_in_the_ack_also_where_that_is_lost() -> None:
    wire = Wire()
    phone, server = up(wire)
    server.changes.ask()
    wire.run()
    asked = wire.phone.last(Changing)
    assert isinstance(asked, Changing)
    assert asked.request.body == b""
    phone.changes.accept(b"their offer")
    wire.run()
    offered = wire.server.last(Changed)
    assert isinstance(offered, Changed)
    assert offered.message.body == b"their offer"
    with pytest.raises(Conflict):
        server.changes.offer(b"something else")
    wire.lost = lambda message: isinstance(message, Request) and message.method == "ACK"
    server.changes.acknowledge(b"our answer")
    wire.run(0.2)
    wire.lost = None
    wire.run(5)
    answered = [event for event in wire.phone.told if isinstance(event, Changed)]
    assert [event.message.body for event in answered] == [b"our answer"]
    assert len([event for event in wire.server.told if isinstance(event, Changed)]) == 1
    server.changes.offer(b"something else")


def test_of_calls_that_are_over_nothing_is_kept_whoever_made_them_and_however_they_ended() -> None:
    wire, calls = Wire(), list[weakref.ref[Call]]()
    stands = up(wire)
    for number in range(60):
        phone = wire.phone.invite()
        wire.run(0.2)
        server = invited(wire.server)
        if number % 3:
            server.answer(ANSWER)
            wire.run(0.2)
            server.changes.offer(b"something else")
            wire.run(0.2)
        (phone if number % 2 else server).hang_up()
        wire.run(0.2)
        calls += [weakref.ref(phone), weakref.ref(server)]
        for end in (wire.phone, wire.server):
            end.told.clear()
            end.sent.clear()
    del phone, server
    wire.run(40)  # what is sent again has been
    gc.collect()
    assert sum(call() is not None for call in calls) <= 2 * SLACK
    assert all(call.state is State.UP for call in stands)


def test_whom_it_rings_at_for_too_long_is_told_that_nobody_calls_any_more() -> None:
    wire = Wire()
    wire.phone.invite()
    wire.run()
    invited(wire.server).ring()
    wire.run(190)
    assert ended(wire.phone) == [408]
    assert ended(wire.server) == [487]


CHALLENGE = 'Digest realm="operator", nonce="{}", algorithm=SHA-256, qop="auth"'


def challenged(wire: Wire, request: Request, nonce: str) -> None:
    """The phone is asked who it is, by what stands between the two."""
    refusal = response_to(request, 407, tag="between", headers=[("Proxy-Authenticate", CHALLENGE.format(nonce))])
    wire.phone.agent.receive(refusal, wire.phone.way, wire.now)
    wire.phone.drain()


def asked_for_credentials(wire: Wire) -> tuple[Call, Call]:
    """A call that stands, of a phone that is asked for a password whenever it gives none."""
    wire.lost = lambda message: (
        isinstance(message, Request)
        and message in wire.phone.sent
        and message.method != "ACK"
        and "Proxy-Authorization" not in message.headers
    )
    phone = wire.phone.invite(answerer=Answerer("anna", "secret"))
    challenged(wire, phone.invite, "one")
    wire.run()
    server = invited(wire.server)
    server.answer(ANSWER)
    wire.run()
    ack = wire.phone.sent[-1]
    assert isinstance(ack, Request)
    assert ack.headers.all("Proxy-Authorization") == phone.invite.headers.all("Proxy-Authorization") != []
    return phone, server


def test_who_is_asked_for_a_password_to_hang_up_gives_it() -> None:
    wire = Wire()
    phone, server = asked_for_credentials(wire)
    phone.hang_up()
    wire.phone.drain()
    bye = wire.phone.sent[-1]
    assert isinstance(bye, Request)
    challenged(wire, bye, "two")
    wire.run()
    assert server.state is State.ENDED


def test_who_is_asked_for_a_password_to_change_a_call_gives_it_and_the_change_is_made() -> None:
    wire = Wire()
    phone, server = asked_for_credentials(wire)
    phone.changes.offer(b"something else")
    wire.phone.drain()
    again = wire.phone.sent[-1]
    assert isinstance(again, Request)
    challenged(wire, again, "two")
    wire.run()
    server.changes.accept(b"as you like")
    wire.run()
    changed = wire.phone.last(Changed)
    assert isinstance(changed, Changed)
    assert changed.message.body == b"as you like"
    wire.run(40)
    assert (phone.state, server.state) == (State.UP, State.UP)


def test_a_call_is_not_taken_before_the_answer_that_was_given_early_is_acknowledged() -> None:
    wire = Wire()
    phone = wire.phone.invite()
    wire.run()
    server = invited(wire.server)
    server.ring(183, b"an early answer")
    server.answer(ANSWER)
    wire.run()
    assert wire.phone.methods() == ["INVITE", "PRACK", "ACK"]
    assert wire.server.methods() == [100, 183, 200, 200]
    assert (phone.state, server.state) == (State.UP, State.UP)


def test_an_acknowledgement_of_ringing_that_crosses_the_answer_is_no_error() -> None:
    wire = Wire()
    phone = wire.phone.invite(Require="100rel")
    wire.run()
    server = invited(wire.server)
    server.ring()
    server.answer(ANSWER)
    wire.run()
    assert sorted(map(str, wire.server.methods())) == ["100", "180", "200", "200"]
    assert (phone.state, server.state) == (State.UP, State.UP)


@pytest.mark.parametrize("kind", [{"Content-Type": "multipart/mixed;boundary=x"}, {"Content-Encoding": "gzip"}])
def test_what_is_said_of_a_call_in_words_that_are_not_read_here_is_refused_with_those_that_are(
    kind: dict[str, str],
) -> None:
    agent, way = Agent(), Wire().server.way
    invite = request("INVITE", Content_Type="application/sdp")
    headers = invite.headers
    for name, value in kind.items():
        headers = headers.with_(name, value)
    agent.receive(Request("INVITE", invite.target, headers=headers, body=b"x"), way, 0.0)
    (sent,) = [event.message for event in agent.take() if isinstance(event, Sent)]
    assert isinstance(sent, Response)
    assert (sent.status, sent.headers.one("Accept")) == (415, "application/sdp")


def test_of_requests_without_a_pause_within_a_call_few_are_kept_and_it_can_be_ended() -> None:
    wire = Wire()
    phone, _ = up(wire)
    before = wire.server.agent.transactions
    for _ in range(150):
        phone.inform("text/plain", b"")
    wire.run(0.2)
    assert wire.server.kinds() == ["Within"] * 100
    assert wire.server.methods() == [500] * 50
    assert all(refused.headers.one("Retry-After") for refused in wire.server.sent)
    assert wire.server.agent.transactions - before == 100
    phone.hang_up()
    wire.run(0.2)
    assert wire.server.kinds()[-1] == "Ended"
