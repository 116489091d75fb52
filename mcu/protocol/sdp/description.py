"""A session description, read and written line by line (RFC 8866, section 5). What is not known is kept.

Only what an answer is made of is taken apart: origin, connections, bandwidths, media and attributes. Of times the first
are kept as they are; repeats and the like are not.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from mcu.errors import Invalid

MAX_BYTES: Final = 64 * 1024
MAX_LINES: Final = 1000
MAX_MEDIA: Final = 16
NOWHERE: Final = "0.0.0.0"  # the address of who holds as RFC 2543 had it
LATER: Final = 9  # the port of who tells by ICE where it is (RFC 8840)
DIRECTIONS: Final = ("sendrecv", "sendonly", "recvonly", "inactive")
Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
REVERSED: Final[dict[Direction, Direction]] = {
    "sendrecv": "sendrecv",
    "sendonly": "recvonly",
    "recvonly": "sendonly",
    "inactive": "inactive",
}
_EVERYBODY: Final = ipaddress.IPv4Address("255.255.255.255")
_LINE: Final = re.compile(r"([a-z])=(.*)")
_MEDIA: Final = re.compile(r"(\S+) ([0-9]{1,5})(?:/[0-9]+)? (\S+)((?: \S+)+)")
_ORIGIN: Final = re.compile(r"(\S+) ([0-9]{1,20}) ([0-9]{1,20}) IN (IP4|IP6) (\S+)")
_TIMES: Final = re.compile(r"[0-9]{1,20} [0-9]{1,20}")
_CONNECTION: Final = re.compile(r"IN (IP4|IP6) ([^\s/]+)(?:/\S+)?")
_BANDWIDTH: Final = re.compile(r"([A-Za-z0-9\-]+):([0-9]{1,10})")


@dataclass(frozen=True, slots=True)
class Attribute:
    """`a=name:value`, or `a=name` where there is no value."""

    name: str
    value: str | None = None

    def __str__(self) -> str:
        return f"a={self.name}" if self.value is None else f"a={self.name}:{self.value}"


@dataclass(frozen=True, slots=True)
class Origin:
    """Who made it, and which version of it this is: a version that has not moved says nothing new (RFC 3264, 8)."""

    session: int
    version: int
    address: str
    user: str = "-"

    def __str__(self) -> str:
        return f"{self.user} {self.session} {self.version} IN {_family(self.address)} {self.address}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributed:
    """A session or one of its media: what both have."""

    connection: str | None = None  # an address; 0.0.0.0 is a hold of RFC 2543
    bandwidths: tuple[tuple[str, int], ...] = ()  # TIAS in bit/s, AS in kbit/s (RFC 3890, RFC 8866)
    attributes: tuple[Attribute, ...] = ()

    def has(self, name: str) -> bool:
        return any(attribute.name == name for attribute in self.attributes)

    def value(self, name: str) -> str | None:
        """Of the first attribute of that name; None where there is none, or no value."""
        return next(self.values(name), None)

    def values(self, name: str) -> Iterator[str]:
        return (a.value for a in self.attributes if a.name == name and a.value is not None)

    @property
    def own_direction(self) -> Direction | None:
        found = next((name for name in DIRECTIONS if self.has(name)), None)
        return found  # type: ignore[return-value] # it is one of them

    @property
    def bits_per_second(self) -> int | None:
        """The most that may be sent to who wrote it. TIAS goes before AS, which counts headers too."""
        found = dict(reversed(self.bandwidths))
        return found["TIAS"] if "TIAS" in found else found["AS"] * 1000 if "AS" in found else None

    def _lines(self) -> Iterator[str]:
        if self.connection is not None:
            yield f"c=IN {_family(self.connection)} {self.connection}"
        yield from (f"b={kind}:{value}" for kind, value in self.bandwidths)


@dataclass(frozen=True, slots=True, kw_only=True)
class Media(Attributed):
    """One m-line and what follows it. Port 0: it is refused, or gone (RFC 3264, section 6)."""

    kind: str  # audio, video, application
    port: int
    protocol: str  # RTP/AVP, RTP/SAVP, UDP/TLS/RTP/SAVPF, UDP/BFCP
    formats: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        yield f"m={self.kind} {self.port} {self.protocol} {' '.join(self.formats)}"
        yield from self._lines()
        yield from map(str, self.attributes)

    @property
    def is_slides(self) -> bool:
        """It shows a screen (RFC 4796): among what else is said of it."""
        return "slides" in (one.strip() for one in (self.value("content") or "").split(","))

    @property
    def own_rtcp_port(self) -> int:
        """Where its RTCP is taken if that is not multiplexed (RFC 3605)."""
        stated = (self.value("rtcp") or "").split(" ")[0]
        return int(stated) if stated.isascii() and stated.isdigit() and 0 < int(stated) < 65536 else self.port + 1

    def refused(self) -> "Media":
        """The answer to one that is not taken."""
        return Media(kind=self.kind, port=0, protocol=self.protocol, formats=self.formats)


@dataclass(frozen=True, slots=True, kw_only=True)
class Description(Attributed):
    origin: Origin
    media: tuple[Media, ...]
    name: str = "-"
    times: str = "0 0"  # an answer's are its offer's (RFC 3264, section 6)

    def __str__(self) -> str:
        head = [
            "v=0",
            f"o={self.origin}",
            f"s={self.name}",
            *self._lines(),
            f"t={self.times}",
            *map(str, self.attributes),
        ]
        lines = [*head, *(line for media in self.media for line in media.lines())]
        return "\r\n".join([*lines, ""])

    def address_of(self, media: Media) -> str:
        """Where its packets go. Raises `Invalid` where neither it nor the session says."""
        address = media.connection or self.connection
        if address is None:
            raise Invalid("The SDP names no address for one of its media.")
        return address

    def direction_of(self, media: Media) -> Direction:
        """The media's own, else the session's (RFC 8866, section 6.7). To nowhere nothing is sent (RFC 3264, 8.4)."""
        stated: Direction = media.own_direction or self.own_direction or "sendrecv"
        if (media.connection or self.connection) != NOWHERE or media.port == LATER:
            return stated
        return "sendonly" if stated == "sendrecv" else "inactive" if stated == "recvonly" else stated


def parse(text: str) -> Description:
    """Raises `errors.Invalid`, saying what is wrong and never with what value."""
    if len(text) > MAX_BYTES:
        raise Invalid(f"The SDP is longer than {MAX_BYTES} characters.")
    lines = [_line(line) for line in text.replace("\r\n", "\n").split("\n") if line]
    if len(lines) > MAX_LINES or not lines or lines[0] != ("v", "0"):
        raise Invalid("The SDP does not begin with v=0, or is too long.")
    head, *sections = _sections(lines)
    if len(sections) > MAX_MEDIA:
        raise Invalid(f"The SDP has more than {MAX_MEDIA} media.")
    origins = [value for kind, value in head if kind == "o"]
    if len(origins) != 1:
        raise Invalid("The SDP has no origin, or more than one.")
    return Description(
        origin=_origin(origins[0]),
        media=tuple(_media(section) for section in sections),
        times=next((value for kind, value in head if kind == "t" and _TIMES.fullmatch(value)), "0 0"),
        **_said(head)._asdict(),
    )


def _line(line: str) -> tuple[str, str]:
    found = _LINE.fullmatch(line)
    if found is None:
        raise Invalid("A line of the SDP is not a letter, an equals sign and a value.")
    return found[1], found[2]


def _sections(lines: Iterable[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """The session's lines, and those of each media."""
    sections: list[list[tuple[str, str]]] = [[]]
    for kind, value in lines:
        if kind == "m":
            sections.append([])
        sections[-1].append((kind, value))
    return sections


