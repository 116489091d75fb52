"""Errors that know what they mean on each wire.

A front end never looks an error up: it reads `http`, `sip` or `q850` from the class; `code` for machines. `detail` is
for people and says what to do next; it never holds a PIN, a token, a name or a phone number.
"""

from typing import ClassVar


class McuError(Exception):
    """Something the service expects to go wrong. Whoever raises it fills in `detail`."""

    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Internal error"
    http: ClassVar[int] = 500
    sip: ClassVar[int] = 500
    q850: ClassVar[int] = 41  # temporary failure

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or self.title)
        self.detail = detail


class Invalid(McuError):
    """The request does not mean anything, or names something that cannot be. Sending it again will not help."""

    code, title = "invalid", "The request is not valid"
    http, sip, q850 = 422, 400, 100  # invalid information element contents


class Unauthenticated(McuError):
    """Nobody said who they are, or what they said does not hold."""

    code, title = "unauthenticated", "Who you are could not be established"
    http, sip, q850 = 401, 401, 21


class Refused(McuError):
    """The request was understood and will not be carried out."""

    code, title = "refused", "You may not do this"
    http, sip, q850 = 403, 403, 21  # call rejected


class NotFound(McuError):
    """There is nothing by that name, or the caller may not know that there is."""

    code, title = "not-found", "There is nothing here by that name"
    http, sip, q850 = 404, 404, 1  # unallocated number


class Conflict(McuError):
    """The request is right but not now: something else is in the way."""

    code, title = "conflict", "This cannot be done in the present state"
    http, sip, q850 = 409, 491, 41


class MeetingFull(Conflict):
    """The meeting has as many legs as it was booked for."""

    code, title = "meeting-full", "The meeting is full"
    http, sip, q850 = 409, 486, 17  # user busy


class TooMany(McuError):
    """Asked too often. `retry_after` is in seconds."""

    code, title = "too-many-requests", "Too many attempts"
    http, sip, q850 = 429, 503, 42  # switching equipment congestion

    def __init__(self, detail: str = "", retry_after: int = 60) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Unavailable(McuError):
    """The service cannot do this just now (no worker, no database). Trying again may help."""

    code, title = "unavailable", "The service cannot do this just now"
    http, sip, q850 = 503, 503, 41


class NotAcceptable(McuError):
    """The two sides of a call have no codec, or no encryption, that both may use."""

    code, title = "not-acceptable", "The two sides have no codec or encryption in common"
    http, sip, q850 = 422, 488, 88  # incompatible destination
