"""`mcu meeting create|list|show|cancel`: bookings, over the REST API of a server that runs."""

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from mcu.cli.common import out
from mcu.cli.options import URL, JsonOption, TokenOption, UrlOption
from mcu.cli.rest import Rest, ServerSays
from mcu.clock import SystemClock

meetings = typer.Typer(name="meeting", help="Book meetings, and see them, on a server that runs.", no_args_is_help=True)

MeetingArgument = Annotated[str, typer.Argument(metavar="MEETING", help="Its number, or its id: mtg_…")]
PATH = "/api/v1/meetings"
PAGE = 200


@meetings.command()
def create(  # noqa: PLR0913, PLR0917  # each is an option of the command
    title: Annotated[str, typer.Argument(help="What it is called.")],
    start: Annotated[datetime | None, typer.Option(help="Local time, such as 2026-11-23T09:00. Left out: now.")] = None,
    minutes: Annotated[int, typer.Option(min=1, help="How long.")] = 60,
    standing: Annotated[bool, typer.Option(help="Open always; no start and no end.")] = False,
    participant: Annotated[
        list[str] | None, typer.Option(help="Who gets a personal link; `host:NAME` for a host. Repeat.")
    ] = None,
    language: Annotated[str, typer.Option(help="Of notices: sv or en.")] = "sv",
    wait_for_host: Annotated[bool, typer.Option(help="Guests wait until a host has come.")] = False,
    url: UrlOption = URL,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Book a meeting. Its PINs are shown this once."""
    body: dict[str, Any] = {
        "title": title,
        "language": language,
        "access": {"wait_for_host": wait_for_host},
        "participants": [_participant(text) for text in participant or []],
    }
    if not standing:
        begins = (start or SystemClock().now().replace(microsecond=0)).astimezone()
        body |= {"start": begins.isoformat(), "end": (begins + timedelta(minutes=minutes)).isoformat()}
    _show(Rest(url, token).ask("POST", PATH, body)[0], as_json)


@meetings.command("list")
def list_(
    state: Annotated[str | None, typer.Option(help="scheduled, open, active, ended, cancelled or expired.")] = None,
    url: UrlOption = URL,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show every meeting."""
    items = list(_all(Rest(url, token), {"state": state} if state else {}))
    if as_json:
        print(json.dumps(items, ensure_ascii=False, indent=2))
        return
    table = Table("Number", "State", "When", "Title", box=None, pad_edge=False)
    for meeting in items:
        table.add_row(meeting["join"]["meeting_number"], meeting["state"], _when(meeting), Text(meeting["title"]))
    out.print(table if items else "There are no meetings.")


@meetings.command()
def show(
    meeting: MeetingArgument, url: UrlOption = URL, token: TokenOption = None, as_json: JsonOption = False
) -> None:
    """Show one meeting, with its personal links."""
    rest = Rest(url, token)
    _show(rest.ask("GET", _path(rest, meeting))[0], as_json)


@meetings.command()
def cancel(
    meeting: MeetingArgument, url: UrlOption = URL, token: TokenOption = None, as_json: JsonOption = False
) -> None:
    """Cancel a meeting. If it runs, it ends."""
    rest = Rest(url, token)
    path = _path(rest, meeting)
    _, etag = rest.ask("GET", path)
    _show(rest.ask("DELETE", path, headers={"If-Match": etag})[0], as_json)


def _all(rest: Rest, query: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Every meeting that matches."""
    return rest.pages(PATH, query | {"page_size": str(PAGE)})


def _path(rest: Rest, meeting: str) -> str:
    """Where the meeting is that somebody means. Raises `ServerSays` when that can be none."""
    if re.fullmatch(r"mtg_[0-9a-f]{32}", meeting):
        return f"{PATH}/{meeting}"
    number = re.sub(r"\s", "", meeting)
    for one in _all(rest, {}):
        if one["join"]["meeting_number"] == number:
            return f"{PATH}/{one['id']}"
    raise ServerSays("no meeting has that number or id: see `mcu meeting list`")


def _participant(text: str) -> dict[str, str]:
    role, colon, name = text.partition(":")
    return {"name": name, "role": role} if colon and role in {"host", "guest"} else {"name": text, "role": "guest"}


def _when(meeting: dict[str, Any]) -> str:
    """In the zone of who reads."""
    if meeting["start"] is None:
        return "always open"
    start, end = (datetime.fromisoformat(meeting[key]).astimezone() for key in ("start", "end"))
    return f"{start:%Y-%m-%d %H:%M}–{end:%H:%M}"


def _show(meeting: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(meeting, ensure_ascii=False, indent=2))
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    rows = {
        "Meeting": meeting["id"],
        "Title": meeting["title"],
        "State": meeting["state"],
        "When": _when(meeting),
        "Number": meeting["join"]["meeting_number"],
        "Page": meeting["join"]["web_url"],
    }
    issued = meeting.get("pins") or {}
    rows |= {f"PIN, {role}": f"{pin} (shown this once)" for role, pin in issued.items() if pin}
    for name, value in rows.items():
        table.add_row(name, Text(value, overflow="fold"))
    out.print(table)
    for person in meeting["participants"]:
        out.print(
            Text(f"\n{person['name']} ({person['role']})\n{person['join_url'] or 'no link is shown'}"), soft_wrap=True
        )
