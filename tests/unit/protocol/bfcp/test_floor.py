"""The server of a floor: what its client asks, what it is told, and what of that is lost on the way."""

import floor_octets as octets
import pytest
from floor_octets import Told, told

from mcu.protocol.bfcp.end import Ids
from mcu.protocol.bfcp.floor import Asked, Floor, Released
from mcu.protocol.bfcp.message import Code
from mcu.protocol.bfcp.repeats import KEPT_MAX, SENT_MAX, T2

FLOOR_1 = octets.number(2, 1)


class Talk:
    """A client by datagrams, over simulated time. `events`: what the floor has told its owner."""

    def __init__(self) -> None:
        self.floor, self.now, self._transaction = Floor(Ids(1234, 7), reliable=False), 0.0, 0
        self.events: list[Asked | Released] = []

    def ask(self, primitive: int, *attributes: bytes, **header: int) -> list[Told]:
        self._transaction += 1
        return self.say(octets.message(primitive, *attributes, **{"transaction": self._transaction, **header}))  # type: ignore[arg-type] # all are numbers

    def say(self, data: bytes) -> list[Told]:
        self.floor.datagram(data, self.now)
        return self.take()

    def take(self) -> list[Told]:
        taken = self.floor.take()
        self.events += [one for one in taken if not isinstance(one, bytes)]
        return [told(one) for one in taken if isinstance(one, bytes)]

    def do(self, what: str, *said: bool) -> list[Told]:
        """`grant`, `deny`, `revoke`, `others`."""
        getattr(self.floor, what)(*said, self.now)
        return self.take()

    def wait(self, seconds: float) -> list[Told]:
        found, until = [], self.now + seconds
        while (due := self.floor.next_timer()) is not None and due <= until:
            self.now = due
            self.floor.handle_timer(due)
            found += self.take()
        self.now = until
        return found

    def acknowledge(self, one: Told) -> None:
        ack = octets.REQUEST_STATUS_ACK if one.primitive == octets.REQUEST_STATUS else octets.FLOOR_STATUS_ACK
        assert self.ask(ack, transaction=one.transaction, response=True) == []

    def granted(self) -> int:
        """The number of a request that is."""
        [pending] = self.ask(octets.REQUEST, FLOOR_1)
        for one in self.do("grant"):
            self.acknowledge(one)
        return pending.request


@pytest.fixture
def talk() -> Talk:
    return Talk()


def test_who_asks_waits_until_it_is_granted_and_releases_it(talk: Talk) -> None:
    [pending] = talk.ask(octets.REQUEST, FLOOR_1, octets.attribute(4, b"\x40\0"))
    assert (pending.primitive, pending.state, pending.response) == (octets.REQUEST_STATUS, octets.PENDING, True)
    assert (pending.conference, pending.user, pending.transaction) == (1234, 7, 1)
    assert talk.events == [Asked()]
    [granted] = talk.do("grant")
    assert (granted.state, granted.response, granted.request) == (octets.GRANTED, False, pending.request)
    assert granted.transaction != 0
    assert talk.floor.granted
    [released] = talk.ask(octets.RELEASE, octets.number(3, pending.request))
    assert (released.state, talk.events) == (octets.RELEASED, [Asked(), Released()])
    assert not talk.floor.granted


def test_a_request_that_waits_is_cancelled(talk: Talk) -> None:
    [pending] = talk.ask(octets.REQUEST, FLOOR_1)
    [cancelled] = talk.ask(octets.RELEASE, octets.number(3, pending.request))
    assert cancelled.state == octets.CANCELLED
    assert talk.do("grant") == []


@pytest.mark.parametrize(("how", "state"), [("deny", octets.DENIED), ("revoke", octets.REVOKED)])
def test_who_loses_it_is_told_and_may_ask_again(talk: Talk, how: str, state: int) -> None:
    if how == "revoke":
        request = talk.granted()
    else:
        [pending] = talk.ask(octets.REQUEST, FLOOR_1)
        request = pending.request
    [lost] = talk.do(how)
    assert (lost.state, lost.request) == (state, request)
    [again] = talk.ask(octets.REQUEST, FLOOR_1)
    assert (again.state, again.request) == (octets.PENDING, request + 1)


