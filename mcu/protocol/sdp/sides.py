"""Two calls made one: what each side says, in the lines and the session that the other has known (RFC 3264, section 8).

The other's session had an origin, and lines in an order, before: it goes on with the same origin and higher versions,
and its lines stay in their places. A line that only one side has is refused at the other's.
"""

from dataclasses import replace

from mcu.protocol.sdp.description import DIRECTIONS, Attribute, Description, Media


def silenced(said: Description) -> Description:
    """The same session in which neither side sends any more."""
    media = (
        replace(line, attributes=(*(a for a in line.attributes if a.name not in DIRECTIONS), Attribute("inactive")))
        for line in said.media
    )
    return replace(said, origin=replace(said.origin, version=said.origin.version + 1), media=tuple(media))


class Versions:
    """`told`: what each side's other was told last; None: nothing yet."""

    def __init__(self, told: tuple[Description | None, Description | None] = (None, None)) -> None:
        self._told = list(told)

    def next(self, side: int, said: Description) -> Description:
        """What comes after that: of its origin, and a version more where it says something new."""
        before = self._told[side]
        if before is not None:
            same = replace(said, origin=before.origin)
            moved = replace(before.origin, version=before.origin.version + (same != before))
            said = replace(said, origin=moved)
        self._told[side] = said
        return said


class Lines:
    """Which line of the one is which of the other's. `said`: what each side said last, None: nothing yet."""

    def __init__(self, said: tuple[Description | None, Description | None] = (None, None)) -> None:
        self._said = list(said)
        self._there: tuple[dict[int, int], dict[int, int]] = ({}, {})  # by side: its line, the other's
        self._match()

    def place(self, side: int, index: int) -> int | None:
        """Of a line of theirs at the other; None: that has no such."""
        return self._there[side].get(index)

    def across(self, side: int, said: Description) -> Description:
        """In the other's lines. New ones are new there too."""
        first = self._said[side] is None
        self._said[side] = said
        if first and not self._there[side]:
            self._match()
        before = self._said[1 - side]
        known = before.media if before is not None else ()
        there, back = self._there[side], self._there[1 - side]
        for index in range(len(said.media)):
            if index not in there:
                self._link(side, index, max([len(known) - 1, *back]) + 1)
        media = (_line(said.media, back.get(index), known, index) for index in range(max([len(known) - 1, *back]) + 1))
        return replace(said, media=tuple(media))

    def _match(self) -> None:
        """The first of a kind is the other's first, and so on."""
        one, other = self._said
        left = list(enumerate(other.media)) if other is not None else []
        for index, media in enumerate(one.media if one is not None else ()):
            found = next((pair for pair in left if _alike(pair[1], media)), None)
            if found is not None:
                left.remove(found)
                self._link(0, index, found[0])

    def _link(self, side: int, index: int, other: int) -> None:
        self._there[side][index] = other
        self._there[1 - side][other] = index


def _alike(one: Media, other: Media) -> bool:
    return (one.kind, one.value("content")) == (other.kind, other.value("content"))


def _line(said: tuple[Media, ...], source: int | None, known: tuple[Media, ...], index: int) -> Media:
    if source is not None and source < len(said):
        return said[source]
    return known[index].refused()
