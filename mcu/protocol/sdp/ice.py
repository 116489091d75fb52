"""ICE in SDP (RFC 8839), of which we are the lite side (RFC 8445, section 2.5): the far end checks, we answer.

Its candidates are not used: we send to where a check with our password came from. They say one thing: whether what
stands in the SDP is among them, for else something on the way has rewritten it, and there is no ICE (section 5.4).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from mcu.errors import Invalid
from mcu.protocol.sdp.description import LATER, NOWHERE, Attribute, Description, Media

NAMES: Final = frozenset({"ice-ufrag", "ice-pwd", "candidate"})
LITE: Final = Attribute("ice-lite")  # of a session
MISMATCH: Final = Attribute("ice-mismatch")  # of an answer, to who is not where it says (RFC 8839, section 5.4)
_UFRAG: Final = re.compile(r"[A-Za-z0-9+/]{4,256}")
_PASSWORD: Final = re.compile(r"[A-Za-z0-9+/]{22,256}")
_CANDIDATE: Final = re.compile(r"\S{1,32} 1 (?i:udp) \d{1,10} (\S+) (\d{1,5}) typ .*")
_HOST: Final = 126 << 24 | 65535 << 8  # priority of a host candidate (RFC 8445, section 5.1.2.1), and 256 - component


@dataclass(frozen=True, slots=True)
class Credentials:
    ufrag: str
    password: str = field(repr=False)


def of(session: Description, media: Media) -> Credentials | None:
    """Theirs; None where there is no ICE, or nobody who would check. Raises `Invalid` for what is not well-formed."""
    ufrag = media.value("ice-ufrag") or session.value("ice-ufrag")
    password = media.value("ice-pwd") or session.value("ice-pwd")
    if ufrag is None or password is None or session.has(LITE.name) or mismatches(session, media):
        return None
    if not _UFRAG.fullmatch(ufrag) or not _PASSWORD.fullmatch(password):
        raise Invalid("The ICE credentials of the SDP are not long enough, or not of letters and digits.")
    return Credentials(ufrag, password)


def mismatches(session: Description, media: Media) -> bool:
    """Where it says that it is, is none of its candidates."""
    if not any(one.has("ice-ufrag") for one in (session, media)) or media.port == LATER:
        return False
    where = session.address_of(media), str(media.port)
    return where[0] != NOWHERE and where not in [found.groups() for found in _candidates(media)]


def _candidates(media: Media) -> Iterator[re.Match[str]]:
    return (found for value in media.values("candidate") if (found := _CANDIDATE.fullmatch(value)) is not None)


def attributes(ours: Credentials, address: str, ports: tuple[int, ...]) -> Iterator[Attribute]:
    """Of a line of ours with a port for each component: RTP, and RTCP where that has its own."""
    yield Attribute("ice-ufrag", ours.ufrag)
    yield Attribute("ice-pwd", ours.password)
    for component, port in enumerate(ports, 1):
        priority = _HOST + 256 - component
        yield Attribute("candidate", f"1 {component} UDP {priority} {address} {port} typ host")
