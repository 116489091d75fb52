"""Messages as RFC 4475 and RFC 5118 describe them, in our own words: odd but valid ones are read, invalid ones refused.

Each invalid request is answered with the status that its section names; each invalid response is thrown away.
"""

from typing import Any

import pytest

from mcu.protocol.sip.check import check_request, check_response, unsupported
from mcu.protocol.sip.grammar import Malformed
from mcu.protocol.sip.message import Request, Response, read
from mcu.protocol.sip.uri import SipUri

PLAIN = {
    "Via": "SIP/2.0/UDP host.example.com;branch=z9hG4bK7f3a",
    "From": "<sip:anna@example.com>;tag=a1",
    "To": "<sip:bo@example.com>",
    "Call-ID": "b64c@host.example.com",
    "CSeq": "7 INVITE",
    "Max-Forwards": "70",
    "Contact": "<sip:anna@host.example.com>",
}


def sip(start: str = "INVITE sip:bo@example.com SIP/2.0", body: bytes = b"", **fields: str | None) -> bytes:
    """A plain message with fields put in place of its own; None leaves one out. `_` is written as a hyphen."""
    merged = PLAIN | {name.replace("_", "-"): value for name, value in fields.items()}
    lines = [start, *(f"{name}: {value}" for name, value in merged.items() if value is not None), "", ""]
    return "\r\n".join(lines).encode(errors="surrogateescape") + body


def accepted(data: bytes) -> Request:
    message = read(data)
    assert isinstance(message, Request)
    check_request(message)
    return message


def status_of(data: bytes) -> int:
    with pytest.raises(Malformed) as refused:
        accepted(data)
    return refused.value.sip


def test_a_tortuous_invite_with_folds_and_blanks_everywhere_is_read() -> None:
    data = (
        b"INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\r\n"
        b"TO :\r\n sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\r\n"
        b'from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = 98asjd8\r\n'
        b"MaX-fOrWaRdS: 0068\r\n"
        b"Call-ID: wsinv.ndaksdj@192.0.2.1\r\n"
        b"cseq: 0009\r\n  INVITE\r\n"
        b"Via  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw\r\n"
        b"s :\r\n"
        b"NewFangledHeader:   newfangled value\r\n continued newfangled value\r\n"
        b"UnknownHeaderWithUnusualValue: ;;,,;;,;\r\n"
        b"Content-Type: application/sdp\r\n"
        b"Route:\r\n <sip:services.example.com;lr;unknownwith=value;unknown-no-value>\r\n"
        b"v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n"
        b" SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n z9hG4bK30239\r\n"
        b'm:"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam =\r\n      newvalue ;\r\n'
        b"  secondparam ; q = 0.33\r\n"
        b"l: 0004\r\n\r\nv=0\n"
    )
    request = accepted(data)
    assert request.to.tag == "1918181833n"
    assert (request.from_.name, request.from_.tag) == ('J Rosenberg \\"', "98asjd8")
    assert (request.max_forwards, request.cseq.number) == (68, 9)
    assert [(via.transport, via.host, via.branch) for via in request.vias] == [
        ("UDP", "192.0.2.2", "390skdjuw"),
        ("TCP", "spindle.example.com", "z9hG4bK9ikj8"),
        ("UDP", "192.168.255.111", "z9hG4bK30239"),
    ]
    (contact,) = request.contacts
    assert (contact.name, contact.params) == (
        'Quoted string ""',
        {"newparam": "newvalue", "secondparam": None, "q": "0.33"},
    )
    assert request.headers.one("NewFangledHeader") == "newfangled value continued newfangled value"
    assert request.body == b"v=0\n"


def test_every_character_that_a_method_a_user_and_a_parameter_may_have_is_read() -> None:
    method = "!interesting-Method0123456789_*+`.%indeed'~"
    target = (
        "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com"
    )
    params = ";fromParam''~+*_!.-%=\"\u00d1\u00d0\";tag=_token~1'+`*%!-."
    from_ = f"token1~` token2'+_ token3*%!.- <sip:mundane@example.com>{params}"
    request = accepted(sip(f"{method} {target} SIP/2.0", CSeq=f"139122385 {method}", From=from_))
    assert isinstance(request.uri, SipUri)
    assert request.uri.user == "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"
    assert request.from_.name == "token1~` token2'+_ token3*%!.-"
    assert request.from_.params["fromparam''~+*_!.-%"] == "\u00d1\u00d0"
    assert str(request.uri) == target


def test_escapes_in_a_user_are_its_characters_and_not_its_structure() -> None:
    request = accepted(sip("INVITE sip:sips%3Auser%40example.com@example.net SIP/2.0"))
    assert isinstance(request.uri, SipUri)
    assert (request.uri.user, request.uri.host) == ("sips:user@example.com", "example.net")
    assert accepted(sip("REGISTER sip:example.com SIP/2.0", CSeq="1 REGISTER", To="<sip:null-%00-null@example.com>"))