def test_who_wants_to_hear_of_the_floor_is_told_that_others_have_it_and_not_who(talk: Talk) -> None:
    assert talk.do("others", True) == []
    [status] = talk.ask(octets.FLOOR_QUERY, FLOOR_1)
    assert (status.primitive, status.state) == (octets.FLOOR_STATUS, octets.GRANTED)
    assert {kind for kind, _ in status.attributes} == {2, 15}
    [free] = talk.do("others", False)
    assert [kind for kind, _ in free.attributes] == [2]
    talk.acknowledge(free)
    _, own = talk.ask(octets.REQUEST, FLOOR_1) + talk.do("grant")[1:]
    assert (own.primitive, own.state) == (octets.FLOOR_STATUS, octets.GRANTED)
    assert talk.ask(octets.FLOOR_QUERY)[0].attributes == []
    assert talk.do("others", True) == []


def test_hello_names_what_is_understood_and_a_query_what_there_is(talk: Talk) -> None:
    [hello] = talk.ask(octets.HELLO)
    assert hello.primitive == octets.HELLO_ACK
    said = dict(hello.attributes)
    assert {octets.REQUEST, octets.RELEASE, octets.FLOOR_QUERY, octets.GOODBYE} <= set(said[11])
    assert {kind << 1 for kind in range(1, 19)} == set(said[10])
    assert talk.ask(octets.USER_QUERY)[0].primitive == octets.USER_STATUS
    request = talk.granted()
    assert talk.ask(octets.USER_QUERY)[0].state == octets.GRANTED
    assert talk.ask(octets.REQUEST_QUERY, octets.number(3, request))[0].state == octets.GRANTED


def test_who_says_goodbye_has_the_floor_no_more(talk: Talk) -> None:
    talk.granted()
    [bye] = talk.ask(octets.GOODBYE)
    assert (bye.primitive, talk.events[-1]) == (octets.GOODBYE_ACK, Released())


@pytest.mark.parametrize(
    ("primitive", "attributes", "code"),
    [
        (octets.REQUEST, [], Code.INVALID_FLOOR),
        (octets.REQUEST, [octets.number(2, 2)], Code.INVALID_FLOOR),
        (octets.REQUEST, [FLOOR_1, octets.number(2, 2)], Code.INVALID_FLOOR),
        (octets.REQUEST, [octets.attribute(2, b"\0\0\0\1")], Code.UNABLE_TO_PARSE),
        (octets.REQUEST, [FLOOR_1, octets.number(1, 8)], Code.UNAUTHORIZED_OPERATION),
        (octets.USER_QUERY, [octets.number(1, 8)], Code.UNAUTHORIZED_OPERATION),
        (octets.RELEASE, [octets.number(3, 1)], Code.REQUEST_DOES_NOT_EXIST),
        (octets.REQUEST_QUERY, [], Code.REQUEST_DOES_NOT_EXIST),
        (octets.FLOOR_QUERY, [octets.number(2, 9)], Code.INVALID_FLOOR),
        (octets.CHAIR, [], Code.UNAUTHORIZED_OPERATION),
        (octets.FLOOR_STATUS, [], Code.UNKNOWN_PRIMITIVE),
        (99, [], Code.UNKNOWN_PRIMITIVE),
        (octets.HELLO, [octets.attribute(77, b"")], Code.UNKNOWN_MANDATORY_ATTRIBUTE),
    ],
)
def test_what_cannot_be_done_is_answered_by_an_error(
    talk: Talk, primitive: int, attributes: list[bytes], code: Code
) -> None:
    [refused] = talk.ask(primitive, *attributes)
    assert (refused.primitive, refused.error, refused.response) == (octets.ERROR, code, True)
    assert talk.events == []


