"""What may be called, how much, and by which trunk."""

import pytest

from mcu.errors import Invalid, TooMany, Unavailable
from mcu.protocol.sip.uri import SipUri, TelUri
from mcu.signalling.sip.guard import HOUR_S, Caps, NotAllowed, in_domains, is_dear, target
from mcu.signalling.sip.trunks import ASIDE_MOST_S, Host, Trunk, Trunks

SWEDEN = "+46701740605"


def trunk(name: str = "one", host: str = "192.0.2.1", **more: object) -> Trunk:
    given: dict[str, object] = {
        "name": name,
        "hosts": (Host(host, 5060),),
        "transport": "udp",
        "registers": False,
        "domain": host,
        "user": "",
        "password": "",
        "caller_id": "",
        "priority": 10,
        "prefixes": ("+46",),
        "dear": False,
        "codecs": (),
        "encrypted": True,
        "by_dtls": False,
        "verifies": False,
        "calls_max": 2,
        **more,
    }
    return Trunk(**given)  # type: ignore[arg-type] # each has its own type


@pytest.mark.parametrize(
    ("to", "means"),
    [
        ("+46 70-174 06 05".replace(" ", ""), TelUri(SWEDEN)),
        (f"tel:{SWEDEN};phone-context=x", TelUri(SWEDEN)),
        ("sip:bo@Far.Example", SipUri("far.example", "bo")),
        ("sips:bo:secret@far.example:5062;maddr=192.0.2.9;transport=TCP?Replaces=x", None),
    ],
)
def test_of_what_is_asked_for_only_who_and_where_is_kept(to: str, means: SipUri | TelUri | None) -> None:
    assert target(to) == (means or SipUri("far.example", "bo", 5062, {"transport": "tcp"}, secure=True))


@pytest.mark.parametrize("to", ["", "bo", "112", "tel:112", "sip:far.example", "h323:bo@far.example", "+", "sip:a@b c"])
def test_what_is_no_address_and_no_number_is_refused_without_being_repeated(to: str) -> None:
    with pytest.raises(Invalid) as refused:
        target(to)
    assert len(to) < 4 or to not in refused.value.detail


@pytest.mark.parametrize("number", ["+46900123456", "+46939123456", "+19005551234", "+881612345678", "+870773112345"])
def test_premium_rate_and_satellites_are_dear_and_never_called_by_default(number: str) -> None:
    assert is_dear(number)
    trunks = Trunks([trunk(prefixes=("+",))])
    with pytest.raises(NotAllowed):
        trunks.for_number(number, 0)
    assert Trunks([trunk(prefixes=("+",), dear=True)]).for_number(number, 0)


def test_what_is_no_number_of_any_country_is_not_called() -> None:
    for number in ("+46112", "+4699123456", "+999123456789", "+46"):
        with pytest.raises(NotAllowed):
            is_dear(number)


def test_domains_are_named_whole_or_from_below() -> None:
    assert in_domains("far.example", ["far.example"])
    assert in_domains("rooms.far.example", ["*.far.example"])
    assert in_domains("anything", ["*"])
    assert not in_domains("far.example", ["*.far.example"])
    assert not in_domains("notfar.example", ["*.far.example", "far.example"])
    assert not in_domains("far.example", [])


def test_a_number_goes_to_the_trunks_that_take_it_by_priority() -> None:
    trunks = Trunks([trunk("late", priority=20), trunk("abroad", prefixes=("+47",)), trunk("first", priority=1)])
    assert [one.name for one in trunks.for_number(SWEDEN, 0)] == ["first", "late"]


def test_without_a_trunk_or_with_none_that_takes_it_nobody_is_called() -> None:
    with pytest.raises(Unavailable):
        Trunks([]).for_number(SWEDEN, 0)
    with pytest.raises(NotAllowed):
        Trunks([trunk(prefixes=("+4612",))]).for_number(SWEDEN, 0)


