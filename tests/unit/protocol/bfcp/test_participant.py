"""A client of another's floor: what it asks, what it may show, and what it makes of news."""

from collections.abc import Callable

import floor_octets as octets
import pytest
from floor_octets import Told, told
from hypothesis import given
from hypothesis import strategies as some

from mcu.protocol.bfcp.end import Ids
from mcu.protocol.bfcp.floor import Floor
from mcu.protocol.bfcp.participant import MayShow, Participant, TheyShow

FLOOR = 5
IDS = Ids(1234, 7)


def information(request: int, state: int, user: int = 7, *, overall: bool = True) -> bytes:
    """As another's server writes it: of all floors, or of the one alone."""
    status = octets.attribute(5, bytes([state, 0]))
    kind, number = (18, request) if overall else (17, FLOOR)
    group = octets.attribute(kind, number.to_bytes(2) + status)
    whose = octets.attribute(14, user.to_bytes(2))
    return octets.attribute(15, request.to_bytes(2) + group + whose)


class Talk:
    """The client, by datagrams, over simulated time, and what its server says. `events`: what its owner is told."""

    def __init__(self, *, reliable: bool = False) -> None:
        self.client, self.now, self._transaction = Participant(IDS, FLOOR, reliable=reliable), 0.0, 0
        self.events: list[MayShow | TheyShow] = []

    def do(self, act: Callable[..., None], *how: bool) -> list[Told]:
        act(*how, self.now)
        return self.take()

    def take(self) -> list[Told]:
        taken = self.client.take()
        self.events += [one for one in taken if not isinstance(one, bytes)]
        return [told(one) for one in taken if isinstance(one, bytes)]

    def hear(self, data: bytes) -> list[Told]:
        self.client.datagram(data, self.now)
        return self.take()

    def answer(self, question: Told, primitive: int, *attributes: bytes) -> list[Told]:
        return self.hear(octets.message(primitive, *attributes, transaction=question.transaction, response=True))

    def news(self, primitive: int, *attributes: bytes) -> list[Told]:
        """Of theirs: it is acknowledged, and what follows that is returned."""
        self._transaction += 1
        ack, *rest = self.hear(octets.message(primitive, *attributes, transaction=self._transaction))
        expected = {4: octets.REQUEST_STATUS_ACK, 8: octets.FLOOR_STATUS_ACK, 16: octets.GOODBYE_ACK}[primitive]
        assert (ack.primitive, ack.transaction, ack.response) == (expected, self._transaction, True)
        return rest

    def floor(self, *who: bytes) -> list[Told]:
        return self.news(octets.FLOOR_STATUS, octets.number(2, FLOOR), *who)

    def begun(self) -> None:
        [query] = self.do(self.client.begin)
        assert (query.primitive, query.attributes) == (octets.FLOOR_QUERY, [(2, b"\0\x05")])
        assert (query.conference, query.user, query.response) == (1234, 7, False)
        assert self.answer(query, octets.FLOOR_STATUS, octets.number(2, FLOOR)) == []

    def asked(self) -> Told:
        self.begun()
        [request] = self.do(self.client.wants, True)
        assert (request.primitive, request.attributes) == (octets.REQUEST, [(2, b"\0\x05")])
        return request

    def granted(self) -> None:
        self.answer(self.asked(), octets.REQUEST_STATUS, information(33, octets.PENDING))
        assert self.events == []
        self.news(octets.REQUEST_STATUS, information(33, octets.GRANTED))
        assert self.events == [MayShow(True)]


@pytest.fixture
def talk() -> Talk:
    return Talk()


def test_who_wants_the_floor_asks_and_may_show_once_it_is_granted(talk: Talk) -> None:
    talk.granted()
    [release] = talk.do(talk.client.wants, False)
    assert (release.primitive, release.attributes) == (octets.RELEASE, [(3, b"\0\x21")])
    talk.answer(release, octets.REQUEST_STATUS, information(33, octets.RELEASED))
    assert talk.events == [MayShow(True), MayShow(False)]


