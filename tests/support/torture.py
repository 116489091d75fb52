"""The messages that RFC 4475 and RFC 5118 describe, as `tests/wire/torture.txt` has them in our own words.

Each begins with `== name status …`: the statuses of which any is right, `nothing` where nothing is said. `{length}` is
the body's, `{0007}` a character by its number. The server is example.com's, and takes calls in the clear.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

WIRE = Path(__file__).parents[1] / "wire" / "torture.txt"


@dataclass(frozen=True)
class Torture:
    """One message. `statuses`: none where it is thrown away."""

    name: str
    statuses: frozenset[int]
    data: bytes = field(repr=False)


def messages() -> list[Torture]:
    return [_read(text) for text in re.split(r"^== ", WIRE.read_text("utf-8"), flags=re.MULTILINE)[1:]]


def _read(text: str) -> Torture:
    said, _, message = text.partition("\n")
    name, *statuses = said.split()
    head, _, body = message.removesuffix("\n").partition("\n\n")
    octets = body.replace("\n", "\r\n").encode()
    head = re.sub(
        r"\{([0-9A-F]{4})\}", lambda found: chr(int(found[1], 16)), head.replace("{length}", str(len(octets)))
    )
    data = head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + octets
    return Torture(name, frozenset(int(one) for one in statuses if one != "nothing"), data)