def test_a_trunk_that_failed_comes_last_for_as_long_as_it_asked() -> None:
    trunks = Trunks([trunk("first", priority=1), trunk("second")])
    trunks.failed(trunks.all[0], 100, 20)
    assert [one.name for one in trunks.for_number(SWEDEN, 119)] == ["second", "first"]
    assert [one.name for one in trunks.for_number(SWEDEN, 121)] == ["first", "second"]
    trunks.failed(trunks.all[0], 200, 1e9)
    assert trunks.for_number(SWEDEN, 201 + ASIDE_MOST_S)[0].name == "first"


def test_a_trunk_that_does_not_answer_or_is_not_registered_comes_last_too() -> None:
    trunks = Trunks([trunk("first", priority=1), trunk("second")])
    trunks.health["first"].answers = False
    assert trunks.for_number(SWEDEN, 0)[0].name == "second"
    trunks.health["first"].answers, trunks.health["first"].registered = True, False
    assert trunks.for_number(SWEDEN, 0)[0].name == "second"


def test_a_trunk_has_no_more_calls_than_it_takes_though_many_found_it_free() -> None:
    trunks = Trunks([trunk()])
    found = [trunks.for_number(SWEDEN, 0)[0] for _ in range(3)]
    assert [trunks.take(one) for one in found] == [True, True, False]
    trunks.give_back(found[0])
    assert trunks.take(found[2])


def test_a_full_trunk_is_passed_over_and_where_all_are_full_one_is_told() -> None:
    trunks = Trunks([trunk("first", priority=1), trunk("second")])
    trunks.health["first"].going = 2
    assert [one.name for one in trunks.for_number(SWEDEN, 0)] == ["second"]
    trunks.health["second"].going = 2
    with pytest.raises(TooMany):
        trunks.for_number(SWEDEN, 0)


def test_a_trunk_is_known_by_its_hosts_and_by_what_they_resolve_to() -> None:
    trunks = Trunks([trunk(host="sip.operator.example")])
    assert trunks.at("sip.operator.example") is not None
    assert trunks.at("192.0.2.5") is None
    trunks.found_at(trunks.all[0], ["192.0.2.5"])
    assert trunks.at("192.0.2.5") is trunks.all[0]


@pytest.mark.parametrize(
    "spelling",
    ["SIP.operator.example.", "[2001:db8::5]", "2001:0DB8:0::5", "::ffff:192.0.2.5", "[::ffff:c000:205]", "192.0.2.5"],
)
def test_no_spelling_of_a_trunks_address_leads_past_what_it_takes(spelling: str) -> None:
    trunks = Trunks([trunk(host="Sip.Operator.example")])
    trunks.found_at(trunks.all[0], ["192.0.2.5", "2001:db8::5"])
    assert trunks.at(spelling) is trunks.all[0]


def test_caps_of_one_hold_within_those_of_all_and_a_refused_call_counts_for_neither() -> None:
    everybodys = Caps(3, 100)
    norr, syd = Caps(2, 3, within=everybodys), Caps(2, 100, within=everybodys)
    for one in (norr, norr, syd):
        one.begin(0)
    for full in (norr, syd):  # norr by its own, syd by those of all
        with pytest.raises(TooMany):
            full.begin(0)
    norr.end()
    syd.begin(0)
    assert (norr.going, syd.going, everybodys.going) == (1, 2, 3)
    for one in (syd, syd):
        one.end()
    norr.begin(0)
    norr.end()
    with pytest.raises(TooMany):
        norr.begin(0)  # of an hour, in which what was refused was none
    assert everybodys.going == 1


def test_of_the_trunks_an_organisation_calls_over_its_own_alone() -> None:
    trunks = Trunks([trunk("a"), trunk("b")])
    assert [one.name for one in trunks.for_number(SWEDEN, 0, ("b",))] == ["b"]
    with pytest.raises(NotAllowed):
        trunks.for_number(SWEDEN, 0, ("c",))


def test_caps_hold_at_a_time_and_in_an_hour() -> None:
    caps = Caps(2, 3)
    caps.begin(0)
    caps.begin(1)
    with pytest.raises(TooMany):
        caps.begin(2)
    caps.end()
    caps.begin(3)
    caps.end()
    caps.end()
    with pytest.raises(TooMany) as refused:
        caps.begin(100)
    assert refused.value.retry_after == HOUR_S - 100 + 1
    caps.begin(HOUR_S)
