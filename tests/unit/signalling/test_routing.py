"""The dial plan: who may reach what, and why."""

from dataclasses import replace
from typing import Any

import pytest
from sip_messages import request

from mcu.booking.organisations import Organisation, Organisations
from mcu.booking.reach import OwnNumber, Reach
from mcu.protocol.sip.uri import SipUri, parse_uri
from mcu.signalling.sip.routing import RULES, DialPlan, Kind, destination

REACH = Reach(
    web="https://mcu.example",
    numbers=[
        OwnNumber(number="+46812345678", language="en"),
        OwnNumber(number="+46812345679", language="sv", meeting="482915371"),
        OwnNumber(number="vard", language="en", meeting="482915372"),
    ],
)
CALLED = {("", "701"), ("", "anna"), ("norr", "anna"), ("norr", "701"), ("syd", "12"), ("syd", "+46812399")}
PLAN = DialPlan(
    {"mcu.example", "192.0.2.1"},
    ["friend.example"],
    own=REACH.dialled,
    called=lambda user, whose: (whose, user) in CALLED,
)
MEETING = "482915370"


@pytest.mark.parametrize(
    ("dialled", "endpoint", "stranger"),
    [
        (f"sip:{MEETING}@mcu.example", Kind.MEETING, Kind.MEETING),
        (f"sip:{MEETING}@192.0.2.1:5070;transport=tcp", Kind.MEETING, Kind.MEETING),
        (f"tel:{MEETING};phone-context=example", Kind.MEETING, Kind.MEETING),
        ("sip:reception@mcu.example", Kind.RECEPTION, Kind.RECEPTION),
        ("sip:mcu.example", Kind.RECEPTION, Kind.RECEPTION),
        ("sip:701@mcu.example", Kind.ENDPOINT, Kind.RECEPTION),
        ("sip:anna@mcu.example", Kind.ENDPOINT, Kind.RECEPTION),
        ("sip:~x@mcu.example;gr", Kind.ENDPOINT, Kind.RECEPTION),
        ("sip:702@mcu.example", Kind.REFUSED, Kind.RECEPTION),
        ("sip:+46701234567@mcu.example", Kind.REFUSED, Kind.RECEPTION),
        ("tel:+46701234567", Kind.REFUSED, Kind.RECEPTION),
        ("sip:anna@other.example", Kind.REFUSED, Kind.RECEPTION),
        ("sip:anna@friend.example", Kind.DOMAIN, Kind.RECEPTION),
        ("sip:friend.example", Kind.REFUSED, Kind.RECEPTION),
        (f"sip:{MEETING}@other.example", Kind.REFUSED, Kind.MEETING),
    ],
)
def test_where_a_call_goes_depends_on_who_calls(dialled: str, endpoint: Kind, stranger: Kind) -> None:
    uri = parse_uri(dialled)
    assert PLAN.route(uri, stranger=False).kind is endpoint
    assert PLAN.route(uri, stranger=True).kind is stranger


@pytest.mark.parametrize("stranger", [True, False])
@pytest.mark.parametrize(
    ("user", "kind", "to", "language"),
    [
        ("+46812345678", Kind.RECEPTION, "", "en"),
        ("0046812345678", Kind.RECEPTION, "", "en"),
        ("46812345679", Kind.MEETING, "482915371", "sv"),
        ("Vard", Kind.MEETING, "482915372", "en"),
    ],
)
def test_a_number_of_the_servers_own_leads_where_the_settings_say(
    user: str, kind: Kind, to: str, language: str, stranger: bool
) -> None:
    route = PLAN.route(parse_uri(f"sip:{user}@mcu.example"), stranger=stranger)
    assert (route.kind, route.to, route.language) == (kind, to, language)
    assert user not in " ".join(route.steps)


def organisation(name: str, **more: Any) -> Organisation:
    return Organisation(id=name, name=f"Region {name}", calls_out_max=1, calls_out_per_hour=1, **more)


SHARED = Organisations([organisation("norr", domains=("norr.example",)), organisation("syd", prefixes=("+468",))])


@pytest.mark.parametrize("stranger", [True, False])
@pytest.mark.parametrize(
    ("dialled", "whose"),
    [
        (f"sip:{MEETING}@norr.example", "norr"),
        ("sip:NORR.example", "norr"),
        ("sip:+46812345678@mcu.example", "syd"),
        ("sip:+46812345678@norr.example", "syd"),  # to whatever domain a gateway sends it
        ("sip:vard@norr.example", "norr"),
        ("sip:vard@mcu.example", ""),
        (f"sip:{MEETING}@mcu.example", ""),
    ],
)
def test_whose_a_call_is_is_said_by_the_number_or_the_domain(dialled: str, whose: str, stranger: bool) -> None:
    numbers = [replace(one, organisation="syd" if one.number.startswith("+468") else "") for one in REACH.numbers]
    reach = replace(REACH, numbers=numbers)
    plan = DialPlan({"mcu.example"}, [], own=reach.dialled, called=lambda *_: False, organisations=SHARED)
    route = plan.route(parse_uri(dialled), stranger=stranger)
    assert (route.kind in (Kind.MEETING, Kind.RECEPTION), route.organisation) == (True, whose)
    assert (f"It is dialled at Region {whose}." in route.steps) == bool(whose)