def test_a_state_may_be_said_of_the_floor_alone(talk: Talk) -> None:
    talk.answer(talk.asked(), octets.REQUEST_STATUS, information(33, octets.GRANTED, overall=False))
    assert talk.events == [MayShow(True)]


def test_news_of_a_request_may_overtake_the_answer_to_it(talk: Talk) -> None:
    request = talk.asked()
    talk.news(octets.REQUEST_STATUS, information(33, octets.GRANTED))
    talk.answer(request, octets.REQUEST_STATUS, information(33, octets.PENDING))
    assert (talk.events, talk.client.granted) == ([MayShow(True)], True)


def test_who_wants_it_no_more_before_it_has_a_number_lets_it_go_then(talk: Talk) -> None:
    request = talk.asked()
    assert talk.do(talk.client.wants, False) == []
    [release] = talk.answer(request, octets.REQUEST_STATUS, information(33, octets.PENDING))
    assert release.primitive == octets.RELEASE
    assert talk.do(talk.client.wants, True) == []
    [again] = talk.answer(release, octets.REQUEST_STATUS, information(33, octets.CANCELLED))
    assert again.primitive == octets.REQUEST


@pytest.mark.parametrize("end", [octets.REVOKED, octets.DENIED, octets.RELEASED])
def test_who_loses_it_asks_again_when_it_is_free_and_not_before(talk: Talk, end: int) -> None:
    talk.granted()
    assert talk.floor(information(40, octets.GRANTED, 1)) == []
    assert talk.news(octets.REQUEST_STATUS, information(33, end)) == []
    assert talk.events[1:] == [TheyShow(True), MayShow(False)]
    [again] = talk.floor()
    assert (again.primitive, talk.events[-1]) == (octets.REQUEST, TheyShow(False))
    assert talk.answer(again, octets.ERROR, octets.attribute(6, b"\x05")) == []
    assert talk.floor() == []


def test_its_own_request_is_not_anothers(talk: Talk) -> None:
    talk.granted()
    talk.floor(information(33, octets.GRANTED, 9))  # by its number: some name nobody
    talk.floor(information(90, octets.GRANTED, 7))  # by its user
    talk.floor(information(40, octets.PENDING, 1))
    talk.news(octets.FLOOR_STATUS, octets.number(2, FLOOR + 1), information(40, octets.GRANTED, 1))
    assert talk.events == [MayShow(True)]


@pytest.mark.parametrize("answer", [octets.attribute(6, b"\x08"), b"", octets.attribute(15, b"\0\x21")])
def test_what_cannot_be_followed_is_a_refusal(talk: Talk, answer: bytes) -> None:
    primitive = octets.ERROR if answer[:1] == b"\x0d" else octets.REQUEST_STATUS
    assert talk.answer(talk.asked(), primitive, *([answer] if answer else [])) == []
    assert talk.do(talk.client.wants, False) == []
    [again] = talk.do(talk.client.wants, True)
    assert again.primitive == octets.REQUEST


def test_news_that_comes_twice_is_acknowledged_twice_and_followed_once(talk: Talk) -> None:
    talk.granted()
    revoked = octets.message(octets.REQUEST_STATUS, information(33, octets.REVOKED), transaction=9)
    granted = octets.message(octets.REQUEST_STATUS, information(34, octets.GRANTED), transaction=1)
    assert [one.primitive for one in talk.hear(revoked) + talk.hear(revoked)] == [octets.REQUEST_STATUS_ACK] * 2
    assert talk.hear(granted)[0].primitive == octets.REQUEST_STATUS_ACK  # that it was granted, once more
    assert talk.events == [MayShow(True), MayShow(False)]


