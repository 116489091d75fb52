"""BFCP's octets: written apart from the code that reads them."""

import floor_octets as octets
import pytest

from mcu.protocol.bfcp.fragments import PIECES_MAX, Assembly
from mcu.protocol.bfcp.message import (
    Attribute,
    Code,
    Malformed,
    Message,
    Primitive,
    Type,
    grouped,
    number,
    read_header,
)
from mcu.protocol.bfcp.stream import Stream

ASKED = octets.message(octets.REQUEST, octets.number(2, 1), octets.attribute(8, b"slides"), transaction=9)


def read(data: bytes) -> Message:
    found = Assembly().feed(data)
    assert found is not None
    return found


def test_a_message_is_read_as_the_rfc_draws_it() -> None:
    found = read(ASKED)
    assert (found.version, found.primitive, found.response) == (2, Primitive.FLOOR_REQUEST, False)
    assert (found.conference, found.transaction, found.user) == (1234, 9, 7)
    assert found.attributes == (Attribute(2, b"\0\1", True), Attribute(8, b"slides", True))
    assert found.numbers(Type.FLOOR_ID) == [1]


def test_what_is_written_is_read_by_others() -> None:
    status = Attribute(Type.REQUEST_STATUS, bytes([3, 0]))
    about = grouped(Type.FLOOR_REQUEST_INFORMATION, 5, grouped(Type.OVERALL_REQUEST_STATUS, 5, status))
    message = Message(
        version=2,
        primitive=Primitive.FLOOR_STATUS,
        conference=1234,
        transaction=3,
        user=7,
        response=True,
        attributes=(number(Type.FLOOR_ID, 1), about, Attribute(Type.STATUS_INFO, b"odd")),
    )
    told = octets.told(bytes(message))
    assert (told.version, told.response, told.primitive, told.user) == (2, True, octets.FLOOR_STATUS, 7)
    assert (told.request, told.state) == (5, octets.GRANTED)
    assert dict(told.attributes)[9] == b"odd"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", Code.INCORRECT_LENGTH),
        (ASKED[:11], Code.INCORRECT_LENGTH),
        (ASKED[:-4], Code.INCORRECT_LENGTH),
        (ASKED + b"\0\0\0\0", Code.INCORRECT_LENGTH),
        (octets.message(1)[:2] + b"\xff\xff" + octets.message(1)[4:], Code.INCORRECT_LENGTH),
        (octets.message(1, b"\x05\x00\x00\x00"), Code.UNABLE_TO_PARSE),
        (octets.message(1, b"\x05\x01\x00\x00"), Code.UNABLE_TO_PARSE),
        (octets.message(1, b"\x05\x05\x00\x01"), Code.UNABLE_TO_PARSE),
        (octets.message(1, octets.number(2, 1), b"\x05\xff\x00\x01"), Code.UNABLE_TO_PARSE),
        (octets.fragments(ASKED, 1)[0][:13], Code.INCORRECT_LENGTH),
        (octets.fragments(ASKED, 1)[0] + b"\0", Code.INCORRECT_LENGTH),
        (octets.fragments(ASKED + bytes(40), 2, 9)[1], Code.INCORRECT_LENGTH),
    ],
    ids=[
        *("nothing", "half a header", "cut", "too long", "much announced", "attribute of none", "attribute of one"),
        *("attribute beyond the end", "second beyond the end", "half a fragment", "fragment too long", "beyond"),
    ],
)
def test_what_is_no_message_is_refused_and_says_why(data: bytes, code: Code) -> None:
    with pytest.raises(Malformed) as refused:
        Assembly().feed(data)
    assert refused.value.code is code


def test_a_number_of_another_size_is_no_number() -> None:
    with pytest.raises(Malformed):
        read(octets.message(1, octets.attribute(2, b"\0\0\1\0"))).numbers(Type.FLOOR_ID)


def test_fragments_make_a_message_in_any_order_and_twice() -> None:
    first, second, third = octets.fragments(ASKED, 1, 1, 1)
    assembly = Assembly()
    assert [assembly.feed(one) for one in (third, first, first)] == [None, None, None]
    assert assembly.feed(second) == read(ASKED)


def test_fragments_of_another_message_take_the_place_of_those_that_were_there() -> None:
    other = octets.message(octets.HELLO, octets.number(2, 1), transaction=10)
    [first, *_] = octets.fragments(ASKED, 1, 2)
    assembly = Assembly()
    assembly.feed(first)
    [whole] = octets.fragments(other, 1)
    assert assembly.feed(whole) == read(other)
    assert assembly.feed(octets.fragments(ASKED, 1, 2)[1]) is None


def test_endless_fragments_are_let_go() -> None:
    long = octets.message(octets.HELLO, *[octets.number(1, 7)] * (PIECES_MAX + 2))
    assembly = Assembly()
    pieces = octets.fragments(long, *[1] * (PIECES_MAX + 2))[1:]
    with pytest.raises(Malformed):
        list(map(assembly.feed, pieces))


def test_a_fragment_of_nothing_ends_nothing() -> None:
    [empty] = octets.fragments(ASKED, 0)
    assert Assembly().feed(empty) is None


def test_messages_of_a_connection_are_told_apart_wherever_it_is_cut() -> None:
    two = ASKED + octets.message(octets.HELLO)
    for cut in range(len(two)):
        stream = Stream()
        found = [*stream.feed(two[:cut]), *stream.feed(two[cut:])]
        assert [one.primitive for one in found] == [Primitive.FLOOR_REQUEST, Primitive.HELLO]


def test_a_connection_that_announces_much_is_refused_before_it_comes() -> None:
    head = octets.message(octets.HELLO)
    with pytest.raises(Malformed):
        list(Stream().feed(head[:2] + b"\xff\xff" + head[4:]))


def test_a_header_says_whose_message_it_is() -> None:
    header = read_header(ASKED)
    assert (header.conference, header.user, header.length) == (1234, 7, 12)