@pytest.mark.parametrize(
    ("dialled", "of", "whom"),
    [
        ("sip:anna@mcu.example", "norr", ("norr", "anna")),  # a short name is one's own organisation's
        ("sip:anna@mcu.example", "", ("", "anna")),
        ("sip:anna@mcu.example", "syd", None),
        ("tel:701;phone-context=x", "norr", ("norr", "701")),
        ("sip:701@norr.example", "syd", ("norr", "701")),  # it is the domain that says whose
        ("sip:12@norr.example", "syd", None),
        ("tel:+46812312", "norr", None),
        ("tel:+46812", "norr", None),
        ("sip:00468000000012@norr.example", "norr", None),
        ("tel:+4680000000012", "norr", ("syd", "12")),  # the prefix with the number
        ("sip:004680000000012@norr.example", "", ("syd", "12")),
        ("tel:+4680000000013", "norr", None),
        ("tel:+4790000000012", "norr", None),
    ],
)
def test_an_endpoint_reaches_those_of_its_own_organisation_by_name_and_others_by_domain_or_whole_number(
    dialled: str, of: str, whom: tuple[str, str] | None
) -> None:
    shared = Organisations(
        [organisation("norr", domains=("norr.example",)), organisation("syd", prefixes=("+468", "+46800000000"))]
    )
    called = lambda user, whose: (whose, user) in CALLED  # noqa: E731 # as the directory says
    plan = DialPlan({"mcu.example"}, [], own=lambda _: None, called=called, organisations=shared)
    route = plan.route(parse_uri(dialled), stranger=False, of=of)
    assert (whom is None) == (route.kind is Kind.REFUSED)
    if whom is not None:
        assert (route.kind, route.organisation, route.to) == (Kind.ENDPOINT, *whom)
        assert whom[1] not in " ".join(route.steps)
    assert plan.route(parse_uri(dialled), stranger=True).kind is Kind.RECEPTION


def test_an_organisation_with_a_call_control_of_its_own_is_called_there_by_domain_and_whole_number() -> None:
    away = organisation("vast", domains=("vast.example",), prefixes=("+4631",), call_control="sip:192.0.2.9")
    plan = DialPlan(
        {"mcu.example"}, [], own=lambda _: None, called=lambda *_: False, organisations=Organisations([away])
    )
    for dialled in ("sip:bo@vast.example", "sip:+46311234567@vast.example"):
        route = plan.route(parse_uri(dialled), stranger=False, of="norr")
        assert (route.kind, str(route.to)) == (Kind.DOMAIN, dialled)
        assert plan.route(parse_uri(dialled), stranger=True).kind is Kind.RECEPTION
    for dialled in ("tel:+46311234567", "sip:0046311234567@mcu.example"):
        route = plan.route(parse_uri(dialled), stranger=False)
        assert (route.kind, str(route.to)) == (Kind.DOMAIN, "sip:+46311234567@vast.example;user=phone")
        assert "Region vast" in route.steps[-1]


@pytest.mark.parametrize(
    ("dialled", "kind", "to"),
    [
        ("sip:701@norr.example", Kind.ENDPOINT, ("norr", "701")),
        ("sip:+4680000000012@192.0.2.1", Kind.ENDPOINT, ("syd", "12")),
        ("sip:anna@mcu.example", Kind.ENDPOINT, ("", "anna")),  # of no organisation
        ("sip:702@norr.example", Kind.REFUSED, ("", "")),
        (f"sip:{MEETING}@norr.example", Kind.MEETING, ("norr", MEETING)),
        ("sip:reception@mcu.example", Kind.RECEPTION, ("", "")),
        ("sip:+46311234567@mcu.example", Kind.REFUSED, ("", "")),  # back to itself
        ("sip:+4740123456@mcu.example", Kind.REFUSED, ("", "")),  # of another call control
        ("sip:+46701234567@mcu.example", Kind.REFUSED, ("", "")),  # of a trunk
        ("sip:bo@allowed.example", Kind.REFUSED, ("", "")),
    ],
)
def test_a_call_control_reaches_endpoints_by_their_domain_or_whole_number_and_is_led_on_nowhere(
    dialled: str, kind: Kind, to: tuple[str, str]
) -> None:
    away = [
        organisation("vast", domains=("vast.example",), prefixes=("+4631",), call_control="sip:192.0.2.9"),
        organisation("oslo", domains=("oslo.example",), prefixes=("+47",), call_control="sip:192.0.2.10"),
    ]
    shared = Organisations(
        [organisation("norr", domains=("norr.example",)), organisation("syd", prefixes=("+46800000000",)), *away]
    )
    called = lambda user, whose: (whose, user) in CALLED  # noqa: E731 # as the directory says
    plan = DialPlan({"mcu.example"}, ["allowed.example"], own=lambda _: None, called=called, organisations=shared)
    route = plan.route(parse_uri(dialled), stranger=True, neighbour=away[0])
    assert (route.kind, (route.organisation, str(route.to))) == (kind, to)
    assert route.steps[0] == "The call control of Region vast calls."


def test_each_step_is_explained_and_says_no_number() -> None:
    for dialled in ("sip:701@mcu.example", "tel:+46701234567", f"sip:{MEETING}@mcu.example", "sip:bo@other.example"):
        route = PLAN.route(parse_uri(dialled), stranger=False)
        assert len(route.steps) >= 2
        assert "701" not in " ".join(route.steps) + repr(route)
        assert MEETING not in repr(route)
    assert len(RULES) == 9


def test_a_stranger_cannot_tell_an_endpoints_number_from_any_other() -> None:
    known, unknown = (PLAN.route(parse_uri(f"sip:{user}@mcu.example"), stranger=True) for user in ("701", "702"))
    assert known == unknown


@pytest.mark.parametrize(
    ("uri", "user"), [("sip:192.0.2.1:5060", "+46812345679"), ("sip:482915370@192.0.2.1", "482915370")]
)
def test_a_trunk_at_which_we_register_and_that_calls_our_contact_says_in_to_whom_it_calls(uri: str, user: str) -> None:
    invite = replace(request("INVITE", To="<sip:+46812345679@operator.example>"), target=uri)
    found = destination(invite)
    assert isinstance(found, SipUri)
    assert found.user == user
