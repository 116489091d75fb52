"""The dial plan: who may reach what, and why."""

from dataclasses import replace
from typing import Any

import pytest

from mcu.booking.organisations import Organisation, Organisations
from mcu.booking.reach import OwnNumber, Reach
from mcu.protocol.sip.uri import parse_uri
from mcu.signalling.sip.routing import RULES, DialPlan, Kind

REACH = Reach(
    web="https://mcu.example",
    numbers=[
        OwnNumber(number="+46812345678", language="en"),
        OwnNumber(number="+46812345679", language="sv", meeting="482915371"),
        OwnNumber(number="vard", language="en", meeting="482915372"),
    ],
)
PLAN = DialPlan(
    {"mcu.example", "192.0.2.1"}, ["friend.example"], own=REACH.dialled, called={"701", "anna"}.__contains__
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
    plan = DialPlan({"mcu.example"}, [], own=reach.dialled, called=lambda _: False, organisations=SHARED)
    route = plan.route(parse_uri(dialled), stranger=stranger)
    assert (route.kind in (Kind.MEETING, Kind.RECEPTION), route.organisation) == (True, whose)
    assert (f"It is dialled at Region {whose}." in route.steps) == bool(whose)


def test_each_step_is_explained_and_says_no_number() -> None:
    for dialled in ("sip:701@mcu.example", "tel:+46701234567", f"sip:{MEETING}@mcu.example", "sip:bo@other.example"):
        route = PLAN.route(parse_uri(dialled), stranger=False)
        assert len(route.steps) >= 2
        assert "701" not in " ".join(route.steps) + repr(route)
        assert MEETING not in repr(route)
    assert len(RULES) == 7


def test_a_stranger_cannot_tell_an_endpoints_number_from_any_other() -> None:
    known, unknown = (PLAN.route(parse_uri(f"sip:{user}@mcu.example"), stranger=True) for user in ("701", "702"))
    assert known == unknown
