"""The dial plan: where a call goes, by who calls and what was dialled, with the reason for each step. Pure.

The rules stand in the order in which they are looked at; the first that fits decides. A stranger, who is whoever has
not shown to be one of our endpoints, reaches meetings and the reception, and never learns what else there is.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from mcu.booking.meeting import Language
from mcu.booking.organisations import NONE, Organisation, Organisations
from mcu.booking.reach import OwnNumber
from mcu.protocol.sip.message import Request
from mcu.protocol.sip.uri import SipUri, TelUri, Uri
from mcu.signalling.sip.guard import in_domains
from mcu.signalling.sip.menu import NUMBER_DIGITS
from mcu.signalling.sip.zones import OPEN, Zones

RECEPTION: Final = "reception"


class Kind(StrEnum):
    MEETING = "meeting"
    RECEPTION = "reception"
    ENDPOINT = "endpoint"
    DOMAIN = "domain"  # another's
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Route:
    """`to`: the meeting's number, or whom of ours was dialled. `status`: of a refusal. `language`: of the number."""

    kind: Kind
    steps: tuple[str, ...]
    to: str | SipUri = field(default="", repr=False)
    status: int = 0
    language: Language | None = None
    organisation: str = ""  # whose number or domain was dialled


RULES: Final = (
    "An endpoint reaches organisations that have a call control of their own, by domain or whole number, and other "
    "domains as sip.call_domains allows; a stranger's address is taken as ours.",
    "A number or a name of the server's own (`sip.numbers`) leads where the settings say.",
    "What is dialled at an organisation's domain, or its number, is as its settings say: language, sound, encryption.",
    f"{NUMBER_DIGITS} digits are a meeting's number: its door asks for the PIN, also where there is no such meeting.",
    f'"{RECEPTION}", or nobody, is the voice menu that asks for the meeting number.',
    "An endpoint that calls reaches another by its number, its name, or a GRUU (RFC 5627): of its own organisation, of "
    "that whose domain it dials, or by the whole number, an organisation's prefix with the endpoint's number.",
    "A call control of an organisation's own reaches meetings, the voice menu, and endpoints by their organisation's "
    "domain, by whole number or by GRUU; never another call control, another domain or a trunk.",
    "Whatever else a stranger dials is the voice menu; an endpoint, or a call control, is told that nobody is there "
    "(404).",
    "The zones of both (`sip.zones`) say whether one endpoint reaches the other, and how their media goes: straight, "
    "through this server, or not at all (403).",
)


