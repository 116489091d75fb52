"""DTLS-SRTP in SDP: who begins, and whom to believe (RFC 5763; fingerprints by RFC 8122, `tls-id` by RFC 8842).

We are DTLS server wherever they let us: the server picks the SRTP profile, and we pick AES-GCM.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from mcu.errors import Invalid
from mcu.protocol.sdp.description import NOWHERE, Attribute, Description, Media

STRONG: Final = {"sha-256": 32, "sha-384": 48, "sha-512": 64}  # bytes of a hash; others are passed over
_FINGERPRINT: Final = re.compile(r"(\S{1,20}) ([0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){0,63})")
_TLS_ID: Final = re.compile(r"[A-Za-z0-9+/_\-]{20,255}")
_OURS: Final[dict[str, "Role"]] = {"active": "server", "passive": "client"}  # by what they are

Role = Literal["client", "server"]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Of a certificate."""

    algorithm: str
    value: str  # in capitals

    def __str__(self) -> str:
        return f"{self.algorithm} {self.value}"


@dataclass(frozen=True, slots=True)
class Association:
    """What was agreed of one. One that equals it goes on; another is a new handshake (RFC 8842, section 3.1)."""

    fingerprints: frozenset[Fingerprint]  # theirs
    role: Role  # ours
    tls_id: str  # theirs; "": they have none, and then it is
    where: tuple[str, int] | None  # where they are that tells one from the next

    @property
    def setup(self) -> str:
        """Ours, in an answer."""
        return "passive" if self.role == "server" else "active"


def agreed(session: Description, media: Media, before: Association | None, *, answered: bool) -> Association | None:
    """What a line of theirs comes to; None where it has no fingerprint that can be trusted, or begins nothing.

    `answered`: it is their answer. Raises `Invalid` for what is not well-formed.
    """
    fingerprints = frozenset(_fingerprints(media.values("fingerprint") if media.has("fingerprint") else _all(session)))
    setup = media.value("setup") or session.value("setup") or ("passive" if answered else "active")
    role = _OURS.get(setup)
    if setup == "actpass":  # baresip answers so too, and means that it begins
        role = before.role if before is not None else "server"
    if not fingerprints or role is None:
        return None
    tls_id = _tls_id(media)
    moves = tls_id or media.has("ice-ufrag") or session.has("ice-ufrag")  # by ICE, and stays what it is
    where = None if moves else _where(session, media, before)
    found = Association(fingerprints, role, tls_id, where)
    return found if found == before or setup != "actpass" else Association(fingerprints, "server", tls_id, where)


def attributes(setup: str, fingerprint: str, tls_id: str) -> Iterator[Attribute]:
    """`tls_id` "": none."""
    yield Attribute("setup", setup)
    yield Attribute("fingerprint", fingerprint)
    if tls_id:
        yield Attribute("tls-id", tls_id)


def _where(session: Description, media: Media, before: Association | None) -> tuple[str, int] | None:
    """Who holds as RFC 2543 had it has not moved."""
    address = session.address_of(media)
    return before.where if address == NOWHERE and before is not None else (address, media.port)


def _all(session: Description) -> Iterator[str]:
    return session.values("fingerprint")


def _fingerprints(values: Iterable[str]) -> Iterator[Fingerprint]:
    for value in values:
        found = _FINGERPRINT.fullmatch(value.strip())
        if found is None:
            raise Invalid("A fingerprint of the SDP is not a hash's name and its bytes.")
        algorithm, hash_ = found[1].lower(), found[2].upper()
        size = STRONG.get(algorithm)
        if size is None:
            continue
        if len(hash_) != 3 * size - 1:
            raise Invalid("A fingerprint of the SDP is not as long as its hash.")
        yield Fingerprint(algorithm, hash_)


def _tls_id(media: Media) -> str:
    value = media.value("tls-id") or ""
    if value and _TLS_ID.fullmatch(value) is None:
        raise Invalid("The tls-id of the SDP is not one.")
    return value
