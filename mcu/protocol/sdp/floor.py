"""The line of SDP by which a screen's right is asked for: BFCP, of which we are the server (RFC 8856).

It stands beside the media's lines and goes its own way: who makes the media's SDP refuses it, or has none, and it is
put in here. It is taken where there is a line for slides, whose label it names, and where the other side may be the
client.
"""

from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from mcu.protocol.bfcp.floor import FLOOR, Ids
from mcu.protocol.bfcp.message import RELIABLE, UNRELIABLE
from mcu.protocol.sdp.description import Attribute, Description, Media

NAME: Final = "BFCP"  # which every such line has
UDP, TCP, TLS = "UDP/BFCP", "TCP/BFCP", "TCP/TLS/BFCP"
VERSIONS: Final = {UDP: UNRELIABLE, TCP: RELIABLE, TLS: RELIABLE}
LABEL: Final = "3"  # of our slides, where they have none


@dataclass(frozen=True, slots=True)
class Terms:
    """What the client is told."""

    ids: Ids
    port: int  # of UDP and of TCP
    tls_port: int = 0
    fingerprint: str = ""  # of the certificate that is shown there; "": there is no TLS


@dataclass(frozen=True, slots=True)
class Taken:
    """A line that both sides take: where their datagrams come from; None: they connect."""

    host: str
    address: tuple[str, int] | None
    secure: bool = False  # by TLS


def answered(offer: Description, reply: Description, terms: Terms) -> tuple[Description, Taken | None]:
    """`reply`, in which the line is answered: refused where it cannot be taken."""
    at, labelled = _found(offer), _labelled(reply)
    if at is None or labelled is None or not _may_be_client(offer.media[at], terms):
        return reply, None
    theirs = offer.media[at]
    line = _line(theirs.protocol, terms, labelled.label, theirs.value("connection") or "new")
    return _with(labelled.said, at, line), _taken(offer, theirs)


def offered(said: Description, terms: Terms) -> tuple[Description, int | None]:
    """An offer of ours with the line in it, and at which place it was added; None: it had one there, or has no slides.

    By datagrams, on which room systems agree, but where a connection stands.
    """
    labelled = _labelled(said)
    if labelled is None:
        return said, None
    at = _found(said, refused=True)
    line = _line(UDP if at is None else said.media[at].protocol, terms, labelled.label, "existing")
    if at is not None:
        return _with(labelled.said, at, line), None
    return replace(said, media=(*labelled.said.media, line)), len(said.media)


def accepted(offer: Description, answer: Description, terms: Terms) -> Taken | None:
    """What they took of our offer."""
    at = _found(offer)
    if at is None or at >= len(answer.media):
        return None
    theirs = answer.media[at]
    if theirs.port == 0 or theirs.protocol != offer.media[at].protocol or not _may_be_client(theirs, terms):
        return None
    return _taken(answer, theirs)


def without(answer: Description, place: int) -> Description:
    """For who made the offer without the line."""
    return replace(answer, media=answer.media[:place] + answer.media[place + 1 :])


def _found(said: Description, *, refused: bool = False) -> int | None:
    """The place of the first such line."""
    return next(
        (at for at, media in enumerate(said.media) if media.protocol in VERSIONS and (media.port or refused)), None
    )


def _may_be_client(theirs: Media, terms: Terms) -> bool:
    """And connects, and speaks our version. An offer that says nothing is of a client (RFC 8856, section 5.1)."""
    roles = (theirs.value("floorctrl") or "c-only").split()
    versions = theirs.value("bfcpver")
    connects = theirs.protocol == UDP or (theirs.value("setup") or "active") in ("active", "actpass")
    speaks = versions is None or str(VERSIONS[theirs.protocol]) in versions.split()
    reachable = theirs.protocol != TLS or terms.fingerprint != ""
    return connects and speaks and reachable and bool({"c-only", "c-s"} & set(roles))


def _taken(session: Description, theirs: Media) -> Taken:
    host = session.address_of(theirs)
    return Taken(host, (host, theirs.port) if theirs.protocol == UDP else None, theirs.protocol == TLS)


class _Labelled(NamedTuple):
    said: Description
    label: str  # of its slides (RFC 4574)


def _labelled(said: Description) -> _Labelled | None:
    """None: it has no slides."""
    for at, media in enumerate(said.media):
        if media.port and media.value("content") == "slides":
            if label := media.value("label"):
                return _Labelled(said, label)
            named = replace(media, attributes=(*media.attributes, Attribute("label", LABEL)))
            return _Labelled(_with(said, at, named), LABEL)
    return None


def _with(said: Description, place: int, line: Media) -> Description:
    return replace(said, media=(*said.media[:place], line, *said.media[place + 1 :]))


def _line(protocol: str, terms: Terms, label: str, connection: str) -> Media:
    """`connection`: whether it is another than before (RFC 4145, section 5)."""
    attributes = [
        Attribute("floorctrl", "s-only"),
        Attribute("confid", str(terms.ids.conference)),
        Attribute("userid", str(terms.ids.user)),
        Attribute("floorid", f"{FLOOR} mstrm:{label}"),
        Attribute("bfcpver", str(VERSIONS[protocol])),
    ]
    if protocol != UDP:
        attributes += [Attribute("setup", "passive"), Attribute("connection", connection)]
    if protocol == TLS:
        attributes.append(Attribute("fingerprint", terms.fingerprint))
    return Media(
        kind="application",
        port=terms.tls_port if protocol == TLS else terms.port,
        protocol=protocol,
        formats=("*",),
        attributes=tuple(attributes),
    )
