"""The line of SDP by which a screen's right is asked for: BFCP, of which we are the server (RFC 8856).

It stands beside the media's lines and goes its own way: who makes the media's SDP refuses it, or has none, and it is
put in here. It is taken where there is a line for slides, whose label it names. Where the other side may be the client
we are the server; who will be the server alone has us as its client.
"""

import re
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from mcu.errors import Invalid
from mcu.protocol.bfcp.end import Ids
from mcu.protocol.bfcp.floor import FLOOR
from mcu.protocol.bfcp.message import RELIABLE, UNRELIABLE
from mcu.protocol.sdp import dtls
from mcu.protocol.sdp.description import Attribute, Description, Media
from mcu.protocol.sdp.dtls import Association

NAME: Final = "BFCP"  # which every such line has
UDP, DTLS, TCP, TLS = "UDP/BFCP", "UDP/TLS/BFCP", "TCP/BFCP", "TCP/TLS/BFCP"
VERSIONS: Final = {UDP: UNRELIABLE, DTLS: UNRELIABLE, TCP: RELIABLE, TLS: RELIABLE}
LABEL: Final = "3"  # of our slides, where they have none
LEAST_PORT: Final = 1024  # that is connected to
_NUMBER: Final = re.compile("[0-9]{1,10}")
DISCARD: Final = 9  # the port of who connects (RFC 4145, section 4)


@dataclass(frozen=True, slots=True)
class Terms:
    """What the client is told."""

    ids: Ids
    port: int  # of UDP and of TCP
    tls_port: int = 0
    fingerprint: str = ""  # of the certificate that is shown there; "": there is no TLS
    own: str = ""  # of the one that is shown by DTLS, and to whom we connect
    tls_id: str = ""  # of our DTLS
    peer: str = ""  # from where their signalling comes: nobody else is connected to


@dataclass(frozen=True, slots=True)
class Theirs:
    """A floor of which the other side is the server."""

    ids: Ids  # ours there
    floor: int


@dataclass(frozen=True, slots=True)
class Taken:
    """A line that both sides take."""

    protocol: str
    address: tuple[str, int]  # theirs
    theirs: Theirs | None = None  # None: the floor is ours
    begins: bool = False  # we connect, or shake hands first
    association: Association | None = None  # by DTLS, or by TLS where we connect: who is there

    @property
    def reliable(self) -> bool:
        return VERSIONS[self.protocol] == RELIABLE

    @property
    def secure(self) -> bool:
        return self.protocol in (DTLS, TLS)


def answered(offer: Description, reply: Description, terms: Terms) -> tuple[Description, Taken | None]:
    """`reply`, in which the line is answered: refused where it cannot be taken."""
    at, labelled = _found(offer), _labelled(reply)
    taken = None if at is None else _taken(offer, offer.media[at], terms)
    if at is None or labelled is None or taken is None:
        return reply, None
    connection = offer.media[at].value("connection") or "new"
    setup = "active" if taken.begins else "passive"
    attributes = _as_client() if taken.theirs is not None else _as_server(terms, labelled.label)
    return _with(labelled.said, at, _line(taken.protocol, terms, attributes, setup, connection)), taken


def offered(said: Description, terms: Terms, former: Taken | None = None) -> tuple[Description, int | None]:
    """An offer of ours with the line in it, and at which place it was added; None: it had one there, or has no slides.

    By datagrams, on which room systems agree, but where a connection stands. `former`: what holds until then.
    """
    labelled = _labelled(said)
    if labelled is None:
        return said, None
    at = _found(said, refused=True)
    protocol = UDP if at is None else said.media[at].protocol
    connects = "active" if former is not None and former.begins else "passive"
    client = former is not None and former.theirs is not None
    attributes = _as_client() if client else _as_server(terms, labelled.label)
    line = _line(protocol, terms, attributes, "actpass" if protocol == DTLS else connects, "existing")
    if at is not None:
        return _with(labelled.said, at, line), None
    return replace(said, media=(*labelled.said.media, line)), len(said.media)


def accepted(offer: Description, answer: Description, terms: Terms) -> Taken | None:
    """What they took of our offer."""
    at = _found(offer)
    if at is None or at >= len(answer.media):
        return None
    ours, theirs = offer.media[at], answer.media[at]
    if theirs.port == 0 or theirs.protocol != ours.protocol:
        return None
    unsaid = "s-only" if ours.value("floorctrl") == "c-only" else "c-only"
    return _taken(answer, theirs, terms, unsaid, answered=True)


def without(answer: Description, place: int) -> Description:
    """For who made the offer without the line."""
    return replace(answer, media=answer.media[:place] + answer.media[place + 1 :])


def _found(said: Description, *, refused: bool = False) -> int | None:
    """The place of the first such line."""
    return next(
        (at for at, media in enumerate(said.media) if media.protocol in VERSIONS and (media.port or refused)), None
    )