def test_what_is_not_known_and_need_not_be_is_let_be(talk: Talk) -> None:
    assert talk.ask(octets.HELLO, octets.attribute(77, b"x", mandatory=False))[0].primitive == octets.HELLO_ACK


def test_one_asks_once_at_a_time(talk: Talk) -> None:
    talk.granted()
    assert talk.ask(octets.REQUEST, FLOOR_1)[0].error == Code.TOO_MANY_REQUESTS


def test_the_version_of_connections_is_not_that_of_datagrams(talk: Talk) -> None:
    [refused] = talk.ask(octets.HELLO, version=1)
    assert (refused.version, refused.error) == (2, Code.UNSUPPORTED_VERSION)


def test_what_cannot_be_read_is_answered_and_an_error_never(talk: Talk) -> None:
    broken = octets.message(octets.REQUEST, b"\x05\xff\x00\x00")
    assert talk.say(broken)[0].error == Code.UNABLE_TO_PARSE
    assert talk.say(octets.message(octets.ERROR, b"\x05\xff\x00\x00", transaction=3)) == []
    assert talk.say(octets.message(octets.ERROR, octets.attribute(6, b"\x03"), transaction=4)) == []
    assert talk.say(b"\x40") == []


# -- what is lost on the way ----------------------------------------------------------------------------------------


def test_a_question_that_comes_twice_is_done_once_and_answered_twice(talk: Talk) -> None:
    question = octets.message(octets.REQUEST, FLOOR_1, transaction=5)
    assert talk.say(question) == talk.say(question)
    assert talk.events == [Asked()]
    talk.wait(T2 + 1)
    assert talk.say(question)[0].error == Code.TOO_MANY_REQUESTS


def test_answers_are_kept_for_so_many_questions(talk: Talk) -> None:
    question = octets.message(octets.REQUEST, FLOOR_1, transaction=60_000)
    talk.say(question)
    for _ in range(KEPT_MAX):
        talk.ask(octets.HELLO)
    assert talk.say(question)[0].error == Code.TOO_MANY_REQUESTS


def test_who_acknowledges_no_news_is_told_it_ever_slower_and_then_has_no_floor(talk: Talk) -> None:
    talk.ask(octets.REQUEST, FLOOR_1)
    [granted] = talk.do("grant")
    times = []
    while (due := talk.floor.next_timer()) is not None:
        times.append(due)
        assert talk.wait(due - talk.now) in ([granted], [])
    assert times == [0.5, 1.5, 3.5, 7.5]
    assert len(times) == SENT_MAX
    assert (talk.events, talk.floor.granted) == ([Asked(), Released()], False)


def test_news_that_is_acknowledged_is_not_repeated(talk: Talk) -> None:
    talk.ask(octets.REQUEST, FLOOR_1)
    [granted] = talk.do("grant")
    assert talk.wait(0.6) == [granted]
    talk.acknowledge(granted)
    assert talk.wait(20) == []


def test_newer_news_takes_the_place_of_what_was_not_acknowledged(talk: Talk) -> None:
    talk.ask(octets.REQUEST, FLOOR_1)
    talk.do("grant")
    [revoked] = talk.do("revoke")
    assert talk.wait(0.6) == [revoked]


def test_over_a_connection_news_has_no_number_and_is_not_repeated() -> None:
    talk = Talk()
    talk.floor = Floor(Ids(1234, 7), reliable=True)
    [pending] = talk.ask(octets.REQUEST, FLOOR_1, version=1)
    [granted] = talk.do("grant")
    assert (pending.version, pending.response, pending.transaction) == (1, False, 1)
    assert (granted.version, granted.transaction, talk.floor.next_timer()) == (1, 0, None)
    talk.floor.lost()
    talk.take()
    assert (talk.events, talk.floor.granted) == ([Asked(), Released()], False)