class DialPlan:
    """`hosts`: that are this server. `domains`: of others, that may be called; see `guard.in_domains`. `zones`: of all.

    `own`: its own numbers. `called`: whether a name or a number is an endpoint's of an organisation.
    """

    def __init__(
        self,
        hosts: Collection[str],
        domains: Collection[str],
        *,
        own: Callable[[str], OwnNumber | None],
        called: Callable[[str, str], bool],
        zones: Zones = OPEN,
        organisations: Organisations = NONE,
    ) -> None:
        self.zones = zones
        self._hosts, self._domains, self._own, self._called = hosts, domains, own, called
        self.organisations = organisations

    def route(self, dialled: Uri, *, stranger: bool, of: str = "", neighbour: Organisation | None = None) -> Route:
        """`of`: whose endpoint dials; of a stranger, `neighbour`: from whose call control the call comes."""
        route = self._route(dialled, of, stranger=stranger, neighbour=neighbour)
        at = self._at(dialled)
        if at is None or route.kind not in (Kind.MEETING, Kind.RECEPTION):
            return route
        steps = (*route.steps, f"It is dialled at {at.name}.")
        return replace(route, steps=steps, organisation=at.id)

    def _at(self, dialled: Uri) -> Organisation | None:
        """Whose own it is: by the number first, for any gateway sends that to our domain."""
        if (own := self._own(_user(dialled))) is not None and own.organisation:
            return self.organisations.get(own.organisation)
        return self.organisations.at(dialled.host) if isinstance(dialled, SipUri) else None

    def _is_ours(self, host: str) -> bool:
        at = self.organisations.at(host)
        return not at.call_control if at is not None else host in self._hosts

    def _route(self, dialled: Uri, of: str, *, stranger: bool, neighbour: Organisation | None) -> Route:
        who = "A stranger calls." if stranger else "An endpoint of ours calls."
        if neighbour is not None:
            who = f"The call control of {neighbour.name} calls."
        if not stranger and isinstance(dialled, SipUri) and not self._is_ours(dialled.host):
            return self._abroad(dialled, (who, "The domain is not ours."))
        user = _user(dialled)
        steps = (who, "The address is taken as ours." if stranger else "The address is ours.")
        if (own := self._own(user)) is not None:
            kind, leads = (Kind.MEETING, "a meeting") if own.meeting else (Kind.RECEPTION, "the voice menu")
            return Route(kind, (*steps, f"A number of the server's own: {leads}."), own.meeting, language=own.language)
        if _is_meetings(user):
            return Route(Kind.MEETING, (*steps, f"{NUMBER_DIGITS} digits: a meeting's number."), user)
        if user in ("", RECEPTION):
            return Route(Kind.RECEPTION, (*steps, "The reception's name, or none: the voice menu."))
        if stranger and neighbour is None:
            return Route(Kind.RECEPTION, (*steps, "Strangers reach meetings alone: the voice menu."))
        route = self._to_endpoint(dialled, user, of, (*steps, f"Not {NUMBER_DIGITS} digits, and not the reception."))
        return route if neighbour is None else _not_led_on(route)

    def _abroad(self, dialled: SipUri, steps: tuple[str, ...]) -> Route:
        if dialled.user and (there := self.organisations.elsewhere(dialled.host)) is not None:
            return Route(Kind.DOMAIN, (*steps, _connected("domain", there)), dialled)
        if not dialled.user or not in_domains(dialled.host, self._domains):
            return Route(Kind.REFUSED, (*steps, "sip.call_domains does not allow it: refused."), status=403)
        return Route(Kind.DOMAIN, (*steps, "sip.call_domains allows it."), dialled)

    def _to_endpoint(self, dialled: Uri, user: str, of: str, steps: tuple[str, ...]) -> Route:
        if isinstance(dialled, SipUri) and "gr" in dialled.params:
            return Route(Kind.ENDPOINT, (*steps, "A GRUU: one device of an endpoint."), dialled)
        at = self.organisations.at(dialled.host) if isinstance(dialled, SipUri) else None
        whose = at.id if at is not None else of
        if self._called(user, whose):
            named = self.organisations.get(whose)
            said = f"The number or the name of an endpoint{f' of {named.name}' if named else ''}."
            return Route(Kind.ENDPOINT, (*steps, said), user, organisation=whose)
        return self.by_number(user, steps)

    def by_number(self, user: str, steps: tuple[str, ...]) -> Route:
        """A whole number means the same at every domain: that of its prefix's organisation."""
        number = e164(user)
        for prefix, organisation in self.organisations.prefixes_of(number):
            if organisation.call_control:
                there = whole_number(organisation, number)
                return Route(Kind.DOMAIN, (*steps, _connected("number", organisation)), there)
            for local in (number, number.removeprefix(prefix)):
                if self._called(local, organisation.id):
                    said = f"A number of {organisation.name}: an endpoint of theirs."
                    return Route(Kind.ENDPOINT, (*steps, said), local, organisation=organisation.id)
        return Route(Kind.REFUSED, (*steps, "No endpoint has that number or name: refused."), status=404)


def _not_led_on(route: Route) -> Route:
    """From one call control to another, or back."""
    if route.kind is not Kind.DOMAIN:
        return route
    return Route(Kind.REFUSED, (*route.steps, "One call control is not led on to another: refused."), status=403)


def whole_number(there: Organisation, number: str) -> SipUri:
    """As it is called at an organisation's own call control."""
    return SipUri(there.domains[0], number, params={"user": "phone"})


def _connected(what: str, there: Organisation) -> str:
    return f"The {what} is of {there.name}, which has a call control of its own: it is called there."


def destination(invite: Request) -> Uri:
    """Who was, where the Request-URI says no more than where we are: a registrar's proxy calls our Contact so."""
    uri = invite.uri
    return invite.to.uri if isinstance(uri, SipUri) and not uri.user else uri


def e164(user: str) -> str:
    """With its `+`, also where it was dialled with `00` or nothing before it; "": no number that says its country."""
    digits = user.removeprefix("+").removeprefix("00")
    return f"+{digits}" if digits.isascii() and digits.isdigit() and len(digits) > NUMBER_DIGITS else ""


def _user(dialled: Uri) -> str:
    if isinstance(dialled, SipUri):
        return dialled.user or ""
    return dialled.number if isinstance(dialled, TelUri) else ""


def _is_meetings(user: str) -> bool:
    return len(user) == NUMBER_DIGITS and user.isascii() and user.isdigit()
