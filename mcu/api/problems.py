"""Errors as RFC 9457 `application/problem+json`.

Owns the one shape in which anything goes wrong. Never says the offending value, nor a field's name that looks like one.
"""

import re
from http import HTTPStatus
from typing import Any, ClassVar

from aiohttp import web
from pydantic import BaseModel, Field, ValidationError

from mcu.errors import McuError, TooMany

CONTENT_TYPE = "application/problem+json"
TYPE_BASE = "urn:problem-type:mcu:"
_FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z_]{0,31}")  # no digits: those of PINs and tokens
_ECHOING = {"union_tag_invalid", "json_invalid", "assertion_error"}  # pydantic types whose text may hold the value


class Malformed(McuError):
    """The request cannot be read at all."""

    code, title = "malformed", "The request cannot be read"
    http: ClassVar[int] = 400


class UnsupportedMediaType(McuError):
    """The body is of a type that is not taken here."""

    code, title = "unsupported-media-type", "The body is of a type that is not taken here"
    http: ClassVar[int] = 415


class PreconditionRequired(McuError):
    """`If-Match` is missing (RFC 6585 section 3)."""

    code, title = "if-match-required", "Say which version you have read: If-Match"
    http: ClassVar[int] = 428


class FieldError(BaseModel):
    """One thing wrong in the request."""

    pointer: str = Field(description="JSON pointer (RFC 6901) into the body, or the parameter's name")
    detail: str
    code: str


class Problem(BaseModel):
    """RFC 9457. `code` is stable and for machines; `title` and `detail` are for people. Codes may grow in number."""

    type: str = Field(json_schema_extra={"format": "uri"})
    code: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] = []
    request_id: str


class Invalid422(McuError):
    """What pydantic found wrong, field by field."""

    code, title = "invalid", "The request is not valid"
    http: ClassVar[int] = 422

    def __init__(self, detail: str, errors: list[FieldError]) -> None:
        super().__init__(detail)
        self.errors = errors


def invalid(found: ValidationError, prefix: str = "") -> Invalid422:
    """`prefix`: what stands before each pointer, for instance a parameter's place."""
    errors = [
        _field_error(one, prefix) for one in found.errors(include_url=False, include_context=False, include_input=False)
    ]
    return Invalid422("See errors: each names a place in the request.", errors[:50])


def field_error(pointer: str, detail: str, code: str = "invalid") -> Invalid422:
    """One field that is wrong beside the others."""
    return Invalid422(
        "See errors: each names a place in the request.", [FieldError(pointer=pointer, detail=detail, code=code)]
    )


def answer(error: McuError, request_id: str) -> web.Response:
    """The problem as a response. `TooMany` says when to come back, 401 how to authenticate (RFC 6750 section 3)."""
    problem = Problem(
        type=TYPE_BASE + error.code,
        code=error.code,
        title=error.title,
        status=error.http,
        detail=error.detail,
        errors=getattr(error, "errors", []),
        request_id=request_id,
    )
    headers = {"Cache-Control": "no-store"}
    if isinstance(error, TooMany):
        headers["Retry-After"] = str(error.retry_after)
    if error.http == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return web.Response(
        status=error.http, body=problem.model_dump_json().encode(), content_type=CONTENT_TYPE, headers=headers
    )


def from_http(error: web.HTTPException) -> tuple[McuError, dict[str, str]]:
    """aiohttp's own refusals (no such route, wrong method, too large) as ours, with the headers they must keep."""
    status = HTTPStatus(error.status)
    kept = {name: error.headers[name] for name in ("Allow",) if name in error.headers}
    ours = type("HttpProblem", (McuError,), {"code": _slug(status), "title": status.phrase, "http": error.status})(
        status.description
    )
    return ours, kept


def _slug(status: HTTPStatus) -> str:
    return status.phrase.lower().replace(" ", "-")


def _field_error(one: Any, prefix: str) -> FieldError:
    detail = "It is not valid." if one["type"] in _ECHOING else f"{one['msg']}."
    pointer = prefix + "".join(f"/{part}" for part in _shown(one["loc"]))
    return FieldError(pointer=pointer, detail=detail, code=one["type"].replace("_", "-"))


def _shown(location: tuple[int | str, ...]) -> list[str]:
    """The path down to the first name that might be a value, not a name."""
    shown: list[str] = []
    for part in location:
        if isinstance(part, str) and not _FIELD_NAME.fullmatch(part):
            break
        shown.append(str(part))
    return shown
