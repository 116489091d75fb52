"""Transactions over simulated time: what is sent again and when it ends (RFC 3261, section 17; RFC 6026)."""

import itertools

import pytest
from sip_messages import request, response

from mcu.protocol.sip.message import Request, Response
from mcu.protocol.sip.transaction import (
    CLIENT,
    INVITE_CLIENT,
    INVITE_SERVER,
    SERVER,
    Client,
    Deliver,
    Failed,
    InviteClient,
    InviteServer,
    Output,
    Send,
    Server,
    State,
    Table,
    Transaction,
)


def alarms(transaction: Transaction, until: float) -> list[tuple[float, Output]]:
    """What the transaction does of itself until then, and when."""
    done: list[tuple[float, Output]] = []
    while (due := transaction.next_timer()) is not None and due <= until:
        done += [(due, output) for output in transaction.handle_timer(due)]
    return done


def sent_at(done: list[tuple[float, Output]]) -> list[float]:
    return [at for at, output in done if isinstance(output, Send)]


def statuses(outputs: list[Output]) -> list[int]:
    return [
        output.message.status
        for output in outputs
        if isinstance(output, Send | Deliver) and isinstance(output.message, Response)
    ]


def test_an_invite_without_an_answer_is_sent_again_at_doubling_times_and_given_up_after_32_s() -> None:
    transaction = InviteClient(request(), reliable=False)
    assert transaction.start(0) == [Send(transaction.request)]
    done = alarms(transaction, 100)
    assert sent_at(done) == [0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert done[-1] == (32.0, Failed(408))
    assert transaction.is_over


def test_any_other_request_is_sent_again_each_4_s_at_most() -> None:
    transaction = Client(request("OPTIONS"), reliable=False)
    transaction.start(0)
    done = alarms(transaction, 100)
    assert sent_at(done) == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert done[-1] == (32.0, Failed(408))


def test_over_a_connection_nothing_is_sent_again() -> None:
    for kind, method in ((InviteClient, "INVITE"), (Client, "OPTIONS")):
        transaction = kind(request(method), reliable=True)
        transaction.start(0)
        assert alarms(transaction, 100) == [(32.0, Failed(408))]


def test_a_provisional_response_ends_the_repeats_of_an_invite_and_not_of_others() -> None:
    invite, options = InviteClient(request(), reliable=False), Client(request("OPTIONS"), reliable=False)
    for transaction in (invite, options):
        transaction.start(0)
        transaction.receive(response(transaction.request, 180), 0.2)
    assert alarms(invite, 100) == []
    assert sent_at(alarms(options, 14)) == [0.5, 4.5, 8.5, 12.5]


def test_an_invite_that_rings_without_end_is_given_up_after_three_minutes() -> None:
    transaction = InviteClient(request(), reliable=False)
    transaction.start(0)
    transaction.receive(response(transaction.request, 180), 1)
    assert alarms(transaction, 1000) == [(181.0, Failed(408))]


def test_a_refusal_is_acknowledged_each_time_and_told_once() -> None:
    transaction = InviteClient(request(Route="<sip:proxy.example;lr>"), reliable=False)
    transaction.start(0)
    refusal = response(transaction.request, 486)
    ack, told = transaction.receive(refusal, 1)
    assert told == Deliver(refusal)
    assert isinstance(ack, Send)
    assert isinstance(ack.message, Request)
    assert (ack.message.method, str(ack.message.cseq), ack.message.to.tag) == ("ACK", "1 ACK", "ours")
    assert (ack.message.via, ack.message.headers.all("Route")) == (transaction.request.via, ["<sip:proxy.example;lr>"])
    assert transaction.receive(refusal, 2) == [ack]
    assert alarms(transaction, 32.9) == []
    assert not transaction.is_over
    alarms(transaction, 33)
    assert transaction.is_over


def test_each_2xx_of_an_invite_is_told_for_32_s_as_forks_answer_one_by_one() -> None:
    transaction = InviteClient(request(), reliable=True)
    transaction.start(0)
    first, second = response(transaction.request, 200, tag="a"), response(transaction.request, 200, tag="b")
    assert [transaction.receive(answer, at) for at, answer in ((1, first), (2, second))] == [
        [Deliver(first)],
        [Deliver(second)],
    ]
    assert alarms(transaction, 40) == []
    assert transaction.is_over


def test_a_final_response_to_another_request_is_told_once() -> None:
    transaction = Client(request("BYE"), reliable=False)
    transaction.start(0)
    answer = response(transaction.request, 200)
    assert transaction.receive(answer, 1) == [Deliver(answer)]
    assert transaction.receive(answer, 2) == []
    assert alarms(transaction, 6) == []
    assert transaction.is_over


def test_an_invite_that_comes_again_gets_the_last_response_again() -> None:
    transaction = InviteServer(request(), reliable=False)
    assert transaction.receive(transaction.request, 0.1) == []
    ringing = response(transaction.request, 180)
    transaction.respond(ringing, 0.2)
    assert transaction.receive(transaction.request, 0.5) == [Send(ringing)]


def test_a_refusal_is_sent_again_until_its_ack_comes() -> None:
    transaction = InviteServer(request(), reliable=False)
    transaction.respond(response(transaction.request, 486), 0)
    assert sent_at(alarms(transaction, 8)) == [0.5, 1.5, 3.5, 7.5]
    assert transaction.receive(request("ACK"), 8) == []
    assert transaction.state is State.CONFIRMED
    assert alarms(transaction, 100) == []
    assert transaction.is_over


def test_a_refusal_that_nobody_acknowledges_is_told_after_32_s() -> None:
    transaction = InviteServer(request(), reliable=True)
    transaction.respond(response(transaction.request, 486), 0)
    assert alarms(transaction, 100) == [(32.0, Failed(408))]


def test_after_a_2xx_the_invite_again_is_swallowed_and_its_ack_is_told() -> None:
    transaction = InviteServer(request(), reliable=False)
    transaction.respond(response(transaction.request, 200), 0)
    assert transaction.receive(transaction.request, 0.5) == []
    ack = request("ACK")
    assert transaction.receive(ack, 1) == [Deliver(ack)]
    assert alarms(transaction, 100) == []
    assert transaction.is_over


def test_the_same_2xx_may_be_sent_again_by_who_sent_it() -> None:
    transaction = InviteServer(request(), reliable=False)
    answer = response(transaction.request, 200)
    assert transaction.respond(answer, 0) == transaction.respond(answer, 0.5) == [Send(answer)]


def test_after_a_final_response_no_other_is_sent() -> None:
    invite, bye = InviteServer(request(), reliable=False), Server(request("BYE"), reliable=False)
    for transaction in (invite, bye):
        assert statuses(transaction.respond(response(transaction.request, 404), 0)) == [404]
        assert transaction.respond(response(transaction.request, 200), 0.1) == []


def test_a_request_that_comes_again_gets_its_answer_again_for_32_s() -> None:
    transaction = Server(request("BYE"), reliable=False)
    assert transaction.receive(transaction.request, 0) == []
    transaction.respond(response(transaction.request, 200), 1)
    assert statuses(transaction.receive(transaction.request, 30)) == [200]
    alarms(transaction, 33)
    assert transaction.is_over


@pytest.mark.parametrize("kind", [InviteClient, Client])
def test_what_cannot_be_sent_is_told_as_503(kind: type[InviteClient] | type[Client]) -> None:
    transaction = kind(request("INVITE" if kind is InviteClient else "BYE"), reliable=True)
    transaction.start(0)
    assert transaction.fault() == [Failed(503)]
    assert transaction.is_over
    assert transaction.fault() == []


@pytest.mark.parametrize("table", [INVITE_CLIENT, CLIENT, INVITE_SERVER, SERVER])
def test_from_every_state_there_is_a_way_to_the_end(table: Table) -> None:
    def reachable(state: State) -> set[State]:
        seen, now = {state}, {state}
        while now:
            now = set(itertools.chain.from_iterable(table[one].values() for one in now)) - seen
            seen |= now
        return seen

    assert all(State.TERMINATED in reachable(state) for state in table)
    assert table[State.TERMINATED] == {}