def test_a_percent_in_a_method_is_no_escape() -> None:
    assert (
        accepted(sip("RE%47IST%45R sip:registrar.example.com SIP/2.0", CSeq="29344 RE%47IST%45R")).method
        == "RE%47IST%45R"
    )


def test_a_name_needs_no_blank_before_its_angle_bracket() -> None:
    assert accepted(sip(From="caller<sip:caller@example.com>;tag=323")).from_.name == "caller"


def test_long_values_are_read_whole() -> None:
    long = "a" * 4000
    request = accepted(sip(f"INVITE sip:bo{long}@example.com SIP/2.0", Subject=long, Call_ID=f"{long}@host"))
    assert request.headers.one("s") == long


def test_of_two_requests_in_a_datagram_the_first_is_read() -> None:
    second = sip("INVITE sip:other@example.com SIP/2.0")
    request = accepted(sip("REGISTER sip:example.com SIP/2.0", CSeq="8 REGISTER", l="0") + second)
    assert (request.method, request.body) == ("REGISTER", b"")


def test_a_semicolon_in_a_user_belongs_to_the_user() -> None:
    request = accepted(sip("OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0", CSeq="8 OPTIONS"))
    assert isinstance(request.uri, SipUri)
    assert (request.uri.user, request.uri.params) == ("user;par=u@example.net", {})


def test_transports_that_nobody_knows_may_be_among_the_hops() -> None:
    hops = ", ".join(
        f"SIP/2.0/{name} t{n}.example.com;branch=z9hG4bK{n}"
        for n, name in enumerate(["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"])
    )
    assert [via.transport for via in accepted(sip(Via=hops)).vias] == ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]


def test_a_body_of_several_parts_is_kept_byte_for_byte() -> None:
    text = b"--7a9\r\nContent-Type: text/plain\r\n\r\nHello\r\n"
    body = text + b"--7a9\r\nContent-Type: application/octet-stream\r\n\r\n\x00\x80\xff\r\n--7a9--"
    fields = {"CSeq": "1 MESSAGE", "Content_Type": "multipart/mixed;boundary=7a9", "l": str(len(body))}
    request = accepted(sip("MESSAGE sip:bo@example.com SIP/2.0", body, **fields))
    assert request.content_type is not None
    assert (request.body, request.content_type.params) == (body, {"boundary": "7a9"})


@pytest.mark.parametrize("reason", ["= 2**3 * 5**2 \u043d\u043e \u0441\u0442\u043e", ""])
def test_a_reason_phrase_may_be_any_text_or_none(reason: str) -> None:
    response = read(sip(f"SIP/2.0 200 {reason}"))
    assert isinstance(response, Response)
    check_response(response)
    assert (response.status, response.reason) == (200, reason)


def test_a_request_of_rfc_2543_is_read() -> None:
    request = accepted(
        sip(
            "INVITE sip:UserB@biloxi.example.com SIP/2.0",
            Via="SIP/2.0/UDP iftgw.example.com",
            From="<sip:+13035551111@ift.client.example.net;user=phone>",
            Max_Forwards=None,
        )
    )
    assert (request.via.branch, request.from_.tag, request.max_forwards) == (None, None, None)


INVALID = {
    "a Via with separators too many": (400, {"Via": "SIP/2.0/UDP 192.0.2.15;;,;,,"}),
    "a contact with separators too many": (400, {"Contact": '"Joe" <sip:joe@example.org>;;;;,,;'}),
    "a body shorter than its length": (400, {"Content-Length": "9999"}),
    "a length below nothing": (400, {"Content-Length": "-999"}),
    "two lengths": (400, {"Content-Length": "0", "l": "0"}),
    "a sequence number beyond 2**31": (400, {"CSeq": "36893488147419103232 INVITE"}),
    "hops beyond 255": (400, {"Max-Forwards": "300"}),
    "a name whose quotes do not end": (400, {"To": '"Mr. J. User <sip:j.user@example.com>'}),
    "a name with a comma out of quotes": (400, {"From": "Bell, Alexander <sip:a.g.bell@example.com>;tag=43"}),
    "blanks within an address": (400, {"To": '"Watson, Thomas" < sip:t.watson@example.org >'}),
    "a bare URI with headers": (400, {"Contact": "sip:user@example.com?Route=%3Csip:sip.example.com%3E"}),
    "a CSeq of another method": (400, {"CSeq": "8 OPTIONS"}),
    "two of what may be there once": (400, {"CSeq": "59 INVITE", "cseq": "60 INVITE"}),
    "two From": (400, {"f": "<sip:other@example.com>;tag=2"}),
    "no Call-ID": (400, {"Call-ID": None}),
    "no From": (400, {"From": None}),
    "no To": (400, {"To": None}),
    "no Via": (400, {"Via": None}),
    "no CSeq": (400, {"CSeq": None}),
    "an IPv6 address without brackets in a Via's place": (
        400,
        {"Via": "SIP/2.0/UDP 2001:db8::9:1;branch=z9hG4bKas3-111"},
    ),
}


