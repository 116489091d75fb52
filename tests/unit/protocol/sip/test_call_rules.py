"""What RFC 3261, 3311, 4028 and 6086 forbid or ask for within a call, one rule at a time."""

from dataclasses import replace

import pytest
from sip_messages import request
from sip_wire import ANSWER, OFFER, ROOM, Way, Wire, ended, invited, quiet, up

from mcu.protocol.sip.agent import Agent, Recipient
from mcu.protocol.sip.events import Established, Invited, Sent
from mcu.protocol.sip.message import Request, Response
from mcu.protocol.sip.session_timer import WANTED, of_request
from mcu.protocol.sip.values import Address


def test_who_has_answered_says_bye_no_earlier_than_the_ack_has_come() -> None:
    """RFC 3261, section 15."""
    wire = Wire(delay=0.2)
    wire.phone.invite()
    wire.run()
    server = invited(wire.server)
    server.answer(ANSWER)
    server.hang_up()
    wire.run(0.3)
    assert ended(wire.server) == [200]
    assert "BYE" not in wire.server.methods()
    wire.run()
    assert wire.server.methods()[-1] == "BYE"
    assert ended(wire.phone) == [200]
    assert quiet(wire)


def test_where_no_ack_comes_the_bye_goes_when_none_can_come_any_more() -> None:
    wire = Wire()
    wire.lost = lambda message: isinstance(message, Request) and message.method == "ACK"
    wire.phone.invite()
    wire.run()
    server = invited(wire.server)
    server.answer(ANSWER)
    server.hang_up()
    wire.run(31)
    assert "BYE" not in wire.server.methods()
    wire.run(2)
    assert "BYE" in wire.server.methods()
    assert [ended(wire.server), ended(wire.phone)] == [[200], [200]]
    assert quiet(wire)


def test_both_sides_may_say_bye_before_the_ack_has_come() -> None:
    wire = Wire()
    wire.lost = lambda message: isinstance(message, Request) and message.method == "ACK"
    phone = wire.phone.invite()
    wire.run()
    server = invited(wire.server)
    server.answer(ANSWER)
    server.hang_up()
    wire.run(0.2)
    phone.hang_up()
    wire.run(1)
    assert "BYE" not in wire.server.methods()
    assert [ended(wire.server), ended(wire.phone)] == [[200], [200]]
    assert quiet(wire)


@pytest.mark.parametrize(
    ("transport", "expected"),
    [
        ("TLS", "sips:mcu.example:5060"),
        ("WSS", "sips:mcu.example:5060;transport=ws"),
        ("UDP", "sip:mcu.example:5060"),  # of who does not keep to it
    ],
)
def test_a_call_to_a_sips_address_is_led_by_sips_addresses(transport: str, expected: str) -> None:
    """RFC 3261, sections 8.1.1.8 and 12.1.1."""
    agent, way = Agent(), Way("mcu.example", transport)
    agent.receive(replace(request(), target="sips:room@mcu.example"), way, 0.0)
    call = next(event.call for event in agent.take() if isinstance(event, Invited))
    call.ring()
    call.answer(ANSWER)
    secure = replace(ROOM, secure=True)
    agent.invite(Recipient(way, secure, Address(secure), Address(secure)), OFFER, 0.0)
    sent = [event.message for event in agent.take() if isinstance(event, Sent)]
    assert [str(one.contacts[0].uri) for one in sent if one.contacts] == 3 * [expected]


def test_a_change_is_told_at_once_that_it_has_come() -> None:
    """Whoever decides of it may take longer than its sender waits (RFC 3261, section 17.2.1)."""
    wire = Wire()
    phone, server = up(wire)
    phone.changes.offer(b"something else")
    wire.run(20)
    assert wire.phone.methods() == ["INVITE"]
    server.changes.accept(ANSWER)
    wire.run()
    assert wire.server.methods() == [100, 200]
    assert wire.phone.methods() == ["INVITE", "ACK"]


def within(wire: Wire, method: str, body: bytes = b"", **fields: str) -> None:
    """A request of the phone's own making, in the call that it has."""
    call = next(iter(wire.phone.agent._calls.values()))
    headers = [(name.replace("_", "-"), value) for name, value in fields.items()]
    call.request(method, headers=headers, body=body)
    wire.run()


