"""How a line is encrypted: by keys in the SDP (RFC 4568), by DTLS (RFC 5763), or not at all.

The transport says which: `UDP/TLS/…` is DTLS, `RTP/SAVP…` the keys that are written there, and a fingerprint only
where there are none. Where both come with plain `RTP/AVP…` (best effort, RFC 8643), it is DTLS, whose keys pass no
proxy. A line that has either, and neither of a kind that is done here, is never taken in the clear.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, Literal

from mcu.errors import NotAcceptable
from mcu.protocol.sdp import crypto, dtls
from mcu.protocol.sdp.crypto import Crypto
from mcu.protocol.sdp.description import Attribute, Description, Media
from mcu.protocol.sdp.dtls import Association

BY_DTLS: Final = {"UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF"}
SECURE: Final = {"RTP/SAVP", "RTP/SAVPF"} | BY_DTLS
PLAIN: Final = {"RTP/AVP", "RTP/AVPF"}

Side = Literal["offered", "answered"]  # which of their descriptions it is


class Encryption(StrEnum):
    """What an organisation's policy asks of its calls. Never less than AES-128 where there is any."""

    REQUIRED = "required"
    OFFERED = "offered"  # taken where the other side has it


@dataclass(frozen=True, slots=True)
class Keys:
    """What each side encrypts with: master key, then salt."""

    suite: str
    tag: int
    ours: bytes = field(repr=False)
    theirs: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Keying:
    """Of a line: one of the two; neither: it is in the clear."""

    keys: Keys | None = None
    dtls: Association | None = None

    @property
    def encrypts(self) -> bool:
        return self.keys is not None or self.dtls is not None

    def attributes(self, fingerprint: str, tls_id: str) -> Iterator[Attribute]:
        """Of our answer. A `tls-id` is said to whoever has one (RFC 8842, section 5.3)."""
        if self.keys is not None:
            yield Attribute("crypto", str(Crypto(self.keys.tag, self.keys.suite, self.keys.ours)))
        if self.dtls is not None:
            yield from dtls.attributes(self.dtls.setup, fingerprint, tls_id if self.dtls.tls_id else "")


def agreed(
    session: Description, media: Media, before: Keying | None, encryption: Encryption, side: Side
) -> Keying | None:
    """What a line of theirs comes to; None where it cannot be taken.

    `before`: in a call that stands. Our own key stays then (RFC 4568, section 7.1.4). Raises `NotAcceptable` where it
    was encrypted before and is to be no more, `Invalid` for what is not well-formed.
    """
    theirs = crypto.chosen(media.values("crypto")) if media.protocol not in BY_DTLS else None
    if theirs is None or media.protocol in PLAIN:
        former = before.dtls if before is not None else None
        association = dtls.agreed(session, media, former, answered=side == "answered")
        if association is not None:
            return Keying(dtls=association)
    if theirs is not None:
        return Keying(keys=_keys(theirs, before))
    if before is not None and before.encrypts:
        raise NotAcceptable("A call that is encrypted stays so.")
    means_to = media.has("crypto") or media.has("fingerprint") or session.has("fingerprint")
    clear = media.protocol in PLAIN and encryption is Encryption.OFFERED and not means_to
    return Keying() if clear else None


def _keys(theirs: Crypto, before: Keying | None) -> Keys:
    former = before.keys if before is not None else None
    kept = former is not None and former.suite == theirs.suite
    key = former.ours if former is not None and kept else crypto.made(theirs.tag, theirs.suite).key
    return Keys(theirs.suite, theirs.tag, key, theirs.key)


def accepted(found: Keying, line: Media, keys: Iterable[Crypto]) -> Keying:
    """What their answer takes of what our `line` offered. Raises `NotAcceptable` where it takes what was not."""
    if (found.dtls is not None) != line.has("fingerprint") or (found.keys is None and line.has("crypto")):
        raise NotAcceptable("The answer is not encrypted in the way that was offered.")
    if found.keys is None:
        return found
    mine = {one.tag: one for one in keys}.get(found.keys.tag)
    if mine is None or mine.suite != found.keys.suite:
        raise NotAcceptable("The answer takes a key that was not offered.")
    return replace(found, keys=replace(found.keys, ours=mine.key))
