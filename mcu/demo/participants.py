"""The demo's participants, in a process of their own: joins them, and keeps them until standard input ends.

    python -m mcu.demo.participants URL NUMBER COUNT      (then COUNT lines of standard input, a join token each)

Tokens come by standard input because anybody on the machine can read a command line.
"""

import asyncio
import sys

from mcu.demo.cast import take_part
from mcu.net.process import die_with_parent


async def attend(url: str, number: str, tokens: list[str]) -> None:
    """Join all; say so on standard output; leave when standard input ends."""
    guests = await asyncio.gather(*(take_part(url, number, which, token) for which, token in enumerate(tokens)))
    print("in the meeting", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await asyncio.gather(*(guest.leave() for guest in guests))


def main() -> None:
    die_with_parent()
    url, number, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    tokens = [sys.stdin.readline().strip() for _ in range(count)]
    asyncio.run(attend(url, number, tokens))


if __name__ == "__main__":
    main()