def _taken(
    session: Description, line: Media, terms: Terms, unsaid: str = "c-only", *, answered: bool = False
) -> Taken | None:
    """None: they do not speak our version, or cannot be reached, or have a floor and do not say its numbers.

    `unsaid`: what they are who do not say. An offer that says nothing is of a client (RFC 8856, section 5.1).
    """
    roles = set((line.value("floorctrl") or unsaid).split())
    versions = line.value("bfcpver")
    if versions is not None and str(VERSIONS[line.protocol]) not in versions.split():
        return None
    if roles & {"c-only", "c-s"}:
        return _reached(session, line, terms, None, answered=answered)
    theirs = _theirs(session, line) if "s-only" in roles else None
    return None if theirs is None else _reached(session, line, terms, theirs, answered=answered)


def _reached(session: Description, line: Media, terms: Terms, theirs: Theirs | None, *, answered: bool) -> Taken | None:
    address = session.address_of(line), line.port
    if line.protocol == DTLS:
        association = _association(session, line, answered=answered)
        begins = association is not None and association.role == "client"
        return None if association is None else Taken(DTLS, address, theirs, begins, association)
    if line.protocol == UDP:
        return Taken(UDP, address, theirs) if theirs is None or line.port >= LEAST_PORT else None
    setup = line.value("setup") or "active"
    if theirs is None and setup in ("active", "actpass"):
        return Taken(line.protocol, address) if line.protocol != TLS or terms.fingerprint else None
    if setup not in ("passive", "actpass") or not _is_connected_to(address, terms):
        return None
    association = _association(session, line, answered=False) if line.protocol == TLS else None
    if line.protocol == TLS and association is None:
        return None
    return Taken(line.protocol, address, theirs, begins=True, association=association)


def _theirs(session: Description, line: Media) -> Theirs | None:
    """Our numbers with them, and that of the floor of their slides; where they name no line's, of the first."""
    floors = [words for value in line.values("floorid") if (words := value.split())]
    labels = {media.value("label") for media in session.media if media.is_slides}
    named = [words for words in floors if labels & {word.rpartition(":")[2] for word in words[1:]}]
    conference, user = line.value("confid") or "", line.value("userid") or ""
    floor = (named or floors or [[""]])[0][0]
    if not all(map(_NUMBER.fullmatch, (conference, user, floor))):
        return None
    if int(conference) >> 32 or int(user) >> 16 or int(floor) >> 16:
        return None
    return Theirs(Ids(int(conference), int(user)), int(floor))


def _is_connected_to(address: tuple[str, int], terms: Terms) -> bool:
    """Only who calls, and no other machine of its choice, least of all one that we alone reach (ADR 33)."""
    host, port = address
    return host == terms.peer and port >= LEAST_PORT


def _association(session: Description, theirs: Media, *, answered: bool) -> Association | None:
    """None: there is no certificate by which they can be known."""
    try:
        return dtls.agreed(session, theirs, None, answered=answered)
    except Invalid:
        return None


class _Labelled(NamedTuple):
    said: Description
    label: str  # of its slides (RFC 4574)


def _labelled(said: Description) -> _Labelled | None:
    """None: it has no slides."""
    for at, media in enumerate(said.media):
        if media.port and media.is_slides:
            if label := media.value("label"):
                return _Labelled(said, label)
            named = replace(media, attributes=(*media.attributes, Attribute("label", LABEL)))
            return _Labelled(_with(said, at, named), LABEL)
    return None


def _with(said: Description, place: int, line: Media) -> Description:
    return replace(said, media=(*said.media[:place], line, *said.media[place + 1 :]))


def _as_server(terms: Terms, label: str) -> list[Attribute]:
    return [
        Attribute("floorctrl", "s-only"),
        Attribute("confid", str(terms.ids.conference)),
        Attribute("userid", str(terms.ids.user)),
        Attribute("floorid", f"{FLOOR} mstrm:{label}"),
    ]


def _as_client() -> list[Attribute]:
    """The numbers are the server's to say (RFC 8856, section 6)."""
    return [Attribute("floorctrl", "c-only")]


def _line(protocol: str, terms: Terms, role: list[Attribute], setup: str, connection: str) -> Media:
    """`connection`: whether it is another than before (RFC 4145, section 5)."""
    attributes = [*role, Attribute("bfcpver", str(VERSIONS[protocol]))]
    connects = setup == "active"
    if VERSIONS[protocol] == RELIABLE:
        attributes += [Attribute("setup", setup), Attribute("connection", connection)]
    if protocol == TLS:
        attributes.append(Attribute("fingerprint", terms.own if connects else terms.fingerprint))
    if protocol == DTLS:
        attributes += dtls.attributes(setup, terms.own, terms.tls_id)
    return Media(
        kind="application",
        port=_port(protocol, terms, connects=connects),
        protocol=protocol,
        formats=("*",),
        attributes=tuple(attributes),
    )


def _port(protocol: str, terms: Terms, *, connects: bool) -> int:
    if VERSIONS[protocol] == RELIABLE and connects:
        return DISCARD
    return terms.tls_port if protocol == TLS else terms.port
