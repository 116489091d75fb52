"""Breaks messages by hand-made rules, a little or much: of lines of text best, and of any octets."""

import random
from collections.abc import Callable, Sequence
from typing import Final

SLOWEST_S: Final = 0.1  # of processor time, that a broken message may take
TOKENS: Final = (
    *(
        b"\r\n",
        b"\r\n\r\n",
        b"\n",
        b"\r",
        b"\0",
        b"\xff",
        b"\xc3\x28",
        b";",
        b";;",
        b"<",
        b">",
        b'"',
        b"\\",
        b",",
        b":",
    ),
    *(b"@", b"[", b"]", b"%", b"%00", b"%zz", b"=", b"*", b"?", b" ", b"\t", b"sip:", b"sips:", b"tel:", b"SIP/2.0"),
    *(b"4294967296", b"-1", b"0", b"99999999999999999999", b"2147483648", b"z9hG4bK", b"\xe2\x80\xae", b"2001:db8::1"),
    *(b";tag=", b";branch=", b"a=", b"m=", b"c=IN IP6 ::", b"|2^31|", b"inline:", b"Content-Length: 0\r\n", b"1e9"),
)


class Mutator:
    """Breaks what it is given, a little or much."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._ways: Sequence[Callable[[bytearray], None]] = (
            *(self._flip, self._insert, self._insert, self._delete, self._repeat, self._swap_lines, self._drop_line),
            *(self._double_line, self._number, self._number, self._cut, self._much, self._replace),
        )

    def broken(self, data: bytes) -> bytes:
        changed = bytearray(data)
        for _ in range(self._chance.choice((0, 1, 1, 1, 2, 2, 3, 5, 12))):
            if changed:
                self._chance.choice(self._ways)(changed)
        return bytes(changed)

    def _place(self, data: bytearray) -> int:
        return self._chance.randrange(len(data))

    def _span(self, data: bytearray) -> slice:
        start = self._place(data)
        return slice(start, start + self._chance.choice((1, 2, 4, 10, 40, 200)))

    def _flip(self, data: bytearray) -> None:
        data[self._place(data)] ^= 1 << self._chance.randrange(8)

    def _insert(self, data: bytearray) -> None:
        at = self._place(data)
        data[at:at] = self._chance.choice(TOKENS)

    def _replace(self, data: bytearray) -> None:
        data[self._span(data)] = self._chance.choice(TOKENS)

    def _delete(self, data: bytearray) -> None:
        del data[self._span(data)]

    def _repeat(self, data: bytearray) -> None:
        span = self._span(data)
        data[span.start : span.start] = data[span] * self._chance.choice((1, 2, 30))

    def _much(self, data: bytearray) -> None:
        at = self._place(data)
        data[at:at] = self._chance.choice(TOKENS) * self._chance.choice((10, 300, 3000))

    def _cut(self, data: bytearray) -> None:
        del data[self._place(data) :]

    def _number(self, data: bytearray) -> None:
        digits = [at for at, byte in enumerate(data) if 48 <= byte <= 57]
        if digits:
            at = self._chance.choice(digits)
            data[at : at + 1] = self._chance.choice((b"", b"0", b"-1", b"65536", b"4294967296", b"9" * 40))

    def _lines(self, data: bytearray, change: Callable[[list[bytes]], None]) -> None:
        lines = bytes(data).split(b"\r\n")
        change(lines)
        data[:] = b"\r\n".join(lines)

    def _swap_lines(self, data: bytearray) -> None:
        def swap(lines: list[bytes]) -> None:
            one, other = (self._chance.randrange(len(lines)) for _ in range(2))
            lines[one], lines[other] = lines[other], lines[one]

        self._lines(data, swap)

    def _drop_line(self, data: bytearray) -> None:
        self._lines(data, lambda lines: lines.remove(self._chance.choice(lines)))

    def _double_line(self, data: bytearray) -> None:
        self._lines(data, lambda lines: lines.append(self._chance.choice(lines)))