def test_a_server_that_answers_no_more_has_taken_the_floor_with_it_and_is_tried_when_there_is_more_to_show(
    talk: Talk,
) -> None:
    talk.granted()
    talk.floor(information(40, octets.GRANTED, 1))
    [release] = talk.do(talk.client.wants, False)
    said = []
    while (due := talk.client.next_timer()) is not None:
        talk.now = due
        talk.client.handle_timer(due)
        said += talk.take()
    assert said == [release] * 3
    assert talk.events[-2:] == [MayShow(False), TheyShow(False)]
    assert [one.primitive for one in talk.do(talk.client.wants, True)] == [octets.FLOOR_QUERY, octets.REQUEST]


def test_goodbye_is_the_end_of_it(talk: Talk) -> None:
    talk.granted()
    talk.news(octets.GOODBYE)
    assert talk.events[-1] == MayShow(False)


def test_what_it_need_not_know_is_let_be(talk: Talk) -> None:
    talk.granted()
    broken = octets.attribute(15, b"\0\x21\x25")
    for data in (
        octets.message(octets.REQUEST_STATUS, broken, transaction=50),
        octets.message(octets.HELLO, transaction=51),
        octets.message(99, transaction=52),
        octets.message(octets.REQUEST_STATUS, information(33, octets.REVOKED), transaction=53, response=True),
        b"\x40",
    ):
        assert all(one.primitive == octets.REQUEST_STATUS_ACK for one in talk.hear(data))
    assert talk.client.granted


def test_over_a_connection_news_has_no_number_and_is_not_acknowledged() -> None:
    talk = Talk(reliable=True)
    query, request = talk.do(talk.client.wants, True) + talk.do(talk.client.begin)
    assert (query.version, query.transaction, talk.client.next_timer()) == (1, 1, None)
    said = information(33, octets.GRANTED)
    assert talk.hear(octets.message(octets.REQUEST_STATUS, said, version=1, transaction=request.transaction)) == []
    assert (
        talk.hear(octets.message(octets.REQUEST_STATUS, information(33, octets.REVOKED), version=1, transaction=0))
        == []
    )
    assert talk.events == [MayShow(True), MayShow(False)]
    talk.client.lost()
    assert [one.primitive for one in talk.do(talk.client.begin)] == [octets.FLOOR_QUERY, octets.REQUEST]


class Both:
    """The client, and a server of ours. `shows` and `they`: what the client's owner has been told."""

    def __init__(self) -> None:
        self.floor, self.client, self.now = Floor(IDS, reliable=False), Participant(IDS, 1, reliable=False), 0.0
        self.shows = self.they = False
        self.client.begin(self.now)
        self._pump()

    def do(self, step: str) -> None:
        match step:
            case "want" | "not":
                self.client.wants(step == "want", self.now)
            case "other" | "free":
                self.floor.others(step == "other", self.now)
            case "wait":
                self.now += 20.0
            case _:
                getattr(self.floor, step)(self.now)
        self._pump()

    def _pump(self) -> None:
        while said := [*self.floor.take(), *self.client.take()]:
            for one in said:
                if isinstance(one, MayShow):
                    self.shows = one.on
                elif isinstance(one, TheyShow):
                    self.they = one.on
                elif isinstance(one, bytes):
                    to_client = one[1] in SERVERS
                    (self.client if to_client else self.floor).datagram(one, self.now)


SERVERS = (octets.REQUEST_STATUS, octets.FLOOR_STATUS, octets.ERROR)  # what a server says
STEPS = ["want", "not", "grant", "deny", "revoke", "other", "free", "wait"]


@given(some.lists(some.sampled_from(STEPS), max_size=30))
def test_with_a_server_of_ours_it_shows_only_while_it_has_been_granted_the_floor(steps: list[str]) -> None:
    both, wanted, they = Both(), False, False
    for step in steps:
        both.do(step)
        wanted = wanted if step not in ("want", "not") else step == "want"
        they = they if step not in ("other", "free") else step == "other"
        assert both.shows == both.client.granted == both.floor.granted
        assert both.they == they
        assert wanted or both.floor.state is None
