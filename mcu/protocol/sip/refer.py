"""REFER: whom a call is to be led to (RFC 3515; RFC 4488), and which other gives way to it (Replaces, RFC 3891)."""

from dataclasses import dataclass
from typing import Final

from mcu.protocol.sip.dialog import DialogId
from mcu.protocol.sip.grammar import Malformed
from mcu.protocol.sip.message import Request
from mcu.protocol.sip.uri import SipUri, Uri
from mcu.protocol.sip.values import parse_address

SIPFRAG: Final = "message/sipfrag;version=2.0"


@dataclass(frozen=True, slots=True)
class Refer:
    """`replaces`: the call that is to give way to it, as we know it."""

    target: Uri
    replaces: DialogId | None
    notifies: bool  # whoever refers wants to be told what came of it

    @property
    def quiet(self) -> list[tuple[str, str]]:
        """The header field of who wants not to be, for whoever hears of it (RFC 4488)."""
        return [] if self.notifies else [("Refer-Sub", "false")]


def parse_refer(request: Request) -> Refer:
    """Raises `Malformed`."""
    text = request.headers.one("Refer-To")
    if text is None:
        raise Malformed("Refer-To is missing")
    target = parse_address(text).uri
    headers = {name.lower(): value for name, value in target.headers.items()} if isinstance(target, SipUri) else {}
    named = headers.get("replaces")
    notifies = (request.headers.one("Refer-Sub") or "").strip().lower() != "false"
    return Refer(target, None if named is None else parse_replaces(named), notifies)


def parse_replaces(text: str) -> DialogId:
    """`to-tag` is ours, for whoever wrote it means the dialog as we have it (section 3). Raises `Malformed`."""
    call_id, *params = (part.strip() for part in text.split(";"))
    said = {name.strip().lower(): value.strip() for name, _, value in (param.partition("=") for param in params)}
    if not call_id or not said.get("to-tag") or not said.get("from-tag"):
        raise Malformed("Replaces names no dialog")
    return call_id, said["to-tag"], said["from-tag"]


def is_early_only(text: str) -> bool:
    """Whether a Replaces is about a call that nobody has answered, and about no other (section 3)."""
    return "early-only" in (part.strip().lower() for part in text.split(";"))