def _origin(text: str) -> Origin:
    found = _ORIGIN.fullmatch(text)
    if found is None:
        raise Invalid("The origin of the SDP is not a user, two numbers and an address.")
    return Origin(int(found[2]), int(found[3]), found[5], found[1])


def _media(section: list[tuple[str, str]]) -> Media:
    found = _MEDIA.fullmatch(section[0][1].rstrip())
    if found is None or int(found[2]) > 65535:
        raise Invalid("A media line of the SDP is not a kind, a port, a protocol and formats.")
    return Media(
        kind=found[1],
        port=int(found[2]),
        protocol=found[3].upper(),
        formats=tuple(found[4].split()),
        **_said(section)._asdict(),
    )


class _Said(NamedTuple):
    """What a section says that the session and a media have both."""

    connection: str | None
    bandwidths: tuple[tuple[str, int], ...]
    attributes: tuple[Attribute, ...]


def _said(section: Iterable[tuple[str, str]]) -> _Said:
    connections: list[str] = []
    bandwidths: list[tuple[str, int]] = []
    attributes: list[Attribute] = []
    for kind, value in section:
        match kind:
            case "c":
                connections.append(_connection(value))
            case "b":
                if (bandwidth := _BANDWIDTH.fullmatch(value)) is not None:
                    bandwidths.append((bandwidth[1].upper(), int(bandwidth[2])))
            case "a":
                name, colon, said = value.partition(":")
                attributes.append(Attribute(name, said.strip() if colon else None))
    return _Said(connections[0] if connections else None, tuple(bandwidths), tuple(attributes))


def _connection(text: str) -> str:
    found = _CONNECTION.fullmatch(text)
    if found is None:
        raise Invalid("A connection of the SDP is not an address of IPv4 or IPv6.")
    return NOWHERE if found[2] == "::" else found[2]


def is_reached(address: str, ours: str) -> bool:
    """Whether media goes there from ours: to one machine, by its address and of the same family, or nowhere (hold)."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    one = not (found.is_multicast or found == _EVERYBODY)
    return address == NOWHERE or (one and _family(address) == _family(ours))


def _family(address: str) -> str:
    return "IP6" if ":" in address else "IP4"