def answers(wire: Wire, method: str) -> list[Response]:
    return [one for one in wire.server.sent if isinstance(one, Response) and one.cseq.method == method]


def test_an_update_that_offers_nothing_meets_nothing() -> None:
    """RFC 3311, section 5.2: 491 and 500 are for offers that cross."""
    wire = Wire()
    _, server = up(wire)
    server.changes.offer(b"something else")
    wire.run(0.2)
    within(wire, "UPDATE", Contact="<sip:anna@192.0.2.8>")
    (answer,) = answers(wire, "UPDATE")
    assert (answer.status, bool(answer.contacts)) == (200, True)
    wire.run(40)
    assert not ended(wire.server)


def test_an_update_while_it_rings_moves_where_they_are_and_leaves_what_is_to_be_acknowledged() -> None:
    wire = Wire()
    wire.phone.invite()
    wire.run()
    server = invited(wire.server)
    server.ring()
    wire.run()
    wire.lost = lambda message: isinstance(message, Response) and message.status == 183
    server.ring(183, ANSWER)
    wire.run(0.2)
    within(wire, "UPDATE", Contact="<sip:anna@192.0.2.8>")
    (answer,) = answers(wire, "UPDATE")
    assert answer.status == 200
    assert "Session-Expires" not in answer.headers
    wire.run(2)
    assert wire.server.methods().count(183) >= 3
    wire.lost = None
    server.answer(ANSWER)
    wire.run(8)
    assert isinstance(wire.phone.told[-1], Established)


def test_info_of_a_package_that_nobody_has_asked_for_is_469() -> None:
    """RFC 6086, section 4.2.2."""
    wire = Wire()
    up(wire)
    within(wire, "INFO", Info_Package="conference")
    (answer,) = answers(wire, "INFO")
    assert (answer.status, answer.headers.one("Recv-Info")) == (469, "")


def test_who_wants_to_be_asked_seldom_is_asked_no_oftener_by_refreshes() -> None:
    """RFC 4028, sections 7.4 and 9."""
    assert of_request(request(Min_SE="7200")).seconds == 7200
    assert of_request(request(Min_SE="30")).seconds == WANTED
    wire = Wire()
    phone = wire.phone.invite()
    wire.run()
    invited(wire.server).refuse(422, [("Min-SE", "7200")])
    wire.run()
    call = wire.server.last(Invited)
    assert isinstance(call, Invited)
    call.call.answer(ANSWER)
    wire.run()
    phone.changes.offer(b"something else")
    wire.run()
    for asked in [one for one in wire.phone.sent if isinstance(one, Request) and one.method == "INVITE"][1:]:
        assert (asked.headers.one("Session-Expires"), asked.headers.one("Min-SE")) == ("7200", "7200")


def test_who_takes_no_sdp_is_406() -> None:
    """RFC 3261, sections 20.1 and 21.4.7."""
    for accept, statuses in (("text/html", [406]), ("text/html, application/*;q=0.5", [100]), ("*/*", [100])):
        agent = Agent()
        agent.receive(request(Accept=accept), Way("mcu.example"), 0.0)
        sent = [event.message for event in agent.take() if isinstance(event, Sent)]
        assert [one.status for one in sent if isinstance(one, Response)] == statuses


@pytest.mark.parametrize(("expires", "statuses"), [("20", [487]), ("soon", []), ("4000", [])])
def test_an_invitation_is_over_when_its_sender_waits_no_longer(expires: str, statuses: list[int]) -> None:
    """RFC 3261, section 13.3.1."""
    wire = Wire()
    wire.phone.invite(Expires=expires)
    wire.run()
    invited(wire.server).ring()
    wire.run(30)
    assert ended(wire.server) == statuses


def test_a_call_that_was_taken_in_time_does_not_expire() -> None:
    wire = Wire()
    up(wire, Expires="20")
    wire.run(30)
    assert not ended(wire.server)


def test_an_invite_alone_takes_the_place_of_another_call() -> None:
    """RFC 3891, section 3."""
    agent = Agent()
    agent.receive(request("OPTIONS", Replaces="c1;to-tag=a;from-tag=b"), Way("mcu.example"), 0.0)
    sent = [event.message for event in agent.take() if isinstance(event, Sent)]
    assert [one.status for one in sent if isinstance(one, Response)] == [400]
