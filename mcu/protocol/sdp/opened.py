"""Keys of a call whose media is opened on its way through us: each side has SRTP with us, and none with the other.

There are telephones that go on with the keys that their call began with, whatever a re-INVITE brings. So each side is
told for good what it was told before, and encrypts with what it says (RFC 4568, section 7.1.4). Lines are counted as
who is called does.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from mcu.errors import NotAcceptable
from mcu.protocol.sdp import crypto
from mcu.protocol.sdp.crypto import Crypto
from mcu.protocol.sdp.description import Attribute, Attributed, Description, Media
from mcu.protocol.sdp.keying import PLAIN, SECURE, Keys
from mcu.protocol.sdp.sides import Lines

Pair = tuple[Description | None, Description | None]

_OTHERS: Final = {"crypto", "fingerprint", "setup", "tls-id", "ssrc", "ssrc-group"}  # what is one side's alone


@dataclass(frozen=True, slots=True)
class LineKeys:
    """`side`: whose; `line`: of which m-line."""

    side: int
    line: int
    keys: Keys


class OpenedKeys:
    """`said` and `told`: the last that each side said, and was told, before; None: nothing yet. Raises `Invalid`."""

    def __init__(self, lines: Lines, said: Pair, told: Pair) -> None:
        self._had = tuple(_keys(one) for one in said)
        self._said = [_by_line(lines, side, one) for side, one in enumerate(said)]
        self._told = [_by_line(lines, side, one) for side, one in enumerate(told)]

    def keeps(self, side: int, said: Description) -> bool:
        """Whether it encrypts with a key that it had before."""
        return not self._had[side].isdisjoint(_keys(said))

    def renewable(self, side: int) -> bool:
        """Whether it had any keys that it could keep."""
        return bool(self._had[side])

    def passed_on(self, side: int, said: Description) -> Description:
        """What the other is told of it, with keys of ours. Raises `NotAcceptable` for a line that has none."""
        media = tuple(self._line(side, index, one) for index, one in enumerate(said.media))
        return replace(said, media=media, attributes=_ours(said))

    def agreed(self) -> Iterator[LineKeys]:
        """What both encrypt with, of each side and line of which that is settled."""
        for side in (0, 1):
            for line, told in self._told[side].items():
                theirs = {(one.tag, one.suite): one.key for one in self._said[side].get(line, ())}
                pairs = [(one, theirs[one.tag, one.suite]) for one in told if (one.tag, one.suite) in theirs]
                if len(pairs) == 1:
                    ((ours, their_key),) = pairs
                    yield LineKeys(side, line, Keys(ours.suite, ours.tag, ours.key, their_key))

    def _line(self, side: int, index: int, media: Media) -> Media:
        if not media.port or media.protocol not in SECURE | PLAIN:
            return media
        said = _cryptos(media)
        if not said:
            raise NotAcceptable("A line that is opened on its way has keys in its SDP.")
        self._said[side][index] = said
        told = self._tell(1 - side, index)
        return replace(media, attributes=(*_ours(media), *(Attribute("crypto", str(one)) for one in told)))

    def _tell(self, side: int, line: int) -> tuple[Crypto, ...]:
        """The keys that it knows, under the tags that it gives; new ones where it knows none."""
        theirs, known = self._said[side].get(line, ()), self._told[side].get(line, ())
        told = known or tuple(crypto.offered())
        if theirs:
            keys = {one.suite: one.key for one in reversed(known)}
            same = next((one for one in theirs if one.suite in keys), None)
            best = min(theirs, key=lambda one: list(crypto.SUITES).index(one.suite))
            told = (crypto.made(best.tag, best.suite) if same is None else replace(same, key=keys[same.suite]),)
        self._told[side][line] = told
        return told


def _cryptos(media: Media) -> tuple[Crypto, ...]:
    return tuple(key for text in media.values("crypto") if (key := crypto.parse(text)) is not None)


def _keys(said: Description | None) -> frozenset[bytes]:
    media = said.media if said is not None else ()
    return frozenset(one.key for line in media if line.port for one in _cryptos(line))


def _by_line(lines: Lines, side: int, said: Description | None) -> dict[int, tuple[Crypto, ...]]:
    """As who is called counts them."""
    media = said.media if said is not None else ()
    places = ((lines.place(side, index) if side == 0 else index, one) for index, one in enumerate(media))
    return {place: _cryptos(one) for place, one in places if place is not None and one.port}


def _ours(part: Attributed) -> tuple[Attribute, ...]:
    return tuple(one for one in part.attributes if one.name not in _OTHERS)
