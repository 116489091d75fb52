"""What `mcu doctor` says of one thing."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What a line begins with."""

    OK = "ok"
    ADVICE = "advice"  # it works, but not for everything
    FAIL = "fail"


@dataclass(frozen=True)
class Line:
    """One line of the doctor's."""

    what: str
    verdict: Verdict
    text: str


def ok(what: str, text: str) -> Line:
    return Line(what, Verdict.OK, text)


def advice(what: str, text: str) -> Line:
    return Line(what, Verdict.ADVICE, text)


def fail(what: str, text: str) -> Line:
    return Line(what, Verdict.FAIL, text)
