"""A byte stream cut into messages, whatever pieces it comes in."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sip_messages import request, response

from mcu.protocol.sip import stream
from mcu.protocol.sip.grammar import Malformed
from mcu.protocol.sip.headers import Headers
from mcu.protocol.sip.message import MAX_HEAD, Request, Response, read_fields
from mcu.protocol.sip.stream import Ping, Pong, Stream

INVITE = request(Content_Type="application/sdp")
SDP = Request(INVITE.method, INVITE.target, headers=INVITE.headers, body=b"v=0\r\n\r\n\r\n")
WIRE = bytes(SDP) + b"\r\n\r\n" + bytes(response(INVITE, 180)) + b"\r\n" + bytes(request("BYE"))


def kinds(data: bytes, cuts: list[int]) -> list[object]:
    stream, found = Stream(), list[object]()
    edges = [0, *sorted(cut % len(data) for cut in cuts), len(data)]
    for start, end in itertools.pairwise(edges):
        found += stream.feed(data[start:end])
    return [
        one.method if isinstance(one, Request) else one.status if isinstance(one, Response) else type(one)
        for one in found
    ]


@given(st.lists(st.integers(0, 10_000), max_size=12))
def test_however_the_stream_is_cut_the_same_comes_out(cuts: list[int]) -> None:
    found = kinds(WIRE, cuts)
    assert [one for one in found if one is not Pong] == ["INVITE", Ping, 180, "BYE"]
    assert found[-2:] == [Pong, "BYE"]


def test_a_message_is_out_with_its_last_byte_and_not_before() -> None:
    stream, data = Stream(), bytes(SDP)
    assert list(stream.feed(data[:-1])) == []
    (message,) = stream.feed(data[-1:])
    assert isinstance(message, Request)
    assert message.body == SDP.body


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"INVITE sip:a@b SIP/2.0\r\nVia: x\r\n\r\n", 400),
        (b"INVITE sip:a@b SIP/2.0\r\nContent-Length: many\r\n\r\n", 400),
        (b"INVITE sip:a@b SIP/2.0\r\nContent-Length: 1000000\r\n\r\n", 513),
        (b"a" * (MAX_HEAD + 1), 513),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
    ],
    ids=["no length", "a length that is no number", "a body without bound", "fields without end", "what is not SIP"],
)
def test_a_stream_is_lost_that_has(data: bytes, status: int) -> None:
    with pytest.raises(Malformed) as lost:
        list(Stream().feed(data))
    assert lost.value.sip == status


def test_a_ping_is_known_in_whatever_pieces_it_comes() -> None:
    for cuts in ([1], [2], [3], [1, 2, 3]):
        assert kinds(b"\r\n\r\n" + bytes(SDP), cuts)[-2:] == [Ping, "INVITE"]


def test_two_pongs_in_a_row_are_no_ping_when_a_message_is_between() -> None:
    assert kinds(b"\r\n" + bytes(SDP) + b"\r\n", [2]) == [Pong, "INVITE", Pong]


def test_the_head_of_a_message_is_read_no_more_often_for_a_body_that_comes_slowly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reads: list[str] = []
    monkeypatch.setattr(stream, "read_fields", lambda text: reads.append(text) or read_fields(text))
    line, body = Stream(), b"x" * 500
    message = bytes(Request("INFO", "sip:bo@example.com", headers=Headers([]), body=body))
    came = [one for at in range(len(message)) for one in line.feed(message[at : at + 1])]
    assert [one.body for one in came if isinstance(one, Request)] == [body]
    assert len(reads) == 1
