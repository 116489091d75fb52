"""What an organisation has of addresses and numbers."""

from datetime import UTC, datetime

from mcu.booking.meeting import Meeting
from mcu.booking.organisations import Organisation, Organisations
from mcu.booking.reach import OwnNumber, Reach
from mcu.ids import MeetingId

NORR = Organisation(
    id="norr",
    name="Region Norr",
    domains=("norr.example", "also.example"),
    prefixes=("+46", "+4690"),
    calls_out_max=1,
    calls_out_per_hour=1,
)
SYD = Organisation(id="syd", name="Region Syd", prefixes=("+4640", "+468"), calls_out_max=1, calls_out_per_hour=1)
BOTH = Organisations([NORR, SYD])
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def meeting(organisation: str) -> Meeting:
    return Meeting(
        id=MeetingId("mtg_1"),
        number="482915370",
        title="x",
        created_at=NOW,
        updated_at=NOW,
        organisation=organisation,
    )


def test_the_longest_prefix_says_whose_a_number_is() -> None:
    whose = [BOTH.with_number(number) for number in ("+4690123456", "+4640123456", "+46701234567", "+4790123456")]
    assert whose == [NORR, SYD, NORR, None]


def test_a_meeting_is_shown_by_its_organisations_domain_and_numbers() -> None:
    numbers = [
        OwnNumber(number="+4690123456", language="sv", organisation="norr"),
        OwnNumber(number="+4640123456", language="sv", organisation="syd"),
        OwnNumber(number="+46701234567", language="sv"),
    ]
    reach = Reach(web="https://mote.example", sip_domain="mote.example", numbers=numbers, organisations=BOTH)
    shown = {
        name: (reach.sip_address(meeting(name)), [one.number[-1] for one in reach.telephones(meeting(name))])
        for name in ("norr", "syd", "")
    }
    assert shown == {
        "norr": ("sip:482915370@norr.example", ["6", "7"]),
        "syd": ("sip:482915370@mote.example", ["6", "7"]),
        "": ("sip:482915370@mote.example", ["7"]),
    }
