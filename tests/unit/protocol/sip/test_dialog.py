"""Dialogs: how requests within a call are made and accepted (RFC 3261, section 12)."""

from typing import Any

import pytest
from sip_messages import OURS, request, response

from mcu.protocol.sip.dialog import Dialog, OutOfOrder, of_request, of_response
from mcu.protocol.sip.grammar import Malformed
from mcu.protocol.sip.headers import Headers
from mcu.protocol.sip.message import Request

CONTACT = "<sip:mcu.example:5060>"
RECORDED: dict[str, Any] = {"Record-Route": "<sip:p2.example;lr>, <sip:p1.example;lr>"}


def called(**fields: Any) -> Dialog:
    return of_request(request(**fields), "ours", CONTACT)


def calling(status: int = 200, **fields: Any) -> Dialog:
    ours = request(Via=OURS.format("1"), **fields)
    answer = response(ours, status, Contact="<sip:room@198.51.100.3>")
    return of_response(ours, answer, CONTACT)


def test_the_one_who_is_called_asks_by_the_recorded_route_in_its_order() -> None:
    dialog = called(**RECORDED)
    bye = dialog.request("BYE", OURS.format("2"))
    assert bye.target == "sip:anna@192.0.2.7:5060"
    assert bye.headers.all("Route") == ["<sip:p2.example;lr>", "<sip:p1.example;lr>"]
    assert (bye.from_.tag, bye.to.tag, str(bye.cseq)) == ("ours", "theirs", "1 BYE")
    assert str(dialog.next_hop) == "sip:p2.example;lr"


def test_the_one_who_calls_asks_by_the_recorded_route_backwards() -> None:
    dialog = calling(**RECORDED)
    bye = dialog.request("BYE", OURS.format("2"))
    assert bye.target == "sip:room@198.51.100.3"
    assert bye.headers.all("Route") == ["<sip:p1.example;lr>", "<sip:p2.example;lr>"]
    assert (bye.from_.tag, bye.to.tag, str(bye.cseq)) == ("theirs", "ours", "2 BYE")


def test_a_first_hop_of_rfc_2543_is_the_target_and_the_target_the_last_route() -> None:
    ack = called(**{"Record-Route": "<sip:strict.example>, <sip:loose.example;lr>"}).request(
        "ACK", OURS.format("2"), number=1
    )
    assert ack.target == "sip:strict.example"
    assert ack.headers.all("Route") == ["<sip:loose.example;lr>", "<sip:anna@192.0.2.7:5060>"]


def test_without_a_route_requests_go_to_the_contact() -> None:
    assert str(called().next_hop) == "sip:anna@192.0.2.7:5060"


def test_the_ack_has_the_number_of_its_invite_and_uses_up_none() -> None:
    dialog = calling()
    assert str(dialog.request("ACK", OURS.format("2"), number=1).cseq) == "1 ACK"
    assert str(dialog.request("BYE", OURS.format("3")).cseq) == "2 BYE"


def test_what_comes_too_late_is_refused_with_500() -> None:
    dialog = called()
    dialog.accept(request("INFO", cseq=3))
    for number in (2, 3):
        with pytest.raises(OutOfOrder) as refused:
            dialog.accept(request("INFO", cseq=number))
        assert refused.value.sip == 500
    dialog.accept(request("ACK", cseq=1))


def test_a_re_invite_moves_where_they_are_reached_and_an_info_does_not() -> None:
    dialog = called()
    dialog.accept(request("INFO", cseq=2, Contact="<sip:elsewhere@192.0.2.99>"))
    assert str(dialog.target) == "sip:anna@192.0.2.7:5060"
    dialog.accept(request("INVITE", cseq=3, Contact="<sip:elsewhere@192.0.2.99>"))
    assert str(dialog.target) == "sip:elsewhere@192.0.2.99"


def test_a_dialog_is_early_until_a_2xx() -> None:
    assert calling(180).early
    assert not calling(200).early
    assert called().early


def test_nobody_can_be_called_back_who_gives_no_contact() -> None:
    bare = request()
    with pytest.raises(Malformed):
        of_request(
            Request("INVITE", bare.target, headers=Headers(bare.headers.without("Contact"))),
            "ours",
            CONTACT,
        )
    with pytest.raises(Malformed):
        of_response(bare, response(bare, 200), CONTACT)


def test_both_ends_know_the_dialog_by_turned_tags() -> None:
    assert called().id == ("c1@phone.example", "ours", "theirs")
    assert calling().id == ("c1@phone.example", "theirs", "ours")
