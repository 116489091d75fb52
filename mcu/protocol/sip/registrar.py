"""Where users are reached: REGISTER (RFC 3261, section 10), with outbound flows (RFC 5626), GRUU (5627), Path (3327).

It is given a user whose right to register has been shown, and the time in seconds since 1970, for what it knows may
outlive a restart. It answers nothing by itself: `register` says what the 200 has, or raises what refuses it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Generic, TypeVar

from mcu.errors import McuError, Refused
from mcu.protocol.sip.dialog import OutOfOrder
from mcu.protocol.sip.grammar import Malformed, number
from mcu.protocol.sip.gruu import PREFIX, Gruus
from mcu.protocol.sip.message import Request
from mcu.protocol.sip.uri import SipUri
from mcu.protocol.sip.values import Address, parse_address

CONTACTS_MAX: Final = 10  # of one user
SHORTEST_S: Final = 60
LONGEST_S: Final = 3600
FLOW_TIMER_S: Final = 120  # within which who registers a flow keeps it alive (RFC 5626, section 4.4)
_EXPIRES_BELOW: Final = 2**32

Flow = TypeVar("Flow")


class TooBrief(McuError):
    """They want to register more often than we will be asked: 423, with Min-Expires."""

    code, title = "registration-too-brief", "The registration is too brief"
    sip = 423


class NoOutbound(McuError):
    """A flow is to be kept, but whatever stands between knows nothing of flows (RFC 5626, section 6)."""

    code, title = "no-outbound", "The first hop does not do outbound"
    sip = 439


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding(Generic[Flow]):
    """One way to a user: by this flow, whatever the contact's address says, which may be of a network of its own."""

    contact: Address
    flow: Flow
    call_id: str
    cseq: int
    expires_at: float
    granted_s: int
    path: tuple[str, ...] = ()

    @property
    def instance(self) -> str:
        """Of the device, without its angle brackets; "": it says none."""
        return (self.contact.params.get("+sip.instance") or "").strip("<>")

    @property
    def reg_id(self) -> str:
        """Which of the device's flows; "": it keeps none, or does not say which device it is (RFC 5626, section 6)."""
        return (self.contact.params.get("reg-id") or "") if self.instance else ""

    def replaces(self, other: "Binding[Flow]") -> bool:
        """By device and flow where both say so, else by the address (RFC 5626, section 6; RFC 3261, section 10.2.4)."""
        if self.reg_id:
            return (self.instance, self.reg_id) == (other.instance, other.reg_id)
        mine, theirs = self.contact.uri, other.contact.uri
        return isinstance(mine, SipUri) and isinstance(theirs, SipUri) and mine.same(theirs)


