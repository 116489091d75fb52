"""By which addresses and numbers people reach this server's meetings, as the settings have them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from mcu.booking.meeting import Language, Meeting
from mcu.booking.organisations import NONE, Organisations


@dataclass(frozen=True, kw_only=True)
class OwnNumber:
    """A telephone number, or a name, that leads to the reception in `language`, or straight to a meeting."""

    number: str  # E.164, or a name
    language: Language
    label: str = ""
    country: str = ""  # ISO 3166-1, two letters
    meeting: str = ""  # its number; "": the reception
    organisation: str = ""  # whose it is

    @property
    def is_telephone(self) -> bool:
        return self.number.startswith("+")


@dataclass(frozen=True, kw_only=True)
class Reach:
    """`web`: the service's address, without a last slash. `sip_domain` "": there is no SIP."""

    web: str
    sip_domain: str = ""
    numbers: Sequence[OwnNumber] = field(default=())
    organisations: Organisations = NONE

    def dialled(self, user: str) -> OwnNumber | None:
        """The one that a caller has dialled, with or without what comes before a country's number."""
        digits = user.removeprefix("+").removeprefix("00")
        e164 = f"+{digits}" if digits.isascii() and digits.isdigit() else ""
        return next((one for one in self.numbers if one.number in (user.lower(), e164)), None)

    def telephones(self, meeting: Meeting) -> list[OwnNumber]:
        """The telephone numbers that lead to this meeting: its own, and the reception's that are not another's."""
        known = [one for one in self.numbers if one.is_telephone and one.meeting in ("", meeting.number)]
        return [one for one in known if one.organisation in ("", meeting.organisation)]

    def sip_address(self, meeting: Meeting) -> str | None:
        """In its organisation's domain, where that has one. `None`: there is no SIP."""
        organisation = self.organisations.get(meeting.organisation)
        domain = organisation.domains[0] if organisation and organisation.domains else self.sip_domain
        return f"sip:{meeting.number}@{domain}" if self.sip_domain else None
