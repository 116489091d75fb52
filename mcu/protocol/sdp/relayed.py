"""Descriptions of a call whose media goes through us and stays the two sides' own: what each is told of the other.

Keys and fingerprints are passed on, so that nobody in between needs them; where packets go is ours. RTP over UDP alone
is carried, and no address of the other side's is told: without its candidates there is no ICE.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from mcu.protocol.sdp.crypto import Crypto, parse
from mcu.protocol.sdp.description import NOWHERE, Attribute, Attributed, Description, Media
from mcu.protocol.sdp.exchange import Ports
from mcu.protocol.sdp.keying import PLAIN, SECURE

_ICE: Final = frozenset({"candidate", "end-of-candidates", "remote-candidates"})


@dataclass(frozen=True, slots=True)
class Hop:
    """Where one side takes the packets of a line."""

    address: str
    rtp_port: int
    rtcp_port: int  # also where both are multiplexed: who is asked need not do that (RFC 5761)


def hops(said: Description) -> dict[int, Hop]:
    """Of the lines that can be carried, by their place. Raises `Invalid` where one has no address."""
    return {
        index: Hop(said.address_of(media), media.port, media.own_rtcp_port)
        for index, media in enumerate(said.media)
        if media.port and media.protocol in SECURE | PLAIN
    }


def passed_on(said: Description, address: str, ports: Mapping[int, Ports]) -> Description:
    """What the other side is told: lines that have no ports of ours are refused."""
    media = tuple(
        _moved(said, one, ports[index]) if index in ports else one.refused() for index, one in enumerate(said.media)
    )
    origin = replace(said.origin, address=address, user="-")
    return replace(said, origin=origin, connection=address, media=media, attributes=_without_ice(said))


def _moved(said: Description, media: Media, ports: Ports) -> Media:
    """On hold as it was: by its direction, or to nowhere."""
    attributes = (Attribute("rtcp", str(ports.rtcp)) if one.name == "rtcp" else one for one in _without_ice(media))
    held = NOWHERE if said.address_of(media) == NOWHERE else None
    return replace(media, port=ports.rtp, connection=held, attributes=tuple(attributes))


def _without_ice(part: Attributed) -> tuple[Attribute, ...]:
    return tuple(one for one in part.attributes if one.name not in _ICE and not one.name.startswith("ice-"))


def agreed(one: Media, other: Media) -> tuple[Crypto, Crypto] | None:
    """With what each of the two encrypts: of an offer and its answer the keys that have one tag (RFC 4568, 5.1.2)."""
    of_other = {(key.tag, key.suite): key for text in other.values("crypto") if (key := parse(text)) is not None}
    of_one = (key for text in one.values("crypto") if (key := parse(text)) is not None)
    pairs = [(key, of_other[key.tag, key.suite]) for key in of_one if (key.tag, key.suite) in of_other]
    return pairs[0] if len(pairs) == 1 else None