@pytest.mark.parametrize("fields", INVALID.values(), ids=INVALID)
def test_a_request_is_refused_that_has(fields: tuple[int, dict[str, Any]]) -> None:
    status, wrong = fields
    assert status_of(sip(**{name.replace("-", "_"): value for name, value in wrong.items()})) == status


START_LINES = {
    "angle brackets about its target": (400, "INVITE <sip:user@example.com> SIP/2.0"),
    "blanks in its target": (400, "INVITE sip:user@example.com; lr SIP/2.0"),
    "two blanks before its target": (400, "INVITE  sip:user@example.com SIP/2.0"),
    "two blanks after its target": (400, "INVITE sip:user@example.com  SIP/2.0"),
    "a blank at its end": (400, "INVITE sip:user@example.com SIP/2.0 "),
    "headers in its target": (400, "INVITE sip:user@example.com?Route=%3Csip:example.com%3E SIP/2.0"),
    "a version of another time": (505, "INVITE sip:user@example.com SIP/7.0"),
    "a scheme that nobody knows": (416, "INVITE nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0"),
    "a scheme that is not followed": (416, "INVITE soap.beep://192.0.2.103:3002 SIP/2.0"),
    "no scheme": (400, "INVITE example.com SIP/2.0"),
    "an IPv6 address without brackets": (400, "INVITE sip:2001:db8::10 SIP/2.0"),
}


@pytest.mark.parametrize(("status", "start"), START_LINES.values(), ids=START_LINES)
def test_a_request_is_refused_whose_start_line_has(status: int, start: str) -> None:
    assert status_of(sip(start)) == status


@pytest.mark.parametrize(
    "data",
    [
        sip("SIP/2.0 4294967301 better not break the receiver"),
        sip("SIP/2.0 200 OK", CSeq="9292394834772304023312 OPTIONS"),
        sip("SIP/2.0 99 Less"),
        sip(
            "SIP/2.0 200 OK",
            Via="SIP/2.0/UDP a.example.com;branch=z9hG4bK1, SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK2",
        ),
    ],
    ids=["a status beyond any", "a sequence number beyond any", "a status below any", "another's hop below ours"],
)
def test_a_response_is_thrown_away_that_has(data: bytes) -> None:
    with pytest.raises(Malformed):
        check_response(read(data))  # type: ignore[arg-type] # it is a response, or raises


def test_what_is_required_and_not_there_is_named() -> None:
    request = accepted(sip(Require="nothingSupportsThis, timer"))
    assert unsupported(request, {"timer"}) == {"nothingSupportsThis"}


def test_addresses_of_ipv6_stand_in_brackets_with_a_port_after_them() -> None:
    request = accepted(
        sip(
            "REGISTER sip:[2001:db8::10]:5070 SIP/2.0",
            CSeq="98176 REGISTER",
            Via="SIP/2.0/UDP [2001:db8::9:1]:5060;received=[2001:db8::9:255];branch=z9hG4bKas3-111",
        )
    )
    assert isinstance(request.uri, SipUri)
    assert (request.uri.host, request.uri.port) == ("[2001:db8::10]", 5070)
    assert request.via.answer_to == ("2001:db8::9:255", 5060)


def test_a_port_within_the_brackets_is_part_of_the_address() -> None:
    request = accepted(sip("REGISTER sip:[2001:db8::10:5070] SIP/2.0", CSeq="98176 REGISTER"))
    assert isinstance(request.uri, SipUri)
    assert (request.uri.host, request.uri.port) == ("[2001:db8::10:5070]", None)


def test_received_is_understood_with_and_without_brackets() -> None:
    bare = accepted(
        sip(
            "BYE sip:[2001:db8::10] SIP/2.0",
            CSeq="4 BYE",
            Via="SIP/2.0/UDP [2001:db8::9:1];received=2001:db8::9:255;branch=z9hG4bKas3",
        )
    )
    assert bare.via.answer_to == ("2001:db8::9:255", 5060)


def test_an_ipv4_address_in_an_ipv6_one_is_an_address() -> None:
    assert accepted(sip(Contact="<sip:user@[::ffff:192.0.2.10]:19823>")).contacts[0].uri.host == "[::ffff:192.0.2.10]"


@pytest.mark.parametrize("mark", ["\r", "\n", "\0"])
@pytest.mark.parametrize("field", ["Subject", "Content-Type", "From"])
def test_nothing_that_others_take_for_the_end_of_a_line_is_within_one(field: str, mark: str) -> None:
    """What one telephone says is passed on to others, of which some end a line at less than we do."""
    fields: dict[str, Any] = {field: f"<sip:anna@example.com>;tag=a1{mark}Route: <sip:other.example>"}
    with pytest.raises(Malformed):
        read(sip(**fields))
