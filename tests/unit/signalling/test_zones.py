"""Zones: who is where, who reaches whom, and which way media goes."""

import pytest

from mcu.signalling.sip.zones import OPEN, Apart, Course, Zone, Zones


def zone(name: str, *networks: str, reaches: str = "", direct: bool = True, address: str = "") -> Zone:
    return Zone(name=name, networks=networks, direct=direct, reaches=frozenset(reaches.split()), address=address)


ZONES = Zones(
    [
        zone("internet", "0.0.0.0/0", "::/0", address="192.0.2.1"),
        zone("care", "10.0.0.0/8", "fd00::/8", reaches="internet", address="10.0.0.1"),
        zone("laboratory", "10.7.0.0/16", direct=False),
    ]
)
CARE, OTHER_CARE, LABORATORY, INTERNET = "10.0.0.5", "fd00::5", "10.7.1.1", "198.51.100.9"


@pytest.mark.parametrize(
    ("address", "name"),
    [(CARE, "care"), (f"[{OTHER_CARE}]", "care"), (LABORATORY, "laboratory"), (INTERNET, "internet")],
)
def test_an_address_is_in_the_zone_with_the_smallest_network_around_it(address: str, name: str) -> None:
    found = ZONES.of(address)
    assert found is not None
    assert found.name == name


def test_media_goes_straight_within_a_zone_that_lets_it_and_through_the_server_between_zones() -> None:
    assert ZONES.course(CARE, OTHER_CARE) == Course(direct=True, addresses=("10.0.0.1", "10.0.0.1"))
    assert ZONES.course(CARE, INTERNET) == Course(direct=False, addresses=("10.0.0.1", "192.0.2.1"))
    assert not ZONES.course(LABORATORY, LABORATORY).direct


@pytest.mark.parametrize(
    ("caller", "called"), [(INTERNET, CARE), (LABORATORY, CARE), (CARE, LABORATORY), (CARE, "phone.example")]
)
def test_a_zone_that_is_not_named_is_not_reached_in_that_direction(caller: str, called: str) -> None:
    with pytest.raises(Apart):
        ZONES.course(caller, called)


def test_where_there_are_no_zones_everybody_reaches_everybody_straight() -> None:
    none = OPEN
    assert none.course(CARE, INTERNET) == Course(direct=True)
    assert none.believes(CARE, [INTERNET])


def test_media_at_an_address_of_another_zone_than_the_callers_is_not_believed() -> None:
    assert ZONES.believes(INTERNET, ["203.0.113.7"])
    assert not ZONES.believes(INTERNET, ["203.0.113.7", CARE])


def test_the_explanation_names_each_zone_once_and_no_address() -> None:
    said = list(ZONES.explained([CARE, CARE, LABORATORY]))
    assert len(said) == 2
    assert "from internet refused, from care media goes straight, from laboratory refused" in said[0]
    assert "from laboratory media goes through this server" in said[1]
    assert CARE not in "".join(said)
