"""Registering somewhere: asked for a password, for longer times, granted, refused, and kept alive."""

import pytest
from sip_messages import response
from sip_wire import Way

from mcu.protocol.sip.digest import Challenger, ha1
from mcu.protocol.sip.message import Request, Response
from mcu.protocol.sip.registration import AGAIN_S, LEAST_S, REFUSED_S, Registration
from mcu.protocol.sip.responses import response_to
from mcu.protocol.sip.values import parse_credentials

WAY = Way("mcu.example")


def registration() -> Registration:
    return Registration("operator.example", "4711", "hemligt")


def challenge(request: Request, challenger: Challenger) -> Response:
    headers = [("WWW-Authenticate", text) for text in challenger.challenges(1.0)]
    return response_to(request, 401, tag="t", headers=headers)


def test_it_shows_who_it_is_where_it_is_asked_and_counts_on() -> None:
    one, challenger = registration(), Challenger("operator.example")
    first = one.request(WAY)
    assert (first.target, str(first.to)) == ("sip:operator.example", "<sip:4711@operator.example>")
    assert one.answered(challenge(first, challenger)) == 0
    again = one.request(WAY)
    assert (again.call_id, again.cseq.number) == (first.call_id, first.cseq.number + 1)
    given = parse_credentials(again.headers.one("Authorization") or "")
    assert challenger.holds(given, ha1("SHA-256", "4711", "operator.example", "hemligt"), "REGISTER")
    assert "hemligt" not in str(bytes(again))
    assert one.answered(response(again, 200, Contact="<sip:mcu.example:5060>;expires=100")) == 80
    assert one.registered


def test_a_password_that_is_refused_is_not_tried_without_end() -> None:
    one, challenger = registration(), Challenger("operator.example")
    assert one.answered(challenge(one.request(WAY), challenger)) == 0
    assert one.answered(challenge(one.request(WAY), challenger)) == REFUSED_S
    assert one.registered is False


def test_a_longer_time_is_asked_for_where_they_want_that() -> None:
    one = registration()
    assert one.answered(response(one.request(WAY), 423, Min_Expires="1800")) == 0
    again = one.request(WAY)
    assert again.headers.one("Expires") == "1800"
    assert one.answered(response(again, 200)) == 1800 * 0.8


@pytest.mark.parametrize(
    ("status", "due"), [(None, AGAIN_S), (503, AGAIN_S), (403, REFUSED_S), (404, REFUSED_S), (302, REFUSED_S)]
)
def test_what_may_pass_is_tried_soon_again_and_what_will_not_later(status: int | None, due: float) -> None:
    one = registration()
    request = one.request(WAY)
    assert one.answered(None if status is None else response(request, status)) == due
    assert one.registered is False


@pytest.mark.parametrize("said", ["0", "1", "nonsense", "99999999999"])
def test_a_time_that_makes_no_sense_does_not_make_us_ask_all_the_time(said: str) -> None:
    one = registration()
    assert one.answered(response(one.request(WAY), 200, Expires=said)) >= LEAST_S


def test_leaving_ends_this_binding_alone() -> None:
    last = registration().request(WAY, ends=True)
    assert (last.headers.one("Expires"), last.headers.one("Contact")) == ("0", "<sip:mcu.example:5060>")
