"""Bits from the most significant down, and the Exp-Golomb numbers of H.264 (ITU-T H.264 section 9.1)."""


class EndOfBits(ValueError):
    """There are fewer bits than the syntax asks for, or a number is larger than any syntax allows."""


class Bits:
    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def take(self, count: int) -> int:
        """The next `count` bits as an unsigned number. Raises `EndOfBits`."""
        if count > self._left:
            raise EndOfBits
        self._left -= count
        return self._value >> self._left & (1 << count) - 1

    def unsigned(self) -> int:
        """ue(v). Raises `EndOfBits`."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 31:
                raise EndOfBits
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        """se(v). Raises `EndOfBits`."""
        number = self.unsigned()
        return (number + 1) // 2 if number & 1 else -(number // 2)
