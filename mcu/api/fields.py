"""The kinds of values that requests are made of: what a text, a time, a PIN or a phone number may be."""

import base64
import binascii
import re
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, PlainValidator, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from mcu.api.problems import field_error
from mcu.api.routes import Request
from mcu.booking.store import PageRequest

_TIME = r"^2[0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})$"
_PRINTABLE = r"^[^\x00-\x1f\x7f]+$"
_ZONES = frozenset(available_timezones())
_ID = re.compile(r"[a-z]+_[0-9a-f]{32}")


def _instant(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if not isinstance(value, str) or not re.fullmatch(_TIME, value):
        raise PydanticCustomError(
            "rfc3339", "Input should be an RFC 3339 time with an offset, in the years 2000 to 2999"
        )
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise PydanticCustomError("rfc3339", "Input should be a time that exists") from error


def _query_instant(value: Any) -> datetime:
    """A `+` that was not percent-encoded arrives as a space."""
    return _instant(re.sub(r" (?=[0-9]{2}:[0-9]{2}$)", "+", value) if isinstance(value, str) else value)


def _zone(value: str) -> str:
    if value not in _ZONES:
        raise PydanticCustomError("time-zone", "Input should be an IANA time zone, such as Europe/Stockholm")
    return value


_TIME_SCHEMA = WithJsonSchema({"type": "string", "format": "date-time", "pattern": _TIME})

Text = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_PRINTABLE)]
Instant = Annotated[datetime, PlainValidator(_instant), _TIME_SCHEMA]
QueryInstant = Annotated[datetime, PlainValidator(_query_instant), _TIME_SCHEMA]
TimeZone = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_zone)]
Pin = Annotated[str, StringConstraints(pattern=r"^[0-9]{6,20}$")]
PersonalPin = Annotated[str, StringConstraints(pattern=r"^[0-9]{8,20}$")]  # there may be many in a meeting
Email = Annotated[str, StringConstraints(max_length=254, pattern=r"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+$")]
Phone = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{6,14}$")]
SipAddress = Annotated[str, StringConstraints(max_length=254, pattern=r"^sips?:[^\s<>\"\x00-\x1f\x7f]+$")]
Minutes = Annotated[int, Field(ge=0, le=1440)]
MetadataKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
MetadataValue = Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")]


class PageQuery(Request):
    """Paging: `items` come oldest first; ask on with `next_page_token` until it is null."""

    page_size: int = Field(50, ge=1, le=200, description="How many items at most.")
    page_token: str | None = Field(None, max_length=200, description="`next_page_token` of the page before.")

    def wanted(self) -> PageRequest:
        """Raises a problem if the token is not one of ours."""
        return PageRequest(size=self.page_size, after=_after(self.page_token) if self.page_token is not None else "")


def page_token(last: str) -> str | None:
    """What to ask on with after the item of that id; `None` when there is no more."""
    return base64.urlsafe_b64encode(last.encode()).decode() if last else None


def _after(token: str) -> str:
    try:
        last = base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        last = ""
    if not _ID.fullmatch(last):
        raise field_error("query/page_token", "Send next_page_token of the page before, as it was.", "page-token")
    return last
