"""What the requests of one call have in common (RFC 3261, section 12)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from mcu.errors import McuError
from mcu.protocol.sip.grammar import Malformed, listed
from mcu.protocol.sip.headers import Headers
from mcu.protocol.sip.message import HOPS, Message, Request, Response
from mcu.protocol.sip.uri import SipUri, Uri
from mcu.protocol.sip.values import Address, CSeq, parse_address

TARGET_REFRESH: Final = frozenset({"INVITE", "UPDATE", "SUBSCRIBE", "NOTIFY", "REFER"})
DialogId = tuple[str, str, str]  # Call-ID, our tag, theirs


class OutOfOrder(McuError):
    """A request of a dialog is older than one that came before (section 12.2.2)."""

    code, title = "out-of-order", "The request is older than one that was handled"
    sip = 500


@dataclass(slots=True)
class Dialog:
    """One side of it: ours. `next_cseq` and `accept` move it on; all else makes messages."""

    call_id: str
    local: Address  # with our tag
    remote: Address  # with theirs, where they have one
    target: Uri  # where they are reached
    routes: tuple[Address, ...]
    contact: str  # our Contact, as it is written
    cseq: int  # the last that we used
    remote_cseq: int | None = None  # the last that they used
    early: bool = True

    @property
    def id(self) -> DialogId:
        return self.call_id, self.local.tag or "", self.remote.tag or ""

    def accept(self, request: Request) -> None:
        """A request of theirs. Raises `OutOfOrder`; ACK and CANCEL have the number of what they are about."""
        if request.method in ("ACK", "CANCEL"):
            return
        if self.remote_cseq is not None and request.cseq.number <= self.remote_cseq:
            raise OutOfOrder
        self.remote_cseq = request.cseq.number
        self.refresh(request.method, request)

    def refresh(self, method: str, message: Message) -> None:
        """Where they are reached may have changed (section 12.2.1.2)."""
        if method in TARGET_REFRESH and message.contacts:
            self.target = message.contacts[0].uri

    def next_cseq(self) -> int:
        self.cseq += 1
        return self.cseq

    def request(
        self,
        method: str,
        via: str,
        *,
        number: int | None = None,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> Request:
        """A request within the dialog. `number` is that of the INVITE for its ACK; else the next (section 12.2.1.1)."""
        target, routes = self._route()
        fields = [
            ("Via", via),
            *(("Route", str(route)) for route in routes),
            ("Max-Forwards", str(HOPS)),
            ("From", str(self.local)),
            ("To", str(self.remote)),
            ("Call-ID", self.call_id),
            ("CSeq", str(CSeq(self.next_cseq() if number is None else number, method))),
            *([("Contact", self.contact)] if method in TARGET_REFRESH else []),
            *headers,
        ]
        return Request(method, target, headers=Headers(fields), body=body)

    def _route(self) -> tuple[str, tuple[Address, ...]]:
        """The Request-URI, and Route: a first hop without `lr` is of RFC 2543 and gets itself as the target."""
        if not self.routes:
            return str(self.target), ()
        first = self.routes[0].uri
        if isinstance(first, SipUri) and "lr" not in first.params:
            return str(replace(first, headers={})), (*self.routes[1:], Address(self.target))
        return str(self.target), self.routes

    @property
    def next_hop(self) -> Uri:
        """Where its requests go first."""
        return self.routes[0].uri if self.routes else self.target


def of_request(invite: Request, tag: str, contact: str) -> Dialog:
    """As the one who is called (section 12.1.1). Raises `Malformed` where nobody could be reached by it."""
    if not invite.contacts:
        raise Malformed("Contact is missing")
    return Dialog(
        call_id=invite.call_id,
        local=invite.to.with_(tag=tag),
        remote=invite.from_,
        target=invite.contacts[0].uri,
        routes=_recorded(invite),
        contact=contact,
        cseq=0,
        remote_cseq=invite.cseq.number,
    )


def of_response(invite: Request, response: Response, contact: str) -> Dialog:
    """As the one who calls (section 12.1.2). Raises `Malformed` as above."""
    if not response.contacts:
        raise Malformed("Contact is missing")
    return Dialog(
        call_id=invite.call_id,
        local=invite.from_,
        remote=response.to,
        target=response.contacts[0].uri,
        routes=tuple(reversed(_recorded(response))),
        contact=contact,
        cseq=invite.cseq.number,
        early=response.is_provisional,
    )


def _recorded(message: Message) -> tuple[Address, ...]:
    return tuple(parse_address(item) for value in message.headers.all("Record-Route") for item in listed(value))
