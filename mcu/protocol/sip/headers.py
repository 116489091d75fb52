"""The header fields of a message: in order, by any spelling of their names (RFC 3261, section 7.3)."""

from collections.abc import Iterable, Iterator
from typing import Final

from mcu.protocol.sip.grammar import Malformed, listed

COMPACT: Final = {
    "a": "Accept-Contact",
    "b": "Referred-By",
    "c": "Content-Type",
    "d": "Request-Disposition",
    "e": "Content-Encoding",
    "f": "From",
    "i": "Call-ID",
    "j": "Reject-Contact",
    "k": "Supported",
    "l": "Content-Length",
    "m": "Contact",
    "n": "Identity-Info",
    "o": "Event",
    "r": "Refer-To",
    "s": "Subject",
    "t": "To",
    "u": "Allow-Events",
    "v": "Via",
    "x": "Session-Expires",
    "y": "Identity",
}
_FULL: Final = {short: name.lower() for short, name in COMPACT.items()}


class Headers:
    """Names and values. Never changed: `with_` and `without` make new ones."""

    __slots__ = ("_fields", "_keys")

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._fields = tuple((COMPACT.get(name.lower(), name), value) for name, value in fields)
        self._keys = tuple(name.lower() for name, _ in self._fields)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __contains__(self, name: str) -> bool:
        return _key(name) in self._keys

    def all(self, name: str) -> list[str]:
        """The values of each field of that name."""
        key = _key(name)
        if key not in self._keys:
            return []
        return [value for mine, (_, value) in zip(self._keys, self._fields, strict=True) if mine == key]

    def one(self, name: str) -> str | None:
        """The only value. Raises `Malformed` where there are several: which is meant cannot be known."""
        values = self.all(name)
        if len(values) > 1:
            raise Malformed(f"{name} is there more than once")
        return values[0] if values else None

    def listed(self, name: str) -> list[str]:
        """Every item of the comma-separated lists of that name. Raises `Malformed`."""
        return [item for value in self.all(name) if value for item in listed(value)]

    def with_(self, name: str, *values: str) -> "Headers":
        """These values in place of those there are, at the place of the first of them; else at the end."""
        key, new = _key(name), [(name, value) for value in values]
        fields: list[tuple[str, str]] = []
        placed = False
        for mine, field in zip(self._keys, self._fields, strict=True):
            if mine != key:
                fields.append(field)
            elif not placed:
                fields += new
                placed = True
        return Headers(fields if placed else fields + new)

    def without(self, name: str) -> "Headers":
        key = _key(name)
        return Headers(field for mine, field in zip(self._keys, self._fields, strict=True) if mine != key)


def _key(name: str) -> str:
    lower = name.lower()
    return _FULL.get(lower, lower)
