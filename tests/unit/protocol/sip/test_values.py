"""URIs and header fields: what is written is read back; comparing; where responses go."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sip_messages import request, response

from mcu.protocol.sip.grammar import Malformed, listed, quoted, unquoted
from mcu.protocol.sip.headers import Headers
from mcu.protocol.sip.message import Request, read
from mcu.protocol.sip.uri import SipUri, TelUri, parse_uri
from mcu.protocol.sip.values import Address, Via, parse_address, parse_credentials, parse_rack, parse_valued, parse_via

words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=12)
tokens = st.text("abcXYZ019-.!%*_+`'~", min_size=1, max_size=10)
hosts = st.sampled_from(["mcu.example", "192.0.2.1", "[2001:db8::1]", "a-b.c"])
ports = st.none() | st.integers(0, 65535)
params = st.dictionaries(tokens.map(str.lower), st.none() | words.filter(bool), max_size=3)
uris = st.builds(
    SipUri,
    host=hosts,
    user=st.none() | words.filter(bool),
    port=ports,
    params=st.dictionaries(st.text("abc019-_.", min_size=1, max_size=6), st.none() | words.filter(bool), max_size=3),
    headers=st.dictionaries(st.text("abcXYZ-", min_size=1, max_size=6), words, max_size=2),
    secure=st.booleans(),
)


@given(uris)
def test_a_uri_that_is_written_is_read_back(uri: SipUri) -> None:
    assert parse_uri(str(uri)) == uri


@given(uris, words, params)
def test_an_address_that_is_written_is_read_back(uri: SipUri, name: str, extra: dict[str, str | None]) -> None:
    address = Address(uri, name, extra)
    assert parse_address(str(address)) == address


@given(hosts, ports, params)
def test_a_via_that_is_written_is_read_back(host: str, port: int | None, extra: dict[str, str | None]) -> None:
    via = Via("UDP", host, port, extra)
    assert parse_via(str(via)) == via


@given(words)
def test_a_quoted_string_means_what_was_quoted(text: str) -> None:
    assert unquoted(quoted(text)) == text


@given(st.lists(st.tuples(tokens, words.map(str.strip)), max_size=8), st.binary(max_size=50))
def test_a_request_that_is_written_is_read_back(fields: list[tuple[str, str]], body: bytes) -> None:
    kept = [(name, value) for name, value in fields if name.lower() not in ("content-length", "l")]
    written = Request("INFO", "sip:a@b", headers=Headers(kept), body=body)
    found = read(bytes(written))
    assert isinstance(found, Request)
    assert (found.method, found.target, found.body) == ("INFO", "sip:a@b", body)
    assert list(found.headers.without("Content-Length")) == list(written.headers)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtlanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
    ],
)
def test_uris_are_the_same_that_only_spell_it_otherwise(one: str, other: str) -> None:
    first, second = parse_uri(one), parse_uri(other)
    assert isinstance(first, SipUri)
    assert isinstance(second, SipUri)
    assert first.same(second)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:carol@chicago.com;security=off", "sip:carol@chicago.com;security=on"),
        ("sip:carol@chicago.com", "sips:carol@chicago.com"),
    ],
)
def test_uris_are_not_the_same_that_differ_in_what_counts(one: str, other: str) -> None:
    first, second = parse_uri(one), parse_uri(other)
    assert isinstance(first, SipUri)
    assert isinstance(second, SipUri)
    assert not first.same(second)


def test_a_telephone_number_has_no_visual_separators() -> None:
    assert parse_uri("tel:+46-8-(123).45") == TelUri("+46812345")
    assert parse_uri("tel:7042;phone-context=example.com") == TelUri("7042", {"phone-context": "example.com"})


@pytest.mark.parametrize(
    "text",
    [
        "sip:",
        "sip:a@",
        "sip:a b@c",
        "sip:a@b:99999",
        "sip:a@b;x=1;X=2",
        "sip:a@b;;",
        "sip:a@b?x",
        "tel:",
        "tel:hello",
        "a@b",
        "sip:<a>@b",
        "sip:a%4@b",
    ],
)
def test_a_uri_is_refused_that_is_not_whole(text: str) -> None:
    with pytest.raises(Malformed):
        parse_uri(text)


@pytest.mark.parametrize(
    ("read_as", "text"),
    [
        (parse_address, "<sip:a@b"),
        (parse_address, "<sip:a@b> x"),
        (parse_address, "sip:a@b;=x"),
        (parse_via, "SIP/2.0 host"),
        (parse_via, "HTTP/1.1/TCP host"),
        (parse_rack, "1 INVITE"),
        (parse_valued, ";x"),
        (parse_credentials, '"Digest" x=1'),
        (parse_credentials, "Digest realm"),
        (listed, "a,,b"),
    ],
)
def test_a_field_is_refused_that_is_not_whole(read_as: object, text: str) -> None:
    with pytest.raises(Malformed):
        read_as(text)  # type: ignore[operator]


def test_a_response_goes_where_the_request_came_from() -> None:
    via = parse_via("SIP/2.0/UDP 10.0.0.4:5070;rport;branch=z9hG4bK1")
    assert via.answer_to == ("10.0.0.4", 5070)
    assert via.came_from("192.0.2.9", 41000).answer_to == ("192.0.2.9", 41000)


def test_without_rport_a_response_goes_to_the_address_it_came_from_and_the_port_it_says() -> None:
    via = parse_via("SIP/2.0/UDP 10.0.0.4:5070;branch=z9hG4bK1")
    assert via.came_from("192.0.2.9", 41000).answer_to == ("192.0.2.9", 5070)
    assert parse_via("SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1").came_from("192.0.2.9", 41000).params == {
        "branch": "z9hG4bK1"
    }


def test_header_fields_are_known_by_any_spelling() -> None:
    headers = Headers([("v", "1"), ("X-Own", "a"), ("VIA", "2")])
    assert headers.all("Via") == ["1", "2"]
    assert "via" in headers
    assert list(headers.with_("Via", "3")) == [("Via", "3"), ("X-Own", "a")]
    assert list(headers.with_("To", "b").without("v")) == [("X-Own", "a"), ("To", "b")]
    with pytest.raises(Malformed):
        headers.one("Via")


def test_an_address_of_ipv6_from_which_a_request_came_is_written_without_quotes_and_nothing_else_is() -> None:
    seen = parse_via("SIP/2.0/UDP [2001:db8::9:1];rport;branch=z9hG4bKa").came_from("2001:db8::9:255", 4)
    assert "received=2001:db8::9:255" in str(seen)
    assert parse_via(str(seen)).answer_to == ("2001:db8::9:255", 4)
    assert 'received="::1;x"' in str(parse_via('SIP/2.0/UDP a;received="::1;x"'))


def test_control_characters_of_a_name_are_passed_on_to_nobody() -> None:
    assert str(parse_address('"Bo\\\0\\\x07" <sip:bo@example.com>')) == '"Bo" <sip:bo@example.com>'


def test_a_registrar_records_no_route_and_the_first_answer_has_the_time_that_was_said() -> None:
    fields: dict[str, Any] = {"Record_Route": "<sip:proxy.example;lr>", "Timestamp": "54"}
    assert "Record-Route" not in response(request("REGISTER", **fields), 200).headers
    assert "Record-Route" in response(request(**fields), 200).headers
    assert response(request(**fields), 100).headers.one("Timestamp") == "54"
