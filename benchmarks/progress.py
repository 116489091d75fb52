"""Progress goes to standard error: standard output is for the one JSON object."""

import sys


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
