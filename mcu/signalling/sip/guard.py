"""What may be called, and how much: against fraud at the cost of who owns the trunks. Pure: it is given the time.

Nothing calls but a room (`conference.invitations`): for a host in it, for its booking, or for the API with
`rooms:control`. A call, REFER or 302 of anybody else never comes this far.
"""

from collections import deque
from collections.abc import Collection
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumberType

from mcu.errors import Invalid, Refused, TooMany
from mcu.protocol.sip.grammar import Malformed
from mcu.protocol.sip.uri import SipUri, TelUri, parse_uri

HOUR_S: Final = 3600.0
DEAR: Final = frozenset({PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST})
DEAR_COUNTRIES: Final = frozenset({870, 878, 881, 882, 883, 979})  # satellites, international networks, premium rate


class NotAllowed(Refused):
    """The settings let nobody call there."""

    code, title = "destination-not-allowed", "This destination may not be called"


def target(to: str) -> SipUri | TelUri:
    """A SIP URI, or a number with its `+`. Raises `Invalid`."""
    try:
        uri = parse_uri(f"tel:{to}" if to.startswith("+") else to)
    except Malformed as error:
        raise Invalid(
            "Give a SIP address such as sip:name@example.org, or a number such as +46 with digits."
        ) from error
    match uri:
        case SipUri(user=str()):
            return SipUri(uri.host, uri.user, uri.port, _transport(uri), secure=uri.secure)
        case TelUri() if uri.number.startswith("+"):
            return TelUri(uri.number)
    raise Invalid("Give a SIP address with a name in it, or a number that begins with + and its country.")


def is_dear(number: str) -> bool:
    """Whether a call there costs more than a call. Raises `NotAllowed` for what is no number of any country."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        raise NotAllowed("It is not a telephone number.") from None
    if not phonenumbers.is_valid_number(parsed):
        raise NotAllowed("No country has such a number.")
    return parsed.country_code in DEAR_COUNTRIES or phonenumbers.number_type(parsed) in DEAR


def in_domains(host: str, domains: Collection[str]) -> bool:
    """`*` stands for all, `*.example.org` for what is below it."""
    return any(one in ("*", host) or (one.startswith("*.") and host.endswith(one[1:])) for one in domains)


class Caps:
    """How many calls there may be at a time, and begin in an hour; `within` the caps of all, where there are such."""

    def __init__(self, at_once: int, an_hour: int, within: "Caps | None" = None) -> None:
        self._at_once, self._an_hour, self._within = at_once, an_hour, within
        self._begun: deque[float] = deque()
        self.going = 0

    def begin(self, now: float) -> None:
        """One more; `end` it. Raises `TooMany`, and counts nothing then."""
        self._check(now)
        if self._within is not None:
            self._within.begin(now)
        self._begun.append(now)
        self.going += 1

    def _check(self, now: float) -> None:
        while self._begun and now - self._begun[0] >= HOUR_S:
            self._begun.popleft()
        if self.going >= self._at_once:
            raise TooMany("As many are being called as may be at a time.", retry_after=10)
        if len(self._begun) >= self._an_hour:
            wait = HOUR_S - (now - self._begun[0])
            raise TooMany("As many have been called as may be in an hour.", retry_after=int(wait) + 1)

    def end(self) -> None:
        self.going -= 1
        if self._within is not None:
            self._within.end()


def _transport(uri: SipUri) -> dict[str, str | None]:
    """Of a URI's parameters, that alone is anybody's to choose."""
    return {"transport": uri.transport} if uri.transport in ("udp", "tcp", "tls") else {}