class Registrar(Generic[Flow]):
    """One domain's. `users` are whatever names its owner gives."""

    def __init__(self, gruus: Gruus) -> None:
        self._gruus = gruus
        self._users: dict[str, tuple[Binding[Flow], ...]] = {}

    def register(self, user: str, request: Request, flow: Flow, now: float) -> list[tuple[str, str]]:
        """Does all of it or nothing, and says what header fields the 200 has.

        Raises `Malformed`, `TooBrief`, `NoOutbound`, `OutOfOrder`, or `Refused`: there would be too many.
        """
        known = self.bindings(user, now)
        outbound = self._wants_outbound(request)
        after = self._cleared(request, known) if _is_star(request) else self._merged(request, known, flow, now)
        if len(after) > CONTACTS_MAX:
            raise Refused("An endpoint has no more contacts at a time.")
        self._keep(user, after)
        return [*self._said(user, request, after, now), *_flow_said(outbound)]

    def bindings(self, user: str, now: float) -> tuple[Binding[Flow], ...]:
        """Those that hold now, the newest first."""
        return tuple(one for one in self._users.get(user, ()) if one.expires_at > now)

    def device(self, user: str, uri: SipUri, now: float) -> tuple[Binding[Flow], ...]:
        """Those of the one device that a GRUU of this user names."""
        instance = uri.params.get("gr")
        return tuple(one for one in self.bindings(user, now) if instance and one.instance == instance)

    def hidden(self, uri: SipUri, now: float) -> tuple[str, tuple[Binding[Flow], ...]]:
        """Whose a temporary GRUU is, and the device's bindings: "" and none where it is nobody's (any more)."""
        mark = self._gruus.read(uri) if (uri.user or "").startswith(PREFIX) else None
        for user in self._users if mark is not None else ():
            found = [
                one
                for one in self.bindings(user, now)
                if one.instance and self._gruus.mark(user, one.instance, one.call_id) == mark
            ]
            if found:
                return user, tuple(found)
        return "", ()

    def restore(self, user: str, bindings: Sequence[Binding[Flow]]) -> None:
        """What was known before a restart."""
        self._keep(user, tuple(bindings))

    def forget(self, user: str) -> None:
        """The user is no more."""
        self._users.pop(user, None)

    def lost(self, flow: Flow) -> None:
        """A connection has ended, and with it what was registered by it (RFC 5626, section 4.2.2)."""
        for user, bindings in list(self._users.items()):
            if any(one.flow == flow for one in bindings):
                self._keep(user, tuple(one for one in bindings if one.flow != flow))

    def users(self, now: float) -> Iterator[tuple[str, tuple[Binding[Flow], ...]]]:
        """Who is reached now, and where."""
        for user in list(self._users):
            if bindings := self.bindings(user, now):
                yield user, bindings

    def _keep(self, user: str, bindings: tuple[Binding[Flow], ...]) -> None:
        if bindings:
            self._users[user] = bindings
        else:
            self._users.pop(user, None)

    def _wants_outbound(self, request: Request) -> bool:
        """Whether flows are kept for it: who registers must be next to us, or next to one that says it keeps them."""
        asking = [one for one in request.contacts if one.params.get("reg-id") and one.params.get("+sip.instance")]
        if sum(_granted(request, one) > 0 for one in asking) > 1:
            raise Malformed("one registration is of one flow")
        if not asking or "outbound" not in request.tokens("Supported") | request.tokens("Require"):
            return False
        first = [parse_address(one).uri for one in request.headers.listed("Path")]
        if len(request.vias) > 1 and not any(isinstance(uri, SipUri) and "ob" in uri.params for uri in first[-1:]):
            raise NoOutbound
        return True

    def _cleared(self, request: Request, known: tuple[Binding[Flow], ...]) -> tuple[Binding[Flow], ...]:
        """`Contact: *` ends all (section 10.2.2)."""
        if request.contacts or _expires(request) != 0:
            raise Malformed("Contact * stands alone, with Expires: 0")
        for one in known:
            _in_order(one, request)
        return ()

    def _merged(
        self, request: Request, known: tuple[Binding[Flow], ...], flow: Flow, now: float
    ) -> tuple[Binding[Flow], ...]:
        after = list(known)
        for contact in request.contacts:
            made = _binding(request, contact, flow, now)
            for one in [one for one in after if made.replaces(one)]:
                _in_order(one, request)
                after.remove(one)
            if made.granted_s:
                after.insert(0, made)
        return tuple(after)

    def _said(
        self, user: str, request: Request, after: tuple[Binding[Flow], ...], now: float
    ) -> Iterator[tuple[str, str]]:
        gruu = "gruu" in request.tokens("Supported") | request.tokens("Require")
        for one in after:
            params: dict[str, str | None] = {**one.contact.params, "expires": str(max(1, round(one.expires_at - now)))}
            if gruu and one.instance:
                params["pub-gruu"] = str(self._gruus.public(user, one.instance))
                params["temp-gruu"] = str(self._gruus.temporary(user, one.instance, one.call_id))
            yield "Contact", str(replace(one.contact, params=params))
        if "path" in request.tokens("Supported"):
            yield from (("Path", one) for one in request.headers.listed("Path"))


def _flow_said(outbound: bool) -> list[tuple[str, str]]:
    return [("Require", "outbound"), ("Flow-Timer", str(FLOW_TIMER_S))] if outbound else []


def _is_star(request: Request) -> bool:
    return "*" in request.headers.listed("Contact")


def _binding(request: Request, contact: Address, flow: Flow, now: float) -> Binding[Flow]:
    if not isinstance(contact.uri, SipUri):
        raise Malformed("a Contact is no SIP address")
    granted = _granted(request, contact)
    return Binding(
        contact=replace(contact, params={name: value for name, value in contact.params.items() if name != "expires"}),
        flow=flow,
        call_id=request.call_id,
        cseq=request.cseq.number,
        expires_at=now + granted,
        granted_s=granted,
        path=tuple(request.headers.listed("Path")),
    )


def _granted(request: Request, contact: Address) -> int:
    """For how long, in seconds; 0: it ends now (section 10.3, step 7)."""
    own = contact.params.get("expires")
    try:
        wanted = _expires(request) if own is None else number(own, _EXPIRES_BELOW, "expires")
    except Malformed:
        wanted = None  # as if it said nothing (sections 20.10 and 20.19)
    seconds = LONGEST_S if wanted is None else wanted
    if 0 < seconds < SHORTEST_S:
        raise TooBrief
    return min(seconds, LONGEST_S)


def _expires(request: Request) -> int | None:
    text = request.headers.one("Expires")
    return None if text is None else number(text, _EXPIRES_BELOW, "Expires")


def _in_order(known: Binding[Flow], request: Request) -> None:
    """An older request of the same device must not undo a newer one."""
    if known.call_id == request.call_id and request.cseq.number <= known.cseq:
        raise OutOfOrder
