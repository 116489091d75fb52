"""Which transaction a message belongs to (RFC 3261, sections 8.2.2.2, 9.2, 17.1.3, 17.2.3)."""

from sip_messages import OURS, request, response

from mcu.protocol.sip.message import Response
from mcu.protocol.sip.transactions import Answered, Asked, Cancelled, Gone, Happening, Over, Sent, Transactions

FLOW = "a phone"


class Line:
    """Our end, with the time told to it."""

    def __init__(self, most: int = 100) -> None:
        self.transactions = Transactions[str](most)
        self.now = 0.0

    def receive(self, message: object) -> list[Happening[str]]:
        return self.transactions.receive(message, FLOW, self.now, reliable=False)  # type: ignore[arg-type]

    def wait(self, seconds: float) -> list[Happening[str]]:
        happened: list[Happening[str]] = []
        until = self.now + seconds
        while (due := self.transactions.next_timer()) is not None and due <= until:
            self.now = due
            happened += self.transactions.handle_timer(due)
        self.now = until
        return happened


def statuses(happened: list[Happening[str]]) -> list[int]:
    return [one.message.status for one in happened if isinstance(one, Sent) and isinstance(one.message, Response)]


def test_a_request_is_asked_once_and_its_answer_repeated() -> None:
    line, bye = Line(), request("BYE")
    (asked,) = line.receive(bye)
    assert isinstance(asked, Asked)
    assert line.receive(bye) == []
    assert statuses(line.transactions.respond(asked.key, response(bye, 200), line.now)) == [200]
    assert statuses(line.receive(bye)) == [200]


def test_the_ack_of_a_refusal_stays_below_and_that_of_a_2xx_is_told() -> None:
    for status, told in ((486, 0), (200, 1)):
        line, invite = Line(), request()
        (asked,) = line.receive(invite)
        assert isinstance(asked, Asked)
        line.transactions.respond(asked.key, response(invite, status), line.now)
        assert len(line.receive(request("ACK"))) == told


def test_the_ack_of_a_2xx_is_told_by_whatever_branch_it_comes() -> None:
    (asked,) = Line().receive(request("ACK", branch="other", to_tag="ours"))
    assert isinstance(asked, Asked)


def test_a_response_finds_its_request_by_branch_and_method_or_is_dropped() -> None:
    line, ours = Line(), request("OPTIONS", Via=OURS.format("x1"))
    key, happened = line.transactions.request(ours, FLOW, line.now, reliable=False)
    assert [type(one) for one in happened] == [Sent]
    assert line.receive(response(request("BYE", Via=OURS.format("x1")), 200)) == []
    assert line.receive(response(request("OPTIONS", Via=OURS.format("x2")), 200)) == []
    answer = response(ours, 200)
    assert line.receive(answer) == [Answered(answer, key)]


def test_cancel_is_answered_and_takes_an_invite_back_that_waits() -> None:
    line, invite, cancel = Line(), request(), request("CANCEL")
    (asked,) = line.receive(invite)
    assert isinstance(asked, Asked)
    happened = line.receive(cancel)
    assert statuses(happened) == [200]
    assert happened[-1] == Cancelled(asked.key, cancel)


def test_cancel_of_what_is_answered_changes_nothing() -> None:
    line, invite = Line(), request()
    (asked,) = line.receive(invite)
    assert isinstance(asked, Asked)
    line.transactions.respond(asked.key, response(invite, 200), line.now)
    assert [type(one) for one in line.receive(request("CANCEL"))] == [Sent]


def test_cancel_of_nothing_is_answered_481() -> None:
    assert statuses(Line().receive(request("CANCEL"))) == [481]


def test_a_request_that_came_by_two_ways_is_answered_482_the_second_time() -> None:
    line = Line()
    line.receive(request(branch="one"))
    assert statuses(line.receive(request(branch="two"))) == [482]


def test_in_a_dialog_two_requests_of_one_number_are_not_taken_for_one() -> None:
    line = Line()
    line.receive(request("INFO", branch="one", to_tag="ours"))
    assert [type(one) for one in line.receive(request("INFO", branch="two", to_tag="ours"))] == [Asked]


def test_one_call_may_follow_another_with_its_numbers_once_that_is_forgotten() -> None:
    line, invite = Line(), request()
    (asked,) = line.receive(invite)
    assert isinstance(asked, Asked)
    line.transactions.respond(asked.key, response(invite, 486), line.now)
    line.receive(request("ACK"))
    line.wait(10)
    assert len(line.transactions) == 0
    assert [type(one) for one in line.receive(request(branch="two"))] == [Asked]


def test_requests_of_rfc_2543_are_told_apart_by_their_numbers() -> None:
    line, old = Line(), "SIP/2.0/UDP old.example"
    assert [type(one) for one in line.receive(request("OPTIONS", Via=old, to_tag="x"))] == [Asked]
    assert line.receive(request("OPTIONS", Via=old, to_tag="x")) == []
    assert [type(one) for one in line.receive(request("OPTIONS", cseq=2, Via=old, to_tag="x"))] == [Asked]


def test_over_the_bound_a_request_is_answered_503_and_leaves_nothing() -> None:
    line = Line(most=1)
    line.receive(request(branch="one", tag="1"))
    assert statuses(line.receive(request(branch="two", tag="2"))) == [503]
    assert len(line.transactions) == 1


def test_what_is_never_answered_is_told_and_forgotten() -> None:
    line, ours = Line(), request("OPTIONS", Via=OURS.format("x1"))
    key, _ = line.transactions.request(ours, FLOW, line.now, reliable=False)
    assert line.wait(40)[-2:] == [Gone(408, key), Over(key)]
    assert (len(line.transactions), line.transactions.next_timer()) == (0, None)


def test_what_cannot_be_sent_is_told_and_forgotten() -> None:
    line, ours = Line(), request("OPTIONS", Via=OURS.format("x1"))
    key, _ = line.transactions.request(ours, FLOW, line.now, reliable=True)
    assert line.transactions.fault(key) == [Gone(503, key), Over(key)]
    assert line.transactions.fault(key) == []


def test_what_is_refused_here_has_a_tag_and_cancel_is_answered_with_that_of_its_invite() -> None:
    table = Transactions[str](most=2)
    (asked,) = table.receive(request(), "one", 0.0, reliable=False)
    assert isinstance(asked, Asked)
    answers = [
        *table.receive(request("CANCEL"), "one", 0.0, reliable=False),
        *table.receive(request(branch="other"), "one", 0.0, reliable=False),  # over the bound
    ]
    tags = [sent.message.to.tag for sent in answers if isinstance(sent, Sent)]
    assert tags[0] == table.tag_of(asked.key)
    assert None not in tags
    merged = Transactions[str]()
    merged.receive(request(), "one", 0.0, reliable=False)
    for again in (request(branch="other"), request("CANCEL", branch="nothing")):
        (sent,) = merged.receive(again, "one", 0.0, reliable=False)
        assert isinstance(sent, Sent)
        assert sent.message.to.tag
